/**
 * One request from its token to its receipt: authenticate → load → decide → append → release. No other way leads to a
 * response with data in it.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Authenticated } from '../access/authenticate.ts'
import type { Caller, Facts } from '../access/caller.ts'
import { factStatements, readFacts } from '../access/facts.ts'
import { decideOperation } from '../access/policy.ts'
import { type AccessBase, buildEntries, type EntrySubject } from '../audit/entry.ts'
import type { AppendRequest, Phase, Who } from '../audit/port.ts'
import type { Receipt } from '../audit/receipt.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type Rows, StoreError } from '../store/ports.ts'
import { type Load, parseSessionClock, type Staleness } from './load.ts'
import type { Disclosure, DisclosureStream, Loaded, Operation, OperationContext } from './operation.ts'
import type { Defer, Ports } from './ports.ts'
import type { Refusal } from './refusal.ts'
import { readBody } from './request.ts'
import { refuseWithoutReceipt, release, takeUnlogged, type UnreceiptedKind } from './release.ts'
import { auditReason, refusalBody, toWire } from './wire.ts'

export interface Start {
  readonly read: Load
  readonly defer: Defer
  readonly request: Request
  readonly language: 'fr' | 'en'
  readonly operation: Pick<Operation, 'name' | 'action'>
}

export class Exchange {
  readonly requestId: string = crypto.randomUUID()
  readonly url: URL
  readonly now: number = Date.now()
  readonly language: 'fr' | 'en'
  readonly #ports: Ports
  readonly #read: Load
  readonly #defer: Defer
  readonly #request: Request
  readonly #operation: Start['operation']
  readonly #address: string | null
  #authenticated: Authenticated | null = null
  // What the load of this request found; null until then.
  #facts: Facts | null = null
  #staleness: Staleness | null = null
  #intended = false

  constructor(ports: Ports, { read, defer, request, language, operation }: Start) {
    this.#ports = ports
    this.#read = read
    this.#defer = defer
    this.#request = request
    this.#operation = operation
    this.url = new URL(request.url)
    this.language = language
    const { clientAddressHeader } = ports.config
    this.#address = clientAddressHeader ? request.headers.get(clientAddressHeader) : ports.peerAddress(request)
  }

  /** Step 1. Null: go on; otherwise the answer. */
  async authenticate(): Promise<Response | null> {
    try {
      const result = await this.#ports.authenticator.authenticate(this.#request.headers.get('authorization'), this.now)
      if (!result.ok) return await this.refuse(result.error)
      this.#authenticated = result.value
      return null
    } catch (error) {
      return await this.refuse(faultOf(error))
    }
  }

  /** Steps 2 to 5 of an operation whose input was valid. */
  async run<Param, Query>(operation: Operation<Param, Query>, param: Param, query: Query): Promise<Response> {
    try {
      const body = operation.bodyTypes ? await readBody(this.#request, operation.bodyTypes) : ok('')
      if (!body.ok) return await this.refuse(body.error)
      const result = await operation.handle(this.#context(operation, param, query, body.value))
      return result.ok ? await this.#disclose(result.value) : await this.refuse(result.error)
    } catch (error) {
      return await this.refuse(faultOf(error))
    }
  }

  /** Refuses, with an entry and a receipt; a caller without rights learns only that, whatever else is wrong. */
  async refuse(refusal: Refusal): Promise<Response> {
    let reason = refusal
    if (this.#authenticated && !this.#facts && isInput(refusal)) {
      const loaded = await this.#load({}).catch(() => null)
      if (loaded && !loaded.ok && (loaded.error.reason === 'forbidden' || loaded.error.reason === 'unauthenticated'))
        reason = loaded.error
    }
    const wire = toWire(reason)
    const { reason: tag, detail } = auditReason(reason)
    const outcome = wire.status >= 500 ? 'error' : 'deny'
    const base = this.#base(wire.status, { outcome, reason: tag, detail }, null)
    // After an intent, a store that did not answer may have committed: the intent stays open and is settled later.
    const unknown = this.#intended && wire.status >= 500
    const appended = await this.#append({ ...base, phase: this.#intended && !unknown ? 'outcome' : 'access' }, [], 0, reason)
    if (!appended.ok) return refuseWithoutReceipt(appended.error)
    const { contentType, body } = refusalBody(wire, this.url.pathname, this.language)
    return release(appended.value, {
      status: wire.status,
      headers: { ...this.#headers(), ...wire.headers, 'Content-Type': contentType, 'Content-Language': this.language },
      body,
    })
  }

  async #disclose(disclosure: Disclosure): Promise<Response> {
    const mismatches = disclosure.mismatches ?? []
    if (mismatches.length > 0) console.error(`policy-mismatch request=${this.requestId} rows=${mismatches.length}`)
    const base = this.#base(
      disclosure.status,
      {
        outcome: 'permit',
        reason: disclosure.reason,
        detail: mismatches.length > 0 ? `policy-mismatch: ${mismatches.join(' ')}` : null,
      },
      disclosure.note ?? null,
    )
    const phase: Phase = this.#intended ? 'outcome' : 'access'
    const appended = await this.#append({ ...base, phase }, disclosure.disclosed, 0, null)
    if (!appended.ok) return refuseWithoutReceipt(appended.error)
    const { body } = disclosure
    return release(appended.value, {
      status: disclosure.status,
      headers: { ...this.#headers(), ...disclosure.headers, 'Content-Type': disclosure.contentType },
      body: body === '' ? null : typeof body === 'string' ? body : this.#stream(base, body),
    })
  }

  /** Each chunk waits for the entries of the patients first met in it; a log that refuses ends the stream with an error. */
  #stream(base: AccessBase, { exportId, chunks }: DisclosureStream): ReadableStream<Uint8Array> {
    const source = chunks[Symbol.asyncIterator]()
    let sequence = 0
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const next = await source.next()
        if (next.done) return controller.close()
        if (next.value.patients.length > 0) {
          const subjects = next.value.patients.map((patient) => ({ patient, resources: [] }))
          const chunk = { ...base, phase: 'chunk' as const, note: { ...base.note, export: exportId } }
          const appended = await this.#append(chunk, subjects, ++sequence, null)
          if (!appended.ok) throw new Error('the audit log refused a chunk of this export')
        }
        controller.enqueue(next.value.bytes)
      },
      cancel: async () => {
        await source.return?.()
      },
    })
  }

  async #load(page: Parameters<OperationContext<unknown, unknown>['load']>[0]): Promise<Result<Loaded, Refusal>> {
    for (let attempt = 0; ; attempt++) {
      const authenticated = this.#authenticated
      if (!authenticated) throw new Error('load before authenticate')
      const { presented, placement } = authenticated
      const facts = factStatements(presented)
      const here = placement ? this.#ports.locals.get(placement.region) : undefined
      const [snapshot, local] = await Promise.all([
        this.#read(
          [...facts, ...(page.records ?? [])],
          parseSessionClock(this.#request.headers.get('dossier-clock')),
          this.now,
          this.#defer,
        ),
        here && page.local && page.local.length > 0 ? here.reader.read(page.local) : ([] as readonly Rows[]),
      ])
      const read = readFacts(snapshot.rows.slice(0, facts.length), presented, placement, this.now)
      if (!read.ok && (read.error.reason === 'placement-changed' || read.error.reason === 'issuer-changed')) {
        if (attempt > 0) return err({ reason: 'internal', detail: read.error.reason })
        // The registry has moved on since the isolate last read it: verify against what it says now, once.
        this.#ports.authenticator.forget(presented)
        const again = await this.#ports.authenticator.authenticate(this.#request.headers.get('authorization'), this.now)
        if (!again.ok) return again
        this.#authenticated = again.value
        continue
      }
      if (!read.ok) return err(read.error as Refusal)
      this.#facts = read.value
      this.#staleness = snapshot.staleness
      return ok({
        facts: read.value,
        caller: read.value.caller,
        records: snapshot.rows.slice(facts.length),
        local,
        region: here?.region ?? null,
      })
    }
  }

  #context<Param, Query>(
    operation: Operation<Param, Query>,
    param: Param,
    query: Query,
    body: string,
  ): OperationContext<Param, Query> {
    const authenticated = this.#authenticated
    if (!authenticated) throw new Error('an operation runs only for an authenticated caller')
    const { presented, placement } = authenticated
    return {
      param,
      query,
      body,
      requestId: this.requestId,
      origin: this.url.origin,
      url: this.url,
      now: this.now,
      language: this.language,
      presented,
      facilityHint: placement?.facility ?? null,
      config: this.#ports.config,
      load: async (page) => {
        const loaded = await this.#load(page)
        if (!loaded.ok) return loaded
        const permitted = decideOperation(loaded.value.caller, operation.callers)
        return permitted.ok ? loaded : permitted
      },
      intend: (note) => this.#intend(note),
      records: this.#ports.primary,
      local: placement ? (this.#ports.locals.get(placement.region)?.writer ?? null) : null,
      audit: this.#ports.ledger,
      drainedLog: async (log) => {
        const status = await this.#ports.logs.status(log)
        if (!status.ok) return status
        const { size } = status.value
        if (await this.#ports.logs.drained(log, size)) return ok({ size })
        return err({ reason: 'store-unavailable', detail: `the ledger does not hold log ${log} yet` })
      },
    }
  }

  async #intend(note: Readonly<Record<string, string>>): Promise<Result<void, Refusal>> {
    const base = this.#base(0, { outcome: 'permit', reason: 'intent', detail: null }, note)
    const appended = await this.#append({ ...base, phase: 'intent' }, [], 0, null)
    if (!appended.ok) return err({ reason: 'log-unavailable', detail: 'intent' })
    this.#intended = true
    return ok(undefined)
  }

  /** Resolves to the receipt, or to the kind of answer that leaves without one. */
  async #append(
    base: AccessBase,
    subjects: readonly EntrySubject[],
    sequence: number,
    refusal: Refusal | null,
  ): Promise<Result<Receipt, UnreceiptedKind>> {
    if (refusal?.reason === 'log-unavailable') return err('log-unavailable')
    if (refusal?.reason === 'log-overload') return err('overload')
    const facility = this.#caller && 'facility' in this.#caller ? this.#caller.facility : null
    const log = facility?.log ?? this.#ports.config.regions[0].log
    const entries = buildEntries(base, subjects, facility?.organisation ?? null)
    // Too many patients is found here, before any byte leaves; the operation should have said so itself.
    if (!entries.ok) return err('internal')
    const request: AppendRequest = { requestId: this.requestId, phase: base.phase, sequence, entries: entries.value, once: [] }
    const { logs } = this.#ports
    const appended =
      refusal?.reason === 'unauthenticated'
        ? await logs.appendFailure(log, this.#address ?? 'unknown', refusal.cause, request)
        : await logs.append(log, request)
    if (!appended.ok) return err(unreceiptedKind(appended.error.reason))
    this.#tellUnreceipted(log, base)
    return appended
  }

  /** Answers that left without a receipt become counted entries as soon as the log takes entries again. */
  #tellUnreceipted(log: string, base: AccessBase): void {
    const taken = takeUnlogged()
    if (!taken) return
    const counted = { ...base, requestId: crypto.randomUUID(), phase: 'access' as const, operation: 'refused-without-receipt' }
    const entries = buildEntries(
      { ...counted, who: nobody, decision: { outcome: 'error', reason: 'counted', detail: null }, note: taken.counts },
      [],
      null,
    )
    if (!entries.ok) return taken.giveBack()
    const request: AppendRequest = {
      requestId: counted.requestId,
      phase: 'access',
      sequence: 0,
      entries: entries.value,
      once: [],
    }
    this.#defer(
      this.#ports.logs.append(log, request).then((appended) => {
        if (!appended.ok) taken.giveBack()
      }),
    )
  }

  get #caller(): Caller | null {
    return this.#facts?.caller ?? null
  }

  #base(status: number, decision: AccessBase['decision'], note: Readonly<Record<string, string>> | null): AccessBase {
    const text = this.url.pathname + this.url.search
    return {
      requestId: this.requestId,
      clientRequestId: this.#request.headers.get('x-request-id'),
      phase: 'access',
      action: this.#authenticated ? this.#operation.action : 'authenticate',
      operation: this.#operation.name,
      who: this.#who(),
      purpose: this.#authenticated?.presented.purpose ?? null,
      breakGlassReason: null,
      query: { method: this.#request.method, path: this.url.pathname, text, sha256: bytesToHex(sha256(utf8ToBytes(text))) },
      decision,
      policyVersion: this.#facts ? `${this.#facts.clock.epoch}.${this.#facts.clock.n}` : null,
      staleness: this.#staleness,
      status,
      note,
    }
  }

  #who(): Who {
    const presented = this.#authenticated?.presented
    if (!presented) return { ...nobody, address: this.#address }
    const caller = this.#caller
    return {
      issuer: presented.issuer,
      subject: presented.subject,
      client: presented.clientId,
      practitioner: caller && 'professional' in caller ? caller.professional : null,
      name: caller?.name ?? presented.name,
      role: caller?.kind === 'provider' ? caller.role : (caller?.kind ?? presented.role),
      facility: caller && 'facility' in caller ? caller.facility.id : null,
      organisation: caller && 'facility' in caller ? caller.facility.organisation : null,
      token: presented.jti,
      address: this.#address,
    }
  }

  #headers(): Record<string, string> {
    return {
      'X-Request-Id': this.requestId,
      ...(this.#facts ? { 'Dossier-Clock': `${this.#facts.clock.epoch}.${this.#facts.clock.n}` } : {}),
      ...(this.#staleness
        ? { 'Dossier-Stale': `${this.#staleness.seconds}${this.#staleness.degraded ? '; degraded' : ''}` }
        : {}),
    }
  }

}

const nobody: Who = {
  issuer: null,
  subject: null,
  client: null,
  practitioner: null,
  name: null,
  role: null,
  facility: null,
  organisation: null,
  token: null,
  address: null,
}

/** Refusals about what was sent: told only to callers who have rights here. */
const isInput = ({ reason }: Refusal): boolean =>
  reason === 'invalid' ||
  reason === 'conflict' ||
  reason === 'not-found' ||
  reason === 'no-such-path' ||
  reason === 'method-not-allowed' ||
  reason === 'unsupported-media-type' ||
  reason === 'body-too-large' ||
  reason === 'too-costly'

function unreceiptedKind(reason: 'log-unavailable' | 'log-overload' | 'replayed' | 'counted'): UnreceiptedKind {
  switch (reason) {
    case 'log-overload':
      return 'overload'
    case 'replayed':
    case 'counted':
      return 'unauthenticated'
    case 'log-unavailable':
      return 'log-unavailable'
  }
}

function faultOf(error: unknown): Refusal {
  const detail = error instanceof Error ? error.message : String(error)
  return error instanceof StoreError && error.code === 'unavailable'
    ? { reason: 'store-unavailable', detail }
    : { reason: 'internal', detail }
}
