import { calculateJwkThumbprint } from 'jose'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Authenticator, createAuthenticator } from '../../../src/access/authenticate.ts'
import { limits } from '../../../src/limits.ts'
import { StoreError } from '../../../src/store/ports.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  endCurrent,
  issuer,
  openRegistry,
  type Registry,
  replaceIssuer,
  uriOf,
} from './registry.ts'
import { bearing, claimsOf, encode, makeKey, nowMs, signToken, type TestKey } from './tokens.ts'

let key: TestKey
let nextKey: TestKey
let registry: Registry
let authenticator: Authenticator

beforeAll(async () => {
  key = await makeKey('k1')
  nextKey = await makeKey('k2')
})

beforeEach(() => {
  registry = openRegistry()
  addIssuer(registry, [key.publicJwk])
  addFacility(registry, 'hospital')
  addFacility(registry, 'pharmacy', 'pharmacy', 'quebec')
  addClient(registry, 'console')
  addClient(registry, 'system-pharmacy', 'pharmacy')
  authenticator = createAuthenticator(registry)
})

const authenticate = (token: string, at = nowMs) => authenticator.authenticate(bearing(`Bearer ${token}`), at)
const refused = (cause: string) => ({ ok: false, error: { reason: 'unauthenticated', cause } })
const atHospital = { row: 1, facility: 'hospital', region: 'montreal', log: 'montreal' }
const atPharmacy = { row: 2, facility: 'pharmacy', region: 'quebec', log: 'quebec' }

/** The hint of another isolate's clock: later than the reload limit. */
const later = nowMs + limits.issuerReloadEveryMs

describe('a good token', () => {
  it('presents its claims and where its facility lives', async () => {
    expect(await authenticate(await signToken(key))).toEqual({
      ok: true,
      value: {
        presented: {
          issuer,
          issuerRow: 1,
          subject: 'tremblay',
          clientId: 'console',
          jti: 'token-1',
          expiresAt: nowMs / 1_000 + 600,
          name: 'Dre Tremblay',
          role: 'physician',
          facilityUri: uriOf('hospital'),
          purpose: 'TREAT',
          scopes: ['openid', 'ITI-67'],
          keyThumbprint: null,
          signedBy: await calculateJwkThumbprint(key.publicJwk),
          patient: null,
          personId: null,
          birthDate: null,
          assurance: null,
        },
        placement: atHospital,
        sight: null,
        once: [],
      },
    })
  })

  it('of a facility system is placed at that facility, whatever it presents', async () => {
    const token = await signToken(key, { sub: 'system-pharmacy', client_id: 'system-pharmacy' })
    expect(await authenticate(token)).toMatchObject({ ok: true, value: { placement: atPharmacy } })
  })

  it.each([
    ['an unknown client', { client_id: 'other' }],
    ['no facility', { extensions: undefined }],
    ['an unknown facility', { extensions: { ihe_iua: { subject_organization_id: uriOf('other') } } }],
  ])('of %s is placed nowhere', async (_, claims) => {
    expect(await authenticate(await signToken(key, claims))).toMatchObject({
      ok: true,
      value: { placement: null },
    })
  })

  it('may be one for several audiences, ours among them', async () => {
    const aud = ['https://other.example', claimsOf().aud]
    expect((await authenticate(await signToken(key, { aud }))).ok).toBe(true)
  })

  it('is taken with the scheme in any case', async () => {
    expect((await authenticator.authenticate(bearing(`bEARER  ${await signToken(key)}`), nowMs)).ok).toBe(
      true,
    )
  })
})

