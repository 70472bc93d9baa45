/** Which keys of which algorithms an issuer signs with: what its registry row says, and only what is fit to verify. */
import { calculateJwkThumbprint, exportJWK, importJWK, type JWK } from 'jose'
import { err, ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import type { AlgorithmCause, KeyFault, UnknownKeyCause } from './refusal.ts'

export interface VerificationKey {
  readonly key: CryptoKey
  /** RFC 7638, SHA-256: of the key itself, however a key set writes it. */
  readonly thumbprint: string
}

/** One registry row of an issuer, its keys ready to verify. */
export interface TrustedIssuer {
  readonly row: number
  readonly issuer: string
  readonly audience: string
  /** Code system of the roles in its tokens; null: not checked. */
  readonly roleSystem: string | null
  /** It vouches for tokens that are bound to a key only. */
  readonly requiresDpop: boolean
  /** Each of its tokens is good for one request. */
  readonly isOneTime: boolean
  /** Those of the row that are signatures by a key pair. */
  readonly algorithms: readonly string[]
  /** Key id → algorithm → key, or why the key with that id is not fit for it. */
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, Result<VerificationKey, KeyFault>>>
}

/**
 * Signatures by a key pair, and the keys each takes (RFC 7518 §3.1, RFC 8037, RFC 9864). MACs and `none` are not here,
 * so that no registry row can turn a public key into a shared secret (RFC 8725 §2.1, §3.2).
 */
const keyTypes: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
}

/** Null: a signature by a key pair. Names are compared as they are (RFC 7515 §4.1.1), and told as what they mimic. */
export function algorithmFault(alg: unknown): AlgorithmCause | null {
  if (alg === undefined) return 'algorithm-missing'
  if (typeof alg !== 'string') return 'algorithm-wrong-type'
  if (Object.hasOwn(keyTypes, alg)) return null
  if (alg.toLowerCase() === 'none') return 'algorithm-none'
  return /^hs\d+$/i.test(alg) ? 'algorithm-symmetric' : 'algorithm-unknown'
}

/** NIST SP 800-131A: shorter RSA keys do not sign. */
const minRsaBits = 2_048

/**
 * `row` is one of table `issuer`. Of two keys with one id the first that is fit for an algorithm counts.
 *
 * @throws SyntaxError when the row's JSON is damaged.
 */
export async function trustIssuer(row: Row): Promise<TrustedIssuer> {
  const listed = JSON.parse(String(row.algorithms)) as unknown[]
  const algorithms = listed.filter(
    (alg): alg is string => typeof alg === 'string' && algorithmFault(alg) === null,
  )
  const keys = new Map<string, Map<string, Result<VerificationKey, KeyFault>>>()
  for (const jwk of (JSON.parse(String(row.jwks)) as { keys: JWK[] }).keys) {
    if (typeof jwk.kid !== 'string') continue
    const byAlgorithm = keys.get(jwk.kid) ?? new Map<string, Result<VerificationKey, KeyFault>>()
    keys.set(jwk.kid, byAlgorithm)
    for (const alg of algorithms)
      if (!byAlgorithm.get(alg)?.ok) byAlgorithm.set(alg, await verificationKey(jwk, alg))
  }
  return {
    row: Number(row.row),
    issuer: String(row.issuer),
    audience: String(row.audience),
    roleSystem: typeof row.role_system === 'string' ? row.role_system : null,
    requiresDpop: Number(row.requires_dpop) === 1,
    isOneTime: Number(row.one_time) === 1,
    algorithms,
    keys,
  }
}

/** `alg` is one of the issuer's. */
export function keyOf(
  { keys }: TrustedIssuer,
  kid: string,
  alg: string,
): Result<VerificationKey, KeyFault | UnknownKeyCause> {
  return keys.get(kid)?.get(alg) ?? err(unknownKeyCause(kid))
}

/** A key id that no key has is told as what it may have been made for; it has only been compared. */
function unknownKeyCause(kid: string): UnknownKeyCause {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(kid)) return 'kid-url'
  if (/^\.{0,2}\/|\.\.[/\\]|\\/.test(kid)) return 'kid-path'
  return /^[A-Za-z0-9+/=._~:#@-]+$/.test(kid) ? 'key-unknown' : 'kid-unfit'
}

/** `alg` is a signature algorithm. */
export async function verificationKey(jwk: JWK, alg: string): Promise<Result<VerificationKey, KeyFault>> {
  const wanted = keyTypes[alg]
  if (!wanted || jwk.kty !== wanted.kty) return err('key-of-another-algorithm')
  if (jwk.crv !== wanted.crv) return err('key-wrong-curve')
  if ((jwk.alg ?? alg) !== alg) return err('key-of-another-algorithm')
  if ((jwk.use ?? 'sig') !== 'sig' || jwk.key_ops?.includes('verify') === false)
    return err('key-not-for-signatures')
  // Only the public members: a private key in the registry must not become one that signs.
  const { kty, crv, x, y, n, e } = jwk
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  try {
    const key = await importJWK(Object.fromEntries(members) as JWK, alg)
    if (key instanceof Uint8Array) return err('key-of-another-algorithm')
    const { modulusLength } = key.algorithm as { readonly modulusLength?: number }
    if (modulusLength !== undefined && modulusLength < minRsaBits) return err('key-too-short')
    return ok({ key, thumbprint: await calculateJwkThumbprint(await exportJWK(key), 'sha256') })
  } catch {
    return err('key-damaged')
  }
}
