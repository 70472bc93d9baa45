/** Cryptography for any runtime, a browser too: no module of Node and nothing asynchronous. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import type { SignatureFunctions } from '../tlog/signature.ts'
import type { VerifierCrypto } from './crypto.ts'

/** False instead of an exception: a foreign key may be no point of the curve. */
const unlessThrown = (verify: () => boolean): boolean => {
  try {
    return verify()
  } catch {
    return false
  }
}

export const portableSignatures: SignatureFunctions = {
  // Strict, as RFC 8032 has it: what OpenSSL accepts and no other form of it.
  ed25519: (publicKey, message, signature) =>
    unlessThrown(() => ed25519.verify(signature, message, publicKey, { zip215: false })),
  mlDsa44: (publicKey, message, signature) =>
    unlessThrown(() => ml_dsa44.verify(signature, message, publicKey)),
}

export const portableCrypto: VerifierCrypto = {
  sha256,
  hmacSha256: (key, message) => hmac(sha256, key, message),
  signatures: portableSignatures,
}