describe('what an isolate remembers', () => {
  it('a verified token costs one read, then none; another of the same caller none', async () => {
    const token = await signToken(key)
    await authenticate(token)
    expect(registry.reads()).toBe(1)
    const again = await authenticate(token)
    expect(again).toMatchObject({ ok: true, value: { placement: atHospital } })
    expect((await authenticate(await signToken(key, { jti: 'token-2' }))).ok).toBe(true)
    expect(registry.reads()).toBe(1)
    expect((await authenticate(await signToken(key, { jti: 'token-3', sub: 'gagnon' }))).ok).toBe(true)
    expect(registry.reads()).toBe(2)
  })

  it('a token at another facility costs one more read', async () => {
    await authenticate(await signToken(key))
    const elsewhere = await signToken(key, { sub: 'system-pharmacy', client_id: 'system-pharmacy' })
    expect(await authenticate(elsewhere)).toMatchObject({ ok: true, value: { placement: atPharmacy } })
    expect(registry.reads()).toBe(2)
  })

  it('a remembered bearer token costs no signature check: one digest, no key is imported', async () => {
    const token = await signToken(key)
    const authenticator = createAuthenticator(registry)
    expect((await authenticator.authenticate(bearing(`Bearer ${token}`), nowMs)).ok).toBe(true)
    const { subtle } = crypto
    const used = (['verify', 'importKey', 'sign', 'digest'] as const).map((name) => vi.spyOn(subtle, name))
    const counts = () => used.map((spy) => spy.mock.calls.length)
    expect((await authenticator.authenticate(bearing(`Bearer ${token}`), nowMs)).ok).toBe(true)
    expect(counts()).toEqual([0, 0, 0, 1])
    const another = await signToken(key, { jti: 'token-2' })
    for (const spy of used) spy.mockClear()
    expect((await authenticator.authenticate(bearing(`Bearer ${another}`), nowMs)).ok).toBe(true)
    expect(counts()[0]).toBe(1)
    vi.restoreAllMocks()
  })

  it('a remembered token still expires', async () => {
    const token = await signToken(key)
    await authenticate(token)
    expect((await authenticate(token, nowMs + 604_999)).ok).toBe(true)
    expect(await authenticate(token, nowMs + 605_000)).toEqual(refused('expired'))
  })

  it('a refused token is not remembered', async () => {
    const token = await signToken(nextKey)
    expect(await authenticate(token)).toEqual(refused('key-unknown'))
    replaceIssuer(registry, [nextKey.publicJwk])
    expect((await authenticate(token, later)).ok).toBe(true)
  })

  it('a token with one character changed is not the remembered one', async () => {
    const token = await signToken(key)
    await authenticate(token)
    const [header, , signature] = token.split('.')
    const forged = `${header}.${encode(JSON.stringify(claimsOf({ sub: 'gagnon' })))}.${signature}`
    expect(await authenticate(forged)).toEqual(refused('signature-wrong'))
  })

  it('after `forget` the registry is read again', async () => {
    const token = await signToken(key)
    const first = await authenticate(token)
    endCurrent(registry, 'facility', `id = 'hospital'`)
    addFacility(registry, 'hospital', 'hospital', 'quebec')
    expect(await authenticate(token)).toEqual(first)
    if (first.ok) authenticator.forget(first.value.presented)
    const moved = { row: 3, facility: 'hospital', region: 'quebec', log: 'quebec' }
    expect(await authenticate(token)).toMatchObject({ ok: true, value: { placement: moved } })
  })

  it('is nothing when the registry cannot be read', async () => {
    const unreachable = createAuthenticator({
      read: () => Promise.reject(new StoreError('unavailable', 'no answer')),
    })
    await expect(unreachable.authenticate(bearing(`Bearer ${await signToken(key)}`), nowMs)).rejects.toThrow(
      StoreError,
    )
  })
})

