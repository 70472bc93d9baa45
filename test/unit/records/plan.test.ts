import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBundle } from '../../../src/fhir/bundle.ts'
import type { ValidationOptions } from '../../../src/fhir/validate.ts'
import { limits } from '../../../src/limits.ts'
import { serverId } from '../../../src/records/identity.ts'
import { type Plan, planPublication } from '../../../src/records/plan.ts'
import type { PlanContext } from '../../../src/records/plan-context.ts'
import { planned } from '../../../src/records/plan-entry.ts'

const idKey = new Uint8Array(32).fill(7)
const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*' }
const context: PlanContext = {
  facility: 'hopital',
  identitySystems: ['urn:accession'],
  idKey,
  rules: [
    { ...any, domain: 'other', shared: false },
    { ...any, shared: true },
  ],
  personSystems: ['urn:nam'],
  baseUrl: 'http://127.0.0.1/fhir/',
  validate: () => [],
}

interface Entry {
  readonly fullUrl?: string
  readonly resource: Record<string, unknown>
  readonly put?: string
}

function planOf(entries: readonly Entry[], type = 'transaction', using = context) {
  const bundle = readBundle({
    resourceType: 'Bundle',
    type,
    entry: entries.map(({ fullUrl, resource, put }) => ({
      fullUrl,
      resource,
      request: put
        ? { method: 'PUT', url: `${resource.resourceType}/${put}` }
        : { method: 'POST', url: resource.resourceType },
    })),
  })
  if (!bundle.ok) throw new Error(JSON.stringify(bundle.error))
  const direct = planned(bundle.value)
  if (!direct) throw new Error('names what is stored')
  return planPublication(direct, using)
}
function plan(entries: readonly Entry[], type?: string): Plan {
  const made = planOf(entries, type)
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return made.value
}
function issues(entries: readonly Entry[], type?: string) {
  const made = planOf(entries, type)
  if (made.ok) throw new Error('was accepted')
  return made.error.map(({ code, expression }) => [code, expression])
}
const id = (type: string, key: string): string => serverId(idKey, 'hopital', type, key)
const body = ({ type, id: own, tail }: Plan['documents'][number]) =>
  JSON.parse(`{"resourceType":"${type}","id":"${own}","meta":{"versionId":"1","lastUpdated":"-"${tail}`)
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const observation = (members: object = {}) => ({ resourceType: 'Observation', status: 'final', ...members })

