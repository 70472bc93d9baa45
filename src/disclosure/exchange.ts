/**
 * One request from its token to its receipt: authenticate → load → decide → append → release. No other way leads to a
 * response with data in it.
 */
import type { Authenticated, Credentials } from '../access/authenticate.ts'
import type { Caller, Presented } from '../access/caller.ts'
import type { Clock } from '../access/facts.ts'
import { decideOperation } from '../access/policy.ts'
import { parseScopes, type ScopeNeed, type Scopes } from '../access/scope.ts'
import type { Phase } from '../audit/port.ts'
import { isOfLine } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import { type AddressHelp, helped } from './address-help.ts'
import { raiseAlarm } from './alarms.ts'
import { ask } from './ask.ts'
import { codedFor } from './coding.ts'
import { faultOf } from './fault.ts'
import { type Load, parseSessionClock, type Staleness } from './load.ts'
import type { Asker, Disclosure, Loaded, Operation, OperationContext, Page, Writers } from './operation.ts'
import type { Defer, Ports } from './ports.ts'
import type { CallerRates, RateKind } from './rate-limit.ts'
import { isReplay, type Known, Recorder, type UnappendedKind } from './recorder.ts'
import { intendedBefore, isAccess, isInput, type Refusal } from './refusal.ts'
import { refuseWithoutReceipt, release } from './release.ts'
import { type Representation, representationOf } from './representation.ts'
import { callerAddress, conditionOf, credentialsOf, publicAddress, readBody } from './request.ts'
import { headersOf, noteOf, type Standing } from './standing.ts'
import { receiptedStream } from './stream.ts'
import { type FreeSlot, streamSlots } from './stream-slots.ts'
import { auditReason, refusalBody, toWire } from './wire.ts'

/** Of an operation, what is needed before its input is valid. */
export type Described = Pick<Operation, 'name' | 'action' | 'callers' | 'scope'>

export interface Start {
  readonly read: Load
  readonly defer: Defer
  readonly request: Request
  readonly language: 'fr' | 'en'
  readonly operation: Described
  readonly rates: CallerRates
  /** What this request counts as. */
  readonly rate: RateKind
  readonly help: AddressHelp
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
  readonly #operation: Described
  readonly #rates: CallerRates
  readonly #rate: RateKind
  readonly #help: AddressHelp
  readonly #representation: Representation
  readonly #address: string | null
  readonly #recorder: Recorder
  #authenticated: Authenticated | null = null
  // What the load of this request found; null until then.
  #clock: Clock | null = null
  #caller: Caller | null = null
  #staleness: Staleness | null = null
  #isLocalMissing = false
  #intended = false
  // Where the operation has what it permits appended; null: to the caller's log.
  #log: string | null = null
  #followsLog = false
  // What the token's scopes must allow; null until the input has named it.
  #need: ScopeNeed | null = null

