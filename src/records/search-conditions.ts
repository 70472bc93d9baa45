/**
 * What a search compares an element with, as conditions on SQL expressions for its parts (FHIR R4 §3.1.1.4). Values are bound,
 * never written into the SQL.
 */
import type { DatePrefix, DateSearch } from '../fhir/date.ts'
import type { NumberPrefix, NumberSearch, QuantitySearch, Value } from '../fhir/search-values.ts'
import type { SqlValue } from '../store/ports.ts'
import type { Namer, quantityAt } from './search-elements.ts'

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

export type Of<T extends Value['of']> = Extract<Value, { readonly of: T }>
export const only = <T extends Value['of']>(values: readonly Value[], of: T): readonly Of<T>[] =>
  values.filter((value): value is Of<T> => value.of === of)

export const anyOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'false' : `(${conditions.join('\n    or ')})`

/** A list of values as one bound JSON text. */
export const list = (values: readonly SqlValue[], scope: Scope): string =>
  `(select value from json_each(${scope.bind(JSON.stringify(values))}))`

// --- token

/** Tokens against a stored `system|code`. */
export const codingCondition = (text: string, tokens: readonly Of<'token'>[], scope: Scope): string =>
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
export function tokenCondition(
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

// --- date

/** R4 §3.1.1.4.6: the searched range against the range of the document, both as UTC text. */
export function dateCondition(
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

export function numberCondition(
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

export function quantityCondition(
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

export const urlOf = (reference: Of<'reference'>): string =>
  reference.kind === 'url' ? reference.url : `${reference.type ?? ''}/${reference.id}`

/** Stored references are `Type/<server id>` or absolute: an id alone is the part after the only slash. */
export function referenceCondition(
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
