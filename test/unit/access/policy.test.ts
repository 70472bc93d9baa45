import { describe, expect, it } from 'vitest'
import type { Caller, CallerKind, Provider } from '../../../src/access/caller.ts'
import {
  type DecidedRow,
  decideOperation,
  decideRow,
  decideSubject,
  noCodings,
  openSubjects,
  type Situation,
} from '../../../src/access/policy.ts'
import { parseScopes } from '../../../src/access/scope.ts'
import type { ConsentRule, LiftableKind, Subject } from '../../../src/access/subject.ts'
import { otherCallers, provider } from './cases.ts'

const callerOf = (kind: CallerKind): Caller => {
  const found = [provider, ...otherCallers].find((caller) => caller.kind === kind)
  if (!found) throw new Error(`no ${kind} among the cases`)
  return found
}
const system = callerOf('facility-system')
const officer = callerOf('privacy-officer')
const inEmergency: Provider = { ...provider, purpose: 'BTG' }

const row = (changes: Partial<DecidedRow>): DecidedRow => ({
  type: 'Observation',
  id: 'd',
  domain: 'laboratory',
  facility: 'clinic',
  sourceRecord: 's',
  confidentiality: 'N',
  dateLo: '2026-01-01T00:00:00.000Z',
  firstPublished: '2026-01-02T00:00:00.000Z',
  shared: true,
  codings: noCodings,
  ...changes,
})

const rule = (changes: Partial<ConsentRule>): ConsentRule => ({
  row: 1,
  consent: 'c',
  kind: 'restriction',
  before: '',
  actorKind: 'any',
  actor: '',
  whatKind: 'any',
  what: '',
  ...changes,
})

/** Cared for at the caller's facility. */
const subject = (changes: Partial<Subject> = {}): Subject => ({
  person: 'p',
  sourceRecords: ['s'],
  relationships: [{ row: 1, kind: 'encounter', professional: '' }],
  rules: [],
  breakGlass: [],
  ...changes,
})

const declared = { breakGlass: [{ row: 1, id: 'b', professional: provider.professional, reason: 'coma' }] }

const situation = (
  about: Partial<Subject>,
  lifted: readonly LiftableKind[] = ['relationship', 'restriction'],
): Situation => ({
  subjects: [subject(about)],
  settings: {
    encounterDaysAfter: 30,
    encounterOpenDays: 90,
    attestationHours: 168,
    breakGlassHours: 12,
    lifted: new Set(lifted),
  },
  grants: null,
})

const said = (decision: { outcome: string; reason?: string; basis?: string | null }): string =>
  [decision.outcome, decision.reason, decision.basis].filter((part) => part).join(' ')

