/** A tree that only grows, as cheap as it can be: the mutable twin of `Frontier`, and the one place that merges. */
import { emptyRoot, hashSize, isHash, nodeHash, nodeHasher, type Sha256 } from './hash.ts'
import { maxSize } from './size.ts'
import type { Frontier } from './tree.ts'

/** The leaves [index · 2^level, (index + 1) · 2^level) of a tree: a complete subtree, whose hash never changes. */
export interface Subtree {
  /** From 0, a single leaf, to 63. */
  readonly level: number
  readonly index: bigint
}

/** The root over complete subtrees side by side, largest first (MTH, RFC 6962 §2.1). */
export const edgeRoot = (sha256: Sha256, edge: readonly Uint8Array[]): Uint8Array =>
  edge.length === 0 ? emptyRoot(sha256) : edge.reduceRight((right, left) => nodeHash(sha256, left, right))

/** The levels of the complete subtrees a tree of this size consists of, largest first: its one-bits. */
export function edgeLevels(size: bigint): number[] {
  const bits = size.toString(2)
  return [...bits].flatMap((bit, i) => (bit === '1' ? [bits.length - 1 - i] : []))
}

/** Takes leaf hashes, or the hashes of complete subtrees, from left to right; knows the root after each. */
export class TreeFold {
  readonly #sha256: Sha256
  readonly #nodeHash: (left: Uint8Array, right: Uint8Array) => Uint8Array
  // Level and hash of the complete subtrees, largest first. Levels are numbers because bigint arithmetic per leaf
  // would cost as much as the hashing.
  readonly #levels: number[]
  readonly #hashes: Uint8Array[]

  constructor(sha256: Sha256, start: Frontier = { size: 0n, edge: [] }) {
    this.#sha256 = sha256
    this.#nodeHash = nodeHasher(sha256)
    this.#levels = edgeLevels(start.size)
    this.#hashes = [...start.edge]
  }

  get size(): bigint {
    return this.#levels.reduce((size, level) => size + (1n << BigInt(level)), 0n)
  }

  /** @throws RangeError when the tree has 2^64 − 1 leaves already, and on what is no hash */
  push(leafHash: Uint8Array): void {
    if (this.#isFull(0)) throw new RangeError(`a tree holds at most ${maxSize} leaves`)
    this.#merge(0, leafHash)
  }

  /**
   * Takes a whole subtree at once. False, and nothing changes, when the subtree does not begin at the current size or
   * would make the tree larger than 2^64 − 1 leaves.
   * @throws RangeError on what is no hash
   */
  pushSubtree(subtree: Subtree, hash: Uint8Array): boolean {
    const { level, index } = subtree
    if (!Number.isInteger(level) || level < 0 || level > 63) return false
    if (this.size !== index << BigInt(level) || this.#isFull(level)) return false
    this.#merge(level, hash)
    return true
  }

  root(): Uint8Array {
    return edgeRoot(this.#sha256, this.#hashes)
  }

  frontier(): Frontier {
    return { size: this.size, edge: [...this.#hashes] }
  }

  /** Whether one more subtree of this level, the smallest, would carry into bit 64: all to level 63 are there. */
  #isFull(level: number): boolean {
    return this.#levels.length === 64 - level
  }

  #merge(level: number, hash: Uint8Array): void {
    if (!isHash(hash)) throw new RangeError(`a hash has ${hashSize} bytes, not ${hash.length}`)
    let height = level
    let merged = hash
    while (this.#levels.at(-1) === height) {
      merged = this.#nodeHash(this.#hashes.pop() as Uint8Array, merged)
      this.#levels.pop()
      height += 1
    }
    this.#levels.push(height)
    this.#hashes.push(merged)
  }
}
