/** Cryptography of the verifier by OpenSSL, several times as fast as the portable one. */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { signatureFunctions } from '../audit/signature-functions.ts'
import type { VerifierCrypto } from '../audit/verify/crypto.ts'

/** SHA-256, in bytes. */
const blockSize = 64
const hashSize = 32

/** A one-shot hash as a text of one character a byte: a buffer of its own for each costs as much as the hashing. */
function sha256(bytes: Uint8Array): Uint8Array {
  const text = hash('sha256', bytes, 'binary')
  const digest = new Uint8Array(hashSize)
  for (let i = 0; i < hashSize; i += 1) digest[i] = text.charCodeAt(i)
  return digest
}

const inner = new Uint8Array(256 * 1024)
const outer = new Uint8Array(blockSize + hashSize)

/** RFC 2104 by two hashes in place: an HMAC object costs more than hashing an entry does. Keys of at most 64 bytes. */
function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const size = blockSize + message.length
  const buffer = size <= inner.length ? inner : new Uint8Array(size)
  for (let i = 0; i < key.length; i += 1) {
    const byte = key[i] as number
    buffer[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  buffer.fill(0x36, key.length, blockSize)
  outer.fill(0x5c, key.length, blockSize)
  buffer.set(message, blockSize)
  outer.set(sha256(buffer.subarray(0, size)), blockSize)
  return sha256(outer)
}

/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4) up to the key itself. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')

function ed25519KeyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([ed25519Prefix, publicKey]), format: 'der', type: 'spki' })
}

export const nodeCrypto: VerifierCrypto = {
  sha256,
  hmacSha256,
  signatures: {
    // ML-DSA-44 is not in every OpenSSL that Node is built with, and checked a few times a file.
    ...signatureFunctions,
    ed25519: (publicKey, message, signature) => {
      try {
        return verify(null, message, ed25519KeyOf(publicKey), signature)
      } catch {
        // A foreign key may be no point of the curve.
        return false
      }
    },
  },
}
