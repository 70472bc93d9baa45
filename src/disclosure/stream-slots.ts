/**
 * How many streamed answers are under way at once. A request is over when its stream begins, so nothing else counts them: and
 * each holds pages of the log, for as long as its client likes to wait.
 */
import type { Presented } from '../access/caller.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { nameKey } from './rate-key.ts'

/** Gives the slot back; more than once is as good as once. */
export type FreeSlot = () => void

export class StreamSlots {
  readonly #ofCallers = new Map<string, number>()
  #all = 0

  /** `rate-limited`: this caller has as many as one may have; `overload`: all of them together. */
  take({
    issuer,
    subject,
  }: Pick<Presented, 'issuer' | 'subject'>): Result<FreeSlot, 'rate-limited' | 'overload'> {
    const caller = nameKey(issuer, subject)
    const own = this.#ofCallers.get(caller) ?? 0
    if (own >= limits.maxCallerStreams) return err('rate-limited')
    if (this.#all >= limits.maxStreams) return err('overload')
    this.#ofCallers.set(caller, own + 1)
    this.#all += 1
    let isTaken = true
    return ok(() => {
      if (isTaken) this.#free(caller)
      isTaken = false
    })
  }

  #free(caller: string): void {
    const left = (this.#ofCallers.get(caller) ?? 0) - 1
    if (left > 0) this.#ofCallers.set(caller, left)
    else this.#ofCallers.delete(caller)
    this.#all -= 1
  }
}

/** Owned by this isolate. */
export const streamSlots = new StreamSlots()
