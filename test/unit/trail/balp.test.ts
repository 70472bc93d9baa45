/** Each profile of BALP that an event names is fulfilled by it, and what ought to be of a profile names it. */
import { describe, expect, test } from 'vitest'
import type { Action, Phase } from '../../../src/audit/port.ts'
import { auditEventsOf } from '../../../src/trail/audit-event.ts'
import { profileOf } from '../../../src/trail/audit-event-types.ts'
import { base } from '../audit/access.ts'
import { faultsOf, type Profile, profiles } from './balp-profiles.ts'
import { origin, toldEvents } from './told-events.ts'

const entryOf = (change: Partial<typeof base>, patient: string | null = 'p1') => ({
  access: { ...base, ...change, patient, resources: ['Observation/o1/_history/1'], part: 1, parts: 1 },
  index: '7',
  log: 'montreal',
  time: '2026-11-22T09:06:00.123Z',
})
const eventsOf = (...args: Parameters<typeof entryOf>) => auditEventsOf(entryOf(...args), origin)
const named = (...args: Parameters<typeof entryOf>): readonly string[] =>
  (eventsOf(...args)[0]?.meta?.profile ?? []).map((url) => url.replace(profileOf(''), ''))

describe.each(Object.entries(profiles))('%s', (name, profile: Profile) => {
  const claiming = toldEvents.filter(({ meta }) => meta?.profile.includes(profileOf(name)))

  test('is fulfilled by every event that names it', () => {
    expect(claiming.length).toBeGreaterThan(1)
    for (const event of claiming)
      expect({ id: event.id, faults: faultsOf(event, profile) }).toEqual({ id: event.id, faults: [] })
  })

  test('is not fulfilled by an event without agents, nor by one without what it is about', () => {
    const [event] = claiming
    if (event === undefined) throw new Error('nothing names this profile')
    expect(faultsOf({ ...event, agent: [] }, profile)).not.toEqual([])
    if (profile.entities) expect(faultsOf({ ...event, entity: [] }, profile)).not.toEqual([])
  })
})

test('no event names a profile that these tests do not know', () => {
  const known = new Set(Object.keys(profiles).map(profileOf))
  for (const { meta } of toldEvents) for (const url of meta?.profile ?? []) expect(known).toContain(url)
})

test.each<[Action, string]>([
  ['read', 'Read'],
  ['vread', 'Read'],
  ['history', 'Read'],
  ['search', 'Query'],
  ['audit-read', 'Query'],
  ['create', 'Create'],
  ['publish', 'Create'],
  ['update', 'Update'],
  ['policy', 'Update'],
  ['delete', 'Delete'],
])('a successful %s is of %s, and of its patient’s where there is one', (action, name) => {
  expect(named({ action }, null)).toContain(name)
  expect(named({ action })).toContain(`Patient${name}`)
})

test.each<Phase>(['access', 'chunk'])(
  'what an export discloses of a patient is a disclosure (%s)',
  (phase) => {
    expect(named({ action: 'export', phase })).toContain('PrivacyDisclosure.Source')
    expect(named({ action: 'export', phase }, null)).not.toContain('PrivacyDisclosure.Source')
  },
)

test.each<[string, Partial<typeof base>, string | undefined]>([
  ['was denied', { decision: { outcome: 'deny', reason: 'refused', detail: null } }, '8'],
  ['was malformed', { decision: { outcome: 'deny', reason: 'invalid', detail: 'x' } }, '4'],
  ['failed', { decision: { outcome: 'error', reason: 'internal', detail: null } }, '12'],
  ['has only been intended', { phase: 'intent' }, undefined],
])('an access that %s says so, and names no profile of success', (_, change, outcome) => {
  for (const action of ['read', 'search', 'create', 'update', 'delete'] as const) {
    const [event] = eventsOf({ action, ...change })
    expect(event?.outcome).toBe(outcome)
    expect(named({ action, ...change }).filter((name) => !name.startsWith('OAUTH'))).toEqual([])
  }
})

describe('the decision on a provider’s access', () => {
  const denied = { outcome: 'deny', reason: 'refused', detail: null } as const
  const second = (...args: Parameters<typeof entryOf>) => eventsOf(...args)[1]

  test('is an event of its own: a permit, and a denial with its reason', () => {
    expect(second({})).toMatchObject({ id: 'montreal-7-authz', outcome: '0' })
    expect(second({ decision: denied })).toMatchObject({ outcome: '8', outcomeDesc: 'refused' })
  })

  test('names the consents of the patient as of the policy that decided', () => {
    const consents = second({})?.entity?.filter(({ type }) => type.code === 'Consent')
    expect(consents).toMatchObject([{ what: { identifier: { value: 'p1@abcd.1' } } }])
  })

  test.each<[string, Partial<typeof base>, (string | null)?]>([
    ['without a patient', {}, null],
    ['without a policy', { policyVersion: null }],
    ['of a patient’s own access', { who: { ...base.who, practitioner: null, role: 'patient' } }],
    ['of an officer', { who: { ...base.who, role: 'privacy-officer' } }],
    ['on what was malformed', { decision: { ...denied, reason: 'invalid' } }],
    ['on a chunk of an export', { action: 'export', phase: 'chunk' }],
    ['on an intent', { phase: 'intent' }],
  ])('is none %s', (_, change, patient = 'p1') => {
    expect(second(change, patient)).toBeUndefined()
  })
})

test('an emergency is a purpose of the event, in the words of whoever declared it', () => {
  const [event] = eventsOf({ purpose: 'ETREAT', breakGlassReason: 'unconscious' })
  expect(event?.purposeOfEvent).toMatchObject([
    { coding: [{ code: 'ETREAT' }] },
    { coding: [{ code: 'BTG' }], text: 'unconscious' },
  ])
})

test('a search keeps the request as it was received', () => {
  const [event] = eventsOf({ query: { ...base.query, text: '/fhir/Observation?patient=é&x=%00' } })
  const query = event?.entity?.find(({ role }) => role?.code === '24')?.query ?? ''
  expect(Buffer.from(query, 'base64').toString()).toBe('GET /fhir/Observation?patient=é&x=%00')
})
