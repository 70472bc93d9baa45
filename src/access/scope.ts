/**
 * SMART App Launch 2.2 scopes (`system|user|patient/Type.cruds?param=value`): they narrow what a token may be used for,
 * never widen it. Pure. What looks like such a scope but cannot be judged grants nothing, and narrows the token all the
 * same.
 */
import { elementsOf } from '../fhir/elements.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import type { SqlValue } from '../store/ports.ts'
import type { CallerKind } from './caller.ts'

/** One interaction on one resource type; `*`: on any, as an operation that is no FHIR interaction needs. */
export interface ScopeNeed {
  readonly type: string
  /** create, read, update, delete, search. */
  readonly interaction: 'c' | 'r' | 'u' | 'd' | 's'
}

export type ScopeContext = 'user' | 'system' | 'patient'

/** One alternative of a parameter. `system` null: any; the empty string: none. */
interface Token {
  readonly system: string | null
  readonly code: string
}

/** A scope as written. */
interface Scope {
  readonly context: ScopeContext
  /** A resource type, or `*`. */
  readonly type: string
  /** Letters of `cruds`. */
  readonly interactions: string
  /** Conjunction of disjunctions; names of search parameters. */
  readonly parameters: readonly { readonly name: string; readonly tokens: readonly Token[] }[]
}

/** Null: the token has no SMART scope at all, and nothing is narrowed. Empty: every one it has grants nothing. */
export type Scopes = readonly Scope[] | null

/** What one scope lets a caller do with documents of the type asked for. */
export interface Grant {
  /** Only with documents of the person in the token's launch context. */
  readonly inContext: boolean
  /** Only with documents that meet all of these, each by any of its tokens. */
  readonly parameters: readonly { readonly name: Judged; readonly tokens: readonly Token[] }[]
}

/** What documents are judged by. */
type Judged = 'category' | 'code' | 'status'

/** Of a document, what scopes ask about. */
export interface ScopedRow {
  /** It is about the person in the token's launch context. */
  readonly isInContext: boolean
  /** `system|code`, all codings. */
  readonly categories: readonly string[]
  /** `system|code`, all codings. */
  readonly codes: readonly string[]
  /** Codes alone, as stored. */
  readonly statuses: readonly string[]
}

/** SMART 2.2 "Scopes for requesting FHIR Resources", with v1's words; letters in the order of `cruds` only. */
const grammar =
  /^(patient|user|system)\/(\*|[A-Za-z]+)\.(?:(read|write|\*)|(?=[cruds])(c?r?u?d?s?)(?:\?(.+))?)$/

/** What `grammar` captures: permissions as v1 words them, or else (`v2`) as letters. */
type Captured = readonly [
  text: string,
  context: ScopeContext,
  type: string,
  v1: keyof typeof earlier | undefined,
  v2: string,
  query: string | undefined,
]

/** SMART 1.0 permissions (SMART 2.2 "Scopes for requesting FHIR resources", compatibility with v1). */
const earlier = { read: 'rs', write: 'cud', '*': 'cruds' } as const

/** `word/…`, whatever the word: also a misspelt context narrows. URIs and `name=value` are scopes of other kinds. */
const looksLikeSmart = /^[^:=]*\//

/** Characters of a scope (RFC 6749 §3.3). */
const scopeCharacters = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Which contexts of a scope count for which caller. */
const contexts: Readonly<Record<CallerKind, readonly ScopeContext[]>> = {
  provider: ['user', 'patient'],
  'facility-system': ['system'],
  patient: ['patient', 'user'],
  guardian: ['patient', 'user'],
  'access-manager': ['user'],
  'privacy-officer': ['user'],
  operator: ['user'],
}

/** @param scopes the token's scopes, one each; beyond `limits.maxScopes` SMART ones, further ones grant nothing */
export function parseScopes(scopes: readonly string[]): Scopes {
  const smart = scopes.filter((text) => looksLikeSmart.test(text))
  if (smart.length === 0) return null
  return smart.slice(0, limits.maxScopes).flatMap((text) => parseScope(text) ?? [])
}

/** The SMART scopes of a token that narrow this kind of caller, as its issuer wrote them; null when they leave it all. */
export function narrowing(scopes: readonly string[], callerKind: CallerKind): string | null {
  const parsed = parseScopes(scopes)
  const isWhole = ({ context, type, interactions, parameters }: Scope): boolean =>
    contexts[callerKind].includes(context) &&
    (context !== 'patient' || callerKind !== 'provider') &&
    type === '*' &&
    interactions === 'cruds' &&
    parameters.length === 0
  if (parsed === null || parsed.some(isWhole)) return null
  return scopes.filter((text) => looksLikeSmart.test(text)).join(' ')
}

function parseScope(text: string): Scope | null {
  const match = grammar.exec(text)
  if (!match || !scopeCharacters.test(text)) return null
  const [, context, type, v1, v2, query] = match as unknown as Captured
  if (type !== '*' && !resourceTypes.has(type)) return null
  const parameters = query === undefined ? [] : parseParameters(query)
  if (parameters === null) return null
  return { context, type, interactions: v1 === undefined ? v2 : earlier[v1], parameters }
}

function parseParameters(query: string): Scope['parameters'] | null {
  const parameters = query.split('&').map((text) => {
    const separator = text.indexOf('=')
    if (separator < 0) return null
    const name = decoded(text.slice(0, separator))
    const tokens = decoded(text.slice(separator + 1))
      ?.split(',')
      .map(parseToken)
    if (name === null || !tokens || tokens.length > limits.maxSearchAlternatives) return null
    return tokens.every((token) => token !== null) ? { name, tokens } : null
  })
  if (parameters.length > limits.maxSearchParameters) return null
  return parameters.every((parameter) => parameter !== null) ? parameters : null
}

