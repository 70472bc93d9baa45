/** One batch of a search: the statements of its page for both databases, and what they answered, told apart again. */
import type { SubjectOf } from '../access/subject.ts'
import { type Viewer, visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import { permittedLocal, permittedLocalArgs } from '../access/visible-local.ts'
import type { Asker, Loaded } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { SearchQuery } from '../fhir/search.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import type { Row, Rows, SqlValue, Statement } from '../store/ports.ts'
import type { Position } from './cursor.ts'
import { identityStatement } from './identity-look-up.ts'
import { type PageRow, pageRow } from './page.ts'
import { createScope } from './search-conditions.ts'
import {
  includeStatements,
  isWhollyAsked,
  type Referred,
  referredBy,
  reverseStatements,
} from './search-include.ts'
import { keysOf, type Order, orderOf } from './search-order.ts'
import { narrowed, type Resolved, type SearchContext } from './search-resolve.ts'
import {
  type Bound,
  candidateCount,
  type PageStatements,
  type Partition,
  pageStatements,
} from './search-sql.ts'

export interface PageAsked {
  readonly wanted: SearchQuery
  readonly resolved: Resolved
  readonly after: Position | null
  readonly bound: Bound
  /** What an earlier batch of this request said; null: nothing yet. */
  readonly known: Loaded | null
  /** Rows whose includes are asked for; null: none yet. */
  readonly referring: readonly PageRow[] | null
}

export interface PageLoaded {
  readonly loaded: Loaded
  readonly order: Order
  /** One list per page statement. */
  readonly shared: readonly (readonly PageRow[])[]
  readonly local: readonly (readonly PageRow[])[]
  readonly included: readonly PageRow[]
  /** The page refers to more than was asked for. */
  readonly isIncludeCut: boolean
  /** Of both databases; null: not asked. */
  readonly total: number | null
  /** Of an identity look-up. */
  readonly identities: Rows
  /** More people share what was asked for than are looked at. */
  readonly isTooMany: boolean
}

export async function loadPage(ctx: SearchContext, asked: PageAsked): Promise<Result<PageLoaded, Refusal>> {
  const { type } = ctx.param
  const { wanted, referring } = asked
  const referred = referring === null ? [] : referredBy(referring, wanted.includes)
  // Of the last time the statements were made: a registry that has moved on has them made again.
  let pages = 0
  let includes = 0
  const loaded = await ctx.load((asker) => {
    const records = statementsFor(ctx, asked, referred, asker, false)
    const local = statementsFor(ctx, asked, referred, asker, true)
    pages = records.page.pages.length
    includes = records.includes.length
    const subject = subjectOf(asked, records.page)
    return {
      ...(subject ? { subject } : {}),
      records: [...inOrder(records), ...candidatesOf(type, wanted), ...identityOf(wanted)],
      local: inOrder(local),
    }
  })
  if (!loaded.ok) return loaded
  const order = orderOf(type, wanted.sort, 'd', createScope({}))
  const { records, local } = loaded.value
  const isCounted = wanted.isTotalWanted
  const row = (isShared: boolean) => (one: Row) => pageRow(one, isShared, keysOf(one, order))
  const pagesOf = (all: readonly Rows[], isShared: boolean) =>
    all.slice(0, pages).map((rows) => rows.map(row(isShared)))
  const includesOf = (all: readonly Rows[], isShared: boolean) =>
    all.slice(pages, pages + includes).flatMap((rows) => rows.map(row(isShared)))
  const totalOf = (all: readonly Rows[]): number => Number(all[pages + includes]?.[0]?.total ?? 0)
  const rest = records.slice(pages + includes + (isCounted ? 1 : 0))
  const candidates = wanted.named.by === 'demographics' ? Number(rest[0]?.[0]?.candidates ?? 0) : 0
  return ok({
    loaded: loaded.value,
    order,
    shared: pagesOf(records, true),
    local: pagesOf(local, false),
    included: [...includesOf(records, true), ...includesOf(local, false)],
    isIncludeCut: !isWhollyAsked(referred),
    total: isCounted ? totalOf(records) + totalOf(local) : null,
    identities: wanted.identity ? (rest.at(-1) ?? []) : [],
    isTooMany: candidates > limits.maxNamesakes,
  })
}

interface Statements {
  readonly page: PageStatements
  readonly includes: readonly Statement[]
}

const inOrder = ({ page, includes }: Statements): readonly Statement[] => [
  ...page.pages,
  ...includes,
  ...(page.total ? [page.total] : []),
]

const candidatesOf = (type: string, { named }: SearchQuery): readonly Statement[] =>
  named.by === 'demographics' ? [candidateCount(type, named.anchor)] : []

const identityOf = ({ identity }: SearchQuery): readonly Statement[] =>
  identity ? [identityStatement(identity)] : []

function statementsFor(
  ctx: SearchContext,
  asked: PageAsked,
  referred: readonly Referred[],
  asker: Asker,
  isLocal: boolean,
): Statements {
  const { type } = ctx.param
  const { wanted, resolved, after, bound, referring } = asked
  const person = resolved.person?.expression
  const seen = seenBy(asked, asker, isLocal, person)
  const filterArgs = { ...resolved.person?.args, ...seen.args }
  const scopeArgs: Record<string, SqlValue> = { ...filterArgs }
  const filter = `${seen.filter} and ${narrowed(ctx, asker, type, scopeArgs)}`
  const page = pageStatements({
    type,
    partition: partitionOf(asked),
    filters: resolved.filters,
    wanted,
    after,
    bound,
    filter,
    filterArgs: scopeArgs,
  })
  if (referring === null) return { page, includes: [] }
  const around = seenBy(asked, asker, isLocal, undefined)
  const visibleOf = (of: string, scope: { readonly args: Record<string, SqlValue> }) =>
    `${around.filter} and ${narrowed(ctx, asker, of, scope.args, 'r')}`
  return {
    page,
    includes: [
      ...includeStatements(referred, visibleOf, around.args),
      ...reverseStatements(referring, wanted.revincludes, visibleOf, around.args),
    ],
  }
}

/** The row filter of one database. */
function seenBy(
  { known }: PageAsked,
  viewer: Viewer & Pick<Asker, 'facility'>,
  isLocal: boolean,
  person: string | undefined,
): { readonly filter: string; readonly args: Readonly<Record<string, SqlValue>> } {
  if (!isLocal) return { filter: visible('d', viewer, person), args: visibleArgs(viewer) }
  const own = visibleLocalArgs(viewer.facility)
  return known?.caller.kind === 'provider'
    ? { filter: permittedLocal('d'), args: { ...own, ...permittedLocalArgs(known.caller, known) } }
    : { filter: visibleLocal('d'), args: own }
}

function partitionOf({ wanted: { named }, resolved }: PageAsked): Partition {
  switch (named.by) {
    case 'person':
      return { by: 'person', person: resolved.person?.expression ?? 'null' }
    case 'ids':
      return { by: 'ids' }
    case 'type':
      return { by: 'type' }
    case 'identifiers':
    case 'demographics':
      return named
  }
}

/** Whom the page is about; where only its rows tell, those of the local database are asked first. */
function subjectOf(
  { wanted: { named, identity }, resolved }: PageAsked,
  { pages }: PageStatements,
): SubjectOf | ((local: readonly Rows[]) => SubjectOf) | null {
  if (resolved.person) return resolved.person.subject
  if (identity) return { by: 'identifier', ...identity }
  const [page] = pages
  if (named.by === 'type' || page === undefined) return null
  return (local) => ({
    by: 'rows',
    sql: page.sql,
    args: page.args as Readonly<Record<string, SqlValue>>,
    sourceRecords: [...new Set((local[0] ?? []).map((row) => String(row.source_record)))],
  })
}
