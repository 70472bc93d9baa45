import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { entryText, leafOf } from '../../../src/audit/commitment.ts'
import type { StoredEntry } from '../../../src/audit/log-state.ts'
import { bypasses } from './bypasses.ts'
import { appendOf, ledgerEntries, ledgerOf, openLedger } from './support.ts'

const log = 'qc-test'

function entry(index: number): StoredEntry {
  const access = appendOf([`p${index}`]).entries[0]?.access ?? ''
  const time = '2026-11-22T09:06:00.123Z'
  const text = entryText(access, { log, index, time, organisation: undefined, patient: undefined })
  const salt = randomBytes(32)
  return { index, salt, entry: text, leaf: leafOf(salt, text) }
}

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
