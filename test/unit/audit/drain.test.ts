import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { leafOf, sha256 } from '../../../src/audit/commitment.ts'
import { Drain } from '../../../src/audit/drain.ts'
import { type LedgerWriter, ledgerWriter } from '../../../src/audit/ledger.ts'
import type { AppendReply } from '../../../src/audit/port.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { treeHash } from '../../../src/audit/tlog/tree.ts'
import { limits } from '../../../src/limits.ts'
import { StoreError } from '../../../src/store/ports.ts'
import { appendOf, ledgerEntries, ledgerOf, openLedger, SqliteLogStore } from './support.ts'

const log = 'qc-test'
/** Measured: sqld refuses a longer value. */
const maxSqldValueBytes = 5_000_000
type Fault = 'before' | 'after' | null

let store: SqliteLogStore
let database: DatabaseSync
let now: number
let faults: Fault[]
let batches: number[]
let sequencer: Sequencer
let drain: Drain

/** The real ledger, of which each batch may fail before or after it took effect. */
function faultyLedger(): LedgerWriter {
  const ledger = ledgerOf(database)
  return {
    append: async (name, entries) => {
      const fault = faults.shift() ?? null
      batches.push(entries.length)
      if (fault === 'before') throw new StoreError('unavailable', 'injected: no connection')
      await ledger.append(name, entries)
      if (fault === 'after') throw new StoreError('unavailable', 'injected: no answer')
    },
  }
}

function open(): void {
  sequencer = new Sequencer({ log, store, now: () => now, onCommit: () => void drain.run() })
  drain = new Drain({ source: sequencer, ledger: faultyLedger(), now: () => now })
}

beforeEach(() => {
  store = new SqliteLogStore()
  database = openLedger()
  now = Date.parse('2026-11-22T09:06:00.123Z')
  faults = []
  batches = []
  open()
})

const undrained = (): number => Number(store.database.prepare('select count(*) as n from undrained').get()?.n)

async function append(count: number): Promise<AppendReply[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => sequencer.append(appendOf([`p${i % 3}`, null]))),
  )
  return answers.map((answer) => {
    if (!answer.ok) throw new Error(JSON.stringify(answer.error))
    return answer.value
  })
}

