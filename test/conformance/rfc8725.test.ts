/** JSON Web Token Best Current Practices (RFC 8725), section by section: every token here is one an attacker can make. */
import { createHash, createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import fc from 'fast-check'
import { EncryptJWT, exportJWK, generateKeyPair } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../src/access/authenticate.ts'
import { limits } from '../../src/limits.ts'
import { addClient, addFacility, addIssuer, openRegistry, type Registry } from '../unit/access/registry.ts'
import {
  bearing,
  claimsOf,
  encode,
  headerOf,
  makeKey,
  nowMs,
  nowSeconds,
  signHmac,
  signText,
  signToken,
  type TestKey,
} from '../unit/access/tokens.ts'

const otherIssuer = 'https://other.example'
let key: TestKey
let rsaKey: TestKey
let otherKey: TestKey
let registry: Registry

beforeAll(async () => {
  key = await makeKey('k1')
  rsaKey = await makeKey('rsa', 'PS256')
  otherKey = await makeKey('k1')
})

beforeEach(() => {
  registry = openRegistry()
  // HS256 and `none` are in the row: a registry's mistake must not open a door.
  addIssuer(registry, [key.publicJwk, rsaKey.publicJwk], ['ES256', 'PS256', 'HS256', 'none'])
  registry.insert('issuer', {
    issuer: otherIssuer,
    audience: 'https://record.example/fhir',
    algorithms: '["ES256"]',
    jwks: JSON.stringify({ keys: [otherKey.publicJwk] }),
    valid_from: 1,
  })
  addFacility(registry, 'hospital')
  addClient(registry, 'console')
})

/** The cause of the refusal, or `accepted`. */
async function verdict(token: string): Promise<string> {
  const result = await createAuthenticator(registry).authenticate(bearing(`Bearer ${token}`), nowMs)
  return result.ok ? 'accepted' : result.error.cause
}

const unsigned = (header: Record<string, unknown>, signature = ''): string =>
  `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claimsOf()))}.${signature}`

it('accepts the token that the hostile ones are made of', async () => {
  expect(await verdict(await signToken(key))).toBe('accepted')
  expect(await verdict(await signToken(rsaKey))).toBe('accepted')
  expect(await verdict(await signToken(otherKey, { iss: otherIssuer }))).toBe('accepted')
})

describe('§2.1, §3.1 algorithm verification', () => {
  it.each(['none', 'None', 'NONE', 'nOnE'])('refuses alg %s, signed or not', async (alg) => {
    expect(await verdict(unsigned({ alg, kid: 'k1', typ: 'at+jwt' }))).toBe('algorithm-none')
    expect(await verdict(await signToken(key, {}, { alg }))).toBe('algorithm-none')
  })

  it('refuses an ES256 token without its signature', async () => {
    expect(await verdict(unsigned(headerOf(key)))).toBe('signature-missing')
  })

  it('refuses HS256 keyed with the public key, in every form it is published in', async () => {
    const { publicJwk } = rsaKey
    const pem = createPublicKey({ key: publicJwk as JsonWebKey, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    const secrets = [
      JSON.stringify(publicJwk),
      JSON.stringify({ keys: [publicJwk] }),
      publicJwk.n ?? '',
      String(pem),
    ]
    for (const secret of secrets)
      expect(await verdict(await signHmac(new TextEncoder().encode(secret), 'rsa'))).toBe(
        'algorithm-symmetric',
      )
  })

  it('refuses an algorithm that the issuer does not use', async () => {
    expect(await verdict(await signToken(key, {}, { alg: 'ES384' }))).toBe('algorithm-not-of-issuer')
    expect(await verdict(await signToken(rsaKey, {}, { alg: 'RS256' }))).toBe('algorithm-not-of-issuer')
  })

  it('refuses a key used with an algorithm of another key', async () => {
    expect(await verdict(await signToken(rsaKey, {}, { kid: 'k1' }))).toBe('key-of-another-algorithm')
    expect(await verdict(await signToken(key, {}, { kid: 'rsa' }))).toBe('key-of-another-algorithm')
  })
})

describe('§2.2, §3.2, §3.5 appropriate algorithms and keys', () => {
  const registered = async (jwk: object, algorithms: readonly string[]): Promise<void> => {
    registry.db
      .prepare('update issuer set jwks = ?, algorithms = ? where row = 1')
      .run(JSON.stringify({ keys: [jwk] }), JSON.stringify(algorithms))
  }

  it('takes no shared secret from the registry', async () => {
    const secret = new Uint8Array(32).fill(7)
    await registered({ kty: 'oct', k: encode(secret), kid: 'k1', alg: 'HS256' }, ['HS256'])
    expect(await verdict(await signHmac(secret, 'k1'))).toBe('algorithm-symmetric')
  })

  it('takes no RSA key of less than 2,048 bits', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    await registered({ ...publicKey.export({ format: 'jwk' }), kid: 'rsa' }, ['PS256'])
    expect(await verdict(await signToken(rsaKey))).toBe('key-too-short')
  })

  it('takes no key meant for something else', async () => {
    await registered({ ...key.publicJwk, use: 'enc' }, ['ES256'])
    expect(await verdict(await signToken(key))).toBe('key-not-for-signatures')
    await registered({ ...key.publicJwk, alg: 'ES384' }, ['ES256'])
    expect(await verdict(await signToken(key))).toBe('key-of-another-algorithm')
    await registered({ ...key.publicJwk, key_ops: ['deriveKey'] }, ['ES256'])
    expect(await verdict(await signToken(key))).toBe('key-not-for-signatures')
  })

  it('takes only the public half of a private key that strayed into the registry', async () => {
    await registered({ ...(await exportJWK(key.privateKey)), kid: 'k1' }, ['ES256'])
    expect(await verdict(await signToken(key))).toBe('accepted')
  })

  it('passes over a damaged key and uses the others', async () => {
    const damaged = { ...key.publicJwk, kid: 'damaged', x: 'AAAA' }
    registry.db.prepare('update issuer set jwks = ?').run(JSON.stringify({ keys: [damaged, key.publicJwk] }))
    expect(await verdict(await signToken(key))).toBe('accepted')
    expect(await verdict(await signToken(key, {}, { kid: 'damaged' }))).toBe('key-damaged')
  })
})

describe('§3.3 all operations validated', () => {
  it('refuses a change of any part', async () => {
    const [header = '', payload = '', signature = ''] = (await signToken(key)).split('.')
    const mine = encode(JSON.stringify(claimsOf({ sub: 'gagnon' })))
    expect(await verdict(`${header}.${mine}.${signature}`)).toBe('signature-wrong')
    const typed = encode(JSON.stringify(headerOf(key, { typ: 'application/at+jwt' })))
    expect(await verdict(`${typed}.${payload}.${signature}`)).toBe('signature-wrong')
    const bytes = Buffer.from(signature, 'base64url')
    bytes[5] = (bytes[5] ?? 0) ^ 1
    expect(await verdict(`${header}.${payload}.${encode(bytes)}`)).toBe('signature-wrong')
  })

  it('refuses a truncated token at every length', async () => {
    const token = await signToken(key)
    for (let length = 0; length < token.length; length++)
      expect(await verdict(token.slice(0, length))).toMatch(
        /^(jws-(not-three-parts|empty-part|length|trailing-bits)|payload-not-(json|utf-8)|signature-(missing|wrong))$/,
      )
  })

  it('refuses a token with any one character changed, added or taken away', async () => {
    const token = await signToken(key)
    const characters = [...'ABab01-_.=+/ \n"{é\0']
    const edit = fc.record({
      at: fc.nat({ max: token.length - 1 }),
      takes: fc.constantFrom(0, 1),
      put: fc.constantFrom('', ...characters),
    })
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, takes, put }) => {
        const edited = token.slice(0, at) + put + token.slice(at + takes)
        // Spaces after the scheme are the header's, not the token's (RFC 9110 §11.4).
        if (edited.replace(/^ +/, '') !== token) expect(await verdict(edited)).not.toBe('accepted')
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a signature of zeros, one in DER, and one twice as long', async () => {
    const token = await signToken(key)
    const [header, payload, signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const der = Buffer.concat([
      Buffer.of(0x30, 70, 2, 33, 0),
      bytes.subarray(0, 32),
      Buffer.of(2, 33, 0),
      bytes.subarray(32),
    ])
    for (const forged of [Buffer.alloc(64), der, Buffer.concat([bytes, bytes])])
      expect(await verdict(`${header}.${payload}.${encode(forged)}`)).toBe('signature-wrong')
  })

  it('refuses a nested and an encrypted token', async () => {
    const inner = await signToken(key)
    expect(await verdict(await signText(key, JSON.stringify(headerOf(key, { cty: 'JWT' })), inner))).toBe(
      'payload-not-json',
    )
    expect(await verdict(await signText(key, JSON.stringify(headerOf(key)), inner))).toBe('payload-not-json')
    const { publicKey } = await generateKeyPair('RSA-OAEP-256')
    const encrypted = await new EncryptJWT(claimsOf())
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'k1' })
      .encrypt(publicKey)
    expect(await verdict(encrypted)).toBe('jws-encrypted')
  })
})

