/**
 * In which form an answer on `/fhir` leaves (R4 §3.1.0.1.11–12): JSON is the only format, indented where the client asks
 * for it, compressed where that pays. Said here once for all operations: none of them reads `_format`, `_pretty`, `Accept`
 * or `Accept-Encoding`.
 *
 * Compression and BREACH: a length tells of secrets only to one who watches the line and makes the victim ask, again and
 * again, for pages in which his own text stands. Nobody can make a client ask here: no cookie is an authority on `/fhir`,
 * every request carries a token of its own, which no answer repeats; and cursors, the only secrets in a page, are encrypted
 * anew for each. Answers of other paths, where a browser may hold a session, are left as they are.
 */

import { prettyJson } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { codedFor, takesGzip } from './coding.ts'
import type { Refusal } from './refusal.ts'
import type { Released } from './release.ts'
import { type Weighted, weightedList } from './weights.ts'

export const isFhir = (path: string): boolean => path === '/fhir' || path.startsWith('/fhir/')

/** `text/json` is what R4 clients of old send. */
const offered = ['application/fhir+json', 'application/json', 'text/json'] as const
const version = '4.0'

export interface Representation {
  /** Why the answer cannot have the form asked for; it is then said in the form there is. */
  readonly refusal: Refusal | null
  /** Of a JSON text. */
  bodyOf(text: string): Pick<Released, 'body' | 'coding'>
}

/** What this request asks for; off `/fhir` nothing, and bodies leave as they are. */
export function representationOf(request: Request, url: URL): Representation {
  if (!isFhir(url.pathname)) return { refusal: null, bodyOf: (text) => ({ body: text || null }) }
  const [pretty = 'false', ...others] = url.searchParams.getAll('_pretty')
  const isPretty = pretty === 'true'
  return {
    refusal: isAcceptable(request, url)
      ? (isPretty || pretty === 'false') && others.length === 0
        ? null
        : badPretty
      : { reason: 'not-acceptable', offered: 'application/fhir+json' },
    bodyOf: (text) => {
      if (text === '') return { body: null }
      const body = isPretty ? prettyJson(text) : text
      // UTF-16 units: fewer than the bytes, which is near enough for what pays.
      if (body.length < limits.minCompressedLength || !takesGzip(request)) return { body }
      return codedFor(request, new Blob([body]).stream())
    },
  }
}

/** `_format` overrides `Accept`; a `+` that was not escaped has become a space. */
function isAcceptable({ headers }: Request, { searchParams }: URL): boolean {
  const formats = searchParams.getAll('_format').map((text) => text.trim().replaceAll(' ', '+'))
  if (formats.length > 0)
    return formats.every((text) => text === 'json' || weightedList(text).some((item) => isOf(item, offered)))
  const ranges = weightedList(headers.get('accept'))
  if (ranges.length === 0) return true
  const weights = offered.map((type) => weightOf(ranges, type))
  // What is sent is the first; who excludes it by name has excluded it.
  return weights[0] === undefined ? weights.some((weight = 0) => weight > 0) : weights[0] > 0
}

/** By the most precise range that covers the type; undefined: none does. */
const weightOf = (ranges: readonly Weighted[], type: string): number | undefined =>
  [[type], [`${type.split('/')[0]}/*`], ['*/*']]
    .map((names) => ranges.find((range) => isOf(range, names)))
    .find((range) => range !== undefined)?.weight

const isOf = ({ name, parameters }: Weighted, types: readonly string[]): boolean =>
  types.includes(name) && (parameters.get('fhirversion') ?? version) === version

const badPrettyIssue: Issue = {
  code: 'value',
  expression: '_pretty',
  text: { fr: '`_pretty` est `true` ou `false`.', en: '`_pretty` is `true` or `false`.' },
}
const badPretty: Refusal = { reason: 'invalid', issues: [badPrettyIssue] }
