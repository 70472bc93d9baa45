/** A log and a real witness: who cosigns what, and what a log does when the witness remembers more than it does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditLogOptions } from '../../../src/audit/audit-log.ts'
import { sha256 } from '../../../src/audit/commitment.ts'
import { checkpointsStatement, publishedCheckpoint } from '../../../src/audit/public-store.ts'
import { signatureFunctions } from '../../../src/audit/signature-functions.ts'
import { parseNote, parseVerifierKey } from '../../../src/audit/tlog/note.ts'
import { openNote } from '../../../src/audit/tlog/signature.ts'
import { type WitnessClient, witnessClient } from '../../../src/audit/witness-client.ts'
import { startWitness, type Witness } from '../../../src/local/witness/start.ts'
import { copyOf, databaseOf, newWorld, signerOf, type World } from './log-world.ts'
import { appendOf } from './support.ts'

const witnessName = 'witness.example/w1'

let folder: string
let witness: Witness
let world: World

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dossier-witness-'))
  const { identity } = signerOf('qc-test')
  witness = await startWitness({
    home: folder,
    name: witnessName,
    logs: [identity.vkey, identity.mldsa44Vkey],
    now: () => world.now,
  })
  world = newWorld()
})

afterEach(async () => {
  await witness.stop()
  rmSync(folder, { recursive: true, force: true })
})

const client: WitnessClient = witnessClient({ fetch, now: () => world.now, deadlineMs: 5_000 })

/** As a policy names it: one witness for each key. */
const witnessed = (): Pick<AuditLogOptions, 'client' | 'witnesses'> => ({
  client,
  witnesses: witness.vkeys.map((vkey, i) => ({
    name: `w${i + 1}`,
    keys: [parseVerifierKey(sha256, vkey)],
    url: witness.url,
  })),
})

async function newest({ ledger, log }: World) {
  const [[row] = []] = await databaseOf(ledger).read([checkpointsStatement(log, 1)])
  if (!row) throw new Error('no checkpoint')
  return publishedCheckpoint(row)
}

const cosignaturesOf = (note: string): number =>
  parseNote(note).signatures.filter(({ name }) => name === witnessName).length

async function cosigned(size: number): Promise<Awaited<ReturnType<typeof newest>>> {
  for (;;) {
    const checkpoint = await newest(world)
    if (checkpoint.size === size && cosignaturesOf(checkpoint.note) === 2) return checkpoint
    await new Promise((next) => setImmediate(next))
  }
}

describe('witnessing', () => {
  test('brings each newest checkpoint to the witness, and its cosignatures to the public', async () => {
    const log = world.open(witnessed())
    for (const size of [1, 2, 3]) {
      await log.append(appendOf(['p1']))
      await log.published(size, 5_000)
      const { note } = await cosigned(size)
      const keys = witness.vkeys.map((vkey) => parseVerifierKey(sha256, vkey))
      expect(openNote(signatureFunctions, parseNote(note), keys).verified).toHaveLength(2)
    }
    expect(log.status().witnesses).toEqual([])
  })

  test('goes on after a restart from where the witness is, with a proof', async () => {
    const first = world.open(witnessed())
    await first.append(appendOf(Array<string>(200).fill('p1')))
    await first.published(200, 5_000)
    await cosigned(200)
    const second = world.open(witnessed())
    await second.append(appendOf(Array<string>(100).fill('p1')))
    await second.published(300, 5_000)
    await cosigned(300)
    expect(second.status()).toMatchObject({ standing: 'anchored', witnesses: [] })
  })

  test('a log set back together with its audit database signs nothing: the witness remembers more', async () => {
    const first = world.open(witnessed())
    await first.append(appendOf(['p1']))
    await first.published(1, 5_000)
    await cosigned(1)
    const backup = newWorld()
    backup.store = copyOf(world.store)
    const held = await world.outside.view('qc-test')
    await first.append(appendOf(['p1']))
    await first.published(2, 5_000)
    await cosigned(2)
    const log = backup.open({ ...witnessed(), outside: { ...backup.outside, view: async () => held } })
    await log.advance()
    expect(log.status().standing).toBe('halted')
    expect(log.status().fault).toMatch(
      /witness w[12] holds a checkpoint of size 2, the log signed none past 1/,
    )
  })

  test('a log that forked and grew past what the witness knows halts at the first answer', async () => {
    const first = world.open(witnessed())
    await first.append(appendOf(['p1', 'p2']))
    await first.published(2, 5_000)
    await cosigned(2)
    const fork = newWorld()
    const log = fork.open(witnessed())
    await log.append(appendOf(['p3', 'p4', 'p5']))
    await log.published(3, 5_000)
    while (log.status().standing !== 'halted') await new Promise((next) => setImmediate(next))
    expect(log.status().fault).toMatch(/witness w[12] holds another tree of size 2/)
    expect(cosignaturesOf((await newest(fork)).note)).toBe(0)
  })

  test('tiles that were changed in the audit database are told of, and halt nothing', async () => {
    const log = world.open(witnessed())
    await log.append(appendOf(Array<string>(200).fill('p1')))
    await log.append(appendOf(Array<string>(100).fill('p1')))
    await log.published(300, 5_000)
    await cosigned(300)
    world.ledger.exec('drop trigger tile_frozen; update tile set hashes = zeroblob(32) where level = 1')
    await log.append(appendOf(['p1']))
    await log.published(301, 5_000)
    while (log.status().witnesses.length < 2) await new Promise((next) => setImmediate(next))
    expect(log.status().witnesses).toEqual(
      ['w1', 'w2'].map(
        (name) => `witness ${name}: the tiles in the audit database are not those of the checkpoint of 301`,
      ),
    )
    expect(log.status().standing).toBe('anchored')
  })

  test('a witness that is away delays nothing, and is told of', async () => {
    await witness.stop()
    const log = world.open(witnessed())
    await log.append(appendOf(['p1']))
    expect(await log.published(1, 5_000)).toBe(true)
    while (log.status().witnesses.length < 2) await new Promise((next) => setImmediate(next))
    expect(log.status().witnesses[0]).toMatch(/witness w1: cannot be reached/)
    expect(log.status().fault).toBeNull()
  })
})
