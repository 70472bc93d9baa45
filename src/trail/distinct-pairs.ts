/**
 * A set of texts in bounded memory: 64 bits of the SHA-256 of each. Of a million and a half, two are taken for one with a
 * probability below one in ten million.
 */
import { sha256 } from '../audit/commitment.ts'
import { limits } from '../limits.ts'

/** Slots at first; doubled when three quarters are taken. */
const firstSlots = 1_024

export class DistinctPairs {
  // Two words for each slot; both 0: free.
  #words = new Uint32Array(2 * firstSlots)
  #count = 0
  readonly #max: number

  constructor(max: number = limits.maxCountedPairs) {
    this.#max = max
  }

  /** Something was left out because the set was full: it no longer tells what is new. */
  isFull = false

  /** True: it was not there before. */
  add(text: string): boolean {
    if (this.#count >= this.#max) this.isFull = true
    if (this.isFull) return false
    const digest = sha256(new TextEncoder().encode(text))
    const view = new DataView(digest.buffer, digest.byteOffset, 8)
    const high = view.getUint32(0)
    // Never the mark of a free slot.
    const low = view.getUint32(4) || 1
    if (!insert(this.#words, high, low)) return false
    this.#count += 1
    if (this.#count * 4 > (this.#words.length / 2) * 3) this.#grow()
    return true
  }

  #grow(): void {
    const grown = new Uint32Array(this.#words.length * 2)
    for (let at = 0; at < this.#words.length; at += 2)
      if (this.#words[at + 1] !== 0) insert(grown, this.#words[at] as number, this.#words[at + 1] as number)
    this.#words = grown
  }
}

/** Open addressing, in steps of one; false: it is there. */
function insert(words: Uint32Array, high: number, low: number): boolean {
  const slots = words.length / 2
  for (let slot = high % slots; ; slot = (slot + 1) % slots) {
    const at = 2 * slot
    if (words[at + 1] === 0) {
      words[at] = high
      words[at + 1] = low
      return true
    }
    if (words[at] === high && words[at + 1] === low) return false
  }
}
