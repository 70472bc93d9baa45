/**
 * `GET /fhir/AuditEvent` (IHE RESTful ATNA, ITI-81) over the ledger: for privacy officers, and for patients and guardians
 * about themselves or their ward. What facilities publish as AuditEvents is never in it.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { ToldEntry } from '../audit/csv-columns.ts'
import type { Disclosed, Disclosure, Loaded, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { auditEventParameters } from '../fhir/audit-event-parameters.ts'
import { limits } from '../limits.ts'
import { createCursors } from '../records/cursor.ts'
import { badCursor } from '../records/paging.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows } from '../store/ports.ts'
import { texts } from '../store/rows.ts'
import { personIdsStatement } from './person-ids.ts'
import { placeNamesStatements } from './place-names.ts'
import {
  type Asked,
  askedBy,
  isReader,
  resourcesOf,
  type TrailHit,
  type TrailReader,
  trailPage,
} from './trail-answer.ts'
import { entriesOfEvents } from './trail-entry.ts'
import { trailKeyOf } from './trail-match.ts'
import { isNewer, positionOf, type TrailPosition, type TrailRange, trailPageStatement } from './trail-page.ts'
import { parseTrailSearch, type TrailSearch, type TrailTerm, type TrailToken } from './trail-search.ts'

const param = z.object({})
const query = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const searchAuditEvents: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'audit-event-search',
  method: 'GET',
  path: '/fhir/AuditEvent',
  action: 'audit-read',
  callers: ['privacy-officer', 'patient', 'guardian'],
  scope: () => ({ type: 'AuditEvent', interaction: 's' }),
  param,
  query,
  searchParameters: () => auditEventParameters,
  handle: search,
}

/** Of whom the page is: whoever was asked about, and the ids under which the log speaks of them. */
interface Whom {
  readonly persons: readonly string[]
  readonly ids: readonly string[]
}

async function search(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const reader = permitted.value.caller
  if (!isReader(reader)) return forbidden('operation-not-for-caller')
  // From the address itself: a record of parameters loses names such as `__proto__`.
  const parsed = parseTrailSearch(ctx.url.searchParams, reader.kind === 'privacy-officer')
  if (!parsed.ok) return err({ reason: 'invalid', issues: parsed.error })
  const about = await aboutPerson(ctx, parsed.value)
  if (!about.ok) return about
  const wanted = about.value
  const whom = await whomOf(ctx, reader, wanted)
  if (!whom.ok) return whom
  const binding = bindingOf(ctx, reader)
  const after = wanted.cursor === null ? null : await openCursor(ctx, wanted.cursor, binding)
  if (wanted.cursor !== null && after === null) return err(badCursor)

  const asked = askedBy(reader, wanted.terms, ctx.origin)
  const { rows, scanned } = await readRows(ctx, wanted, asked, whom.value, after)
  const page = trailPage(rows, asked, wanted.count, scanned)
  const named = await namesOf(ctx, reader, page.hits)
  if (!named.ok) return named
  // Who the caller is may have changed between the batches: the last one holds.
  if (!isSame(named.value.caller, reader)) return forbidden('operation-not-for-caller')
  const next = page.after === null ? null : await nextLink(ctx, page.after, binding)
  const resources = resourcesOf(page.hits, reader, named.value.records, ctx.language, ctx.origin)
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    ...(reader.kind === 'privacy-officer' ? {} : { headers: { 'Content-Language': ctx.language } }),
    body: searchset(ctx, resources, next),
    disclosed: disclosedOf(page.hits, whom.value),
    reason: reader.kind,
  })
}

/** CH:ATC names the patient by `entity.identifier`: one that is a person's is read by the patient's index. */
async function aboutPerson(ctx: Context, wanted: TrailSearch): Promise<Result<TrailSearch, Refusal>> {
  const term = wanted.terms.find(({ name }) => name === 'entity.identifier')
  const [token, ...others] = term?.tokens ?? []
  if (!token?.system || !token.code || others.length > 0 || wanted.patientIdentifier !== null)
    return ok(wanted)
  const persons = await personsOf(ctx, token)
  if (!persons.ok) return persons
  if (persons.value.length === 0) return ok(wanted)
  return ok({ ...wanted, patientIdentifier: token, terms: wanted.terms.filter((one) => one !== term) })
}

