/** The page statements of a search: what is asked, in which order, and how much of it one answer may hold. */
import type { Anchor, SearchQuery } from '../fhir/search.ts'
import type { OwnFilter } from '../fhir/search-filters.ts'
import { folded } from '../fhir/search-values.ts'
import { limits } from '../limits.ts'
import type { SqlValue, Statement } from '../store/ports.ts'
import type { Position } from './cursor.ts'
import { rowColumns, storedColumns } from './page.ts'
import { createScope, list, type Scope } from './search-conditions.ts'
import { type Order, orderOf } from './search-order.ts'
import { inLookup, isRight, ownPredicate, tokenColumn } from './search-predicate.ts'

/**
 * Keeps the answer of a statement within `bytes` of stored text, by holding back bodies: the rows stay, and with them
 * what comes next.
 */
export type Bound = (
  from: string,
  order: Order,
  args: Record<string, SqlValue>,
  rows: number,
  bytes: number,
) => string

const keysAs = ({ keys }: Order): string => keys.map((key, i) => `, ${key} as key_${i}`).join('')

/** No row takes more than its part: does for all but large documents, at no cost to the others. */
export const eachRow: Bound = (from, order, args, rows, bytes) => {
  args.row_bytes = Math.floor(bytes / rows)
  return `select ${rowColumns('d')}${keysAs(order)}, case when octet_length(body) <= :row_bytes then body end as body
${from}`
}

/** As many rows as fit, and at least one. Its window costs 0.1 ms of CPU for 20 rows, so it is not what is asked first. */
export const runningSum: Bound = (from, order, args, _rows, bytes) => {
  args.page_bytes = bytes
  const keys = order.keys.map((_, i) => `, key_${i}`).join('')
  return `select ${rowColumns('measured')}${keys},
  case when bytes <= :page_bytes or bytes = octet_length(body) then body end as body
from (select ${storedColumns}${keysAs(order)}, body,
  sum(octet_length(d.body)) over (order by ${order.by} rows unbounded preceding) as bytes
${from}) as measured`
}

/** The person a search names: looked up once per statement, wherever it stands. */
export const onePerson = '(select person from source_record where id = :patient)'

/** Where the rows of a search are. */
export type Partition =
  /** Of one person: `person` is an expression. */
  | { readonly by: 'person'; readonly person: string }
  /** About nobody. */
  | { readonly by: 'type' }
  | { readonly by: 'ids' }
  | { readonly by: 'identifiers'; readonly texts: readonly string[] }
  | { readonly by: 'demographics'; readonly anchor: Anchor }

export interface PageQuestion {
  readonly type: string
  readonly partition: Partition
  /** What chains came to is among them, as conditions on references and ids. */
  readonly filters: readonly OwnFilter[]
  readonly wanted: Pick<SearchQuery, 'count' | 'sort' | 'isTotalWanted' | 'summary'>
  readonly after: Position | null
  readonly bound: Bound
  /** Predicate on a row `d`: what the caller may see. */
  readonly filter: string
  readonly filterArgs: Readonly<Record<string, SqlValue>>
}

export interface PageStatements {
  /** Each in the page's order, complete in its first `count + 1` rows. */
  readonly pages: readonly Statement[]
  /** One row: `total`. */
  readonly total: Statement | null
}

/**
 * A single coding is looked for twice: by the index on the first coding, and in the person's partition among second
 * codings; the branches are merged in order.
 */
