/** Searches of every kind on the real databases, by a client that nobody here wrote (fhir-kit-client). */
import { Client } from 'fhir-kit-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/local/cluster.ts'
import { encounter, locations, nam, type Resource, samplePatient, transaction, uuid } from './bundles.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { replicated, temporaryHome } from './support.ts'

interface Searchset {
  readonly total?: number
  readonly entry?: readonly {
    readonly resource: Resource
    readonly search: { readonly mode: string }
  }[]
  readonly link: readonly { readonly relation: string; readonly url: string }[]
}

const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const person = samplePatient(1)
const ref = (n: number) => ({ reference: `urn:uuid:${uuid(n)}` })
const coded = (system: string, ...codes: readonly string[]) => ({
  coding: codes.map((code) => ({ system, code })),
})
const subject = { subject: { reference: `urn:uuid:${person.uuid}` } }

const resources: readonly Resource[] = [
  {
    resourceType: 'Patient',
    id: person.uuid,
    identifier: [{ system: nam, value: person.nam }],
    name: [{ family: 'Lévesque-Côté', given: ['Marie', 'Ève'] }],
    gender: 'female',
    birthDate: person.birthDate,
    telecom: [{ system: 'phone', value: '514-555-0100' }],
    address: [{ line: ['1, rue Sherbrooke'], city: 'Montréal', postalCode: 'H2X 1X4', country: 'CA' }],
  },
  { resourceType: 'Organization', id: uuid(2), name: 'Hôtel-Dieu', active: true },
  { resourceType: 'Practitioner', id: uuid(3), name: [{ family: 'Bélanger', given: ['Luc'] }] },
  {
    resourceType: 'PractitionerRole',
    id: uuid(4),
    practitioner: ref(3),
    organization: ref(2),
    specialty: [coded('http://snomed.info/sct', '394579002')],
  },
  { ...encounter(person, { n: 1 }), id: uuid(5) },
  ...[4.9, 5.4, 5.6].map((value, i) => ({
    resourceType: 'Observation',
    id: uuid(10 + i),
    status: i === 2 ? 'preliminary' : 'final',
    category: [coded('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
    code: coded(loinc, '2823-3', 'local-k'),
    ...subject,
    encounter: ref(5),
    performer: [ref(3)],
    effectiveDateTime: `2024-0${i + 1}-15T08:30:00-05:00`,
    issued: `2024-0${i + 1}-16T00:00:00.250Z`,
    valueQuantity: { value, unit: 'mmol/L', system: ucum, code: 'mmol/L' },
  })),
  {
    resourceType: 'Observation',
    id: uuid(13),
    status: 'final',
    code: coded(loinc, '85354-9'),
    ...subject,
    effectivePeriod: { start: '2023-06-01' },
    component: [
      { code: coded(loinc, '8480-6'), valueQuantity: { value: 140, system: ucum, code: 'mm[Hg]' } },
      { code: coded(loinc, '8462-4'), valueQuantity: { value: 90, system: ucum, code: 'mm[Hg]' } },
    ],
  },
  {
    resourceType: 'Observation',
    id: uuid(14),
    status: 'entered-in-error',
    code: coded(loinc, '2823-3'),
    ...subject,
    effectiveDateTime: '2024-04-15',
  },
  {
    resourceType: 'Condition',
    id: uuid(20),
    clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
    code: coded('http://snomed.info/sct', '38341003'),
    ...subject,
    onsetDateTime: '2020-02',
    recordedDate: '2020-03-01',
  },
  { resourceType: 'Medication', id: uuid(30), code: coded('http://www.whocc.no/atc', 'C09AA05') },
  {
    resourceType: 'MedicationRequest',
    id: uuid(31),
    status: 'active',
    intent: 'order',
    medicationReference: ref(30),
    ...subject,
    authoredOn: '2024-05-01',
  },
  {
    resourceType: 'Provenance',
    id: uuid(40),
    target: [ref(10)],
    recorded: '2024-01-16T00:00:00Z',
    agent: [{ who: ref(3) }],
  },
]

describe('searching', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let client: Client
  let token = ''
  /** By the number of its UUID. */
  const at = new Map<number, string>()
  let patient = ''

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    token = await cluster.token('tremblay')
    const response = await fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await cluster.token('system-hopital-mont-royal')}`,
        'Content-Type': 'application/fhir+json',
      },
      body: JSON.stringify(transaction(...resources)),
    })
    expect(response.status).toBe(200)
    locations(await response.json()).forEach((location, i) => {
      at.set(Number(String(resources[i]?.id).slice(-12)), location)
    })
    patient = at.get(Number(person.uuid.slice(-12)))?.slice('Patient/'.length) ?? ''
    await replicated(cluster)
    client = new Client({ baseUrl: `${cluster.url}/fhir`, bearerToken: token })
  })
  afterAll(async () => {
    await cluster.stop()
    home.remove()
  })

  const search = async (address: string): Promise<Searchset> => {
    const [resourceType = '', query = ''] = address.replaceAll('PATIENT', patient).split('?')
    const searchParams: Record<string, string[]> = {}
    for (const [name, value] of new URLSearchParams(query)) {
      const reference = /^(@|[A-Za-z]+\/@)(\d+)$/.exec(value)
      const text = reference ? (at.get(Number(reference[2])) ?? value) : value
      searchParams[name] = [...(searchParams[name] ?? []), text]
    }
    return (await client.search({ resourceType, searchParams })) as unknown as Searchset
  }
  const numbersOf = ({ entry = [] }: Searchset, mode = 'match'): readonly number[] =>
    entry
      .filter((one) => one.search.mode === mode)
      .map(({ resource }) => {
        const location = `${resource.resourceType}/${resource.id}`
        return [...at].find(([, known]) => known === location)?.[0] ?? -1
      })

  test.each<[string, readonly number[]]>([
    ['Observation?patient=PATIENT', [12, 11, 10, 13]],
    ['Observation?patient=PATIENT&_sort=date', [13, 10, 11, 12]],
    ['Observation?patient=PATIENT&code=http://loinc.org|2823-3', [12, 11, 10]],
    ['Observation?patient=PATIENT&code=local-k', [12, 11, 10]],
    ['Observation?patient=PATIENT&code:not=local-k', [13]],
    // One that has no end goes on.
    ['Observation?patient=PATIENT&status=final&date=ge2024', [11, 10, 13]],
    ['Observation?patient=PATIENT&date=2024-02-15T13:30:00Z', [11]],
    ['Observation?patient=PATIENT&date=ap2023-12-31', [13]],
    ['Observation?patient=PATIENT&value-quantity=5.4', [11]],
    ['Observation?patient=PATIENT&value-quantity=5', [11, 10]],
    ['Observation?patient=PATIENT&value-quantity=gt5||mmol/L', [12, 11]],
    ['Observation?patient=PATIENT&value-quantity=ne5.4|http://unitsofmeasure.org|mmol/L', [12, 10]],
    ['Observation?patient=PATIENT&value-quantity=lt9|http://unitsofmeasure.org|mg', []],
    ['Observation?patient=PATIENT&combo-code-value-quantity=http://loinc.org|8480-6$gt120', [13]],
    ['Observation?patient=PATIENT&combo-code-value-quantity=http://loinc.org|8462-4$gt120', []],
    ['Observation?patient=PATIENT&component-code=8480-6', [13]],
    ['Observation?patient=PATIENT&encounter:missing=true', [13]],
    ['Observation?patient=PATIENT&performer=@3', [12, 11, 10]],
    ['Observation?encounter=@5', [12, 11, 10]],
    ['Observation?_id=@11', []],
    ['Observation?patient=PATIENT&performer:Practitioner.family=belanger', [12, 11, 10]],
    ['Observation?patient=PATIENT&performer:Practitioner.family=nobody', []],
    [
      'Observation?patient.identifier=https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id|ZEBU50010212&status=preliminary',
      [12],
    ],
    ['Observation?patient=PATIENT&_lastUpdated=gt2020&_sort=-value-quantity,_id', [12, 11, 10, 13]],
    ['Encounter?patient=PATIENT&_has:Observation:encounter:code=2823-3', [5]],
    ['Encounter?patient=PATIENT&_has:Observation:encounter:code=85354-9', []],
    ['Condition?patient=PATIENT&onset-date=2020&clinical-status=active', [20]],
    ['Condition?patient=PATIENT&onset-date=ge2020-03', []],
    ['Patient?family=LEVESQUE-C&gender=female', [10_000]],
    ['Patient?family:exact=Lévesque-Côté', [10_000]],
    ['Patient?family:exact=lévesque-côté', []],
    ['Patient?name:contains=eve&birthdate=1950-01-01&address-city=montreal&telecom=514-555-0100', [10_000]],
    ['Organization?name=hotel', [2]],
    ['PractitionerRole?practitioner=@3&specialty=394579002', [4]],
    ['PractitionerRole?practitioner.family=Bélanger', [4]],
    ['Practitioner?_has:PractitionerRole:practitioner:specialty=394579002', [3]],
    ['Medication?code=http://www.whocc.no/atc|C09AA05', [30]],
  ])('%s', async (address, expected) => {
    expect(numbersOf(await search(address))).toEqual(expected)
  })

  test('an id, by `_id`', async () => {
    const id = at.get(11)?.slice('Observation/'.length)
    expect(numbersOf(await search(`Observation?_id=${id},nobody`))).toEqual([11])
  })

  test('what is referred to, and what refers, comes along', async () => {
    const included = await search('MedicationRequest?patient=PATIENT&_include=MedicationRequest:medication')
    expect(numbersOf(included)).toEqual([31])
    expect(numbersOf(included, 'include')).toEqual([30])
    const encounters = await search(
      'Encounter?patient=PATIENT&_revinclude=Observation:encounter&_include=Encounter:subject',
    )
    expect([...numbersOf(encounters, 'include')].sort((a, b) => a - b)).toEqual([10, 11, 12, 10_000])
  })

  test('pages follow each other to the end, and a total counts them', async () => {
    let page = await search('Observation?patient=PATIENT&_count=1&_total=accurate&_sort=status,-date')
    const found: number[] = []
    for (;;) {
      expect(page.total).toBe(4)
      found.push(...numbersOf(page))
      if (!page.link.some(({ relation }) => relation === 'next')) break
      page = (await client.nextPage({ bundle: page as never })) as unknown as Searchset
    }
    expect(found).toEqual([11, 10, 13, 12])
    expect(await search('Observation?patient=PATIENT&_summary=count')).toMatchObject({ total: 4 })
  })

  test('a part of a resource is marked as one', async () => {
    const [first] = (await search('Observation?patient=PATIENT&_elements=valueQuantity&_count=1')).entry ?? []
    expect(Object.keys(first?.resource ?? {}).sort()).toEqual([
      'code',
      'id',
      'meta',
      'resourceType',
      'status',
      'valueQuantity',
    ])
    expect(first?.resource.meta).toMatchObject({ tag: [{ code: 'SUBSETTED' }] })
  })

  test('by POST the body asks, the log has what it asked, and pages go on by GET', async () => {
    const response = await fetch(`${cluster.url}/fhir/Observation/_search?_count=2`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ patient, code: `${loinc}|2823-3` }),
    })
    const bundle = (await response.json()) as Searchset
    expect(numbersOf(bundle)).toEqual([12, 11])
    const next = bundle.link.find(({ relation }) => relation === 'next')?.url ?? ''
    const rest = await fetch(next, { headers: { Authorization: `Bearer ${token}` } })
    expect(numbersOf((await rest.json()) as Searchset)).toEqual([10])
    const receipt = parseReceipt(response.headers.get('dossier-receipt'))
    const ledger = await ledgerOf(cluster.databases.audit, [receipt])
    const [entry] = entriesOf(receipt, ledger.get(receipt.log) ?? [])
    expect(entry?.text).toContain(`/fhir/Observation/_search?_count=2&patient=${patient}`)
  })

  test('a lenient client is told what was not heeded; any other is refused', async () => {
    const ask = (prefer: string) =>
      fetch(`${cluster.url}/fhir/Observation?patient=${patient}&colour=red`, {
        headers: { Authorization: `Bearer ${token}`, Prefer: prefer },
      })
    const lenient = (await (await ask('handling=lenient')).json()) as Searchset
    expect(lenient.entry?.[0]?.search.mode).toBe('outcome')
    expect(JSON.stringify(lenient.entry?.[0])).toContain('colour')
    expect((await ask('handling=strict')).status).toBe(400)
  })
})
