/** Inclusion and consistency proofs (RFC 6962 §2.1.1 and §2.1.2), made over any source of hashes and verified. */
import { edgeRoot, type Subtree } from './fold.ts'
import { emptyRoot, isHash, nodeHash, type Sha256, sameBytes } from './hash.ts'
import { checkSize, isSize } from './size.ts'

export type { Subtree } from './fold.ts'

/** Hashes of complete subtrees, in the order asked for. */
export type HashReader = (subtrees: readonly Subtree[]) => Promise<readonly Uint8Array[]>

/** Leaves [start, end): a node of the tree, if not necessarily a complete one. */
interface Range {
  readonly start: bigint
  readonly end: bigint
}

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length)

/** The largest power of two below the number of leaves, two or more: where RFC 6962 splits a tree. */
const splitOf = ({ start, end }: Range): bigint => start + (1n << BigInt(bitLength(end - start - 1n) - 1))

/** The fewest complete aligned subtrees that cover the leaves [from, to), left to right. */
export function completeSubtrees(from: bigint, to: bigint): Subtree[] {
  checkRange(from, to)
  const subtrees: Subtree[] = []
  for (let start = from; start < to; ) {
    const fits = bitLength(to - start) - 1
    const aligned = start === 0n ? fits : bitLength(start & -start) - 1
    const level = Math.min(fits, aligned)
    subtrees.push({ level, index: start >> BigInt(level) })
    start += 1n << BigInt(level)
  }
  return subtrees
}

/**
 * The path from the leaf's sibling up to the root's child. Calls `read` at most once.
 * @throws RangeError unless index < size < 2^64
 */
export async function proveInclusion(
  sha256: Sha256,
  read: HashReader,
  index: bigint,
  size: bigint,
): Promise<Uint8Array[]> {
  checkRange(index, size)
  if (index === size) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}.`)
  const path: Range[] = []
  for (let node: Range = { start: 0n, end: size }; node.end - node.start > 1n; ) {
    const split = splitOf(node)
    const left = { start: node.start, end: split }
    const right = { start: split, end: node.end }
    path.push(index < split ? right : left)
    node = index < split ? left : right
  }
  return await readRanges(sha256, read, path.reverse())
}

/**
 * The proof that the tree of `to` leaves begins with the tree of `from`. Calls `read` at most once. Empty when the
 * trees are the same, and when `from` is 0: every tree begins with the empty one.
 * @throws RangeError unless from <= to < 2^64
 */
export async function proveConsistency(
  sha256: Sha256,
  read: HashReader,
  from: bigint,
  to: bigint,
): Promise<Uint8Array[]> {
  checkRange(from, to)
  if (from === 0n || from === to) return []
  const path: Range[] = []
  let node: Range = { start: 0n, end: to }
  while (node.end !== from) {
    const split = splitOf(node)
    const left = { start: node.start, end: split }
    const right = { start: split, end: node.end }
    path.push(from <= split ? right : left)
    node = from <= split ? left : right
  }
  // The verifier knows the root of the old tree; only another node the descent ended at must be told.
  if (node.start !== 0n) path.push(node)
  return await readRanges(sha256, read, path.reverse())
}

/**
 * Whether `leafHash` is leaf `index` of the tree of `size` leaves with this root (RFC 9162 §2.1.3.2). False, never an
 * exception, on anything malformed.
 */
export function verifyInclusion(
  sha256: Sha256,
  claim: {
    readonly leafHash: Uint8Array
    readonly index: bigint
    readonly size: bigint
    readonly path: readonly Uint8Array[]
    readonly root: Uint8Array
  },
): boolean {
  const { leafHash, index, size, path, root } = claim
  if (!isSize(size) || index < 0n || index >= size) return false
  if (![leafHash, root, ...path].every(isHash)) return false
  const sides = siblingSides(index, size - 1n, path.length)
  if (sides === null) return false
  const hash = path.reduce(
    (own, sibling, i) =>
      sides[i] === 'left' ? nodeHash(sha256, sibling, own) : nodeHash(sha256, own, sibling),
    leafHash,
  )
  return sameBytes(hash, root)
}

/**
 * Whether the tree of `to` leaves begins with the tree of `from` (RFC 9162 §2.1.4.2). A tree equals itself and begins
 * with the empty tree, both by an empty path. False, never an exception, on anything malformed.
 */
export function verifyConsistency(
  sha256: Sha256,
  claim: {
    readonly from: bigint
    readonly to: bigint
    readonly path: readonly Uint8Array[]
    readonly fromRoot: Uint8Array
    readonly toRoot: Uint8Array
  },
): boolean {
  const { from, to, path, fromRoot, toRoot } = claim
  if (!isSize(from) || !isSize(to) || from > to) return false
  if (![fromRoot, toRoot, ...path].every(isHash)) return false
  if (from === 0n && !sameBytes(fromRoot, emptyRoot(sha256))) return false
  if (from === to) return path.length === 0 && sameBytes(fromRoot, toRoot)
  if (from === 0n) return path.length === 0

  // The proof begins at the last complete subtree of the old tree. When that is the whole of it, its hash is known
  // and the proof leaves it out.
  const height = bitLength(from & -from) - 1
  const node = (from - 1n) >> BigInt(height)
  const [first, ...rest] = node === 0n ? [fromRoot, ...path] : path
  const sides = siblingSides(node, (to - 1n) >> BigInt(height), rest.length)
  if (first === undefined || sides === null) return false
  let old = first
  let hash = first
  rest.forEach((sibling, i) => {
    if (sides[i] === 'left') {
      old = nodeHash(sha256, sibling, old)
      hash = nodeHash(sha256, sibling, hash)
    } else {
      hash = nodeHash(sha256, hash, sibling)
    }
  })
  return sameBytes(old, fromRoot) && sameBytes(hash, toRoot)
}

/**
 * On which side each sibling stands on the way from node number `start` of a row, of which `end` is the last, up to
 * the root; null unless there are just as many as the way has (the loop of RFC 9162 §2.1.3.2 and §2.1.4.2).
 */
function siblingSides(start: bigint, end: bigint, count: number): ('left' | 'right')[] | null {
  const sides: ('left' | 'right')[] = []
  let node = start
  let last = end
  for (; last !== 0n; node >>= 1n, last >>= 1n) {
    // The last node of a row with no sibling to its right goes up as it is until it has one to its left.
    if (node === last)
      while (!(node & 1n)) {
        node >>= 1n
        last >>= 1n
      }
    sides.push(node & 1n ? 'left' : 'right')
  }
  return sides.length === count ? sides : null
}

function checkRange(from: bigint, to: bigint): void {
  checkSize(from, 'a leaf index')
  checkSize(to, 'a tree size')
  if (from > to) throw new RangeError(`a tree of ${to} leaves does not reach ${from}.`)
}

/** The hash of each node, from the complete subtrees it consists of, all read at once. */
async function readRanges(sha256: Sha256, read: HashReader, ranges: readonly Range[]): Promise<Uint8Array[]> {
  const parts = ranges.map(({ start, end }) => completeSubtrees(start, end))
  const subtrees = parts.flat()
  if (subtrees.length === 0) return []
  const hashes = await read(subtrees)
  if (hashes.length !== subtrees.length)
    throw new Error(`${subtrees.length} hashes were asked for, ${hashes.length} were read`)
  let next = 0
  return parts.map((part) => {
    next += part.length
    return edgeRoot(sha256, hashes.slice(next - part.length, next))
  })
}
