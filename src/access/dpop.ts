/** Proof that a caller holds the key its token is bound to (RFC 9449): pure in what it is given, the clock included. */
import { base64url, calculateJwkThumbprint, compactVerify, type JWK } from 'jose'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { readJws } from './compact-jws.ts'
import { isSignatureAlgorithm, verificationKey } from './issuer-keys.ts'
import type { ProofCause } from './refusal.ts'

export interface Proved {
  /** The `DPoP` header; two of them arrive joined by a comma, which is no proof. */
  readonly proof: string
  readonly method: string
  /** As the public addresses it. */
  readonly url: URL
  /** The access token, already verified. */
  readonly token: string
  /** The token's `cnf.jkt`. */
  readonly keyThumbprint: string
}

/** Marks a proof as used: the log refuses the key until then, in the commit of the request's first append. */
export interface OneTimeKey {
  readonly key: string
  readonly untilMs: number
}

/** `jwk` is what a proof is made of; the others change how it is read, or name another key. */
const refusedHeaders = ['crit', 'b64', 'zip', 'enc', 'cty', 'jku', 'x5u', 'x5c'] as const

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: a proof that shows one of these has given its key away. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const requiredClaims = ['jti', 'htm', 'htu', 'iat', 'ath'] as const

/** The checks of RFC 9449 §4.3; what makes the proof usable only once is left to whoever appends. */
export async function verifyProof(
  { proof, method, url, token, keyThumbprint }: Proved,
  nowMs: number,
): Promise<Result<OneTimeKey, ProofCause>> {
  if (proof.length > limits.maxProofBytes) return err('proof-malformed')
  const jws = readJws(proof)
  if (!jws.ok) return err('proof-malformed')
  const { header, claims } = jws.value
  if (header.typ !== 'dpop+jwt') return err('proof-wrong-type')
  if (typeof header.alg !== 'string' || !isSignatureAlgorithm(header.alg))
    return err('proof-algorithm-not-allowed')
  if (refusedHeaders.some((name) => Object.hasOwn(header, name))) return err('proof-malformed')
  const signer = await signerOf(header.jwk, header.alg)
  if (!signer) return err('proof-key-unfit')
  if (!(await isSignedBy(signer.key, proof, header.alg))) return err('proof-bad-signature')
  if (signer.thumbprint !== keyThumbprint) return err('proof-wrong-key')

  if (!requiredClaims.every((name) => Object.hasOwn(claims, name))) return err('proof-claim-missing')
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti === '' || !isInstant(iat)) return err('proof-malformed')
  if (htm !== method) return err('proof-wrong-method')
  if (addressOf(htu) !== addressOf(url.href)) return err('proof-wrong-url')
  if (ath !== (await sha256(token))) return err('proof-wrong-token')
  const staleMs = Math.ceil((iat + limits.maxProofSkewSeconds) * 1_000)
  if (nowMs > staleMs) return err('proof-stale')
  if (nowMs < (iat - limits.maxProofSkewSeconds) * 1_000) return err('proof-not-yet-valid')
  // Of one key a `jti` is used once, whatever else the proof says: a signature may be written in more than one way.
  const key = `dpop:${await sha256(JSON.stringify([keyThumbprint, jti]))}`
  return ok({ key, untilMs: staleMs + limits.proofMemoryMs })
}

/** Null: no public key that is fit for the algorithm. */
async function signerOf(
  jwk: unknown,
  alg: string,
): Promise<{ readonly key: CryptoKey; readonly thumbprint: string } | null> {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return null
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return null
  const key = await verificationKey(jwk as JWK, alg)
  return key && { key, thumbprint: await calculateJwkThumbprint(jwk as JWK, 'sha256') }
}

async function isSignedBy(key: CryptoKey, proof: string, alg: string): Promise<boolean> {
  try {
    await compactVerify(proof, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

/** RFC 9449 §4.3: without query and fragment, and normalised as URLs are. Null when it is no URL. */
function addressOf(address: unknown): string | null {
  if (typeof address !== 'string' || !URL.canParse(address)) return null
  const url = new URL(address)
  url.search = ''
  url.hash = ''
  return url.href
}

/** Seconds since 1970 that a `Date` can hold. */
const isInstant = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= 8_640_000_000_000

async function sha256(text: string): Promise<string> {
  return base64url.encode(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  )
}
