/** From the id of an AuditEvent, `<log>-<index>` or `<log>-<index>-authz`, to its entry. */
import { limits } from '../limits.ts'
import type { Reader, Row } from '../store/ports.ts'
import { eventId } from './audit-event-elements.ts'
import { registeredStatement } from './ledger-sql.ts'
import { trailEntryStatement } from './trail-page.ts'

const ofEvent = /^([a-z0-9-]+?)-(0|[1-9]\d{0,15})(?:-authz)?$/

/** A row of the trail; null: there is no such entry, or it was redacted. */
export async function entryOfEvent(ledger: Reader, id: string): Promise<Row | null> {
  const [, , index] = ofEvent.exec(id) ?? []
  if (index === undefined) return null
  const [logs = []] = await ledger.read([registeredStatement], limits.exportPageDeadlineMs)
  // Of a log with a long name, the id holds a digest.
  const log = logs.find((one) => eventId(String(one.log), index) === id.replace(/-authz$/, ''))?.log
  if (log === undefined) return null
  const [rows = []] = await ledger.read(
    [trailEntryStatement(String(log), Number(index))],
    limits.exportPageDeadlineMs,
  )
  return rows[0] ?? null
}
