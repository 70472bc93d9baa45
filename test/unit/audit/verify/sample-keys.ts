/** Keys from fixed seeds, and notes signed with them: a sample is the same each time it is built. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { sha256 } from '../../../../src/audit/commitment.ts'
import { formatNote, formatVerifierKey, keyTypes, verifierKey } from '../../../../src/audit/tlog/note.ts'
import { cosignatureMessage, packCosignature } from '../../../../src/audit/tlog/signature.ts'

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A key that signs notes. */
export interface SampleKey {
  readonly name: string
  readonly vkey: string
  /** One signature of the note with this text, as it stands in a note. */
  sign(text: string): Signature
}

type Signature = Parameters<typeof formatNote>[1][number]

/** Seconds since 1970 of every cosignature. */
const timestamp = 1_795_000_000n

/** Signs as a log does. `seed` another than the name: another key of that name. */
export function ed25519Key(name: string, seed = name): SampleKey {
  const secret = sha256(bytesOf(`${seed} ed25519`))
  const key = verifierKey(sha256, name, keyTypes.ed25519, ed25519.getPublicKey(secret))
  return {
    name,
    vkey: formatVerifierKey(key),
    sign: (text) => ({ name, keyId: key.keyId, signature: ed25519.sign(bytesOf(text), secret) }),
  }
}

/** Signs as a witness does. */
export function ed25519Cosigner(name: string, seed = name): SampleKey {
  const secret = sha256(bytesOf(`${seed} ed25519 cosigner`))
  const key = verifierKey(sha256, name, keyTypes.ed25519Cosignature, ed25519.getPublicKey(secret))
  return {
    name,
    vkey: formatVerifierKey(key),
    sign: (text) => {
      const message = cosignatureMessage(keyTypes.ed25519Cosignature, name, text, timestamp)
      return { name, keyId: key.keyId, signature: packCosignature(timestamp, ed25519.sign(message, secret)) }
    },
  }
}

/** Signs as a log's second key does, or a witness. Only checkpoints can be signed. */
export function mlDsa44Key(name: string, seed = name): SampleKey {
  const { publicKey, secretKey } = ml_dsa44.keygen(sha256(bytesOf(`${seed} ml-dsa-44`)))
  const key = verifierKey(sha256, name, keyTypes.mlDsa44Cosignature, publicKey)
  return {
    name,
    vkey: formatVerifierKey(key),
    sign: (text) => {
      const message = cosignatureMessage(keyTypes.mlDsa44Cosignature, name, text, timestamp)
      const signature = ml_dsa44.sign(message, secretKey, { extraEntropy: false })
      return { name, keyId: key.keyId, signature: packCosignature(timestamp, signature) }
    },
  }
}

/** The text with a line of each key, in order. */
export const signNote = (text: string, keys: readonly SampleKey[]): string =>
  formatNote(
    text,
    keys.map((key) => key.sign(text)),
  )
