/**
 * The search grammar of this server: what the parameters of a search mean (FHIR R4 §3.1.1). Anything unknown is an issue,
 * never an unfiltered answer, unless the client asked for leniency: then it is told what was passed over.
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { elementsOf } from './elements.ts'
import type { Issue } from './outcome.ts'
import { type AnswerQuery, isAnswerParameter, readAnswerQuery } from './search-answer-query.ts'
import { type Filter, type OwnFilter, readFilter } from './search-filters.ts'
import { type Value, wrong } from './search-values.ts'

/** How a search names the person it is about. */
export type PersonNamed =
  /** Server id of a `Patient`. */
  | { readonly by: 'patient'; readonly id: string }
  /** `patient.identifier=system|value` (IHE MHD). */
  | { readonly by: 'identifier'; readonly system: string; readonly value: string }
  /** Server id of an `Encounter`. */
  | { readonly by: 'encounter'; readonly id: string }

/** What a search names, and so where it looks. */
export type Named =
  | { readonly by: 'person'; readonly person: PersonNamed }
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  /** `system|value` texts. */
  | { readonly by: 'identifiers'; readonly texts: readonly string[] }
  /** A `Patient`, by what somebody says of themselves. */
  | { readonly by: 'demographics'; readonly anchor: Anchor }
  /** Nothing: resources about no person. */
  | { readonly by: 'type' }

/** The condition by whose index `Patient`s are looked for. */
export type Anchor =
  | { readonly param: 'birthdate'; readonly date: string }
  | { readonly param: 'family' | 'given' | 'name'; readonly text: string }

/** Looking somebody up by identifier and whole birth date: told also of people whom the caller knows nothing else of. */
export interface IdentityLookUp {
  readonly system: string
  readonly value: string
  /** YYYY-MM-DD. */
  readonly birthDate: string
  /** Texts of `family`, any of them; null: not asked. */
  readonly families: readonly string[] | null
  /** Whether nothing else is asked: else only what is in the record can be compared. */
  readonly isAll: boolean
}

export interface SearchQuery extends AnswerQuery {
  readonly named: Named
  readonly identity: IdentityLookUp | null
  /** All must hold. */
  readonly filters: readonly Filter[]
  /** What a lenient client's search does not heed, and the names of those parameters. */
  readonly ignored: readonly Issue[]
  readonly ignoredNames: readonly string[]
}

export interface SearchOptions {
  /** Of this server's FHIR URLs, ending in `/`. */
  readonly baseUrl: string
  /** `Prefer: handling=lenient`: what is not known is passed over, and said to be. */
  readonly isLenient: boolean
}

export function parseSearch(
  type: string,
  raw: URLSearchParams,
  { baseUrl, isLenient }: SearchOptions,
): Result<SearchQuery, readonly Issue[]> {
  const issues: Issue[] = []
  const ignored: Issue[] = []
  const ignoredNames: string[] = []
  const filters: Filter[] = []
  const entries = [...raw]
  if (entries.length > limits.maxSearchParameters) return err([tooManyParameters])
  const answer = readAnswerQuery(type, raw, issues)
  for (const [name, text] of entries) {
    if (isAnswerParameter(name)) continue
    const read = readFilter(type, name, text, baseUrl)
    if (read.ok) filters.push(read.value)
    else if (isLenient && read.error.every(({ code }) => code === 'not-supported')) {
      ignored.push(...read.error)
      ignoredNames.push(name)
    } else issues.push(...read.error)
  }
  if (filters.reduce((sum, filter) => sum + comparisonsOf(filter), 0) > limits.maxSearchComparisons)
    issues.push(wrong('', 'trop de valeurs à comparer', 'too many values to compare'))
  const named = issues.length > 0 ? ok<Named>({ by: 'type' }) : namedBy(type, filters)
  if (!named.ok) issues.push(...named.error)
  if (issues.length > 0 || !named.ok) return err(issues)
  return ok({
    ...answer,
    named: named.value,
    identity: type === 'Patient' ? identityIn(filters) : null,
    filters: named.value.by === 'person' ? filters.filter((one) => !namesPerson(one)) : filters,
    ignored,
    ignoredNames,
  })
}

/** Values that a statement compares one by one; of all others it is given a list. */
function comparisonsOf(filter: Filter): number {
  switch (filter.kind) {
    case 'missing':
      return 0
    case 'match':
      return filter.values.filter(({ of }) => comparedSingly.has(of)).length
    case 'chain':
    case 'has':
      return Math.max(...[...filter.filter.values()].map(comparisonsOf))
  }
}

const comparedSingly: ReadonlySet<Value['of']> = new Set(['date', 'number', 'quantity', 'composite'])

type Match = Extract<OwnFilter, { kind: 'match' }>

const isMatch = (filter: Filter): filter is Match => filter.kind === 'match' && filter.modifier === null

const matchesOf = (filters: readonly Filter[], name: string): readonly Match[] =>
  filters.filter((one): one is Match => isMatch(one) && one.parameter.name === name)

