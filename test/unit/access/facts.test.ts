import { beforeEach, describe, expect, it } from 'vitest'
import type { Placement, Presented } from '../../../src/access/caller.ts'
import { factStatements, freshness, readClock } from '../../../src/access/facts.ts'
import { factsOf as factsOfRegistry, forbidden, unauthenticated } from './asking.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  addProfessional,
  addSourceRecord,
  endCurrent,
  moment as now,
  open,
  openRegistry,
  presented,
  type Registry,
  replaceIssuer,
  uriOf,
} from './registry.ts'

const atHospital: Placement = { row: 1, facility: 'hospital', region: 'montreal', log: 'montreal' }
const atPharmacy: Placement = { row: 2, facility: 'pharmacy', region: 'montreal', log: 'montreal' }

let registry: Registry

beforeEach(() => {
  registry = openRegistry()
  addIssuer(registry, [])
  addFacility(registry, 'hospital')
  addFacility(registry, 'pharmacy', 'pharmacy')
  addClient(registry, 'console')
  addClient(registry, 'system-pharmacy', 'pharmacy')
  addProfessional(registry, 'tremblay', [['physician', 'hospital']])
  addProfessional(registry, 'bouchard', [['privacy-officer', '']])
  open(registry, 'physician', '*', 'TREAT', 'laboratory')
  open(registry, 'physician', 'hospital', 'TREAT', 'imaging')
  open(registry, 'physician', 'pharmacy', 'TREAT', 'allergy')
  open(registry, 'physician', 'hospital', 'ETREAT', 'medication')
})

const nothing = { presented: null, sight: null, about: null }
const factsOf = (caller: Presented | null, placement: Placement | null = atHospital) =>
  factsOfRegistry(registry, caller, { placement })

