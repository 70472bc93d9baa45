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
import { buildEntries } from '../../src/audit/entry.ts'
import { ledgerWriter } from '../../src/audit/ledger.ts'
import type { StoredEntry } from '../../src/audit/log-state.ts'
import { redactions } from '../../src/audit/redactions.ts'
import { Sequencer } from '../../src/audit/sequencer.ts'
import { findSqld } from '../../src/local/binaries.ts'
import { hranaWriter } from '../../src/store/hrana.ts'
import type { Rows, Writer } from '../../src/store/ports.ts'
import { chainLines } from '../../src/trail/export-chain.ts'
import type { Line } from '../../src/trail/export-format.ts'
import { matchingLines, rangeLines } from '../../src/trail/export-lines.ts'
import type { Tree } from '../../src/trail/export-tree.ts'
import { schemaDifferences, schemaStatement } from '../../src/trail/ledger-schema.ts'
import { base } from '../unit/audit/access.ts'
import { bypasses, passedOver, publicContent, publicRows } from '../unit/audit/bypasses.ts'
import {
  entriesBefore,
  noRedactions,
  otherBytes,
  redactionOfRedaction,
  storedEntry,
} from '../unit/audit/redaction-cases.ts'
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

async function rows(of = log): Promise<Rows> {
  const [found = []] = await ledger.read([
    {
      sql: `select log, idx, hex(leaf) as leaf, hex(salt) as salt, entry
              from ledger_leaf join ledger_body using (log, idx) where log = ? order by idx`,
      args: [of],
    },
  ])
  return found.map((row) => ({ ...row }))
}

const content = async () => [await rows(), JSON.stringify(await ledger.read([{ sql: publicContent }]))]

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
  await ledger.apply(publicRows.map((sql) => ({ sql })))
})

afterAll(async () => {
  await kill()
  rmSync(folder, { recursive: true, force: true })
})

