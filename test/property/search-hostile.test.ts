/** What a hostile client has made of searches, each held on its own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Cluster, insertCare, startCluster } from './cluster.ts'
import { callers, registry } from './search-callers.ts'
import { openSharing, publish } from './search-world.ts'

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const coded = (system: string, code: string) => ({ coding: [{ system, code }] })
const crowd = limits.maxAccessPatients + 1

interface Searchset {
  readonly total?: number
  readonly link: readonly { readonly relation: string; readonly url: string }[]
  readonly entry?: readonly {
    readonly resource: { readonly resourceType: string; readonly id: string }
    readonly search: { readonly mode: string }
  }[]
}

let cluster: Cluster
/** Of the one patient: `Patient/id`. */
let patient: string

const subject = { reference: `urn:uuid:${uuid(1)}` }
const observation = (n: number, members: object = {}) => ({
  resourceType: 'Observation',
  id: uuid(n),
  status: 'final',
  category: [coded('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
  code: coded('http://loinc.org', '2823-3'),
  subject,
  ...members,
})

function transaction(resources: readonly { readonly resourceType: string; readonly id: string }[]) {
  const entry = resources.map((resource) => ({
    fullUrl: `urn:uuid:${resource.id}`,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }))
  return { resourceType: 'Bundle', type: 'transaction', entry } as const
}

async function ask(path: string, caller = 'physician', init?: RequestInit) {
  const asked = callers[caller]
  if (!asked) throw new Error(caller)
  const { response, cost } = await cluster.send(asked, `/fhir/${path}`, init)
  return { response, cost, bundle: (await response.json()) as Searchset }
}

const linkOf = ({ link }: Searchset, wanted: string): string =>
  link.find(({ relation }) => relation === wanted)?.url ?? ''

beforeAll(async () => {
  cluster = startCluster(registry)
  openSharing(cluster)
  const person = {
    resourceType: 'Patient',
    id: uuid(1),
    name: [{ family: 'Roy' }],
    birthDate: '1950-01-01',
  }
  const [first = ''] = await publish(
    cluster,
    'hospital',
    transaction([person, observation(2), observation(3)]),
  )
  patient = first
  insertCare(cluster.records, [
    {
      kind: 'attestation',
      source: patient.replace('Patient/', ''),
      facility: 'hospital',
      professional: '',
      starts: 0,
      ends: 4e12,
      isEnded: false,
    },
  ])
  const many = Array.from({ length: crowd }, (_, i) => ({
    resourceType: 'Patient',
    id: uuid(5_000 + i),
    name: [{ family: 'Foule' }],
  }))
  for (const part of [many.slice(0, 60), many.slice(60)])
    await publish(cluster, 'hospital', transaction(part))
})
afterAll(() => cluster.close())

test.each(['9007199254740993', '-9007199254740993', '1e400', '12345678901234567890123'])(
  'a result of %s does not keep others from being sorted by their values',
  async (value) => {
    const [kind, code] = ['Observation', `sorted${value}`]
    const coding = { code: coded('http://loinc.org', code), subject: { reference: patient } }
    const sent = transaction([
      observation(9_001, { ...coding, valueQuantity: { value: 12_321 } }),
      observation(9_002, { ...coding, valueQuantity: { value: 5 } }),
    ])
    const { response } = await cluster.send(callers['hospital system'] as never, '/fhir', {
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(sent).replace('12321', value),
    })
    expect(response.status).toBe(200)
    const { bundle } = await ask(`${kind}?patient=${patient}&code=${code}&_sort=value-quantity&_count=1`)
    const next = new URL(linkOf(bundle, 'next'))
    const rest = await ask(`${next.pathname.slice('/fhir/'.length)}${next.search}`)
    expect([bundle.entry?.length, rest.bundle.entry?.length]).toEqual([1, 1])
    expect(rest.bundle.entry?.[0]?.resource.id).not.toBe(bundle.entry?.[0]?.resource.id)
  },
)

test('a count of more people than one access may name is refused, and audited', async () => {
  const { response, cost } = await ask('Patient?family=foule&_summary=count', 'hospital system')
  expect(response.status).toBe(422)
  expect(response.headers.get('dossier-receipt')).not.toBeNull()
  expect(cost.appends).toHaveLength(1)
})

test('the link to itself is the search that was answered: with its body, without what was passed over', async () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const posted = await ask('Observation/_search?_count=1', 'physician', {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ patient, code: 'http://loinc.org|2823-3' }),
  })
  const self = new URL(linkOf(posted.bundle, 'self'))
  expect([self.pathname, Object.fromEntries(self.searchParams)]).toEqual([
    '/fhir/Observation',
    { _count: '1', patient, code: 'http://loinc.org|2823-3' },
  ])
  const lenient = await ask(`Observation?patient=${patient}&colour=red&_count=1`, 'physician', {
    headers: { Prefer: 'handling=lenient' },
  })
  expect(Object.fromEntries(new URL(linkOf(lenient.bundle, 'self')).searchParams)).toEqual({
    patient,
    _count: '1',
  })
})

test('a form of millions of parameters is refused before it is taken apart, and its entry has a digest of it', async () => {
  const { response, cost } = await ask('Observation/_search', 'physician', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: `patient=${patient}&${'a&'.repeat(limits.maxSearchFormBytes / 2)}`,
  })
  expect(response.status).toBe(413)
  const [entry] = cost.appends.flat()
  expect(entry?.query.text.length).toBeLessThan(limits.maxSearchFormBytes)
  expect(entry?.query.text).toContain(`/fhir/Observation/_search?patient=${patient}&a&a`)
})
