/** Which keys of which algorithms an issuer signs with: what its registry row says, and only what is fit to verify. */
import { importJWK, type JWK } from 'jose'
import type { Row } from '../store/ports.ts'

/** One registry row of an issuer, its keys ready to verify. */
export interface TrustedIssuer {
  readonly row: number
  readonly issuer: string
  readonly audience: string
  /** Code system of the roles in its tokens; null: not checked. */
  readonly roleSystem: string | null
  /** Those of the row that are signatures by a key pair. */
  readonly algorithms: readonly string[]
  /** Key id → algorithm → key. */
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, CryptoKey>>
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

export const isSignatureAlgorithm = (alg: string): boolean => Object.hasOwn(keyTypes, alg)

/** NIST SP 800-131A: shorter RSA keys do not sign. */
const minRsaBits = 2_048

/**
 * `row` is one of table `issuer`. A key that is not fit is left out; of two with one id and algorithm the first counts.
 *
 * @throws SyntaxError when the row's JSON is damaged.
 */
export async function trustIssuer(row: Row): Promise<TrustedIssuer> {
  const listed = JSON.parse(String(row.algorithms)) as unknown[]
  const algorithms = listed.filter(
    (alg): alg is string => typeof alg === 'string' && isSignatureAlgorithm(alg),
  )
  const keys = new Map<string, Map<string, CryptoKey>>()
  for (const jwk of (JSON.parse(String(row.jwks)) as { keys: JWK[] }).keys) {
    if (typeof jwk.kid !== 'string') continue
    const byAlgorithm = keys.get(jwk.kid) ?? new Map<string, CryptoKey>()
    keys.set(jwk.kid, byAlgorithm)
    for (const alg of algorithms) {
      const key = byAlgorithm.has(alg) ? null : await verificationKey(jwk, alg)
      if (key) byAlgorithm.set(alg, key)
    }
  }
  return {
    row: Number(row.row),
    issuer: String(row.issuer),
    audience: String(row.audience),
    roleSystem: typeof row.role_system === 'string' ? row.role_system : null,
    algorithms,
    keys,
  }
}

/** `alg` is a signature algorithm. Null when the key is not fit for it. */
export async function verificationKey(jwk: JWK, alg: string): Promise<CryptoKey | null> {
  const wanted = keyTypes[alg]
  if (!wanted || jwk.kty !== wanted.kty || jwk.crv !== wanted.crv) return null
  if ((jwk.alg ?? alg) !== alg || (jwk.use ?? 'sig') !== 'sig' || jwk.key_ops?.includes('verify') === false)
    return null
  // Only the public members: a private key in the registry must not become one that signs.
  const { kty, crv, x, y, n, e } = jwk
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  try {
    const key = await importJWK(Object.fromEntries(members) as JWK, alg)
    if (key instanceof Uint8Array) return null
    const { modulusLength } = key.algorithm as { readonly modulusLength?: number }
    return modulusLength !== undefined && modulusLength < minRsaBits ? null : key
  } catch {
    return null
  }
}
