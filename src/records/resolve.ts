/**
 * Looks up what the entries of a bundle name: what meets a condition, what is to be deleted, which version is current. Only
 * among the facility's own documents, at both primaries. What was found is checked again when it is written.
 */
import type { BundleEntry, DeleteEntry, SentBundle } from '../fhir/bundle.ts'
import type { Condition, Expected } from '../fhir/condition.ts'
import type { Issue } from '../fhir/outcome.ts'
import { err, ok, type Result } from '../result.ts'
import type { Reader, Row, Rows, Statement } from '../store/ports.ts'
import { conditionsMet } from './conditions-met.ts'
import { documentKey } from './documents-rows.ts'
import { serverIds } from './identity.ts'
import type { HeldCondition, PlanBundle, RemovalEntry, StoredDocument, WriteEntry } from './plan-entry.ts'
import {
  otherMatch,
  otherVersion,
  outOfScope,
  overtaken,
  patientStays,
  sameCondition,
  severalMatches,
} from './plan-issues.ts'

/** Whose documents are looked up, and where. */
export interface Looking {
  readonly facility: string
  /** 32 bytes. */
  readonly idKey: Uint8Array
  readonly records: Reader
  /** The local database of the facility's region; null: it is not served here. */
  readonly local: Reader | null
}

export interface ResolveOptions extends Looking {
  /** Whether the token's scopes allow to delete documents of this type, or this one. */
  readonly mayDelete: (document: Pick<StoredDocument, 'type'> & Partial<StoredDocument>) => boolean
  /** Whether the text of what is found instead of being created is wanted. */
  readonly withBodies: boolean
}

interface Asked {
  readonly type: string
  readonly condition: Condition
}

/** Server ids of what meets a condition: none, the one, or two of several. */
type Found = readonly string[]

/** Rejects with `StoreError`. */
export async function resolve({ kind, entries }: SentBundle, options: ResolveOptions): Promise<PlanBundle> {
  const { facility, idKey } = options
  const ids = serverIds(idKey, facility)
  const ownId = (type: string, id: string): string => (ids.isServerId(type, id) ? id : ids.derive(type, id))
  const asked = entries.map((entry) => (entry.ok ? conditionOf(entry.value, ownId) : null))
  const found = await findMatches(asked, options)
  const named = entries.map((entry, index) => {
    if (!entry.ok) return null
    const [only, second] = found.get(index) ?? []
    if (asked[index]) return second === undefined && only !== undefined ? only : null
    return namedId(entry.value, ownId)
  })
  const stored = await readDocuments(
    named.flatMap((id, index) => {
      const entry = entries[index]
      return id !== null && entry?.ok ? [[typeOf(entry.value), id]] : []
    }),
    options,
    options.withBodies,
  )

  const isDeletedHere = deletionsIn(kind, entries, named)
  const conditions: HeldCondition[] = []
  const creating = new Map<string, number>()
  const resolved = entries.map((entry, index): Result<WriteEntry | RemovalEntry, readonly Issue[]> => {
    if (!entry.ok) return entry
    if ((found.get(index) ?? []).length > 1) return err([severalMatches(index)])
    const type = typeOf(entry.value)
    const id = named[index] ?? null
    const document = id === null ? null : (stored.get(documentKey({ type, id })) ?? null)
    const condition = asked[index]?.condition
    if (condition) {
      // It met the condition a moment ago.
      if (id !== null && !document) return err([overtaken(index)])
      conditions.push({ index, type, ...condition, found: document })
    }
    if ('deletes' in entry.value) return removal(entry.value, document, options)
    if (!condition) return write(entry.value, id, document, ownId)
    // In a transaction, deletions come first (R4 §3.1.0.11.2).
    const left = document && isDeletedHere(document) ? null : document
    if (!left) {
      const first = creating.get(`${type}?${condition.identifier}&${condition.id}`)
      if (first !== undefined) return err([sameCondition(index, first)])
      creating.set(`${type}?${condition.identifier}&${condition.id}`, index)
    }
    return write(entry.value, left?.id ?? null, left, ownId)
  })
  return { kind, entries: resolved, conditions }
}

function deletionsIn(
  kind: SentBundle['kind'],
  entries: SentBundle['entries'],
  named: readonly (string | null)[],
): (document: StoredDocument) => boolean {
  const deleted = new Set(
    entries.flatMap((entry, index) =>
      entry.ok && 'deletes' in entry.value && kind === 'transaction'
        ? [`${entry.value.deletes.type}/${named[index]}`]
        : [],
    ),
  )
  return (document) => deleted.has(documentKey(document))
}

/** The facility's own current document, with its text; null: there is none. @param id a source key or a server id */
export async function readDocument(
  type: string,
  id: string,
  looking: Looking,
): Promise<StoredDocument | null> {
  const ids = serverIds(looking.idKey, looking.facility)
  const own = ids.isServerId(type, id) ? id : ids.derive(type, id)
  const stored = await readDocuments([[type, own]], looking, true)
  return stored.get(documentKey({ type, id: own })) ?? null
}

const typeOf = (entry: BundleEntry | DeleteEntry): string =>
  'deletes' in entry ? entry.deletes.type : entry.resource.resourceType

type OwnId = (type: string, id: string) => string

/** The condition of an entry, naming server ids; null: it has none. */
function conditionOf(entry: BundleEntry | DeleteEntry, ownId: OwnId): Asked | null {
  const type = typeOf(entry)
  const condition =
    'deletes' in entry
      ? 'identifier' in entry.deletes.by
        ? entry.deletes.by
        : null
      : (entry.ifNoneExist ?? entry.updates ?? null)
  if (!condition) return null
  const { identifier, id } = condition
  return { type, condition: { identifier, id: id === null ? null : ownId(type, id) } }
}