describe('§2.4, §2.6, §3.6, §3.7 one meaning per token', () => {
  it.each([
    ['compressed', { zip: 'DEF' }, 'header-zip'],
    ['with critical extensions', { crit: ['exp'] }, 'header-crit'],
    ['with an unencoded payload', { b64: false, crit: ['b64'] }, 'header-crit'],
  ])('refuses one %s', async (_, header, cause) => {
    expect(await verdict(await signToken(key, {}, header))).toBe(cause)
  })

  it('refuses a member named twice, well signed', async () => {
    const twice = JSON.stringify(claimsOf()).replace('{', '{"sub":"gagnon",')
    expect(await verdict(await signText(key, JSON.stringify(headerOf(key)), twice))).toBe(
      'payload-duplicate-member',
    )
    const header = JSON.stringify(headerOf(key)).replace('{', '{"alg":"none",')
    expect(await verdict(await signText(key, header, JSON.stringify(claimsOf())))).toBe(
      'header-duplicate-member',
    )
  })

  it('refuses padding, white space and the other alphabet', async () => {
    const token = await signToken(key)
    const [header, payload, signature = ''] = token.split('.')
    expect(await verdict(`${token}==`)).toBe('jws-padding')
    expect(await verdict(`${token} `)).toBe('jws-white-space')
    expect(await verdict(`${header}\n.${payload}.${signature}`)).toBe('jws-white-space')
    expect(await verdict(`${header}.${payload}.${signature.slice(0, -2)}+/`)).toBe('jws-alphabet')
  })

  it('refuses a megabyte without reading the registry', async () => {
    expect(await verdict('A'.repeat(1024 * 1024))).toBe('jws-too-long')
    expect(await verdict(await signToken(key, { scope: 'x'.repeat(limits.maxTokenBytes) }))).toBe(
      'jws-too-long',
    )
    expect(registry.reads()).toBe(0)
  })
})

