/** The table of what an outsider can tell (DESIGN §4), for every operation there is: statuses, bodies, and what they cost. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from './caller.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { readOperations } from './requests.ts'
import { type Document, identifierSystem, type Source, type World } from './world.ts'

const cases = [
  'unknown',
  'only unshared documents of another facility',
  'no care relationship',
  'refused',
  'partly restricted',
] as const
type Case = (typeof cases)[number]

const ids: Record<Case, string> = {
  unknown: `u${'0'.repeat(25)}`,
  'only unshared documents of another facility': `l${'0'.repeat(25)}`,
  'no care relationship': `n${'0'.repeat(25)}`,
  refused: `r${'0'.repeat(25)}`,
  'partly restricted': `p${'0'.repeat(25)}`,
}
const open = `o${'0'.repeat(25)}`

const sources = cases.slice(1).map(
  (name): Source => ({
    id: ids[name],
    person: `person ${name}`,
    facility: 'pharmacy',
    key: { value: ids[name], birthDate: '1950-01-01', family: 'TREMBLAY' },
  }),
)

const observation = (name: Case, changes: Partial<Document> = {}): Document => ({
  type: 'Observation',
  id: ids[name],
  source: ids[name],
  person: `person ${name}`,
  facility: 'pharmacy',
  isShared: true,
  domain: 'laboratory',
  categories: [],
  codes: ['http://loinc.org|718-7'],
  dateLo: '2024-01-01T00:00:00.000Z',
  dateHi: '2024-01-01T23:59:59.999Z',
  status: 'final',
  confidentiality: 'N',
  published: '2024-01-02T00:00:00.000Z',
  firstPublished: '2024-01-02T00:00:00.000Z',
  version: 1,
  text: name,
  key: null,
  first: null,
  isDeleted: false,
  ...changes,
})

/** Shared, in a domain and with a label open to all. */
const atFirst: Document['first'] = {
  isShared: true,
  domain: 'laboratory',
  dateLo: '2024-01-01T00:00:00.000Z',
  dateHi: '2024-01-01T23:59:59.999Z',
  confidentiality: 'N',
  published: '2024-01-01T00:00:00.000Z',
  text: 'at first',
}

const dayMs = 24 * 60 * 60_000
const restriction = {
  kind: 'restriction',
  before: '',
  actorKind: 'role',
  actor: 'physician',
  whatKind: 'document',
  isEnded: false,
} as const

/** A physician cares for everybody but one. */
const world: World = {
  types: ['Observation'],
  matrix: [{ role: 'physician', facilityType: '*', purpose: 'TREAT', domain: 'laboratory' }],
  clearances: [],
  held: [
    { professional: 'tremblay', role: 'physician', facility: 'hospital' },
    { professional: 'gagnon', role: 'nurse', facility: 'hospital' },
  ],
  lifted: [],
  sources,
  relationships: sources
    .filter(({ id }) => id !== ids['no care relationship'])
    .map(({ id }) => ({
      kind: 'enrolment',
      source: id,
      facility: 'hospital',
      professional: '',
      starts: Date.now() - dayMs,
      ends: Date.now() + dayMs,
      isEnded: false,
    })),
  rules: [
    {
      ...restriction,
      source: ids.refused,
      kind: 'refusal-total',
      actorKind: 'any',
      actor: '',
      whatKind: 'any',
      what: '',
    },
    { ...restriction, source: ids['partly restricted'], what: `Observation/${ids['partly restricted']}` },
  ],
  emergencies: [],
  documents: [
    ...cases.slice(1).map((name, i) =>
      observation(name, {
        type: 'Consent',
        isShared: false,
        facility: i % 2 === 0 ? 'pharmacy' : 'hospital',
        confidentiality: 'R',
      }),
    ),
    observation('only unshared documents of another facility', {
      isShared: false,
      version: 2,
      first: atFirst,
    }),
    observation('no care relationship', { version: 2, first: atFirst }),
    observation('refused', { version: 2, isDeleted: true, first: atFirst }),
    observation('partly restricted', { version: 2, first: atFirst }),
    observation('partly restricted', { id: open, dateLo: '2023-01-01T00:00:00.000Z' }),
  ],
}

