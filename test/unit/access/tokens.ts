/** Tokens as issuers and attackers make them: real keys, and every part open to damage. */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { audience, issuer, uriOf } from './registry.ts'

export const nowMs = 1_900_000_000_000
export const nowSeconds = nowMs / 1_000

/** A request that shows this header and no proof. */
export const bearing = (authorization: string | null) => ({
  authorization,
  dpop: null,
  method: 'GET',
  url: new URL('https://record.example/fhir/Patient'),
})

export interface TestKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export async function makeKey(kid: string, alg = 'ES256'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** A good token of ten minutes; a change of `undefined` removes the member. */
export const claimsOf = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  withoutUndefined({
    iss: issuer,
    sub: 'tremblay',
    client_id: 'console',
    aud: audience,
    exp: nowSeconds + 600,
    iat: nowSeconds,
    jti: 'token-1',
    scope: 'openid ITI-67',
    extensions: {
      ihe_iua: {
        subject_name: 'Dre Tremblay',
        subject_organization_id: uriOf('hospital'),
        subject_role: [{ system: 'https://record.example/roles', code: 'physician' }],
        purpose_of_use: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }],
      },
    },
    ...changes,
  })

export const headerOf = (
  key: TestKey,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => withoutUndefined({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...changes })

export const signToken = (
  key: TestKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> => signText(key, JSON.stringify(headerOf(key, header)), JSON.stringify(claimsOf(claims)))

/** Signs whatever text stands for header and payload, JSON or not. */
export async function signText(key: TestKey, header: string | Uint8Array, payload: string | Uint8Array) {
  const signed = `${encode(header)}.${encode(payload)}`
  const { name } = key.privateKey.algorithm
  // Of ECDSA and PS the digest is named by the algorithm, RSA keys know theirs, EdDSA has its own.
  const bits = Number(key.alg.slice(2)) || 0
  const algorithm = { name, hash: `SHA-${bits}`, saltLength: bits / 8 }
  const signature = await crypto.subtle.sign(
    name.startsWith('Ed') ? { name } : algorithm,
    key.privateKey,
    new TextEncoder().encode(signed),
  )
  return `${signed}.${Buffer.from(signature).toString('base64url')}`
}

/** HS256 with any secret: what an attacker makes of a public key. */
export const signHmac = (secret: Uint8Array, kid: string): Promise<string> =>
  new SignJWT(claimsOf()).setProtectedHeader({ alg: 'HS256', kid, typ: 'at+jwt' }).sign(secret)

export const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

const withoutUndefined = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
