/** Whom the log names when the trail itself is searched. */
import { expect, test } from 'vitest'
import { searchAuditEvents } from '../../../src/trail/audit-event-search.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { openLedger } from '../audit/support.ts'
import { callers, disclosed, openDesk } from '../governance/support.ts'
import { told } from './told.ts'

/** A ledger in which each of these persons was read once. */
function ledgerOf(persons: readonly string[]) {
  const database = openLedger()
  database.prepare("insert into log values ('montreal', 'example/montreal', '', '', null)").run()
  for (const [index, patient] of persons.entries()) {
    const entry = JSON.stringify({ ...told({ patient }), index: String(index) })
    database.prepare('insert into ledger_leaf values (?, ?, ?)').run('montreal', index, new Uint8Array(33))
    database
      .prepare('insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)')
      .run('montreal', index, new Uint8Array(32), entry)
  }
  return auditDatabase(database)
}

test('a search by an identifier that two persons have names both in the log', async () => {
  const desk = openDesk()
  // Two facilities say that somebody has this number; nobody has joined them.
  desk.records.db.exec(`insert into person_key values ('nam', 'A', '1990-01-01', 'COTE', 'b-clinique')`)
  const result = await desk.ask(searchAuditEvents, callers.officer, {
    query: { date: '2026-11', 'patient.identifier': 'nam|A' },
    ledger: ledgerOf(['person-a', 'person-b', 'person-child']),
  })
  const { entry = [] } = disclosed<{ entry?: readonly object[] }>(result)
  expect(entry.length).toBeGreaterThanOrEqual(2)
  const patients = result.ok ? result.value.disclosed.map(({ patient }) => patient).sort() : []
  expect(patients).toEqual(['person-a', 'person-b'])
})

test('that nobody has looked at a record is told of its person', async () => {
  const result = await openDesk().ask(searchAuditEvents, callers.officer, {
    query: { date: '2026-11', patient: 'Patient/a-hopital' },
    ledger: ledgerOf(['person-b']),
  })
  expect(disclosed<{ entry?: readonly object[] }>(result).entry).toBeUndefined()
  expect(result).toMatchObject({ value: { disclosed: [{ patient: 'person-a' }] } })
})
