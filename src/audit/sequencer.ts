/**
 * The only writer of a log. An idle log commits at once; whatever arrives during a commit forms the next one, so that
 * one fsync serves as many appends as there are waiting, and none waits for a timer.
 */
import { limits } from '../limits.ts'
import { err } from '../result.ts'
import { countOpenIntents, overdueIntents } from './append-memory.ts'
import { type AppendAnswer, applyCommit } from './commit.ts'
import {
  FailureCounter,
  hasFailureCounts,
  minuteOf,
  storeFailureCounts,
  takeFinishedCounts,
} from './failures.ts'
import { createSchema, loadState, type StoredEntry, undrainedEntries } from './log-state.ts'
import type { LogStore } from './log-store.ts'
import type { AppendRefusal, AppendRequest, LogStatus, OpenIntent } from './port.ts'

interface Pending {
  readonly request: AppendRequest
  readonly resolve: (answer: AppendAnswer) => void
}

export interface SequencerOptions {
  readonly log: string
  readonly store: LogStore
  /** Milliseconds since 1970; may go back, the log's time does not. */
  readonly now: () => number
  /** Called after each durable commit. */
  readonly onCommit?: () => void
}

export class Sequencer {
  readonly log: string
  readonly #store: LogStore
  readonly #now: () => number
  readonly #onCommit: () => void
  // Owned by this instance; lost in a crash, whereupon their callers hear `log-unavailable` and may repeat them.
  #pending: Pending[] = []
  #pendingEntries = 0
  #pendingFailures: Pending[] = []
  readonly #failures = new FailureCounter()
  /** Below this index the audit database has everything; stored with the next commit. */
  #acknowledged: number
  /** Something other than an append waits for a commit. */
  #kicked = false
  #committing = false
  /** Size of the log at the last durable commit: never ahead of storage, unlike what a read of the tables may see. */
  #size: number

  /** @throws Error when the storage belongs to another log. */
  constructor({ log, store, now, onCommit = () => {} }: SequencerOptions) {
    this.log = log
    this.#store = store
    this.#now = now
    this.#onCommit = onCommit
    const state = store.read((sql) => {
      createSchema(sql)
      return loadState(sql, log)
    })
    this.#size = Number(state.frontier.size)
    this.#acknowledged = state.drained
  }

  /** Resolves when the entries are durable, or with the reason why they are not (then they may be, and are found again). */
  append(request: AppendRequest): Promise<AppendAnswer> {
    const refusal = this.#refusal(request)
    if (refusal) return Promise.resolve(err(refusal))
    if (this.#pendingEntries + request.entries.length > limits.maxPendingAppends)
      return Promise.resolve(overload)
    this.#pendingEntries += request.entries.length
    return this.#enqueue(this.#pending, request)
  }

  /** A failed authentication: `counted` once its address has had its single entries of this minute. */
  appendFailure(address: string, reason: string, request: AppendRequest): Promise<AppendAnswer> {
    const refusal = this.#refusal(request)
    if (refusal) return Promise.resolve(err(refusal))
    const now = this.#now()
    if (this.#failures.admit(address, reason, now)) {
      if (this.#pendingFailures.length < limits.maxPendingFailures)
        return this.#enqueue(this.#pendingFailures, request)
      this.#failures.count(address, reason, now)
    }
    this.#kick()
    return Promise.resolve(err({ reason: 'counted' }))
  }

  status(): LogStatus {
    const openIntents = this.#store.read(countOpenIntents)
    return { log: this.log, size: String(this.#size), drained: String(this.#acknowledged), openIntents }
  }

  openIntents(): OpenIntent[] {
    return this.#store.read((sql) => overdueIntents(sql, this.#now()))
  }

  /** Durable entries from index `from` on, as many as one batch to the audit database takes. */
  entriesFrom(from: number): StoredEntry[] {
    return this.#store.read((sql) => undrainedEntries(sql, from, this.#size))
  }

  /** The audit database holds every entry below `drained`: they may go from here. */
  acknowledge(drained: number): void {
    if (drained <= this.#acknowledged || drained > this.#size) return
    this.#acknowledged = drained
    this.#kick()
  }

  get drained(): number {
    return this.#acknowledged
  }

  /** Whether anything here waits for time to pass or for the audit database. */
  get isSettled(): boolean {
    return (
      this.#acknowledged === this.#size &&
      !this.#store.read((sql) => hasFailureCounts(sql, Number.MAX_SAFE_INTEGER))
    )
  }

  /** Appends the counted failures of minutes that are over. */
  tick(): void {
    if (this.#store.read((sql) => hasFailureCounts(sql, minuteOf(this.#now())))) this.#kick()
  }

  #refusal({ entries }: AppendRequest): AppendRefusal | null {
    if (this.#size - this.#acknowledged >= limits.maxUndrainedEntries) return overload.error
    const fits = ({ access }: { access: string }): boolean =>
      access.isWellFormed() && Buffer.byteLength(access) <= limits.maxEntryBytes - limits.entryFrameBytes
    if (entries.length >= 1 && entries.length <= limits.maxAppendEntries && entries.every(fits)) return null
    return { reason: 'log-unavailable', detail: 'the append breaks a limit' }
  }

  #enqueue(queue: Pending[], request: AppendRequest): Promise<AppendAnswer> {
    return new Promise((resolve) => {
      queue.push({ request, resolve })
      void this.#pump()
    })
  }

  #kick(): void {
    this.#kicked = true
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#committing) return
    this.#committing = true
    while (this.#kicked || this.#pending.length > 0 || this.#pendingFailures.length > 0) await this.#commit()
    this.#committing = false
  }

  async #commit(): Promise<void> {
    const batch = [...this.#pending, ...this.#pendingFailures.splice(0, limits.maxFailuresPerCommit)]
    const counts = this.#failures.take()
    this.#pending = []
    this.#pendingEntries = 0
    this.#kicked = false
    try {
      const { answers, state } = await this.#store.commit((sql) => {
        const now = this.#now()
        storeFailureCounts(sql, counts)
        const requests = [...batch.map(({ request }) => request), ...takeFinishedCounts(sql, now)]
        return applyCommit(sql, this.log, requests, this.#acknowledged, now)
      })
      this.#size = Number(state.frontier.size)
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as AppendAnswer)
      this.#onCommit()
    } catch (error) {
      this.#failures.giveBack(counts)
      this.#refuseAll(batch, error instanceof Error ? error.message : String(error))
    }
  }

  /**
   * After a failed commit nobody knows what is stored until it is read again, which the next commit does. Everything
   * waiting is refused: a caller that repeats its append gets the first reply, if it was stored after all.
   */
  #refuseAll(batch: readonly Pending[], detail: string): void {
    const refused = [...batch, ...this.#pending, ...this.#pendingFailures]
    this.#pending = []
    this.#pendingEntries = 0
    this.#pendingFailures = []
    for (const { resolve } of refused) resolve(err({ reason: 'log-unavailable', detail }))
  }
}

const overload = err({ reason: 'log-overload' } as const)
