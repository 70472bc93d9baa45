/** The scrub over a published log, whole and tampered with in every table, by whoever may drop the triggers. */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { leafOf, sha256 } from '../../../src/audit/commitment.ts'
import type { Access, AppendRequest, AuditLogs } from '../../../src/audit/port.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { treeHash } from '../../../src/audit/tlog/tree.ts'
import { alarmCounts } from '../../../src/disclosure/alarms.ts'
import { limits } from '../../../src/limits.ts'
import { err, ok } from '../../../src/result.ts'
import { type Reader, StoreError } from '../../../src/store/ports.ts'
import { Scrub } from '../../../src/trail/scrub.ts'
import { redactedStatement } from '../../../src/trail/scrub-entries.ts'
import { scrubStatus } from '../../../src/trail/scrub-status.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { openLedger } from '../audit/support.ts'
import { ed25519Key, signNote } from '../audit/verify/sample-keys.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { PublishedLog } from './published-log.ts'

const log = 'montreal'
/** Two full bundles and a partial one. */
const size = 600
const redactedIndex = 300

/** Built once, and copied for each test. */
let image: Uint8Array
let sample: SampleLog
let database: DatabaseSync
let memory: Map<string, unknown>
let appended: { readonly log: string; readonly access: Access }[]
let isLogAway: boolean
let reads: number
let failReads: boolean

const dropTriggers = (of: DatabaseSync) => {
  for (const { name } of of.prepare("select name from sqlite_schema where type = 'trigger'").all())
    of.exec(`drop trigger ${name}`)
}

const reader = (): Reader => ({
  read: async (statements) => {
    reads += 1
    if (failReads) throw new StoreError('unavailable', 'injected')
    return await auditDatabase(database).read(statements)
  },
})

const logs = {
  append: async (name: string, { entries }: AppendRequest) => {
    if (isLogAway) return err({ reason: 'log-unavailable', detail: 'away' })
    appended.push(...entries.map(({ access }) => ({ log: name, access: JSON.parse(access) as Access })))
    return ok({})
  },
} as unknown as AuditLogs

/** As a restart finds it. */
const open = (): Scrub =>
  new Scrub({
    reader: reader(),
    logs,
    served: ['serving', log],
    memory: {
      get: async (key) => structuredClone(memory.get(key)),
      put: async (key, value) => {
        memory.set(key, structuredClone(value))
      },
    },
  })

/** Rounds until the whole log was gone through once more. */
async function pass(): Promise<void> {
  const before = scrubStatus.get(log)?.rounds ?? 0
  do await open().log(log)
  while ((scrubStatus.get(log)?.rounds ?? 0) === before)
}

/** `<finding> <place>` of what was told to the log. */
const told = () => appended.map(({ access: { note } }) => `${note?.finding} ${note?.place}`).sort()

beforeAll(async () => {
  database = openLedger()
  sample = new SampleLog(log)
  for (let i = 0; i < size - 1; i++) sample.append({ patient: `patient-${i % 7}`, organisation: 'o1' })
  sample.redact(redactedIndex)
  await new PublishedLog(database, sample).publish()
  expect(database.prepare('delete from ledger_body where idx = ?').run(redactedIndex).changes).toBe(1)
  image = database.serialize()
})

beforeEach(() => {
  database = new DatabaseSync(':memory:')
  database.deserialize(image)
  memory = new Map()
  appended = []
  isLogAway = false
  failReads = false
  reads = 0
  scrubStatus.clear()
  alarmCounts.clear()
  vi.spyOn(console, 'error').mockReturnValue()
})

afterEach(() => {
  vi.restoreAllMocks()
})

const run = (sql: string, ...args: (string | number | Uint8Array)[]) => database.prepare(sql).run(...args)

/** Another entry at `index`, opening another leaf. */
function forgeEntry(index: number): Uint8Array {
  const row = database.prepare('select salt, entry from ledger_body where idx = ?').get(index)
  const entry = String(row?.entry).replace('"status":200', '"status":404')
  expect(entry).not.toBe(row?.entry)
  const leaf = leafOf(row?.salt as Uint8Array, entry)
  run('update ledger_body set entry = ? where idx = ?', entry, index)
  run('update ledger_leaf set leaf = ? where idx = ?', leaf, index)
  return leaf
}

