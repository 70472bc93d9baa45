/** Values of search parameters, by type of parameter (FHIR R4 §3.1.1.4): what the text after `=` means. */
import { limits } from '../limits.ts'
import { type DateSearch, parseDateSearch } from './date.ts'
import type { Issue } from './outcome.ts'
import type { SearchParameter } from './search-parameters.ts'
import { idPattern, resourceTypes } from './types.ts'

/** One alternative of a token parameter. `system` null: any system; `code` null: any code of the system. */
export interface Token {
  readonly system: string | null
  readonly code: string | null
}

export type NumberPrefix = DateSearch['prefix']

/**
 * A number as written stands for what rounds to it: `lo` up to, not including, `hi`; after `ap` for what is within a tenth of
 * it, both ends included. The ends are the numbers nearest to the exact ones, as stored numbers are to what was written.
 */
export interface NumberSearch {
  readonly prefix: NumberPrefix
  readonly value: number
  readonly lo: number
  readonly hi: number
}

/** `system` null: any; `code` null: any unit. A code without a system is also looked for in `unit`. */
export interface QuantitySearch extends NumberSearch {
  readonly system: string | null
  readonly code: string | null
}

export type ReferenceSearch =
  /** Of one type, or (`type` null) of any. */
  | { readonly kind: 'local'; readonly type: string | null; readonly id: string }
  /** Somewhere else. */
  | { readonly kind: 'url'; readonly url: string }

export type Value =
  | ({ readonly of: 'token' } & Token)
  | { readonly of: 'string'; readonly text: string }
  | ({ readonly of: 'date' } & DateSearch)
  | ({ readonly of: 'number' } & NumberSearch)
  | ({ readonly of: 'quantity' } & QuantitySearch)
  | ({ readonly of: 'reference' } & ReferenceSearch)
  | { readonly of: 'uri'; readonly text: string }
  | { readonly of: 'composite'; readonly parts: readonly Value[] }

/** A text, or what is expected instead. */
type Read = Value | { readonly expected: { readonly fr: string; readonly en: string } }

/**
 * The alternatives of a parameter's value, separated by commas; `\,`, `\|`, `\$` and `\\` separate nothing (R4 §3.1.1.4.14).
 *
 * @param baseUrl of this server's FHIR URLs, ending in `/`: such a reference is local
 * @param issues gets what is wrong
 */
export function readValues(
  name: string,
  text: string,
  parameter: Pick<SearchParameter, 'type' | 'composite' | 'targets'>,
  baseUrl: string,
  issues: Issue[],
): readonly Value[] {
  const alternatives = splitAt(text, ',')
  if (alternatives.length > limits.maxSearchAlternatives)
    issues.push(wrong(name, 'trop de valeurs', 'too many values'))
  return alternatives.slice(0, limits.maxSearchAlternatives).flatMap((alternative) => {
    const read = readValue(alternative, parameter, baseUrl)
    if ('of' in read) return [read]
    issues.push(wrong(name, read.expected.fr, read.expected.en))
    return []
  })
}

function readValue(
  text: string,
  { type, composite }: Pick<SearchParameter, 'type' | 'composite'>,
  baseUrl: string,
): Read {
  switch (type) {
    case 'token':
      return readToken(text)
    case 'string':
      // What has no letters begins every text.
      return folded(unescaped(text)) === ''
        ? expects('attend un texte', 'expects a text')
        : { of: 'string', text: unescaped(text) }
    case 'date': {
      const date = parseDateSearch(text)
      return date
        ? { of: 'date', ...date }
        : expects(`« ${cut(text)} » n’est pas une date`, `"${cut(text)}" is not a date`)
    }
    case 'number': {
      const number = readNumber(text)
      return number
        ? { of: 'number', ...number }
        : expects(`« ${cut(text)} » n’est pas un nombre`, `"${cut(text)}" is not a number`)
    }
    case 'quantity':
      return readQuantity(text)
    case 'reference':
      return readReference(unescaped(text), baseUrl)
    case 'uri':
      return text === '' ? expects('attend un URI', 'expects a URI') : { of: 'uri', text: unescaped(text) }
    case 'composite': {
      const components = composite?.components ?? []
      const parts = splitAt(text, '$')
      const read = parts.map((part, i) =>
        readValue(part, { type: components[i]?.type ?? 'token', composite: null }, baseUrl),
      )
      const values = read.filter((one) => 'of' in one)
      return parts.length === components.length && values.length === read.length
        ? { of: 'composite', parts: values }
        : expects('attend des valeurs séparées par `$`', 'expects values separated by `$`')
    }
  }
}