describe('decideRow', () => {
  it.each<[string, Caller, Partial<DecidedRow>, string]>([
    ['a provider, a shared document of a domain of theirs', provider, {}, 'permit shared-domain encounter'],
    ['a provider, another domain', provider, { domain: 'imaging' }, 'deny domain-not-permitted'],
    [
      'a provider, an identity',
      provider,
      { type: 'Patient', domain: 'identity' },
      'permit shared-domain encounter',
    ],
    [
      'a provider, the directory',
      provider,
      { type: 'Location', domain: 'directory', sourceRecord: '' },
      'permit shared-domain',
    ],
    ['a provider, another facility’s local document', provider, { shared: false }, 'deny not-own-facility'],
    [
      'a provider, their own local document',
      provider,
      { shared: false, facility: 'hospital' },
      'permit own-facility encounter',
    ],
    [
      'a provider, their own local document of another domain',
      provider,
      { shared: false, facility: 'hospital', domain: 'imaging' },
      'deny domain-not-permitted',
    ],
    [
      'a provider, another facility’s published AuditEvent',
      provider,
      { type: 'AuditEvent' },
      'deny not-own-facility',
    ],
    [
      'a provider, another facility’s published Consent',
      provider,
      { type: 'Consent' },
      'deny not-own-facility',
    ],
    [
      'a provider, their own Consent',
      provider,
      { type: 'Consent', facility: 'hospital' },
      'permit own-facility encounter',
    ],
    [
      'a provider, a document about somebody not on the page',
      provider,
      { sourceRecord: 'other' },
      'deny relationship-required',
    ],
    ['a provider, a label above theirs', provider, { confidentiality: 'R' }, 'deny confidentiality'],
    [
      'a provider, that label at their own facility',
      provider,
      { confidentiality: 'R', facility: 'hospital' },
      'permit shared-domain encounter',
    ],
    ['a provider, an unknown label', provider, { confidentiality: 'secret' }, 'deny confidentiality'],
    ['a provider, no label, which is N', provider, { confidentiality: '' }, 'permit shared-domain encounter'],
    [
      'a provider whose role may read M only, no label',
      { ...provider, clearance: { own: 'M', elsewhere: 'M' } },
      { confidentiality: '' },
      'deny confidentiality',
    ],
    [
      'a facility system, its own document',
      system,
      { facility: 'hospital', domain: 'other', confidentiality: 'V' },
      'permit own-facility',
    ],
    ['a facility system, another’s shared document', system, {}, 'deny not-own-facility'],
    ...otherCallers
      .filter(({ kind }) => kind !== 'facility-system')
      .map((caller): [string, Caller, Partial<DecidedRow>, string] => [
        `${caller.kind}, any document`,
        caller,
        { facility: 'hospital' },
        'deny operation-not-for-caller',
      ]),
  ])('%s', (_, caller, changes, expected) => {
    expect(said(decideRow(caller, situation({}), row(changes)))).toBe(expected)
  })

  const refused = [rule({ kind: 'refusal-total' })]
  const before2026 = [rule({ kind: 'refusal-before', before: '2026-01-01T00:00:00.000Z' })]
  const older = { dateLo: '2025-12-31T23:59:59.999Z' }
  const unrelated = { relationships: [{ row: 1, kind: 'care-team', professional: 'other' } as const] }

  it.each<[string, Provider, Partial<Subject>, Partial<DecidedRow>, string]>([
    ['nobody’s patient', provider, { relationships: [] }, {}, 'deny relationship-required'],
    ['another professional’s patient', provider, unrelated, {}, 'deny relationship-required'],
    [
      'such a patient in an emergency',
      inEmergency,
      { ...unrelated, ...declared },
      {},
      'permit break-glass break-glass',
    ],
    ['one without the purpose', provider, { ...unrelated, ...declared }, {}, 'deny relationship-required'],
    [
      'such a patient in an emergency treatment',
      { ...provider, purpose: 'ETREAT' },
      { ...unrelated, ...declared },
      {},
      'permit break-glass break-glass',
    ],
    [
      'such a patient in one of several emergencies',
      inEmergency,
      {
        ...unrelated,
        breakGlass: [{ row: 2, id: 'b2', professional: 'other', reason: 'coma' }, ...declared.breakGlass],
      },
      {},
      'permit break-glass break-glass',
    ],
    [
      'one’s own patient',
      provider,
      { relationships: [{ row: 1, kind: 'attestation', professional: provider.professional }] },
      {},
      'permit shared-domain attestation',
    ],
    ['a total refusal', provider, { rules: refused }, {}, 'deny refused'],
    [
      'a total refusal, a document about nobody',
      provider,
      { rules: refused },
      { sourceRecord: '' },
      'permit shared-domain',
    ],
    ['a total refusal, in an emergency', inEmergency, { rules: refused, ...declared }, {}, 'deny refused'],
    [
      'a refusal before 2026, an older document',
      provider,
      { rules: before2026 },
      older,
      'deny refused-before',
    ],
    [
      'a refusal before 2026, one of that day',
      provider,
      { rules: before2026 },
      {},
      'permit shared-domain encounter',
    ],
    [
      'a refusal before 2026, an undated one first published later',
      provider,
      { rules: before2026 },
      { dateLo: '' },
      'permit shared-domain encounter',
    ],
    [
      'a refusal before 2026, an undated one first published earlier',
      provider,
      { rules: before2026 },
      { dateLo: '', firstPublished: '2025-01-01T00:00:00.000Z' },
      'deny refused-before',
    ],
    [
      'a refusal before 2026, an older identity',
      provider,
      { rules: before2026 },
      { ...older, domain: 'identity' },
      'permit shared-domain encounter',
    ],
    ['a restriction', provider, { rules: [rule({})] }, {}, 'deny restricted'],
    ['a restriction before a refusal', provider, { rules: [rule({}), ...refused] }, {}, 'deny refused'],
    [
      'a restriction, in an emergency',
      inEmergency,
      { rules: [rule({})], ...declared },
      {},
      'permit break-glass break-glass',
    ],
    [
      'a restriction of others, in an emergency',
      inEmergency,
      { rules: [rule({ actorKind: 'role', actor: 'nurse' })], ...declared },
      {},
      'permit shared-domain encounter',
    ],
    [
      'an emergency, a label above theirs',
      inEmergency,
      { rules: [rule({})], ...declared },
      { confidentiality: 'V' },
      'deny confidentiality',
    ],
  ])('%s', (_, caller, about, changes, expected) => {
    expect(said(decideRow(caller, situation(about), row(changes)))).toBe(expected)
  })
})

