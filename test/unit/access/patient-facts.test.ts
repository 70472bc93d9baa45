/** Patients and guardians: who they are, whom they act for, and from which day on they no longer do. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ageOn, isOfAge, todayInQuebec } from '../../../src/access/age.ts'
import type { Presented } from '../../../src/access/caller.ts'
import { type Asking, factsOf, forbidden, unauthenticated } from './asking.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  addProfessional,
  addSourceRecord,
  endCurrent,
  moment,
  openRegistry,
  patientSystem,
  presented,
  type Registry,
} from './registry.ts'

let registry: Registry

/** Today is 17 March 2030 in Québec. */
const adult = { person: 'lea', birthDate: '1990-05-01' }
const child = { person: 'zoe', birthDate: '2020-05-01' }

beforeEach(() => {
  registry = openRegistry()
  addIssuer(registry, [], ['ES256'], { patient_system: patientSystem, patient_acr: '["high","higher"]' })
  addClient(registry, 'console')
  addSourceRecord(registry, 'lea-1', adult)
  addSourceRecord(registry, 'zoe-1', child)
})

const bearer = (changes: Partial<Presented> = {}): Presented =>
  presented({
    subject: 'lea@identity',
    role: 'patient',
    facilityUri: null,
    purpose: null,
    name: 'Léa Gagnon',
    personId: 'lea',
    birthDate: adult.birthDate,
    assurance: 'high',
    ...changes,
  })
const guardian = (changes: Partial<Presented> = {}): Presented =>
  bearer({ role: 'guardian', patient: 'zoe-1', ...changes })
const facts = (p: Presented, asking: Asking = {}) => factsOf(registry, p, asking)

const guard = (changes = {}) =>
  registry.insert('guardianship', {
    guardian: 'lea-1',
    source_record: 'zoe-1',
    recorded_by: 'test',
    valid_from: 1,
    ...changes,
  })

const isLea = {
  ok: true,
  value: { caller: { kind: 'patient', person: 'lea', name: 'Léa Gagnon', assurance: 'high' } },
}
const isZoesGuardian = {
  ok: true,
  value: {
    caller: { kind: 'guardian', person: 'zoe', guardian: 'lea', name: 'Léa Gagnon', assurance: 'high' },
  },
}