describe('rotation', () => {
  it('a new key is accepted after it, and the old one refused when its row has ended', async () => {
    const oldToken = await signToken(key)
    const newToken = await signToken(nextKey)
    expect((await authenticate(oldToken)).ok).toBe(true)
    replaceIssuer(registry, [key.publicJwk, nextKey.publicJwk])
    expect(await authenticate(newToken, later)).toMatchObject({
      ok: true,
      value: { presented: { issuerRow: 2 } },
    })
    // The row that verified the old token has ended: it is verified again, by the new row.
    expect(await authenticate(oldToken, later)).toMatchObject({
      ok: true,
      value: { presented: { issuerRow: 2 } },
    })
    replaceIssuer(registry, [nextKey.publicJwk])
    const last = await authenticate(newToken, later)
    if (last.ok) authenticator.forget(last.value.presented)
    expect(await authenticate(oldToken, later)).toEqual(refused('key-unknown'))
    expect((await authenticate(newToken, later)).ok).toBe(true)
  })

  it('a key replaced under the same id is found too', async () => {
    await authenticate(await signToken(key))
    const replaced = { ...nextKey, kid: 'k1', publicJwk: { ...nextKey.publicJwk, kid: 'k1' } }
    replaceIssuer(registry, [replaced.publicJwk])
    expect((await authenticate(await signToken(replaced), later)).ok).toBe(true)
  })

  it('unknown key ids cause at most one read in a while', async () => {
    await authenticate(await signToken(key))
    for (let n = 0; n < 20; n++) {
      const token = await signToken({ ...nextKey, kid: `invented-${n}` })
      expect(await authenticate(token, nowMs + 1)).toEqual(refused('key-unknown'))
    }
    expect(registry.reads()).toBe(1)
    for (let n = 0; n < 20; n++) {
      const token = await signToken({ ...nextKey, kid: `invented-${n}` })
      expect(await authenticate(token, later)).toEqual(refused('key-unknown'))
    }
    expect(registry.reads()).toBe(2)
  })

  it('so does an unknown issuer, and it is accepted once registered', async () => {
    const token = await signToken(key, { iss: 'https://other.example' })
    for (let n = 0; n < 5; n++) expect(await authenticate(token)).toEqual(refused('issuer-unknown'))
    expect(registry.reads()).toBe(1)
    registry.db.exec(`update issuer set issuer = 'https://other.example'`)
    expect((await authenticate(token, later)).ok).toBe(true)
  })

  it('invented issuers, facilities and clients cost one read in a while, all together', async () => {
    const forged = async (n: number) =>
      await signToken(nextKey, {
        iss: `https://invented-${n}.example`,
        client_id: `client-${n}`,
        extensions: { ihe_iua: { subject_organization_id: `urn:invented:${n}` } },
      })
    for (let n = 0; n < 500; n++)
      expect(await authenticate(await forged(n), nowMs + n)).toEqual(refused('issuer-unknown'))
    expect(registry.reads()).toBe(1)
    for (let n = 0; n < 500; n++) await authenticate(await forged(n), later + n)
    expect(registry.reads()).toBe(2)
    // They push out nobody: a good token only has its facility read.
    expect((await authenticate(await signToken(key), later)).ok).toBe(true)
    expect(registry.reads()).toBe(3)
  })

  it('forged tokens of a known issuer name facilities that are never looked up', async () => {
    await authenticate(await signToken(key))
    for (let n = 0; n < 50; n++) {
      const extensions = { ihe_iua: { subject_organization_id: `urn:invented:${n}` } }
      const token = await signToken({ ...nextKey, kid: 'k1' }, { client_id: `client-${n}`, extensions })
      expect(await authenticate(token, nowMs + 1)).toEqual(refused('signature-wrong'))
    }
    expect(registry.reads()).toBe(1)
  })

  it('an issuer whose row has ended is told as one that was trusted', async () => {
    const token = await signToken(key)
    const first = await authenticate(token)
    endCurrent(registry, 'issuer')
    if (first.ok) authenticator.forget(first.value.presented)
    expect(await authenticate(token)).toEqual(refused('issuer-revoked'))
  })
})