export function pageStatements(question: PageQuestion): PageStatements {
  const { type, partition, filters, wanted, filterArgs } = question
  const isCount = wanted.summary === 'count'
  const count = isCount ? limits.maxPageRows : wanted.count
  const args: Record<string, SqlValue> = { ...filterArgs, type }
  const scope = createScope(args)
  const order = orderOf(type, wanted.sort, 'd', scope)
  const exact = partition.by === 'person' ? exactCode(type, filters) : null
  const rest = exact ? filters.filter((one) => one !== exact.filter) : filters
  const where = [
    ...partitionOf(partition, scope),
    ...rest.map((one) => ownPredicate(type, one, 'd', scope)),
    isRight('d'),
    question.filter,
  ]
  const branches = exact ? exactBranches(exact.text, scope) : [{ table: 'document as d', where: [] }]
  // A database refuses values that a statement does not name: those of the page alone come after.
  const total = wanted.isTotalWanted ? totalOf(where, branches, { ...args }) : null
  // A count needs no rows, unless it is they that tell whom it is about.
  if (isCount && (partition.by === 'person' || partition.by === 'type')) return { pages: [], total }
  args.rows = count + 1
  const after = question.after ? [order.after(question.after)] : []
  const pages = branches.map((branch): Statement => {
    const from = `from ${branch.table}
where d.type = :type and ${[...branch.where, ...where, ...after].join('\n  and ')}
order by ${order.by} limit :rows`
    const bytes = Math.floor(limits.maxPageBytes / branches.length)
    return { sql: question.bound(from, order, args, count + 1, bytes), args }
  })
  return { pages, total }
}

interface Branch {
  readonly table: string
  readonly where: readonly string[]
}

/** SQLite would rather read the whole partition, whose rows it need not look up again: of thousands, a few have the code. */
function exactBranches(text: string, scope: Scope): readonly Branch[] {
  const code = scope.bind(text)
  return [
    { table: 'document as d indexed by document_code', where: [`d.code = ${code}`] },
    {
      table: 'document as d',
      where: [`d.code <> ${code}`, inLookup('d', 'code', (value) => `${value} = ${code}`, scope)],
    },
  ]
}

function totalOf(
  where: readonly string[],
  branches: readonly Branch[],
  args: Readonly<Record<string, SqlValue>>,
): Statement {
  const counts = branches.map(
    (branch) =>
      `(select count(*) from ${branch.table} where d.type = :type and ${[...branch.where, ...where].join('\n  and ')})`,
  )
  return { sql: `select ${counts.join('\n  + ')} as total`, args }
}

/** The only condition on `code`, where it is one coding. */
function exactCode(type: string, filters: readonly OwnFilter[]) {
  const onCode = filters.filter((one) => tokenColumn(type, one.parameter) === 'code')
  const [filter] = onCode
  if (!filter || onCode.length > 1 || filter.kind !== 'match' || filter.modifier !== null) return null
  const [token] = filter.values
  const isOne = filter.values.length === 1 && token?.of === 'token' && token.system && token.code !== null
  return isOne ? { filter, text: `${token.system}|${token.code}` } : null
}

function partitionOf(partition: Partition, scope: Scope): readonly string[] {
  switch (partition.by) {
    case 'person':
      return [`d.person = ${partition.person}`]
    case 'type':
      return ["d.person = ''"]
    case 'ids':
      // The condition on `_id` finds them.
      return []
    case 'identifiers':
      return [`d.id in (${byLookup('identifier', `l.value in ${list(partition.texts, scope)}`)})`]
    case 'demographics':
      return [`d.id in (${candidates(partition.anchor, scope)})`]
  }
}

const byLookup = (param: string, condition: string): string =>
  `select l.id from lookup as l where l.type = :type and l.param = '${param}' and ${condition}`

/** `Patient`s by what is known of them, one more than may be: then more must be known (`tooManyNamesakes`). */
function candidates(anchor: Anchor, scope: Scope): string {
  const limit = `limit ${limits.maxNamesakes + 1}`
  if (anchor.param === 'birthdate')
    return `${byLookup('birthdate', `l.value = ${scope.bind(anchor.date)}`)} ${limit}`
  const from = folded(anchor.text).slice(0, limits.maxLookupLength)
  // U+10FFFF comes after whatever a name goes on with.
  const isIt = `l.value >= ${scope.bind(from)} and l.value < ${scope.bind(`${from}\u{10FFFF}`)}`
  return `${byLookup(anchor.param, isIt)} ${limit}`
}

/** One row: how many candidates an anchor has, up to one more than may be. */
export function candidateCount(type: string, anchor: Anchor): Statement {
  const args: Record<string, SqlValue> = { type }
  return { sql: `select count(*) as candidates from (${candidates(anchor, createScope(args))})`, args }
}
