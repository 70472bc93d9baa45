/** The grammar of AuditEvent searches: what it takes, what it refuses, what a term means. */
import { describe, expect, test } from 'vitest'
import { auditEventParameters } from '../../../src/fhir/audit-event-parameters.ts'
import { auditEventsOf } from '../../../src/trail/audit-event.ts'
import { kindOf } from '../../../src/trail/audit-event-actions.ts'
import { actionsOf, isMeant, trailKeyOf } from '../../../src/trail/trail-match.ts'
import { parseTrailSearch } from '../../../src/trail/trail-search.ts'
import { told } from './told.ts'

const november = 'date=2026-11'
const parse = (query: string, isOfficer = true) => parseTrailSearch(new URLSearchParams(query), isOfficer)
const issuesOf = (query: string, isOfficer = true) => {
  const parsed = parse(query, isOfficer)
  return parsed.ok ? [] : parsed.error.map(({ code, expression }) => `${code} ${expression}`)
}
const parsed = (query: string) => {
  const result = parse(query)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

describe('the period', () => {
  test.each([
    ['date=2026-11', '2026-11-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z'],
    ['date=eq2026-11-22', '2026-11-22T00:00:00.000Z', '2026-11-22T23:59:59.999Z'],
    ['date=ge2026-11-02&date=le2026-11-05', '2026-11-02T00:00:00.000Z', '2026-11-05T23:59:59.999Z'],
    ['date=gt2026-11-02&date=lt2026-11-05', '2026-11-03T00:00:00.000Z', '2026-11-04T23:59:59.999Z'],
    ['date=sa2026-10&date=eb2026-12', '2026-11-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z'],
    ['date=2026-11&date=ge2026-11-10', '2026-11-10T00:00:00.000Z', '2026-11-30T23:59:59.999Z'],
  ])('%s', (query, from, until) => {
    expect(parsed(query)).toMatchObject({ from, until })
  })

  test.each(['', 'date=ge2026-11', 'date=le2026-11', 'agent=x'])('is missing in “%s”', (query) => {
    expect(issuesOf(query)).toEqual(['required date'])
  })

  test.each(['date=yesterday', 'date=ne2026-11', 'date=ap2026-11', 'date=2026-02-30'])(
    'is none: %s',
    (query) => {
      expect(issuesOf(query)).toEqual(['value date'])
    },
  )
})

describe('parameters', () => {
  test.each([
    '_sort=date',
    'patient:missing=true',
    'agent-name:exact=x',
    '__proto__=x',
    'policy=x',
    'toString=x',
  ])('%s is unknown, not passed over', (query) => {
    expect(issuesOf(`${november}&${query}`)).toEqual([`not-supported ${query.split('=')[0]}`])
  })

  test('patients may use few of them', () => {
    const refused = auditEventParameters.filter(
      ({ name }) =>
        issuesOf(`${november}&${name}=${name === 'action' ? 'R' : name === 'outcome' ? '0' : 'x'}`, false)
          .length > 0,
    )
    const allowed = auditEventParameters.filter((one) => !refused.includes(one)).map(({ name }) => name)
    // A second `date` that is none.
    expect(allowed.sort()).toEqual(['action', 'agent', 'outcome'])
    expect(issuesOf(`${november}&_count=5&_format=json`, false)).toEqual([])
    expect(issuesOf(`${november}&patient=Patient/x`, false)).toEqual(['not-supported patient'])
  })

  test.each([
    'action=X',
    'outcome=1',
    '_count=0',
    'patient=Group/x',
    'patient.identifier=123',
    'patient.identifier=s|1,s|2',
    'agent=',
    'agent=a,,b',
    '_count=1&_count=2',
  ])('%s has no such value', (query) => {
    expect(issuesOf(`${november}&${query}`)).toEqual([`value ${query.split('=')[0]}`])
  })

  test('a page has at most 500', () => {
    expect(parsed(`${november}&_count=9999`).count).toBe(500)
  })

  test('tokens have systems, alternatives and escapes', () => {
    expect(parsed(`${november}&subtype=s|a,|b,s|,c&agent-name=a\\,b`).terms).toEqual([
      {
        name: 'subtype',
        tokens: [
          { system: 's', code: 'a' },
          { system: '', code: 'b' },
          { system: 's', code: null },
          { system: null, code: 'c' },
        ],
      },
      { name: 'agent-name', tokens: [{ system: null, code: 'a,b' }] },
    ])
  })
})

describe('what is meant', () => {
  const origin = 'https://record.example'
  const events = auditEventsOf(told({}), origin)
  const meant = (query: string): number =>
    events.filter((event) => isMeant(event, parsed(`${november}&${query}`).terms)).length

  test('an access of a provider is an event and its decision', () => {
    expect(events).toHaveLength(2)
  })

  test.each([
    ['agent=etienne-tremblay', 1],
    ['agent=Practitioner/etienne-tremblay', 1],
    ['agent=Organization/ciusss-mont-royal', 2],
    ['altid=etienne-tremblay', 1],
    ['agent.identifier=https://issuer.example|tremblay', 2],
    ['agent.identifier=emr', 2],
    ['agent-name=etienne', 2],
    ['agent-name=ÉTI', 2],
    ['agent-name=tremblay', 2],
    ['agent-name=remblay', 0],
    ['agent-role=physician', 2],
    ['address=192.0.2', 2],
    ['action=R', 1],
    ['action=E', 1],
    ['outcome=0', 2],
    ['outcome=8', 0],
    ['type=rest', 1],
    ['type=http://dicom.nema.org/resources/ontology/DCM|110113', 1],
    ['subtype=AuthZ-Consent', 1],
    ['subtype=read', 1],
    ['entity=Observation/o1', 1],
    ['entity=Observation/o1/_history/1', 1],
    ['entity=https://record.example/fhir/Observation/o1', 1],
    ['entity=Observation/o', 0],
    ['entity.identifier=https://record.example/registry/person|p1', 2],
    ['entity-type=1', 2],
    ['entity-role=1', 2],
    ['source=https://record.example', 2],
    ['site=montreal', 2],
    ['site=quebec', 0],
    ['_id=montreal-7', 1],
    ['_id=montreal-7-authz', 1],
    ['agent=nobody', 0],
    ['agent=nobody,etienne-tremblay', 1],
    ['action=R&outcome=8', 0],
  ])('%s: %i', (query, count) => {
    expect(meant(query)).toBe(count)
  })
})

describe('the index', () => {
  const keyOf = (query: string, organisation: string | null = null) =>
    trailKeyOf(parsed(`${november}&${query}`).terms, null, organisation)

  test.each([
    ['agent=a,Practitioner/b', { column: 'practitioner', values: ['a', 'b'] }],
    ['agent=Organization/o', { column: 'organisation', values: ['o'] }],
    ['agent=a,Organization/o', { column: null }],
    ['outcome=8,12', { column: 'outcome', values: ['deny', 'error'] }],
    ['outcome=0,8', { column: null }],
    ['action=D', { column: 'action', values: ['delete', 'redaction'] }],
    ['action=D,E', { column: null }],
    ['site=montreal', { column: null }],
  ])('of %s', (query, key) => {
    expect(keyOf(query)).toEqual(key)
  })

  test('is the patient’s before any, and the organisation’s for its officer', () => {
    expect(trailKeyOf([], ['p'], 'o')).toEqual({ column: 'patient', values: ['p'] })
    expect(keyOf('outcome=8', 'o')).toEqual({ column: 'organisation', values: ['o'] })
    expect(keyOf('agent=a', 'o')).toEqual({ column: 'practitioner', values: ['a'] })
  })

  test('actions of the log are found by the code that their event has', () => {
    for (const [code, actions] of Object.entries(actionsOf))
      for (const action of actions) expect(kindOf(told({ action }).access).action).toBe(code)
    const all = Object.values(actionsOf).flat()
    for (const action of ['authenticate', 'search', 'operation', 'audit-read', 'break-glass'] as const) {
      expect(all).not.toContain(action)
      expect(kindOf(told({ action }).access).action).toBe('E')
    }
  })
})
