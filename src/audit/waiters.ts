/** Callers that wait until something that only grows has reached a size. */
import { withDeadline } from './deadline.ts'

export class Waiters {
  #waiting: { readonly size: number; readonly resolve: () => void }[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** True when `reached(size)` or more was called, false when `ms` have passed without. */
  async wait(size: number, ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiter = { size, resolve }
    this.#waiting.push(waiter)
    try {
      await withDeadline(promise, ms, 'waiting')
      return true
    } catch {
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
      return false
    }
  }

  reached(size: number): void {
    for (const waiter of this.#waiting) if (waiter.size <= size) waiter.resolve()
    this.#waiting = this.#waiting.filter((waiter) => waiter.size > size)
  }
}
