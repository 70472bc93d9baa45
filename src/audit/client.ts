/** The app's side of an audit log: one call, one deadline, and a receipt only for what the log says it holds. */
import { limits } from '../limits.ts'
import { isOfLine } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import type { AppendAnswer } from './commit.ts'
import { withDeadline } from './deadline.ts'
import { logName } from './log-name.ts'
import type {
  AppendRefusal,
  AppendRequest,
  Attestation,
  AttestRequest,
  AuditLogs,
  LogStatus,
  OpenIntent,
} from './port.ts'
import { Receipt } from './receipt.ts'
import type { SuccessionRpc } from './succession.ts'

/** A log as a shell reaches it (a Durable Object's stub, or the object itself): plain data in and out, may throw. */
export interface AuditLogRpc extends SuccessionRpc {
  appendFailure(log: string, address: string, reason: string, request: AppendRequest): Promise<AppendAnswer>
  status(log: string): Promise<LogStatus>
  drained(log: string, size: string): Promise<boolean>
  published(log: string, size: string, waitMs: number): Promise<boolean>
  openIntents(log: string): Promise<readonly OpenIntent[]>
  attest(log: string, request: AttestRequest): Promise<Result<Attestation, AppendRefusal>>
}

/**
 * `stubOf`, for these logs and their successors only: a name that a registry row misspells must not begin a log of its own
 * at index 0.
 * @throws Error for any other name.
 */
export const amongLogs =
  (logs: readonly { readonly log: string }[], stubOf: (log: string) => AuditLogRpc) =>
  (name: string): AuditLogRpc => {
    if (!logs.some(({ log }) => isOfLine(log, name))) throw new Error(`${name} is not a log served here`)
    return stubOf(name)
  }

const inTime = <T>(work: Promise<T>): Promise<T> =>
  withDeadline(work, limits.successionDeadlineMs, 'the audit log')

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
  // Of each log the last of its successors met so far: an append asks no retired one again.
  const successors = new Map<string, string>()
  const append = async (
    log: string,
    use: (stub: AuditLogRpc, log: string) => Promise<AppendAnswer>,
  ): Promise<Result<Receipt, AppendRefusal>> => {
    let name = successors.get(log) ?? log
    for (let hops = 0; hops <= limits.maxSuccessions; hops++) {
      const answer = await call(name, (stub) => use(stub, name))
      if (!answer.ok) return answer
      if (answer.value.ok) return ok(Receipt.mint(answer.value.value))
      const refusal = answer.value.error
      if (refusal.reason !== 'retired') return err(refusal)
      name = refusal.successor
      successors.set(log, name)
    }
    return err({ reason: 'log-unavailable', detail: `${log} has too many successors` })
  }
  const appendTo = async (log: string, request: AppendRequest): Promise<Result<Receipt, AppendRefusal>> => {
    const answer = await call(log, (stub) => stub.append(log, request))
    if (!answer.ok) return answer
    if (answer.value.ok) return ok(Receipt.mint(answer.value.value))
    const refusal = answer.value.error
    return err(
      refusal.reason === 'retired'
        ? { reason: 'log-unavailable', detail: `${log} is retired: nothing more belongs to it` }
        : refusal,
    )
  }
  const status = (log: string) => call(log, (stub) => stub.status(log))
  /** The log that takes the appends of this one today. */
  const current = async (log: string): Promise<Result<string, AppendRefusal>> => {
    let name = log
    for (let hops = 0; hops <= limits.maxSuccessions; hops++) {
      const told = await status(name)
      if (!told.ok) return told
      if (told.value.successor === null) return ok(name)
      name = told.value.successor
    }
    return err({ reason: 'log-unavailable', detail: `${log} has too many successors` })
  }
  const waited = async (waitMs: number, log: string, use: (stub: AuditLogRpc) => Promise<boolean>) => {
    try {
      return await withDeadline(use(stubOf(log)), waitMs + limits.appendDeadlineMs, 'the audit log')
    } catch {
      return false
    }
  }
  return {
    append: (log, request) => append(log, (stub, name) => stub.append(name, request)),
    appendTo,
    appendFailure: (log, address, reason, request) =>
      append(log, (stub, name) => stub.appendFailure(name, address, reason, request)),
    status,
    current,
    openIntents: async (log) => {
      const name = await current(log)
      return name.ok ? await call(name.value, (stub) => stub.openIntents(name.value)) : name
    },
    drained: (log, size) => waited(limits.exportDrainWaitMs, log, (stub) => stub.drained(log, size)),
    published: (log, size, waitMs) => waited(waitMs, log, (stub) => stub.published(log, size, waitMs)),
    succession: {
      close: (log, successor) => inTime(stubOf(log).close(log, successor)),
      stranded: (log, from) => inTime(stubOf(log).stranded(log, from)),
      found: (log, founding) => inTime(stubOf(log).found(log, founding)),
      append: (log, request) => inTime(stubOf(log).append(log, request)),
      retire: (log) => inTime(stubOf(log).retire(log)),
    },
    attest: async (log, request) => {
      const answer = await call(log, (stub) => stub.attest(log, request))
      return answer.ok ? answer.value : answer
    },
  }
}
