/**
 * A facility cannot widen its own access by anything it publishes but an encounter: for every resource type, published as
 * hostile as can be about a person known through another facility only.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { elementsOf } from '../../src/fhir/elements.ts'
import { isSearched, searchParametersOf } from '../../src/fhir/search-parameters.ts'
import { resourceTypes } from '../../src/fhir/types.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { asR4 } from '../valid-resource.ts'
import { type Caller, uriOf } from './caller.ts'
import { type Cluster, origin, startCluster } from './cluster.ts'
import { identifierSystem, type World } from './world.ts'

/** Every type is published and looked for: thousands of requests on a slow machine. */
const timeout = 120_000

const everyDomain = [
  'medication',
  'laboratory',
  'imaging',
  'immunization',
  'allergy',
  'hospital-summary',
  'other',
]
const empty: World = {
  types: [],
  matrix: everyDomain.map((domain) => ({ role: 'physician', facilityType: '*', purpose: 'TREAT', domain })),
  clearances: [],
  held: [
    { professional: 'tremblay', role: 'physician', facility: 'hospital' },
    { professional: 'roy', role: 'physician', facility: 'hospital' },
  ],
  lifted: [],
  sources: [],
  relationships: [],
  rules: [],
  emergencies: [],
  documents: [],
}

const caller = (
  kind: Caller['kind'],
  facility: Caller['facility'],
  professional: Caller['professional'],
): Caller => ({
  kind,
  professional,
  facility,
  role: kind === 'provider' ? 'physician' : null,
  purpose: 'TREAT',
  scopes: null,
  context: null,
})
const system = caller('system', 'hospital', 'tremblay')
const otherSystem = caller('system', 'pharmacy', 'tremblay')
/** Cares for nobody. */
const stranger = caller('provider', 'hospital', 'tremblay')
/** Cares for the person, who keeps a domain from this facility. */
const restricted = caller('provider', 'hospital', 'roy')

type Resource = Readonly<Record<string, unknown>>

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const identity = {
  identifier: [{ system: identifierSystem, value: 'TREM' }],
  name: [{ family: 'Tremblay' }],
  birthDate: '1950-01-01',
}

/** The element by which a type names its person, with its path. */
function about(type: string, reference: string): Resource {
  const [path] = elementsOf(type).person
  if (path === undefined) return {}
  const [first = '', second] = path.split('.')
  if (second) return { [first]: [{ [second]: { reference } }] }
  const repeats = definitionsOfR4().shapeOf(type).elements.get(first)?.isRepeated
  return { [first]: repeats ? [{ reference }] : { reference } }
}

const request = (type: string, putId: string | null) =>
  putId === null ? { method: 'POST', url: type } : { method: 'PUT', url: `${type}/${putId}` }

async function publish(
  cluster: Cluster,
  who: Caller,
  entries: readonly { readonly resource: Resource; readonly putId: string | null }[],
): Promise<readonly { readonly status: string; readonly id: string }[]> {
  const bundle = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: entries.map(({ resource, putId }) => ({
      fullUrl:
        putId === null ? `urn:uuid:${resource.id}` : `${origin}/fhir/${resource.resourceType}/${putId}`,
      resource: asR4(resource),
      request: request(String(resource.resourceType), putId),
    })),
  }
  const { response } = await cluster.send(who, '/fhir', {
    method: 'POST',
    body: JSON.stringify(bundle),
    headers: { 'Content-Type': 'application/fhir+json' },
  })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  const { entry } = JSON.parse(text) as {
    entry: { response: { status: string; location?: string } }[]
  }
  return entry.map(({ response: { status, location } }) => ({
    status: status.slice(0, 3),
    id: location?.match(/[A-Za-z]+\/([A-Za-z0-9.-]+)\/_history/)?.[1] ?? '',
  }))
}

interface Victim {
  readonly cluster: Cluster
  /** Server id of the person's only `Patient`. */
  readonly patient: string
  /** Server id of the other facility's document of each type. */
  readonly documents: ReadonlyMap<string, string>
}

