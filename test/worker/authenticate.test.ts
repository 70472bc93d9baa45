/** Authentication in workerd: the signatures of every algorithm a registry row may name, and two that none may. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../src/access/authenticate.ts'
import type { Reader } from '../../src/store/ports.ts'

const issuer = 'https://identity.example'
const audience = 'https://record.example/fhir'
const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]

const registryOf = (keys: readonly object[]): Reader => ({
  read: async (statements) => {
    const row = {
      row: 1,
      issuer,
      audience,
      algorithms: JSON.stringify(algorithms),
      jwks: JSON.stringify({ keys }),
    }
    // A caller whom the registry knows nothing of: that is for the request's own batch to tell.
    const nobody = { client_id: null, facility_row: null }
    const answers = [[row], [], [nobody], []]
    return statements.map((_, index) => answers[index] ?? [])
  },
})

const token = (alg: string, key: CryptoKey | Uint8Array) =>
  new SignJWT({ client_id: 'console' })
    .setProtectedHeader({ alg, kid: 'k', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setSubject('tremblay')
    .setAudience(audience)
    .setJti('token-1')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(key)

const bearing = (authorization: string) => ({
  authorization,
  dpop: null,
  method: 'GET',
  url: new URL('https://record.example/fhir/Patient'),
})

describe('authentication in workerd', () => {
  it.each(algorithms)('verifies %s, and refuses it by another key', async (alg) => {
    const own = await generateKeyPair(alg, { extractable: true })
    const other = await generateKeyPair(alg)
    const registry = registryOf([{ ...(await exportJWK(own.publicKey)), kid: 'k', alg }])
    const { authenticate } = createAuthenticator(registry)
    const good = await authenticate(bearing(`Bearer ${await token(alg, own.privateKey)}`), Date.now())
    expect(good).toMatchObject({ ok: true, value: { presented: { subject: 'tremblay' }, placement: null } })
    const forged = await authenticate(bearing(`Bearer ${await token(alg, other.privateKey)}`), Date.now())
    expect(forged).toEqual({ ok: false, error: { reason: 'unauthenticated', cause: 'signature-wrong' } })
  })

  it('refuses HS256', async () => {
    const { authenticate } = createAuthenticator(registryOf([]))
    const signed = await token('HS256', new Uint8Array(32))
    const refused = await authenticate(bearing(`Bearer ${signed}`), Date.now())
    expect(refused).toEqual({
      ok: false,
      error: { reason: 'unauthenticated', cause: 'algorithm-symmetric' },
    })
  })
})
