/** Proof that a caller holds the key its token is bound to (RFC 9449): pure in what it is given, the clock included. */
import { compactVerify, type JWK } from 'jose'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { headerFault, readJws, typeFault } from './compact-jws.ts'
import { algorithmFault, type VerificationKey, verificationKey } from './issuer-keys.ts'
import { type OneTimeKey, oneTimeProof, sha256 } from './one-time-key.ts'
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

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: a proof that shows one of these has given its key away. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const requiredClaims = ['jti', 'htm', 'htu', 'iat', 'ath'] as const

/** The checks of RFC 9449 §4.3; what makes the proof usable only once is left to whoever appends. */
export async function verifyProof(
  { proof, method, url, token, keyThumbprint }: Proved,
  nowMs: number,
): Promise<Result<OneTimeKey, ProofCause>> {
  if (proof.includes(',')) return err('proof-several')
  const jws = readJws(proof, limits.maxProofBytes)
  if (!jws.ok) return err(`proof-${jws.error}` as const)
  const { header, claims, isSigned } = jws.value
  const signer = await signerOf(header)
  if (!signer.ok) return signer
  if (!isSigned) return err('proof-signature-missing')
  if (!(await isSignedBy(signer.value.key, proof, signer.value.alg))) return err('proof-signature-wrong')
  if (signer.value.thumbprint !== keyThumbprint) return err('proof-wrong-key')

  const missing = requiredClaims.find((name) => !Object.hasOwn(claims, name))
  if (missing) return err(`proof-${missing}-missing` as const)
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti === '') return err('proof-jti-wrong-type')
  if (!isInstant(iat)) return err('proof-iat-wrong-type')
  if (htm !== method) return err('proof-wrong-method')
  if (addressOf(htu) !== addressOf(url.href)) return err('proof-wrong-url')
  if (ath !== (await sha256(token))) return err('proof-wrong-token')
  const staleMs = Math.ceil((iat + limits.maxProofSkewSeconds) * 1_000)
  if (nowMs > staleMs) return err('proof-stale')
  if (nowMs < (iat - limits.maxProofSkewSeconds) * 1_000) return err('proof-not-yet-valid')
  return ok(await oneTimeProof(keyThumbprint, jti, staleMs))
}

interface Signer extends VerificationKey {
  readonly alg: string
}

/** The key that a proof shows, and the algorithm by which it says it signed. */
async function signerOf(header: Readonly<Record<string, unknown>>): Promise<Result<Signer, ProofCause>> {
  const { jwk, ...parameters } = header
  const fault = typeFault(header, ['dpop+jwt']) ?? algorithmFault(header.alg) ?? headerFault(parameters)
  // `jwk` is what a proof is made of.
  if (fault !== null) return err(`proof-${fault as Exclude<typeof fault, 'header-jwk'>}` as const)
  if (jwk === undefined) return err('proof-key-missing')
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return err('proof-key-not-object')
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return err('proof-key-private')
  const alg = String(header.alg)
  const key = await verificationKey(jwk as JWK, alg)
  return key.ok ? ok({ ...key.value, alg }) : err(`proof-${key.error}` as const)
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