/** Null: of nobody in particular. Somebody whom nobody knows has an empty trail, as one whom nobody looked up. */
async function whomOf(
  ctx: Context,
  reader: TrailReader,
  { patient, patientIdentifier }: TrailSearch,
): Promise<Result<Whom | null, Refusal>> {
  if (reader.kind !== 'privacy-officer') return await idsOf(ctx, [reader.person])
  if (patient === null && patientIdentifier === null) return ok(null)
  const found: string[][] = []
  if (patient !== null) {
    const loaded = await ctx.load(() => ({ subject: { by: 'patient', id: patient } }))
    if (!loaded.ok) return loaded
    // Else it is an id by which the log speaks of a person.
    found.push([loaded.value.subjects[0]?.person ?? patient])
  }
  if (patientIdentifier !== null) {
    const loaded = await personsOf(ctx, patientIdentifier)
    if (!loaded.ok) return loaded
    found.push(loaded.value)
  }
  const [first = [], second = first] = found
  return await idsOf(
    ctx,
    first.filter((person) => second.includes(person)),
  )
}

/** Persons of whom a facility published this identifier, or whose id in this record it is. */
async function personsOf(ctx: Context, { system, code }: TrailToken): Promise<Result<string[], Refusal>> {
  if (system === `${ctx.origin}/registry/person`) return ok(code === null ? [] : [code])
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `select distinct s.person from person_key as k cross join source_record as s on s.id = k.source_record
               where k.system = :system and k.value = :value limit :most`,
        args: { system: system ?? '', value: code ?? '', most: limits.maxPersonIds + 1 },
      },
    ],
  }))
  return loaded.ok ? ok([...texts(loaded.value.records[0], 'person')]) : loaded
}

async function idsOf(ctx: Context, persons: readonly string[]): Promise<Result<Whom, Refusal>> {
  if (persons.length === 0) return ok({ persons, ids: [] })
  const tooMany = (got: number): Result<never, Refusal> =>
    err({ reason: 'too-costly', of: 'patients', got, max: limits.maxPersonIds })
  if (persons.length > limits.maxPersonIds) return tooMany(persons.length)
  const loaded = await ctx.load(() => ({ records: persons.map(personIdsStatement) }))
  if (!loaded.ok) return loaded
  const ids = [...new Set(loaded.value.records.flatMap((rows) => texts(rows, 'person')))]
  return ids.length > limits.maxPersonIds ? tooMany(ids.length) : ok({ persons, ids })
}

/** What no index answers is looked for in as many entries as a page may cost; what it finds may be less than a page. */
async function readRows(
  ctx: Context,
  { from, until, terms, count }: TrailSearch,
  asked: Asked,
  whom: Whom | null,
  after: TrailPosition | null,
): Promise<{ readonly rows: Rows; readonly scanned: number }> {
  const byId = terms.find(({ name }) => name === '_id')
  if (byId) return { rows: await namedRows(ctx, byId, { from, until, after }, whom), scanned: count }
  const key = trailKeyOf(terms, whom?.ids ?? null, asked.organisation)
  const isFiltered = terms.length > 0 || (asked.organisation !== null && key.column !== 'organisation')
  const scanned = isFiltered ? Math.max(count, limits.trailScannedRows) : count
  const [site] = terms.find(({ name }) => name === 'site')?.tokens ?? []
  const isOneSite = terms.filter(({ name, tokens }) => name === 'site' && tokens.length === 1).length === 1
  const log = isOneSite ? (site?.code ?? null) : null
  const statement = trailPageStatement(key, { from, until, log, after }, scanned + 1)
  const [rows = []] = await ctx.ledger.read([statement], limits.exportPageDeadlineMs)
  return { rows, scanned }
}

