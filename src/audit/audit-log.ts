/**
 * One audit log, put together: it takes appends at once, and behind them, in this order: anchored by somebody else's memory
 * → drained into the audit database → public at its cadence → witnessed. Everything that can fail is a port.
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { Anchor, type AnchorSource, type OwnView } from './anchor.ts'
import type { AnchorStore } from './anchor-store.ts'
import { adoptIntents } from './append-memory.ts'
import { attestFault, signAttestation } from './attestation.ts'
import type { AppendAnswer } from './commit.ts'
import { type RandomBytes, randomBytesOf } from './commitment.ts'
import { Drain } from './drain.ts'
import type { LogSigner } from './log-signer.ts'
import { LogStanding } from './log-standing.ts'
import { createSchema, loadState } from './log-state.ts'
import type { LogStore } from './log-store.ts'
import type { OutsideStore, SignedCheckpoint } from './outside-store.ts'
import type {
  AppendRefusal,
  AppendRequest,
  Attestation,
  AttestRequest,
  LogStatus,
  OpenIntent,
} from './port.ts'
import {
  loadPublication,
  type Publication,
  savePublication,
  storedCheckpoints,
  storedLeaves,
} from './publication-state.ts'
import { Publisher } from './publisher.ts'
import { Remembering } from './remembering.ts'
import { Sequencer } from './sequencer.ts'
import { strandedEntries } from './stranded.ts'
import type { Closing, Founding, NotBegun, StrandedPage } from './succession.ts'
import type { Witness, WitnessClient } from './witness-client.ts'
import { Witnessing } from './witnessing.ts'

export interface AuditLogOptions {
  readonly log: string
  readonly store: LogStore
  readonly outside: OutsideStore
  /** *records*; null: there is none to remember the log. */
  readonly anchors: AnchorStore | null
  readonly witnesses: readonly Witness[]
  readonly client: WitnessClient
  /** Signers of this log, by each of the operator's secrets, the current one first. */
  readonly signers: readonly [LogSigner, ...LogSigner[]]
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Salts; default: the system's. */
  readonly random?: RandomBytes
  /** A log that is to have a predecessor takes nothing before `found` has begun it; default false. */
  readonly mustBeFounded?: boolean
  readonly publishEveryMs?: number
  readonly maxSingleFailuresPerMinute?: number
  readonly onFault: (what: string, error: unknown) => void
}

export class AuditLog {
  readonly log: string
  readonly #options: AuditLogOptions
  readonly #signer: LogSigner
  readonly #sequencer: Sequencer
  readonly #anchor: Anchor
  readonly #drain: Drain
  readonly #publisher: Publisher
  readonly #witnessings: readonly Witnessing[]
  readonly #standing: LogStanding
  readonly #remembering: Remembering | null