/** Of an entry that names a document by its id and depends on what is stored. */
function namedId(entry: BundleEntry | DeleteEntry, ownId: OwnId): string | null {
  if (!('deletes' in entry))
    return entry.ifMatch !== undefined && entry.putId !== null
      ? ownId(entry.resource.resourceType, entry.putId)
      : null
  const { type, by } = entry.deletes
  return by.id === null ? null : ownId(type, by.id)
}

function removal(
  { index, deletes: { type }, ifMatch }: DeleteEntry,
  document: StoredDocument | null,
  { mayDelete }: ResolveOptions,
): Result<RemovalEntry, readonly Issue[]> {
  if (!mayDelete(document ?? { type })) return err([outOfScope(index)])
  if (type === 'Patient') return err([patientStays(index)])
  const wrong = versionIssue(index, ifMatch, document)
  return wrong ? err([wrong]) : ok({ index, removes: document })
}

function write(
  { index, fullUrl, resource, putId, ifNoneExist, updates, ifMatch }: BundleEntry,
  id: string | null,
  document: StoredDocument | null,
  ownId: OwnId,
): Result<WriteEntry, readonly Issue[]> {
  const entry = { index, fullUrl, resource, putId }
  if (ifNoneExist) return ok(document ? { ...entry, existing: document } : entry)
  const wrong = versionIssue(index, ifMatch, document)
  if (wrong) return err([wrong])
  const expected = ifMatch !== undefined && document ? { expected: document.version } : {}
  if (!updates) return ok({ ...entry, ...expected })
  const given = typeof resource.id === 'string' ? resource.id : null
  // R4 §3.1.0.4.3: without a match, an update as create where it brings an id, else a create.
  if (id === null) return ok({ ...entry, putId: given })
  if (given !== null && ownId(resource.resourceType, given) !== id) return err([otherMatch(index)])
  return ok({ ...entry, putId: id, ...expected })
}

function versionIssue(
  index: number,
  ifMatch: Expected | undefined,
  document: StoredDocument | null,
): Issue | null {
  if (ifMatch === undefined || (document && (ifMatch === '*' || ifMatch === document.version))) return null
  return otherVersion(index, document?.version ?? null)
}

/** By position of the entry. */
async function findMatches(
  asked: readonly (Asked | null)[],
  { facility, records, local }: ResolveOptions,
): Promise<ReadonlyMap<number, Found>> {
  const rows = asked.flatMap((one, index) =>
    one ? [[one.type, one.condition.identifier, one.condition.id, index]] : [],
  )
  if (rows.length === 0) return new Map()
  const statement = matchesOf(JSON.stringify(rows), facility)
  const matches = await readBoth(records, local, statement)
  const found = new Map<number, Set<string>>()
  for (const { position, least, most } of matches.flat()) {
    const ids = found.get(Number(position)) ?? new Set()
    found.set(Number(position), ids.add(least as string).add(most as string))
  }
  return new Map([...found].map(([position, ids]) => [position, [...ids]]))
}

/** Of each condition the least and the greatest id that meets it: the same when there is but one. */
const matchesOf = (conditions: string, facility: string): Statement => ({
  sql: `with ${conditionsMet}
    select mark as position, min(id) as least, max(id) as most from met group by mark`,
  args: { conditions, facility },
})

async function readDocuments(
  ids: readonly (readonly string[])[],
  { facility, records, local }: Looking,
  withBodies: boolean,
): Promise<ReadonlyMap<string, StoredDocument>> {
  if (ids.length === 0) return new Map()
  const [shared, own] = await readBoth(records, local, documentsOf(JSON.stringify(ids), facility, withBodies))
  const stored = [
    ...shared.map((row) => storedDocument(row, true)),
    ...own.map((row) => storedDocument(row, false)),
  ]
  return new Map(stored.map((document) => [documentKey(document), document]))
}

/** The facility's own current documents of these ids, with what scopes ask about. */
const documentsOf = (ids: string, facility: string, withBodies: boolean): Statement => ({
  sql: `
    select d.type, d.id, d.version, d.published, d.person, d.source_record, d.category, d.code, d.status,
      ${withBodies ? 'd.body' : `'' as body`},
      (select json_group_array(json_array(l.param, l.value)) from lookup as l
        where l.type = d.type and l.id = d.id and l.param in ('category', 'code')) as further
    from json_each(:ids) as i
    cross join document as d on d.type = i.value ->> 0 and d.id = i.value ->> 1
    where d.facility = :facility`,
  args: { ids, facility },
})

function storedDocument(row: Row, isShared: boolean): StoredDocument {
  const further = JSON.parse(row.further as string) as readonly (readonly [string, string])[]
  const all = (param: 'category' | 'code') => [
    row[param] as string,
    ...further.filter(([name]) => name === param).map(([, value]) => value),
  ]
  return {
    type: row.type as string,
    id: row.id as string,
    version: Number(row.version),
    published: row.published as string,
    person: row.person as string,
    sourceRecord: row.source_record as string,
    categories: all('category'),
    codes: all('code'),
    status: row.status as string,
    isShared,
    body: row.body as string,
  }
}

async function readBoth(
  records: Reader,
  local: Reader | null,
  statement: Statement,
): Promise<readonly [Rows, Rows]> {
  const [[shared = []], [own = []]] = await Promise.all([
    records.read([statement]),
    local ? local.read([statement]) : Promise.resolve([]),
  ])
  return [shared, own]
}
