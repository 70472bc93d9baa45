import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { entryText, leafOf } from '../../../src/audit/commitment.ts'
import type { StoredEntry } from '../../../src/audit/log-state.ts'
import { appendOf, ledgerEntries, ledgerOf, openLedger } from './support.ts'

const log = 'qc-test'

function entry(index: number): StoredEntry {
  const access = appendOf([`p${index}`]).entries[0]?.access ?? ''
  const time = '2026-11-22T09:06:00.123Z'
  const text = entryText(access, { log, index, time, organisation: undefined, patient: undefined })
  const salt = randomBytes(32)
  return { index, salt, entry: text, leaf: leafOf(salt, text) }
}

/** Each tries to change or remove the row at index 1; `:leaf`, `:salt` and `:entry` are other bytes than it holds. */
const bypasses = [
  'update ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update or replace ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update or ignore ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update ledger_leaf set idx = 7 where idx = 1',
  'update ledger_leaf set leaf = other.leaf from (select unhex(:leaf) as leaf) as other where idx = 1',
  'delete from ledger_leaf where idx = 1',
  'delete from ledger_leaf',
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "insert or replace into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "replace into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "insert or ignore into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  `insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))
     on conflict (log, idx) do update set leaf = excluded.leaf`,
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf)) on conflict do nothing",
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 9, unhex(:leaf))",
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', -1, unhex(:leaf))",
  'update ledger_body set entry = :entry where idx = 1',
  'update or replace ledger_body set salt = unhex(:salt) where idx = 1',
  'update ledger_body set idx = 9 where idx = 1',
  'delete from ledger_body where idx = 1',
  'delete from ledger_body',
  "insert into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "insert or replace into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "replace into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  `insert into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)
     on conflict (log, idx) do update set entry = excluded.entry`,
  "insert or ignore into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "insert into ledger_body (log, idx, salt, entry) values ('qc-test', 9, unhex(:salt), :entry)",
]

describe('the ledger', () => {
  let database: DatabaseSync
  const entries = [entry(0), entry(1), entry(2)]
  const other = entry(1)
  const values: Record<string, string> = {
    leaf: Buffer.from(other.leaf).toString('hex'),
    salt: Buffer.from(other.salt).toString('hex'),
    entry: other.entry,
  }

  beforeEach(async () => {
    database = openLedger()
    await ledgerOf(database).append(log, entries)
  })

  test.each(bypasses)('is not changed by: %s', (sql) => {
    const before = ledgerEntries(database, log)
    const bound = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`:${name}`)))
    expect(() => database.prepare(sql).run(bound)).toThrow(
      /is append-only|this index holds another|an earlier index is missing|constraint failed/,
    )
    expect(ledgerEntries(database, log)).toEqual(before)
  })

  test('takes the same entries again as if they had come once, alone and among new ones', async () => {
    await ledgerOf(database).append(log, entries)
    await ledgerOf(database).append(log, [...entries, entry(3)])
    const stored = ledgerEntries(database, log)
    expect(stored.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(stored.slice(0, 3).map((row) => row.entry)).toEqual(entries.map((row) => row.entry))
  })

  test('also passes over the same row in an insert or replace and an upsert', () => {
    const before = ledgerEntries(database, log)
    const leaf = Buffer.from(entries[1]?.leaf ?? [])
    database.prepare("insert or replace into ledger_leaf (log, idx, leaf) values ('qc-test', 1, ?)").run(leaf)
    database
      .prepare(
        `insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, ?)
           on conflict (log, idx) do update set leaf = unhex(?)`,
      )
      .run(leaf, values.leaf as string)
    expect(ledgerEntries(database, log)).toEqual(before)
  })

  test('refuses a whole batch of which one entry differs', async () => {
    await expect(
      ledgerOf(database).append(log, [entries[0] as StoredEntry, other, entry(2), entry(3)]),
    ).rejects.toThrow('this index holds another leaf')
    expect(ledgerEntries(database, log)).toHaveLength(3)
  })

  test('refuses an entry whose text names another place than its row', async () => {
    await expect(ledgerOf(database).append(log, [{ ...entry(4), index: 3 }])).rejects.toThrow('constraint')
    await expect(ledgerOf(database).append('other-log', [entry(0)])).rejects.toThrow('constraint')
  })
})
