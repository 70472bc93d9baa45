/**
 * The only writer of a log. An idle log commits at once; whatever arrives during a commit forms the next one, so that
 * one fsync serves as many appends as there are waiting, and none waits for a timer.
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { countOpenIntents, openIntentsBefore } from './append-memory.ts'
import { AppendQueue, type Pending } from './append-queue.ts'
import { type AppendAnswer, applyCommit } from './commit.ts'
import { type RandomBytes, randomBytesOf } from './commitment.ts'
import {
  FailureCounter,
  hasFailureCounts,
  minuteOf,
  storeFailureCounts,
  takeFinishedCounts,
} from './failures.ts'
import { createSchema, loadState, type StoredEntry, undrainedEntries } from './log-state.ts'
import type { LogSql, LogStore } from './log-store.ts'
import type { AppendRefusal, AppendRequest, OpenIntent, Retired } from './port.ts'

export interface SequencerOptions {
  readonly log: string
  readonly store: LogStore
  /** Milliseconds since 1970; may go back, the log's time does not. */
  readonly now: () => number
  /** Salts; default: the system's. */
  readonly random?: RandomBytes
  /** Failed authentications of one address that are appended singly; default `limits.maxSingleFailuresPerMinute`. */
  readonly maxSingleFailuresPerMinute?: number
  /** Below this index the log's own storage has forgotten everything: a checkpoint covers it. Default: nothing. */
  readonly covered?: () => number
  /** Why the log takes no entry (any more); null: it does. Asked again right before each commit. */
  readonly closed?: () => AppendRefusal | Retired | null
  /** Called after each durable commit. */
  readonly onCommit?: () => void
}

