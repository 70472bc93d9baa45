/** DPoP (RFC 9449), section by section: every proof here is one that an attacker, or a careless client, can make. */
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Authenticator, createAuthenticator } from '../../src/access/authenticate.ts'
import { limits } from '../../src/limits.ts'
import { addClient, addFacility, addIssuer, openRegistry } from '../unit/access/registry.ts'
import {
  encode,
  makeKey,
  nowMs,
  nowSeconds,
  signText,
  signToken,
  type TestKey,
} from '../unit/access/tokens.ts'

const address = 'https://record.example/fhir/Observation'
let issuerKey: TestKey
let holder: TestKey
let thief: TestKey
let rsa: TestKey
let bound: string
let unbound: string
let authenticator: Authenticator

const publicPart = ({ publicJwk: { kty, crv, x, y, n, e } }: TestKey) =>
  JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as Record<string, string>

beforeAll(async () => {
  issuerKey = await makeKey('k1')
  holder = await makeKey('holder')
  thief = await makeKey('thief')
  rsa = await makeKey('rsa', 'PS256')
  bound = await signToken(issuerKey, { cnf: { jkt: await calculateJwkThumbprint(holder.publicJwk) } })
  unbound = await signToken(issuerKey)
})

beforeEach(() => {
  const registry = openRegistry()
  addIssuer(registry, [issuerKey.publicJwk])
  addFacility(registry, 'hospital')
  addClient(registry, 'console')
  authenticator = createAuthenticator(registry)
})

interface Shown {
  readonly scheme?: string
  readonly token?: string
  readonly dpop?: string | null
  readonly method?: string
  readonly url?: string
}

async function authenticate(shown: Shown) {
  const { scheme = 'DPoP', token = bound, dpop = null, method = 'GET', url = `${address}?patient=p` } = shown
  const authorization = `${scheme} ${token}`
  return await authenticator.authenticate({ authorization, dpop, method, url: new URL(url) }, nowMs)
}

/** The cause of the refusal, or `accepted`. */
async function verdict(shown: Shown): Promise<string> {
  const result = await authenticate(shown)
  return result.ok ? 'accepted' : result.error.cause
}

type Changes = Readonly<Record<string, unknown>>

const ath = (token: string): string => createHash('sha256').update(token).digest('base64url')
const headerText = (key: TestKey, changes: Changes = {}): string =>
  JSON.stringify({ typ: 'dpop+jwt', alg: key.alg, jwk: publicPart(key), ...changes })
const claimsText = (changes: Changes = {}): string =>
  JSON.stringify({ jti: 'p1', htm: 'GET', htu: address, iat: nowSeconds, ath: ath(bound), ...changes })

/** A good proof for a GET of `address` with `bound`; a change of `undefined` removes the member. */
const proofBy = (key: TestKey, claims: Changes = {}, header: Changes = {}): Promise<string> =>
  signText(key, headerText(key, header), claimsText(claims))
const proof = (claims: Changes = {}, header: Changes = {}): Promise<string> => proofBy(holder, claims, header)

it('accepts the proof that the hostile ones are made of, of every kind of key', async () => {
  expect(await verdict({ dpop: await proof() })).toBe('accepted')
  const token = await signToken(issuerKey, { cnf: { jkt: await calculateJwkThumbprint(rsa.publicJwk) } })
  expect(await verdict({ token, dpop: await proofBy(rsa, { ath: ath(token) }) })).toBe('accepted')
})