describe('a restriction', () => {
  const caller = { ...provider, professional: 'tremblay', role: 'physician' }
  const decide = (changes: Partial<ConsentRule>): string =>
    decideRow(caller, situation({ rules: [rule(changes)] }), row({})).outcome

  it.each([
    ['professional', 'tremblay'],
    ['role', 'physician'],
    ['facility', 'hospital'],
    ['organisation', 'network'],
  ] as const)('of a %s stands against that one only', (actorKind, actor) => {
    expect(decide({ actorKind, actor })).toBe('deny')
    for (const other of ['tremblay', 'physician', 'hospital', 'network', ''])
      if (other !== actor) expect(decide({ actorKind, actor: other })).toBe('permit')
  })

  it.each([
    ['domain', 'laboratory'],
    ['type', 'Observation'],
    ['document', 'Observation/d'],
  ] as const)('of a %s stands against that one only', (whatKind, what) => {
    expect(decide({ whatKind, what })).toBe('deny')
    for (const other of ['laboratory', 'Observation', 'Observation/d', 'd', ''])
      if (other !== what) expect(decide({ whatKind, what: other })).toBe('permit')
  })

  it('of somebody and something stands where both are met', () => {
    const ofBoth = { actorKind: 'role', actor: 'physician', whatKind: 'type', what: 'Observation' } as const
    expect(decide(ofBoth)).toBe('deny')
    expect(decide({ ...ofBoth, actor: 'nurse' })).toBe('permit')
    expect(decide({ ...ofBoth, what: 'Patient' })).toBe('permit')
  })
})

describe('labels', () => {
  const labels = ['U', 'L', 'M', 'N', 'R', 'V']
  it.each(labels)('up to %s are read by whose clearance it is', (clearance) => {
    const read = (own: string, elsewhere: string, facility: string): readonly string[] =>
      labels.filter(
        (confidentiality) =>
          decideRow(
            { ...provider, clearance: { own, elsewhere } },
            situation({}),
            row({ confidentiality, facility }),
          ).outcome === 'permit',
      )
    const expected = labels.slice(0, labels.indexOf(clearance) + 1)
    expect(read(clearance, 'U', 'hospital')).toEqual(expected)
    expect(read('U', clearance, 'clinic')).toEqual(expected)
  })
})

describe('the token’s scopes', () => {
  const inContext = [{ inContext: true, parameters: [] }]
  const ofStatus = [
    { inContext: false, parameters: [{ name: 'status', tokens: [{ system: null, code: 'final' }] }] },
  ] as const
  const decide = (grants: Situation['grants'], caller: Caller, changes: Partial<DecidedRow> = {}): string =>
    said(decideRow(caller, { ...situation({}), grants }, row({ facility: 'hospital', ...changes })))

  it('in a launch context allow what is about that person', () => {
    const about = (contextPerson: string | null) => ({ ...provider, contextPerson })
    expect(decide(inContext, about('p'))).toBe('permit shared-domain encounter')
    expect(decide(inContext, about('q'))).toBe('deny scope-insufficient')
    expect(decide(inContext, about(null))).toBe('deny scope-insufficient')
    expect(decide(inContext, about(null), { sourceRecord: '' })).toBe('deny scope-insufficient')
    expect(decide(inContext, about('p'), { sourceRecord: '' })).toBe('deny scope-insufficient')
    expect(decide(inContext, system)).toBe('deny scope-insufficient')
  })

  it('by a parameter allow what is known to meet it', () => {
    const codings = { ...noCodings, statuses: ['final'] }
    for (const caller of [provider, system]) {
      expect(decide(ofStatus, caller)).toBe('deny scope-insufficient')
      expect(decide(ofStatus, caller, { codings })).toMatch(/^permit/)
    }
    expect(noCodings).toEqual({ categories: [], codes: [], statuses: [] })
  })

  it('that grant nothing allow nothing', () => {
    expect(decide([], provider)).toBe('deny scope-insufficient')
    expect(decide([], system)).toBe('deny scope-insufficient')
  })
})

