/** `GET /fhir/{Type}/{id}/_history`: what became of one document, newest version first. */
import * as z from 'zod'
import { decideRow, noCodings, type Situation } from '../access/policy.ts'
import { grantsFor } from '../access/scope.ts'
import { permittedLocal, permittedLocalArgs } from '../access/visible-local.ts'
import type { Asker, Disclosure, Loaded, Operation, OperationContext, Page } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { sealedTexts } from './cursor.ts'
import { filtersFor, stateOf, stateStatements, subjectOf } from './document-state.ts'
import { historyBundle } from './history-bundle.ts'
import { type HistoryQuery, type HistorySpan, historyQuery, spanOf } from './history-query.ts'
import { type PageRow, pageRow, versionedReference } from './page.ts'
import { badCursor, bindingOf } from './paging.ts'
import { judgeVersions, type Known, reasonOf, type VersionRow } from './versions.ts'
import { type HistoryPage, historyStatement, type RowFilter } from './versions-sql.ts'

const param = z.object({ type: z.string(), id: z.string() })

type Context = OperationContext<z.infer<typeof param>, HistoryQuery>

export const readHistory: Operation<z.infer<typeof param>, HistoryQuery> = {
  name: 'history',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/:id{[A-Za-z0-9.-]{1,64}}/_history',
  action: 'history',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 'r' }),
  param,
  query: historyQuery,
  handle: history,
}

interface Wanted extends HistorySpan {
  readonly before: number | null
}

async function history(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  const cursors = sealedTexts(ctx.keys.cursorKey)
  const binding = bindingOf(ctx, ctx.url.searchParams)
  const { _cursor: cursor } = ctx.query
  const opened = cursor === undefined ? null : await cursors.open(cursor, binding)
  if (cursor !== undefined && opened === null) return err(badCursor)
  const wanted: Wanted = {
    before: opened === null ? null : Number(opened),
    ...spanOf(ctx.query),
  }

  let loaded = await ctx.load((asker) => pageFor(ctx, asker, wanted, null))
  if (!loaded.ok) return loaded
  const grants = grantsFor(ctx.scopes, loaded.value.caller.kind, { type, interaction: 'r' })
  let state = stateOf(loaded.value, { ...loaded.value, grants }, ctx.param)
  if (state.kind === 'hidden') return err(state.refusal)
  if (isCrowded(loaded.value)) {
    const known = loaded.value
    loaded = await ctx.load((asker) => pageFor(ctx, asker, wanted, known))
    if (!loaded.ok) return loaded
    state = stateOf(loaded.value, { ...loaded.value, grants }, ctx.param)
    if (state.kind === 'hidden') return err(state.refusal)
  }
  // A list that says it is whole, and is not, would be worse than none.
  if (loaded.value.isLocalMissing) return err({ reason: 'store-unavailable', detail: 'local' })
  const situation: Situation = { ...loaded.value, grants }
  const earlier = judgeVersions(loaded.value, situation, state, {
    records: loaded.value.records[2],
    local: loaded.value.local[2],
  })
  const page = pageOf(state, earlier.rows, wanted)
  const last = page.rows.at(-1)
  const next = page.more && last ? await cursors.seal(String(last.version), binding) : null
  const told = earlier.rows.filter((row) => page.rows.includes(row))
  const { reason, basis, breakGlassReason } = reasonOf(loaded.value, situation, state, told)
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    body: historyBundle(ctx, page.rows, next),
    disclosed: [{ patient: state.row.person || null, resources: page.rows.map(versionedReference) }],
    reason,
    breakGlassReason,
    mismatches: [...state.judged.mismatches, ...earlier.mismatches],
    ...(basis === null ? {} : { note: { basis } }),
  })
}

function pageFor(ctx: Context, asker: Asker, { count, before, since }: Wanted, known: Loaded | null): Page {
  const { type } = ctx.param
  const { records, local } = stateStatements(ctx.param, filtersFor(ctx, asker, type))
  const filters = filtersFor(ctx, asker, type, 'columns')
  const page: HistoryPage = { before, since, rows: count + 1, bytes: Math.floor(limits.maxPageBytes / 2) }
  return {
    subject: subjectOf(ctx.param),
    records: [...records, historyStatement(ctx.param, page, filters.records)],
    local: [...local, historyStatement(ctx.param, page, permitted(filters.local, known))],
  }
}

/** Of the local rows, once the facts are known, those alone that the policy permits. */
const permitted = ({ sql, args }: RowFilter, known: Loaded | null): RowFilter =>
  known?.caller.kind === 'provider'
    ? {
        sql: `${sql} and ${permittedLocal('d')}`,
        args: { ...args, ...permittedLocalArgs(known.caller, known) },
      }
    : { sql, args }

/** Local rows that the policy refuses take the place of others: what is withheld must not show in where pages end. */
const isCrowded = ({ caller, subjects, settings, local: [, , rows = []] }: Loaded): boolean =>
  caller.kind === 'provider' &&
  rows.some((row) => {
    const decided = { ...pageRow(row, false), codings: noCodings }
    return decideRow(caller, { subjects, settings, grants: null }, decided).outcome === 'deny'
  })

type Told = PageRow & Pick<VersionRow, 'isDeletion'>

/** @param earlier newest first, also of the document that is current or deleted */
function pageOf(
  state: Known,
  earlier: readonly VersionRow[],
  { before, since, count }: Wanted,
): { readonly rows: readonly Told[]; readonly more: boolean } {
  const newest: Told = { ...state.row, isDeletion: state.kind === 'deleted' }
  const isAsked = (before === null || newest.version < before) && newest.published >= since
  const rows: Told[] = []
  let bytes = 0
  for (const row of [
    ...(isAsked ? [newest] : []),
    ...earlier.filter(({ version }) => version < newest.version),
  ]) {
    bytes += row.body.length
    const isHeldBack = row.body === '' && !row.isDeletion
    const isFull = rows.length === count || (rows.length > 0 && bytes > limits.maxPageBytes)
    if (isFull || isHeldBack) return { rows, more: true }
    rows.push(row)
  }
  return { rows, more: false }
}
