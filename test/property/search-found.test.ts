/** What the comparison with the oracle has brought to light, each held on its own, with a few resources and no other data. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, insertCare, startCluster } from './cluster.ts'
import { callers, registry } from './search-callers.ts'
import { openSharing, publish } from './search-world.ts'

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const urn = (n: number) => ({ reference: `urn:uuid:${uuid(n)}` })
const coded = (system: string, code: string) => ({ coding: [{ system, code }] })
const about = { subject: urn(1) }
const snomed = 'http://snomed.info/sct'
const verification = 'http://terminology.hl7.org/CodeSystem/condition-ver-status'
const category = [coded('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')]
const measured = (n: number, value: number) => ({
  resourceType: 'Observation',
  id: uuid(n),
  status: 'final',
  category,
  code: coded('http://loinc.org', '2823-3'),
  ...about,
  encounter: urn(3),
  effectiveDateTime: '2024-01-01',
  valueQuantity: { value },
})

const resources = [
  {
    resourceType: 'Patient',
    id: uuid(1),
    identifier: [{ system: 'urn:health-number', value: 'ROYL' }],
    name: [{ family: 'Roy' }],
    birthDate: '1950-01-01',
  },
  { resourceType: 'Practitioner', id: uuid(2), name: [{ family: 'Bélanger' }] },
  {
    resourceType: 'Encounter',
    id: uuid(3),
    status: 'finished',
    class: { code: 'AMB' },
    ...about,
    participant: [{ individual: urn(2) }],
    period: { start: '2020-01-01', end: '2020-01-02' },
  },
  {
    resourceType: 'Encounter',
    id: uuid(4),
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] },
    status: 'finished',
    class: { code: 'AMB' },
    ...about,
    period: { start: '2020-01-01', end: '2020-01-02' },
  },
  measured(5, 5.35),
  measured(6, 3.9651787027030636),
  {
    resourceType: 'MedicationRequest',
    id: uuid(7),
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: coded(snomed, '1'),
    ...about,
    encounter: urn(4),
  },
  {
    resourceType: 'Condition',
    id: uuid(8),
    verificationStatus: coded(verification, 'entered-in-error'),
    code: coded(snomed, '2'),
    ...about,
    encounter: urn(3),
  },
  {
    resourceType: 'Procedure',
    id: uuid(9),
    status: 'completed',
    code: coded(snomed, '3'),
    ...about,
    reasonReference: [urn(8)],
  },
]

let cluster: Cluster
/** `Type/id` on the server, by number. */
let references: readonly string[]
const referenceOf = (n: number): string => references[n - 1] ?? ''

beforeAll(async () => {
  cluster = startCluster(registry)
  openSharing(cluster)
  const entry = resources.map((resource) => ({
    fullUrl: `urn:uuid:${resource.id}`,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }))
  references = await publish(cluster, 'hospital', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  })
  const source = referenceOf(1).replace('Patient/', '')
  const held = {
    kind: 'attestation',
    source,
    professional: '',
    starts: 0,
    ends: 4e12,
    isEnded: false,
  } as const
  insertCare(cluster.records, [
    { ...held, facility: 'hospital' },
    { ...held, facility: 'pharmacy' },
  ])
})
afterAll(() => cluster.close())

/** What a search about the patient finds and includes; or its status. */
async function search(query: string, caller = 'physician'): Promise<number | readonly string[]> {
  const asked = callers[caller]
  if (!asked) throw new Error(caller)
  const about = query.includes('encounter=') ? '' : `&patient=${referenceOf(1)}`
  const { response } = await cluster.send(asked, `/fhir/${query}${about}`)
  const body = (await response.json()) as {
    readonly entry?: readonly { readonly resource: { readonly resourceType: string; readonly id: string } }[]
  }
  if (response.status !== 200) return response.status
  return (body.entry ?? []).map(({ resource }) => `${resource.resourceType}/${resource.id}`)
}

async function total(query: string): Promise<number | undefined> {
  const { physician } = callers
  if (!physician) throw new Error('nobody asks')
  const { response } = await cluster.send(physician, `/fhir/${query}`)
  return ((await response.json()) as { readonly total?: number }).total
}

test('a number is found by what rounds to it, and by itself however many digits it has', async () => {
  expect(await search('Observation?value-quantity=5.4')).toEqual([referenceOf(5)])
  expect(await search('Observation?value-quantity=ne5.4')).toEqual([referenceOf(6)])
  expect(await search('Observation?value-quantity=3.9651787027030636')).toEqual([referenceOf(6)])
})

test('what an element that is absent says is not what was asked for: :not finds it', async () => {
  expect(await search('MedicationRequest?priority:not=urgent')).toEqual([referenceOf(7)])
  expect(await search('MedicationRequest?priority=urgent')).toEqual([])
})

test('a condition entered in error is neither found nor included', async () => {
  expect(await search('Condition?code=2')).toEqual([])
  expect(await search('Procedure?_include=Procedure:reason-reference')).toEqual([referenceOf(9)])
  expect(await search('Procedure?reason-reference:Condition.code=2')).toEqual([])
})

test('a token narrowed to a category finds what is of it', async () => {
  expect(await search('Observation?value-quantity=5.4', 'narrowed')).toEqual([referenceOf(5)])
})

test('a chain leads to resources about nobody', async () => {
  expect(await search('Encounter?participant:Practitioner.family=belanger')).toEqual([referenceOf(3)])
})

test('an encounter that may not be read looks like one that there is not', async () => {
  const id = referenceOf(4)
  expect(await search(`MedicationRequest?encounter=${id}`)).toEqual([referenceOf(7)])
  expect(await search(`MedicationRequest?encounter=${id}`, 'pharmacist')).toBe(403)
  expect(await search('MedicationRequest?encounter=Encounter/unknown', 'pharmacist')).toBe(403)
})

test('a count by id counts what is not shared, too', async () => {
  const count = await total(`Procedure?_id=${referenceOf(9).replace('Procedure/', '')}&_summary=count`)
  expect(count).toBe(1)
})

test('somebody whose Patient the caller reads counts once, however they are counted', async () => {
  for (const how of ['_summary=count', '_count=0', '_total=accurate']) {
    const count = await total(`Patient?identifier=urn:health-number|ROYL&birthdate=1950-01-01&${how}`)
    expect([how, count]).toEqual([how, 1])
  }
})