describe('a patient', () => {
  it('is the one person of the identifier and birth date that the issuer vouches for', () => {
    expect(facts(bearer())).toMatchObject(isLea)
    expect(facts(bearer({ patient: 'lea-1', name: null, assurance: 'higher' }))).toMatchObject({
      ok: true,
      value: { caller: { person: 'lea', name: '', assurance: 'higher' } },
    })
  })

  it.each<[string, Partial<Presented>]>([
    ['an unknown identifier', { personId: 'max' }],
    ['no identifier', { personId: null }],
    ['another birth date', { birthDate: '1990-05-02' }],
    ['no birth date', { birthDate: null }],
    ['a birth date cut short', { birthDate: '1990-05' }],
    ['a launch context about somebody else', { patient: 'zoe-1' }],
    ['a launch context about nobody', { patient: 'max-1' }],
  ])('is nobody with %s', (_, changes) => {
    addSourceRecord(registry, 'lea-2', { ...adult, birthDate: '1990-05' })
    expect(facts(bearer(changes))).toEqual(forbidden('person-unknown'))
  })

  it('is nobody where two persons answer, and one where several source records do', () => {
    addSourceRecord(registry, 'lea-2', adult)
    addSourceRecord(registry, 'lea-3', { ...adult, birthDate: '1990-05-03' })
    expect(facts(bearer())).toMatchObject(isLea)
    addSourceRecord(registry, 'max-1', { ...adult, person: 'max', value: 'lea' })
    expect(facts(bearer())).toEqual(forbidden('person-unknown'))
  })

  it('is not whom another facility’s record of the person contradicts', () => {
    const asMax = bearer({ personId: 'max', birthDate: '1991-01-01' })
    const max = { person: 'lea', value: 'max', birthDate: '1991-01-01' }
    for (const facility of ['hospital', 'clinic', 'pharmacy']) addFacility(registry, facility)
    addSourceRecord(registry, 'lea-2', { ...max, facility: 'clinic' })
    expect(facts(asMax)).toEqual(forbidden('person-unknown'))
    // Several of one facility, or of one organisation, are one witness.
    addSourceRecord(registry, 'lea-3', { ...max, facility: 'clinic' })
    registry.db.exec(`update facility set organisation = 'organisation of clinic' where id = 'pharmacy'`)
    addSourceRecord(registry, 'lea-4', { ...max, facility: 'pharmacy' })
    expect(facts(asMax)).toEqual(forbidden('person-unknown'))
    // Nor does the one who was there first win: nobody can tell.
    expect(facts(bearer())).toEqual(forbidden('person-unknown'))
    addFacility(registry, 'laboratory')
    addSourceRecord(registry, 'lea-5', { ...adult, facility: 'laboratory' })
    expect(facts(bearer())).toMatchObject(isLea)
    expect(facts(asMax)).toEqual(forbidden('person-unknown'))
  })

  it('is nobody’s guardian by a record that another facility contradicts', () => {
    guard()
    addFacility(registry, 'clinic')
    addSourceRecord(registry, 'lea-2', {
      person: 'lea',
      value: 'max',
      birthDate: '1991-01-01',
      facility: 'clinic',
    })
    expect(facts(guardian({ personId: 'max', birthDate: '1991-01-01' }))).toEqual(forbidden('person-unknown'))
  })

  it('is who they are where another facility knows part of a birth date, or no number', () => {
    addSourceRecord(registry, 'lea-2', { ...adult, birthDate: '1990', facility: 'clinic' })
    addSourceRecord(registry, 'lea-3', { person: 'lea', facility: 'clinic' })
    expect(facts(bearer())).toMatchObject(isLea)
  })

  it('is nobody by an identifier of another system, or one of an issuer that vouches for no patients', () => {
    registry.db.exec(`update issuer set patient_system = 'https://other.example'`)
    expect(facts(bearer())).toEqual(forbidden('person-unknown'))
    registry.db.exec(`update issuer set patient_system = ''; update person_key set system = ''`)
    expect(facts(bearer())).toEqual(forbidden('person-unknown'))
  })

  it.each([['low'], [null], ['']])('has to prove who they are strongly enough: %j', (assurance) => {
    expect(facts(bearer({ assurance }))).toEqual(unauthenticated('assurance-too-low'))
    guard()
    expect(facts(guardian({ assurance }))).toEqual(unauthenticated('assurance-too-low'))
  })

  it('has to prove it, whatever the issuer’s row lists', () => {
    registry.db.exec(`update issuer set patient_acr = '["high",null]'`)
    expect(facts(bearer({ assurance: null }))).toEqual(unauthenticated('assurance-too-low'))
  })

  it('is told nothing of how strongly before they are known', () => {
    expect(facts(bearer({ assurance: null, personId: 'max' }))).toEqual(forbidden('person-unknown'))
  })

  it('does not become a professional by a subject of the same name', () => {
    addFacility(registry, 'hospital')
    addProfessional(registry, 'lea@identity', [
      ['patient', ''],
      ['patient', 'hospital'],
      ['guardian', 'hospital'],
    ])
    expect(facts(bearer({ personId: null }))).toEqual(forbidden('person-unknown'))
  })

  it('acts alone from the fourteenth birthday on, to the day', () => {
    const bornOn = (birthDate: string) => {
      registry.db.exec(`update person_key set birth_date = '${birthDate}' where source_record = 'lea-1'`)
      return facts(bearer({ birthDate }))
    }
    expect(bornOn('2016-03-16')).toMatchObject(isLea)
    expect(bornOn('2016-03-17')).toMatchObject(isLea)
    expect(bornOn('2016-03-18')).toEqual(forbidden('age'))
  })

  it('turns fourteen at midnight in Québec', () => {
    addSourceRecord(registry, 'max-1', { person: 'max', birthDate: '2016-03-17' })
    const max = bearer({ personId: 'max', birthDate: '2016-03-17' })
    const midnight = Date.parse('2030-03-17T00:00:00-04:00')
    expect(facts(max, { now: midnight - 1 })).toEqual(forbidden('age'))
    expect(facts(max, { now: midnight })).toMatchObject({ ok: true })
  })

  it('whose source records disagree about it is of no age', () => {
    addSourceRecord(registry, 'lea-2', { ...adult, birthDate: '2020-01-01' })
    expect(facts(bearer())).toEqual(forbidden('age'))
    addSourceRecord(registry, 'zoe-2', { ...child, birthDate: '2020-06-01' })
    guard()
    expect(facts(guardian())).toEqual(forbidden('age'))
  })
})

