/** Conditions of a search as predicates on a row of `document`: which columns, look-ups or elements each one looks at. */
import { elementsOf } from '../fhir/elements.ts'
import type { OwnFilter } from '../fhir/search-filters.ts'
import { type Composite, type SearchParameter, type Source, textMembers } from '../fhir/search-parameters.ts'
import { folded, type Value } from '../fhir/search-values.ts'
import { limits } from '../limits.ts'
import {
  anyOf,
  codingCondition,
  dateCondition,
  list,
  numberCondition,
  type Of,
  only,
  quantityCondition,
  referenceCondition,
  type Scope,
  tokenCondition,
  urlOf,
} from './search-conditions.ts'
import { type Place, placeOf, placesOf, quantityAt, rangeAt, someAt, tokensAt } from './search-elements.ts'

/** Predicate on a row `d` of `type`. */
export function ownPredicate(type: string, filter: OwnFilter, d: string, scope: Scope): string {
  const { parameter } = filter
  if (filter.kind === 'missing') {
    const present = isPresent(parameter, d, scope)
    // What is absent compares as null, which `not` would leave null.
    return filter.isMissing ? `${present} is not true` : present
  }
  const { values, modifier } = filter
  switch (parameter.type) {
    case 'token': {
      const matches = tokenPredicate(type, parameter, only(values, 'token'), d, scope)
      return modifier === 'not' ? `${matches} is not true` : matches
    }
    case 'string':
      return modifier === 'exact'
        ? exactPredicate(parameter, only(values, 'string'), d, scope)
        : textPredicate(parameter, only(values, 'string'), modifier === 'contains', d, scope)
    default:
      return elementsPredicate(type, parameter, values, d, scope)
  }
}

/** What a document entered in error is never found by: its stored status says so, whichever element does (`fhir/status.ts`). */
export const isRight = (d: string): string => `${d}.status <> 'entered-in-error'`

function elementsPredicate(
  type: string,
  parameter: SearchParameter,
  values: readonly Value[],
  d: string,
  scope: Scope,
): string {
  if (parameter.type === 'date') {
    const columns = dateColumns(type, parameter, d)
    if (columns)
      return anyOf(
        only(values, 'date').map((date) =>
          dateCondition(date, columns.lo, columns.hi, scope, columns.present),
        ),
      )
  }
  const { composite } = parameter
  if (composite) return compositePredicate(composite, only(values, 'composite'), d, scope)
  return sourcesPredicate(parameter, values, `${d}.body`, scope)
}

function isPresent(parameter: SearchParameter, d: string, { namer }: Scope): string {
  if (parameter.name === '_id' || parameter.name === '_lastUpdated') return 'true'
  const { composite } = parameter
  const places = composite
    ? composite.contexts.map((path) => placeOf(`${d}.body`, path, namer))
    : placesOf(parameter.sources, `${d}.body`, namer).map(({ place, source }) =>
        source.only === null ? place : ofTarget(place, source.only),
      )
  return anyOf(places.map((place) => someAt(place, `${place.type()} is not null`)))
}

const ofTarget = (place: Place, type: string): Place => ({
  ...place,
  where: [...place.where, `${place.value('reference')} like '${type}/%'`],
})

/** Any source, any value. */
function sourcesPredicate(
  { type, sources }: Pick<SearchParameter, 'type' | 'sources'>,
  values: readonly Value[],
  root: string,
  scope: Scope,
): string {
  return anyOf(
    placesOf(sources, root, scope.namer).map(({ source, place }) =>
      sourcePredicate(type, source, place, values, scope),
    ),
  )
}

function sourcePredicate(
  type: SearchParameter['type'],
  source: Source,
  place: Place,
  values: readonly Value[],
  scope: Scope,
): string {
  const { dataType } = source
  switch (type) {
    case 'token': {
      const at = tokensAt(place, dataType)
      return someAt(at.place, tokenCondition(at, only(values, 'token'), scope))
    }
    case 'date': {
      const { lo, hi } = rangeAt(place, dataType)
      const [low, high] = [scope.namer('lo'), scope.namer('hi')]
      const conditions = only(values, 'date').map((date) =>
        dateCondition(date, low, high, scope, `${low} is not null`),
      )
      return someAt(
        place,
        `exists (select 1 from (select ${lo} as ${low}, ${hi} as ${high}) where ${anyOf(conditions)})`,
      )
    }
    case 'number': {
      const value = place.value()
      const conditions = only(values, 'number').map((number) => numberCondition(value, number, scope))
      return someAt(place, anyOf(conditions))
    }
    case 'quantity': {
      const at = quantityAt(place, dataType)
      return someAt(place, anyOf(only(values, 'quantity').map((one) => quantityCondition(at, one, scope))))
    }
    case 'reference':
      return someAt(
        place,
        dataType === 'Reference'
          ? referenceCondition(place.value('reference'), source.only, only(values, 'reference'), scope)
          : `${place.value()} in ${list(only(values, 'reference').map(urlOf), scope)}`,
      )
    case 'uri':
      return someAt(
        place,
        `${place.value()} in ${list(
          only(values, 'uri').map(({ text }) => text),
          scope,
        )}`,
      )
    case 'string':
    case 'composite':
      throw new Error(`a ${type} parameter is not compared element by element`)
  }
}