/** Of the events that `_id` names: as rows of `trailPageStatement` would be. */
async function namedRows(
  { ledger }: Context,
  { tokens }: TrailTerm,
  { from, until, after }: Pick<TrailRange, 'from' | 'until' | 'after'>,
  whom: Whom | null,
): Promise<Rows> {
  const rows = await entriesOfEvents(
    ledger,
    tokens.map(({ code }) => code ?? ''),
  )
  const within = rows.filter((row) => {
    const { access } = JSON.parse(String(row.entry)) as ToldEntry
    const isOwn = whom === null || (access.patient !== null && whom.ids.includes(access.patient))
    const isLeft = after === null || isNewer(after, positionOf(row))
    return isOwn && isLeft && String(row.time) >= from && String(row.time) <= until
  })
  return within
    .sort((a, b) => (isNewer(positionOf(a), positionOf(b)) ? -1 : 1))
    .map((row) => ({ ...row, found: within.length }))
}

/** Places have names for patients only: officers are told their ids. */
async function namesOf(
  ctx: Context,
  reader: TrailReader,
  hits: readonly TrailHit[],
): Promise<Result<Loaded, Refusal>> {
  const records =
    reader.kind === 'privacy-officer' ? [] : placeNamesStatements(hits.map(({ entry }) => entry.access))
  return await ctx.load(() => ({ records }))
}

function isSame(caller: Loaded['caller'], reader: TrailReader): boolean {
  if (caller.kind === 'privacy-officer')
    return reader.kind === caller.kind && reader.organisation === caller.organisation
  return (
    isReader(caller) && caller.kind === reader.kind && 'person' in reader && caller.person === reader.person
  )
}

/**
 * Everybody whom the page names; of those who were asked about all, also where an entry has an earlier id, or where there is
 * none: that nobody has looked is told of them too.
 */
function disclosedOf(hits: readonly TrailHit[], whom: Whom | null): Disclosed[] {
  const named = hits.map(({ entry }) => entry.access.patient).filter((patient) => patient !== null)
  return [...new Set(whom?.persons ?? named)].map((patient) => ({ patient, resources: [] }))
}

function searchset(
  { origin, url }: Context,
  resources: readonly { readonly id: string; readonly json: string }[],
  next: string | null,
): string {
  const links = [
    { relation: 'self', url: url.href },
    ...(next === null ? [] : [{ relation: 'next', url: next }]),
  ]
  const entries = resources.map(
    ({ id, json }) =>
      `{"fullUrl":${JSON.stringify(`${origin}/fhir/AuditEvent/${id}`)},"resource":${json},"search":{"mode":"match"}}`,
  )
  const entry = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : ''
  return `{"resourceType":"Bundle","type":"searchset","link":${JSON.stringify(links)}${entry}}`
}

function bindingOf({ presented, url }: Context, reader: TrailReader): string {
  const question = new URLSearchParams(url.search)
  question.delete('_cursor')
  question.sort()
  const { issuer, subject, clientId } = presented
  const whose = reader.kind === 'privacy-officer' ? reader.organisation : reader.person
  return JSON.stringify([issuer, subject, clientId, url.pathname, question.toString(), reader.kind, whose])
}

async function openCursor({ keys }: Context, cursor: string, binding: string): Promise<TrailPosition | null> {
  const position = await createCursors(keys.cursorKey).open(cursor, binding)
  const [, log, index] = /^(.*)\/(\d+)$/.exec(position?.id ?? '') ?? []
  const [time] = position?.keys ?? []
  return typeof time !== 'string' || log === undefined ? null : { time, log, index: Number(index) }
}

async function nextLink({ keys, url }: Context, { time, log, index }: TrailPosition, binding: string) {
  const next = new URL(url)
  const position = { keys: [time], id: `${log}/${index}` }
  next.searchParams.set('_cursor', await createCursors(keys.cursorKey).seal(position, binding))
  return next.href
}