describe('§4.2 syntax of a proof', () => {
  it.each<[string, Changes, string]>([
    ['of another type', { typ: 'at+jwt' }, 'proof-type-wrong'],
    ['of type JWT', { typ: 'JWT' }, 'proof-type-wrong'],
    ['without a type', { typ: undefined }, 'proof-type-missing'],
    ['of alg none', { alg: 'none' }, 'proof-algorithm-none'],
    ['of alg None', { alg: 'None' }, 'proof-algorithm-none'],
    ['of alg HS256', { alg: 'HS256' }, 'proof-algorithm-symmetric'],
    ['of an alg every object has', { alg: 'constructor' }, 'proof-algorithm-unknown'],
    ['without an alg', { alg: undefined }, 'proof-algorithm-missing'],
    ['of the alg of another kind of key', { alg: 'PS256' }, 'proof-key-of-another-algorithm'],
    ['of the alg of another curve', { alg: 'ES384' }, 'proof-key-wrong-curve'],
    ['without a key', { jwk: undefined }, 'proof-key-missing'],
    ['whose key is a text', { jwk: 'key' }, 'proof-key-not-object'],
    ['whose key is a list', { jwk: [] }, 'proof-key-not-object'],
    ['whose key is damaged', { jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } }, 'proof-key-damaged'],
    ['whose key is a shared secret', { jwk: { kty: 'oct', k: 'c2VjcmV0' } }, 'proof-key-private'],
    ['with critical extensions', { crit: ['exp'] }, 'proof-header-crit'],
    ['with an unencoded payload', { b64: false }, 'proof-header-b64'],
    ['with a key by address', { jku: 'https://attacker.example/keys' }, 'proof-header-jku'],
    ['with a certificate', { x5c: ['AAAA'] }, 'proof-header-x5c'],
  ])('refuses one %s', async (_, header, cause) => {
    expect(await verdict({ dpop: await proof({}, header) })).toBe(cause)
  })

  it('refuses one that shows its private key', async () => {
    const jwk = await exportJWK(holder.privateKey)
    expect(jwk.d).toBeDefined()
    expect(await verdict({ dpop: await proof({}, { jwk }) })).toBe('proof-key-private')
  })

  it.each(['jti', 'htm', 'htu', 'iat', 'ath'])('refuses one without %s', async (claim) => {
    expect(await verdict({ dpop: await proof({ [claim]: undefined }) })).toBe(`proof-${claim}-missing`)
  })

  it.each<[string, Changes, string]>([
    ['an empty jti', { jti: '' }, 'jti'],
    ['a jti that is a number', { jti: 1 }, 'jti'],
    ['an iat that is a text', { iat: String(nowSeconds) }, 'iat'],
    ['an iat that is nothing', { iat: null }, 'iat'],
    ['an iat beyond all time', { iat: 1e300 }, 'iat'],
  ])('refuses one with %s', async (_, claims, claim) => {
    expect(await verdict({ dpop: await proof(claims) })).toBe(`proof-${claim}-wrong-type`)
  })

  it('refuses what two parsers could read differently', async () => {
    const good = await proof()
    for (const [dpop, cause] of [
      [`${good}=`, 'padding'],
      [` ${good}`, 'white-space'],
      [`${good}.`, 'not-three-parts'],
      ['', 'not-three-parts'],
      ['proof', 'not-three-parts'],
      ['..', 'empty-part'],
    ] as const)
      expect(await verdict({ dpop })).toBe(`proof-jws-${cause}`)
    const twice = claimsText().replace('{', '{"htm":"POST",')
    expect(await verdict({ dpop: await signText(holder, headerText(holder), twice) })).toBe(
      'proof-payload-duplicate-member',
    )
    expect(await verdict({ dpop: await proof({ jti: 'x'.repeat(limits.maxProofBytes) }) })).toBe(
      'proof-jws-too-long',
    )
  })
})

describe('§4.3 checking a proof', () => {
  it('refuses two proofs, good as they are: headers of one name are joined', async () => {
    const headers = new Headers([
      ['DPoP', await proof()],
      ['DPoP', await proof({ jti: 'p2' })],
    ])
    expect(await verdict({ dpop: headers.get('dpop') })).toBe('proof-several')
  })

  it('refuses a signature by another key than the one shown, and a changed claim', async () => {
    const forged = await signText(thief, headerText(holder), claimsText())
    expect(await verdict({ dpop: forged })).toBe('proof-signature-wrong')
    const [header, , signature] = (await proof()).split('.')
    const changed = `${header}.${encode(claimsText({ jti: 'p2' }))}.${signature}`
    expect(await verdict({ dpop: changed })).toBe('proof-signature-wrong')
    expect(await verdict({ dpop: `${header}.${encode(claimsText())}.` })).toBe('proof-signature-missing')
  })

  it.each(['POST', 'get', 'HEAD', ''])('refuses one for method %j', async (htm) => {
    expect(await verdict({ dpop: await proof({ htm }) })).toBe('proof-wrong-method')
  })

  it('refuses one for a read when something is to be written', async () => {
    expect(await verdict({ dpop: await proof(), method: 'POST' })).toBe('proof-wrong-method')
  })

  it.each([
    'https://record.example/fhir/Patient',
    'https://record.example/fhir/observation',
    'https://record.example/fhir/Observation/',
    'http://record.example/fhir/Observation',
    'https://record.example:8443/fhir/Observation',
    'https://other.example/fhir/Observation',
    'https://user@record.example/fhir/Observation',
    '/fhir/Observation',
    '',
    null,
    1,
  ])('refuses one for address %j', async (htu) => {
    expect(await verdict({ dpop: await proof({ htu }) })).toBe('proof-wrong-url')
  })

  it.each([
    'https://record.example/fhir/Observation?patient=other',
    'https://record.example/fhir/Observation#part',
    'https://record.example:443/fhir/Observation',
    'HTTPS://RECORD.example/fhir/./Observation',
  ])('accepts the address as %s', async (htu) => {
    expect(await verdict({ dpop: await proof({ htu }) })).toBe('accepted')
  })

  it('bears clocks that differ by the limit, and no more', async () => {
    const skew = limits.maxProofSkewSeconds
    expect(await verdict({ dpop: await proof({ iat: nowSeconds - skew }) })).toBe('accepted')
    expect(await verdict({ dpop: await proof({ iat: nowSeconds - skew - 1 }) })).toBe('proof-stale')
    expect(await verdict({ dpop: await proof({ iat: nowSeconds + skew }) })).toBe('accepted')
    expect(await verdict({ dpop: await proof({ iat: nowSeconds + skew + 1 }) })).toBe('proof-not-yet-valid')
  })

  it('refuses one for another token, or for none', async () => {
    for (const value of [ath(unbound), '', null, bound])
      expect(await verdict({ dpop: await proof({ ath: value }) })).toBe('proof-wrong-token')
  })
})