// --- token

/**
 * `code` and `category` are stored beside the document where R4's parameter looks at just that element: the first coding in a
 * column, further ones in `lookup`.
 */
export function tokenColumn(type: string, { name, sources }: SearchParameter): 'code' | 'category' | null {
  const { code, codeParam, category, categoryParam } = elementsOf(type)
  const [source, ...others] = sources
  const path = source?.path.map((step) => step.name).join('.')
  if (others.length > 0) return null
  if (name === codeParam && path === code) return 'code'
  return name === categoryParam && path === category ? 'category' : null
}

function tokenPredicate(
  type: string,
  parameter: SearchParameter,
  tokens: readonly Of<'token'>[],
  d: string,
  scope: Scope,
): string {
  if (parameter.name === '_id')
    return `${d}.id in ${list(
      tokens.filter(({ system }) => !system).map(({ code }) => code ?? ''),
      scope,
    )}`
  const column = tokenColumn(type, parameter)
  if (column === null) return sourcesPredicate(parameter, tokens, `${d}.body`, scope)
  const first = codingCondition(`${d}.${column}`, tokens, scope)
  return `(${first} or ${inLookup(d, column, (value) => codingCondition(value, tokens, scope), scope)})`
}

export function inLookup(
  d: string,
  param: string,
  condition: (value: string) => string,
  { namer }: Scope,
): string {
  const l = namer('l')
  return `exists (select 1 from lookup as ${l} where ${l}.type = ${d}.type and ${l}.id = ${d}.id and ${l}.param = '${param}' and ${condition(`${l}.value`)})`
}

// --- string

/** Begins with one of the texts, or contains one: by what is stored folded in `lookup`. */
function textPredicate(
  { name }: SearchParameter,
  texts: readonly Of<'string'>[],
  isAnywhere: boolean,
  d: string,
  scope: Scope,
): string {
  const wanted = list(
    texts.map(({ text }) => folded(text).slice(0, limits.maxLookupLength)),
    scope,
  )
  const w = scope.namer('w')
  const meets = (value: string): string =>
    isAnywhere ? `instr(${value}, ${w}.value) > 0` : `substr(${value}, 1, length(${w}.value)) = ${w}.value`
  return inLookup(d, name, (value) => `exists (select 1 from ${wanted} as ${w} where ${meets(value)})`, scope)
}

function exactPredicate(
  { sources }: SearchParameter,
  texts: readonly Of<'string'>[],
  d: string,
  scope: Scope,
): string {
  const wanted = list(
    texts.map(({ text }) => text),
    scope,
  )
  return anyOf(
    placesOf(sources, `${d}.body`, scope.namer).flatMap(({ source, place }) =>
      (textMembers[source.dataType] ?? [['', false] as const]).map(([member, repeats]) => {
        if (!repeats) return someAt(place, `${place.value(member)} in ${wanted}`)
        const each = place.each(member)
        return someAt(each, `${each.value()} in ${wanted}`)
      }),
    ),
  )
}

// --- date

/** The stored date of service, where the parameter looks at just that. */
export function dateColumns(type: string, { name, sources }: SearchParameter, d: string) {
  if (name === '_lastUpdated') return { lo: `${d}.published`, hi: `${d}.published`, present: 'true' }
  const { person, date } = elementsOf(type)
  const paths = sources.map((source) => source.path.map((step) => step.name).join('.'))
  // Rows about nobody have no date there.
  if (person.length === 0 || paths.join(' ') !== date.filter((path) => paths.includes(path)).join(' '))
    return null
  return date.length === paths.length
    ? { lo: `${d}.date_lo`, hi: `${d}.date_hi`, present: `${d}.date_lo <> ''` }
    : null
}

// --- composite

function compositePredicate(
  { contexts, components }: Composite,
  values: readonly Of<'composite'>[],
  d: string,
  scope: Scope,
): string {
  return anyOf(
    contexts.map((path) => {
      const place = placeOf(`${d}.body`, path, scope.namer)
      const meets = values.map(({ parts }) => {
        const conditions = components.map((component, i) =>
          sourcesPredicate(component, parts.slice(i, i + 1), place.object(), scope),
        )
        return `(${conditions.join('\n      and ')})`
      })
      return someAt(place, anyOf(meets))
    }),
  )
}
