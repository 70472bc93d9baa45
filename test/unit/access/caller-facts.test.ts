/** In which capacity a bearer acts: officers, operators, managers, and for whom an issuer vouches. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Placement, Presented } from '../../../src/access/caller.ts'
import type { SqlValue } from '../../../src/store/ports.ts'
import { factsOf as factsOfRegistry, forbidden } from './asking.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  addProfessional,
  open,
  openRegistry,
  presented,
  type Registry,
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
})

const factsOf = (caller: Presented | null, placement: Placement | null = atHospital) =>
  factsOfRegistry(registry, caller, { placement })

/** The issuer's row, with other columns. */
const changeIssuer = (columns: Record<string, SqlValue>): void => {
  registry.db.exec('delete from issuer')
  addIssuer(registry, [], ['ES256'], { row: 1, ...columns })
}

describe('the facts of the privacy officer of an organisation', () => {
  const officer = presented({ subject: 'lavoie', role: 'privacy-officer', purpose: null, facilityUri: null })
  const kindOf = (organisation: string | null) => ({
    ok: true,
    value: { caller: { kind: 'privacy-officer', professional: 'professional-lavoie', organisation } },
  })
  const ofHospital = 'organisation of hospital'
  const ofPharmacy = 'organisation of pharmacy'

  it('name that organisation', () => {
    addProfessional(registry, 'lavoie', [['privacy-officer', '', ofHospital]])
    expect(factsOf(officer, null)).toMatchObject(kindOf(ofHospital))
    expect(factsOf({ ...officer, role: null }, null)).toMatchObject(kindOf(ofHospital))
    expect(factsOf({ ...officer, facilityUri: uriOf('pharmacy') }, atPharmacy)).toMatchObject(
      kindOf(ofHospital),
    )
  })

  it('of two, name the one of the facility presented, and without one none', () => {
    addProfessional(registry, 'lavoie', [
      ['privacy-officer', '', ofHospital],
      ['privacy-officer', '', ofPharmacy],
    ])
    expect(factsOf(officer, null)).toEqual(forbidden('role-missing'))
    expect(factsOf({ ...officer, facilityUri: uriOf('pharmacy') }, atPharmacy)).toMatchObject(
      kindOf(ofPharmacy),
    )
    expect(factsOf({ ...officer, facilityUri: uriOf('hospital') })).toMatchObject(kindOf(ofHospital))
  })

  it('name none where the role is held for the whole record too', () => {
    addProfessional(registry, 'lavoie', [
      ['privacy-officer', '', ofHospital],
      ['privacy-officer', ''],
      ['operator', ''],
    ])
    expect(factsOf(officer, null)).toMatchObject(kindOf(null))
    expect(factsOf({ ...officer, facilityUri: uriOf('hospital') })).toMatchObject(kindOf(null))
  })

  it('are refused to who holds the role nowhere, in the words of what was presented', () => {
    addProfessional(registry, 'lavoie', [['operator', '']])
    expect(factsOf(officer, null)).toEqual(forbidden('role-not-held'))
    expect(factsOf({ ...officer, role: null }, null)).toEqual(forbidden('role-missing'))
  })
})

describe('the facts of an operator and of an access manager', () => {
  it('need the role, held for the whole record', () => {
    addProfessional(registry, 'roy', [['operator', '']])
    addProfessional(registry, 'gagne', [
      ['operator', '', 'organisation of hospital'],
      ['operator', 'hospital'],
    ])
    const operator = presented({ subject: 'roy', role: 'operator', purpose: null, facilityUri: null })
    expect(factsOf(operator, null)).toMatchObject({
      ok: true,
      value: { caller: { kind: 'operator', professional: 'professional-roy', name: 'Dr roy' } },
    })
    expect(factsOf({ ...operator, subject: 'gagne' }, null)).toEqual(forbidden('role-not-held'))
    expect(factsOf({ ...operator, subject: 'bouchard' }, null)).toEqual(forbidden('role-not-held'))
  })

  it('need the role, held at the facility presented', () => {
    addProfessional(registry, 'roy', [
      ['access-manager', 'hospital'],
      ['access-manager', ''],
    ])
    const manager = presented({ subject: 'roy', role: 'access-manager', purpose: null })
    expect(factsOf(manager)).toMatchObject({
      ok: true,
      value: { caller: { kind: 'access-manager', name: 'Dr roy', facility: { id: 'hospital' } } },
    })
    const elsewhere = { ...manager, facilityUri: uriOf('pharmacy') }
    expect(factsOf(elsewhere, atPharmacy)).toEqual(forbidden('role-not-held'))
    expect(factsOf({ ...manager, facilityUri: null }, null)).toEqual(forbidden('facility-unknown'))
    expect(factsOf({ ...manager, role: null })).toEqual(forbidden('role-missing'))
  })

  it('are of the role presented, also where a clinical one is held beside it', () => {
    addProfessional(registry, 'roy', [
      ['access-manager', 'hospital'],
      ['physician', 'hospital'],
    ])
    const kindAs = (role: string | null) => factsOf(presented({ subject: 'roy', role }))
    expect(kindAs('access-manager')).toMatchObject({ value: { caller: { kind: 'access-manager' } } })
    expect(kindAs(null)).toMatchObject({ value: { caller: { kind: 'provider', role: 'physician' } } })
  })
})

describe('an issuer of one organisation', () => {
  const system = { subject: 'system-pharmacy', clientId: 'system-pharmacy', facilityUri: null }
  beforeEach(() => {
    changeIssuer({ organisation: 'organisation of hospital' })
    addProfessional(registry, 'roy', [
      ['operator', ''],
      ['access-manager', 'hospital'],
      ['access-manager', 'pharmacy'],
    ])
    addProfessional(registry, 'lavoie', [
      ['privacy-officer', '', 'organisation of hospital'],
      ['privacy-officer', '', 'organisation of pharmacy'],
      ['physician', 'pharmacy'],
    ])
  })

  it.each<[string, Partial<Presented>, Placement | null]>([
    ['a provider', {}, atHospital],
    ['an access manager', { subject: 'roy', role: 'access-manager' }, atHospital],
    ['a privacy officer', { subject: 'lavoie', role: 'privacy-officer' }, atHospital],
  ])('vouches for its own: %s', (_, changes, placement) => {
    expect(factsOf(presented(changes), placement).ok).toBe(true)
  })

  it.each<[string, Partial<Presented>, Placement | null]>([
    ['a provider', { subject: 'lavoie', facilityUri: uriOf('pharmacy') }, atPharmacy],
    ['a facility system', system, atPharmacy],
    [
      'an access manager',
      { subject: 'roy', role: 'access-manager', facilityUri: uriOf('pharmacy') },
      atPharmacy,
    ],
    [
      'a privacy officer',
      { subject: 'lavoie', role: 'privacy-officer', facilityUri: uriOf('pharmacy') },
      atPharmacy,
    ],
    [
      'a privacy officer of the record',
      { subject: 'bouchard', role: 'privacy-officer', facilityUri: null },
      null,
    ],
    ['an operator', { subject: 'roy', role: 'operator', facilityUri: null }, null],
    ['a patient', { role: 'patient' }, atHospital],
  ])('vouches for nobody else: %s', (_, changes, placement) => {
    expect(factsOf(presented(changes), placement)).toEqual(forbidden('issuer-not-for-organisation'))
  })
})
