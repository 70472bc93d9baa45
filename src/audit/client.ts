/** The app's side of an audit log: one call, one deadline, and a receipt only for what the log says it holds. */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { withDeadline } from './deadline.ts'
import type { AppendRefusal, AppendReply, AppendRequest, AuditLogs, LogStatus, OpenIntent } from './port.ts'
import { Receipt } from './receipt.ts'

/** A log as a shell reaches it (a Durable Object's stub, or the object itself): plain data in and out, may throw. */
export interface AuditLogRpc {
  append(log: string, request: AppendRequest): Promise<Result<AppendReply, AppendRefusal>>
  appendFailure(
    log: string,
    address: string,
    reason: string,
    request: AppendRequest,
  ): Promise<Result<AppendReply, AppendRefusal>>
  status(log: string): Promise<LogStatus>
  drained(log: string, size: string): Promise<boolean>
  openIntents(log: string): Promise<readonly OpenIntent[]>
}

/**
 * `stubOf`, for these logs only: a name that a registry row misspells must not begin a log of its own at index 0.
 * @throws Error for any other name.
 */
export const amongLogs =
  (logs: readonly { readonly log: string }[], stubOf: (log: string) => AuditLogRpc) =>
  (name: string): AuditLogRpc => {
    if (!logs.some(({ log }) => log === name)) throw new Error(`${name} is not a log served here`)
    return stubOf(name)
  }

const logName = /^[a-z0-9][a-z0-9-]{0,62}$/

/** `stubOf` may throw for a log it cannot reach. A log that hangs, throws or is unknown is `log-unavailable`. */
export function auditLogs(stubOf: (log: string) => AuditLogRpc): AuditLogs {
  const call = async <T>(
    log: string,
    use: (stub: AuditLogRpc) => Promise<T>,
  ): Promise<Result<T, AppendRefusal>> => {
    try {
      if (!logName.test(log)) throw new Error('not the name of a log')
      return ok(await withDeadline(use(stubOf(log)), limits.appendDeadlineMs, 'the audit log'))
    } catch (error) {
      return err({
        reason: 'log-unavailable',
        detail: error instanceof Error ? error.message : String(error),
      })
    }
  }
  const receipt = (
    answer: Result<Result<AppendReply, AppendRefusal>, AppendRefusal>,
  ): Result<Receipt, AppendRefusal> => {
    if (!answer.ok) return answer
    return answer.value.ok ? ok(Receipt.mint(answer.value.value)) : answer.value
  }
  return {
    append: async (log, request) => receipt(await call(log, (stub) => stub.append(log, request))),
    appendFailure: async (log, address, reason, request) =>
      receipt(await call(log, (stub) => stub.appendFailure(log, address, reason, request))),
    status: (log) => call(log, (stub) => stub.status(log)),
    openIntents: (log) => call(log, (stub) => stub.openIntents(log)),
    attest: async () => err({ reason: 'log-unavailable', detail: 'not yet' }),
    published: async () => false,
    drained: async (log, size) => {
      try {
        const waitMs = limits.exportDrainWaitMs + limits.appendDeadlineMs
        return await withDeadline(stubOf(log).drained(log, size), waitMs, 'the audit log')
      } catch {
        return false
      }
    },
  }
}