const caller = (professional: Caller['professional'], role: string): Caller => ({
  kind: 'provider',
  professional,
  facility: 'hospital',
  role,
  purpose: 'TREAT',
  scopes: null,
  context: null,
})
const physician = caller('tremblay', 'physician')
const nurseWithoutDomain = caller('gagnon', 'nurse')

interface Request {
  readonly name: string
  path(id: string): string
  /** Databases that are read, each once per mention. */
  readonly reads: readonly string[]
}

const both = ['local montreal', 'records']

/** How each case is asked for, by operation. @throws Error for one that nobody has placed in the table yet. */
function requestsOf(operation: string): readonly Request[] {
  switch (operation) {
    case 'read':
      return [{ name: 'read', path: (id) => `/fhir/Observation/${id}`, reads: both }]
    case 'vread':
      return [1, 2, 3].map((version) => ({
        name: `vread ${version}`,
        path: (id) => `/fhir/Observation/${id}/_history/${version}`,
        reads: both,
      }))
    case 'history':
      return [{ name: 'history', path: (id) => `/fhir/Observation/${id}/_history`, reads: both }]
    case 'history-type':
      return [{ name: 'history-type', path: () => '/fhir/Observation/_history', reads: both }]
    case 'search-type':
      return [
        { name: 'search', path: (id) => `/fhir/Observation?patient=${id}`, reads: both },
        {
          name: 'look-up',
          path: (id) => `/fhir/Patient?identifier=${identifierSystem}|${id}&birthdate=1950-01-01`,
          reads: both,
        },
      ]
    // To a provider the register is not there: what facilities publish as `Consent` is read as any document.
    case 'consent-read':
      return [{ name: 'consent-read', path: (id) => `/fhir/Consent/${id}`, reads: [...both, 'records'] }]
    case 'consent-search':
      return [{ name: 'consent-search', path: (id) => `/fhir/Consent?patient=${id}`, reads: ['records'] }]
    case 'consent-history':
      return [{ name: 'consent-history', path: (id) => `/fhir/Consent/${id}/_history`, reads: ['records'] }]
    // The log is read by officers and by whom it is about, never by providers.
    case 'audit-event-search':
      return [
        {
          name: 'audit-event-search',
          path: (id) => `/fhir/AuditEvent?patient=${id}&date=ge2020-01-01&date=le2030-01-01`,
          reads: ['records'],
        },
      ]
    case 'audit-event-read':
      return [{ name: 'audit-event-read', path: () => '/fhir/AuditEvent/montreal-0', reads: ['records'] }]
    default:
      throw new Error(`${operation} has no place in the table of what an outsider can tell`)
  }
}

interface Told {
  readonly status: number
  readonly codes: readonly string[]
  readonly resources: readonly string[]
}
const notFound = { status: 404, codes: ['not-found'], resources: [] }
const relationshipRequired = { status: 403, codes: ['relationship-required'], resources: [] }
const nothing = { status: 200, codes: [], resources: [] }
const minimal = { status: 200, codes: [], resources: ['Patient SUBSETTED'] }

const forbidden = { status: 403, codes: ['forbidden'], resources: [] }
const notOffered = { status: 400, codes: ['not-supported'], resources: [] }

const table: Readonly<Record<string, readonly Told[]>> = {
  read: cases.map(() => notFound),
  'vread 1': cases.map(() => notFound),
  'vread 2': cases.map(() => notFound),
  'vread 3': cases.map(() => notFound),
  history: cases.map(() => notFound),
  'history-type': cases.map(() => forbidden),
  'consent-read': cases.map(() => notFound),
  'consent-search': cases.map(() => notOffered),
  'consent-history': cases.map(() => forbidden),
  'audit-event-search': cases.map(() => forbidden),
  'audit-event-read': cases.map(() => forbidden),
  search: [
    relationshipRequired,
    nothing,
    relationshipRequired,
    { status: 403, codes: ['refused'], resources: [] },
    { status: 200, codes: [], resources: [`Observation ${open}`] },
  ],
  'look-up': [nothing, minimal, minimal, minimal, minimal],
}

