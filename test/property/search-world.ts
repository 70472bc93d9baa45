/** The Synthea patients as this server keeps them: published by three facilities into the real app, with callers who may see different parts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { codingsAt, codingText } from '../../src/fhir/codings.ts'
import { elementsOf } from '../../src/fhir/elements.ts'
import { refreshLocalSourceRecords } from '../../src/records/settle.ts'
import type { Row, Statement } from '../../src/store/ports.ts'
import { locations } from '../cluster/bundles.ts'
import type { Caller } from './caller.ts'
import { type Cluster, insertCare, insertRules, origin, startCluster } from './cluster.ts'
import { permits } from './oracle.ts'
import { callers, registry, system } from './search-callers.ts'
import type { Resource } from './search-definitions.ts'
import { enriched, medication } from './search-enrich.ts'
import type { Meanings } from './search-oracle.ts'
import type { Document, FacilityId, Relationship, Rule, World } from './world.ts'

const folder = '../shared/data/synthea'
export const isSyntheaThere = existsSync(folder)

const nam = 'https://example.org/nam'

/** A stored document, and the resource that is served of it. */
export interface Served {
  readonly document: Document
  readonly resource: Resource
}

export interface SearchWorld {
  readonly cluster: Cluster
  readonly world: World
  readonly all: readonly Served[]
  readonly meanings: Meanings
  readonly callers: Readonly<Record<string, Caller>>
  /** What a caller may see by searching, in error or not. */
  seenBy(caller: Caller): readonly Served[]
}

/** `system|value` of each. */
export const identifiersOf = (resource: Resource | undefined): readonly string[] =>
  ((resource?.identifier ?? []) as { readonly system?: string; readonly value?: string }[]).flatMap(
    ({ system, value }) => (system && value ? [`${system}|${value}`] : []),
  )

interface Bundle {
  readonly resourceType: 'Bundle'
  readonly type: 'transaction'
  readonly entry: readonly {
    readonly fullUrl: string
    readonly resource: { readonly resourceType: string; readonly id: string; readonly identifier?: unknown }
    readonly request: unknown
  }[]
}

/** Of patient `n`: who keeps a record of them. Every fourth has two, by a number that joins them into one person. */
const home = (n: number): FacilityId => (n % 3 === 2 ? 'clinic' : 'hospital')
const second = (n: number): FacilityId | null =>
  n % 4 === 1 ? (n % 8 === 1 ? 'pharmacy' : home(n) === 'hospital' ? 'clinic' : 'hospital') : null

export async function loadSynthea(): Promise<SearchWorld> {
  const cluster = startCluster(registry)
  openSharing(cluster)
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
  const directories = files.filter((name) => /^(hospital|practitioner)Information/.test(name))
  for (const name of directories) await publish(cluster, 'hospital', prepared(name, 0))
  const patients = files.filter((name) => !directories.includes(name))
  for (const [n, name] of patients.entries()) {
    const bundle = prepared(name, n)
    await publish(cluster, home(n), bundle)
    const other = second(n)
    if (other !== null) await publish(cluster, other, renamed(bundle))
  }
  // As the schedule does: local databases learn which records were joined into one person.
  for (const local of cluster.locals.values()) await refreshLocalSourceRecords(cluster.records, local, 0)
  const sources = cluster.records.db
    .prepare('select id, facility, person from source_record')
    .all()
    .map((row) => ({
      id: String(row.id),
      facility: row.facility as FacilityId,
      person: String(row.person),
      key: { value: '', birthDate: '', family: '' },
    }))
  const all = served(cluster)
  const persons = [...new Set(sources.map(({ person }) => person))].sort()
  const sourceOf = (person: string): string => sources.find((one) => one.person === person)?.id ?? ''
  const care = persons.flatMap((person, i) => careOf(sourceOf(person), i))
  const relationships = [...care, ...openedByEncounters(cluster)]
  const rules = rulesFor(persons.map(sourceOf), all)
  insertCare(cluster.records, care)
  insertRules(cluster.records, rules)
  const world: World = {
    ...registry,
    sources,
    relationships,
    rules,
    documents: all.map(({ document }) => document),
  }
  const byId = new Map(sources.map(({ id, person }) => [id, person]))
  const byIdentifier = new Map(
    all
      .filter(({ document }) => document.type === 'Patient')
      .flatMap(({ document, resource }) =>
        identifiersOf(resource).map((text): [string, string] => [text, document.person]),
      ),
  )
  return {
    cluster,
    world,
    all,
    callers,
    meanings: {
      base: `${origin}/fhir/`,
      personOf: (id) => byId.get(id),
      personWith: (identifier) => byIdentifier.get(identifier),
    },
    seenBy: (caller) => all.filter(({ document }) => permits(world, caller, document, 's')),
  }
}

export function openSharing({ records }: Cluster): void {
  const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*', valid_from: 0 }
  const rules = [
    { ...any, confidentiality: 'R', shared: 0 },
    { ...any, confidentiality: 'V', shared: 0 },
    { ...any, type: 'Procedure', shared: 0 },
    { ...any, domain: 'other', shared: 0 },
    { ...any, shared: 1 },
  ]
  for (const [position, rule] of rules.entries()) records.insert('sharing_rule', { position, ...rule })
  records.insert('person_identifier_system', { system: nam, valid_from: 0 })
}