describe('a guardian', () => {
  it('acts for the child of the launch context', () => {
    guard()
    expect(facts(guardian())).toMatchObject(isZoesGuardian)
  })

  it('is registered by any source record of either', () => {
    addSourceRecord(registry, 'lea-2', adult)
    addSourceRecord(registry, 'zoe-2', child)
    guard({ guardian: 'lea-2' })
    expect(facts(guardian({ patient: 'zoe-2' }))).toMatchObject(isZoesGuardian)
  })

  it('is none without a registered guardianship, of this child, by this person, that has not ended', () => {
    const missing = forbidden('guardianship-missing')
    addSourceRecord(registry, 'max-1', { person: 'max', birthDate: '2020-01-01' })
    expect(facts(guardian())).toEqual(missing)
    guard({ source_record: 'max-1' })
    guard({ guardian: 'max-1' })
    guard({ guardian: 'zoe-1', source_record: 'lea-1' })
    expect(facts(guardian())).toEqual(missing)
    expect(facts(guardian({ patient: 'nobody' }))).toEqual(missing)
    guard()
    expect(facts(guardian())).toMatchObject(isZoesGuardian)
    endCurrent(registry, 'guardianship')
    expect(facts(guardian())).toEqual(missing)
  })

  it('acts for the only ward where the token names none, and for none of several', () => {
    const unnamed = guardian({ patient: null })
    expect(facts(unnamed)).toEqual(forbidden('guardianship-missing'))
    guard()
    expect(facts(unnamed)).toMatchObject(isZoesGuardian)
    addSourceRecord(registry, 'max-1', { person: 'max', birthDate: '2020-01-01' })
    guard({ source_record: 'max-1' })
    expect(facts(unnamed)).toEqual(forbidden('guardianship-missing'))
    expect(facts(guardian())).toMatchObject(isZoesGuardian)
  })

  it('acts until the day before the fourteenth birthday', () => {
    guard()
    const childOf = (birthDate: string) => {
      registry.db.exec(`update person_key set birth_date = '${birthDate}' where source_record = 'zoe-1'`)
      return facts(guardian())
    }
    expect(childOf('2016-03-18')).toMatchObject(isZoesGuardian)
    expect(childOf('2016-03-17')).toEqual(forbidden('age'))
    registry.db.exec(`delete from person_key where source_record = 'zoe-1'`)
    expect(facts(guardian())).toEqual(forbidden('age'))
  })

  it('whose child’s source records disagree about the age acts no more', () => {
    guard()
    addSourceRecord(registry, 'zoe-2', { ...child, birthDate: '2010-05-01' })
    expect(facts(guardian())).toEqual(forbidden('age'))
  })

  it('is of age', () => {
    guard()
    const birthDate = '2017-01-01'
    registry.db.exec(`update person_key set birth_date = '${birthDate}' where source_record = 'lea-1'`)
    expect(facts(guardian({ birthDate }))).toEqual(forbidden('age'))
  })
})

describe('age', () => {
  it.each([
    ['2016-03-17', '2030-03-16', 13],
    ['2016-03-17', '2030-03-17', 14],
    ['2016-03-17', '2030-03-18', 14],
    ['2016-02-29', '2030-02-28', 13],
    ['2016-02-29', '2030-03-01', 14],
    ['2016-12-31', '2030-01-01', 13],
    ['1929-12-31', '2030-12-31', 101],
  ])('of who was born on %s, on %s: %i', (birthDate, day, years) => {
    expect(ageOn(birthDate, day)).toBe(years)
  })

  it.each<[string, readonly string[], boolean | null]>([
    ['none', [], null],
    ['no whole one', ['2016', '2016-03', ''], null],
    ['more than a date', ['12016-03-17'], null],
    ['a date and a time', ['2016-03-17T00:00:00Z'], null],
    ['one', ['2016-03-17'], true],
    ['a whole one among others', ['2016', '2016-03-18'], false],
    ['two that agree about it', ['2016-03-18', '2020-01-01'], false],
    ['two that do not', ['2016-03-18', '2016-03-17'], null],
  ])('by several birth dates: %s', (_, birthDates, expected) => {
    expect(isOfAge(birthDates, '2030-03-17')).toBe(expected)
  })

  it('counts days as Québec does', () => {
    expect(todayInQuebec(moment)).toBe('2030-03-17')
    expect(todayInQuebec(Date.parse('2030-01-01T04:59:59Z'))).toBe('2029-12-31')
    expect(todayInQuebec(Date.parse('2030-01-01T05:00:00Z'))).toBe('2030-01-01')
    expect(todayInQuebec(Date.parse('2030-07-01T03:59:59Z'))).toBe('2030-06-30')
  })
})