describe('the facts of a provider', () => {
  it('are the facility, the role and the domains of that role, type of facility and purpose', () => {
    const facts = factsOf(presented())
    expect(facts).toMatchObject({
      ok: true,
      value: {
        caller: {
          kind: 'provider',
          professional: 'professional-tremblay',
          name: 'Dr tremblay',
          role: 'physician',
          purpose: 'TREAT',
          facility: { row: 1, id: 'hospital', organisation: 'organisation of hospital', identitySystems: [] },
          domains: new Set(['laboratory', 'imaging']),
          clearance: { own: 'N', elsewhere: 'N' },
          contextPerson: null,
        },
        settings: { lifted: new Set(['relationship', 'restriction']) },
        subjects: [],
        document: null,
      },
    })
  })

  it('name the person of the launch context, if there is one', () => {
    addSourceRecord(registry, 's', { person: 'p' })
    const contextPerson = (patient: string) => factsOf(presented({ patient }))
    expect(contextPerson('s')).toMatchObject({ ok: true, value: { caller: { contextPerson: 'p' } } })
    expect(contextPerson('t')).toMatchObject({ ok: true, value: { caller: { contextPerson: null } } })
  })

  it('say the most that any row of role, facility type and purpose lets them read', () => {
    const row = { role: '*', facility_type: '*', purpose: '*', own: 'M', elsewhere: 'U', valid_from: 1 }
    const clearance = (own: string, elsewhere: string) =>
      expect(factsOf(presented())).toMatchObject({
        ok: true,
        value: { caller: { clearance: { own, elsewhere } } },
      })
    for (const other of [{ role: 'nurse' }, { facility_type: 'pharmacy' }, { purpose: 'ETREAT' }])
      registry.insert('role_clearance', { ...row, ...other, own: 'V', elsewhere: 'V' })
    clearance('N', 'N')
    registry.insert('role_clearance', row)
    clearance('M', 'U')
    registry.insert('role_clearance', { ...row, role: 'physician', own: 'R', elsewhere: 'L' })
    registry.insert('role_clearance', { ...row, facility_type: 'hospital', own: 'L', elsewhere: 'R' })
    registry.insert('role_clearance', { ...row, purpose: 'TREAT', own: 'U', elsewhere: 'U' })
    clearance('R', 'R')
    endCurrent(registry, 'role_clearance')
    clearance('N', 'N')
  })

  it('take the only role held at the facility when the token presents none', () => {
    const anyRole = presented({ role: null })
    expect(factsOf(anyRole)).toMatchObject({ ok: true, value: { caller: { role: 'physician' } } })
    registry.insert('professional_role', {
      professional: 'professional-tremblay',
      role: 'nurse',
      facility: 'hospital',
      valid_from: 1,
    })
    expect(factsOf(anyRole)).toEqual(forbidden('role-missing'))
  })

  it.each<[string, Partial<Presented>, Placement | null, string]>([
    ['an unknown client', { clientId: 'other' }, null, 'client-unknown'],
    ['an unknown professional', { subject: 'nobody' }, atHospital, 'professional-unknown'],
    ['an app speaking for itself', { subject: 'console' }, atHospital, 'professional-unknown'],
    ['no facility', { facilityUri: null }, null, 'facility-unknown'],
    ['an unknown facility', { facilityUri: uriOf('other') }, null, 'facility-unknown'],
    ['a facility where no role is held', { facilityUri: uriOf('pharmacy') }, atPharmacy, 'role-not-held'],
    ['neither role nor facility', { facilityUri: null, role: null }, null, 'role-missing'],
    ['a role not held', { role: 'nurse' }, atHospital, 'role-not-held'],
    ['a role of another code system', { role: 'urn:x|physician' }, atHospital, 'role-not-held'],
    ['such a privacy officer', { role: 'urn:x|privacy-officer' }, atHospital, 'role-not-held'],
    ['such a one of the record', { role: '|privacy-officer', facilityUri: null }, null, 'facility-unknown'],
    ['a privacy officer’s role not held', { role: 'privacy-officer' }, atHospital, 'role-not-held'],
    ['no purpose', { purpose: null }, atHospital, 'purpose-not-permitted'],
    ['a purpose the matrix does not know', { purpose: 'HMARKT' }, atHospital, 'purpose-not-permitted'],
  ])('refuse %s', (_, changes, placement, cause) => {
    expect(factsOf(presented(changes), placement)).toEqual(forbidden(cause))
  })

  it('refuse a role that the matrix opens nothing to', () => {
    endCurrent(registry, 'role_domain')
    expect(factsOf(presented())).toEqual(forbidden('domain-not-permitted'))
  })

  it.each([
    ['client', 'client-unknown', null],
    ['professional', 'professional-unknown', atHospital],
    ['professional_role', 'role-not-held', atHospital],
    ['facility', 'facility-unknown', null],
  ] as const)('refuse once the row of table %s has ended', (table, cause, placement) => {
    endCurrent(registry, table)
    expect(factsOf(presented(), placement)).toEqual(forbidden(cause))
  })

  it('do not take a role of privacy officer at a facility for a provider’s role', () => {
    addProfessional(registry, 'lavoie', [['privacy-officer', 'hospital']])
    open(registry, '*', '*', '*', 'medication')
    expect(factsOf(presented({ subject: 'lavoie', role: null }))).toEqual(forbidden('role-missing'))
    expect(factsOf(presented({ subject: 'lavoie', role: 'privacy-officer' }))).toEqual(
      forbidden('role-not-held'),
    )
  })
})

describe('the facts of a facility system', () => {
  const system = presented({
    subject: 'system-pharmacy',
    clientId: 'system-pharmacy',
    role: null,
    facilityUri: null,
  })

  it('are its own facility, whatever its token presents', () => {
    const caller = { kind: 'facility-system', client: 'system-pharmacy', facility: { id: 'pharmacy' } }
    expect(factsOf(system, atPharmacy)).toMatchObject({ ok: true, value: { caller } })
    const elsewhere = { ...system, facilityUri: uriOf('hospital') }
    expect(factsOf(elsewhere, atPharmacy)).toMatchObject({ ok: true, value: { caller } })
  })

  it('are refused to a professional’s token that the system obtained', () => {
    expect(factsOf({ ...system, subject: 'tremblay' }, atPharmacy)).toEqual(forbidden('client-unknown'))
  })

  it('are refused once its facility has ended', () => {
    endCurrent(registry, 'facility', `id = 'pharmacy'`)
    expect(factsOf(system, null)).toEqual(forbidden('facility-unknown'))
  })
})

