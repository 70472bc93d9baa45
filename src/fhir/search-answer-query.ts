/** Parameters about the answer of a search: how much of what, in which order (FHIR R4 §3.1.1.5). */
import { limits } from '../limits.ts'
import type { Links } from './interactions.ts'
import type { Issue } from './outcome.ts'
import {
  answerParameters,
  isSearched,
  type SearchParameter,
  searchParametersByName,
  searchParametersOf,
} from './search-parameters.ts'
import { cut, splitAt, wrong } from './search-values.ts'
import { resourceTypes } from './types.ts'

export interface SortKey {
  readonly parameter: SearchParameter
  readonly isDescending: boolean
}

/** `_include` and `_revinclude`. */
export interface Include {
  /** Of the resource that refers. */
  readonly type: string
  /** The reference. */
  readonly parameter: SearchParameter
  /** The one type of target that is included; null: any. */
  readonly target: string | null
}

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false'

export interface AnswerQuery {
  readonly count: number
  readonly cursor: string | null
  /** Empty: newest first. */
  readonly sort: readonly SortKey[]
  readonly isTotalWanted: boolean
  readonly summary: Summary
  /** Names of top-level elements; null: all. */
  readonly elements: readonly string[] | null
  readonly includes: readonly Include[]
  readonly revincludes: readonly Include[]
}

export const isAnswerParameter = (name: string): boolean =>
  answerParameters.some((one) => one === name.split(':', 1)[0])

/** @param issues gets what is wrong */
export function readAnswerQuery(type: string, raw: URLSearchParams, issues: Issue[]): AnswerQuery {
  const once = (name: string): string | null => {
    const values = raw.getAll(name)
    if (values.length > 1) issues.push(wrong(name, 'ne peut figurer qu’une fois', 'may appear only once'))
    return values[0] ?? null
  }
  for (const name of raw.keys())
    if (name.includes(':') && isAnswerParameter(name)) issues.push(notOffered(name))
  const oneOf = <T extends string>(name: string, values: readonly T[], fallback: T): T => {
    const text = once(name)
    const found = values.find((one) => one === text)
    if (text !== null && found === undefined)
      issues.push(wrong(name, `attend ${values.join(', ')}`, `expects ${values.join(', ')}`))
    return found ?? fallback
  }
  // The gate has judged the address; of a form sent as a body nobody else does.
  const format = once('_format')
  if (format !== null && !/^((application\/(fhir[+ ])?|text\/)?json)(;.*)?$/.test(format))
    issues.push(wrong('_format', 'seul JSON est offert', 'only JSON is offered'))
  oneOf('_pretty', ['true', 'false'], 'false')
  const asked = oneOf('_summary', ['false', 'true', 'text', 'data', 'count'], 'false')
  const countText = once('_count')
  // R4 §3.1.1.5.3: a page of no resources is a count.
  const summary = countText === '0' ? 'count' : asked
  const total = oneOf('_total', ['none', 'estimate', 'accurate'], 'none')
  return {
    count: readCount(countText, issues),
    cursor: once('_cursor'),
    sort: readSort(type, once('_sort'), issues),
    isTotalWanted: total !== 'none' || summary === 'count',
    summary,
    elements: readElements(once('_elements'), issues),
    includes: readIncludes('_include', raw.getAll('_include'), issues, (include) => include.type === type),
    revincludes: readIncludes('_revinclude', raw.getAll('_revinclude'), issues, ({ parameter }) =>
      mayReferTo(parameter, type),
    ),
  }
}

function readCount(text: string | null, issues: Issue[]): number {
  if (text === null || text === '0') return limits.defaultPageRows
  if (!/^[1-9]\d{0,5}$/.test(text))
    issues.push(wrong('_count', 'attend un entier positif', 'expects a positive integer'))
  return Math.min(Number(text), limits.maxPageRows)
}

function readSort(type: string, text: string | null, issues: Issue[]): readonly SortKey[] {
  if (text === null) return []
  const names = text.split(',')
  if (names.length > limits.maxSortKeys)
    issues.push(
      wrong(
        '_sort',
        `attend ${limits.maxSortKeys} noms au plus`,
        `expects ${limits.maxSortKeys} names at most`,
      ),
    )
  return names.slice(0, limits.maxSortKeys).flatMap((name) => {
    const isDescending = name.startsWith('-')
    const parameter = searchParametersByName(type).get(isDescending ? name.slice(1) : name)
    if (parameter && parameter.type !== 'composite') return [{ parameter, isDescending }]
    issues.push(notOffered(`_sort=${name}`))
    return []
  })
}

function readElements(text: string | null, issues: Issue[]): readonly string[] | null {
  if (text === null) return null
  const names = text.split(',')
  if (names.length > limits.maxSearchAlternatives || !names.every((name) => /^[A-Za-z]{1,64}$/.test(name)))
    issues.push(wrong('_elements', 'attend des noms d’éléments', 'expects names of elements'))
  return names
}

/** What `_include` and `_revinclude` may name in searches of a type. */
export const linksOf = (type: string): Links => ({
  includes: referencesOf(type).map(({ name }) => `${type}:${name}`),
  revincludes: [...resourceTypes].filter(isSearched).flatMap((from) =>
    referencesOf(from)
      .filter((parameter) => mayReferTo(parameter, type))
      .map(({ name }) => `${from}:${name}`),
  ),
})

const referencesOf = (type: string): readonly SearchParameter[] =>
  searchParametersOf(type).filter((parameter) => parameter.type === 'reference')

const mayReferTo = ({ targets }: SearchParameter, type: string): boolean =>
  targets.length === 0 || targets.includes(type)

/** `Type:parameter` or `Type:parameter:Target`. */
function readIncludes(
  name: string,
  values: readonly string[],
  issues: Issue[],
  fits: (include: Include) => boolean,
): readonly Include[] {
  return values.flatMap((text) => {
    const [type = '', code = '', target, ...rest] = splitAt(text, ',').length === 1 ? text.split(':') : []
    const parameter = isSearched(type) ? searchParametersByName(type).get(code) : undefined
    const isTarget = target === undefined || isSearched(target)
    if (parameter?.type === 'reference' && rest.length === 0 && isTarget) {
      const include = { type, parameter, target: target ?? null }
      if (fits(include)) return [include]
    }
    issues.push(notOffered(`${name}=${text}`))
    return []
  })
}

const notOffered = (what: string): Issue => ({
  code: 'not-supported',
  expression: cut(what),
  text: { fr: `« ${cut(what)} » n’est pas offert ici.`, en: `"${cut(what)}" is not offered here.` },
})
