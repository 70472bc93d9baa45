/** What the audit log is told of one request: who, what, why, and when it took it. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Caller, Placement, Presented } from '../access/caller.ts'
import type { Clock } from '../access/facts.ts'
import { type OneTimeKey, replayCause } from '../access/one-time-key.ts'
import type { ReplayCause } from '../access/refusal.ts'
import { type AccessBase, buildEntries, countedAccess, type EntrySubject } from '../audit/entry.ts'
import type { AppendRefusal, AuditLogs, Who } from '../audit/port.ts'
import type { Receipt } from '../audit/receipt.ts'
import { limits } from '../limits.ts'
import { err, type Result } from '../result.ts'
import type { Staleness } from './load.ts'
import type { Operation } from './operation.ts'
import type { Defer } from './ports.ts'
import type { Refusal } from './refusal.ts'
import { takeUnlogged, type UnreceiptedKind } from './release.ts'

/** What is known of the caller when an entry is made. */
export interface Known {
  readonly presented: Presented | null
  /** Where the registry places the caller, also one it then refuses. */
  readonly placement: Placement | null
  /** What of the caller's credentials is good for one request. */
  readonly once: readonly OneTimeKey[]
  /** Null until the registry has confirmed the caller in the request's own batch. */
  readonly caller: Caller | null
  /** Of the batch that was read; null when none was. */
  readonly clock: Clock | null
  readonly staleness: Staleness | null
}

/** Why the log took no entry: what was used before, or the kind of answer that leaves without a receipt. */
export type UnappendedKind = UnreceiptedKind | ReplayCause | 'intended-before'

export const isReplay = (kind: UnappendedKind): kind is ReplayCause =>
  kind === 'proof-replayed' || kind === 'token-used'

/** How one append of a request differs from the usual: one access, permitted, in the caller's log. */
export interface AppendOptions {
  /** Of the chunks of an export, from 1. */
  readonly sequence?: number
  /** What the access is refused for. */
  readonly refusal?: Refusal
  /** Null: the caller's. An intent goes to this very log, all else to its successor where it has one. */
  readonly log?: string | null
  /** An intent, too, goes to the successor. */
  readonly followsLog?: boolean
  /** A name of which the log takes one append, ever. */
  readonly once?: string | undefined
}

export interface RecorderOptions {
  readonly logs: AuditLogs
  /** The log of callers without a facility, and of failed authentications. */
  readonly servingLog: string
  readonly defer: Defer
  readonly request: Request
  readonly url: URL
  readonly requestId: string
  readonly operation: Pick<Operation, 'name' | 'action'>
  readonly address: string | null
}

export class Recorder {
  readonly #options: RecorderOptions
  // One-time keys go with the request's first append, whatever comes of that; later ones are of the same request.
  #hasSentOnce = false
  // What the body asks, beside the address.
  #asked = ''

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** @param text a query as received in the body: it goes into the entry after that of the address */
  ask(text: string): void {
    this.#asked = text
  }