describe('§6.1 the key a token is bound to', () => {
  it('refuses a stolen token with a good proof by the thief', async () => {
    expect(await verdict({ dpop: await proofBy(thief) })).toBe('proof-wrong-key')
  })

  it.each<[string, unknown]>([
    ['a certificate', { 'x5t#S256': 'A'.repeat(43) }],
    ['a certificate beside a key', { jkt: 'A'.repeat(43), 'x5t#S256': 'A'.repeat(43) }],
    ['a key itself', { jwk: {} }],
    ['a thumbprint of another length', { jkt: 'A'.repeat(42) }],
    ['a thumbprint that is no text', { jkt: 1 }],
    ['nothing', {}],
    ['null', null],
    ['a text', 'A'.repeat(43)],
  ])('refuses a token bound to %s, which nobody would check', async (_, cnf) => {
    const token = await signToken(issuerKey, { cnf })
    expect(await verdict({ token, scheme: 'Bearer' })).toBe('cnf-wrong-type')
    expect(await verdict({ token, dpop: await proof({ ath: ath(token) }) })).toBe('cnf-wrong-type')
  })
})

describe('§7.1, §7.2 schemes', () => {
  it('refuses a bound token without a proof', async () => {
    expect(await verdict({})).toBe('proof-missing')
  })

  it('refuses a bound token as Bearer, with and without a proof, also once it is remembered', async () => {
    for (let round = 0; round < 2; round++) {
      expect(await verdict({ scheme: 'Bearer' })).toBe('wrong-scheme')
      expect(await verdict({ scheme: 'Bearer', dpop: await proof() })).toBe('wrong-scheme')
      expect(await verdict({ dpop: await proof() })).toBe('accepted')
      expect(await verdict({})).toBe('proof-missing')
    }
  })

  it('refuses an unbound token as DPoP, and a proof beside Bearer', async () => {
    const dpop = await proof({ ath: ath(unbound) })
    expect(await verdict({ token: unbound, dpop })).toBe('wrong-scheme')
    expect(await verdict({ token: unbound })).toBe('wrong-scheme')
    expect(await verdict({ token: unbound, dpop, scheme: 'Bearer' })).toBe('wrong-scheme')
    expect(await verdict({ token: unbound, scheme: 'Bearer' })).toBe('accepted')
  })

  it('takes the scheme in any case', async () => {
    expect(await verdict({ scheme: 'dpop', dpop: await proof() })).toBe('accepted')
  })

  it('says that a token is bad before it looks at a proof', async () => {
    const token = await signToken({ ...thief, kid: 'k1' })
    expect(await verdict({ token, dpop: 'x' })).toBe('signature-wrong')
  })
})

describe('§11.1 replay', () => {
  const keyOf = async (dpop: string, shown: Shown = {}) => {
    const result = await authenticate({ dpop, ...shown })
    return result.ok ? result.value.once[0] : result.error.cause
  }

  it('every use of a proof has the same one-time key, and another proof another', async () => {
    const first = await keyOf(await proof())
    expect(first).toMatchObject({ key: expect.stringMatching(/^dpop:[\w-]{43}$/) })
    expect(await keyOf(await proof())).toEqual(first)
    expect(await keyOf(await proof({ jti: 'p2' }))).not.toMatchObject({ key: (first as { key: string }).key })
  })

  it('a signature written in another way does not make another proof', async () => {
    const dpop = await proof()
    const [header, payload, signature = ''] = dpop.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    // Of ECDSA, (r, n − s) verifies wherever (r, s) does.
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
    const again = `${header}.${payload}.${encode(twin)}`
    expect(again).not.toBe(dpop)
    expect(await keyOf(again)).toEqual(await keyOf(dpop))
  })

  it('the key outlasts the proof, whatever time its client says it is, by the time a request may take', async () => {
    const staleMs = (iat: number) => (iat + limits.maxProofSkewSeconds) * 1_000
    for (const iat of [nowSeconds - 30, nowSeconds + 30, nowSeconds + 0.5])
      expect(await keyOf(await proof({ iat }))).toMatchObject({
        untilMs: staleMs(iat) + limits.oneTimeMemoryMs,
      })
    expect(limits.oneTimeMemoryMs).toBeGreaterThan(limits.bodyDeadlineMs + limits.appendDeadlineMs)
  })

  it('an unbound token has none', async () => {
    expect(await authenticate({ token: unbound, scheme: 'Bearer' })).toMatchObject({ value: { once: [] } })
  })
})