describe('a planned document', () => {
  test('says what was published, but for id, meta and references', () => {
    const { documents } = plan([
      { fullUrl: `urn:uuid:${uuid(1)}`, resource: { resourceType: 'Patient', id: uuid(1) } },
      {
        resource: observation({
          id: 'lab-1',
          meta: { versionId: '9', lastUpdated: '2020-01-01T00:00:00Z', profile: ['http://p'] },
          subject: { reference: `urn:uuid:${uuid(1)}`, display: 'A' },
        }),
      },
    ])
    expect(body(documents[1] as Plan['documents'][number])).toEqual({
      resourceType: 'Observation',
      id: documents[1]?.id,
      meta: { versionId: '1', lastUpdated: '-', profile: ['http://p'] },
      status: 'final',
      subject: { reference: `Patient/${id('Patient', uuid(1))}`, display: 'A' },
    })
  })

  test('has the columns of its searches', () => {
    const coding = (code: string) => ({ system: 'http://loinc.org', code })
    const lab = 'http://terminology.hl7.org/CodeSystem/observation-category'
    const [document] = plan([
      {
        resource: observation({
          identifier: [{ system: 'urn:x', value: '1' }],
          meta: {
            security: [
              { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' },
              { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' },
            ],
          },
          category: [{ coding: [{ system: lab, code: 'laboratory' }] }, { coding: [{ code: 'x' }] }],
          code: { coding: [coding('4548-4'), coding('17856-6'), coding('17856-6')] },
          subject: { reference: 'Patient/p1' },
          effectiveDateTime: '2024-05',
        }),
      },
    ]).documents
    expect(document).toMatchObject({
      type: 'Observation',
      sourceRecord: id('Patient', 'p1'),
      domain: 'laboratory',
      category: `${lab}|laboratory`,
      code: 'http://loinc.org|4548-4',
      dateLo: '2024-05-01T00:00:00.000Z',
      dateHi: '2024-05-31T23:59:59.999Z',
      status: 'final',
      confidentiality: 'R',
      route: 'records',
      lookups: [
        ['identifier', 'urn:x|1'],
        ['category', '|x'],
        ['code', 'http://loinc.org|17856-6'],
      ],
    })
  })

  test('about nobody has no date, and is local when its domain is clinical', () => {
    const [document] = plan([{ resource: observation({ effectiveDateTime: '2024' }) }]).documents
    expect(document).toMatchObject({ sourceRecord: '', dateLo: '', dateHi: '', route: 'local' })
  })

  test('is never shared when it says who saw or who may see', () => {
    const consent = { resourceType: 'Consent', patient: { reference: 'Patient/p1' } }
    const audit = { resourceType: 'AuditEvent' }
    expect(plan([{ resource: consent }, { resource: audit }]).documents.map(({ route }) => route)).toEqual([
      'local',
      'local',
    ])
  })

  test('is about the person of a logical reference by an identity system of the facility', () => {
    const identifier = { system: 'urn:accession', value: '7' }
    const patient = { resourceType: 'Patient', identifier: [identifier] }
    const { documents } = plan([
      { resource: patient },
      { resource: observation({ subject: { identifier } }) },
    ])
    expect(documents[1]?.sourceRecord).toBe(documents[0]?.id)
  })

  test('about a group, a device or a contained patient is about nobody', () => {
    for (const reference of ['Group/1', 'Device/1', '#p', 'https://other.example/Patient/1'])
      expect(plan([{ resource: observation({ subject: { reference } }) }]).documents[0]?.sourceRecord).toBe(
        '',
      )
  })
})

describe('what is wrong', () => {
  const dangling = observation({ subject: { reference: 'urn:uuid:nobody' } })

  test('an unresolved urn is told with its place, beside every other issue', () => {
    const foo = observation({ performer: [{ reference: 'Foo' }] })
    expect(issues([{ resource: dangling }, { resource: foo }])).toEqual([
      ['not-found', 'Bundle.entry[0].resource.subject.reference'],
      ['value', 'Bundle.entry[1].resource.performer[0].reference'],
    ])
  })

  test('a dangling reference is none: its target may come later', () => {
    const { documents } = plan([{ resource: observation({ subject: { reference: 'Patient/later' } }) }])
    expect(documents[0]?.sourceRecord).toBe(id('Patient', 'later'))
    expect(plan([{ resource: { resourceType: 'Patient' }, put: 'later' }]).documents[0]?.id).toBe(
      id('Patient', 'later'),
    )
  })

  test('two persons', () => {
    const subject = [{ reference: 'Patient/a' }, { reference: 'Patient/b' }]
    expect(issues([{ resource: { resourceType: 'Account', status: 'active', subject } }])).toEqual([
      ['conflict', 'Bundle.entry[0].resource.subject[1]'],
    ])
    const same = [subject[0], subject[0]]
    expect(
      plan([{ resource: { resourceType: 'Account', status: 'active', subject: same } }]).documents,
    ).toHaveLength(1)
  })

  test('one key with two contents', () => {
    const one = { resource: observation(), put: 'x' }
    const other = { resource: observation({ status: 'amended' }), put: 'x' }
    expect(issues([one, other])).toEqual([['conflict', 'Bundle.entry[1]']])
    const { documents, outcomes } = plan([one, one])
    expect(documents).toHaveLength(1)
    expect(outcomes).toEqual([{ document: 0 }, { document: 0 }])
  })

  test('one fullUrl for two resources', () => {
    expect(
      issues([
        { fullUrl: 'urn:uuid:1', resource: observation(), put: 'x' },
        { fullUrl: 'urn:uuid:1', resource: observation(), put: 'y' },
      ]),
    ).toEqual([['duplicate', 'Bundle.entry[1].fullUrl']])
  })

  test('a resource that is too long', () => {
    const note = [{ text: 'é'.repeat(limits.maxResourceBytes / 2) }]
    expect(issues([{ resource: observation({ note }) }])).toEqual([['too-long', 'Bundle.entry[0].resource']])
  })

  test('is validated by itself, so many issues told of it and so many of all', () => {
    const asked: ValidationOptions[] = []
    const wrong = (options: ValidationOptions) => {
      asked.push(options)
      return Array(options.maxIssues).fill({
        code: 'value',
        expression: options.at,
        text: { fr: '', en: '' },
      })
    }
    const resource = { resourceType: 'Basic' }
    const many = Array(limits.maxIssues / limits.maxEntryIssues + 2).fill({ resource })
    const made = planOf(many, 'batch', { ...context, validate: (_, options) => wrong(options) })
    const found = made.ok
      ? made.value.outcomes.map((outcome) => ('issues' in outcome ? outcome.issues.length : 0))
      : []
    expect(found).toEqual([...Array(many.length - 2).fill(limits.maxEntryIssues), 1, 1])
    expect(asked.at(-1)).toMatchObject({ at: `Bundle.entry[${many.length - 1}].resource`, maxIssues: 1 })
  })

  test('may be referred to by another, whose target’s type is known to validation', () => {
    const types: (string | null)[] = []
    const resource = { resourceType: 'Basic', subject: { reference: 'urn:uuid:1' } }
    const target = { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient' } }
    planOf([{ resource }, target], 'transaction', {
      ...context,
      validate: (_, { typeOf }) => {
        types.push(typeOf('urn:uuid:1'), typeOf('urn:uuid:2'), typeOf('Patient/1'))
        return []
      },
    })
    expect(types.slice(0, 3)).toEqual(['Patient', null, null])
  })

  test('fails alone in a batch', () => {
    const { documents, outcomes } = plan(
      [
        { resource: observation(), put: 'x' },
        { resource: dangling },
        { resource: observation(), put: 'y' },
        { resource: observation({ status: 'amended' }), put: 'y' },
      ],
      'batch',
    )
    expect(documents).toHaveLength(1)
    expect(
      outcomes.map((outcome) =>
        'document' in outcome ? outcome.document : 'issues' in outcome && outcome.status,
      ),
    ).toEqual([0, 400, 409, 409])
  })
})

describe('a server id in a bundle', () => {
  const own = id('Patient', 'p1')

  test('is never derived again', () => {
    const { documents } = plan([
      { resource: { resourceType: 'Patient' }, put: own },
      { resource: observation({ subject: { reference: `Patient/${own}/_history/3` } }) },
    ])
    expect(documents.map((document) => [document.id === own, document.mustExist])).toEqual([
      [true, true],
      [false, false],
    ])
    expect(documents[1]?.sourceRecord).toBe(own)
  })

  test('of another type is a source key like any other', () => {
    const { documents } = plan([{ resource: observation(), put: own }])
    expect(documents[0]).toMatchObject({ id: id('Observation', own), mustExist: false })
  })
})

describe('resources known by their content', () => {
  const panel = (name: string, ...members: string[]): Entry => ({
    fullUrl: `urn:uuid:${name}`,
    resource: observation({
      code: { text: name.replace(/-.*/, '') },
      hasMember: members.map((member) => ({ reference: `urn:uuid:${member}` })),
    }),
  })
  const idsByName = (entries: readonly Entry[]): Record<string, string | undefined> => {
    const { outcomes, documents } = plan(entries)
    return Object.fromEntries(
      entries.map(({ fullUrl }, i) => {
        const outcome = outcomes[i]
        return [fullUrl, outcome && 'document' in outcome ? documents[outcome.document]?.id : undefined]
      }),
    )
  }

  test('have the same ids in whatever order they come, cycles included', () => {
    const entries = [
      panel('a', 'b', 'c'),
      panel('b', 'a'),
      panel('c', 'd'),
      panel('d'),
      panel('e', 'e'),
      panel('f-1', 'g-1'),
      panel('g-1', 'f-1', 'h'),
      panel('f-2', 'g-2'),
      panel('g-2', 'f-2', 'a'),
      panel('h'),
    ]
    const expected = idsByName(entries)
    expect(new Set(Object.values(expected)).size).toBe(entries.length)
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(idsByName(shuffled)).toEqual(expected)
      }),
    )
  })

  test('have the same ids whatever the bundle calls them', () => {
    const rename = (text: string): string => text.replaceAll('urn:uuid:', 'urn:uuid:other-')
    const entries = [panel('a', 'b'), panel('b', 'a', 'c'), panel('c')]
    const renamed = JSON.parse(rename(JSON.stringify(entries))) as Entry[]
    expect(Object.values(idsByName(renamed))).toEqual(Object.values(idsByName(entries)))
  })

  test('are others when what they refer to differs, in a cycle too', () => {
    const one = idsByName([panel('a', 'b'), panel('b', 'a')])
    const other = idsByName([panel('a', 'c'), panel('c', 'a')])
    expect(one['urn:uuid:a']).not.toBe(other['urn:uuid:a'])
  })

  test('that say the same count as one, in a cycle too', () => {
    const { documents } = plan([panel('a-1', 'a-2'), panel('a-2', 'a-1'), panel('d-1'), panel('d-2')])
    expect(documents).toHaveLength(2)
  })

  test('a cycle as long as a bundle is planned', () => {
    const entries = Array.from({ length: 1_000 }, (_, i) => panel(`p${i}`, `p${(i + 1) % 1_000}`))
    expect(plan(entries).documents).toHaveLength(1_000)
  })
})

test('the persons of a bundle are those its documents are about', () => {
  const patient = {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:nam', value: 'LEVJ80010112' }],
    name: [{ family: 'Lévesque-Côté' }, { family: 'Roy', use: 'old' }],
    birthDate: '1980-01-01',
  }
  const { sourceRecords } = plan([
    { resource: patient, put: 'p1' },
    { resource: observation({ subject: { reference: 'Patient/p1' } }) },
    { resource: observation({ subject: { reference: 'Patient/p2' } }) },
  ])
  expect(sourceRecords).toEqual([
    {
      id: id('Patient', 'p1'),
      person: id('Person', id('Patient', 'p1')),
      keys: [{ system: 'urn:nam', value: 'LEVJ80010112', birthDate: '1980-01-01', family: 'LEVESQUECOTE' }],
      isDerived: true,
      isComparable: true,
    },
    {
      id: id('Patient', 'p2'),
      person: id('Person', id('Patient', 'p2')),
      keys: null,
      isDerived: true,
      isComparable: false,
    },
  ])
})
