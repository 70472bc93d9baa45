/** Issuers and their keys: what an operator may register, and how keys, tokens and issuers end for good. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { refreshIssuers } from '../../../src/access/refresh-issuers.ts'
import { limits } from '../../../src/limits.ts'
import { current, everything, type Office, openOffice, operator } from './registry-support.ts'

const keyOf = async (kid: string, alg = 'ES256'): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair(alg, { extractable: true })).publicKey)),
  kid,
})
const a = await keyOf('a')
const b = await keyOf('b')
const odile = operator('odile')

const other = 'https://other.example'
const asked = (changes: Readonly<Record<string, unknown>> = {}) => ({
  issuer: other,
  audience: 'https://record.example/fhir',
  algorithms: ['ES256'],
  jwks: { keys: [a] },
  ...changes,
})

let office: Office
beforeEach(() => {
  office = openOffice()
})

const registered = () => current(office.registry, 'issuer').find(({ issuer }) => issuer === other)
const keyIds = (): unknown =>
  (JSON.parse(String(registered()?.jwks)) as { keys: JWK[] }).keys.map(({ kid }) => kid)

describe('an issuer', () => {
  it('is registered with all that is said of it, and listed with the thumbprints of its keys', async () => {
    const { body, clock, note } = await office.done(
      odile,
      '/access/issuers',
      asked({
        roleSystem: 'https://record.example/roles',
        organisation: 'gmf',
        requiresDpop: true,
        oneTime: true,
        patientSystem: 'https://record.example/number',
        patientAcr: ['high'],
      }),
    )
    const shown = {
      issuer: other,
      audience: 'https://record.example/fhir',
      algorithms: ['ES256'],
      keys: [{ kid: 'a', thumbprint: await calculateJwkThumbprint(a), revoked: false }],
      jwksUrl: null,
      roleSystem: 'https://record.example/roles',
      organisation: 'gmf',
      requiresDpop: true,
      oneTime: true,
      patientSystem: 'https://record.example/number',
      patientAcr: ['high'],
    }
    expect(body).toEqual({ changed: true, issuer: shown })
    const list = await office.done(odile, '/access/issuers')
    expect((list.body.issuers as unknown[])[1]).toEqual(shown)
    expect(clock).toMatch(/^[0-9a-f]{8}\.1$/)
    expect(office.intents).toEqual([
      {
        change: 'issuer',
        issuer: other,
        algorithms: 'ES256',
        keys: 'a',
        thumbprints: expect.stringMatching(/^[\w-]{43}$/),
        organisation: 'gmf',
      },
    ])
    expect(note).toEqual({ ...office.intents[0], changed: 'true' })
    expect(JSON.stringify(office.intents)).not.toContain(a.x)
  })

  it('asked for again as it is changes nothing', async () => {
    await office.done(odile, '/access/issuers', asked({ algorithms: ['ES256', 'RS256'] }))
    const before = everything(office.registry)
    const again = await office.done(odile, '/access/issuers', asked({ algorithms: ['RS256', 'ES256'] }))
    expect(again).toMatchObject({ status: 200, body: { changed: false } })
    expect(everything(office.registry)).toEqual(before)
  })

  it('with other keys is a new row; the row before ends, and is otherwise what it was', async () => {
    await office.done(odile, '/access/issuers', asked())
    const before = registered()
    await office.done(odile, '/access/issuers', asked({ jwks: { keys: [b] } }))
    expect(keyIds()).toEqual(['b'])
    expect(registered()?.valid_from).toBe(2)
    expect(office.registry.rows('select * from issuer where row = ?', before?.row as number)).toEqual([
      { ...before, valid_to: 2 },
    ])
  })

  it('with an address and no keys waits for the scheduled refresh, and keeps what that fetched', async () => {
    await office.done(
      odile,
      '/access/issuers',
      asked({ jwks: undefined, jwksUrl: 'http://127.0.0.1:1/jwks' }),
    )
    expect(keyIds()).toEqual([])
    // Nothing answers there: the row stays as it is.
    expect(await refreshIssuers(office.registry)).toEqual([])
    expect(keyIds()).toEqual([])
    office.registry.rows('update issuer set jwks = ? where issuer = ?', JSON.stringify({ keys: [b] }), other)
    const before = everything(office.registry)
    await office.done(
      odile,
      '/access/issuers',
      asked({ jwks: undefined, jwksUrl: 'http://127.0.0.1:1/jwks' }),
    )
    expect(everything(office.registry)).toEqual(before)
    await office.done(
      odile,
      '/access/issuers',
      asked({ jwks: undefined, jwksUrl: 'http://127.0.0.1:1/jwks', requiresDpop: true }),
    )
    expect(keyIds()).toEqual(['b'])
    await office.done(
      odile,
      '/access/issuers',
      asked({ jwks: undefined, jwksUrl: 'https://moved.example/jwks' }),
    )
    expect(keyIds()).toEqual([])
  })

  it('ends once; ended again nothing changes; one that never was is not found', async () => {
    await office.done(odile, '/access/issuers', asked())
    expect(await office.done(odile, '/access/issuers/end', { issuer: other })).toMatchObject({
      body: { changed: true },
      note: { change: 'issuer-ended', issuer: other, changed: 'true' },
    })
    expect(registered()).toBeUndefined()
    const before = everything(office.registry)
    expect(await office.done(odile, '/access/issuers/end', { issuer: other })).toMatchObject({
      status: 200,
      body: { changed: false },
    })
    expect(everything(office.registry)).toEqual(before)
    expect(
      await office.refused(odile, '/access/issuers/end', { issuer: 'https://never.example' }),
    ).toMatchObject({ reason: 'not-found', issues: [{ expression: 'issuer' }] })
  })

  it('whose answer was lost is told as done when it is sent again under its key', async () => {
    office.registry.failNext = 'repeated'
    expect(await office.done(odile, '/access/issuers', asked())).toMatchObject({ body: { changed: true } })
  })

  it('more than an isolate trusts is refused; those there are may still change', async () => {
    for (let n = current(office.registry, 'issuer').length; n < limits.maxRememberedIssuers; n++)
      await office.done(odile, '/access/issuers', asked({ issuer: `https://${n}.example` }))
    expect(await office.refused(odile, '/access/issuers', asked())).toMatchObject({
      reason: 'conflict',
      issues: [{ expression: 'issuer' }],
    })
    expect(registered()).toBeUndefined()
    await office.done(odile, '/access/issuers', asked({ issuer: 'https://50.example', requiresDpop: true }))
    expect(current(office.registry, 'issuer')).toHaveLength(limits.maxRememberedIssuers)
  })

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a shared-key algorithm', { algorithms: ['HS256'] }, 'algorithms[0]'],
    ['the algorithm none', { algorithms: ['ES256', 'none'] }, 'algorithms[1]'],
    ['no algorithm', { algorithms: [] }, 'algorithms'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an audience with a line break', { audience: 'a\nb' }, 'audience'],
    [
      'a longer audience than one may be',
      { audience: 'a'.repeat(limits.maxRegistryUriLength + 1) },
      'audience',
    ],
    ['neither keys nor an address', { jwks: undefined }, 'jwks'],
    ['no keys in its set', { jwks: { keys: [] } }, 'jwks.keys'],
    ['a key without a name', { jwks: { keys: [{ ...a, kid: undefined }] } }, 'jwks.keys[0].kid'],
    ['a private key', { jwks: { keys: [b, { ...a, d: 'secret' }] } }, 'jwks.keys[1]'],
    ['a shared key', { jwks: { keys: [{ kty: 'oct', kid: 'k', k: 'secret' }] } }, 'jwks.keys[0]'],
    ['a key for no algorithm it lists', { algorithms: ['RS256'] }, 'jwks.keys[0]'],
    ['a key that is none', { jwks: { keys: [{ ...a, x: 'AAAA' }] } }, 'jwks.keys[0]'],
    ['two keys of one name', { jwks: { keys: [a, { ...b, kid: 'a' }] } }, 'jwks.keys[1].kid'],
    ['an address over http', { jwksUrl: 'http://other.example/jwks' }, 'jwksUrl'],
    ['an address of another kind', { jwksUrl: 'file:///etc/passwd' }, 'jwksUrl'],
    ['an address with a password', { jwksUrl: 'https://a:b@other.example/jwks' }, 'jwksUrl'],
    ['a name over http', { issuer: 'http://other.example' }, 'issuer'],
    ['an unknown organisation', { organisation: 'nowhere' }, 'organisation'],
    ['a word that is no switch', { requiresDpop: 'yes' }, 'requiresDpop'],
    ['a member nobody knows', { jku: 'https://other.example' }, 'jku'],
  ])('with %s is refused, in both languages, and nothing is written', async (_, changes, expression) => {
    const before = everything(office.registry)
    const refusal = await office.refused(odile, '/access/issuers', asked(changes))
    expect(refusal).toMatchObject({ reason: 'invalid', issues: [{ expression }] })
    const [issue] = (refusal as unknown as { issues: { text: { fr: string; en: string } }[] }).issues
    expect(issue?.text.fr).toContain(expression)
    expect(issue?.text.en).toContain(expression)
    expect(issue?.text.fr).not.toBe(issue?.text.en)
    expect(JSON.stringify(refusal)).not.toContain('secret')
    expect(everything(office.registry)).toEqual(before)
  })

  it.each<[string, string, object]>([
    ['no JSON', '{', { reason: 'invalid' }],
    [
      'a member twice',
      '{"issuer":"a","issuer":"b"}',
      { reason: 'invalid', issues: [{ expression: 'issuer' }] },
    ],
    ['an array', '[]', { reason: 'invalid' }],
    [
      'a larger body than one may be',
      JSON.stringify('a'.repeat(limits.maxRegistryBodyBytes)),
      { reason: 'body-too-large', maxBytes: limits.maxRegistryBodyBytes },
    ],
  ])('a body that is %s is refused', async (_, body, refusal) => {
    expect(await office.refused(odile, '/access/issuers', body)).toMatchObject(refusal)
    expect(office.intents).toEqual([])
  })
})

describe('a revocation', () => {
  const thumbprints = () =>
    office.registry.rows('select issuer, thumbprint, valid_from from revoked_key order by thumbprint')

  it('of a key by its name is of every key of that name in the current set', async () => {
    const rsa = { ...(await keyOf('x', 'RS256')), kid: 'a' }
    await office.done(
      odile,
      '/access/issuers',
      asked({ algorithms: ['ES256', 'RS256'], jwks: { keys: [a, rsa, b] } }),
    )
    const { body, note } = await office.done(odile, '/access/revocations', {
      key: { issuer: other, kid: 'a' },
    })
    const expected = [await calculateJwkThumbprint(a), await calculateJwkThumbprint(rsa)].sort()
    expect(thumbprints().map(({ thumbprint }) => thumbprint)).toEqual(expected)
    expect(body).toMatchObject({ changed: true, issuer: other })
    expect(String(note?.thumbprint).split(' ').sort()).toEqual(expected)
    expect(note).toMatchObject({ change: 'key-revoked', issuer: other, kid: 'a', changed: 'true' })
  })

  it('of a key holds when the key set is fetched or registered again with it', async () => {
    await office.done(odile, '/access/issuers', asked({ jwks: { keys: [a, b] } }))
    await office.done(odile, '/access/revocations', { key: { issuer: other, kid: 'a' } })
    const before = thumbprints()
    await office.done(odile, '/access/issuers', asked({ jwks: { keys: [b] } }))
    const { body } = await office.done(odile, '/access/issuers', asked({ jwks: { keys: [a, b] } }))
    expect(thumbprints()).toEqual(before)
    expect((body.issuer as { keys: unknown }).keys).toMatchObject([
      { kid: 'a', revoked: true },
      { kid: 'b', revoked: false },
    ])
  })

  it('of a key by its thumbprint needs no key set, and finds a key that is written otherwise', async () => {
    const thumbprint = await calculateJwkThumbprint(a)
    await office.done(odile, '/access/issuers', asked({ jwks: { keys: [b] } }))
    await office.done(odile, '/access/revocations', { key: { issuer: other, thumbprint } })
    expect(thumbprints()).toEqual([{ issuer: other, thumbprint, valid_from: 2 }])
    // Base64 with padding names the same point: the same key.
    await office.done(odile, '/access/issuers', asked({ jwks: { keys: [{ ...a, x: `${a.x}=` }] } }))
    await office.done(odile, '/access/revocations', { key: { issuer: other, kid: 'a' } })
    expect(thumbprints()).toEqual([{ issuer: other, thumbprint, valid_from: 2 }])
  })

  it('of a token is remembered by issuer and jti; again it changes nothing', async () => {
    const token = { issuer: other, jti: 'token-1' }
    await office.done(odile, '/access/issuers', asked())
    expect(await office.done(odile, '/access/revocations', { token })).toMatchObject({
      body: { changed: true, token },
      note: { change: 'token-revoked', ...token },
    })
    const before = everything(office.registry)
    expect(await office.done(odile, '/access/revocations', { token })).toMatchObject({
      status: 200,
      body: { changed: false },
    })
    expect(everything(office.registry)).toEqual(before)
    expect(before.revoked_token).toEqual([{ ...token, valid_from: 2 }])
  })

  it.each<[string, unknown, object]>([
    ['a name no key has', { key: { issuer: other, kid: 'z' } }, { issues: [{ expression: 'key.kid' }] }],
    ['neither name nor thumbprint', { key: { issuer: other } }, { issues: [{ expression: 'key.kid' }] }],
    [
      'both',
      { key: { issuer: other, kid: 'a', thumbprint: 'A'.repeat(43) } },
      { issues: [{ expression: 'key.kid' }] },
    ],
    [
      'half a thumbprint',
      { key: { issuer: other, thumbprint: 'abc' } },
      { issues: [{ expression: 'key.thumbprint' }] },
    ],
    ['nothing', {}, { issues: [{ expression: 'token' }] }],
    [
      'a token and a key',
      { token: { issuer: other, jti: 'j' }, key: { issuer: other, kid: 'a' } },
      { issues: [{ expression: 'token' }] },
    ],
    [
      'an issuer that never was',
      { token: { issuer: 'https://never.example', jti: 'j' } },
      { reason: 'not-found' },
    ],
    [
      'a key of an issuer that never was',
      { key: { issuer: 'https://never.example', thumbprint: 'A'.repeat(43) } },
      { reason: 'not-found' },
    ],
  ])('of %s is refused and revokes nothing', async (_, body, refusal) => {
    await office.done(odile, '/access/issuers', asked())
    const before = everything(office.registry)
    expect(await office.refused(odile, '/access/revocations', body)).toMatchObject(refusal)
    expect(everything(office.registry)).toEqual(before)
  })

  it('reaches an issuer that has ended, whose tokens may be about still', async () => {
    await office.done(odile, '/access/issuers', asked())
    await office.done(odile, '/access/issuers/end', { issuer: other })
    await office.done(odile, '/access/revocations', { token: { issuer: other, jti: 'j' } })
    expect(office.registry.rows('select jti from revoked_token')).toEqual([{ jti: 'j' }])
  })
})
