/** What each type of signature signs (C2SP signed-note, tlog-cosignature), and checking the signatures of a note. */
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { FormatError, quote } from './errors.ts'
import { utf8Bytes } from './lines.ts'
import { keyTypes, type Note, type NoteSignature, type VerifierKey } from './note.ts'
import { readUint64, uint64Bytes } from './size.ts'

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/** Verification of each algorithm that is at hand. They say false, rather than throw, on what does not verify. */
export interface SignatureFunctions {
  readonly ed25519?: Verify
  readonly mlDsa44?: Verify
}

export type Verdict =
  /** `timestamp` in seconds since 1970, of a cosignature; null when the type has none. */
  | { readonly status: 'valid'; readonly timestamp: bigint | null }
  | { readonly status: 'invalid' }
  /** The type is unknown or its algorithm not at hand: neither good nor bad. */
  | { readonly status: 'not-checked' }

const timestampBytes = 8

/** C2SP tlog-cosignature: a time must not exceed this. */
const maxTimestamp = 2n ** 63n - 1n

/** Bytes of public key and bare signature. */
const sizes = {
  ed25519: { publicKey: 32, signature: 64 },
  mlDsa44: { publicKey: 1312, signature: 2420 },
} as const

/** The verdict on what a signature line holds after its key id. Never throws, whatever the text and the signature. */
export function checkSignature(
  functions: SignatureFunctions,
  key: VerifierKey,
  noteText: string,
  signature: Uint8Array,
): Verdict {
  const algorithm = key.type === keyTypes.mlDsa44Cosignature ? 'mlDsa44' : 'ed25519'
  const verify = functions[algorithm]
  if (!Object.values<number>(keyTypes).includes(key.type)) return { status: 'not-checked' }

  const isTimed = key.type !== keyTypes.ed25519
  const expected = (isTimed ? timestampBytes : 0) + sizes[algorithm].signature
  if (key.publicKey.length !== sizes[algorithm].publicKey || signature.length !== expected)
    return { status: 'invalid' }
  if (verify === undefined) return { status: 'not-checked' }
  if (!isTimed)
    return verify(key.publicKey, utf8Bytes(noteText), signature)
      ? { status: 'valid', timestamp: null }
      : { status: 'invalid' }

  const timestamp = readUint64(signature)
  const message = messageOrNull(key.type, key.name, noteText, timestamp)
  return message !== null && verify(key.publicKey, message, signature.slice(timestampBytes))
    ? { status: 'valid', timestamp }
    : { status: 'invalid' }
}

function messageOrNull(type: number, name: string, noteText: string, timestamp: bigint): Uint8Array | null {
  try {
    return cosignatureMessage(type, name, noteText, timestamp)
  } catch (error) {
    if (error instanceof FormatError) return null
    throw error
  }
}

/**
 * What a cosigner signs.
 * @param type `keyTypes.ed25519Cosignature` or `keyTypes.mlDsa44Cosignature`
 * @param name the name of the cosigner's key, which only ML-DSA-44 signs
 * @param timestamp seconds since 1970
 * @throws FormatError when the time exceeds 2^63 − 1, the type is no cosignature, or, for ML-DSA-44, the text is no
 * checkpoint or a name is longer than 255 bytes
 */
export function cosignatureMessage(
  type: number,
  name: string,
  noteText: string,
  timestamp: bigint,
): Uint8Array {
  checkTimestamp(timestamp)
  switch (type) {
    case keyTypes.ed25519Cosignature:
      return utf8Bytes(`cosignature/v1\ntime ${timestamp}\n${noteText}`)
    case keyTypes.mlDsa44Cosignature:
      return cosignedMessage(name, timestamp, parseCheckpoint(noteText))
    default:
      throw new FormatError(`a key of type ${type} makes no cosignatures.`)
  }
}

/** `cosigned_message` of C2SP tlog-cosignature for the whole tree: start is 0, extension lines are left out. */
const cosignedMessage = (name: string, timestamp: bigint, checkpoint: Checkpoint): Uint8Array =>
  new Uint8Array([
    ...utf8Bytes('subtree/v1\n\0'),
    ...withLength(name, 'the name of the cosigner'),
    ...uint64Bytes(timestamp),
    ...withLength(checkpoint.origin, 'the origin of the checkpoint'),
    ...uint64Bytes(0n),
    ...uint64Bytes(checkpoint.size),
    ...checkpoint.root,
  ])

/** `opaque<1..2^8-1>`: the length in one byte, then the text. */
function withLength(text: string, what: string): Uint8Array {
  const bytes = utf8Bytes(text)
  if (bytes.length < 1 || bytes.length > 255)
    throw new FormatError(`${what} must have 1 to 255 bytes to be cosigned, not ${bytes.length}.`)
  return new Uint8Array([bytes.length, ...bytes])
}

/** What stands in the signature line after the key id: the time in eight bytes, then the bare signature. */
export function packCosignature(timestamp: bigint, signature: Uint8Array): Uint8Array {
  checkTimestamp(timestamp)
  return new Uint8Array([...uint64Bytes(timestamp), ...signature])
}

function checkTimestamp(timestamp: bigint): void {
  if (timestamp < 0n || timestamp > maxTimestamp)
    throw new FormatError(`the time of a cosignature must be from 0 to 2^63 - 1, not ${timestamp}.`)
}

/** A note whose signatures by known keys are all good, as far as they could be checked. */
export interface Opened {
  readonly text: string
  readonly verified: readonly { readonly key: VerifierKey; readonly timestamp: bigint | null }[]
  /** Known keys that signed in a way that cannot be checked here. */
  readonly notChecked: readonly VerifierKey[]
  /** Signatures by keys not among the known ones, ignored as C2SP signed-note demands. */
  readonly unknown: readonly NoteSignature[]
}

/**
 * Checks every signature by a known key. Whether those in `verified` are enough is for the caller to say: with none,
 * the text means nothing.
 * @throws FormatError when the signature of a known key is invalid, when a known key signs twice, and when two known
 * keys go by the same name and key id
 */
export function openNote(functions: SignatureFunctions, note: Note, keys: readonly VerifierKey[]): Opened {
  const verified: { key: VerifierKey; timestamp: bigint | null }[] = []
  const notChecked: VerifierKey[] = []
  const unknown: NoteSignature[] = []
  const signed = new Set<VerifierKey>()
  for (const line of note.signatures) {
    const [key, another] = keys.filter(({ name, keyId }) => name === line.name && keyId === line.keyId)
    if (key === undefined) {
      unknown.push(line)
      continue
    }
    if (another !== undefined)
      throw new FormatError(`two known keys go by the name and key id of ${quote(key.name)}.`)
    if (signed.has(key)) throw new FormatError(`the key ${quote(key.name)} signs the note twice.`)
    signed.add(key)
    const verdict = checkSignature(functions, key, note.text, line.signature)
    if (verdict.status === 'invalid')
      throw new FormatError(`the signature by the key ${quote(key.name)} is invalid.`)
    if (verdict.status === 'valid') verified.push({ key, timestamp: verdict.timestamp })
    else notChecked.push(key)
  }
  return { text: note.text, verified, notChecked, unknown }
}
