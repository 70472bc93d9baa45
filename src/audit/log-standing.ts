/**
 * Whether a log may go on: halted, being succeeded, retired, or not begun yet. As stored, or ahead of it on the safe side:
 * what stops this instance stops it before it is durable.
 */
import type { LogStore } from './log-store.ts'
import type { AppendRefusal, LogStatus, Retired } from './port.ts'
import { loadPublication, savePublication } from './publication-state.ts'

export interface LogStandingOptions {
  readonly log: string
  readonly store: LogStore
  /** A log that is to have a predecessor takes nothing before it is founded. */
  readonly mustBeFounded: boolean
  /** Entries in the log. */
  readonly size: () => number
  readonly onHalt: (reason: string) => void
}

export class LogStanding {
  readonly #options: LogStandingOptions
  #halted: string | null
  #successor: string | null
  #isRetired: boolean
  #isFounding = false

  constructor(options: LogStandingOptions) {
    this.#options = options
    const { halted, successor, isRetired } = options.store.read(loadPublication)
    this.#halted = halted
    this.#successor = successor
    this.#isRetired = isRetired
  }

  /** Why it must not go on; null: it may. */
  get halted(): string | null {
    return this.#halted
  }

  /** Set from the moment it closes. */
  get successor(): string | null {
    return this.#successor
  }

  /** Callers go on to the successor. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** Closed is told as retired: either way it takes no entry any more. */
  name(isAnchored: boolean): LogStatus['standing'] {
    if (this.#halted !== null) return 'halted'
    if (this.#successor !== null) return 'retired'
    return isAnchored ? 'anchored' : 'unanchored'
  }

  /** Why it takes no entry; null: it does. */
  closed(): AppendRefusal | Retired | null {
    const { log } = this.#options
    if (this.#isRetired) return { reason: 'retired', successor: this.#successor as string }
    if (this.#halted !== null) return unavailable(`${log} has halted: ${this.#halted}`)
    if (this.#successor !== null) return unavailable(`${log} is being succeeded`)
    if (this.isUnbegun && !this.#isFounding) return unavailable(`${log} has not been begun`)
    return null
  }

  /** Its predecessor has not ended yet; or it had begun, and its storage was lost. */
  get isUnbegun(): boolean {
    const { mustBeFounded, size } = this.#options
    return mustBeFounded && size() === 0
  }

  /** Why it cannot go on by itself. */
  get fault(): string | null {
    return this.#halted ?? (this.isUnbegun ? `${this.#options.log} has not been begun` : null)
  }

  /** Durable as soon as storage takes it; after a restart the reason is stored, or found again. */
  async halt(reason: string): Promise<void> {
    if (this.#halted !== null) return
    this.#halted = reason
    this.#options.onHalt(reason)
    await this.#options.store.commit((sql) => savePublication(sql, { halted: reason }))
  }

  /** In memory first: whatever commit begins after this is refused. The caller makes it durable. The first name counts. */
  close(successor: string): string {
    this.#successor ??= successor
    return this.#successor
  }

  async retire(): Promise<void> {
    await this.#options.store.commit((sql) => savePublication(sql, { isRetired: true }))
    this.#isRetired = true
  }

  /** While `begin` runs, a log that is to be founded takes entries. */
  async founding<T>(begin: () => Promise<T>): Promise<T> {
    this.#isFounding = true
    try {
      return await begin()
    } finally {
      this.#isFounding = false
    }
  }
}

const unavailable = (detail: string): AppendRefusal => ({ reason: 'log-unavailable', detail })