describe('§2.7, §3.8 issuer and subject', () => {
  it('refuses another issuer’s key under the same key id', async () => {
    expect(await verdict(await signToken(otherKey))).toBe('signature-wrong')
    expect(await verdict(await signToken(key, { iss: otherIssuer }))).toBe('signature-wrong')
  })

  it.each([
    'https://stranger.example',
    'https://identity.example/',
    'HTTPS://identity.example',
    'https://identity.example\u200b',
  ])('refuses issuer %s', async (iss) => {
    expect(await verdict(await signToken(key, { iss }))).toBe('issuer-unknown')
  })

  it.each([[['https://identity.example']], [1], [''], [null]])(
    'refuses an issuer that is %j',
    async (iss) => {
      expect(await verdict(await signToken(key, { iss }))).toBe('iss-wrong-type')
    },
  )

  it.each(['sub', 'client_id', 'jti'])('refuses a %s that is empty or no text', async (claim) => {
    for (const value of ['', 1, null, ['tremblay'], { toString: 'tremblay' }])
      expect(await verdict(await signToken(key, { [claim]: value }))).toBe(`${claim}-wrong-type`)
  })
})

describe('§2.8, §3.9 audience', () => {
  it.each([
    ['another', 'https://other.example/fhir'],
    ['ours with a slash', 'https://record.example/fhir/'],
    ['a list without ours', ['https://other.example/fhir']],
    ['an empty list', []],
  ])('refuses %s', async (_, aud) => {
    expect(await verdict(await signToken(key, { aud }))).toBe('audience-wrong')
  })

  it.each([[null], [1], [''], [['https://record.example/fhir', 1]], [{ aud: 'x' }]])(
    'refuses an audience that is %j',
    async (aud) => {
      expect(await verdict(await signToken(key, { aud }))).toBe('aud-wrong-type')
    },
  )
})