function setHash(level: number, tile: number, position: number, hash: Uint8Array): void {
  const row = database.prepare('select hashes from tile where level = ? and idx = ?').get(level, tile)
  const hashes = new Uint8Array(row?.hashes as Uint8Array)
  hashes.set(hash, position * 32)
  run('update tile set hashes = ? where level = ? and idx = ?', hashes, level, tile)
}

/** An entry of the first bundle and every hash above it: what the tiles say is consistent again, but for the root. */
function forgeTree(): void {
  setHash(0, 0, 17, leafHash(sha256, forgeEntry(17)))
  const leaves = database.prepare('select leaf from ledger_leaf where idx < 256 order by idx').all()
  const hashes = leaves.map(({ leaf }) => leafHash(sha256, leaf as Uint8Array))
  setHash(1, 0, 0, treeHash(sha256, hashes))
}

/** The newest checkpoint, of the forged tree, signed with the key of this seed. */
function forgeCheckpoint(seed: string): void {
  const leaves = database.prepare('select leaf from ledger_leaf order by idx').all()
  const root = treeHash(
    sha256,
    leaves.map(({ leaf }) => leafHash(sha256, leaf as Uint8Array)),
  )
  const text = sample.checkpointText(size, root)
  run(
    'update checkpoint set note = ? where size = ?',
    signNote(text, [ed25519Key(sample.origin, seed)]),
    size,
  )
}

const otherLog = () => new SampleLog('quebec')

describe('the scrub of a log that nobody touched', () => {
  test('finds nothing, however often it goes through, and counts how often', async () => {
    await pass()
    await pass()
    expect(scrubStatus.get(log)).toEqual({ findings: 0, rounds: 2, position: 0 })
    await open().schema()
    expect([told(), alarmCounts.size]).toEqual([[], 0])
  })

  test('has nothing to do before there is a checkpoint', async () => {
    await open().log('serving')
    expect([told(), reads]).toEqual([[], 1])
    expect(scrubStatus.get('serving')).toEqual({ findings: 0, rounds: 0, position: 0 })
  })

  test('reads a bounded part each round, and goes on there after a restart', async () => {
    const quebec = new PublishedLog(database, new SampleLog('quebec'))
    for (let i = 0; i < limits.scrubBundles * 256 + 10; i++) quebec.sample.append({ organisation: 'o1' })
    await quebec.publish()
    await open().log('quebec')
    expect(scrubStatus.get('quebec')).toEqual({ findings: 0, rounds: 0, position: limits.scrubBundles * 256 })
    await open().log('quebec')
    expect(scrubStatus.get('quebec')).toEqual({ findings: 0, rounds: 1, position: 0 })
  })

  test('follows the log as it grows, as far as its newest checkpoint', async () => {
    const quebec = new PublishedLog(database, new SampleLog('quebec'))
    for (const more of [10, 1, 300, 256]) {
      for (let i = 0; i < more; i++) quebec.sample.append({ organisation: 'o1' })
      await quebec.publish()
      // Drained, and not public yet: there is no tile to compare it with.
      const { size: index } = quebec.sample
      run("insert into ledger_leaf (log, idx, leaf) values ('quebec', ?, zeroblob(33))", index)
      await open().log('quebec')
      database.exec('drop trigger if exists ledger_leaf_kept')
      run("delete from ledger_leaf where log = 'quebec' and idx = ?", index)
    }
    expect(scrubStatus.get('quebec')).toEqual({ findings: 0, rounds: 4, position: 0 })
  })

  test('asks again at the same place when the database does not answer', async () => {
    await open().log(log)
    const before = structuredClone(memory)
    failReads = true
    await expect(open().log(log)).rejects.toThrow('injected')
    expect(memory).toEqual(before)
  })

  test('knows every log that is there, registered or not, and those served here', async () => {
    new PublishedLog(database, otherLog())
    dropTriggers(database)
    run("insert into checkpoint (log, size, time, note) values ('ghost', 1, 1, 'x')")
    expect(await open().logs()).toEqual(['serving', log, 'ghost', 'quebec'])
  })
})