describe('IUA claims', () => {
  const present = async (ihe_iua: unknown) => {
    const result = await authenticate(await signToken(key, { extensions: { ihe_iua } }))
    return result.ok ? result.value.presented : result.error.cause
  }
  const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'

  it('may be absent: then they present nothing', async () => {
    const nothing = { name: null, role: null, facilityUri: null, purpose: null }
    expect(await present({})).toMatchObject(nothing)
    expect(await present(undefined)).toMatchObject(nothing)
    expect(await present({ subject_role: [], purpose_of_use: null, subject_name: null })).toMatchObject(
      nothing,
    )
  })

  it('may be one or an array of one', async () => {
    const purpose_of_use = { system: actReason, code: 'TREAT' }
    expect(await present({ purpose_of_use, subject_organization_id: ['urn:x'] })).toMatchObject({
      purpose: 'TREAT',
      facilityUri: 'urn:x',
    })
  })

  it('a purpose of another code system, or one of several, is none', async () => {
    expect(await present({ purpose_of_use: [{ system: 'urn:x', code: 'TREAT' }] })).toMatchObject({
      purpose: null,
    })
    expect(await present({ purpose_of_use: [{ code: 'TREAT' }] })).toMatchObject({ purpose: null })
    const two = [
      { system: actReason, code: 'TREAT' },
      { system: actReason, code: 'HRESCH' },
    ]
    expect(await present({ purpose_of_use: two })).toMatchObject({ purpose: null })
  })

  describe('a role', () => {
    const roles = 'https://record.example/roles'
    const presentRole = async (...subject_role: unknown[]) => await present({ subject_role })
    const name = (system: string | null) =>
      registry.db.prepare('update issuer set role_system = ?').run(system)

    it('counts in the code system that the issuer’s row names', async () => {
      name(roles)
      expect(await presentRole({ system: roles, code: 'physician' })).toMatchObject({ role: 'physician' })
    })

    it.each<[string, string | undefined, string]>([
      ['another', 'urn:x', 'urn:x|physician'],
      ['the same with a slash', `${roles}/`, `${roles}/|physician`],
      ['no', undefined, '|physician'],
    ])('of %s code system is kept as a role that nobody holds', async (_, system, role) => {
      name(roles)
      // Not null: without a role the caller would act in the only one he holds.
      expect(await presentRole({ system, code: 'physician' })).toMatchObject({ role })
    })

    it('may be absent all the same', async () => {
      name(roles)
      expect(await presentRole()).toMatchObject({ role: null })
    })

    it('counts whatever its code system when the row names none', async () => {
      for (const system of [roles, 'urn:x', undefined])
        expect(await presentRole({ system, code: 'physician' })).toMatchObject({ role: 'physician' })
    })

    it('of a remembered token is read again by a row that names another', async () => {
      const token = await signToken(key)
      expect(await authenticate(token)).toMatchObject({ value: { presented: { role: 'physician' } } })
      replaceIssuer(registry, [key.publicJwk])
      registry.db.exec(`update issuer set role_system = 'urn:x' where valid_to is null`)
      await authenticate(await signToken(nextKey), later)
      expect(await authenticate(token, later)).toMatchObject({
        value: { presented: { role: `${roles}|physician` } },
      })
    })
  })

  it('break-glass stands beside the treatment it is for, and then is the purpose', async () => {
    const of = async (...codes: string[]) =>
      await present({ purpose_of_use: codes.map((code) => ({ system: actReason, code })) })
    for (const codes of [['BTG'], ['TREAT', 'BTG'], ['BTG', 'ETREAT']])
      expect(await of(...codes)).toMatchObject({ purpose: 'BTG' })
    for (const codes of [
      ['BTG', 'HRESCH'],
      ['BTG', 'TREAT', 'ETREAT'],
      ['BTG', 'BTG'],
      ['TREAT', 'ETREAT'],
    ])
      expect(await of(...codes)).toMatchObject({ purpose: null })
    const other = [
      { system: actReason, code: 'TREAT' },
      { system: 'urn:x', code: 'BTG' },
    ]
    expect(await present({ purpose_of_use: other })).toMatchObject({ purpose: null })
  })

  it.each<[string, unknown, string]>([
    ['several roles', { subject_role: [{ code: 'physician' }, { code: 'nurse' }] }, 'subject_role-several'],
    ['a role that is no coding', { subject_role: 'physician' }, 'subject_role-wrong-type'],
    ['a role without a code', { subject_role: [{ system: 'urn:x' }] }, 'subject_role-wrong-type'],
    ['a role whose code is a number', { subject_role: [{ code: 1 }] }, 'subject_role-wrong-type'],
    [
      'a role whose system is a number',
      { subject_role: [{ system: 1, code: 'physician' }] },
      'subject_role-wrong-type',
    ],
    ['a purpose that is no coding', { purpose_of_use: ['TREAT'] }, 'purpose_of_use-wrong-type'],
    [
      'a facility that is no text',
      { subject_organization_id: { uri: 'urn:x' } },
      'subject_organization_id-wrong-type',
    ],
    ['two facilities', { subject_organization_id: ['urn:x', 'urn:y'] }, 'subject_organization_id-wrong-type'],
    ['a name that is no text', { subject_name: 1 }, 'subject_name-wrong-type'],
    ['an extension that is no object', 'physician', 'ihe_iua-wrong-type'],
    ['NUL in a text', { subject_organization_id: 'urn:x\0' }, 'subject_organization_id-wrong-type'],
  ])('of the wrong type are refused: %s', async (_, ihe_iua, cause) => {
    expect(await present(ihe_iua)).toBe(cause)
  })

  it('as long as an audit entry shows whole are taken, and no longer', async () => {
    const longest = 'é'.repeat((limits.maxClaimBytes - 2) / 2)
    expect(await present({ subject_name: longest })).toMatchObject({ name: longest })
    expect(await present({ subject_name: `${longest}x` })).toBe('subject_name-too-long')
  })
})

