/** An older *records* database brought up to date: who cares for whom follows from the encounters that are there. */
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { careWindow } from '../../../src/records/care-window.ts'

const published = '2026-11-20T10:00:00.000Z'
const settings = { encounterDaysAfter: 30, encounterOpenDays: 90 }

const encounters = [
  { status: 'in-progress', start: '2026-11-01T08:00:00-05:00', end: null },
  { status: 'in-progress', start: null, end: null },
  { status: 'finished', start: '2026-11-10T08:00:00Z', end: '2026-11-12T08:00:00Z' },
  { status: 'finished', start: '2020-01-01T08:00:00Z', end: '2020-01-02T08:00:00Z' },
  { status: 'finished', start: '2026-11-19T08:00:00Z', end: null },
  { status: 'planned', start: '2026-12-01T08:00:00Z', end: '2027-12-31T08:00:00Z' },
  { status: 'cancelled', start: '2026-11-20T08:00:00Z', end: null },
  { status: 'entered-in-error', start: '2026-11-20T08:00:00Z', end: null },
] as const

/** SQLite does not read these, or reads them as Julian days: such an encounter must open nothing rather than too much. */
const vague = [
  { status: 'finished', start: '2019-03', end: null },
  { status: 'finished', start: '2019', end: null },
  { status: 'in-progress', start: '2026-11-01', end: '2019-03' },
] as const

test('encounters published before stand for the relationship they would if they were published now', () => {
  const db = new DatabaseSync(':memory:')
  const migrate = (name: string): void => {
    for (const statement of readFileSync(`drizzle/records/${name}.sql`, 'utf8').split(
      '--> statement-breakpoint',
    ))
      db.exec(statement)
  }
  migrate('0000_init')
  const insert = db.prepare(
    `insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
       confidentiality, published, version, clock, hash, body)
     values ('p', ?, '', ?, 's', 'h', 'hospital-summary', '', '', '', '', '', ?, 1, 1, ?, ?)`,
  )
  const stored = [...encounters, ...vague]
  stored.forEach(({ status, start, end }, i) => {
    const period = { ...(start ? { start } : {}), ...(end ? { end } : {}) }
    insert.run('Encounter', `e${i}`, published, `hash-${i}`, JSON.stringify({ status, period }))
  })
  insert.run('EpisodeOfCare', 'other', published, 'hash', JSON.stringify({ status: 'active' }))
  migrate('0001_access')
  const rows = db
    .prepare('select source, digest, facility, professional, starts, ends from relationship')
    .all()
  const utc = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString())
  const expected = encounters.flatMap(({ status, start, end }, i) => {
    const window = careWindow({ status, start: utc(start), end: utc(end) }, published, settings)
    return window
      ? [{ source: `Encounter/e${i}`, digest: `hash-${i}`, facility: 'h', professional: '', ...window }]
      : []
  })
  expect(rows.map((row) => ({ ...row }))).toEqual(expected)
  expect(expected.length).toBe(5)
})
