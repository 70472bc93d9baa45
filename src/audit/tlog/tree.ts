/** The right edge of a growing tree: all that is needed to append a leaf and to know the root. */
import { edgeLevels, edgeRoot, TreeFold } from './fold.ts'
import { hashSize, type Sha256 } from './hash.ts'

/**
 * `edge` holds the hashes of the complete subtrees the tree consists of, largest first: one per one-bit of `size`. A
 * tree of fewer than 2^64 leaves has at most 64.
 */
export interface Frontier {
  readonly size: bigint
  readonly edge: readonly Uint8Array[]
}

export const emptyFrontier: Frontier = { size: 0n, edge: [] }

/** Appends leaf hashes in order; costs one node hash a leaf on average. */
export function appendLeaves(
  sha256: Sha256,
  frontier: Frontier,
  leafHashes: readonly Uint8Array[],
): Frontier {
  const fold = new TreeFold(sha256, frontier)
  for (const leaf of leafHashes) fold.push(leaf)
  return fold.frontier()
}

/** The root (MTH, RFC 6962 §2.1) of the tree with this right edge. */
export const frontierRoot = (sha256: Sha256, frontier: Frontier): Uint8Array =>
  edgeRoot(sha256, frontier.edge)

/** The tree hash of a list of leaf hashes: the root of the tree made of just them. */
export function treeHash(sha256: Sha256, leafHashes: readonly Uint8Array[]): Uint8Array {
  return frontierRoot(sha256, appendLeaves(sha256, emptyFrontier, leafHashes))
}

/** The edge as one byte string, for storage beside the size. */
export function encodeEdge(frontier: Frontier): Uint8Array {
  const bytes = new Uint8Array(frontier.edge.length * hashSize)
  frontier.edge.forEach((hash, i) => {
    bytes.set(hash, i * hashSize)
  })
  return bytes
}

/** @throws Error when the edge does not belong to a tree of this size. */
export function decodeFrontier(size: bigint, bytes: Uint8Array): Frontier {
  const ones = edgeLevels(size).length
  if (bytes.length !== ones * hashSize)
    throw new Error(`the edge of a tree of ${size} leaves has ${ones} hashes`)
  const edge = Array.from(
    { length: ones },
    (_, i) => new Uint8Array(bytes.subarray(i * hashSize, (i + 1) * hashSize)),
  )
  return { size, edge }
}
