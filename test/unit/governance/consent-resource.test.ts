import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConsent } from '../../../src/governance/consent-reading.ts'
import {
  type ConsentContent,
  type ConsentVersion,
  consentResource,
  contentBody,
} from '../../../src/governance/consent-resource.ts'
import { rulesOf, type Scope } from '../../../src/governance/consent-scope.ts'
import { limits } from '../../../src/limits.ts'
import { ip, restriction, totalRefusal } from './consents.ts'

const versionOf = (content: ConsentContent): ConsentVersion => ({
  id: 'c1',
  version: 3,
  status: content.status,
  body: JSON.stringify(contentBody(content)),
  recordedAt: '2026-11-22T17:00:00.000Z',
  recordedBy: 'person-a',
  capacity: 'patient',
  means: content.means ?? 'online',
  system: 'portal',
})

const wrongAt = (resource: unknown): readonly (string | undefined)[] => {
  const read = readConsent(resource)
  return read.ok ? [] : read.error.map(({ expression }) => expression)
}
const scopeOf = (resource: unknown): Scope | null => {
  const read = readConsent(resource)
  return read.ok ? read.value.scope : null
}
const within = (provision: unknown) => ({ ...totalRefusal, provision })
const denying = (denial: Record<string, unknown>) =>
  within({ type: 'permit', provision: [{ type: 'deny', ...denial }] })

describe('register → FHIR → register', () => {
  const id = fc.stringMatching(/^[a-z0-9]{1,26}$/)
  const actor = fc.record({
    kind: fc.constantFrom('professional', 'role', 'facility', 'organisation'),
    id: fc.string({ minLength: 1, maxLength: 30 }),
  })
  const ofKind = (kind: string, ids: fc.Arbitrary<string>) =>
    fc.array(
      ids.map((text) => ({ kind, id: text })),
      { maxLength: 4 },
    )
  const what = fc.oneof(
    ofKind(
      'domain',
      fc.constantFrom('medication', 'laboratory', 'imaging', 'immunization', 'allergy', 'other'),
    ),
    ofKind('type', fc.constantFrom('Observation', 'Composition', 'MedicationRequest')),
    ofKind(
      'document',
      id.map((text) => `Observation/${text}`),
    ),
  )
  const scope = fc.oneof(
    fc.constant({ kind: 'refusal-total' }),
    fc
      .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => ({ kind: 'refusal-before', day: date.toISOString().slice(0, 10) })),
    fc.record({
      kind: fc.constant('restriction'),
      restrictions: fc.array(fc.record({ actors: fc.array(actor, { maxLength: 4 }), what }), {
        minLength: 1,
        maxLength: 5,
      }),
    }),
  ) as fc.Arbitrary<Scope>
  const content: fc.Arbitrary<ConsentContent> = fc.record({
    status: fc.constantFrom('active', 'inactive'),
    patient: id,
    performer: fc.option(id),
    dateTime: fc.option(fc.constantFrom('2026', '2026-11-22', '2026-11-22T10:00:00-05:00')),
    means: fc.option(fc.constantFrom('in-person', 'telephone', 'writing', 'online')),
    scope,
  })

  test('is the identity, also for the resource as it is served', () => {
    fc.assert(
      fc.property(content, (written) => {
        expect(readConsent(contentBody(written))).toEqual({ ok: true, value: written })
        const served = JSON.parse(JSON.stringify(consentResource(versionOf(written))))
        expect(readConsent(served)).toEqual({ ok: true, value: written })
      }),
      { numRuns: 300 },
    )
  })

  test('serves id, version, and who recorded it in which capacity through what', () => {
    const read = readConsent(totalRefusal)
    if (!read.ok) throw new Error(JSON.stringify(read.error))
    expect(consentResource(versionOf({ ...read.value, means: 'writing' }))).toEqual({
      ...totalRefusal,
      id: 'c1',
      meta: { versionId: '3', lastUpdated: '2026-11-22T17:00:00.000Z' },
      extension: [
        { url: `${ip}/StructureDefinition/consent-means`, valueCode: 'writing' },
        {
          url: `${ip}/StructureDefinition/consent-recorder`,
          extension: [
            { url: 'capacity', valueCode: 'patient' },
            { url: 'who', valueString: 'person-a' },
            { url: 'system', valueString: 'portal' },
            { url: 'recorded', valueInstant: '2026-11-22T17:00:00.000Z' },
          ],
        },
      ],
    })
  })
})

