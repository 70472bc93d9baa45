/**
 * What a witness decides about a checkpoint (C2SP tlog-witness, add-checkpoint), as functions of the request, the keys it
 * trusts and the checkpoint it cosigned last. The checks stand in the order of the specification.
 */
import { sha256 } from '../../audit/commitment.ts'
import { signatureFunctions } from '../../audit/signature-functions.ts'
import { type Checkpoint, parseCheckpoint } from '../../audit/tlog/checkpoint.ts'
import { FormatError } from '../../audit/tlog/errors.ts'
import { emptyRoot, sameBytes } from '../../audit/tlog/hash.ts'
import {
  keyTypes,
  type Note,
  type NoteSignature,
  parseNote,
  type VerifierKey,
} from '../../audit/tlog/note.ts'
import { verifyConsistency } from '../../audit/tlog/proof.ts'
import { checkSignature } from '../../audit/tlog/signature.ts'
import { type AddCheckpoint, parseAddCheckpoint } from '../../audit/tlog/witness.ts'
import { err, ok, type Result } from '../../result.ts'

export type Refusal =
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'unknown-log' }
  | { readonly kind: 'unsigned'; readonly detail: string }
  /** `size` is that of the checkpoint cosigned last, 0 for none. */
  | { readonly kind: 'conflict'; readonly size: bigint }
  | { readonly kind: 'inconsistent'; readonly detail: string }

/** A checkpoint that one of the log's keys signed, and no other of them signed badly. */
export interface Submission {
  readonly oldSize: bigint
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: Checkpoint
  /** Of the checkpoint. */
  readonly text: string
  /** By the log's keys, each once, all verified. */
  readonly signatures: readonly NoteSignature[]
}

/** The checkpoint of a log that was cosigned last. */
export interface Cosigned {
  readonly size: bigint
  readonly root: Uint8Array
}

/** @param keysOf the trusted keys of an origin, none when it is unknown */
export function readSubmission(
  body: string,
  keysOf: (origin: string) => readonly VerifierKey[],
): Result<Submission, Refusal> {
  let request: AddCheckpoint
  let note: Note
  let checkpoint: Checkpoint
  try {
    request = parseAddCheckpoint(body)
    note = parseNote(request.checkpoint)
    checkpoint = parseCheckpoint(note.text)
  } catch (error) {
    if (error instanceof FormatError) return err({ kind: 'malformed', detail: error.message })
    throw error
  }
  const keys = keysOf(checkpoint.origin)
  if (keys.length === 0) return err({ kind: 'unknown-log' })
  const signatures = verifiedSignatures(note, keys)
  if (!signatures.ok) return signatures
  // An ML-DSA signature covers no extension lines: without the other, anybody could have put them there.
  const coversText = signatures.value.some(({ key }) => key.type === keyTypes.ed25519)
  if (checkpoint.extensions.length > 0 && !coversText) {
    return err({ kind: 'unsigned', detail: 'no trusted signature covers the extension lines' })
  }
  const { oldSize, proof } = request
  if (oldSize > checkpoint.size) {
    return err({ kind: 'malformed', detail: `the old size ${oldSize} is above the size ${checkpoint.size}` })
  }
  return ok({
    oldSize,
    proof,
    checkpoint,
    text: note.text,
    signatures: signatures.value.map(({ line }) => line),
  })
}

interface VerifiedLine {
  readonly key: VerifierKey
  readonly line: NoteSignature
}

/** Lines of unknown keys are ignored; one bad line of a known key spoils the note (C2SP signed-note). */
function verifiedSignatures(
  note: Note,
  keys: readonly VerifierKey[],
): Result<readonly VerifiedLine[], Refusal> {
  const verified: VerifiedLine[] = []
  for (const line of note.signatures) {
    const key = keys.find(({ name, keyId }) => name === line.name && keyId === line.keyId)
    if (key === undefined) continue
    // A line sent twice says nothing new and must not cost a verification each time.
    if (verified.some((seen) => seen.key === key && sameBytes(seen.line.signature, line.signature))) continue
    if (checkSignature(signatureFunctions, key, note.text, line.signature).status !== 'valid') {
      return err({ kind: 'unsigned', detail: `a signature of the trusted key ${key.name} is invalid` })
    }
    verified.push({ key, line })
  }
  if (verified.length === 0) return err({ kind: 'unsigned', detail: 'no trusted key signed the checkpoint' })
  return ok(verified.filter(({ key }, i) => verified.findIndex((first) => first.key === key) === i))
}

/** Why not to cosign the submission after `last`; null: it may be cosigned, and is then what was cosigned last. */
export function refusalOf(submission: Submission, last: Cosigned | null): Refusal | null {
  const { oldSize, proof, checkpoint } = submission
  // Before anything was cosigned it is the empty tree, which also says what the root of size 0 must be.
  const { size: stored, root: storedRoot } = last ?? { size: 0n, root: emptyRoot(sha256) }
  if (oldSize !== stored) return { kind: 'conflict', size: stored }
  if (oldSize === checkpoint.size && !sameBytes(checkpoint.root, storedRoot)) {
    return { kind: 'inconsistent', detail: `the tree of size ${stored} has another root` }
  }
  const consistent = verifyConsistency(sha256, {
    from: oldSize,
    to: checkpoint.size,
    path: proof,
    fromRoot: storedRoot,
    toRoot: checkpoint.root,
  })
  return consistent ? null : { kind: 'inconsistent', detail: 'the consistency proof does not verify' }
}

/** Whether the log signed two roots for one size: with what was cosigned, proof that it showed two histories. */
export const contradicts = ({ checkpoint }: Submission, last: Cosigned | null): boolean =>
  last !== null && checkpoint.size === last.size && !sameBytes(checkpoint.root, last.root)
