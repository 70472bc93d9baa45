/** By which pruning entries bodies may go from the audit database, and which. */
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { prunableBodyStatement, prune } from '../../../src/audit/pruning.ts'
import type { Statement } from '../../../src/store/ports.ts'
import { auditDatabase } from './audit-database.ts'
import { redactionEntry, storedEntry } from './redaction-cases.ts'
import { ledgerEntries, ledgerOf, openLedger } from './support.ts'

const log = 'qc-test'
/** After that of all sample entries. */
const later = '2026-11-22T09:06:00.124Z'
const note = { 'prunes-log': log, 'prunes-to': '2', 'prunes-before': later }
const pruning = { action: 'redaction', phase: 'intent' } as const

const pruningEntry = (of: string, index: number, more: Record<string, string> = {}) =>
  storedEntry(of, index, { ...pruning, note: { ...note, ...more } }, null)

/** Entries 0 to 4, of which 1 is the entry of another redaction. */
async function open(): Promise<DatabaseSync> {
  const database = openLedger()
  const entries = [0, 1, 2, 3, 4].map((index) =>
    index === 1
      ? storedEntry(log, 1, { ...pruning, note: { redacts: '0' } }, null)
      : storedEntry(log, index, {}, `p${index}`),
  )
  await ledgerOf(database).append(log, entries)
  return database
}

const remove = (database: DatabaseSync, index: number) => () =>
  database.prepare('delete from ledger_body where log = ? and idx = ?').run(log, index)

describe('a pruning entry', () => {
  test('lets go what is below its index, but for the entries of redactions, and nothing comes back', async () => {
    const database = await open()
    const [first] = ledgerEntries(database, log)
    await ledgerOf(database).append(log, [pruningEntry(log, 5, { 'prunes-to': '3' })])
    remove(database, 0)()
    remove(database, 2)()
    for (const index of [1, 3, 4, 5]) expect(remove(database, index)).toThrow('append-only')
    if (first) await ledgerOf(database).append(log, [first])
    expect(ledgerEntries(database, log).map(({ index }) => index)).toEqual([1, 3, 4, 5])
    expect(database.prepare('select count(*) as n from ledger_leaf').get()?.n).toBe(6)
  })

  test.each([
    ['qc-test-2', log],
    ['qc-test-17', log],
    ['qc-test-3', 'qc-test-2'],
  ])('of the log %s lets bodies of the log %s before it go', async (by, of) => {
    const database = openLedger()
    await ledgerOf(database).append(of, [storedEntry(of, 0, {}, 'p')])
    await ledgerOf(database).append(by, [pruningEntry(by, 0, { 'prunes-log': of })])
    database.prepare('delete from ledger_body where log = ?').run(of)
    expect(database.prepare('select log from ledger_body').all()).toEqual([{ log: by }])
  })

  test.each([
    ['another', log],
    ['qc-test-1', log],
    ['qc-test-02', log],
    ['qc-test-', log],
    ['qc-test', 'qc-test-2'],
    ['qc-test-2', 'qc-test-3'],
    ['qc-test-1234567', log],
    ['qc3', 'qc2'],
  ])('of the log %s lets nothing of the log %s go', async (by, of) => {
    const database = openLedger()
    await ledgerOf(database).append(of, [storedEntry(of, 0, {}, 'p')])
    await ledgerOf(database).append(by, [pruningEntry(by, 0, { 'prunes-log': of })])
    expect(() => database.prepare('delete from ledger_body where log = ?').run(of)).toThrow('append-only')
  })

  test.each([
    ['reaches past itself', pruningEntry(log, 5, { 'prunes-to': '6' })],
    ['reaches less far', pruningEntry(log, 5, { 'prunes-to': '0' })],
    ['names an index in another way', pruningEntry(log, 5, { 'prunes-to': '02' })],
    ['names no index', pruningEntry(log, 5, { 'prunes-to': 'all' })],
    ['is of earlier entries', pruningEntry(log, 5, { 'prunes-before': '2026-11-22T09:06:00.123Z' })],
    ['names no time', pruningEntry(log, 5, { 'prunes-before': 'tomorrow' })],
    ['names another log', pruningEntry(log, 5, { 'prunes-log': 'another' })],
    ['is an outcome', storedEntry(log, 5, { ...pruning, phase: 'outcome', note }, null)],
    ['is another action', storedEntry(log, 5, { ...pruning, action: 'policy', note }, null)],
    [
      'was denied',
      storedEntry(
        log,
        5,
        { ...pruning, note, decision: { outcome: 'deny', reason: 'no', detail: null } },
        null,
      ),
    ],
    ['redacts another', redactionEntry(log)],
  ])('that %s lets nothing go', async (_, entry) => {
    const database = openLedger()
    const before = [0, 1, 2, 3, 4].map((index) => storedEntry(log, index, {}, 'p'))
    await ledgerOf(database).append(
      log,
      entry.index === 5 ? [...before, entry] : [...before.slice(0, 3), entry],
    )
    expect(remove(database, 0)).toThrow('append-only')
    expect(remove(database, 2)).toThrow('append-only')
  })
})

describe('a transaction of a pruning', () => {
  test('reads a range of the log, and everything else by an index made for it', async () => {
    const database = await open()
    await ledgerOf(database).append(log, [pruningEntry(log, 5)])
    const order = { log, to: 2, before: later }
    const held = { patients: ['p9'], organisations: ['o9'] }
    const steps: string[] = []
    const asked = auditDatabase(database)
    const apply = async (statements: readonly Statement[]) => {
      const explained = statements.map(({ sql, ...rest }) => ({ sql: `explain query plan ${sql}`, ...rest }))
      for (const plan of await asked.read(explained)) steps.push(...plan.map(({ detail }) => String(detail)))
      return await asked.apply(statements)
    }
    expect(await prune(apply, order, async () => held)).toBe('done')
    await apply([prunableBodyStatement(order, held)])
    expect(ledgerEntries(database, log).map(({ index }) => index)).toEqual([1, 2, 3, 4, 5])
    const tables = steps.filter((step) => /^(?:SCAN|SEARCH) (?:ledger_body|told|pruning)\b/.test(step))
    expect([...new Set(tables.map((step) => step.replace(' EXISTS', '')))].sort()).toEqual([
      'SEARCH ledger_body USING INDEX ledger_body_prunes (prunes_log=? AND prunes_before>?)',
      'SEARCH ledger_body USING PRIMARY KEY (log=? AND idx=?)',
      'SEARCH ledger_body USING PRIMARY KEY (log=? AND idx>? AND idx<?)',
      'SEARCH pruning USING INDEX ledger_body_prunes (prunes_log=? AND prunes_before>?)',
      'SEARCH told USING INDEX ledger_body_request (request_id=?)',
    ])
  })
})
