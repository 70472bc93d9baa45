import { beforeEach, describe, expect, test } from 'vitest'
import {
  endGuardianship,
  listGuardianships,
  registerGuardianship,
} from '../../../src/governance/guardianship.ts'
import { callers, type Desk, disclosed, expressions, noon, openDesk, statusOf } from './support.ts'

const body = { guardian: 'Patient/a-hopital', patient: 'Patient/child-hopital' }
let desk: Desk
beforeEach(() => {
  desk = openDesk()
  bornOn('child-hopital', '2015-01-01')
})
const bornOn = (source: string, day: string): void =>
  desk.records.db.exec(`update person_key set birth_date = '${day}' where source_record = '${source}'`)
const register = (fields: unknown = body, caller: Parameters<Desk['ask']>[1] = callers.officer, now = noon) =>
  desk.ask(registerGuardianship, caller, { body: fields, now })
const end = (fields: unknown = body, caller: Parameters<Desk['ask']>[1] = callers.officer) =>
  desk.ask(endGuardianship, caller, { body: fields })
const inForce = () =>
  desk.records.rows('select guardian, source_record, recorded_by from guardianship where valid_to is null')

describe('a guardianship', () => {
  test('is registered once, whatever source records name the two', async () => {
    const result = await register()
    expect(statusOf(result)).toBe(201)
    expect(result.ok && result.value.disclosed.map(({ patient }) => patient)).toEqual([
      'person-child',
      'person-a',
    ])
    expect(inForce()).toEqual([{ guardian: 'a-hopital', source_record: 'child-hopital', recorded_by: 'po' }])
    expect(statusOf(await register({ ...body, guardian: 'Patient/a-clinique' }))).toBe(200)
    expect(inForce()).toHaveLength(1)
    expect(desk.records.rows('select persons from write_key where clock = 1')).toEqual([
      { persons: expect.stringMatching(/person-child.*person-a|person-a.*person-child/) },
    ])
  })

  test('is told to both, when it begins and when it ends, and not when nothing changes', async () => {
    await register()
    await register()
    await end({ ...body, guardian: 'Patient/a-clinique' })
    const told = desk.records.rows(
      'select source_record, facts from notice order by valid_from, source_record',
    )
    expect(told.map(({ source_record, facts }) => [source_record, JSON.parse(String(facts))])).toEqual([
      ['a-hopital', { change: 'registered', name: expect.any(String), of: 'guardian' }],
      ['child-hopital', { change: 'registered', name: expect.any(String), of: 'ward' }],
      ['a-clinique', { change: 'ended', name: expect.any(String), of: 'guardian' }],
      ['child-hopital', { change: 'ended', name: expect.any(String), of: 'ward' }],
    ])
  })

  test('ends and is kept', async () => {
    await register()
    const result = await end({ ...body, guardian: 'Patient/a-clinique' })
    expect(disclosed(result)).toMatchObject({ status: 'ended' })
    expect(inForce()).toEqual([])
    expect(desk.records.rows('select valid_from, valid_to from guardianship')).toEqual([
      { valid_from: 1, valid_to: 2 },
    ])
    expect(statusOf(await end())).toBe('not-found')
  })

  test('can be ended, but not registered, once the ward is of age', async () => {
    await register()
    bornOn('child-hopital', '2012-11-22')
    expect(statusOf(await register())).toBe('age')
    expect(statusOf(await end())).toBe(200)
  })

  // The 14th birthday of somebody born on 22 November 2012 begins at midnight in Québec, 05:00 UTC.
  test.each([
    ['the eve of the 14th birthday, in Québec', '2012-11-22', '2026-11-22T04:59:59.000Z', 201],
    ['the 14th birthday', '2012-11-22', '2026-11-22T05:00:00.000Z', 'age'],
    ['28 February, born on the 29th', '2012-02-29', '2026-03-01T04:59:59.000Z', 201],
    ['1 March, born on 29 February', '2012-02-29', '2026-03-01T05:00:00.000Z', 'age'],
    ['an adult', '1980-01-01', '2026-11-22T05:00:00.000Z', 'age'],
    ['a year of birth only', '2020', '2026-11-22T05:00:00.000Z', 'age'],
  ])('on %s', async (_, birthDate, at, expected) => {
    bornOn('child-hopital', birthDate)
    expect(statusOf(await register(body, callers.officer, Date.parse(at)))).toBe(expected)
  })

  test('needs a birth date, and source records that agree about the age', async () => {
    desk.records.db.exec(`delete from person_key where source_record = 'child-hopital'`)
    expect(statusOf(await register())).toBe('age')
    desk.records.db.exec(`insert into source_record (id, facility, person, clock) values ('child-b', 'clinique', 'person-child', 0);
      insert into person_key (system, value, birth_date, family, source_record) values
        ('nam', 'C', '2015-01-01', 'ROY', 'child-hopital'), ('nam', 'C', '2001-01-01', 'ROY', 'child-b')`)
    expect(statusOf(await register())).toBe('age')
    bornOn('child-b', '2015-01-10')
    expect(statusOf(await register())).toBe(201)
  })

  test('is of somebody of age, and not of the ward', async () => {
    bornOn('b-clinique', '2014-01-01')
    expect(statusOf(await register({ ...body, guardian: 'Patient/b-clinique' }))).toBe('age')
    bornOn('b-clinique', '1990')
    expect(statusOf(await register({ ...body, guardian: 'Patient/b-clinique' }))).toBe('age')
    expect(expressions(await register({ ...body, guardian: 'Patient/child-hopital' }))).toEqual(['guardian'])
  })

  test.each([
    ['the operator', callers.operator, body, 201],
    // Its facilities only have to publish a `Patient` for an organisation to know somebody.
    ['an officer of the ward’s organisation', callers.ownOfficer, body, 'not-own-organisation'],
    ['an officer of another', callers.otherOfficer, body, 'not-own-organisation'],
    ['an officer, of nobody', callers.officer, { ...body, patient: 'Patient/nobody' }, 'person-unknown'],
    ['an officer, by nobody', callers.officer, { ...body, guardian: 'Patient/nobody' }, 'person-unknown'],
    ['the guardian', callers.guardian, body, 'operation-not-for-caller'],
    ['an access manager', callers.manager, body, 'operation-not-for-caller'],
  ])('is registered by %s', async (_, caller, fields, expected) => {
    expect(statusOf(await register(fields, caller))).toBe(expected)
    expect(inForce()).toHaveLength(expected === 201 ? 1 : 0)
  })

  test('is listed for its ward, to whoever may end it', async () => {
    await register()
    const list = (patient: string, caller: Parameters<Desk['ask']>[1] = callers.officer) =>
      desk.ask(listGuardianships, caller, { query: { patient } })
    const result = await list('Patient/child-hopital')
    expect(disclosed(result)).toEqual({ guardianships: [body] })
    expect(result.ok && result.value.disclosed.map(({ patient }) => patient)).toEqual([
      'person-child',
      'person-a',
    ])
    expect(disclosed(await list('Patient/b-clinique'))).toEqual({ guardianships: [] })
    expect(statusOf(await list('Patient/child-hopital', callers.otherOfficer))).toBe('not-own-organisation')
    expect(statusOf(await list('Patient/nobody'))).toBe('person-unknown')
  })
})
