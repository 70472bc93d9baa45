import { beforeEach, describe, expect, test } from 'vitest'
import { attest } from '../../../src/governance/attest.ts'
import { endRelationship, registerRelationship } from '../../../src/governance/relationships.ts'
import { callers, type Desk, disclosed, expressions, noon, openDesk, statusOf } from './support.ts'

const careTeam = {
  kind: 'care-team',
  patient: 'Patient/a-hopital',
  professional: 'inf-cote',
  facility: 'hopital',
  ends: '2027-05-22T00:00:00-04:00',
}
const enrolment = { ...careTeam, kind: 'enrolment', professional: 'dr-roy', ends: '2031-01-01T00:00:00Z' }

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})
const register = (body: unknown, caller: Parameters<Desk['ask']>[1] = callers.manager) =>
  desk.ask(registerRelationship, caller, { body, now: noon })
const end = (relationship: unknown, caller: Parameters<Desk['ask']>[1] = callers.manager) =>
  desk.ask(endRelationship, caller, { body: { relationship } })
const inForce = () => desk.records.rows('select * from relationship where valid_to is null')

describe('registering a care relationship', () => {
  test('names who, where and until when; it begins now when no beginning is given', async () => {
    const result = await register(careTeam)
    expect(statusOf(result)).toBe(201)
    expect(disclosed(result)).toEqual({
      relationship: expect.stringMatching(/^registration\/[0-9a-f]{32}$/),
      starts: '2026-11-22T17:00:00.000Z',
      ends: '2027-05-22T04:00:00.000Z',
    })
    expect(inForce()).toEqual([
      expect.objectContaining({
        kind: 'care-team',
        source_record: 'a-hopital',
        facility: 'hopital',
        professional: 'inf-cote',
        starts: noon,
        ends: Date.parse(careTeam.ends),
        recorded_by: 'gestion',
      }),
    ])
    expect(desk.records.rows('select persons from write_key')).toEqual([{ persons: '["person-a"]' }])
  })

  test('sent again is the same one', async () => {
    const first = disclosed(await register(careTeam))
    const again = await register({ ...careTeam, patient: 'Patient/a-clinique' })
    expect(statusOf(again)).toBe(200)
    expect(disclosed(again)).toEqual(first)
    expect(inForce()).toHaveLength(1)
  })

  test.each([
    ['a manager, an episode', callers.manager, { ...careTeam, kind: 'episode' }, 201],
    ['a manager, an enrolment', callers.manager, enrolment, 'operation-not-for-caller'],
    [
      'a manager, of another facility',
      callers.manager,
      { ...careTeam, facility: 'clinique' },
      'not-own-organisation',
    ],
    ['a manager, for himself', callers.manager, { ...careTeam, professional: 'gestion' }, 'four-eyes'],
    ['a manager, for everybody', callers.manager, { ...careTeam, professional: undefined }, 'four-eyes'],
    [
      'a manager, about nobody',
      callers.manager,
      { ...careTeam, patient: 'Patient/nobody' },
      'relationship-required',
    ],
    ['an operator, an enrolment', callers.operator, enrolment, 201],
    [
      'an operator, with a whole clinic',
      callers.operator,
      { ...enrolment, facility: 'clinique', professional: undefined },
      201,
    ],
    ['an operator, a care team', callers.operator, careTeam, 'operation-not-for-caller'],
    ['a provider', callers.provider, careTeam, 'operation-not-for-caller'],
    ['a privacy officer', callers.officer, careTeam, 'operation-not-for-caller'],
  ])('%s', async (_, caller, body, expected) => {
    expect(statusOf(await register(body, caller))).toBe(expected)
    expect(inForce()).toHaveLength(expected === 201 ? 1 : 0)
  })

  test.each([
    [{ professional: 'dr-nobody' }, 'professional'],
    [{ professional: 'po' }, 'professional'],
    [{ ends: '2026-11-22T16:00:00Z' }, 'ends'],
    [{ starts: '2027-06-01T00:00:00Z' }, 'ends'],
    [{ ends: '2027-11-24T00:00:00Z' }, 'ends'],
    [{ starts: '2028-01-01T00:00:00Z', ends: '2028-02-01T00:00:00Z' }, 'ends'],
    [{ ends: '2027-05-22' }, 'ends'],
    [{ kind: 'attestation' }, 'kind'],
  ])('with %j is refused', async (wrong, where) => {
    expect(expressions(await register({ ...careTeam, ...wrong }))).toEqual([where])
    expect(inForce()).toEqual([])
  })

  test('an enrolment lasts five years at most, and at a facility there is', async () => {
    expect(
      expressions(await register({ ...enrolment, ends: '2031-12-01T00:00:00Z' }, callers.operator)),
    ).toEqual(['ends'])
    const nowhere = { ...enrolment, facility: 'nowhere', professional: undefined }
    expect(expressions(await register(nowhere, callers.operator))).toEqual(['facility'])
  })
})

describe('ending one', () => {
  test('keeps it in the record of what was', async () => {
    const { relationship } = disclosed(await register(careTeam))
    expect(statusOf(await end(relationship))).toBe(200)
    expect(desk.records.rows('select valid_from, valid_to from relationship')).toEqual([
      { valid_from: 1, valid_to: 2 },
    ])
    expect(statusOf(await end(relationship))).toBe('not-found')
  })

  test('is the facility’s for attestations, too, and the operator’s for enrolments only', async () => {
    const attested = disclosed(
      await desk.ask(attest, callers.provider, {
        body: { patient: 'Patient/a-hopital', reason: 'Suivi externe' },
      }),
    )
    const enrolled = disclosed(await register(enrolment, callers.operator))
    expect(statusOf(await end(attested.relationship, callers.operator))).toBe('not-found')
    expect(statusOf(await end(enrolled.relationship))).toBe('not-found')
    expect(statusOf(await end(attested.relationship))).toBe(200)
    expect(statusOf(await end(enrolled.relationship, callers.operator))).toBe(200)
    expect(inForce()).toEqual([])
  })

  test('of another facility, of an encounter, or unknown is as if it were not there', async () => {
    desk.records.db.exec(`insert into relationship (kind, source_record, facility, professional, starts, ends, source,
        recorded_by, valid_from) values
      ('care-team', 'a-hopital', 'clinique', 'x', 0, 1, 'registration/1', '', 0),
      ('encounter', 'a-hopital', 'hopital', '', 0, 1, 'Encounter/1', '', 0)`)
    for (const relationship of ['registration/1', 'Encounter/1', 'nothing'])
      expect(statusOf(await end(relationship))).toBe('not-found')
    expect(inForce()).toHaveLength(2)
  })
})