/** A person of whom another facility has published one document of every type. */
async function startVictim(): Promise<Victim> {
  const cluster = startCluster(empty)
  const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*', valid_from: 0 }
  cluster.records.insert('sharing_rule', { position: 1, ...any, shared: 1 })
  cluster.records.insert('person_identifier_system', { system: identifierSystem, valid_from: 0 })
  const types = [...resourceTypes]
  const resources = types.map((resourceType, i) => ({
    putId: null,
    resource: {
      resourceType,
      id: uuid(i + 1),
      ...(resourceType === 'Patient'
        ? identity
        : about(resourceType, `urn:uuid:${uuid(types.indexOf('Patient') + 1)}`)),
      ...(resourceType === 'Encounter' ? { status: 'finished' } : {}),
      language: 'fr',
    },
  }))
  const written = await publish(cluster, otherSystem, resources)
  const documents = new Map(types.map((type, i) => [type, written[i]?.id ?? '']))
  const patient = documents.get('Patient') ?? ''
  const now = Date.now()
  cluster.records.insert('relationship', {
    kind: 'enrolment',
    source_record: patient,
    facility: 'hospital',
    professional: 'professional-roy',
    starts: now - 1_000,
    ends: now + 400 * 24 * 60 * 60_000,
    source: 'enrolment',
    recorded_by: 'x',
    valid_from: 0,
  })
  cluster.records.insert('consent_rule', {
    consent: 'c',
    source_record: patient,
    kind: 'restriction',
    actor_kind: 'facility',
    actor: 'hospital',
    what_kind: 'domain',
    what: 'other',
    valid_from: 0,
  })
  return { cluster, patient, documents }
}

interface Seen {
  readonly status: number
  /** Of the other facility's documents, by id. */
  readonly bodies: Readonly<Record<string, string>>
}

async function search(
  { cluster, documents }: Victim,
  who: Caller,
  type: string,
  patient: string,
): Promise<Seen> {
  const ids = new Set(documents.values())
  const person = searchParametersOf(type).find(({ isPerson }) => isPerson)
  const { response } = await cluster.send(who, `/fhir/${type}?${person?.name}=${patient}&_count=500`)
  const { entry = [] } = (await response.json()) as { entry?: { resource: { id: string } }[] }
  const bodies = entry
    .filter(({ resource }) => ids.has(resource.id))
    .map(({ resource }) => [resource.id, JSON.stringify(resource)])
  return { status: response.status, bodies: Object.fromEntries(bodies) }
}

async function read({ cluster, documents }: Victim, who: Caller, type: string): Promise<string> {
  const { response } = await cluster.send(who, `/fhir/${type}/${documents.get(type)}`)
  return `${response.status} ${await response.text()}`
}

const callers = { stranger, restricted, system }
const searched = [...resourceTypes].filter(
  (type) => isSearched(type) && searchParametersOf(type).some(({ isPerson }) => isPerson),
)

/** All that the facility's people and system can see of the other facility's documents. */
async function view(
  victim: Victim,
  types: readonly string[],
  patient = victim.patient,
): Promise<Readonly<Record<string, unknown>>> {
  const seen: Record<string, unknown> = {}
  for (const [name, who] of Object.entries(callers))
    for (const type of types) {
      seen[`${name} reads ${type}`] = await read(victim, who, type)
      if (searched.includes(type)) seen[`${name} searches ${type}`] = await search(victim, who, type, patient)
    }
  return seen
}