const tampering: readonly (readonly [string, () => void, readonly string[]])[] = [
  [
    'an entry is changed',
    () => run("update ledger_body set entry = replace(entry, 'shared', 'denied') where idx = 17"),
    ['body-differs 17'],
  ],
  [
    'a salt is changed',
    () => run('update ledger_body set salt = zeroblob(32) where idx = 599'),
    ['body-differs 599'],
  ],
  ['a body goes', () => run('delete from ledger_body where idx = 17'), ['body-missing 17']],
  [
    'a body goes whose redaction was refused',
    () => {
      // Everything but the outcome is as a redaction has it; the entry itself is found to differ as well.
      run(
        `update ledger_body set entry = replace(replace(entry, '"outcome":"permit"', '"outcome":"deny"'), '"redacts":"300"', '"redacts":"17"')
           where idx = 599`,
      )
      run('delete from ledger_body where idx = 17')
    },
    ['body-differs 599', 'body-missing 17', 'body-missing 300'],
  ],
  [
    'a redaction entry goes',
    () => run('delete from ledger_body where idx = 599'),
    ['body-missing 300', 'body-missing 599'],
  ],
  ['an entry is changed with its leaf', () => forgeEntry(17), ['leaf-differs 17']],
  [
    'a leaf goes',
    () => {
      run('delete from ledger_body where idx = 599')
      run('delete from ledger_leaf where idx = 599')
    },
    ['body-missing 300', 'body-missing 599', 'leaf-missing 599'],
  ],
  [
    'a hash of a full tile is changed',
    () => setHash(0, 1, 5, new Uint8Array(32)),
    ['leaf-differs 261', 'tile-differs tile/0/001'],
  ],
  [
    'an entry is changed with its leaf and its tile',
    () => setHash(0, 0, 17, leafHash(sha256, forgeEntry(17))),
    ['tile-differs tile/0/000'],
  ],
  ['an entry is changed with all that is above it', forgeTree, ['checkpoint-root 600']],
  [
    'the same, with a checkpoint signed by another key',
    () => {
      forgeTree()
      forgeCheckpoint('another')
    },
    ['checkpoint-signature 600'],
  ],
  [
    'the same, by whoever has the key of the log',
    () => {
      forgeTree()
      forgeCheckpoint(sample.origin)
    },
    ['history 600'],
  ],
  [
    'the same, with another key in place of that of the log',
    () => {
      forgeTree()
      forgeCheckpoint('another')
      run('update log set vkey = ? where log = ?', ed25519Key(sample.origin, 'another').vkey, log)
    },
    ['key-changed 600'],
  ],
  [
    'a full tile goes',
    () => run('delete from tile where level = 0 and idx = 1'),
    ['tile-missing tile/0/001'],
  ],
  [
    'the tile above goes',
    () => run('delete from tile where level = 1'),
    ['tile-missing tile/1/000.p/1', 'tile-missing tile/1/000.p/2'],
  ],
  [
    'a partial tile is narrowed',
    () => run('update tile set hashes = substr(hashes, 1, 64) where level = 0 and idx = 2'),
    ['tile-missing tile/0/002.p/88'],
  ],
  [
    'the newest checkpoint is one of another log',
    () =>
      run(
        'update checkpoint set note = ?',
        signNote(otherLog().checkpointText(0, new Uint8Array(32)), [sample.keys[0]]),
      ),
    ['checkpoint-signature 600'],
  ],
  [
    'the newest checkpoint is no note',
    () => run("update checkpoint set note = 'x'"),
    ['checkpoint-signature 600'],
  ],
  [
    'the newest checkpoint claims another size',
    () => run('update checkpoint set size = 601'),
    ['checkpoint-signature 601'],
  ],
  ['the newest checkpoint goes', () => run('delete from checkpoint'), ['checkpoint-older 600']],
  [
    'an older checkpoint takes its place',
    () => run('update checkpoint set size = 512, note = ?', sample.checkpoint(512)),
    ['checkpoint-older 512'],
  ],
  ['the log is not registered any more', () => run('delete from log'), ['key-missing 600']],
]