describe('what a consent means', () => {
  test('deny with nothing else refuses everything', () => {
    expect(scopeOf(totalRefusal)).toEqual({ kind: 'refusal-total' })
  })

  test('deny up to a day refuses what is older than the start of that day', () => {
    const scope = scopeOf(within({ type: 'deny', dataPeriod: { end: '2024-02-29' } }))
    expect(scope).toEqual({ kind: 'refusal-before', day: '2024-02-29' })
    expect(scope && rulesOf(scope)).toEqual([
      expect.objectContaining({ kind: 'refusal-before', before: '2024-03-01T00:00:00.000Z' }),
    ])
  })

  test('each actor is denied each thing, and whoever is not named is any', () => {
    const scope = scopeOf(restriction)
    expect(
      scope &&
        rulesOf(scope).map(({ actorKind, actor, whatKind, what }) => [actorKind, actor, whatKind, what]),
    ).toEqual([
      ['professional', 'dr-roy', 'domain', 'medication'],
      ['professional', 'dr-roy', 'domain', 'laboratory'],
      ['role', 'nurse', 'domain', 'medication'],
      ['role', 'nurse', 'domain', 'laboratory'],
      ['any', '', 'document', 'Observation/x1'],
    ])
  })

  test('an exception without anything named keeps everything from everybody', () => {
    const scope = scopeOf(denying({}))
    expect(scope && rulesOf(scope)).toEqual([
      { kind: 'restriction', before: '', actorKind: 'any', actor: '', whatKind: 'any', what: '' },
    ])
  })
})