/** `system|code`, `code` or `|code`. A system alone is not judged, nor is what a search would have to escape. */
function parseToken(text: string): Token | null {
  const [first = '', second, ...others] = text.split('|')
  if (others.length > 0) return null
  const code = second ?? first
  return code === '' ? null : { system: second === undefined ? null : first, code }
}

/** Null for what two readers could read differently: `+`, an escape, a control character, broken UTF-8. */
function decoded(text: string): string | null {
  if (text.includes('+')) return null
  try {
    const value = decodeURIComponent(text)
    return /[\\\p{Cc}]/u.test(value) ? null : value
  } catch {
    return null
  }
}

/**
 * What the token's scopes let this kind of caller do: any one grant that allows a document is enough.
 *
 * @returns null when scopes restrict nothing; empty when they allow nothing.
 */
export function grantsFor(scopes: Scopes, callerKind: CallerKind, need: ScopeNeed): readonly Grant[] | null {
  if (scopes === null) return null
  return scopes.flatMap((scope) => {
    if (!contexts[callerKind].includes(scope.context)) return []
    if (!scope.interactions.includes(need.interaction)) return []
    if (scope.type !== '*' && scope.type !== need.type) return []
    const parameters = scope.parameters.map(({ name, tokens }) => judged(need.type, name, tokens))
    if (!parameters.every((parameter) => parameter !== null)) return []
    return [{ inContext: scope.context === 'patient', parameters }]
  })
}

/** Null when documents of the type are not stored with what the parameter asks about. */
function judged(type: string, name: string, tokens: readonly Token[]): Grant['parameters'][number] | null {
  const { categoryParam, codeParam, status } = elementsOf(type)
  if (name === categoryParam) return { name: 'category', tokens }
  if (name === codeParam) return { name: 'code', tokens }
  // `clinicalStatus` is searched as `clinical-status`. Its code is stored without its system.
  if (name !== status?.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)) return null
  return tokens.every(({ system }) => system === null) ? { name: 'status', tokens } : null
}

/** Whether one of the grants allows this document. */
export function allowsRow(grants: readonly Grant[] | null, row: ScopedRow): boolean {
  if (grants === null) return true
  return grants.some(
    ({ inContext, parameters }) =>
      (!inContext || row.isInContext) && parameters.every((parameter) => meets(row, parameter)),
  )
}

function meets(row: ScopedRow, { name, tokens }: Grant['parameters'][number]): boolean {
  if (name === 'status') return tokens.some(({ code }) => row.statuses.includes(code))
  const texts = name === 'category' ? row.categories : row.codes
  return tokens.some(({ system, code }) =>
    texts.some((text) =>
      system === null ? text.slice(text.indexOf('|') + 1) === code : text === `${system}|${code}`,
    ),
  )
}

/**
 * `allowsRow` as a predicate on a row of `document`, in *records* or the local database: what it finds is what
 * `allowsRow` allows. Values are bound into `args` under names that begin with `scope_`.
 *
 * @param context server id of the `Patient` in the token's launch context; null: none
 * @param codings of earlier versions, whose further codings no look-up holds, `columns` asks about the first alone: for
 *   `allowsRow` those are then all there are
 */
export function scopeFilter(
  grants: readonly Grant[] | null,
  alias: string,
  args: Record<string, SqlValue>,
  context: string | null,
  codings: 'all' | 'columns' = 'all',
): string {
  if (grants === null || grants.some(isUnconditional)) return 'true'
  if (grants.length === 0) return 'false'
  if (grants.some(({ inContext }) => inContext)) args.scope_context = context
  const alternatives = grants.map(({ inContext, parameters }, i) => {
    const conditions = [
      ...(inContext
        ? [`${alias}.person = (select person from source_record where id = :scope_context)`]
        : []),
      ...parameters.map((parameter, j) =>
        parameterFilter(parameter, alias, `scope_${i}_${j}`, args, codings),
      ),
    ]
    return `(${conditions.join('\n    and ')})`
  })
  return `(${alternatives.join('\n  or ')})`
}

/** Whatever the row. */
export const isUnconditional = ({ inContext, parameters }: Grant): boolean =>
  !inContext && parameters.length === 0

/** First codings are columns, further ones rows of `lookup`; each kind of token is one bound JSON list. */
function parameterFilter(
  { name, tokens }: Grant['parameters'][number],
  alias: string,
  prefix: string,
  args: Record<string, SqlValue>,
  codings: 'all' | 'columns',
): string {
  const codes = tokens.filter(({ system }) => system === null).map(({ code }) => code)
  const texts = tokens.filter(({ system }) => system !== null).map(({ system, code }) => `${system}|${code}`)
  const bound = (suffix: string, values: readonly string[]): string => {
    args[`${prefix}_${suffix}`] = JSON.stringify(values)
    return `(select value from json_each(:${prefix}_${suffix}))`
  }
  if (name === 'status') return `${alias}.status in ${bound('codes', codes)}`
  const met = (value: string): string =>
    [
      ...(texts.length > 0 ? [`${value} in ${bound('texts', texts)}`] : []),
      ...(codes.length > 0 ? [`substr(${value}, instr(${value}, '|') + 1) in ${bound('codes', codes)}`] : []),
    ].join(' or ')
  if (codings === 'columns') return `(${met(`${alias}.${name}`)})`
  return `(${met(`${alias}.${name}`)} or exists (select 1 from lookup as scope_lookup
      where scope_lookup.type = ${alias}.type and scope_lookup.id = ${alias}.id
        and scope_lookup.param = '${name}' and (${met('scope_lookup.value')})))`
}