describe('draining', () => {
  test('follows the commits', async () => {
    const replies = await append(3)
    expect(await drain.waitFor(6, 5_000)).toBe(true)
    expect(sequencer.drained).toBe(6)
    expect(ledgerEntries(database, log)).toHaveLength(6)
    expect(replies).toHaveLength(3)
  })

  test('costs no commit of its own', async () => {
    for (let i = 0; i < 10; i++) {
      await append(1)
      expect(await drain.waitFor(2 * i + 2, 5_000)).toBe(true)
    }
    expect(store.commits).toBe(10)
  })

  test('again what a restarted log no longer knows to be drained changes nothing', async () => {
    await append(3)
    expect(await drain.waitFor(6, 5_000)).toBe(true)
    open()
    expect(sequencer.drained).toBe(0)
    expect(await drain.waitFor(6, 5_000)).toBe(true)
    expect(ledgerEntries(database, log)).toHaveLength(6)
  })

  test.each(['x', 'é', '€', '😀', '"', '\\'])(
    'never sends a value that the audit database refuses, also where entries are full of %j',
    async (character) => {
      const room = limits.maxEntryBytes - limits.entryFrameBytes - 8
      const access = `{"x":"${character.repeat(Math.floor(room / Buffer.byteLength(character)))}"}`
      const entry = { access, patient: null, organisation: null }
      const large = new Sequencer({ log, store: new SqliteLogStore(), now: () => now })
      const entries = Array(limits.maxAppendEntries).fill(entry)
      expect((await large.append({ ...appendOf([null]), entries })).ok).toBe(true)
      const values: number[] = []
      const measured = ledgerWriter(async (statements) => {
        for (const { args } of statements)
          for (const value of args as readonly string[]) values.push(Buffer.byteLength(value))
      })
      let sent = 0
      const source = new Drain({
        source: large,
        ledger: {
          append: (name, batch) => {
            sent += batch.length
            return measured.append(name, batch)
          },
        },
        now: () => now,
      })
      expect(await source.waitFor(limits.maxAppendEntries, 5_000)).toBe(true)
      expect(sent).toBe(limits.maxAppendEntries)
      expect(Math.max(...values)).toBeLessThan(maxSqldValueBytes)
    },
  )

  test('leaves bytes in the ledger from which every receipt can be recomputed', async () => {
    const replies = await append(20)
    await drain.waitFor(40, 5_000)
    const entries = ledgerEntries(database, log)
    for (const { first, count, hash } of replies) {
      const leaves = entries
        .slice(Number(first), Number(first) + count)
        .map(({ salt, entry }) => leafOf(salt, entry))
      expect(
        Buffer.from(
          treeHash(
            sha256,
            leaves.map((leaf) => leafHash(sha256, leaf)),
          ),
        ).toString('base64url'),
      ).toBe(hash)
    }
  })

  test('sends batches of a bounded size', async () => {
    await append(limits.maxDrainEntries)
    await drain.waitFor(2 * limits.maxDrainEntries, 5_000)
    expect(Math.max(...batches)).toBe(limits.maxDrainEntries)
    expect(ledgerEntries(database, log)).toHaveLength(2 * limits.maxDrainEntries)
  })

  test('never sends what is not durable yet', async () => {
    await append(1)
    await drain.waitFor(2, 5_000)
    let openGate = (): void => {}
    store.gate = new Promise((resolve) => {
      openGate = resolve
    })
    const late = append(1)
    await drain.run()
    expect(ledgerEntries(database, log)).toHaveLength(2)
    openGate()
    await late
    expect(await drain.waitFor(4, 5_000)).toBe(true)
  })

  test.each([
    ['before', 0],
    ['before', 1],
    ['before', 2],
    ['after', 0],
    ['after', 1],
    ['after', 2],
  ] as const)(
    'that fails %s batch %i took effect neither doubles nor loses an entry',
    async (fault, step) => {
      faults = [...Array<Fault>(step).fill(null), fault, fault]
      for (let i = 0; i < 4; i++) {
        await append(2)
        // The back-off passes; a restarted log goes on where its storage says.
        now += limits.maxDrainBackoffMs
        await drain.run()
        open()
      }
      expect(await drain.waitFor(16, 5_000)).toBe(true)
      const entries = ledgerEntries(database, log)
      expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 16 }, (_, i) => i))
    },
  )

  test('backs off while the audit database is away, and keeps every entry', async () => {
    faults = Array<Fault>(100).fill('before')
    await append(1)
    for (let i = 0; i < 20; i++) await append(1)
    expect(batches).toHaveLength(1)
    now += limits.minDrainBackoffMs
    await drain.run()
    await append(1)
    expect(batches).toHaveLength(2)
    expect(undrained()).toBe(44)
    faults = []
    now += limits.maxDrainBackoffMs
    await drain.run()
    expect(ledgerEntries(database, log)).toHaveLength(44)
  })

  test('asked for by somebody who waits is tried at once, and given up in time', async () => {
    faults = ['before', 'before']
    await append(1)
    expect(await drain.waitFor(2, 1)).toBe(false)
    expect(drain.fault).toBeNull()
    expect(await drain.waitFor(2, 5_000)).toBe(true)
  })

  test('into a ledger that holds another entry at an index goes no further, forgets nothing and says so', async () => {
    const stranger = new SqliteLogStore()
    const other = new Sequencer({ log, store: stranger, now: () => now })
    await other.append(appendOf(['px']))
    await ledgerOf(database).append(log, other.entriesFrom(0))
    await append(1)
    expect(await drain.waitFor(1, 20)).toBe(false)
    expect(undrained()).toBe(2)
    expect(ledgerEntries(database, log)).toHaveLength(1)
    expect(drain.fault).toBe('entries from 0: ledger_leaf: this index holds another leaf')
    faults = ['before']
    expect(await drain.waitFor(1, 20)).toBe(false)
    expect(drain.fault).not.toBeNull()
  })

  test('that goes on after a refusal tells no fault any more', async () => {
    let refuses = true
    const append: LedgerWriter['append'] = async (name, entries) => {
      if (refuses) throw new StoreError('statement', 'no such table: ledger_leaf')
      await ledgerOf(database).append(name, entries)
    }
    drain = new Drain({ source: sequencer, ledger: { append }, now: () => now })
    await sequencer.append(appendOf(['p1']))
    expect(await drain.waitFor(1, 1)).toBe(false)
    expect(drain.fault).toBe('entries from 0: no such table: ledger_leaf')
    refuses = false
    expect(await drain.waitFor(1, 5_000)).toBe(true)
    expect(drain.fault).toBeNull()
  })
})