function namedBy(type: string, filters: readonly Filter[]): Result<Named, readonly Issue[]> {
  const persons = filters.flatMap((filter) => personOf(filter) ?? [])
  if (persons.length > 1 || filters.some(isSeveralPersons))
    return err([wrong('patient', 'attend un seul `Patient/[id]`', 'expects one `Patient/[id]`')])
  const [person] = persons
  if (person) return ok({ by: 'person', person })
  const ids = matchesOf(filters, '_id')
  if (ids[0])
    return ok({
      by: 'ids',
      ids: ids[0].values.flatMap((value) => (value.of === 'token' ? (value.code ?? []) : [])),
    })
  const texts = matchesOf(filters, 'identifier').map(({ values }) => values.flatMap(identifierText))
  const whole = texts.find((one, i) => one.length === matchesOf(filters, 'identifier')[i]?.values.length)
  if (whole) return ok({ by: 'identifiers', texts: whole })
  const encounter = filters.flatMap((filter) => encounterOf(filter) ?? [])[0]
  if (encounter !== undefined) return ok({ by: 'person', person: { by: 'encounter', id: encounter } })
  if (type === 'Patient') {
    const anchor = anchorOf(filters)
    return anchor ? ok({ by: 'demographics', anchor }) : err([patientUnnamed])
  }
  if (elementsOf(type).person.length === 0) return ok({ by: 'type' })
  return err([personUnnamed])
}

/** `system|value`; empty where the value alone, or any value of the system, is asked for. */
const identifierText = (value: Value): readonly string[] =>
  value.of === 'token' && value.system && value.code !== null ? [`${value.system}|${value.code}`] : []

const namesPerson = (filter: Filter): boolean => personOf(filter) !== null

const personValues = (filter: Filter): readonly Value[] =>
  isMatch(filter) && filter.parameter.isPerson
    ? filter.values.filter(
        (value) =>
          value.of === 'reference' && value.kind === 'local' && (value.type ?? 'Patient') === 'Patient',
      )
    : []

const isSeveralPersons = (filter: Filter): boolean =>
  isMatch(filter) && personValues(filter).length > 0 && filter.values.length > 1

function personOf(filter: Filter): PersonNamed | null {
  const [value] = personValues(filter)
  if (value?.of === 'reference' && value.kind === 'local') return { by: 'patient', id: value.id }
  if (filter.kind !== 'chain' || !filter.parameter.isPerson) return null
  const inner = filter.filter.get('Patient')
  if (!inner || !isMatch(inner) || inner.parameter.name !== 'identifier' || inner.values.length !== 1)
    return null
  const [token] = inner.values
  if (token?.of !== 'token' || !token.system || token.code === null) return null
  return { by: 'identifier', system: token.system, value: token.code }
}

/** Of `encounter=` and its like: one encounter. */
function encounterOf(filter: Filter): string | null {
  if (!isMatch(filter) || filter.values.length !== 1) return null
  const { name, targets } = filter.parameter
  const [value] = filter.values
  const isIt = (name === 'encounter' || name === 'context') && targets.includes('Encounter')
  if (!isIt || value?.of !== 'reference' || value.kind !== 'local') return null
  return (value.type ?? 'Encounter') === 'Encounter' ? value.id : null
}

/** The whole day of an equality; null for anything else. */
function wholeDay(value: Value | undefined): string | null {
  if (value?.of !== 'date' || value.prefix !== 'eq') return null
  const day = value.lo.slice(0, 10)
  return value.lo === `${day}T00:00:00.000Z` && value.hi === `${day}T23:59:59.999Z` ? day : null
}

const textsOf = ({ values }: Match): readonly string[] =>
  values.flatMap((value) => (value.of === 'string' ? [value.text] : []))

function anchorOf(filters: readonly Filter[]): Anchor | null {
  for (const { values } of matchesOf(filters, 'birthdate')) {
    const date = values.length === 1 ? wholeDay(values[0]) : null
    if (date !== null) return { param: 'birthdate', date }
  }
  for (const param of ['family', 'name', 'given'] as const) {
    // What a text is exactly, it also begins with. Of several texts one could fill up what may be of one name, and another tell
    // by that bound whether somebody has it.
    const match = filters.find(
      (one): one is Match =>
        one.kind === 'match' &&
        one.parameter.name === param &&
        (one.modifier === null || one.modifier === 'exact') &&
        one.values.length === 1,
    )
    const [text] = match ? textsOf(match) : []
    if (text !== undefined) return { param, text }
  }
  return null
}

function identityIn(filters: readonly Filter[]): IdentityLookUp | null {
  const [identifier, ...otherIdentifiers] = matchesOf(filters, 'identifier')
  const [birth, ...otherBirths] = matchesOf(filters, 'birthdate')
  const [family, ...otherFamilies] = matchesOf(filters, 'family')
  if (!identifier || !birth || otherIdentifiers.length + otherBirths.length > 0) return null
  const [token] = identifier.values
  const birthDate = birth.values.length === 1 ? wholeDay(birth.values[0]) : null
  if (identifier.values.length !== 1 || token?.of !== 'token' || !token.system || token.code === null)
    return null
  if (birthDate === null) return null
  return {
    system: token.system,
    value: token.code,
    birthDate,
    families: family ? textsOf(family) : null,
    isAll: filters.length === 2 + (family ? 1 : 0) && otherFamilies.length === 0,
  }
}

const tooManyParameters: Issue = {
  code: 'too-costly',
  text: {
    fr: `Une recherche a au plus ${limits.maxSearchParameters} paramètres.`,
    en: `A search has at most ${limits.maxSearchParameters} parameters.`,
  },
}

const personUnnamed: Issue = {
  code: 'required',
  expression: 'patient',
  text: {
    fr: 'Une recherche clinique nomme un patient, un `_id`, une rencontre ou un identifiant (`système|valeur`).',
    en: 'A clinical search names a patient, an `_id`, an encounter or an identifier (`system|value`).',
  },
}

const patientUnnamed: Issue = {
  code: 'required',
  expression: 'identifier',
  text: {
    fr: 'La recherche d’une personne nomme un `_id`, un identifiant (`système|valeur`), un seul nom (`family`, `given`, `name`) ou une date de naissance entière.',
    en: 'A search for a person names an `_id`, an identifier (`system|value`), one name (`family`, `given`, `name`) or a whole birth date.',
  },
}
