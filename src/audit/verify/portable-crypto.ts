/** Cryptography for any runtime, a browser too: no module of Node and nothing asynchronous. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { signatureFunctions } from '../signature-functions.ts'
import type { VerifierCrypto } from './crypto.ts'

export const portableCrypto: VerifierCrypto = {
  sha256,
  hmacSha256: (key, message) => hmac(sha256, key, message),
  signatures: signatureFunctions,
}
