/** The page statements of a search: what is asked, in which order, and how much of it one answer may hold. */
import type { DateSearch } from '../fhir/date.ts'
import type { SearchQuery, Token } from '../fhir/search.ts'
import { limits } from '../limits.ts'
import type { SqlValue, Statement } from '../store/ports.ts'
import type { Position } from './cursor.ts'
import { rowColumns, storedColumns } from './page.ts'

/**
 * Keeps the answer of a statement within `bytes` of stored text, by holding back bodies: the rows stay, and with them
 * what comes next.
 */
export type Bound = (from: string, args: Record<string, SqlValue>, rows: number, bytes: number) => string

/** No row takes more than its part: does for all but large documents, at no cost to the others. */
export const eachRow: Bound = (from, args, rows, bytes) => {
  args.row_bytes = Math.floor(bytes / rows)
  return `select ${rowColumns('d')}, case when octet_length(body) <= :row_bytes then body end as body
${from}`
}

/** As many rows as fit, and at least one. Its window costs 0.1 ms of CPU for 20 rows, so it is not what is asked first. */
export const runningSum: Bound = (from, args, _rows, bytes) => {
  args.page_bytes = bytes
  return `select ${rowColumns('measured')},
  case when bytes <= :page_bytes or bytes = octet_length(body) then body end as body
from (select ${storedColumns}, body,
  sum(octet_length(d.body)) over (order by d.date_lo desc, d.id rows unbounded preceding) as bytes
${from}) as measured`
}

/** The person a search names: looked up once per statement, wherever it stands. */
export const onePerson = '(select person from source_record where id = :patient)'

/**
 * The statements of a page. A single coding is looked for twice: by the index on the first coding, and in the person's
 * partition among second codings; the branches are merged in order.
 */
export function pageStatements(
  type: string,
  wanted: SearchQuery,
  after: Position | null,
  bound: Bound,
  filter: string,
  filterArgs: Readonly<Record<string, SqlValue>>,
): readonly Statement[] {
  const args: Record<string, SqlValue> = { ...filterArgs, type, rows: wanted.count + 1 }
  const where: string[] = []
  if (wanted.identifier) {
    Object.assign(args, {
      identifier: `${wanted.identifier.system}|${wanted.identifier.code}`,
      birth_date: wanted.birthDate,
    })
    where.push(
      "d.id in (select l.id from lookup as l where l.type = :type and l.param = 'identifier' and l.value = :identifier)",
      "d.body ->> '$.birthDate' = :birth_date",
    )
  } else {
    args.patient = wanted.patient
    where.push(`d.person = ${onePerson}`)
  }
  wanted.category.forEach((tokens, i) => {
    where.push(tokenFilter('category', tokens, `category_${i}`, args))
  })
  wanted.date.forEach((date, i) => {
    where.push(dateFilter(date, `date_${i}`, args))
  })
  if (after) {
    Object.assign(args, { after_date: after.dateLo, after_id: after.id })
    where.push('d.date_lo <= :after_date and (d.date_lo < :after_date or d.id > :after_id)')
  }
  const page = (conditions: readonly string[], branches: number): Statement => ({
    sql: bound(
      `from document as d
where d.type = :type and ${[...where, ...conditions].join('\n  and ')}
  and ${filter}
order by d.date_lo desc, d.id limit :rows`,
      args,
      wanted.count + 1,
      Math.floor(limits.maxPageBytes / branches),
    ),
    args,
  })
  const [single, ...others] = wanted.code
  const exact = single?.length === 1 && others.length === 0 ? single[0] : undefined
  if (exact?.system && exact.code !== null) {
    args.code = `${exact.system}|${exact.code}`
    return [
      page(['d.code = :code'], 2),
      page([`d.code <> :code and ${inLookup('code', 'l.value = :code')}`], 2),
    ]
  }
  return [
    page(
      wanted.code.map((tokens, i) => tokenFilter('code', tokens, `code_${i}`, args)),
      1,
    ),
  ]
}

const inLookup = (name: 'category' | 'code', condition: string): string =>
  `exists (select 1 from lookup as l where l.type = d.type and l.id = d.id and l.param = '${name}' and ${condition})`

/** A disjunction of tokens over first coding (column) and further codings (lookup), as one bound JSON list per form. */
function tokenFilter(
  name: 'category' | 'code',
  tokens: readonly Token[],
  prefix: string,
  args: Record<string, SqlValue>,
): string {
  const forms: string[] = []
  const form = (suffix: string, values: readonly string[], of: (value: string) => string) => {
    if (values.length === 0) return
    args[`${prefix}_${suffix}`] = JSON.stringify(values)
    const listed = `(select value from json_each(:${prefix}_${suffix}))`
    forms.push(`${of(`d.${name}`)} in ${listed}`, inLookup(name, `${of('l.value')} in ${listed}`))
  }
  form(
    'exact',
    tokens.filter((t) => t.system !== null && t.code !== null).map((t) => `${t.system}|${t.code}`),
    (value) => value,
  )
  form(
    'code',
    tokens.filter((t) => t.system === null).map((t) => t.code ?? ''),
    codeOf,
  )
  form(
    'system',
    tokens.filter((t) => t.code === null).map((t) => t.system ?? ''),
    systemOf,
  )
  return `(${forms.join('\n    or ')})`
}

const codeOf = (value: string): string => `substr(${value}, instr(${value}, '|') + 1)`
const systemOf = (value: string): string => `substr(${value}, 1, instr(${value}, '|') - 1)`

/** R4 §3.1.1.4.6: the searched range against the range of the document, both as UTC text. */
function dateFilter({ prefix, lo, hi }: DateSearch, name: string, args: Record<string, SqlValue>): string {
  const bind = (text: string, side: 'lo' | 'hi'): string => {
    args[`${name}_${side}`] = text
    return `:${name}_${side}`
  }
  switch (prefix) {
    case 'eq':
      return `d.date_lo >= ${bind(lo, 'lo')} and d.date_hi <= ${bind(hi, 'hi')} and d.date_lo <> ''`
    case 'ne':
      return `(d.date_lo < ${bind(lo, 'lo')} or d.date_hi > ${bind(hi, 'hi')}) and d.date_lo <> ''`
    case 'gt':
      return `d.date_hi > ${bind(hi, 'hi')}`
    case 'ge':
      return `d.date_hi >= ${bind(lo, 'lo')}`
    case 'lt':
      return `d.date_lo < ${bind(lo, 'lo')} and d.date_lo <> ''`
    case 'le':
      return `d.date_lo <= ${bind(hi, 'hi')} and d.date_lo <> ''`
    case 'sa':
      return `d.date_lo > ${bind(hi, 'hi')}`
    case 'eb':
      return `d.date_hi < ${bind(lo, 'lo')} and d.date_lo <> ''`
    case 'ap':
      return `d.date_lo <= ${bind(hi, 'hi')} and d.date_hi >= ${bind(lo, 'lo')} and d.date_lo <> ''`
  }
}
