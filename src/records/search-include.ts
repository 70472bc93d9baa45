/**
 * What `_include` and `_revinclude` add to a page: what its rows refer to, and what refers to them; of the same person or of
 * nobody, and only what the caller may see (FHIR R4 §3.1.1.5.4).
 */
import type { Resource } from '../fhir/bundle.ts'
import { valuesAt as elementValues } from '../fhir/codings.ts'
import { isObject } from '../fhir/json.ts'
import type { Include } from '../fhir/search-answer-query.ts'
import type { SearchParameter } from '../fhir/search-parameters.ts'
import type { Value } from '../fhir/search-values.ts'
import { limits } from '../limits.ts'
import type { SqlValue, Statement } from '../store/ports.ts'
import { type judge, merge, type PageRow, rowColumns, storedColumns } from './page.ts'
import { createScope, list, type Scope } from './search-conditions.ts'
import { isAboutPersons } from './search-links.ts'
import { isRight, ownPredicate } from './search-predicate.ts'

/** A resource that a row of the page refers to, and whose that row is. */
export interface Referred {
  readonly type: string
  readonly id: string
  readonly person: string
}

/** What the rows refer to by the includes, each once, without the rows themselves. */
export function referredBy(rows: readonly PageRow[], includes: readonly Include[]): readonly Referred[] {
  const own = new Set(rows.map(({ type, id }) => `${type}/${id}`))
  const found = new Map<string, Referred>()
  for (const row of rows) {
    const resource = JSON.parse(row.body) as Resource
    for (const { type, parameter, target } of includes) {
      if (row.type !== type) continue
      for (const [to, id] of referencesOf(resource, parameter)) {
        const key = `${to}/${id}`
        if (own.has(key) || (target !== null && to !== target)) continue
        found.set(key, { type: to, id, person: row.person })
      }
    }
  }
  return [...found.values()]
}

/** Type and id of each reference within this record. */
function referencesOf(
  resource: Resource,
  { sources }: SearchParameter,
): readonly (readonly [string, string])[] {
  return sources.flatMap(({ path, only }) =>
    elementValues(resource, path.map(({ name }) => name).join('.')).flatMap((value) => {
      const text = isObject(value) ? value.reference : undefined
      const [, type = '', id = ''] =
        typeof text === 'string' ? (/^([A-Z][A-Za-z]*)\/([A-Za-z0-9\-.]{1,64})$/.exec(text) ?? []) : []
      return type !== '' && (only === null || only === type) ? [[type, id] as const] : []
    }),
  )
}

export type Visible = (type: string, scope: Scope) => string

const typesOf = (referred: readonly Referred[]): readonly string[] => [
  ...new Set(referred.map(({ type }) => type)),
]

const idsOf = (referred: readonly Referred[], type: string): readonly string[] =>
  referred.filter((one) => one.type === type).map(({ id }) => id)

/** Whether `includeStatements` asks for everything. */
export function isWhollyAsked(referred: readonly Referred[]): boolean {
  const types = typesOf(referred)
  return (
    types.length <= limits.maxIncludedTypes &&
    types.every((type) => idsOf(referred, type).length <= limits.maxIncluded)
  )
}

/** One statement per type referred to. Text that would not fit one answer is held back. */
export function includeStatements(
  referred: readonly Referred[],
  visible: Visible,
  filterArgs: Readonly<Record<string, SqlValue>>,
): readonly Statement[] {
  const types = typesOf(referred).slice(0, limits.maxIncludedTypes)
  return types.map((type) => {
    const args: Record<string, SqlValue> = { ...filterArgs, type }
    const scope = createScope(args)
    const ids = idsOf(referred, type).slice(0, limits.maxIncluded)
    const persons = ['', ...new Set(referred.map(({ person }) => person))]
    return bounded(
      `from document as d
where d.type = :type and d.id in ${list(ids, scope)}
  and d.person in ${list(persons, scope)}
  and ${isRight('d')}
  and ${visible(type, scope)}`,
      args,
      types.length,
    )
  })
}

/** One statement per `_revinclude`. */
export function reverseStatements(
  rows: readonly PageRow[],
  revincludes: readonly Include[],
  visible: Visible,
  filterArgs: Readonly<Record<string, SqlValue>>,
): readonly Statement[] {
  const persons = [...new Set(rows.map(({ person }) => person))].filter((person) => person !== '')
  const values = rows.map(({ type, id }): Value => ({ of: 'reference', kind: 'local', type, id }))
  return revincludes.map(({ type, parameter }) => {
    const args: Record<string, SqlValue> = { ...filterArgs, type }
    const scope = createScope(args)
    const partition = isAboutPersons(type)
      ? `d.person in ${list(persons, scope)}`
      : `d.person = '' and d.id in (select l.id from lookup as l where l.type = :type and l.param = '${parameter.name}'
      and l.value in ${list(
        rows.map(({ type, id }) => `${type}/${id}`),
        scope,
      )})`
    const refers = ownPredicate(type, { kind: 'match', parameter, modifier: null, values }, 'd', scope)
    return bounded(
      `from document as d
where d.type = :type and ${partition} and ${isRight('d')}
  and ${refers}
  and ${visible(type, scope)}`,
      args,
      revincludes.length,
    )
  })
}

/** Of included rows, those that the policy permits and a released row has to do with; each once. */
export function includedOf(
  rows: readonly PageRow[],
  page: readonly PageRow[],
  judgeAll: (rows: readonly PageRow[], type: string) => ReturnType<typeof judge>,
) {
  const own = new Set(page.map(({ type, id }) => `${type}/${id}`))
  const persons = new Set(page.map(({ person }) => person))
  const fitting = rows.filter(
    ({ type, id, person }) => !own.has(`${type}/${id}`) && (person === '' || persons.has(person)),
  )
  const types = [...new Set(fitting.map(({ type }) => type))]
  const judged = types.map((type) => {
    const ofType = fitting.filter((row) => row.type === type)
    const merged = merge([ofType], ofType.length)
    return { ...judgeAll(merged.rows, type), isCut: merged.isCut }
  })
  return {
    rows: judged.flatMap((one) => one.rows).slice(0, limits.maxIncluded),
    mismatches: judged.flatMap((one) => one.mismatches),
    isCut: judged.some((one) => one.isCut) || rows.length > limits.maxIncluded,
  }
}

/** At most so many rows, and of their text what fits. */
function bounded(from: string, args: Record<string, SqlValue>, statements: number): Statement {
  args.page_bytes = Math.floor(limits.maxPageBytes / statements)
  return {
    sql: `select ${rowColumns('measured')}, case when bytes <= :page_bytes then body end as body
from (select ${storedColumns}, body,
  sum(octet_length(d.body)) over (order by d.type, d.id rows unbounded preceding) as bytes
${from}
limit ${limits.maxIncluded + 1}) as measured`,
    args,
  }
}