let cluster: Cluster

beforeEach(() => {
  cluster = startCluster(world)
})
afterEach(() => {
  cluster.close()
})

interface Body {
  readonly issue?: readonly {
    readonly code: string
    readonly details: { readonly coding?: readonly { readonly code: string }[] }
  }[]
  readonly entry?: readonly {
    readonly resource: {
      readonly resourceType: string
      readonly id: string
      readonly meta?: { readonly tag?: readonly { readonly code: string }[] }
    }
  }[]
}

async function ask(who: Caller, path: (id: string) => string, name: Case) {
  const { response, cost } = await cluster.send(who, path(ids[name]))
  const text = await response.text()
  const { issue = [], entry = [] } = JSON.parse(text) as Body
  return {
    told: {
      status: response.status,
      codes: issue.map(({ code, details }) => details.coding?.[0]?.code ?? code),
      resources: entry.map(
        ({ resource: { resourceType, id, meta } }) => `${resourceType} ${meta?.tag?.[0]?.code ?? id}`,
      ),
    },
    status: response.status,
    headers: [...response.headers.keys()].sort(),
    body: text.replaceAll(ids[name], 'ID'),
    reads: cost.reads,
    appends: cost.appends.map((entries) => entries.length),
  }
}

describe.each(readOperations.flatMap(({ name }) => requestsOf(name)))(
  '$name',
  ({ name, path, reads: databases }) => {
    test('tells what the table says', async () => {
      const answers = []
      for (const one of cases) answers.push((await ask(physician, path, one)).told)
      expect(answers).toEqual(table[name])
    })

    test('has one body for all that the table gives one answer', async () => {
      const bodies = new Map<string, { status: number; headers: string[]; body: string }>()
      for (const one of cases) {
        const { told, status, headers, body } = await ask(physician, path, one)
        const known = bodies.get(JSON.stringify(told))
        if (known) expect({ status, headers, body }).toEqual(known)
        else bodies.set(JSON.stringify(told), { status, headers, body })
      }
    })

    test('costs the same statements, requests and appends in every case', async () => {
      const unknown = await ask(physician, path, 'unknown')
      expect(unknown.reads.map((read) => read.split(':')[0]).sort()).toEqual(databases)
      expect(unknown.appends).toEqual([1])
      for (const one of cases) {
        const { reads, appends } = await ask(physician, path, one)
        expect({ reads, appends }, one).toEqual({ reads: unknown.reads, appends: unknown.appends })
      }
    })

    test('is 403, the same for every patient, to whom the matrix opens nothing', async () => {
      const unknown = await ask(nurseWithoutDomain, path, 'unknown')
      expect(unknown.told).toEqual(forbidden)
      for (const one of cases) expect(await ask(nurseWithoutDomain, path, one), one).toEqual(unknown)
    })

    test('tells no more while the local database is away', async () => {
      cluster.isLocalAway.value = true
      for (const [i, one] of cases.entries()) {
        const { told } = await ask(physician, path, one)
        if (/^(read|vread \d|history|consent-read)$/.test(name))
          expect(told, one).toEqual({ status: 503, codes: ['transient'], resources: [] })
        else expect(told.status, one).toBe(table[name]?.[i]?.status)
      }
    })
  },
)

test('what is withheld of a facility’s own unshared documents does not show in where pages end', async () => {
  cluster.close()
  const own = (n: number): Partial<Document> => ({
    id: `w${String(n).padStart(25, '0')}`,
    isShared: false,
    facility: 'hospital',
    dateLo: `2024-02-0${n}T00:00:00.000Z`,
  })
  const withheld = [1, 2, 3].map((n) => observation('partly restricted', { ...own(n), confidentiality: 'R' }))
  const told = []
  for (const documents of [[], withheld]) {
    const one = startCluster({ ...world, documents: [...world.documents, ...documents] })
    const { response } = await one.send(
      physician,
      `/fhir/Observation?patient=${ids['partly restricted']}&_count=1`,
    )
    told.push(await response.text())
    one.close()
  }
  expect(told[1]).toBe(told[0])
  expect(told[0]).toContain(open)
  cluster = startCluster(world)
})
