/** The policy as data: seen whole, changed within bounds, never opened to those who administer. */
import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { current, everything, type Office, openOffice, operator } from './registry-support.ts'

const odile = operator('odile')
let office: Office
beforeEach(() => {
  office = openOffice()
})

const settings = async () => (await office.done(odile, '/access/policy')).body.settings
const cell = { role: 'dietitian', facilityType: 'hospital', purpose: 'TREAT', domain: 'laboratory' }

describe('the policy', () => {
  it('is shown as data', async () => {
    office.registry.rows(
      `insert into role_clearance (role, facility_type, purpose, own, elsewhere, valid_from)
       values ('physician', '*', '*', 'R', 'N', 0)`,
    )
    office.registry.rows(
      `insert into sharing_rule (position, domain, type, category, code, confidentiality, shared, valid_from)
       values (10, 'laboratory', '*', '*', '*', '*', 1, 0)`,
    )
    const { body } = await office.done(odile, '/access/policy')
    expect(body).toEqual({
      settings: {
        'attestation-hours': 168,
        'audit-retention-days': 2557,
        'break-glass-hours': 12,
        'break-glass:refusal-before': 0,
        'break-glass:refusal-total': 0,
        'break-glass:relationship': 1,
        'break-glass:restriction': 1,
        'encounter-days-after': 30,
        'encounter-open-days': 90,
        'question-days': 30,
      },
      roleDomains: [
        { role: '*', facilityType: '*', purpose: 'TREAT', domain: 'allergy' },
        { role: 'nurse', facilityType: '*', purpose: 'TREAT', domain: 'laboratory' },
        { role: 'physician', facilityType: '*', purpose: 'TREAT', domain: 'laboratory' },
      ],
      clearances: [{ role: 'physician', facilityType: '*', purpose: '*', own: 'R', elsewhere: 'N' }],
      sharingRules: [
        {
          position: 10,
          domain: 'laboratory',
          type: '*',
          category: '*',
          code: '*',
          confidentiality: '*',
          shared: true,
        },
      ],
    })
  })

  it('a setting changed is a new row, told in the note; the same value again changes nothing', async () => {
    const asked = { name: 'break-glass:refusal-total', value: 1 }
    const { note } = await office.done(odile, '/access/policy/settings', asked)
    expect(note).toEqual({
      change: 'policy-setting',
      name: 'break-glass:refusal-total',
      value: '1',
      changed: 'true',
    })
    expect(await settings()).toMatchObject({ 'break-glass:refusal-total': 1 })
    expect(
      office.registry.rows(
        `select value, valid_from, valid_to from policy_setting where name = 'break-glass:refusal-total' order by row`,
      ),
    ).toEqual([
      { value: 0, valid_from: 0, valid_to: 1 },
      { value: 1, valid_from: 1, valid_to: null },
    ])
    const before = everything(office.registry)
    expect(await office.done(odile, '/access/policy/settings', asked)).toMatchObject({
      status: 200,
      body: { changed: false },
    })
    expect(everything(office.registry)).toEqual(before)
  })

  it('every setting there is can be set to what it is', async () => {
    for (const { name, value } of current(office.registry, 'policy_setting'))
      expect(await office.done(odile, '/access/policy/settings', { name, value })).toMatchObject({
        body: { changed: false },
      })
  })

  it.each<[unknown, unknown, string]>([
    ['break-glass:relationship', 2, 'value'],
    ['break-glass:refusal-total', -1, 'value'],
    ['break-glass:restriction', true, 'value'],
    ['break-glass-hours', 0, 'value'],
    ['break-glass-hours', limits.maxBreakGlassHours + 1, 'value'],
    ['question-days', limits.maxQuestionDays + 1, 'value'],
    ['attestation-hours', limits.maxAttestationHours + 1, 'value'],
    ['encounter-days-after', -1, 'value'],
    ['encounter-open-days', 0, 'value'],
    ['encounter-open-days', 1.5, 'value'],
    ['break-glass:everything', 1, 'name'],
    ['__proto__', 1, 'name'],
    [undefined, 1, 'name'],
  ])('%s = %s is refused', async (name, value, expression) => {
    const before = everything(office.registry)
    expect(await office.refused(odile, '/access/policy/settings', { name, value })).toMatchObject({
      reason: 'invalid',
      issues: [{ expression }],
    })
    expect(everything(office.registry)).toEqual(before)
  })

  it('a domain is opened to a role and closed again; each again changes nothing', async () => {
    for (const [path, isOpen] of [
      ['/access/policy/role-domains', true],
      ['/access/policy/role-domains/end', false],
    ] as const) {
      expect(await office.done(odile, path, cell)).toMatchObject({
        body: { changed: true, roleDomain: cell },
      })
      const before = everything(office.registry)
      expect(await office.done(odile, path, cell)).toMatchObject({ body: { changed: false } })
      expect(everything(office.registry)).toEqual(before)
      expect(current(office.registry, 'role_domain').some(({ role }) => role === 'dietitian')).toBe(isOpen)
    }
    expect(
      await office.refused(odile, '/access/policy/role-domains/end', { ...cell, role: 'wizard' }),
    ).toMatchObject({ reason: 'not-found' })
  })

  it.each<[string, object, string]>([
    ['to operators', { role: 'operator' }, 'role'],
    ['to access managers', { role: 'access-manager' }, 'role'],
    ['to privacy officers', { role: 'privacy-officer' }, 'role'],
    ['to patients', { role: 'patient' }, 'role'],
    ['any domain', { domain: '*' }, 'domain'],
    ['a domain that is none', { domain: 'genetics' }, 'domain'],
    ['for no purpose', { purpose: undefined }, 'purpose'],
  ])('is not opened %s', async (_, changes, expression) => {
    const before = everything(office.registry)
    expect(await office.refused(odile, '/access/policy/role-domains', { ...cell, ...changes })).toMatchObject(
      {
        reason: 'invalid',
        issues: [{ expression }],
      },
    )
    expect(everything(office.registry)).toEqual(before)
  })
})