/** What the type might be taken for, if anybody took published resources for policy. */
function claims(type: string, { patient, documents }: Victim): Resource {
  const person = { reference: `Patient/${patient}` }
  const site = { identifier: { system: 'urn:ietf:rfc:3986', value: uriOf('hospital') } }
  const doctor = { identifier: { system: 'urn:ietf:rfc:3986', value: 'professional-tremblay' } }
  const period = { start: '2020-01-01', end: '2099-12-31' }
  const everything = [...documents].map(([name, id]) => ({ reference: `${name}/${id}` }))
  switch (type) {
    case 'Patient':
      return {
        ...identity,
        link: [{ type: 'seealso', other: person }],
        generalPractitioner: [doctor],
        managingOrganization: site,
      }
    case 'Person':
      return { ...identity, link: [{ target: person, assurance: 'level4' }] }
    case 'RelatedPerson':
      return { ...identity, active: true, relationship: [{ coding: [{ code: 'GUARD' }] }], period }
    case 'Linkage':
      return { active: true, item: [{ type: 'source', resource: person }] }
    case 'Group':
      return { type: 'person', actual: true, member: [{ entity: person, period }], managingEntity: site }
    case 'CareTeam':
      return {
        status: 'active',
        period,
        participant: [{ member: doctor, onBehalfOf: site, period }],
        managingOrganization: [site],
      }
    case 'EpisodeOfCare':
      return { status: 'active', period, managingOrganization: site, careManager: doctor }
    case 'Consent':
      return {
        status: 'active',
        scope: { coding: [{ code: 'patient-privacy' }] },
        category: [{ coding: [{ code: 'INFA' }] }],
        dateTime: '2026-01-01',
        organization: [site],
        provision: { type: 'permit', period, actor: [{ role: { text: 'any' }, reference: doctor }] },
      }
    case 'Contract':
      return {
        status: 'executed',
        term: [{ action: [{ subject: [{ reference: [person] }] }] }],
        authority: [site],
      }
    case 'AuditEvent':
      return {
        type: { code: 'rest' },
        recorded: '2026-01-01T00:00:00Z',
        agent: [{ requestor: true, who: doctor, purposeOfUse: [{ coding: [{ code: 'BTG' }] }] }],
        source: { observer: site },
        entity: [{ what: person }],
      }
    case 'Practitioner':
      return { identifier: [doctor.identifier], active: true }
    case 'PractitionerRole':
      return {
        active: true,
        period,
        practitioner: doctor,
        organization: site,
        code: [{ coding: [{ code: 'privacy-officer' }] }],
      }
    case 'Organization':
      return {
        active: true,
        identifier: [{ system: 'urn:ietf:rfc:3986', value: uriOf('pharmacy') }],
        name: 'pharmacy',
      }
    case 'OrganizationAffiliation':
      return { active: true, organization: site, participatingOrganization: site }
    case 'Provenance':
      return { target: everything, recorded: '2026-01-01T00:00:00Z', agent: [{ who: doctor }] }
    case 'List':
      return { status: 'current', mode: 'working', entry: everything.map((item) => ({ item })) }
    case 'Composition':
      return { status: 'final', date: '2026-01-01', author: [doctor], section: [{ entry: everything }] }
    case 'Flag':
      return { status: 'active', period, author: doctor, code: { text: 'break glass' } }
    case 'Appointment':
      return { status: 'booked', start: '2020-01-01T00:00:00Z', end: '2099-01-01T00:00:00Z' }
    case 'Basic':
      return { code: { coding: [{ code: 'relationship' }] }, author: doctor }
    case 'Bundle':
      return {
        type: 'collection',
        entry: [{ resource: { resourceType: 'Encounter', status: 'in-progress', subject: person } }],
      }
    case 'Parameters':
      return {
        parameter: [
          {
            name: 'encounter',
            resource: { resourceType: 'Encounter', status: 'in-progress', subject: person },
          },
        ],
      }
    default:
      return { status: 'active', period, author: [doctor], serviceProvider: site }
  }
}

const label = (code: string) => ({
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }] },
})

/** New, labelled either way, with an encounter inside, and in place of the other facility's own. */
function hostile(type: string, victim: Victim, n: number) {
  const resource = {
    resourceType: type,
    ...about(type, `Patient/${victim.patient}`),
    ...claims(type, victim),
  }
  const inside = {
    contained: [
      {
        resourceType: 'Encounter',
        id: 'e',
        status: 'in-progress',
        subject: { reference: `Patient/${victim.patient}` },
      },
    ],
  }
  const id = victim.documents.get(type) ?? ''
  const made = [{}, label('U'), label('V'), inside].map((more, i) => ({
    putId: null,
    resource: { ...resource, id: uuid(100_000 + n * 10 + i), ...more },
  }))
  const taken = [{}, label('U')].map((more) => ({ putId: id, resource: { ...resource, id, ...more } }))
  return { made, taken }
}

describe('by publishing', () => {
  let victim: Victim
  let before: Readonly<Record<string, unknown>>
  let ownPatient = ''
  const probes = ['Observation', 'MedicationRequest', 'Patient', 'Flag']
  const types = [...resourceTypes].filter((type) => type !== 'Encounter')

  beforeAll(async () => {
    victim = await startVictim()
    before = await view(victim, [...resourceTypes])
  }, timeout)
  afterAll(() => {
    victim.cluster.close()
  })

  test('what there is to gain: documents that nobody, and others that only those who care for the person may see', () => {
    const seen = before as Record<string, string>
    expect(seen['stranger reads Observation']).toMatch(/^404/)
    expect(seen['restricted reads Observation']).toMatch(/^200/)
    expect(seen['restricted reads Flag']).toMatch(/^404/)
    expect(seen['system reads Observation']).toMatch(/^404/)
  })

  test.each(types)('%s, a facility gains nothing', async (type) => {
    const { made, taken } = hostile(type, victim, types.indexOf(type))
    const written = []
    for (const entry of made) written.push(...(await publish(victim.cluster, system, [entry])))
    const accepted = written.filter(({ status }) => status.startsWith('2'))
    // Else nothing would have been tried.
    expect(accepted.length, JSON.stringify(written)).toBeGreaterThan(0)
    if (type === 'Patient') ownPatient = accepted[0]?.id ?? ''
    for (const entry of taken) {
      const [refused] = await publish(victim.cluster, system, [entry])
      expect(refused?.status).toMatch(/^4/)
    }
    const seen = await view(victim, [...new Set([...probes, type])])
    expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((name) => [name, before[name]])))
  })

  test(
    'all of them together, a facility gains nothing either',
    async () => {
      expect(await view(victim, [...resourceTypes])).toEqual(before)
      // Its own `Patient` is now one of the same person.
      expect(ownPatient).not.toBe('')
      expect(await view(victim, [...resourceTypes], ownPatient)).toEqual(before)
      const kinds = victim.cluster.records.db
        .prepare("select distinct kind from relationship where facility = 'hospital'")
        .all()
      expect(kinds).toEqual([{ kind: 'enrolment' }])
    },
    timeout,
  )
})