describe('§2.9, §3.10 received claims are not trusted', () => {
  it.each([
    [`k1' or '1'='1`, 'kid-unfit'],
    [`' union select '{"keys":[]}' --`, 'kid-unfit'],
    ['../../../../dev/null', 'kid-path'],
    ['/proc/self/environ', 'kid-path'],
    ['https://attacker.example/key', 'kid-url'],
    ['__proto__', 'key-unknown'],
    ['constructor', 'key-unknown'],
    ['', 'kid-empty'],
    ['k1\0', 'kid-not-printable'],
  ])('a key id is only compared: %j', async (kid, cause) => {
    expect(await verdict(await signToken(key, {}, { kid }))).toBe(cause)
  })

  it('a key id that looks like a path or a URL is one all the same where the registry lists it', async () => {
    for (const kid of ['https://keys.example/1', '/keys/1', 'a b']) {
      const named = { ...key, kid, publicJwk: { ...key.publicJwk, kid } }
      registry.db
        .prepare('update issuer set jwks = ? where row = 1')
        .run(JSON.stringify({ keys: [named.publicJwk] }))
      expect(await verdict(await signToken(named))).toBe('accepted')
    }
  })

  it.each(['constructor', '__proto__', 'toString'])('so is an algorithm: %s', async (alg) => {
    expect(await verdict(await signToken(key, {}, { alg }))).toBe('algorithm-unknown')
  })

  it('an issuer, a client and a facility are bound values, never SQL', async () => {
    const quote = `x' or '1'='1`
    expect(await verdict(await signToken(key, { iss: quote }))).toBe('issuer-unknown')
    const hostile = { client_id: quote, extensions: { ihe_iua: { subject_organization_id: quote } } }
    const token = await signToken(key, hostile)
    const result = await createAuthenticator(registry).authenticate(bearing(`Bearer ${token}`), nowMs)
    expect(result).toMatchObject({ ok: true, value: { placement: null } })
  })

  it('no header parameter brings a key of its own', async () => {
    const mine = await makeKey('mine')
    const { publicJwk } = mine
    const thumbprint = createHash('sha256').update(JSON.stringify(publicJwk)).digest('base64url')
    for (const [name, value] of Object.entries({
      jwk: publicJwk,
      jku: 'https://attacker.example/jwks.json',
      x5u: 'https://attacker.example/chain.pem',
      x5c: [Buffer.from('certificate').toString('base64')],
    }))
      expect(await verdict(await signToken(mine, {}, { [name]: value }))).toBe(`header-${name}`)
    expect(await verdict(await signToken(mine, {}, { 'x5t#S256': thumbprint }))).toBe('key-unknown')
  })
})

