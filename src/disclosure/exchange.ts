/**
 * One request from its token to its receipt: authenticate → load → decide → append → release. No other way leads to a
 * response with data in it.
 */
import type { Authenticated } from '../access/authenticate.ts'
import type { Facts } from '../access/caller.ts'
import { type Clock, factStatements, readClock, readFacts } from '../access/facts.ts'
import { decideOperation } from '../access/policy.ts'
import type { AccessBase } from '../audit/entry.ts'
import type { Phase } from '../audit/port.ts'
import { err, ok, type Result } from '../result.ts'
import { type Rows, StoreError } from '../store/ports.ts'
import { type Load, parseSessionClock, type Staleness } from './load.ts'
import type { Disclosure, DisclosureStream, Loaded, Operation, OperationContext } from './operation.ts'
import type { Defer, Ports } from './ports.ts'
import { type Known, Recorder } from './recorder.ts'
import type { Refusal } from './refusal.ts'
import { refuseWithoutReceipt, release } from './release.ts'
import { readBody } from './request.ts'
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
  readonly #recorder: Recorder
  #authenticated: Authenticated | null = null
  // What the load of this request found; null until then.
  #clock: Clock | null = null
  #facts: Facts | null = null
  #staleness: Staleness | null = null
  #intended = false

  constructor(ports: Ports, { read, defer, request, language, operation }: Start) {
    this.#ports = ports
    this.#read = read
    this.#defer = defer
    this.#request = request
    this.url = new URL(request.url)
    this.language = language
    const { clientAddressHeader } = ports.config
    this.#recorder = new Recorder({
      logs: ports.logs,
      servingLog: ports.config.regions[0].log,
      defer,
      request,
      url: this.url,
      requestId: this.requestId,
      operation,
      address: clientAddressHeader ? request.headers.get(clientAddressHeader) : ports.peerAddress(request),
    })
  }

  /** Step 1. Null: go on; otherwise the answer. */
  async authenticate(): Promise<Response | null> {
    try {
      const result = await this.#ports.authenticator.authenticate(
        this.#request.headers.get('authorization'),
        this.now,
      )
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
      if (
        loaded &&
        !loaded.ok &&
        (loaded.error.reason === 'forbidden' || loaded.error.reason === 'unauthenticated')
      )
        reason = loaded.error
    }
    const wire = toWire(reason)
    const { reason: tag, detail } = auditReason(reason)
    const outcome = wire.status >= 500 ? 'error' : 'deny'
    const base = this.#recorder.describe(this.#known, wire.status, { outcome, reason: tag, detail }, null)
    // After an intent, a store that did not answer may have committed: the intent stays open and is settled later.
    const unknown = this.#intended && wire.status >= 500
    const phase: Phase = this.#intended && !unknown ? 'outcome' : 'access'
    const appended = await this.#recorder.append({ ...base, phase }, this.#known, [], 0, reason)
    if (!appended.ok) return refuseWithoutReceipt(appended.error)
    const { contentType, body } = refusalBody(wire, this.url.pathname, this.language)
    return release(appended.value, {
      status: wire.status,
      headers: {
        ...this.#headers(),
        ...wire.headers,
        'Content-Type': contentType,
        'Content-Language': this.language,
      },
      body,
    })
  }

  async #disclose(disclosure: Disclosure): Promise<Response> {
    const mismatches = disclosure.mismatches ?? []
    if (mismatches.length > 0)
      console.error(`policy-mismatch request=${this.requestId} rows=${mismatches.length}`)
    const base = this.#recorder.describe(
      this.#known,
      disclosure.status,
      {
        outcome: 'permit',
        reason: disclosure.reason,
        detail: mismatches.length > 0 ? `policy-mismatch: ${mismatches.join(' ')}` : null,
      },
      disclosure.note ?? null,
    )
    const phase: Phase = this.#intended ? 'outcome' : 'access'
    const appended = await this.#recorder.append(
      { ...base, phase },
      this.#known,
      disclosure.disclosed,
      0,
      null,
    )
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
          const appended = await this.#recorder.append(chunk, this.#known, subjects, ++sequence, null)
          if (!appended.ok) throw new Error('the audit log refused a chunk of this export')
        }
        controller.enqueue(next.value.bytes)
      },
      cancel: async () => {
        await source.return?.()
      },
    })
  }

  async #load(
    page: Parameters<OperationContext<unknown, unknown>['load']>[0],
  ): Promise<Result<Loaded, Refusal>> {
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
      this.#clock = readClock(snapshot.rows)
      this.#staleness = snapshot.staleness
      const read = readFacts(snapshot.rows.slice(0, facts.length), presented, placement, this.now)
      if (!read.ok && (read.error.reason === 'placement-changed' || read.error.reason === 'issuer-changed')) {
        // The replica that answered and the one asked before may differ by a moment: the caller may try again.
        if (attempt > 0) return err({ reason: 'store-unavailable', detail: read.error.reason })
        // The registry has moved on since the isolate last read it: verify against what it says now, once.
        this.#ports.authenticator.forget(presented)
        const again = await this.#ports.authenticator.authenticate(
          this.#request.headers.get('authorization'),
          this.now,
        )
        if (!again.ok) return again
        this.#authenticated = again.value
        continue
      }
      if (!read.ok) return err(read.error as Refusal)
      this.#facts = read.value
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
    const base = this.#recorder.describe(
      this.#known,
      0,
      { outcome: 'permit', reason: 'intent', detail: null },
      note,
    )
    const appended = await this.#recorder.append({ ...base, phase: 'intent' }, this.#known, [], 0, null)
    if (!appended.ok) return err({ reason: 'log-unavailable', detail: 'intent' })
    this.#intended = true
    return ok(undefined)
  }

  get #known(): Known {
    return {
      presented: this.#authenticated?.presented ?? null,
      placement: this.#authenticated?.placement ?? null,
      caller: this.#facts?.caller ?? null,
      clock: this.#clock,
      staleness: this.#staleness,
    }
  }

  #headers(): Record<string, string> {
    return {
      'X-Request-Id': this.requestId,
      ...(this.#clock ? { 'Dossier-Clock': `${this.#clock.epoch}.${this.#clock.n}` } : {}),
      ...(this.#staleness
        ? { 'Dossier-Stale': `${this.#staleness.seconds}${this.#staleness.degraded ? '; degraded' : ''}` }
        : {}),
    }
  }
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

function faultOf(error: unknown): Refusal {
  const detail = error instanceof Error ? error.message : String(error)
  return error instanceof StoreError && error.code === 'unavailable'
    ? { reason: 'store-unavailable', detail }
    : { reason: 'internal', detail }
}
