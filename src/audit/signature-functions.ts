/** Verification of what `tlog/signature.ts` knows, by code that runs in every runtime. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import type { SignatureFunctions } from './tlog/signature.ts'

export const signatureFunctions: SignatureFunctions = {
  // RFC 8032 as written: what is lenient here (ZIP 215) would pass where the openssl command refuses.
  ed25519: (publicKey, message, signature) =>
    ed25519.verify(signature, message, publicKey, { zip215: false }),
  mlDsa44: (publicKey, message, signature) => ml_dsa44.verify(signature, message, publicKey),
}
