/** An older *records* database brought up to date: what patients were told stays, word for word. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { migrationsOf } from './memory-database.ts'

test('notices of before are kept as they were, and from then on for good', () => {
  const db = new DatabaseSync(':memory:')
  const all = migrationsOf('records')
  const first = all.findIndex((statement) => statement.includes('create table question ('))
  for (const statement of all.slice(0, first)) db.exec(statement)
  db.exec(`
    insert into notice values
      ('n1', 's1', 'break-glass', '2026-01-01T00:00:00.000Z', '{"reason":"é"}', 3),
      ('n2', 's2', 'guardianship', '2026-01-02T00:00:00.000Z', '{}', 4)`)
  const rows = () => db.prepare('select * from notice order by id').all()
  const before = rows()
  for (const statement of all.slice(first)) db.exec(statement)
  expect(rows()).toEqual(before)
  expect(() => db.exec(`update notice set facts = '{}'`)).toThrow('append-only')
  expect(() => db.exec('delete from notice')).toThrow('append-only')
  const insert = (kind: string) =>
    db.exec(`insert into notice values ('${kind}', 's1', '${kind}', '', '{}', 5)`)
  insert('question')
  expect(() => insert('rumour')).toThrow('constraint')
  expect(
    db.prepare('explain query plan select * from notice where source_record = ? and at < ?').all('s1', ''),
  ).toMatchObject([{ detail: expect.stringContaining('notice_source') }])
})
