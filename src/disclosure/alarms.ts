/** What must never happen and is to be looked at when it does: counted for `/metrics`, and said on the console. */
export type AlarmKind =
  /** SQL let a row through that the policy refuses: the two disagree. */
  | 'policy-mismatch'
  /** The heartbeat is ahead of this machine's clock: one of the two is wrong. */
  | 'heartbeat-in-future'
  /** The audit database does not hold what a log has put there. */
  | 'scrub-difference'
  /** A defect of ours; the audit entry has its message. */
  | 'internal'

/** Since the isolate started. */
export const alarmCounts = new Map<AlarmKind, number>()

/** Names the request, never its content: what is written to a console is exported. */
export function raiseAlarm(kind: AlarmKind, requestId: string | null, where = ''): void {
  alarmCounts.set(kind, (alarmCounts.get(kind) ?? 0) + 1)
  console.error(`alarm ${kind}${requestId ? ` request=${requestId}` : ''}${where}`)
}