describe('claims about the person', () => {
  const present = async (claims: Readonly<Record<string, unknown>>) => {
    const result = await authenticate(await signToken(key, claims))
    return result.ok ? result.value.presented : result.error.cause
  }

  it('are presented: patient in context, own identifier and birth date, assurance', async () => {
    const claims = {
      patient: 'abc-123.x',
      birthdate: '1980-05-17',
      acr: 'urn:high',
      extensions: { ihe_iua: { person_id: 'TREM80051712' } },
    }
    expect(await present(claims)).toMatchObject({
      patient: 'abc-123.x',
      personId: 'TREM80051712',
      birthDate: '1980-05-17',
      assurance: 'urn:high',
    })
  })

  it.each(['1980', '0000-05-17', '17 mai 1980'])(
    'a birth date that is %s tells nobody apart',
    async (birthdate) => {
      expect(await present({ birthdate })).toMatchObject({ birthDate: null })
    },
  )

  it.each(['Patient/1', '../1', 'x'.repeat(65), '', null])('a patient %j is no id', async (patient) => {
    expect(await present({ patient })).toBe('patient-wrong-type')
  })
})

describe('what the issuer’s row demands', () => {
  const demand = (column: 'requires_dpop' | 'one_time', value = 1) =>
    registry.db.prepare(`update issuer set ${column} = ?`).run(value)

  it('tokens bound to a key: one that is not is refused until a newer row demands less', async () => {
    demand('requires_dpop')
    const token = await signToken(key)
    expect(await authenticate(token)).toEqual(refused('dpop-required'))
    replaceIssuer(registry, [key.publicJwk])
    expect((await authenticate(token, later)).ok).toBe(true)
  })

  it('a remembered token is verified again by a row that demands more', async () => {
    const token = await signToken(key)
    const first = await authenticate(token)
    replaceIssuer(registry, [key.publicJwk])
    demand('requires_dpop')
    if (first.ok) authenticator.forget(first.value.presented)
    expect(await authenticate(token)).toEqual(refused('dpop-required'))
  })

  it('one request for each token: the log gets a key for it, remembered or not, until nobody takes it', async () => {
    demand('one_time')
    const token = await signToken(key)
    const onceOf = async (of: string) => {
      const result = await authenticate(of)
      return result.ok ? result.value.once : []
    }
    const [first] = await onceOf(token)
    expect(first?.key).toMatch(/^jti:[\w-]{43}$/)
    expect(first?.untilMs).toBe(nowMs + (600 + limits.clockToleranceSeconds) * 1_000 + limits.oneTimeMemoryMs)
    expect(await onceOf(token)).toEqual([first])
    // The same `jti` in another token of this issuer is the same use.
    expect(await onceOf(await signToken(key, { sub: 'gagnon' }))).toEqual([first])
    expect(await onceOf(await signToken(key, { jti: 'token-2' }))).not.toEqual([first])
  })
})

describe('the key that verified', () => {
  it('is told by its RFC 7638 thumbprint, however the key set writes it', async () => {
    const signedBy = await calculateJwkThumbprint(key.publicJwk)
    const { x = '', ...members } = key.publicJwk
    for (const written of [x, `${x}=`, x.replaceAll('-', '+').replaceAll('_', '/')]) {
      replaceIssuer(registry, [{ ...members, x: written }])
      const result = await createAuthenticator(registry).authenticate(
        bearing(`Bearer ${await signToken(key)}`),
        nowMs,
      )
      // A spelling that is not taken as a key is refused; one that is must not hide which key it is.
      if (result.ok) expect(result.value.presented.signedBy).toBe(signedBy)
      else expect(result.error).toMatchObject({ cause: 'key-damaged' })
    }
  })
})
