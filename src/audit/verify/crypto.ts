/** What a verifier needs of its runtime: hashing, and the signatures that are at hand there. */
import type { Sha256 } from '../tlog/hash.ts'
import type { SignatureFunctions } from '../tlog/signature.ts'

export interface VerifierCrypto {
  readonly sha256: Sha256
  readonly hmacSha256: (key: Uint8Array, message: Uint8Array) => Uint8Array
  /** An algorithm that is missing is reported as not checked, and counts for nothing. */
  readonly signatures: SignatureFunctions
}
