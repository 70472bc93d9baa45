/**
 * Chains and reverse chains: a search of its own for each, over what the caller may see of the other resources, in both
 * databases; what it finds becomes a condition of the search itself. So a chain never tells of what its reader may not read.
 */
import type { Caller } from '../access/caller.ts'
import { decideRow, noCodings, type Situation } from '../access/policy.ts'
import { elementsOf } from '../fhir/elements.ts'
import type { LinkFilter, OwnFilter } from '../fhir/search-filters.ts'
import { searchParametersByName } from '../fhir/search-parameters.ts'
import type { Value } from '../fhir/search-values.ts'
import { limits } from '../limits.ts'
import type { Row, Rows, SqlValue, Statement } from '../store/ports.ts'
import { codingsOf, pageRow, rowColumns } from './page.ts'
import { createScope, type Scope } from './search-conditions.ts'
import { placesOf, valuesAt } from './search-elements.ts'
import { isRight, ownPredicate } from './search-predicate.ts'

/** Whether resources of the type are about a person, or are one. */
export const isAboutPersons = (type: string): boolean =>
  type === 'Patient' || elementsOf(type).person.length > 0

/**
 * One statement per type of the link's other resource. Rows: what decides about each, and `refs`, a JSON array of what it
 * refers to by the link (`has`).
 *
 * @param person expression for the person whose resources are looked at; null: only those about nobody
 * @param bytes of stored text that may come along; null: none is needed, since no scope asks about codings
 */
export function linkStatement(
  { kind, parameter, filter }: LinkFilter,
  type: string,
  person: string | null,
  visible: (scope: Scope) => string,
  filterArgs: Readonly<Record<string, SqlValue>>,
  bytes: number | null,
): Statement {
  const args: Record<string, SqlValue> = {
    ...filterArgs,
    type,
    ...(bytes === null ? {} : { link_bytes: bytes }),
  }
  const scope = createScope(args)
  const own = filter.get(type)
  const where = [
    `d.person = ${isAboutPersons(type) && person !== null ? person : "''"}`,
    isRight('d'),
    own ? ownPredicate(type, own, 'd', scope) : 'false',
    visible(scope),
  ]
  const references = placesOf(parameter.sources, 'd.body', scope.namer)
    .filter(({ source }) => source.dataType === 'Reference')
    .map(({ place }) => valuesAt(place, place.value('reference')))
  // What is named by its canonical URL alone is no resource of this record.
  const refs =
    kind === 'has' && references.length > 0
      ? `(select json_group_array(v) from (${references.join(' union all ')}))`
      : 'null'
  const body =
    bytes === null
      ? 'null'
      : 'case when sum(octet_length(d.body)) over (order by d.date_lo desc, d.id rows unbounded preceding) <= :link_bytes then body end'
  return naming(
    `select ${rowColumns('d')}, ${refs} as refs, ${body} as body from document as d
where d.type = :type and ${where.join('\n  and ')}
limit ${limits.maxLinked + 1}`,
    args,
  )
}

/** Of these values those that the statement names, which is not always the person: a database refuses others. */
function naming(sql: string, args: Readonly<Record<string, SqlValue>>): Statement {
  const names = new Set([...sql.matchAll(/:([a-z_][a-z_0-9]*)/g)].map(([, name]) => name ?? ''))
  return { sql, args: Object.fromEntries(Object.entries(args).filter(([name]) => names.has(name))) }
}

/** Whether the token's scopes ask about codings, which only the stored text has. */
export const isConditional = ({ grants }: Pick<Situation, 'grants'>): boolean =>
  grants?.some(({ parameters }) => parameters.length > 0) ?? false

/** What a link came to, or that it came to too much. */
export type Linked = { readonly filter: OwnFilter | null } | { readonly tooMany: number }

/**
 * The condition that a link stands for, after the policy has judged its rows. Null: one that always holds.
 *
 * @param shared rows of *records*; `local`: of the local database
 * @param situationOf by type of the rows
 */
export function linkedFilter(
  link: LinkFilter,
  type: string,
  { shared, local }: { readonly shared: readonly Row[]; readonly local: readonly Row[] },
  caller: Caller,
  situationOf: (type: string) => Situation,
): Linked {
  if (Math.max(shared.length, local.length) > limits.maxLinked) return { tooMany: limits.maxLinked }
  // Text that was held back cannot be decided by its codings.
  const isHeldBack = (row: Row): boolean => row.body === null && isConditional(situationOf(String(row.type)))
  const known = [...shared, ...local].findIndex(isHeldBack)
  if (known >= 0) return { tooMany: known }
  const permitted = [...permittedOf(shared, true), ...permittedOf(local, false)]
  function permittedOf(rows: Rows, isShared: boolean): readonly Row[] {
    return rows.filter((row) => {
      const read = pageRow(row, isShared)
      const situation = situationOf(read.type)
      const codings = isConditional(situation) ? codingsOf(read) : noCodings
      return decideRow(caller, situation, { ...read, codings }).outcome === 'permit'
    })
  }
  if (link.kind === 'chain') {
    const values = permitted.map((row): Value => localReference(String(row.type), String(row.id)))
    return { filter: { kind: 'match', parameter: link.parameter, modifier: null, values } }
  }
  // By the person whose resources were looked at, whichever of its `Patient`s they name.
  if (link.parameter.isPerson && type === 'Patient' && permitted.length > 0) return { filter: null }
  const ids = permitted
    .flatMap(({ refs }) => JSON.parse(String(refs ?? '[]')) as (string | null)[])
    .flatMap((text) => (text?.startsWith(`${type}/`) ? [text.slice(type.length + 1)] : []))
  const parameter = searchParametersByName(type).get('_id')
  if (!parameter) return { filter: null }
  const values = [...new Set(ids)].map((id): Value => ({ of: 'token', system: null, code: id }))
  return { filter: { kind: 'match', parameter, modifier: null, values } }
}

const localReference = (type: string, id: string): Value => ({ of: 'reference', kind: 'local', type, id })