  /** Everything an entry says but its subjects. `status` 0: not yet known (an intent). */
  describe(
    { presented, placement, caller, clock, staleness }: Known,
    status: number,
    decision: AccessBase['decision'],
    note: Readonly<Record<string, string>> | null,
    breakGlassReason: string | null = null,
  ): AccessBase {
    const { request, url, requestId, operation, address } = this.#options
    const query = [url.search.slice(1), this.#asked].filter((part) => part !== '').join('&')
    const text = url.pathname + (query === '' ? '' : `?${query}`)
    return {
      requestId,
      clientRequestId: request.headers.get('x-request-id'),
      phase: 'access',
      action: presented ? operation.action : 'authenticate',
      operation: operation.name,
      who: whoOf(presented, placement, caller, address),
      purpose: presented?.purpose ?? null,
      breakGlassReason,
      query: {
        method: request.method,
        path: url.pathname,
        text,
        sha256: bytesToHex(sha256(utf8ToBytes(text))),
      },
      decision,
      policyVersion: clock ? `${clock.epoch}.${clock.n}` : null,
      staleness,
      status,
      note,
    }
  }

  /**
   * Resolves to the receipt, or to why there is none. The first append of a request uses up its proof and one-time token;
   * of those used before nothing is appended.
   */
  async append(
    base: AccessBase,
    { caller, placement, once }: Known,
    subjects: readonly EntrySubject[],
    { sequence = 0, refusal, log: named = null, followsLog = false, once: name }: AppendOptions = {},
  ): Promise<Result<Receipt, UnappendedKind>> {
    if (refusal?.reason === 'log-unavailable') return err('log-unavailable')
    if (refusal?.reason === 'log-overload') return err('overload')
    const { logs, servingLog, address, requestId } = this.#options
    const facility = facilityOf(caller)
    const log = named ?? facility?.log ?? placement?.log ?? servingLog
    const entries = buildEntries(base, subjects, organisationOf(caller))
    // Too many patients is found here, before any byte leaves; the operation should have said so itself.
    if (!entries.ok) return err('internal')
    const unused = this.#hasSentOnce ? [] : once
    this.#hasSentOnce = true
    const forGood = name === undefined ? [] : [{ key: name, untilMs: limits.foreverMs }]
    const append = {
      requestId,
      phase: base.phase,
      sequence,
      entries: entries.value,
      once: [...unused, ...forGood],
    }
    const appended =
      refusal?.reason === 'unauthenticated'
        ? await logs.appendFailure(log, address ?? 'unknown', refusal.cause, append)
        : named !== null && base.phase === 'intent' && !followsLog
          ? await logs.appendTo(log, append)
          : await logs.append(log, append)
    if (!appended.ok && appended.error.reason === 'replayed' && appended.error.key === name) {
      // Nothing was stored, the caller's own keys neither: they go with the refusal.
      this.#hasSentOnce = false
      return err('intended-before')
    }
    if (!appended.ok) return err(unappendedKind(appended.error))
    this.#tellUnreceipted(servingLog)
    return appended
  }

  /** Answers that left without a receipt become one counted entry as soon as the log takes entries again. */
  #tellUnreceipted(log: string): void {
    const taken = takeUnlogged()
    if (!taken) return
    const requestId = crypto.randomUUID()
    const entries = buildEntries(countedAccess('refused-without-receipt', requestId, taken.counts), [], null)
    if (!entries.ok) {
      taken.giveBack()
      return
    }
    const append = { requestId, phase: 'access', sequence: 0, entries: entries.value, once: [] } as const
    this.#options.defer(
      this.#options.logs.append(log, append).then((appended) => {
        if (!appended.ok) taken.giveBack()
      }),
    )
  }
}

const facilityOf = (caller: Caller | null) => (caller && 'facility' in caller ? caller.facility : null)

/** In whose chain an access stands: the facility's, or that of the officer of one organisation. */
const organisationOf = (caller: Caller | null): string | null =>
  facilityOf(caller)?.organisation ?? (caller?.kind === 'privacy-officer' ? caller.organisation : null)

function whoOf(
  presented: Presented | null,
  placement: Placement | null,
  caller: Caller | null,
  address: string | null,
): Who {
  const facility = facilityOf(caller)
  return {
    issuer: presented?.issuer ?? null,
    subject: presented?.subject ?? null,
    client: presented?.clientId ?? null,
    practitioner: caller && 'professional' in caller ? caller.professional : null,
    name: caller?.name ?? presented?.name ?? null,
    role: caller?.kind === 'provider' ? caller.role : (caller?.kind ?? presented?.role ?? null),
    // Of a refused caller where he meant to act: without it nobody could tell why he was refused.
    facility: caller ? (facility?.id ?? null) : (placement?.facility ?? null),
    organisation: organisationOf(caller),
    token: presented?.jti ?? null,
    address,
  }
}

function unappendedKind(refusal: AppendRefusal): UnappendedKind {
  switch (refusal.reason) {
    case 'log-overload':
      return 'overload'
    case 'replayed':
      return replayCause(refusal.key)
    case 'counted':
      return 'unauthenticated'
    case 'log-unavailable':
      return 'log-unavailable'
  }
}
