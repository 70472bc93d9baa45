/** The AuditEvents of accesses of every kind, committed to a log as the record commits to them. */
import type { ToldEntry } from '../../../src/audit/csv-columns.ts'
import { auditEventsOf } from '../../../src/trail/audit-event.ts'
import type { AuditEvent } from '../../../src/trail/audit-event-types.ts'
import { accessBases, subjectsOf } from '../audit/accesses.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'

export const origin = 'https://record.example'

const log = new SampleLog('montreal')
// Four times, so that each meets a patient and none, and different numbers of resources.
for (const [i, access] of [1, 2, 3, 4].flatMap(() => accessBases).entries())
  log.append({ ...subjectsOf(i), organisation: access.who.organisation, more: access })

export const toldEntries: readonly ToldEntry[] = log.entries.map(({ text }) => JSON.parse(text) as ToldEntry)

export const toldEvents: readonly AuditEvent[] = toldEntries.flatMap((entry) => auditEventsOf(entry, origin))
