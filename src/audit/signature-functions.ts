/** Verification of what `tlog/signature.ts` knows, by code that runs in every runtime and asks nothing of it. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import type { SignatureFunctions } from './tlog/signature.ts'

export const signatureFunctions: SignatureFunctions = {
  // RFC 8032 as written: what is lenient here (ZIP 215) would pass where OpenSSL refuses.
  ed25519: (publicKey, message, signature) =>
    unlessThrown(() => ed25519.verify(signature, message, publicKey, { zip215: false })),
  mlDsa44: (publicKey, message, signature) =>
    unlessThrown(() => ml_dsa44.verify(signature, message, publicKey)),
}

/** False instead of an exception: a foreign key may be no point of the curve. */
function unlessThrown(verify: () => boolean): boolean {
  try {
    return verify()
  } catch {
    return false
  }
}