describe('decideSubject', () => {
  const { settings } = situation({}, ['relationship', 'refusal-total'])
  const none = { relationships: [] }
  const refused = { rules: [rule({ kind: 'refusal-total' })] }
  it.each<[string, Provider, Subject | null, string]>([
    ['nobody has this id', provider, null, 'deny relationship-required'],
    ['a relationship', provider, subject(), 'permit encounter'],
    ['none', provider, subject(none), 'deny relationship-required'],
    ['none, in an emergency', inEmergency, subject({ ...none, ...declared }), 'permit break-glass'],
    [
      'none, and another’s emergency',
      { ...inEmergency, professional: 'x' },
      subject({ ...none, ...declared }),
      'deny relationship-required',
    ],
    ['a refusal', provider, subject(refused), 'deny refused'],
    [
      'a refusal that an emergency lifts',
      inEmergency,
      subject({ ...refused, ...declared }),
      'permit break-glass',
    ],
    ['a restriction, which is for rows', provider, subject({ rules: [rule({})] }), 'permit encounter'],
  ])('%s', (_, caller, about, expected) => {
    expect(said(decideSubject(caller, about, settings))).toBe(expected)
  })
})

describe('openSubjects', () => {
  const ofNurses = rule({ actorKind: 'role', actor: 'nurse' })
  const ofPhysicians = rule({ actorKind: 'role', actor: 'physician', whatKind: 'type', what: 'Observation' })
  const before = rule({ kind: 'refusal-before', before: '2026' })
  const total = rule({ kind: 'refusal-total', actorKind: 'role', actor: 'nurse' })
  const all = [ofNurses, ofPhysicians, before, total]

  it('are those cared for, with the rules that stand against the caller', () => {
    const cared = subject({ rules: all, ...declared })
    const stranger = subject({ person: 'q', sourceRecords: ['t'], relationships: [], ...declared })
    const { settings } = situation({})
    expect(openSubjects(provider, { subjects: [cared, stranger], settings })).toEqual([
      { sourceRecords: ['s'], rules: [ofPhysicians, before, total] },
    ])
    expect(openSubjects(inEmergency, { subjects: [cared, stranger], settings })).toEqual([
      { sourceRecords: ['s'], rules: [before, total] },
      { sourceRecords: ['t'], rules: [] },
    ])
  })
})

describe('decideOperation', () => {
  it('permits the kinds of caller an operation is for, and nobody else', () => {
    const kinds: readonly CallerKind[] = ['provider', 'privacy-officer']
    expect(decideOperation(provider, kinds, null, null).ok).toBe(true)
    expect(decideOperation(officer, kinds, null, null).ok).toBe(true)
    expect(decideOperation(system, kinds, null, null)).toEqual({
      ok: false,
      error: { reason: 'forbidden', cause: 'operation-not-for-caller' },
    })
    expect(decideOperation(provider, [], null, null).ok).toBe(false)
  })

  it('permits what the token’s scopes allow', () => {
    const scopes = parseScopes(['user/Observation.r'])
    const need = { type: 'Observation', interaction: 'r' } as const
    expect(decideOperation(provider, ['provider'], scopes, need)).toEqual({ ok: true, value: undefined })
    expect(decideOperation(provider, ['provider'], scopes, { ...need, interaction: 's' })).toEqual({
      ok: false,
      error: { reason: 'forbidden', cause: 'scope-insufficient' },
    })
    expect(decideOperation(provider, ['provider'], scopes, null).ok).toBe(true)
    expect(decideOperation(provider, ['provider'], null, need).ok).toBe(true)
  })
})
