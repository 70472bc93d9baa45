/**
 * Time that passes only when there is nothing left to do at the moment. The code under test gets its timers from here, so
 * that back-offs of minutes cost nothing and every run of a seed is the same.
 */

interface SimulatedEvent {
  readonly atMs: number
  readonly order: number
  readonly isTimer: boolean
  readonly run: () => void
}

export class SimulatedTime {
  /** Milliseconds since the beginning of the run. */
  nowMs = 0
  readonly #events = new Map<number, SimulatedEvent>()
  #order = 0

  /** `run` after `ms`, whatever becomes of the process under test. */
  after(ms: number, run: () => void): void {
    this.#add(ms, false, run)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** A process that dies leaves no timer behind. */
  dropTimers(): void {
    for (const [order, { isTimer }] of this.#events) if (isTimer) this.#events.delete(order)
  }

  /** Replaces the timers of this JavaScript realm; returns what puts them back. */
  install(): () => void {
    const { setTimeout, clearTimeout } = globalThis
    const set = (run: () => void, ms = 0): number => this.#add(ms, true, run)
    globalThis.setTimeout = set as unknown as typeof setTimeout
    globalThis.clearTimeout = ((order: number | undefined) => {
      if (order !== undefined) this.#events.delete(order)
    }) as typeof clearTimeout
    return () => Object.assign(globalThis, { setTimeout, clearTimeout })
  }

  /** Lets time pass until `holds`, at most until `untilMs`. True: it held. */
  async run(untilMs: number, holds: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      // Everything that can go on without time passing does before this resolves.
      await new Promise((resolve) => setImmediate(resolve))
      if (holds()) return true
      const next = this.#next()
      if (!next || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs)
        return false
      }
      this.#events.delete(next.order)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
    }
  }

  #add(ms: number, isTimer: boolean, run: () => void): number {
    const order = ++this.#order
    this.#events.set(order, { atMs: this.nowMs + Math.max(ms, 0), order, isTimer, run })
    return order
  }

  #next(): SimulatedEvent | null {
    let next: SimulatedEvent | null = null
    for (const event of this.#events.values()) if (!next || event.atMs < next.atMs) next = event
    return next
  }
}

/** Numbers in [0, 1) that a seed fixes (mulberry32). */
export function randomOf(seed: string): () => number {
  let state = 0
  for (const character of seed) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
