/**
 * The search grammar of this server: what the parameters of `GET [type]` mean (FHIR R4 §3.1.1). Anything unknown is an
 * issue, never an unfiltered answer.
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type DateSearch, parseDateSearch } from './date.ts'
import type { Issue } from './outcome.ts'
import { answerParameters, type SearchParameter, searchParametersOf } from './search-parameters.ts'

/** One alternative of a token parameter. `system` null: any system; `code` null: any code of the system. */
export interface Token {
  readonly system: string | null
  readonly code: string | null
}

export interface SearchQuery {
  /** Server id of a `Patient`; null for a look-up of `Patient` by identifier. */
  readonly patient: string | null
  /** Conjunction of disjunctions, as repeated parameters and commas mean. */
  readonly category: readonly (readonly Token[])[]
  readonly code: readonly (readonly Token[])[]
  readonly date: readonly DateSearch[]
  readonly identifier: Token | null
  readonly birthDate: string | null
  readonly count: number
  readonly cursor: string | null
}

export function parseSearch(type: string, raw: URLSearchParams): Result<SearchQuery, readonly Issue[]> {
  const meanings = meaningsOf(type)
  const issues: Issue[] = []
  let patient: string | null = null
  const category: (readonly Token[])[] = []
  const code: (readonly Token[])[] = []
  const date: DateSearch[] = []
  let identifier: Token | null = null
  let birthDate: string | null = null
  let count: number = limits.defaultPageRows
  let cursor: string | null = null
  const once = (name: string, values: readonly string[]): string => {
    if (values.length > 1) issues.push(wrong(name, 'ne peut figurer qu’une fois', 'may appear only once'))
    return values[0] ?? ''
  }
  const names = [...new Set(raw.keys())]
  if (names.length > limits.maxSearchParameters)
    issues.push(wrong('', 'trop de paramètres', 'too many parameters'))

  for (const name of names) {
    const values = raw.getAll(name)
    if (values.length > limits.maxSearchParameters) {
      issues.push(wrong(name, 'répété trop souvent', 'repeated too often'))
      continue
    }
    switch (meanings.get(name)) {
      case 'person': {
        const id = once(name, values).match(/^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/)?.[1]
        if (!id || patient !== null)
          issues.push(wrong(name, 'attend un seul `Patient/[id]`', 'expects one `Patient/[id]`'))
        patient ??= id ?? null
        break
      }
      case 'category':
        category.push(...values.map((text) => tokens(name, text, issues)))
        break
      case 'code':
        code.push(...values.map((text) => tokens(name, text, issues)))
        break
      case 'date':
        for (const text of values) {
          const parsed = parseDateSearch(text)
          if (parsed) date.push(parsed)
          else issues.push(wrong(name, `« ${cut(text)} » n’est pas une date`, `"${cut(text)}" is not a date`))
        }
        break
      case 'identifier':
        identifier = tokens(name, once(name, values), issues)[0] ?? null
        if (identifier && (!identifier.system || !identifier.code))
          issues.push(wrong(name, 'attend `système|valeur`', 'expects `system|value`'))
        break
      case 'birth-date':
        birthDate = once(name, values)
        if (!/^\d{4}-\d{2}-\d{2}$/.test(birthDate))
          issues.push(wrong(name, 'attend AAAA-MM-JJ', 'expects YYYY-MM-DD'))
        break
      case '_count': {
        const text = once(name, values)
        count = Number(text)
        if (!/^[1-9]\d{0,5}$/.test(text))
          issues.push(wrong(name, 'attend un entier positif', 'expects a positive integer'))
        count = Math.min(count, limits.maxPageRows)
        break
      }
      case '_cursor':
        cursor = once(name, values)
        break
      // Of the form of any answer: the gate has judged them.
      case '_format':
      case '_pretty':
        break
      case undefined:
        issues.push({
          code: 'not-supported',
          expression: cut(name),
          text: {
            fr: `Paramètre de recherche inconnu pour ${type} : « ${cut(name)} ».`,
            en: `Unknown search parameter for ${type}: "${cut(name)}".`,
          },
        })
    }
  }

  if (type === 'Patient') {
    if (identifier === null || birthDate === null)
      issues.push(
        required(
          'identifier',
          'Un identifiant et une date de naissance sont requis.',
          'An identifier and a birthdate are required.',
        ),
      )
  } else if (patient === null && issues.length === 0) {
    issues.push(
      required('patient', 'Une recherche clinique nomme un patient.', 'A clinical search names a patient.'),
    )
  }
  if (issues.length > 0) return err(issues)
  return ok({ patient, category, code, date, identifier, birthDate, count, cursor })
}

type Meaning = SearchParameter['of'] | (typeof answerParameters)[number]

/** By name. */
const meaningsOf = (type: string): ReadonlyMap<string, Meaning> =>
  new Map([
    ...answerParameters.map((name): [string, Meaning] => [name, name]),
    ...searchParametersOf(type)
      .map(({ name, of }): [string, Meaning] => [name, of])
      .reverse(),
  ])

/** `a,system|b,|c`: alternatives; `\,` and `\|` escape (R4 §3.1.1.4.14). */
function tokens(name: string, text: string, issues: Issue[]): readonly Token[] {
  const alternatives = split(text, ',')
  if (alternatives.length > limits.maxSearchAlternatives)
    issues.push(wrong(name, 'trop de valeurs', 'too many values'))
  return alternatives.map((alternative) => {
    const parts = split(alternative, '|')
    if (parts.length > 2 || alternative === '' || alternative === '|')
      issues.push(wrong(name, 'attend `système|code`', 'expects `system|code`'))
    if (parts.length === 1) return { system: null, code: unescaped(parts[0] ?? '') }
    return { system: unescaped(parts[0] ?? ''), code: parts[1] === '' ? null : unescaped(parts[1] ?? '') }
  })
}

const split = (text: string, separator: ',' | '|'): string[] => {
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') part += text.slice(i, ++i + 1)
    else if (text[i] === separator) {
      parts.push(part)
      part = ''
    } else part += text[i]
  }
  return [...parts, part]
}

const unescaped = (text: string): string => text.replaceAll(/\\([\\,|$])/g, '$1')

/** Names and values of the client come back shortened. */
const cut = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)

const wrong = (name: string, fr: string, en: string): Issue => ({
  code: 'value',
  expression: cut(name),
  text: { fr: `« ${cut(name)} » ${fr}.`, en: `"${cut(name)}" ${en}.` },
})

const required = (name: string, fr: string, en: string): Issue => ({
  code: 'required',
  expression: name,
  text: { fr, en },
})
