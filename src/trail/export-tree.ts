/** The tree of a published checkpoint, out of its tiles: what an export proves with. */
import { sha256 } from '../audit/commitment.ts'
import { readTiles } from '../audit/public-store.ts'
import {
  completeSubtrees,
  type HashReader,
  proveConsistency,
  proveInclusion,
  type Subtree,
} from '../audit/tlog/proof.ts'
import { tileHashReader } from '../audit/tlog/tile.ts'
import type { Reader } from '../store/ports.ts'

/** All reject with `StoreError`, and with `FormatError` where a tile is missing. */
export interface Tree {
  /** Inclusion paths of these indices. */
  inclusion(indices: readonly number[]): Promise<readonly (readonly Uint8Array[])[]>
  /** That this tree begins with the tree of `from` leaves. */
  consistency(from: number): Promise<readonly Uint8Array[]>
  /** Hashes of the fewest complete subtrees that cover [from, to), left to right. */
  cover(from: number, to: number): Promise<readonly Uint8Array[]>
  subtrees(subtrees: readonly Subtree[]): Promise<readonly Uint8Array[]>
}

export function treeOf(ledger: Reader, log: string, size: number): Tree {
  const read = tileHashReader(sha256, BigInt(size), (tiles) => readTiles(ledger, log, tiles))
  return {
    inclusion: (indices) =>
      inOneRead(
        read,
        indices.map((index) => (once) => proveInclusion(sha256, once, BigInt(index), BigInt(size))),
      ),
    consistency: (from) => proveConsistency(sha256, read, BigInt(from), BigInt(size)),
    cover: (from, to) => read(completeSubtrees(BigInt(from), BigInt(to))),
    subtrees: read,
  }
}

/**
 * Many proofs of one tree with one read, in which a subtree that several need is read and hashed once. Each proof asks its
 * reader at most once, before it waits for anything.
 */
async function inOneRead<T>(
  read: HashReader,
  proofs: readonly ((once: HashReader) => Promise<T>)[],
): Promise<readonly T[]> {
  const wanted = new Map<string, Subtree>()
  const { promise: hashes, resolve } = Promise.withResolvers<ReadonlyMap<string, Uint8Array>>()
  const made = proofs.map((prove) =>
    prove(async (subtrees) => {
      for (const subtree of subtrees) wanted.set(nameOf(subtree), subtree)
      const found = await hashes
      return subtrees.map((subtree) => found.get(nameOf(subtree)) as Uint8Array)
    }),
  )
  const names = [...wanted.keys()]
  resolve(
    read([...wanted.values()]).then((found) => new Map(found.map((hash, i) => [names[i] as string, hash]))),
  )
  return await Promise.all(made)
}

const nameOf = ({ level, index }: Subtree): string => `${level}/${index}`
