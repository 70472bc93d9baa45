import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { entryText, leafOf } from '../../../src/audit/commitment.ts'
import type { StoredEntry } from '../../../src/audit/log-state.ts'
import { bypasses, passedOver, publicContent, publicRows } from './bypasses.ts'
import {
  entriesBefore,
  noRedactions,
  otherBytes,
  redactionEntry,
  redactionOfLater,
  redactionOfRedaction,
  storedEntry,
} from './redaction-cases.ts'
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

  const content = () => [ledgerEntries(database, log), database.prepare(publicContent).get()]

  beforeEach(async () => {
    database = openLedger()
    await ledgerOf(database).append(log, entries)
    for (const sql of publicRows) database.exec(sql)
  })

  test.each(bypasses)('is not changed by: %s', (sql) => {
    const before = content()
    const bound = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`:${name}`)))
    expect(() => database.prepare(sql).run(bound)).toThrow(
      /append-only|are only added|holds other|holds another|is taken|another (checkpoint|successor)|is kept|earlier index|constraint failed/,
    )
    expect(content()).toEqual(before)
  })

  test.each(passedOver)('passes over: %s', (sql) => {
    const before = content()
    database.prepare(sql).run()
    expect(content()).toEqual(before)
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

describe('what a log has published', () => {
  let database: DatabaseSync
  const count = (table: string) => database.prepare(`select count(*) as n from ${table}`).get()?.n

  beforeEach(() => {
    database = openLedger()
    for (const sql of publicRows) database.exec(sql)
  })

  test('grows: a tile by more hashes, by an update and by an insert', () => {
    database.exec("insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, zeroblob(128))")
    database.exec('update tile set hashes = zeroblob(8192)')
    expect(database.prepare('select length(hashes) as n from tile').all()).toEqual([{ n: 8192 }])
  })

  test('is thinned: a checkpoint that has a newer one of its hour goes, with its cosignatures', () => {
    database.exec('delete from checkpoint where size = 1')
    expect([count('checkpoint'), count('cosignature')]).toEqual([2, 1])
  })
})

describe('a redaction', () => {
  let database: DatabaseSync
  const before = entriesBefore(log)
  const redacted = redactionEntry(log)
  const other = otherBytes(log)
  const append = (...entries: readonly StoredEntry[]) => ledgerOf(database).append(log, entries)
  const remove = (index: number) =>
    database.prepare('delete from ledger_body where log = ? and idx = ?').run(log, index).changes
  const indices = () => ledgerEntries(database, log).map(({ index }) => index)
  const leaves = () => database.prepare('select count(*) as n from ledger_leaf').get()?.n

  beforeEach(async () => {
    database = openLedger()
    await append(...before)
  })

  test('lets the one body go that it names, and no leaf', async () => {
    await append(redacted)
    for (const index of [0, 2, 3]) expect(() => remove(index)).toThrow('no redaction entry')
    expect(() => database.exec('delete from ledger_body')).toThrow('no redaction entry')
    expect(remove(1)).toBe(1)
    expect(indices()).toEqual([0, 2, 3])
    expect(leaves()).toBe(4)
    expect(() => database.exec('delete from ledger_leaf where idx = 1')).toThrow('append-only')
  })

  test.each(noRedactions)('that %s lets nothing go', async (_, entry) => {
    await append(entry(log))
    expect(() => remove(1)).toThrow('no redaction entry')
    expect(indices()).toEqual([0, 1, 2, 3])
  })

  test('in another log lets nothing go', async () => {
    await ledgerOf(database).append('qc-other', [...entriesBefore('qc-other'), redactionEntry('qc-other')])
    expect(() => remove(1)).toThrow('no redaction entry')
  })

  test('of a later index lets nothing go', async () => {
    await append(...redactionOfLater(log))
    expect(() => remove(5)).toThrow('no redaction entry')
    expect(indices()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('of a redaction lets nothing go', async () => {
    await append(...redactionOfRedaction(log))
    expect(() => remove(3)).toThrow('no redaction entry')
    expect(indices()).toEqual([0, 1, 2, 3, 4])
  })

  test('stays done when the same entries are drained again, alone and among new ones', async () => {
    await append(redacted)
    remove(1)
    await append(...before, redacted)
    await append(...before, redacted, storedEntry(log, 4, {}, 'p4'))
    expect(indices()).toEqual([0, 2, 3, 4])
    expect(leaves()).toBe(5)
  })

  test.each(['insert', 'insert or replace', 'replace'])(
    'is not undone by %s, with the same or other bytes',
    async (verb) => {
      await append(redacted)
      remove(1)
      const insert = database.prepare(`${verb} into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)`)
      for (const { salt, entry } of [before[1] as StoredEntry, other]) insert.run(log, 1, salt, entry)
      expect(indices()).toEqual([0, 2, 3])
    },
  )

  test('that is not carried out yet does not hide that other bytes come for its index', async () => {
    await append(redacted)
    const { salt, entry } = other
    const insert = database.prepare('insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)')
    expect(() => insert.run(log, 1, salt, entry)).toThrow('this index holds another entry')
    expect(indices()).toEqual([0, 1, 2, 3])
  })

  test('that was refused does not keep a body from being drained', async () => {
    const [, refused] = noRedactions.find(([name]) => name === 'was denied') ?? []
    database.exec('drop trigger ledger_body_kept')
    await append(refused?.(log) as StoredEntry)
    remove(1)
    await append(...before)
    expect(indices()).toEqual([0, 1, 2, 3])
  })
})
