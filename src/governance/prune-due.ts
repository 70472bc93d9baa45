/** What the retention policy lets go by itself: the intent alone; whoever settles intents carries it out and says so. */
import { buildEntries, countedAccess } from '../audit/entry.ts'
import type { AuditLogs } from '../audit/port.ts'
import { prunablePart, prunableStatement, pruningNote } from '../audit/pruning.ts'
import { limits } from '../limits.ts'
import { isOfLine } from '../log-line.ts'
import type { Reader } from '../store/ports.ts'

export interface DueAt {
  readonly records: Reader
  readonly ledger: Reader
  readonly logs: Pick<AuditLogs, 'append'>
}

/** One setting, for the operation and for the schedule. */
export const retentionStatement = {
  sql: "select value from policy_setting where name = 'audit-retention-days' and valid_to is null",
}

/** @param value what `retentionStatement` found */
export const retentionDays = (value: unknown): number =>
  Math.max(Number(value ?? limits.maxAuditRetentionDays), limits.minAuditRetentionDays)

/** Milliseconds since 1970 before which entries may go. */
export const retainedFrom = (now: number, days: number): number => now - days * 86_400_000

/**
 * Of the log that is served, and of those before it in its line, orders what is due, a month of it at least. Safe to repeat:
 * a log takes one pruning up to an index, ever. Resolves to the number ordered. Rejects with `StoreError`.
 */
export async function pruneDue(
  served: string,
  now: number,
  { records, ledger, logs }: DueAt,
): Promise<number> {
  const [settings] = await records.read([retentionStatement])
  const beforeMs = retainedFrom(now, retentionDays(settings?.[0]?.value))
  const before = new Date(beforeMs).toISOString()
  const [known = []] = await ledger.read([
    { sql: 'select log from log order by log limit ?', args: [limits.maxListedLogs] },
  ])
  let ordered = 0
  for (const log of known.map((row) => String(row.log)).filter((log) => isOfLine(served, log))) {
    const [rows] = await ledger.read([prunableStatement(log, before)])
    const part = prunablePart(log, rows?.[0])
    const last = part.ordered === null ? 0 : Date.parse(part.ordered.before)
    if (part.to <= (part.ordered?.to ?? 0) || beforeMs - last < limits.pruneDueAfterMs) continue
    const requestId = crypto.randomUUID()
    const note = { ...pruningNote({ log, to: part.to, before }), basis: 'audit-retention-days' }
    const base = countedAccess('prune', requestId, note)
    const decision = { outcome: 'permit', reason: 'retention-policy', detail: null } as const
    const entries = buildEntries({ ...base, action: 'redaction', phase: 'intent', decision }, [], null)
    if (!entries.ok) continue
    const appended = await logs.append(served, {
      requestId,
      phase: 'intent',
      sequence: 0,
      entries: entries.value,
      once: [{ key: `prune/${log}/${part.to}`, untilMs: limits.foreverMs }],
    })
    if (appended.ok) ordered++
  }
  return ordered
}