describe('the ledger on sqld', () => {
  test('has the schema that the scrub expects', async () => {
    const [schema = []] = await ledger.read([schemaStatement])
    expect(schemaDifferences(schema)).toEqual([])
  })

  test.each(bypasses)('is not changed by: %s', async (sql) => {
    const before = await content()
    const values: Record<string, string> = {
      leaf: randomBytes(33).toString('hex'),
      salt: randomBytes(32).toString('hex'),
      entry: String((await rows())[1]?.entry).replace('"p1"', '"px"'),
    }
    const args = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`:${name}`)))
    await expect(ledger.apply([{ sql, args }])).rejects.toMatchObject({ code: 'constraint' })
    expect(await content()).toEqual(before)
  })

  test.each(passedOver)('passes over: %s', async (sql) => {
    const before = await content()
    await ledger.apply([{ sql }])
    expect(await content()).toEqual(before)
  })

  describe('in which an entry is to be redacted', () => {
    const append = (name: string, entries: readonly StoredEntry[]) =>
      ledgerWriter((batch) => ledger.apply(batch)).append(name, entries)
    const remove = (name: string, index: number) =>
      ledger.apply([{ sql: 'delete from ledger_body where log = ? and idx = ?', args: [name, index] }])
    const indices = async (name: string) => (await rows(name)).map(({ idx }) => idx)

    test.each(noRedactions)('lets nothing go by an entry that %s', async (what, entry) => {
      const name = `qc-${what.replaceAll(' ', '-')}`
      await append(name, [...entriesBefore(name), entry(name)])
      await expect(remove(name, 1)).rejects.toMatchObject({ code: 'constraint' })
      expect(await indices(name)).toEqual([0, 1, 2, 3])
    })

    test('lets bodies go in bulk by a pruning entry of the log, or of a later one in its line', async () => {
      const order = { log: 'qc-prune', to: 2, before: '2026-11-22T09:06:00.124Z' }
      const note = { 'prunes-log': order.log, 'prunes-to': '2', 'prunes-before': order.before }
      const held = async () => ({ patients: ['p1'], organisations: [] })
      const removing = redactions((batch) => ledger.apply(batch))
      const before = ['p0', 'p1', 'p2'].map((patient, index) => storedEntry(order.log, index, {}, patient))
      await append(order.log, before)
      expect(await removing.prune(order, held)).toBe('not-yet')
      const pruning = { action: 'redaction', phase: 'intent', note } as const
      await append('qc-prune-2', [storedEntry('qc-prune-2', 0, pruning, null)])
      expect(await removing.prune(order, held)).toBe('done')
      expect(await indices(order.log)).toEqual([1, 2])
      await expect(remove(order.log, 2)).rejects.toMatchObject({ code: 'constraint' })
      await append(order.log, before)
      expect(await indices(order.log)).toEqual([1, 2])
    })

    test('lets the one body go, and it does not come back', async () => {
      const name = 'qc-redact'
      const before = entriesBefore(name)
      const redaction = redactionOfRedaction(name)
      await append(name, [...before, ...redaction])
      for (const index of [0, 2, 3, 4])
        await expect(remove(name, index)).rejects.toMatchObject({ code: 'constraint' })
      await remove(name, 1)
      expect(await indices(name)).toEqual([0, 2, 3, 4])
      await append(name, [...before, ...redaction, storedEntry(name, 5, {}, 'p5')])
      for (const { salt, entry } of [before[1] as StoredEntry, otherBytes(name)])
        await ledger.apply([
          {
            sql: 'replace into ledger_body (log, idx, salt, entry) values (?, 1, ?, ?)',
            args: [name, salt, entry],
          },
        ])
      expect(await indices(name)).toEqual([0, 2, 3, 4, 5])
    })
  })

  test('takes every entry once although it is killed while entries are drained', async () => {
    const before = (await rows()).length
    const appending = (async () => {
      for (let i = 0; i < 200; i++) expect((await sequencer.append(appendOf([`p${i}`, null]))).ok).toBe(true)
    })()
    await kill()
    await appending
    expect(sequencer.size).toBe(before + 400)
    await start()
    expect(await drain.waitFor(before + 400, 20_000)).toBe(true)
    expect((await rows()).map(({ idx }) => idx)).toEqual(Array.from({ length: before + 400 }, (_, i) => i))
  })

  test('is read in pages as it is exported, chains through what was redacted', async () => {
    const chain = (await rows()).filter(({ entry }) => String(entry).includes('"patient":"p1"'))
    await sequencer.append(appendOf(['p1']))
    const { idx, entry } = chain.at(-1) as Rows[number]
    const { chains } = JSON.parse(String(entry))
    const placeText = ({ count, previous }: { count: string; previous: string | null }): string =>
      `${count}@${previous ?? '-'}`
    const built = buildEntries(
      {
        ...base,
        phase: 'intent',
        action: 'redaction',
        note: {
          redacts: String(idx),
          'redacts-organisation': placeText(chains.organisation),
          'redacts-patient': placeText(chains.patient),
        },
      },
      [],
      'organisation-1',
    )
    if (!built.ok) throw new Error(built.error.detail)
    await sequencer.append(appendOf([], 'organisation-1', { phase: 'intent', entries: built.value }))
    const end = sequencer.size
    expect(await drain.waitFor(end, 10_000)).toBe(true)
    await ledger.apply([
      { sql: 'delete from ledger_body where log = ? and idx = ?', args: [log, Number(idx)] },
    ])

    // Its tiles are elsewhere: paths are not what is looked at here.
    const tree: Tree = {
      inclusion: async (indices) => indices.map(() => []),
      consistency: async () => [],
      cover: async () => [],
      subtrees: async () => [],
    }
    const told = async (pages: AsyncIterable<readonly Line[]>): Promise<string[]> => {
      const lines: string[] = []
      for await (const page of pages)
        for (const line of page) if ('index' in line) lines.push(`${line.kind} ${line.index}`)
      return lines
    }
    const part = { log, first: 0, end, covered: end, coverage: new Map([[log, end]]), after: null }
    const all = Array.from({ length: end }, (_, i) => `${i === idx ? 'redacted' : 'open'} ${i}`)
    expect(await told(rangeLines(ledger, part, tree))).toEqual(all)
    const place = { count: chain.length + 1, last: String(end - 2) }
    const p1 = { kind: 'patient', key: 'p1', isOnly: true, ...place } as const
    expect(await told(chainLines(ledger, part, tree, [p1]))).toEqual([
      ...chain.map((row) => `${row.idx === idx ? 'redacted' : 'open'} ${row.idx}`),
      `open ${end - 2}`,
      `open ${end - 1}`,
    ])
    expect(await told(matchingLines(ledger, part, tree, [{ patient: 'p1' }]))).toEqual([
      ...chain.slice(0, -1).map((row) => `open ${row.idx}`),
      `open ${end - 2}`,
    ])
  })
})