const medicationEntry = {
  fullUrl: `urn:uuid:${medication.id}`,
  resource: medication,
  request: { method: 'POST', url: 'Medication' },
}

/** As published: with what Synthea leaves out, and a number that joins records of one person. */
function prepared(name: string, n: number): Bundle {
  const bundle = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Bundle
  return {
    ...bundle,
    entry: [...bundle.entry, medicationEntry].map(({ resource, ...rest }) => {
      // From its id, since directory entries stand in several files.
      const one = enriched(resource, Number.parseInt(resource.id.slice(0, 6), 16))
      if (resource.resourceType !== 'Patient') return { ...rest, resource: one as typeof resource }
      const identifier = [...(one.identifier as unknown[]), { system: nam, value: `NAM-${n}` }]
      return { ...rest, resource: { ...one, id: resource.id, identifier } }
    }),
  }
}

/** The same under other ids: what a second facility knows. */
function renamed(bundle: Bundle): Bundle {
  const ids = new Set(bundle.entry.map(({ resource }) => resource.id))
  const other = (id: string): string => (ids.has(id) ? `ffff${id.slice(4)}` : id)
  return JSON.parse(
    JSON.stringify(bundle).replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, other),
  ) as Bundle
}

/** @returns `Type/id` of each entry. @throws Error with what the server says, when it does not take the bundle */
export async function publish(
  cluster: Cluster,
  facility: FacilityId,
  bundle: Bundle,
): Promise<readonly string[]> {
  const { response } = await cluster.send(system(facility), '/fhir', {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify(bundle),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 2_000)}`)
  return locations(JSON.parse(text))
}

const rowsOf = `select type, id, source_record, person, facility, domain, date_lo, date_hi, status, confidentiality,
    published, version, body from document`

const served = ({ records, locals }: Cluster): readonly Served[] => [
  ...records.db
    .prepare(rowsOf)
    .all()
    .map((row) => servedOf(row as Row, true)),
  ...[...locals.values()].flatMap(({ db }) =>
    db
      .prepare(rowsOf)
      .all()
      .map((row) => servedOf(row as Row, false)),
  ),
]

function servedOf(row: Row, isShared: boolean): Served {
  const resource = JSON.parse(String(row.body)) as Resource
  const type = String(row.type)
  const { category, code } = elementsOf(type)
  return {
    resource,
    document: {
      type,
      id: String(row.id),
      source: String(row.source_record),
      person: String(row.person),
      facility: row.facility as FacilityId,
      isShared,
      domain: String(row.domain),
      categories: codingsAt(resource, category).map(codingText),
      codes: codingsAt(resource, code).map(codingText),
      dateLo: String(row.date_lo),
      dateHi: String(row.date_hi),
      status: String(row.status),
      confidentiality: String(row.confidentiality),
      published: String(row.published),
      firstPublished: String(row.published),
      first: null,
      isDeleted: false,
      version: Number(row.version),
      text: '',
      key: null,
    },
  }
}

const window = { starts: 0, ends: 4_000_000_000_000 }

/** The hospital cares for nearly everybody, the clinic and the pharmacy for some. */
function careOf(source: string, i: number): readonly Relationship[] {
  const of = (facility: FacilityId): Relationship => ({
    ...window,
    kind: 'attestation',
    source,
    facility,
    professional: '',
    isEnded: false,
  })
  return [
    ...(i % 9 === 8 ? [] : [of('hospital')]),
    ...(i % 3 === 0 ? [of('clinic')] : []),
    ...(i % 2 === 0 ? [of('pharmacy')] : []),
  ]
}

/** What the published encounters opened. */
const openedByEncounters = ({ records }: Cluster): readonly Relationship[] => {
  const { sql }: Statement = {
    sql: `select source_record, facility, starts, ends from relationship where kind = 'encounter' and valid_to is null`,
  }
  return records.db
    .prepare(sql)
    .all()
    .map((row) => ({
      kind: 'encounter',
      source: String(row.source_record),
      facility: row.facility as FacilityId,
      professional: '',
      starts: Number(row.starts),
      ends: Number(row.ends),
      isEnded: false,
    }))
}

/** Patients who refused or restricted something. */
function rulesFor(sources: readonly string[], all: readonly Served[]): readonly Rule[] {
  const rule = (n: number, more: Partial<Rule>): Rule => ({
    source: sources[n] ?? '',
    kind: 'restriction',
    before: '',
    actorKind: 'any',
    actor: '',
    whatKind: 'any',
    what: '',
    isEnded: false,
    ...more,
  })
  const one = all.find(({ document }) => document.source === sources[4] && document.type === 'Encounter')
  return [
    rule(0, { whatKind: 'domain', what: 'laboratory' }),
    rule(1, { actorKind: 'role', actor: 'nurse', whatKind: 'type', what: 'Observation' }),
    rule(2, { kind: 'refusal-before', before: '2014-01-01T00:00:00.000Z' }),
    rule(3, { kind: 'refusal-total' }),
    rule(4, { whatKind: 'document', what: `Encounter/${one?.document.id}` }),
    rule(6, { actorKind: 'facility', actor: 'clinic' }),
    rule(7, { whatKind: 'type', what: 'Encounter' }),
  ]
}
