/** From ids of AuditEvents, `<log>-<index>` or `<log>-<index>-authz`, to their entries. */
import { limits } from '../limits.ts'
import type { Reader, Row } from '../store/ports.ts'
import { eventId } from './audit-event-elements.ts'
import { registeredStatement } from './ledger-sql.ts'
import { trailEntryStatement } from './trail-page.ts'

/** Rows `log`, `idx`, `time`, `entry`, once each; of what is not there, or was redacted, none. */
export async function entriesOfEvents(ledger: Reader, ids: readonly string[]): Promise<Row[]> {
  const wanted = [...new Set(ids.map((id) => id.replace(/-authz$/, '')))]
  const [logs = []] = await ledger.read([registeredStatement], limits.exportPageDeadlineMs)
  const statements = wanted.flatMap((id) => {
    const index = /-(0|[1-9]\d{0,15})$/.exec(id)?.[1]
    // Of a log with a long name, the id holds a digest.
    const log = index === undefined ? undefined : logs.find((one) => eventId(String(one.log), index) === id)
    return log === undefined ? [] : [trailEntryStatement(String(log.log), Number(index))]
  })
  return statements.length === 0 ? [] : (await ledger.read(statements, limits.exportPageDeadlineMs)).flat()
}