/** `code`, `system|code`, `|code`, `system|`. */
function readToken(text: string): Read {
  const parts = splitAt(text, '|')
  if (parts.length > 2 || text === '' || text === '|')
    return expects('attend `système|code`', 'expects `system|code`')
  const [first = '', second] = parts.map(unescaped)
  if (second === undefined) return { of: 'token', system: null, code: first }
  return { of: 'token', system: first, code: second === '' ? null : second }
}

function readNumber(text: string): NumberSearch | null {
  const match = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?)$/.exec(
    text,
  )
  if (!match) return null
  const [, prefix = 'eq', written = ''] = match
  const value = Number(written)
  const [mantissa = '', exponent = '0'] = written.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = BigInt(whole + fraction)
  const tenths = (count: bigint): number => Number(`${count}e${Number(exponent) - fraction.length - 1}`)
  const size = digits < 0n ? -digits : digits
  // Half a unit of the last digit written, or a tenth of the number (R4 §3.1.1.4.4, §3.1.1.4.7).
  const [lo, hi] =
    prefix === 'ap' ? [digits * 10n - size, digits * 10n + size] : [digits * 10n - 5n, digits * 10n + 5n]
  return { prefix: prefix as NumberPrefix, value, lo: tenths(lo), hi: tenths(hi) }
}

/** `number`, `number|system|code` or `number||unit`. */
function readQuantity(text: string): Read {
  const [digits = '', system, code, ...rest] = splitAt(text, '|').map(unescaped)
  const number = readNumber(digits)
  if (!number || rest.length > 0 || (system !== undefined && code === undefined))
    return expects('attend `nombre|système|code`', 'expects `number|system|code`')
  return { of: 'quantity', ...number, system: system || null, code: code || null }
}

function readReference(text: string, baseUrl: string): Read {
  const local = (text.startsWith(baseUrl) ? text.slice(baseUrl.length) : text).replace(
    /\/_history\/[^/]*$/,
    '',
  )
  const [first = '', second, ...rest] = local.split('/')
  if (second === undefined && idPattern.test(first))
    return { of: 'reference', kind: 'local', type: null, id: first }
  if (second !== undefined && rest.length === 0 && resourceTypes.has(first) && idPattern.test(second))
    return { of: 'reference', kind: 'local', type: first, id: second }
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return { of: 'reference', kind: 'url', url: text }
  return expects('attend `Type/id`', 'expects `Type/id`')
}

const expects = (fr: string, en: string): Read => ({ expected: { fr, en } })

/** Parts of a text between separators that are not escaped. */
export function splitAt(text: string, separator: ',' | '|' | '$'): string[] {
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

/**
 * A text as string parameters compare it: without case, accents and runs of white space (R4 §3.1.1.4.8).
 */
export const folded = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\s+/g, ' ').trim()

/** Names and values of the client come back shortened. */
export const cut = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text)

/** What is wrong with the value of a parameter; `fr` and `en` go on after its name. */
export const wrong = (name: string, fr: string, en: string): Issue => ({
  code: 'value',
  expression: cut(name),
  text: { fr: `« ${cut(name)} » ${fr}.`, en: `"${cut(name)}" ${en}.` },
})