describe('the facts of a privacy officer', () => {
  it.each<[string, Partial<Presented>, Placement | null]>([
    ['the role presented', { facilityUri: null, role: 'privacy-officer' }, null],
    ['neither role nor facility presented', { facilityUri: null, role: null }, null],
    ['a facility presented beside the role', { role: 'privacy-officer' }, atHospital],
  ])('need no facility and no purpose: %s', (_, changes, placement) => {
    const officer = presented({ subject: 'bouchard', purpose: null, ...changes })
    const caller = { kind: 'privacy-officer', professional: 'professional-bouchard', name: 'Dr bouchard' }
    expect(factsOf(officer, placement)).toMatchObject({ ok: true, value: { caller } })
  })
})

describe('what the isolate remembered is confirmed', () => {
  it('the issuer’s row must be the current one', () => {
    replaceIssuer(registry, [])
    expect(factsOf(presented())).toEqual({ ok: false, error: { reason: 'issuer-changed' } })
    expect(factsOf(presented({ issuerRow: 2 })).ok).toBe(true)
  })

  it('an issuer without a current row is refused at once: another replica would not know better', () => {
    registry.db.exec('update issuer set valid_to = 2')
    expect(factsOf(presented())).toEqual({
      ok: false,
      error: { reason: 'unauthenticated', cause: 'issuer-revoked' },
    })
  })

  it('the placement must be the facility’s current row', () => {
    const changed = { ok: false, error: { reason: 'standing-changed' } }
    expect(factsOf(presented(), null)).toMatchObject(changed)
    expect(factsOf(presented({ facilityUri: null }), atHospital)).toMatchObject(changed)
    endCurrent(registry, 'facility', `id = 'hospital'`)
    addFacility(registry, 'hospital', 'hospital', 'quebec')
    expect(factsOf(presented())).toMatchObject({
      error: { ...changed.error, standing: { placement: { row: 3, region: 'quebec' } } },
    })
  })

  it('the token must be neither revoked nor expired', () => {
    expect(factsOf(presented({ expiresAt: now / 1_000 - 5 }))).toEqual(unauthenticated('expired'))
    expect(factsOf(presented({ expiresAt: now / 1_000 - 4 })).ok).toBe(true)
    registry.insert('revoked_token', { issuer: presented().issuer, jti: 'token-1', valid_from: 1 })
    expect(factsOf(presented())).toEqual(unauthenticated('token-revoked'))
  })

  it('the key must not be revoked', () => {
    registry.insert('revoked_key', {
      issuer: 'https://other.example',
      thumbprint: 'A'.repeat(43),
      valid_from: 1,
    })
    registry.insert('revoked_key', { issuer: presented().issuer, thumbprint: 'B'.repeat(43), valid_from: 1 })
    expect(factsOf(presented()).ok).toBe(true)
    registry.insert('revoked_key', { issuer: presented().issuer, thumbprint: 'A'.repeat(43), valid_from: 1 })
    expect(factsOf(presented())).toEqual(unauthenticated('key-revoked'))
  })

  it('without a token nothing is known, by the same statements', () => {
    expect(factsOf(null, null)).toEqual(unauthenticated('missing'))
    expect(factStatements(nothing).map(({ sql }) => sql)).toEqual(
      factStatements({ ...nothing, presented: presented() }).map(({ sql }) => sql),
    )
  })
})

describe('the write clock and the heartbeat', () => {
  it('come with the facts', () => {
    registry.db.exec('update clock set n = 7; update heartbeat set at = 1800000000000')
    const clock = readClock(factStatements(nothing).map(registry.run))
    expect(clock).toEqual({
      epoch: expect.stringMatching(/^[0-9a-f]{8}$/),
      n: 7,
      heartbeatAt: 1_800_000_000_000,
    })
  })

  it.each([
    ['young', now - 10_000, { fresh: true, seconds: 0, degraded: false, future: false }],
    ['within the skew of clocks', now + 2_000, { fresh: true, seconds: 0, degraded: false, future: false }],
    ['old', now - 10_001, { fresh: false, seconds: 10, degraded: false, future: false }],
    ['just not degraded', now - 900_000, { fresh: false, seconds: 900, degraded: false, future: false }],
    ['degraded', now - 900_001, { fresh: false, seconds: 900, degraded: true, future: false }],
    ['ahead of this clock', now + 2_001, { fresh: false, seconds: 2, degraded: false, future: true }],
  ])('a heartbeat is %s', (_, at, expected) => {
    expect(freshness(at, now)).toEqual(expected)
  })
})
