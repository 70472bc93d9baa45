/**
 * Copies the log to the audit database, behind its commits. Entries leave the log's own storage only after the audit
 * database has said it holds them, and it takes each once however often it is sent, so a batch may fail at any point.
 */
import { limits } from '../limits.ts'
import { msUntil, withDeadline } from './deadline.ts'
import { isLasting } from './lasting-fault.ts'
import type { LedgerWriter } from './ledger.ts'
import type { StoredEntry } from './log-state.ts'
import { Waiters } from './waiters.ts'

/** The log as its drain sees it: `Sequencer`. */
export interface DrainSource {
  readonly log: string
  readonly drained: number
  entriesFrom(from: number): StoredEntry[]
  acknowledge(drained: number): void
}

export interface DrainOptions {
  readonly source: DrainSource
  readonly ledger: LedgerWriter
  /** False: nothing goes to the audit database any more. Default: always. */
  readonly mayDrain?: () => boolean
  readonly now: () => number
  /** Called whenever the audit database has more of the log. */
  readonly onDrained?: () => void
  /** Told of each failed batch. */
  readonly onFault?: (error: unknown) => void
}

export class Drain {
  readonly #options: DrainOptions
  #running: Promise<void> | null = null
  #failures = 0
  #fault: string | null = null
  /** Before this time the audit database is left alone. */
  #retryAt = 0
  readonly #waiters = new Waiters()
  #endPause: () => void = () => {}

  constructor(options: DrainOptions) {
    this.#options = options
  }

  /** Why draining can never go on by itself; null: it goes on, or will. Known again after a restart's first batch. */
  get fault(): string | null {
    return this.#fault
  }

  /** To be called after each commit and from time to time. Resolves when there is nothing to do, or not now. */
  run(): Promise<void> {
    if (msUntil(this.#retryAt, this.#options.now(), limits.maxDrainBackoffMs) > 0) return Promise.resolve()
    this.#running ??= this.#drain().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** True when every entry below `size` is in the audit database, false when `ms` have passed without. */
  async waitFor(size: number, ms: number): Promise<boolean> {
    if (this.#options.source.drained >= size) return true
    const waited = this.#waiters.wait(size, ms)
    // Somebody waits: neither the pause between batches nor a back-off applies.
    this.#retryAt = 0
    this.#endPause()
    void this.run()
    return await waited
  }

  async #drain(): Promise<void> {
    const { source, ledger, now, onFault, mayDrain = () => true } = this.#options
    while (mayDrain()) {
      const entries = source.entriesFrom(source.drained)
      const last = entries.at(-1)
      if (!last) return
      try {
        await withDeadline(ledger.append(source.log, entries), limits.drainDeadlineMs, 'the audit database')
      } catch (error) {
        const backoffMs = Math.min(limits.minDrainBackoffMs * 2 ** this.#failures, limits.maxDrainBackoffMs)
        this.#failures += 1
        this.#retryAt = now() + backoffMs
        // While the audit database is away nothing is learnt: what it said last still holds.
        if (isLasting(error)) this.#fault = `entries from ${source.drained}: ${error.message}`
        onFault?.(error)
        if (this.#waiters.isEmpty) return
        await this.#pause(backoffMs)
        continue
      }
      this.#failures = 0
      this.#fault = null
      source.acknowledge(last.index + 1)
      this.#waiters.reached(source.drained)
      this.#options.onDrained?.()
      if (entries.length < limits.maxDrainEntries && this.#waiters.isEmpty)
        await this.#pause(limits.drainEveryMs)
    }
  }

  /** Ends early when somebody begins to wait. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
