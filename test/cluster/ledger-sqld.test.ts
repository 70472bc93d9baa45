/** The ledger's triggers, and draining, on the database server they are made for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Drain } from '../../src/audit/drain.ts'
import { ledgerWriter } from '../../src/audit/ledger.ts'
import { Sequencer } from '../../src/audit/sequencer.ts'
import { findSqld } from '../../src/local/binaries.ts'
import { hranaWriter } from '../../src/store/hrana.ts'
import type { Rows, Writer } from '../../src/store/ports.ts'
import { exportChunks } from '../../src/trail/export.ts'
import { bypasses } from '../unit/audit/bypasses.ts'
import { appendOf, migration, SqliteLogStore } from '../unit/audit/support.ts'

const log = 'qc-test'
const folder = mkdtempSync(join(tmpdir(), 'dossier-ledger-'))
let port: number
let sqld: ChildProcess
let ledger: Writer
let sequencer: Sequencer
let drain: Drain

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function start(): Promise<void> {
  const args = ['-d', folder, '--http-listen-addr', `127.0.0.1:${port}`, '--no-welcome']
  sqld = spawn(findSqld(), args, { stdio: 'ignore' })
  // A real query: the health route answers before the database does.
  while (!(await ledger.read([{ sql: 'select 1' }]).catch(() => null))) await delay(20)
}

async function kill(): Promise<void> {
  sqld.kill('SIGKILL')
  await once(sqld, 'exit')
}

async function rows(): Promise<Rows> {
  const [found = []] = await ledger.read([
    {
      sql: `select log, idx, hex(leaf) as leaf, hex(salt) as salt, entry
              from ledger_leaf join ledger_body using (log, idx) order by log, idx`,
    },
  ])
  return found.map((row) => ({ ...row }))
}

beforeAll(async () => {
  port = await freePort()
  ledger = hranaWriter({ url: `http://127.0.0.1:${port}`, token: '' })
  await start()
  await ledger.apply(migration().map((sql) => ({ sql })))
  const now = (): number => Date.now()
  sequencer = new Sequencer({ log, store: new SqliteLogStore(), now, onCommit: () => void drain.run() })
  drain = new Drain({ source: sequencer, ledger: ledgerWriter((batch) => ledger.apply(batch)), now })
  for (let i = 0; i < 3; i++) await sequencer.append(appendOf([`p${i}`]))
  expect(await drain.waitFor(3, 10_000)).toBe(true)
})

afterAll(async () => {
  await kill()
  rmSync(folder, { recursive: true, force: true })
})

describe('the ledger on sqld', () => {
  test.each(bypasses)('is not changed by: %s', async (sql) => {
    const before = await rows()
    const values: Record<string, string> = {
      leaf: randomBytes(33).toString('hex'),
      salt: randomBytes(32).toString('hex'),
      entry: String(before[1]?.entry).replace('"p1"', '"px"'),
    }
    const args = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`:${name}`)))
    await expect(ledger.apply([{ sql, args }])).rejects.toMatchObject({ code: 'constraint' })
    expect(await rows()).toEqual(before)
  })

  test('takes every entry once although it is killed while entries are drained', async () => {
    const before = (await rows()).length
    const appending = (async () => {
      for (let i = 0; i < 200; i++) expect((await sequencer.append(appendOf([`p${i}`, null]))).ok).toBe(true)
    })()
    await kill()
    await appending
    expect(String(sequencer.size)).toBe(String(before + 400))
    await start()
    expect(await drain.waitFor(before + 400, 20_000)).toBe(true)
    expect((await rows()).map(({ idx }) => idx)).toEqual(Array.from({ length: before + 400 }, (_, i) => i))
  })

  test('is read in pages as it is exported', async () => {
    const size = String(sequencer.size)
    const logs = [{ log, size, first: '0', end: size, current: true }]
    const header = { exportId: 'e', time: '', completeness: 'range', filters: {}, logs } as const
    let text = ''
    for await (const { bytes } of exportChunks(ledger, header, { patient: 'p1' }, 'ndjson'))
      text += new TextDecoder().decode(bytes)
    const [, ...lines] = text.trimEnd().split('\n')
    const patients = lines.map((line) => JSON.parse(line).entry.access.patient)
    expect(new Set(patients)).toEqual(new Set(['p1']))
    expect(lines.length).toBe(
      (await rows()).filter(({ entry }) => String(entry).includes('"patient":"p1"')).length,
    )
  })
})
