/** The order of a search's pages: as SQL, as a comparison of rows of two databases, and as a position to go on from. */
import type { SortKey } from '../fhir/search-answer-query.ts'
import type { SearchParameter } from '../fhir/search-parameters.ts'
import { limits } from '../limits.ts'
import type { Row } from '../store/ports.ts'
import type { Position } from './cursor.ts'
import type { Scope } from './search-conditions.ts'
import { placesOf, rangeAt, tokensAt, valuesAt } from './search-elements.ts'
import { dateColumns } from './search-predicate.ts'

/** Null sorts last, whatever the direction. */
export type Key = string | number | null

export interface Order {
  /** Of a row `d`, one expression per key; none: the stored date of service alone. */
  readonly keys: readonly string[]
  /** After `order by`. */
  readonly by: string
  /** Rows after a position. */
  after(position: Position): string
  /** Of `select`ed keys `key_0` … */
  compare(a: Sorted, b: Sorted): number
}

export interface Sorted {
  readonly keys: readonly Key[]
  readonly id: string
}

/** The keys of a row that selects them; undefined where it selects none. */
export const keysOf = (row: Row, { keys }: Order): readonly Key[] | undefined =>
  keys.length === 0 ? undefined : keys.map((_, i) => (row[`key_${i}`] ?? null) as Key)

/**
 * By date of service the clustered order is the answer's, forwards or backwards; anything else is sorted. R4 leaves open what
 * comes first of the same key: the id decides.
 */
export function orderOf(type: string, sort: readonly SortKey[], d: string, scope: Scope): Order {
  const [first, ...others] = sort
  const columns = first && others.length === 0 ? dateColumns(type, first.parameter, d) : null
  if (!first || columns?.lo === `${d}.date_lo`) return byDate(d, first?.isDescending ?? true, scope)
  const keys = sort.map(({ parameter, isDescending }) => keyOf(type, parameter, isDescending, d, scope))
  const directions = sort.map(({ isDescending }) => isDescending)
  return {
    keys,
    by: [...keys.map((key, i) => `${key} is null, ${key}${directions[i] ? ' desc' : ''}`), `${d}.id`].join(
      ', ',
    ),
    after: (position) => afterKeys(keys, directions, position, d, scope),
    compare: (a, b) => {
      for (let i = 0; i < keys.length; i++) {
        const order = compareKeys(a.keys[i] ?? null, b.keys[i] ?? null, directions[i] ?? false)
        if (order !== 0) return order
      }
      return compareText(a.id, b.id)
    },
  }
}

/** A document without a date has the empty text there, which is the least. */
function byDate(d: string, isDescending: boolean, scope: Scope): Order {
  const [down, up] = isDescending ? [' desc', ''] : ['', ' desc']
  const [before, beyond] = isDescending ? ['<', '>'] : ['>', '<']
  return {
    keys: [],
    by: `${d}.date_lo${down}, ${d}.id${up}`,
    after: ({ keys: [date = ''], id }) => {
      const at = scope.bind(date)
      return `${d}.date_lo ${before}= ${at} and (${d}.date_lo ${before} ${at} or ${d}.id ${beyond} ${scope.bind(id)})`
    },
    compare: (a, b) => {
      const sign = isDescending ? 1 : -1
      const byKey = compareText(String(b.keys[0] ?? ''), String(a.keys[0] ?? ''))
      return sign * (byKey !== 0 ? byKey : compareText(a.id, b.id))
    },
  }
}

/** The least value of a document, or (descending) its greatest. */
function keyOf(
  type: string,
  parameter: SearchParameter,
  isDescending: boolean,
  d: string,
  scope: Scope,
): string {
  const { name, sources } = parameter
  if (name === '_id') return `${d}.id`
  if (name === '_lastUpdated') return `${d}.published`
  const columns = parameter.type === 'date' ? dateColumns(type, parameter, d) : null
  if (columns) return `nullif(${columns.lo}, '')`
  const least = isDescending ? 'max' : 'min'
  if (parameter.type === 'string') {
    const l = scope.namer('l')
    return `(select ${least}(substr(${l}.value, 1, ${limits.maxSortKeyLength})) from lookup as ${l}
      where ${l}.type = ${d}.type and ${l}.id = ${d}.id and ${l}.param = '${name}')`
  }
  const values = placesOf(sources, `${d}.body`, scope.namer).map(({ source, place }) => {
    switch (parameter.type) {
      case 'token': {
        const at = tokensAt(place, source.dataType)
        return valuesAt(at.place, `substr(${at.code}, 1, ${limits.maxSortKeyLength})`)
      }
      case 'date':
        return valuesAt(place, rangeAt(place, source.dataType).lo)
      case 'quantity':
        return valuesAt(place, sortedNumber(place.value('value')))
      case 'number':
        return valuesAt(place, sortedNumber(place.value()))
      case 'reference':
        return valuesAt(place, place.value(source.dataType === 'Reference' ? 'reference' : ''))
      default:
        return valuesAt(place, `substr(${place.value()}, 1, ${limits.maxSortKeyLength})`)
    }
  })
  return `(select ${least}(v) from (${values.join(' union all ')}))`
}

/** Integers past 2^53 cannot be read back exactly, and what is past a double is no JSON: neither may fail a page, or its cursor. */
const sortedNumber = (value: string): string =>
  `max(min(cast(${value} as real), ${Number.MAX_VALUE}), -${Number.MAX_VALUE})`

function afterKeys(
  keys: readonly string[],
  directions: readonly boolean[],
  position: Position,
  d: string,
  scope: Scope,
): string {
  const alternatives = [...keys.keys(), keys.length].map((i) => {
    const same = keys.slice(0, i).map((key, j) => {
      const value = position.keys[j] ?? null
      return value === null ? `${key} is null` : `${key} = ${scope.bind(value)}`
    })
    const key = keys[i]
    if (key === undefined) return [...same, `${d}.id > ${scope.bind(position.id)}`].join(' and ')
    const value = position.keys[i] ?? null
    // Nothing comes after what has no value but others without one.
    if (value === null) return 'false'
    return [...same, `(${key} is null or ${key} ${directions[i] ? '<' : '>'} ${scope.bind(value)})`].join(
      ' and ',
    )
  })
  return `(${alternatives.map((one) => `(${one})`).join(' or ')})`
}

function compareKeys(a: Key, b: Key, isDescending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b))
  return isDescending ? -order : order
}

/** As SQLite compares: by code points, which is what UTF-8 bytes amount to. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [[...a], [...b]]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