export class Sequencer {
  readonly log: string
  readonly #store: LogStore
  readonly #now: () => number
  readonly #random: RandomBytes
  readonly #covered: () => number
  readonly #closed: () => AppendRefusal | Retired | null
  readonly #onCommit: () => void
  // Owned by this instance, and lost with it: a caller without an answer may repeat its append.
  readonly #appends = new AppendQueue({
    maxEntries: limits.maxPendingAppends,
    maxBytes: limits.maxPendingAppendBytes,
  })
  readonly #singleFailures = new AppendQueue({
    maxEntries: limits.maxPendingFailures,
    maxBytes: limits.maxPendingFailureBytes,
  })
  readonly #failures: FailureCounter
  /** Below this index the audit database has everything; stored with the next commit. */
  #acknowledged: number
  /** Something other than an append waits for a commit. */
  #kicked = false
  #pumping: Promise<void> | null = null
  /** Size of the log at the last durable commit: never ahead of storage, unlike what a read of the tables may see. */
  #size: number

  /** @throws Error when the storage belongs to another log. */
  constructor({
    log,
    store,
    now,
    random = randomBytesOf,
    maxSingleFailuresPerMinute = limits.maxSingleFailuresPerMinute,
    covered = () => 0,
    closed = () => null,
    onCommit = () => {},
  }: SequencerOptions) {
    this.log = log
    this.#store = store
    this.#now = now
    this.#random = random
    this.#covered = covered
    this.#closed = closed
    this.#onCommit = onCommit
    this.#failures = new FailureCounter(maxSingleFailuresPerMinute)
    const state = store.read((sql) => {
      createSchema(sql)
      return loadState(sql, log)
    })
    this.#size = Number(state.frontier.size)
    this.#acknowledged = state.drained
  }

  /** Resolves when the entries are durable, or with the reason why they are not (then they may be, and are found again). */
  append(request: AppendRequest): Promise<AppendAnswer> {
    const measured = this.#measure(request)
    if (!measured.ok) return Promise.resolve(measured)
    if (!this.#appends.hasRoomFor(request, measured.value)) return Promise.resolve(overload)
    return this.#enqueue(this.#appends, request, measured.value)
  }

  /** A failed authentication: `counted` once its address has had its single entries of this minute. */
  appendFailure(address: string, reason: string, request: AppendRequest): Promise<AppendAnswer> {
    const measured = this.#measure(request)
    if (!measured.ok) return Promise.resolve(measured)
    const now = this.#now()
    if (this.#failures.admit(address, reason, now)) {
      if (this.#singleFailures.hasRoomFor(request, measured.value))
        return this.#enqueue(this.#singleFailures, request, measured.value)
      this.#failures.count(address, reason, now)
    }
    this.#kick()
    return Promise.resolve(err({ reason: 'counted' }))
  }

  /** Entries in the log, all durable. */
  get size(): number {
    return this.#size
  }

  countOpenIntents(): number {
    return this.#store.read(countOpenIntents)
  }

  /** `before`: begun then or earlier; default: long enough ago to be settled. */
  openIntents(before = this.#now() - limits.settleAfterMs): OpenIntent[] {
    return this.#store.read((sql) => openIntentsBefore(sql, before))
  }

  /** Durable entries from index `from` on, as many as one batch to the audit database takes. */
  entriesFrom(from: number): StoredEntry[] {
    return from < this.#size ? this.#store.read((sql) => undrainedEntries(sql, from, this.#size)) : []
  }

  /** The audit database holds every entry below `drained`. A restart may send some again, which it passes over. */
  acknowledge(drained: number): void {
    if (drained > this.#acknowledged && drained <= this.#size) this.#acknowledged = drained
  }

  get drained(): number {
    return this.#acknowledged
  }

  /** Whether failed authentications wait for their minute to end. */
  get hasCounts(): boolean {
    return this.#store.read((sql) => hasFailureCounts(sql, Number.MAX_SAFE_INTEGER))
  }

  /** From time to time: appends the counted failures of minutes that are over. */
  tick(): void {
    if (this.#store.read((sql) => hasFailureCounts(sql, minuteOf(this.#now())))) this.#kick()
  }

  /**
   * The last commit of a log: what is counted of failed authentications, also of the minute that is not over, and `change`.
   * To be called when `closed` says no, so that none comes after it.
   */
  async finish(change: (sql: LogSql) => void): Promise<void> {
    await this.#pumping
    const counts = this.#failures.take()
    try {
      const { state } = await this.#store.commit((sql) => {
        storeFailureCounts(sql, counts)
        const requests: AppendRequest[] = []
        while (hasFailureCounts(sql, Number.MAX_SAFE_INTEGER))
          requests.push(...takeFinishedCounts(sql, Number.MAX_SAFE_INTEGER))
        change(sql)
        return applyCommit(sql, this.log, requests, this.#acknowledged, this.#now(), this.#random)
      })
      this.#size = Number(state.frontier.size)
    } catch (error) {
      this.#failures.giveBack(counts)
      throw error
    }
  }

  /** Bytes of the entries in UTF-8, or why they cannot be appended. */
  #measure({ entries }: AppendRequest): Result<number, AppendRefusal | Retired> {
    const closed = this.#closed()
    if (closed) return err(closed)
    if (this.#size - this.#covered() >= limits.maxUndrainedEntries) return overload
    if (entries.length < 1 || entries.length > limits.maxAppendEntries) return malformed
    let bytes = 0
    for (const { access } of entries) {
      const size = Buffer.byteLength(access)
      if (size > limits.maxEntryBytes - limits.entryFrameBytes || !access.isWellFormed()) return malformed
      bytes += size
    }
    return ok(bytes)
  }

  #enqueue(queue: AppendQueue, request: AppendRequest, bytes: number): Promise<AppendAnswer> {
    const answer = queue.add(request, bytes)
    this.#pump()
    return answer
  }

  #kick(): void {
    this.#kicked = true
    this.#pump()
  }

  /** To be called with something to commit. */
  #pump(): void {
    this.#pumping ??= this.#commitAll()
  }

  async #commitAll(): Promise<void> {
    while (this.#kicked || !this.#appends.isEmpty || !this.#singleFailures.isEmpty) await this.#commit()
    // At once, not by `finally`: what is queued before that runs would wait for the next append.
    this.#pumping = null
  }

  async #commit(): Promise<void> {
    const appends = this.#appends.take(limits.maxPendingAppends)
    const failures = this.#singleFailures.take(limits.maxFailuresPerCommit)
    const counts = this.#failures.take()
    const kicked = this.#kicked
    this.#kicked = false
    const closed = this.#closed()
    if (closed) {
      this.#failures.giveBack(counts)
      for (const pending of appends) this.#appends.answer(pending, err(closed))
      for (const pending of failures) this.#singleFailures.answer(pending, err(closed))
      return
    }
    try {
      const { answers, state } = await this.#store.commit((sql) => {
        const now = this.#now()
        storeFailureCounts(sql, counts)
        const requests = [...appends, ...failures].map(({ request }) => request)
        // Minutes end without an append: `tick` asks for what they counted, so that appends need not look.
        if (kicked) requests.push(...takeFinishedCounts(sql, now))
        return applyCommit(sql, this.log, requests, this.#acknowledged, now, this.#random)
      })
      this.#size = Number(state.frontier.size)
      const answerOf = (i: number): AppendAnswer => answers[i] as AppendAnswer
      for (const [i, pending] of appends.entries()) this.#appends.answer(pending, answerOf(i))
      for (const [i, pending] of failures.entries())
        this.#singleFailures.answer(pending, answerOf(appends.length + i))
      this.#onCommit()
    } catch (error) {
      this.#failures.giveBack(counts)
      this.#refuseAll(appends, failures, error instanceof Error ? error.message : String(error))
    }
  }

  /**
   * After a failed commit nobody knows what is stored until it is read again, which the next commit does. Everything
   * waiting is refused: a caller that repeats its append gets the first reply, if it was stored after all.
   */
  #refuseAll(appends: readonly Pending[], failures: readonly Pending[], detail: string): void {
    const refused = err({ reason: 'log-unavailable', detail } as const)
    for (const pending of [...appends, ...this.#appends.take(limits.maxPendingAppends)])
      this.#appends.answer(pending, refused)
    for (const pending of [...failures, ...this.#singleFailures.take(limits.maxPendingFailures)])
      this.#singleFailures.answer(pending, refused)
  }
}

const overload = err({ reason: 'log-overload' } as const)
const malformed = err({ reason: 'log-unavailable', detail: 'the append breaks a limit' } as const)
