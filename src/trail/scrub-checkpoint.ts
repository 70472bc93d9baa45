/** What the scrub asks of the newest checkpoint: signed by the log, of the tree that the tiles make, after all seen before. */
import { base64url } from '../audit/base64url.ts'
import { sha256 } from '../audit/commitment.ts'
import { signatureFunctions } from '../audit/signature-functions.ts'
import { type Checkpoint, parseCheckpoint } from '../audit/tlog/checkpoint.ts'
import { FormatError } from '../audit/tlog/errors.ts'
import { sameBytes } from '../audit/tlog/hash.ts'
import { parseNote, parseVerifierKey } from '../audit/tlog/note.ts'
import { openNote } from '../audit/tlog/signature.ts'
import { limits } from '../limits.ts'
import type { Reader, Row } from '../store/ports.ts'
import { rootAt } from './scrub-tiles.ts'

/** A checkpoint that held when it was looked at. */
export interface SeenCheckpoint {
  readonly size: number
  /** Base64url. */
  readonly root: string
  /** The key of the log since then: a log with another key is another log. */
  readonly vkey: string
}

export interface CheckpointFinding {
  /**
   * The log is not registered, or has another key than before; the newest checkpoint is not signed by it or of another log or
   * size than its row; it is older than one seen before; the tiles give another root; or they gave another one before.
   */
  readonly kind:
    | 'key-missing'
    | 'key-changed'
    | 'checkpoint-signature'
    | 'checkpoint-older'
    | 'checkpoint-root'
    | 'history'
    | 'tile-missing'
  /** Size of the checkpoint, or path of a tile. */
  readonly place: string
}

export interface ScrubbedCheckpoint {
  readonly findings: readonly CheckpointFinding[]
  /** The newest that held, this one or the one before. */
  readonly seen: SeenCheckpoint | null
}

/** @param seen what held at the last look; null: nothing yet, and a log without a checkpoint is as it should be */
export async function scrubCheckpoint(
  reader: Reader,
  log: string,
  seen: SeenCheckpoint | null,
): Promise<ScrubbedCheckpoint> {
  const [identities = [], checkpoints = []] = await reader.read(
    [
      { sql: 'select origin, vkey from log where log = ?', args: [log] },
      { sql: 'select size, note from checkpoint where log = ? order by size desc limit 1', args: [log] },
    ],
    limits.scrubDeadlineMs,
  )
  const [newest] = checkpoints
  const found = (kind: CheckpointFinding['kind'], place: string): ScrubbedCheckpoint => ({
    findings: [{ kind, place }],
    seen,
  })
  if (!newest) return seen ? found('checkpoint-older', String(seen.size)) : { findings: [], seen }
  const place = String(newest.size)
  const [identity] = identities
  if (!identity) return found('key-missing', place)
  const vkey = String(identity.vkey)
  if (seen && seen.vkey !== vkey) return found('key-changed', place)
  const checkpoint = openCheckpoint(newest, String(identity.origin), vkey)
  if (!checkpoint) return found('checkpoint-signature', place)
  const size = Number(checkpoint.size)
  if (seen && size < seen.size) return found('checkpoint-older', place)
  const finding =
    (await checkRoot(reader, log, size, checkpoint.root, 'checkpoint-root')) ??
    (seen && (await checkRoot(reader, log, seen.size, Buffer.from(seen.root, 'base64url'), 'history')))
  return finding
    ? { findings: [finding], seen }
    : { findings: [], seen: { size, root: base64url(checkpoint.root), vkey } }
}

/** Null unless it is signed by this key, and of this origin and size. Its second signature is for verifiers. */
function openCheckpoint({ size, note }: Row, origin: string, vkey: string): Checkpoint | null {
  try {
    const key = parseVerifierKey(sha256, vkey)
    const { text, verified } = openNote(signatureFunctions, parseNote(String(note)), [key])
    const checkpoint = parseCheckpoint(text)
    const holds =
      verified.length === 1 &&
      key.name === origin &&
      checkpoint.origin === origin &&
      checkpoint.size === BigInt(Number(size))
    return holds ? checkpoint : null
  } catch (error) {
    if (error instanceof FormatError) return null
    throw error
  }
}

async function checkRoot(
  reader: Reader,
  log: string,
  size: number,
  expected: Uint8Array,
  kind: 'checkpoint-root' | 'history',
): Promise<CheckpointFinding | null> {
  const given = await rootAt(reader, log, size)
  if ('missing' in given) return { kind: 'tile-missing', place: given.missing }
  return sameBytes(given.root, expected) ? null : { kind, place: String(size) }
}
