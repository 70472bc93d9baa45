/** Conditions of a search as predicates on a row of `document` (FHIR R4 §3.1.1.4). Values are bound, never written into the SQL. */
import type { DatePrefix, DateSearch } from '../fhir/date.ts'
import { elementsOf } from '../fhir/elements.ts'
import type { OwnFilter } from '../fhir/search-filters.ts'
import { type Composite, type SearchParameter, type Source, textMembers } from '../fhir/search-parameters.ts'
import {
  folded,
  type NumberPrefix,
  type NumberSearch,
  type QuantitySearch,
  type Value,
} from '../fhir/search-values.ts'
import { limits } from '../limits.ts'
import type { SqlValue } from '../store/ports.ts'
import {
  type Namer,
  type Place,
  placeOf,
  placesOf,
  quantityAt,
  rangeAt,
  someAt,
  tokensAt,
} from './search-elements.ts'

/** What a statement binds, and the names it gives: one per statement. */
export interface Scope {
  readonly args: Record<string, SqlValue>
  readonly namer: Namer
  /** `:name` of a value. */
  bind(value: SqlValue): string
}

export function createScope(args: Record<string, SqlValue>): Scope {
  let count = 0
  const namer: Namer = (prefix) => `${prefix}${count++}`
  return {
    args,
    namer,
    bind: (value) => {
      const name = namer('v')
      args[name] = value
      return `:${name}`
    },
  }
}

type Of<T extends Value['of']> = Extract<Value, { readonly of: T }>
const only = <T extends Value['of']>(values: readonly Value[], of: T): readonly Of<T>[] =>
  values.filter((value): value is Of<T> => value.of === of)

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
          datePredicate(date, columns.lo, columns.hi, scope, columns.present),
        ),
      )
  }
  const { composite } = parameter
  if (composite) return compositePredicate(composite, only(values, 'composite'), d, scope)
  return sourcesPredicate(parameter, values, `${d}.body`, scope)
}

const anyOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'false' : `(${conditions.join('\n    or ')})`

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
        datePredicate(date, low, high, scope, `${low} is not null`),
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

/** A list of values as one bound JSON text. */
const list = (values: readonly SqlValue[], scope: Scope): string =>
  `(select value from json_each(${scope.bind(JSON.stringify(values))}))`

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
  const first = textCondition(`${d}.${column}`, tokens, scope)
  return `(${first} or ${inLookup(d, column, (value) => textCondition(value, tokens, scope), scope)})`
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

/** Tokens against a stored `system|code`. */
const textCondition = (text: string, tokens: readonly Of<'token'>[], scope: Scope): string =>
  tokenCondition(
    {
      system: `substr(${text}, 1, instr(${text}, '|') - 1)`,
      code: `substr(${text}, instr(${text}, '|') + 1)`,
      whole: text,
    },
    tokens,
    scope,
  )

/** A disjunction of tokens, as one bound list per form. */
function tokenCondition(
  at: { readonly system: string; readonly code: string; readonly whole?: string },
  tokens: readonly Of<'token'>[],
  scope: Scope,
): string {
  const forms: string[] = []
  const form = (values: readonly string[], expression: string) => {
    if (values.length > 0) forms.push(`${expression} in ${list(values, scope)}`)
  }
  form(
    tokens.flatMap(({ system, code }) => (system !== null && code !== null ? [`${system}|${code}`] : [])),
    at.whole ?? `coalesce(${at.system}, '') || '|' || ${at.code}`,
  )
  form(
    tokens.flatMap(({ system, code }) => (system === null ? [code ?? ''] : [])),
    at.code,
  )
  form(
    tokens.flatMap(({ system, code }) => (code === null ? [system ?? ''] : [])),
    at.system,
  )
  return anyOf(forms)
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

/** R4 §3.1.1.4.6: the searched range against the range of the document, both as UTC text. */
function datePredicate(
  { prefix, lo, hi }: DateSearch,
  low: string,
  high: string,
  scope: Scope,
  present: string,
): string {
  const conditions: Readonly<Record<DatePrefix, () => string>> = {
    eq: () => `${low} >= ${scope.bind(lo)} and ${high} <= ${scope.bind(hi)}`,
    ne: () => `(${low} < ${scope.bind(lo)} or ${high} > ${scope.bind(hi)})`,
    gt: () => `${high} > ${scope.bind(hi)}`,
    ge: () => `${high} >= ${scope.bind(lo)}`,
    lt: () => `${low} < ${scope.bind(lo)}`,
    le: () => `${low} <= ${scope.bind(hi)}`,
    sa: () => `${low} > ${scope.bind(hi)}`,
    eb: () => `${high} < ${scope.bind(lo)}`,
    ap: () => `${low} <= ${scope.bind(hi)} and ${high} >= ${scope.bind(lo)}`,
  }
  return `(${conditions[prefix]()} and ${present})`
}

// --- number and quantity

function numberCondition(
  value: string,
  { prefix, value: wanted, lo, hi }: NumberSearch,
  scope: Scope,
): string {
  const conditions: Readonly<Record<NumberPrefix, () => string>> = {
    // With all the digits that a number can have, nothing but itself rounds to it.
    eq: () =>
      `(${value} = ${scope.bind(wanted)} or ${value} >= ${scope.bind(lo)} and ${value} < ${scope.bind(hi)})`,
    ne: () =>
      `${value} <> ${scope.bind(wanted)} and (${value} < ${scope.bind(lo)} or ${value} >= ${scope.bind(hi)})`,
    gt: () => `${value} > ${scope.bind(wanted)}`,
    sa: () => `${value} > ${scope.bind(wanted)}`,
    ge: () => `${value} >= ${scope.bind(wanted)}`,
    lt: () => `${value} < ${scope.bind(wanted)}`,
    eb: () => `${value} < ${scope.bind(wanted)}`,
    le: () => `${value} <= ${scope.bind(wanted)}`,
    ap: () => `${value} >= ${scope.bind(lo)} and ${value} <= ${scope.bind(hi)}`,
  }
  return `(typeof(${value}) in ('integer', 'real') and ${conditions[prefix]()})`
}

function quantityCondition(
  at: ReturnType<typeof quantityAt>,
  { system, code, ...number }: QuantitySearch,
  scope: Scope,
): string {
  const unit =
    code === null
      ? []
      : system === null
        ? [`${scope.bind(code)} in (${at.code}, ${at.unit})`]
        : [`${at.system} = ${scope.bind(system)}`, `${at.code} = ${scope.bind(code)}`]
  return `(${[numberCondition(at.value, number, scope), ...unit].join(' and ')})`
}

// --- reference

const urlOf = (reference: Of<'reference'>): string =>
  reference.kind === 'url' ? reference.url : `${reference.type ?? ''}/${reference.id}`

/** Stored references are `Type/<server id>` or absolute: an id alone is the part after the only slash. */
function referenceCondition(
  text: string,
  type: string | null,
  references: readonly Of<'reference'>[],
  scope: Scope,
): string {
  const bare = references.flatMap((one) => (one.kind === 'local' && one.type === null ? [one.id] : []))
  const whole = references.filter((one) => one.kind === 'url' || one.type !== null).map(urlOf)
  const forms = [
    ...(whole.length > 0 ? [`${text} in ${list(whole, scope)}`] : []),
    ...(bare.length > 0
      ? [`${text} not like '%:%' and substr(${text}, instr(${text}, '/') + 1) in ${list(bare, scope)}`]
      : []),
  ]
  const isTarget = type === null ? '' : `${text} like '${type}/%' and `
  return `(${isTarget}${anyOf(forms)})`
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