describe('an encounter that a facility publishes', () => {
  const hourMs = 60 * 60_000
  const start = Date.parse('2026-11-20T12:00:00.000Z')
  const at = (hours: number): string => new Date(start + hours * hourMs).toISOString()
  let victim: Victim

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: start })
    victim = await startVictim()
  })
  afterEach(() => {
    victim.cluster.close()
    vi.useRealTimers()
  })

  const encounter = (status: string, period: Resource | null) => ({
    resourceType: 'Encounter',
    id: uuid(900_000),
    status,
    class: { code: 'AMB' },
    subject: { reference: `Patient/${victim.patient}` },
    ...(period ? { period } : {}),
  })
  const publishEncounter = async (status: string, period: Resource | null) => {
    const [written] = await publish(victim.cluster, system, [
      { putId: null, resource: encounter(status, period) },
    ])
    expect(written?.status).toMatch(/^20/)
  }
  /** Hours after the start at which the facility's people see the other facility's document. */
  const seesAt = async (hours: number): Promise<boolean> => {
    vi.setSystemTime(start + hours * hourMs)
    const [status] = (await read(victim, stranger, 'Observation')).split(' ')
    const found = await search(victim, stranger, 'Observation', victim.patient)
    expect(found.status === 200).toBe(status === '200')
    return status === '200'
  }
  const window = () =>
    victim.cluster.records.db
      .prepare(
        `select starts, ends from relationship where kind = 'encounter' and facility = 'hospital' and valid_to is null`,
      )
      .all()
      .map(({ starts, ends }) => [starts, ends].map((ms) => (Number(ms) - start) / hourMs))

  test.each([
    ['under way', 'in-progress', { start: -48, end: 24 }, [-24, 24 + 30 * 24]],
    ['over', 'finished', { start: -10, end: -5 }, [-10, -5 + 30 * 24]],
    ['planned', 'planned', { start: 72, end: 96 }, [72, 96 + 30 * 24]],
    ['open', 'in-progress', { start: -1, end: null }, [-1, 90 * 24]],
    ['without a time', 'arrived', null, [0, 90 * 24]],
    ['without an end in sight', 'in-progress', { start: -1, end: 100 * 365 * 24 }, [-1, 366 * 24]],
  ] as const)('and that is %s opens exactly its window', async (_, status, hours, [from, to]) => {
    await publishEncounter(
      status,
      hours && { start: at(hours.start), ...(hours.end === null ? {} : { end: at(hours.end) }) },
    )
    expect(window()).toEqual([[from, to]])
    if (from > 0) expect(await seesAt(from - 0.001)).toBe(false)
    expect(await seesAt(Math.max(from, 0))).toBe(true)
    expect(await seesAt(to - 0.001)).toBe(true)
    expect(await seesAt(to)).toBe(false)
  })

  test.each(['cancelled', 'entered-in-error', 'unknown'])('as %j opens nothing', async (status) => {
    await publishEncounter(status, { start: at(-1), end: at(24) })
    expect(window()).toEqual([])
    expect(await seesAt(0)).toBe(false)
  })

  test('and that is over for more than the days after opens nothing', async () => {
    await publishEncounter('finished', { start: at(-2_000), end: at(-1_000) })
    expect(await seesAt(0)).toBe(false)
  })

  test.each(['cancelled', 'entered-in-error'])(
    'and then says was %s closes what it opened',
    async (status) => {
      await publishEncounter('in-progress', { start: at(-1), end: at(24) })
      expect(await seesAt(0)).toBe(true)
      await publishEncounter(status, { start: at(-1), end: at(24) })
      expect(await seesAt(0)).toBe(false)
    },
  )
})