  constructor(options: AuditLogOptions) {
    const { log, store, outside, now, witnesses, client, onFault } = options
    this.log = log
    this.#options = options
    const { publication, size, drained } = store.read((sql) => {
      createSchema(sql)
      const { frontier, drained } = loadState(sql, log)
      return { publication: loadPublication(sql), size: Number(frontier.size), drained }
    })
    this.#signer = signerOf(options.signers, publication)
    this.#standing = new LogStanding({
      log,
      store,
      mustBeFounded: options.mustBeFounded ?? false,
      size: () => this.#sequencer.size,
      onHalt: (reason) => onFault('going on', new Error(reason)),
    })
    const mayGoOn = (): boolean => this.#standing.halted === null
    this.#sequencer = new Sequencer({
      log,
      store,
      now,
      random: options.random ?? randomBytesOf,
      maxSingleFailuresPerMinute: options.maxSingleFailuresPerMinute ?? limits.maxSingleFailuresPerMinute,
      covered: () => this.#publisher.signed,
      closed: () => this.#standing.closed(),
      onCommit: () => this.wake(),
    })
    this.#drain = new Drain({
      source: this.#sequencer,
      ledger: outside,
      mayDrain: mayGoOn,
      now,
      onDrained: () => void this.#publisher.run(),
      onFault: (error) => onFault('draining', error),
    })
    const onAhead = (reason: string): Promise<void> => this.#standing.halt(reason)
    this.#publisher = new Publisher({
      log,
      store,
      outside,
      signer: this.#signer,
      drained: () => this.#sequencer.drained,
      mayPublish: () => this.#anchor.isAnchored && mayGoOn(),
      now,
      everyMs: options.publishEveryMs ?? limits.publishEveryMs,
      onPublished: (checkpoint) => this.#tell(checkpoint),
      onContradiction: onAhead,
      onFault: (error) => onFault('publishing', error),
    })
    const signed = (): number => this.#publisher.signed
    this.#witnessings = witnesses.map(
      (witness) =>
        new Witnessing({
          log,
          witness,
          client,
          outside,
          now,
          signed,
          onAhead,
          onFault: (error) => onFault('witnessing', error),
        }),
    )
    const own = (size: number, drained: number, signed: number): OwnView => ({
      size,
      drained,
      signed,
      checkpoints: store.read(storedCheckpoints),
      leafAt: (index) => store.read((sql) => storedLeaves(sql, index, index + 1))[0] ?? null,
    })
    this.#remembering =
      options.anchors &&
      new Remembering({
        log,
        anchors: options.anchors,
        own: () => own(this.#sequencer.size, this.#sequencer.drained, signed()),
        now,
        onAhead,
        onFault: (error) => onFault('anchoring', error),
      })
    this.#anchor = new Anchor({
      own: own(size, drained, Number(publication.edge.size)),
      sources: this.#anchorSources(),
      now,
      onAhead,
      onAnchored: () =>
        outside.register(
          this.#signer.identity,
          store.read((sql) => loadPublication(sql).predecessor),
        ),
      onFault: (error) => onFault('anchoring', error),
    })
  }

  append(request: AppendRequest): Promise<AppendAnswer> {
    return this.#sequencer.append(request)
  }

  appendFailure(address: string, reason: string, request: AppendRequest): Promise<AppendAnswer> {
    return this.#sequencer.appendFailure(address, reason, request)
  }

  openIntents(): OpenIntent[] {
    return this.#sequencer.openIntents()
  }

  status(): LogStatus {
    this.wake()
    return {
      log: this.log,
      size: String(this.#sequencer.size),
      drained: String(this.#sequencer.drained),
      published: String(this.#publisher.served),
      openIntents: this.#sequencer.countOpenIntents(),
      standing: this.#standing.name(this.#anchor.isAnchored),
      successor: this.#standing.isRetired ? this.#standing.successor : null,
      fault: this.#standing.fault ?? this.#anchor.fault ?? this.#drain.fault ?? this.#publisher.fault,
      witnesses: this.#witnessings.flatMap(({ fault }) => fault ?? []),
    }
  }

  /** True when every entry below `size` is in the audit database, false when `ms` have passed without. */
  async drained(size: number, ms: number): Promise<boolean> {
    return (await this.#anchor.run()) && (await this.#drain.waitFor(size, ms))
  }

  /** True when the audit database has a checkpoint that covers `size`, false when `ms` have passed without. */
  async published(size: number, ms: number): Promise<boolean> {
    const { now } = this.#options
    const deadline = now() + ms
    return (
      (await this.drained(size, ms)) && (await this.#publisher.waitFor(size, Math.max(deadline - now(), 0)))
    )
  }

  /** Signs where chains stand and which logs there are, all as of one size. A log that may not sign refuses. */
  async attest(request: AttestRequest): Promise<Result<Attestation, AppendRefusal>> {
    const isAnchored = await this.#anchor.run()
    const fault =
      isAnchored && this.#standing.halted === null
        ? attestFault(request)
        : `${this.log} signs nothing: it is ${this.#standing.name(isAnchored)}`
    if (fault !== null) return err({ reason: 'log-unavailable', detail: fault })
    return ok(await this.#options.store.commit((sql) => signAttestation(sql, this.#signer, request)))
  }

  /** Goes on with whatever waits. */
  wake(): void {
    void this.advance()
  }

  /** As `wake`; resolves when there is nothing to do, or not now. */
  async advance(): Promise<void> {
    // An empty log is not announced: nobody has begun it yet.
    if (this.#standing.halted !== null || this.#sequencer.size === 0 || !(await this.#anchor.run())) return
    await Promise.all([this.#drain, this.#publisher, ...this.#told].map((each) => each.run()))
  }

  /** From time to time: what no request has pushed on. */
  async tick(): Promise<void> {
    this.#sequencer.tick()
    await this.advance()
  }

  /** Whether anything here waits for time to pass or for somebody else. */
  get isSettled(): boolean {
    return (
      this.#standing.halted !== null ||
      (this.#publisher.served === this.#sequencer.size &&
        !this.#sequencer.hasCounts &&
        this.#told.every(({ isSettled }) => isSettled))
    )
  }

  /**
   * Takes no entry any more, from now on and for good. A sound log is drained and public before it closes, so that it has
   * to be reachable; of one that cannot be, the entries stay in its storage.
   */
  async close(successor: string): Promise<Result<Closing, AppendRefusal | NotBegun>> {
    if (this.#standing.isUnbegun && !(await this.#isRemembered())) return err({ reason: 'not-begun' })
    const isSound = this.#standing.halted === null && this.status().fault === null
    const publish = (): Promise<boolean> => this.published(this.#sequencer.size, limits.exportDrainWaitMs)
    if (this.#standing.successor === null && isSound && !(await publish())) return notDrained
    const name = this.#standing.close(successor)
    // Also where it closed before: that may not have become durable.
    if (!this.#standing.isRetired)
      await this.#sequencer.finish((sql) => savePublication(sql, { successor: name }))
    if (isSound && !(await publish())) return notDrained
    return ok({
      successor: name,
      // That of its checkpoints, also where its secret is gone.
      vkey: this.#options.store.read(loadPublication).vkey ?? this.#signer.identity.vkey,
      openIntents: this.#sequencer.openIntents(Number.MAX_SAFE_INTEGER),
    })
  }

  /** Entries from `from` on that the audit database does not hold as they are here. */
  stranded(from: number): Promise<StrandedPage> {
    return strandedEntries(this.#sequencer, this.#options.outside, from)
  }

  /** Begins this log: entry 0 names its predecessor, and what was to be settled there is settled here. */
  async found({ predecessor, append, openIntents }: Founding): Promise<AppendAnswer> {
    const { store, now } = this.#options
    await store.commit((sql) => {
      const known = loadPublication(sql).predecessor
      if (known !== null && known !== predecessor) throw new Error(`${this.log} succeeds ${known}`)
      // Once: the old log keeps telling of intents that have been settled here since.
      if (known !== null) return
      savePublication(sql, { predecessor })
      adoptIntents(sql, openIntents, now())
    })
    return await this.#standing.founding(() => this.append(append))
  }

  /** Callers go on to the successor from now on, and so does the public list. */
  async retire(): Promise<void> {
    const { successor } = this.#standing
    if (successor === null) throw new Error(`${this.log} is not closed`)
    await this.#options.outside.putSuccessor(this.log, successor)
    await this.#standing.retire()
  }

  /** Whether the audit database has anything of a log whose storage is empty: then that was lost. */
  async #isRemembered(): Promise<boolean> {
    const { entries, checkpoint } = await this.#options.outside.view(this.log)
    return checkpoint !== null || (entries?.size ?? 0) > 0
  }

  #tell(checkpoint: SignedCheckpoint): void {
    for (const each of this.#told) void each.offer(checkpoint)
  }

  /** Those who are told of each newest checkpoint once it is public. */
  get #told(): readonly (Witnessing | Remembering)[] {
    return this.#remembering ? [...this.#witnessings, this.#remembering] : this.#witnessings
  }

  #anchorSources(): [AnchorSource, ...AnchorSource[]] {
    const { log, store, outside, anchors } = this.#options
    const newest = store.read(storedCheckpoints).at(-1)
    return [
      { who: 'the audit database', view: () => outside.view(log) },
      ...(anchors ? [{ who: 'records', view: () => anchors.view(log) }] : []),
      // Only with a signature that exists: asking must not make another one.
      ...(newest ? this.#witnessings.map((each) => ({ who: each.who, view: () => each.view(newest) })) : []),
    ]
  }
}

const notDrained = err({
  reason: 'log-unavailable',
  detail: 'the audit database does not hold all of this log yet',
} as const)

/** The one whose key the log has signed with, else the current one. */
function signerOf(signers: AuditLogOptions['signers'], { vkey }: Publication): LogSigner {
  return signers.find(({ identity }) => identity.vkey === vkey) ?? signers[0]
}