  constructor(ports: Ports, { read, defer, request, language, operation, rates, rate, help }: Start) {
    this.#ports = ports
    this.#read = read
    this.#defer = defer
    this.#request = request
    this.#operation = operation
    this.#rates = rates
    this.#rate = rate
    this.#help = help
    this.url = publicAddress(request, ports.config.publicUrl)
    this.language = language
    this.#representation = representationOf(request, this.url)
    this.#address = callerAddress(request, ports)
    this.#recorder = new Recorder({
      logs: ports.logs,
      servingLog: ports.config.regions[0].log,
      defer,
      request,
      url: this.url,
      requestId: this.requestId,
      operation,
      address: this.#address,
    })
  }

  /** Whose token verified; null: nobody's. */
  get presented(): Presented | null {
    return this.#authenticated?.presented ?? null
  }

  /** Step 1. Null: go on; otherwise the answer. A request past a limit is not recorded singly, and its proof stays good. */
  async authenticate(): Promise<Response | null> {
    const wait = this.#rates.admitAddress(this.#address, Date.now())
    if (wait > 0) return refuseWithoutReceipt('rate-limited', wait)
    try {
      const result = await this.#ports.authenticator.authenticate(this.#credentials, this.now)
      if (!result.ok) return await this.refuse(result.error)
      this.#authenticated = result.value
      // Anyone can write a name into a token: only of one that verified are the names counted.
      const callerWait = this.#rates.admitCaller(result.value.presented, this.#rate, Date.now())
      return callerWait > 0 ? refuseWithoutReceipt('rate-limited', callerWait) : null
    } catch (error) {
      return await this.refuse(faultOf(error))
    }
  }

  /** Steps 2 to 5 of an operation whose input was valid. */
  async run<Param, Query>(operation: Operation<Param, Query>, param: Param, query: Query): Promise<Response> {
    const { refusal } = this.#representation
    if (refusal) return await this.refuse(refusal)
    try {
      this.#need = operation.scope(param)
      const log = operation.log?.(param) ?? null
      const isServed = log !== null && this.#ports.config.regions.some((region) => isOfLine(region.log, log))
      this.#log = isServed ? log : null
      this.#followsLog = operation.followsLog === true
      const result = await operation.handle(this.#context(operation, param, query))
      return result.ok ? await this.#disclose(result.value) : await this.refuse(result.error)
    } catch (error) {
      return await this.refuse(faultOf(error))
    }
  }

  /** Refuses, with an entry and a receipt; a caller without rights learns only that, whatever else is wrong. */
  async refuse(refusal: Refusal): Promise<Response> {
    let reason = refusal
    if (this.#authenticated && !this.#caller && isInput(refusal)) {
      const loaded = await this.#load(() => ({})).catch(() => null)
      if (loaded && !loaded.ok && isAccess(loaded.error)) reason = loaded.error
    }
    const wire = toWire(helped(reason, this.#help))
    const { reason: tag, detail } = auditReason(reason)
    const outcome = wire.status >= 500 ? 'error' : 'deny'
    const base = this.#recorder.describe(
      this.#known,
      wire.status,
      { outcome, reason: tag, detail },
      noteOf(this.#standing),
      'breakGlassReason' in reason ? reason.breakGlassReason : null,
    )
    if (reason.reason === 'internal') raiseAlarm('internal', this.requestId, reason.at)
    // After an intent, a store that did not answer may have committed: the intent stays open and is settled later.
    const unknown = this.#intended && wire.status >= 500
    const phase: Phase = this.#intended && !unknown ? 'outcome' : 'access'
    const patient = 'patient' in reason ? reason.patient : undefined
    const subjects = patient === undefined ? [] : [{ patient, resources: [] }]
    // An outcome ends its intent where that stands.
    const log = phase === 'outcome' ? this.#log : null
    const appended = await this.#recorder.append({ ...base, phase }, this.#known, subjects, {
      refusal: reason,
      log,
    })
    if (!appended.ok) return await this.#refuseUnlogged(appended.error)
    const { contentType, body } = refusalBody(wire, this.url.pathname, this.language)
    return release(appended.value, {
      status: wire.status,
      headers: {
        ...headersOf(this.requestId, this.#standing),
        ...wire.headers,
        'Content-Type': contentType,
        'Content-Language': this.language,
      },
      ...this.#representation.bodyOf(body),
    })
  }

  /** The log took no entry. A replay is told to it as what it is: by then its one-time keys are not sent again. */
  async #refuseUnlogged(kind: UnappendedKind): Promise<Response> {
    if (isReplay(kind)) return await this.refuse({ reason: 'unauthenticated', cause: kind })
    // Only an intent has a name of its own, and it is refused as what it is.
    return refuseWithoutReceipt(kind === 'intended-before' ? 'internal' : kind)
  }

  async #disclose(disclosure: Disclosure): Promise<Response> {
    const presented = this.#authenticated?.presented
    if (typeof disclosure.body === 'string' || !presented) return await this.#release(disclosure, () => {})
    const slot = streamSlots.take(presented)
    if (!slot.ok) return refuseWithoutReceipt(slot.error)
    try {
      return await this.#release(disclosure, slot.value)
    } catch (error) {
      slot.value()
      throw error
    }
  }

  /** @param free what a stream is to give back when it is over */
  async #release(disclosure: Disclosure, free: FreeSlot): Promise<Response> {
    const mismatches = disclosure.mismatches ?? []
    if (mismatches.length > 0) raiseAlarm('policy-mismatch', this.requestId)
    const base = this.#recorder.describe(
      this.#known,
      disclosure.status,
      {
        outcome: 'permit',
        reason: disclosure.reason,
        detail: mismatches.length > 0 ? `policy-mismatch: ${mismatches.join(' ')}` : null,
      },
      noteOf(this.#standing, disclosure.note),
      disclosure.breakGlassReason ?? null,
    )
    const phase: Phase = this.#intended ? 'outcome' : 'access'
    const appended = await this.#recorder.append({ ...base, phase }, this.#known, disclosure.disclosed, {
      log: this.#log,
    })
    if (!appended.ok) {
      free()
      return await this.#refuseUnlogged(appended.error)
    }
    const { status, body } = disclosure
    const type = body === '' ? {} : { 'Content-Type': disclosure.contentType }
    const headers = { ...headersOf(this.requestId, this.#standing), ...disclosure.headers, ...type }
    if (typeof body === 'string')
      return release(appended.value, { status, headers, ...this.#representation.bodyOf(body) })
    const stream = receiptedStream(this.#recorder, this.#known, base, this.#log, body, free)
    return release(appended.value, { status, headers, ...codedFor(this.#request, stream) })
  }

  async #load(page: (asker: Asker) => Page): Promise<Result<Loaded, Refusal>> {
    if (!this.#authenticated) throw new Error('load before authenticate')
    const question = {
      credentials: this.#credentials,
      session: parseSessionClock(this.#request.headers.get('dossier-clock')),
      now: this.now,
      defer: this.#defer,
      page,
    }
    const answer = await ask(this.#ports, this.#read, question, this.#authenticated)
    this.#authenticated = answer.authenticated
    this.#clock = answer.clock
    this.#staleness = answer.staleness
    if (!answer.loaded.ok) return answer.loaded
    const { caller, isLocalMissing } = answer.loaded.value
    this.#caller = caller
    this.#isLocalMissing = isLocalMissing
    const permitted = decideOperation(caller, this.#operation.callers, this.#scopes, this.#need)
    return permitted.ok ? answer.loaded : permitted
  }

  #context<Param, Query>(
    operation: Operation<Param, Query>,
    param: Param,
    query: Query,
  ): OperationContext<Param, Query> {
    const authenticated = this.#authenticated
    if (!authenticated) throw new Error('an operation runs only for an authenticated caller')
    const { config, ledger, logs, redactions } = this.#ports
    return {
      param,
      query,
      requestId: this.requestId,
      origin: this.url.origin,
      url: this.url,
      now: this.now,
      language: this.language,
      presented: authenticated.presented,
      scopes: this.#scopes,
      keys: config,
      logs: config.regions.map(({ log }) => log),
      load: (page) => this.#load(page),
      ifMatch: conditionOf(this.#request, operation, 'If-Match'),
      ifNoneMatch: conditionOf(this.#request, operation, 'If-None-Match'),
      ifModifiedSince: conditionOf(this.#request, operation, 'If-Modified-Since'),
      ifNoneExist: conditionOf(this.#request, operation, 'If-None-Exist'),
      prefer: this.#request.headers.get('prefer'),
      asked: (text) => this.#recorder.ask(text),
      bodies: operation.bodies ?? [],
      body: () => readBody(this.#request, operation.bodyTypes ?? []),
      intend: (note, once) => this.#intend(note, once),
      definitions: () => this.#ports.definitions(),
      ledger,
      redactions,
      auditLogs: logs,
      describe: (note) => this.#recorder.describe(this.#known, 0, permitted, note),
      logPolicy: config.logPolicy,
      drainedLog: (log) => drainedLog(logs, log),
    }
  }

  async #intend(note: Readonly<Record<string, string>>, once?: string): Promise<Result<Writers, Refusal>> {
    const base = this.#recorder.describe(this.#known, 0, permitted, note)
    const appended = await this.#recorder.append({ ...base, phase: 'intent' }, this.#known, [], {
      log: this.#log,
      followsLog: this.#followsLog,
      once,
    })
    if (!appended.ok) return err(unintended(appended.error))
    this.#intended = true
    const placement = this.#authenticated?.placement
    const local = placement ? (this.#ports.locals.get(placement.region)?.writer ?? null) : null
    return ok({ records: this.#ports.primary, local })
  }

  get #credentials(): Credentials {
    return credentialsOf(this.#request, this.url)
  }

  get #scopes(): Scopes {
    return parseScopes(this.#authenticated?.presented.scopes ?? [])
  }

  get #known(): Known {
    return {
      presented: this.presented,
      placement: this.#authenticated?.placement ?? null,
      once: this.#authenticated?.once ?? [],
      caller: this.#caller,
      clock: this.#clock,
      staleness: this.#staleness,
    }
  }

  get #standing(): Standing {
    return { ...this.#known, isLocalMissing: this.#isLocalMissing }
  }
}

/** What is permitted and not done yet. */
const permitted = { outcome: 'permit', reason: 'intent', detail: null } as const

/** Waits until the ledger holds all that is in this log by now. */
async function drainedLog(logs: Ports['logs'], log: string): Promise<Result<null, Refusal>> {
  const status = await logs.status(log)
  if (!status.ok) return status
  if (await logs.drained(log, status.value.size)) return ok(null)
  return err({ reason: 'store-unavailable', detail: `the ledger does not hold log ${log} yet` })
}

/** Why an intent is not in the log. */
function unintended(kind: UnappendedKind): Refusal {
  if (isReplay(kind)) return { reason: 'unauthenticated', cause: kind }
  return kind === 'intended-before' ? intendedBefore : { reason: 'log-unavailable', detail: 'intent' }
}
