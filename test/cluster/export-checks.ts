/** What an export proves, checked with the formats' library and nothing of the code that makes exports. */
import { leafOf, sha256 } from '../../src/audit/commitment.ts'
import { signatureFunctions } from '../../src/audit/signature-functions.ts'
import { type Checkpoint, parseCheckpoint } from '../../src/audit/tlog/checkpoint.ts'
import { TreeFold } from '../../src/audit/tlog/fold.ts'
import { leafHash, sameBytes } from '../../src/audit/tlog/hash.ts'
import { parseNote, parseVerifierKey } from '../../src/audit/tlog/note.ts'
import { completeSubtrees, verifyInclusion } from '../../src/audit/tlog/proof.ts'
import { openNote } from '../../src/audit/tlog/signature.ts'

export interface HeaderLog {
  readonly log: string
  readonly origin: string
  readonly keys: readonly string[]
  readonly size: string
  readonly first: string
  readonly end: string
  readonly current: boolean
  readonly checkpoint: string | null
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly heads: readonly string[]
}

export interface Header {
  readonly format: string
  readonly completeness: string
  readonly filters: Readonly<Record<string, string>>
  readonly chains: readonly string[]
  readonly logs: readonly HeaderLog[]
  readonly list: string | null
}

const bytesOf = (base64url: string): Uint8Array => new Uint8Array(Buffer.from(base64url, 'base64url'))

/** The text of a note that both keys of its log signed; @throws Error for any other. */
export function signedText(note: string, keys: readonly string[], signers = keys.length): string {
  const known = keys.map((key) => parseVerifierKey(sha256, key))
  const { text, verified } = openNote(signatureFunctions, parseNote(note), known)
  if (verified.length !== signers) throw new Error(`${verified.length} signatures of ${signers}`)
  return text
}

/** @throws Error when the log's part does not prove what it says, or has no checkpoint */
export function checkedCheckpoint({ log, origin, keys, checkpoint, size }: HeaderLog): Checkpoint {
  if (checkpoint === null) throw new Error(`${log} has no checkpoint`)
  const stated = parseCheckpoint(signedText(checkpoint, keys))
  if (stated.origin !== origin || stated.size < BigInt(size))
    throw new Error('a checkpoint of something else')
  return stated
}

/** Whether the leaves of `[first, end)`, with the hashes before and after, give the checkpoint's root. */
export function hasRoot(part: HeaderLog, leaves: readonly string[]): boolean {
  const { size, root } = checkedCheckpoint(part)
  const fold = new TreeFold(sha256)
  const cover = (from: string, to: bigint, hashes: readonly string[]): boolean => {
    const subtrees = completeSubtrees(BigInt(from), to)
    return (
      subtrees.length === hashes.length &&
      subtrees.every((subtree, i) => fold.pushSubtree(subtree, bytesOf(hashes[i] as string)))
    )
  }
  if (!cover('0', BigInt(part.first), part.before)) return false
  for (const leaf of leaves) fold.push(leafHash(sha256, bytesOf(leaf)))
  return cover(part.end, size, part.after) && sameBytes(fold.root(), root)
}

/** Whether an open line's entry opens its leaf. */
export const isOpening = (entry: string, leaf: string, salt: string): boolean =>
  sameBytes(leafOf(bytesOf(salt), entry), bytesOf(leaf))

/** Whether a line's own path leads to the checkpoint's root. */
export function isIncluded(part: HeaderLog, index: string, leaf: string, path: readonly string[]): boolean {
  const { size, root } = checkedCheckpoint(part)
  return verifyInclusion(sha256, {
    leafHash: leafHash(sha256, bytesOf(leaf)),
    index: BigInt(index),
    size,
    path: path.map(bytesOf),
    root,
  })
}