describe('what is not understood is refused with its place', () => {
  const coding = (system: string, code: string) => ({ coding: [{ system, code }] })
  const role = coding('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP')
  const reference = { identifier: { system: `${ip}/professional`, value: 'dr-roy' } }
  const domain = coding(`${ip}/CodeSystem/domain`, 'imaging')
  const nested = 'Consent.provision.provision[0]'
  const actor = `${nested}.actor[0]`

  test.each<[string, unknown, readonly string[]]>([
    ['another resource', { resourceType: 'Patient' }, ['Consent.resourceType']],
    ['no object', 'Consent', ['Consent.resourceType']],
    [
      'nothing said',
      { resourceType: 'Consent' },
      [
        'Consent.status',
        'Consent.scope',
        'Consent.category',
        'Consent.patient',
        'Consent.policyRule',
        'Consent.provision',
      ],
    ],
    ['a modifier extension', { ...totalRefusal, modifierExtension: [] }, ['Consent.modifierExtension']],
    ['an extension of a primitive', { ...totalRefusal, _status: {} }, ['Consent._status']],
    ['an unknown extension', { ...totalRefusal, extension: [{ url: 'x' }] }, ['Consent.extension[0]']],
    [
      'unknown means',
      { ...totalRefusal, extension: [{ url: `${ip}/StructureDefinition/consent-means`, valueCode: 'fax' }] },
      ['Consent.extension[0].valueCode'],
    ],
    ['a draft', { ...totalRefusal, status: 'draft' }, ['Consent.status']],
    [
      'another scope',
      { ...totalRefusal, scope: coding('http://terminology.hl7.org/CodeSystem/consentscope', 'research') },
      ['Consent.scope'],
    ],
    [
      'a second code',
      {
        ...totalRefusal,
        policyRule: { coding: [...totalRefusal.policyRule.coding, { system: 's', code: 'c' }] },
      },
      ['Consent.policyRule.coding'],
    ],
    [
      'an opt-in',
      { ...totalRefusal, policyRule: coding('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN') },
      ['Consent.policyRule'],
    ],
    ['no category', { ...totalRefusal, category: [] }, ['Consent.category']],
    [
      'a patient by URL',
      { ...totalRefusal, patient: { reference: 'https://x/Patient/a' } },
      ['Consent.patient.reference'],
    ],
    ['a date that is none', { ...totalRefusal, dateTime: '2026-02-30' }, ['Consent.dateTime']],
    [
      'two performers',
      { ...totalRefusal, performer: [{ reference: 'Patient/a' }, { reference: 'Patient/b' }] },
      ['Consent.performer[1]'],
    ],
    [
      'a narrative of one’s own',
      { ...totalRefusal, text: { status: 'additional', div: '' } },
      ['Consent.text'],
    ],
    ['a source', { ...totalRefusal, sourceAttachment: {} }, ['Consent.sourceAttachment']],
    ['security labels', { ...totalRefusal, meta: { security: [] } }, ['Consent.meta.security']],
    ['a refusal for a purpose', within({ type: 'deny', purpose: [] }), ['Consent.provision.purpose']],
    [
      'a refusal for a period',
      within({ type: 'deny', period: { end: '2027' } }),
      ['Consent.provision.period'],
    ],
    [
      'a refusal with exceptions',
      within({ type: 'deny', provision: [{ type: 'permit' }] }),
      ['Consent.provision.provision'],
    ],
    [
      'a refusal before a month',
      within({ type: 'deny', dataPeriod: { end: '2024-02' } }),
      ['Consent.provision.dataPeriod.end'],
    ],
    [
      'a refusal before no day',
      within({ type: 'deny', dataPeriod: { end: '2023-02-29' } }),
      ['Consent.provision.dataPeriod.end'],
    ],
    [
      'a refusal of a period',
      within({ type: 'deny', dataPeriod: { start: '2024-01-01', end: '2024-02-01' } }),
      ['Consent.provision.dataPeriod.start'],
    ],
    ['a permit alone', within({ type: 'permit' }), ['Consent.provision.provision']],
    ['a permit of nothing', within({ type: 'permit', provision: [] }), ['Consent.provision.provision']],
    [
      'a permit of actors',
      within({ type: 'permit', actor: [], provision: [{ type: 'deny' }] }),
      ['Consent.provision.actor'],
    ],
    ['a nested permit', within({ type: 'permit', provision: [{ type: 'permit' }] }), [`${nested}.type`]],
    ['a third level', denying({ provision: [] }), [`${nested}.provision`]],
    ['a security label', denying({ securityLabel: [] }), [`${nested}.securityLabel`]],
    [
      'class and code',
      denying({
        class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
        code: [domain],
      }),
      [`${nested}.code`],
    ],
    ['an empty list of actors', denying({ actor: [] }), [`${nested}.actor`]],
    ['an empty list of things', denying({ code: [] }), [`${nested}.code`]],
    ['an actor without a role', denying({ actor: [{ reference }] }), [`${actor}.role`]],
    [
      'an author',
      denying({
        actor: [
          { role: coding('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'AUT'), reference },
        ],
      }),
      [`${actor}.role`],
    ],
    [
      'an actor by reference',
      denying({ actor: [{ role, reference: { reference: 'Practitioner/1' } }] }),
      [`${actor}.reference.reference`, `${actor}.reference.identifier`],
    ],
    [
      'an actor of an unknown system',
      denying({ actor: [{ role, reference: { identifier: { system: 's', value: 'v' } } }] }),
      [`${actor}.reference.identifier`],
    ],
    [
      'a role of one person',
      denying({ actor: [{ role: coding(`${ip}/CodeSystem/role`, 'nurse'), reference }] }),
      [`${actor}.reference.identifier`],
    ],
    [
      'an unknown domain',
      denying({ code: [coding(`${ip}/CodeSystem/domain`, 'identity')] }),
      [`${nested}.code[0]`],
    ],
    [
      'a code of documents',
      denying({ code: [coding('http://loinc.org', '34133-9')] }),
      [`${nested}.code[0]`],
    ],
    [
      'a type about nobody',
      denying({ class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Organization' }] }),
      [`${nested}.class[0]`],
    ],
    [
      'related documents',
      denying({ data: [{ meaning: 'related', reference: { reference: 'Observation/1' } }] }),
      [`${nested}.data[0].meaning`],
    ],
    [
      'a version of a document',
      denying({ data: [{ meaning: 'instance', reference: { reference: 'Observation/1/_history/2' } }] }),
      [`${nested}.data[0].reference.reference`],
    ],
  ])('%s', (_, resource, expected) => {
    expect(wrongAt(resource)).toEqual(expected)
  })

  test('more rules than one refusal may have', () => {
    const actors = Array.from({ length: limits.maxConsentRules / 4 + 1 }, (_, i) => ({
      role,
      reference: { identifier: { system: `${ip}/professional`, value: `p${i}` } },
    }))
    const code = ['medication', 'imaging', 'laboratory', 'allergy'].map((name) =>
      coding(`${ip}/CodeSystem/domain`, name),
    )
    expect(wrongAt(denying({ actor: actors, code }))).toEqual(['Consent.provision'])
    expect(wrongAt(denying({ actor: actors.slice(1), code }))).toEqual([])
  })

  test('every issue says what is wrong in both languages', () => {
    const read = readConsent({ resourceType: 'Consent', x: 1, status: 'draft', provision: { type: 'maybe' } })
    if (read.ok) throw new Error('accepted')
    for (const { text, expression } of read.error) {
      expect(text.fr).toContain(expression)
      expect(text.en).toContain(expression)
      expect(text.fr).not.toBe(text.en)
    }
  })
})

const examples = `${import.meta.dirname}/../../../../shared/data/hl7-r4-examples`

describe.skipIf(!existsSync(examples))('HL7’s examples', () => {
  test.each([
    [
      'Emergency',
      [
        'Consent.organization',
        'Consent.sourceAttachment',
        'Consent.category[0]',
        'Consent.provision.type',
        'Consent.provision.actor',
        'Consent.provision.purpose',
        'Consent.provision.provision',
      ],
    ],
    [
      'basic',
      [
        'Consent.organization',
        'Consent.sourceAttachment',
        'Consent.policyRule',
        'Consent.provision.type',
        'Consent.provision.period',
      ],
    ],
    [
      'notAuthor',
      [
        'Consent.organization',
        'Consent.sourceAttachment',
        'Consent.policyRule',
        'Consent.provision.type',
        'Consent.provision.actor',
      ],
    ],
    [
      'notThem',
      [
        'Consent.organization',
        'Consent.sourceAttachment',
        'Consent.policyRule',
        'Consent.provision.type',
        'Consent.provision.actor',
        'Consent.provision.action',
      ],
    ],
    [
      'notTime',
      [
        'Consent.organization',
        'Consent.sourceAttachment',
        'Consent.policyRule',
        'Consent.provision.type',
        'Consent.provision.period',
      ],
    ],
    [
      'signature',
      [
        'Consent.identifier',
        'Consent.organization',
        'Consent.category[0]',
        'Consent.policyRule',
        'Consent.provision.type',
        'Consent.provision.period',
        'Consent.provision.actor',
        'Consent.provision.provision',
      ],
    ],
  ])('%s says what this register does not do, and is told where', (name, expected) => {
    const text = readFileSync(`${examples}/Consent-consent-example-${name}.json`, 'utf8')
    expect(wrongAt(JSON.parse(text))).toEqual(expected)
  })
})