describe('when', () => {
  test.each(tampering)('%s, the scrub tells it, once, and goes on', async (_, tamper, findings) => {
    await pass()
    expect(told()).toEqual([])
    database.exec('pragma foreign_keys = off')
    dropTriggers(database)
    tamper()
    await pass()
    expect(told()).toEqual([...findings].sort())
    await pass()
    await pass()
    expect(told()).toEqual([...findings].sort())
    expect(alarmCounts.get('scrub-difference')).toBe(findings.length)
    expect(scrubStatus.get(log)?.findings).toBe(findings.length)
  })

  test('a body is changed in each bundle, each is told', async () => {
    dropTriggers(database)
    run('update ledger_body set salt = zeroblob(32) where idx in (0, 255, 256, 511, 512)')
    await pass()
    expect(told()).toEqual(['0', '255', '256', '511', '512'].map((index) => `body-differs ${index}`).sort())
  })

  test('the triggers are gone, each is told, once', async () => {
    dropTriggers(database)
    await open().schema()
    await open().schema()
    expect(told()).toContain('schema-missing trigger tile_kept')
    expect(new Set(told()).size).toBe(told().length)
    expect(scrubStatus.get('*')?.findings).toBe(told().length)
    // The schema is of no log: the serving region's takes it.
    expect(new Set(appended.map((entry) => entry.log))).toEqual(new Set(['serving']))
  })

  test('everything is changed, as many are told as anybody reads, and one more for the rest', async () => {
    dropTriggers(database)
    run('update ledger_body set salt = zeroblob(32)')
    await pass()
    await pass()
    expect(told()).toHaveLength(limits.maxScrubFindings + 1)
    expect(told()).toContain('more -')
  })
})

test('the redactions of a log are found among redactions, also without the index made for it', () => {
  const { sql, args } = redactedStatement(log, [1, 2])
  const plan = () =>
    database
      .prepare(`explain query plan ${sql}`)
      .all(...(args as string[]))
      .map(({ detail }) => String(detail))
  expect(plan()).toContain('SEARCH r USING INDEX ledger_body_action (action=?)')
  database.exec('drop index ledger_body_action')
  expect(plan()).toContain('SCAN r USING INDEX ledger_body_redacts')
})

describe('what the scrub tells', () => {
  beforeEach(() => {
    dropTriggers(database)
    run("update ledger_body set entry = replace(entry, 'patient-3', 'patient-4') where idx = 17")
  })

  test('stands in the log itself, by nobody, and names the place, never what was found there', async () => {
    await pass()
    expect(appended).toEqual([
      {
        log,
        access: expect.objectContaining({
          action: 'operation',
          operation: 'scrub',
          phase: 'access',
          patient: null,
          decision: { outcome: 'error', reason: 'scrub-difference', detail: null },
          note: { finding: 'body-differs', log, place: '17' },
        }),
      },
    ])
    expect(vi.mocked(console.error).mock.calls).toEqual([
      ['alarm scrub-difference log=montreal place=17 finding=body-differs'],
    ])
  })

  test('reaches the log later when it is away, without another alarm', async () => {
    isLogAway = true
    await pass()
    await pass()
    expect([told(), alarmCounts.get('scrub-difference')]).toEqual([[], 1])
    isLogAway = false
    await pass()
    await pass()
    expect([told(), alarmCounts.get('scrub-difference')]).toEqual([['body-differs 17'], 1])
  })

  test('is remembered after a restart', async () => {
    await pass()
    scrubStatus.clear()
    alarmCounts.clear()
    await open().log(log)
    expect([scrubStatus.get(log)?.findings, alarmCounts.size, told().length]).toEqual([1, 0, 1])
  })
})
