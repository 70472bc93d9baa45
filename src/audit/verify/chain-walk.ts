/** One chain in the part of one log: its members so far, and whether the next one follows. */
import { isDecimalLess } from './decimal.ts'
import type { ChainPlace } from './entry-frame.ts'
import type { GapLine } from './line.ts'
import { type Finding, finding } from './report.ts'
import type { SignedHead } from './statements.ts'

export class ChainWalk {
  readonly #head: SignedHead
  #count = 0n
  /** Index of the newest member. */
  #last: string | null = null

  constructor(head: SignedHead) {
    this.#head = head
  }

  /** Whether all are there that the head counts. */
  get isComplete(): boolean {
    return this.#count === BigInt(this.#head.count)
  }

  /** The place of the next member: `<count>@<previous>`. */
  get next(): string {
    return `${this.#count + 1n}@${this.#last ?? '-'}`
  }

  add(index: string): void {
    this.#count += 1n
    this.#last = index
  }

  /** Why no members of it may have gone up to this one. */
  gapFault({ count, last }: GapLine): readonly ['chain-order', string] | null {
    const isFurther = this.#last === null || isDecimalLess(this.#last, last)
    return BigInt(count) > this.#count && isFurther
      ? null
      : [
          'chain-order',
          `As number ${count} it is said to have gone: the file had number ${this.#count}, ${this.#last ?? 'none'}, before.`,
        ]
  }

  /** @returns how many members the gap stands for */
  skip({ count, last }: GapLine): bigint {
    const members = BigInt(count) - this.#count
    this.#count = BigInt(count)
    this.#last = last
    return members
  }

  /** Why an entry at this place is not the next member: code and sentence. */
  placeFault({ count, previous }: ChainPlace): readonly ['chain-order' | 'chain-gap', string] | null {
    const told = `It is number ${count} of its chain, after ${previous ?? 'none'}`
    if (BigInt(count) <= this.#count || goesBack(previous, this.#last))
      return ['chain-order', `${told}: the file had number ${this.#count}, ${this.#last ?? 'none'}, before.`]
    return BigInt(count) === this.#count + 1n && previous === this.#last
      ? null
      : ['chain-gap', `${told}, and before it stands number ${this.#count}, ${this.#last ?? 'none'}.`]
  }

  /** Where the lines of the log end. */
  headFault(log: string): Finding | null {
    const { count, last } = this.#head
    if (this.isComplete && last === this.#last) return null
    return finding(
      'chain-head',
      log,
      `The chain has ${count} entries up to ${last ?? 'none'}, the file ${this.#count} up to ${this.#last ?? 'none'}.`,
    )
  }
}

/** Whether a predecessor is older than the entry before. */
const goesBack = (previous: string | null, last: string | null): boolean =>
  last !== null && (previous === null || isDecimalLess(previous, last))