describe('§3.11, §3.12 explicit types, exclusive rules', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT'])('accepts typ %s', async (typ) => {
    expect(await verdict(await signToken(key, {}, { typ }))).toBe('accepted')
  })

  it.each(['id+jwt', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JOSE', '', undefined])(
    'refuses typ %s',
    async (typ) => {
      expect(await verdict(await signToken(key, {}, { typ }))).toBe(
        typ === undefined ? 'type-missing' : 'type-wrong',
      )
    },
  )

  it('refuses an ID token and a client assertion', async () => {
    const idToken = { aud: 'console', azp: 'console', nonce: 'n', client_id: undefined, jti: undefined }
    expect(await verdict(await signToken(key, idToken, { typ: 'JWT' }))).toBe('client_id-missing')
    expect(await verdict(await signToken(key, { aud: 'console', nonce: 'n' }, { typ: 'JWT' }))).toBe(
      'audience-wrong',
    )
    const assertion = { iss: 'console', sub: 'console', aud: 'https://identity.example/token' }
    expect(await verdict(await signToken(key, assertion, { typ: 'JWT' }))).toBe('issuer-unknown')
  })
})

describe('claims that every token must have, and their times (RFC 9068 §2.2, RFC 7519 §4.1)', () => {
  it.each(['iss', 'sub', 'client_id', 'aud', 'exp', 'iat', 'jti'])(
    'refuses a token without %s',
    async (claim) => {
      expect(await verdict(await signToken(key, { [claim]: undefined }))).toBe(`${claim}-missing`)
    },
  )

  it('bears a clock that differs by the tolerance, and no more', async () => {
    const tolerance = limits.clockToleranceSeconds
    const token = (claims: Record<string, number>) => signToken(key, { iat: nowSeconds - 60, ...claims })
    expect(await verdict(await token({ exp: nowSeconds - tolerance + 1 }))).toBe('accepted')
    expect(await verdict(await token({ exp: nowSeconds - tolerance }))).toBe('expired')
    expect(await verdict(await token({ nbf: nowSeconds + tolerance }))).toBe('accepted')
    expect(await verdict(await token({ nbf: nowSeconds + tolerance + 1 }))).toBe('not-yet-valid')
    expect(await verdict(await token({ iat: nowSeconds + tolerance }))).toBe('accepted')
    expect(await verdict(await token({ iat: nowSeconds + tolerance + 1 }))).toBe('issued-in-future')
  })

  it('refuses a life longer than the limit, from its beginning', async () => {
    const life = limits.maxTokenLifetimeSeconds
    expect(await verdict(await signToken(key, { exp: nowSeconds + life }))).toBe('accepted')
    expect(await verdict(await signToken(key, { exp: nowSeconds + life + 1 }))).toBe('lifetime-too-long')
    expect(await verdict(await signToken(key, { iat: nowSeconds - life, exp: nowSeconds + 1 }))).toBe(
      'lifetime-too-long',
    )
    expect(await verdict(await signToken(key, { exp: Number.MAX_SAFE_INTEGER }))).toBe('lifetime-too-long')
  })

  it.each(['exp', 'iat', 'nbf'])('refuses a %s that is no finite number', async (claim) => {
    for (const value of ['1900000600', null, [nowSeconds], true])
      expect(await verdict(await signToken(key, { [claim]: value }))).toBe(`${claim}-wrong-type`)
    const endless = JSON.stringify(claimsOf({ [claim]: 0 })).replace(`"${claim}":0`, `"${claim}":1e999`)
    expect(await verdict(await signText(key, JSON.stringify(headerOf(key)), endless))).toBe(
      `${claim}-wrong-type`,
    )
  })
})

describe('the Authorization header (RFC 6750 §2.1)', () => {
  it.each([
    [null, 'missing'],
    ['', 'missing'],
    ['Basic dGVzdDp0ZXN0', 'missing'],
    ['Bearer', 'missing'],
    ['Bearer ', 'jws-not-three-parts'],
    ['Bearer a b', 'jws-white-space'],
    ['Bearer a.b.c, Bearer d.e.f', 'jws-white-space'],
  ])('%j is %s', async (header, cause) => {
    const result = await createAuthenticator(registry).authenticate(bearing(header), nowMs)
    expect(result).toEqual({ ok: false, error: { reason: 'unauthenticated', cause } })
  })
})
