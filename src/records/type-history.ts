/**
 * `GET /fhir/{Type}/_history`: every version that a facility published of a type, newest first. By it the facility's other
 * systems keep in step, so the pages are cut by when, which and what version: a document that is written, corrected, deleted,
 * shared or unshared while they are read keeps the place of each of its versions.
 */
import { z } from 'zod'
import { noCodings, ownFacilityTypes } from '../access/policy.ts'
import { forbidden } from '../access/refusal.ts'
import { grantsFor, isUnconditional } from '../access/scope.ts'
import type { Asker, Disclosure, Loaded, Operation, OperationContext, Page } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows } from '../store/ports.ts'
import { createCursors, type Position } from './cursor.ts'
import { historyBundle } from './history-bundle.ts'
import { type HistoryQuery, type HistorySpan, historyQuery, spanOf } from './history-query.ts'
import { disclosedOf, judge, type PageRow, pageRow, versionedReference } from './page.ts'
import { badCursor, bindingOf } from './paging.ts'
import { type FeedPosition, feedStatements, overdueStatement, personsOf } from './type-history-sql.ts'

const param = z.object({ type: z.string() })

type Context = OperationContext<z.infer<typeof param>, HistoryQuery>

export const readTypeHistory: Operation<z.infer<typeof param>, HistoryQuery> = {
  name: 'history-type',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/_history',
  action: 'history',
  callers: ['facility-system'],
  scope: ({ type }) => ({ type, interaction: 'r' }),
  param,
  query: historyQuery,
  serves: isFed,
  handle: typeHistory,
}

/** The history of these types would be taken for that of the log, or of the register. */
function isFed(type: string): boolean {
  return resourceTypes.has(type) && !ownFacilityTypes.includes(type)
}

async function typeHistory(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!isFed(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  const cursors = createCursors(ctx.keys.cursorKey)
  const binding = bindingOf(ctx, ctx.url.searchParams)
  const { _cursor: cursor } = ctx.query
  const opened = cursor === undefined ? null : await cursors.open(cursor, binding)
  if (cursor !== undefined && opened === null) return err(badCursor)
  const span = spanOf(ctx.query)

  const loaded = await ctx.load((asker) => pageFor(type, asker, span, opened && placeOf(opened)))
  if (!loaded.ok) return loaded
  const { caller, isLocalMissing } = loaded.value
  const grants = grantsFor(ctx.scopes, caller.kind, { type, interaction: 'r' })
  // What a document says now decides whether such a scope reaches its versions, and here it is not looked up.
  if (grants !== null && !grants.some(isUnconditional)) return forbidden('scope-insufficient')
  // A list that says it is whole, and is not, would be worse than none.
  if (isLocalMissing) return err({ reason: 'store-unavailable', detail: 'local' })
  const [, , overdue = []] = loaded.value.local
  if (overdue.length > 0) return err({ reason: 'store-unavailable', detail: 'a local write waits' })
  const page = await withPersons(ctx, cut(versionsOf(loaded.value), span.count))
  if (!page.ok) return page
  const { rows, more } = page.value
  const judged = judge(caller, { ...loaded.value, grants }, rows, () => noCodings)
  const last = rows.at(-1)
  const next = more && last ? await cursors.seal(positionOf(last), binding) : null
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    body: historyBundle(ctx, judged.rows, next),
    disclosed: disclosedOf(judged.rows),
    reason: judged.reason,
    mismatches: judged.mismatches,
  })
}

function pageFor(
  type: string,
  { sight, now }: Asker,
  { since, count }: HistorySpan,
  after: FeedPosition | null,
): Page {
  const facility = sight?.kind === 'facility-system' ? sight.facility : null
  const statements = feedStatements({
    type,
    facility,
    after,
    since,
    rows: count + 1,
    // Of two statements in each of two databases.
    bytes: Math.floor(limits.maxPageBytes / 4),
  })
  return { records: statements, local: [...statements, overdueStatement(facility, now)] }
}

type Version = PageRow & { readonly isDeletion: boolean }

const placeOf = ({ keys: [published, version], id }: Position): FeedPosition => ({
  published: String(published),
  id,
  version: Number(version),
})

const positionOf = ({ published, id, version }: FeedPosition): Position => ({
  keys: [published, version],
  id,
})

/**
 * In order, each once: a document that went to the other database and came back unchanged has the same version in both, and
 * in one of them twice.
 */
function versionsOf({ records, local }: Pick<Loaded, 'records' | 'local'>): readonly Version[] {
  const rowsIn = (results: readonly Rows[], shared: boolean): readonly Version[] =>
    results.flat().map((row) => ({ ...pageRow(row, shared), isDeletion: Number(row.deleted) === 1 }))
  const unique = new Map<string, Version>()
  for (const row of [...rowsIn(records, true), ...rowsIn(local.slice(0, 2), false)]) {
    const known = unique.get(versionedReference(row))
    if (!known || isHeldBack(known)) unique.set(versionedReference(row), row)
  }
  return [...unique.values()].sort(newestFirst)
}

const newestFirst = (a: FeedPosition, b: FeedPosition): number =>
  descending(a.published, b.published) || descending(a.id, b.id) || b.version - a.version

const descending = (a: string, b: string): number => (a === b ? 0 : a < b ? 1 : -1)

const isHeldBack = ({ body, isDeletion }: Version): boolean => body === '' && !isDeletion

interface Cut {
  readonly rows: readonly Version[]
  readonly more: boolean
}

/**
 * Whom an earlier version is about, where its own database does not say: the document may be current in the other one, and
 * the version may have named nobody yet. It is that person's entry that tells of it.
 */
async function withPersons(ctx: Context, { rows, more }: Cut): Promise<Result<Cut, Refusal>> {
  const unknown = rows.filter(({ person }) => person === '')
  if (unknown.length === 0) return ok({ rows, more })
  const loaded = await ctx.load(() => ({
    records: personsOf(
      ctx.param.type,
      unknown.map(({ id }) => id),
      unknown.map(({ sourceRecord }) => sourceRecord),
    ),
  }))
  if (!loaded.ok) return loaded
  const [documents = [], sources = []] = loaded.value.records
  const byId = new Map(documents.map(({ id, person }) => [id, String(person)]))
  const bySource = new Map(sources.map(({ id, person }) => [id, String(person)]))
  const known = rows.map((row) =>
    row.person === '' ? { ...row, person: bySource.get(row.sourceRecord) ?? byId.get(row.id) ?? '' } : row,
  )
  // About somebody, and nobody can say whom: no entry could be that person's.
  if (known.some(({ person, sourceRecord }) => person === '' && sourceRecord !== ''))
    return err({ reason: 'store-unavailable', detail: 'a version is about a person that is not known' })
  return ok({ rows: known, more })
}

/** Each statement has the first `count + 1` of its own, the first of them with its body: so there is always one to begin with. */
function cut(versions: readonly Version[], count: number): Cut {
  const rows: Version[] = []
  const patients = new Set<string>()
  let bytes = 0
  for (const row of versions) {
    bytes += row.body.length
    patients.add(row.person)
    const isFull =
      rows.length === count ||
      patients.size > limits.maxAccessPatients ||
      (rows.length > 0 && bytes > limits.maxPageBytes)
    if (isFull || isHeldBack(row)) return { rows, more: true }
    rows.push(row)
  }
  return { rows, more: false }
}
