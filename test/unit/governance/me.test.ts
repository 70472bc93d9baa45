import { beforeEach, describe, expect, test } from 'vitest'
import { callerKinds } from '../../../src/access/caller.ts'
import { me } from '../../../src/governance/me.ts'
import { callers, type Desk, disclosed, hospital, openDesk } from './support.ts'

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})

const at = { id: hospital.id, name: hospital.name }

describe('me', () => {
  test('is for every kind of caller, whatever the token was narrowed to', () => {
    expect(me.callers).toEqual(callerKinds)
    expect(me.scope({})).toBeNull()
  })

  test.each([
    [
      'provider',
      {
        kind: 'provider',
        name: 'Dre Roy',
        role: 'physician',
        purpose: 'TREAT',
        facility: at,
        domains: ['medication'],
      },
    ],
    ['system', { kind: 'facility-system', name: 'EMR', facility: at }],
    ['manager', { kind: 'access-manager', name: 'Gestionnaire', facility: at }],
    ['officer', { kind: 'privacy-officer', name: 'Responsable', organisation: null }],
    ['ownOfficer', { kind: 'privacy-officer', name: 'Resp.', organisation: 'ciusss' }],
    ['operator', { kind: 'operator', name: 'Exploitante' }],
  ] as const)('tells a caller who is no patient who they are: %s', async (name, told) => {
    const result = await desk.ask(me, callers[name])
    expect(disclosed(result)).toEqual(told)
    expect(result.ok && [result.value.disclosed, result.value.reason]).toEqual([[], told.kind])
  })

  test('tells a patient every Patient of theirs, and one of each ward', async () => {
    desk.records.db.exec(`
      insert into source_record (id, facility, person, clock) values ('child-clinique', 'clinique', 'person-child', 0);
      insert into guardianship (guardian, source_record, recorded_by, valid_from, valid_to) values
        ('a-clinique', 'child-hopital', 'op', 0, null), ('a-hopital', 'child-clinique', 'op', 0, null),
        ('a-hopital', 'b-clinique', 'op', 0, 1), ('b-clinique', 'a-hopital', 'op', 0, null)`)
    const result = await desk.ask(me, callers.patient)
    expect(disclosed(result)).toEqual({
      kind: 'patient',
      name: 'Alice',
      patients: ['Patient/a-clinique', 'Patient/a-hopital'],
      wards: ['Patient/child-clinique'],
    })
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
  })

  test('tells a guardian the child they act for, and no wards of the child', async () => {
    desk.records.db.exec(`
      insert into guardianship (guardian, source_record, recorded_by, valid_from) values ('child-hopital', 'b-clinique', 'op', 0)`)
    const result = await desk.ask(me, callers.guardian)
    expect(disclosed(result)).toEqual({
      kind: 'guardian',
      name: 'Alice',
      patients: ['Patient/child-hopital'],
      wards: [],
    })
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-child', resources: [] }])
  })

  test('tells a person without wards that there are none', async () => {
    expect(disclosed(await desk.ask(me, callers.stranger))).toMatchObject({
      patients: ['Patient/b-clinique'],
      wards: [],
    })
  })
})
