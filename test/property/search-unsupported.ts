/**
 * What of R4 this server refuses, each for a reason: such a search answers 400 and names what it refuses; no other does. The
 * test checks both, so that what is offered one day must go from here.
 */
import type { Search } from './search-generator.ts'

export interface Unsupported {
  /** Of the type that has the parameter; `*`: of every type. */
  readonly type: string
  readonly parameter: string
  readonly reason: string
}

const everywhere = (reason: string, ...parameters: readonly string[]): readonly Unsupported[] =>
  parameters.map((parameter) => ({ type: '*', parameter, reason }))

export const unsupported: readonly Unsupported[] = [
  ...everywhere('full text: an index of words would tell of what may not be seen', '_text', '_content'),
  ...everywhere('no named queries are defined', '_query'),
  ...everywhere('R4 names no algorithm', 'phonetic'),
  {
    type: 'Observation',
    parameter: 'code-value-string',
    reason: 'nobody compares a code and a part of a text at once',
  },
]

/** Resources of a person are chained to within that person's record: the search names who it is. */
export const unnamedChain: Unsupported = {
  type: '*',
  parameter: 'patient',
  reason: 'a chain or `_has` to resources about persons, in a search that names no person',
}

/** What of a search is refused; chains are refused for what they end in, too. */
export function refusedIn(
  { type, filters }: Search,
  isAboutPersons: (type: string) => boolean,
): readonly Unsupported[] {
  const asked = filters.flatMap(({ name }) => askedBy(type, name))
  const refused = unsupported.filter((one) =>
    asked.some(
      ({ type: of, parameter }) => (one.type === '*' || one.type === of) && one.parameter === parameter,
    ),
  )
  const leadsToPersons = asked.some(({ type: of, isOther }) => isOther && isAboutPersons(of))
  return leadsToPersons && !namesPerson({ type, filters }) ? [...refused, unnamedChain] : refused
}

interface Asked {
  readonly type: string
  readonly parameter: string
  /** At the end of a chain. */
  readonly isOther: boolean
}

function askedBy(type: string, name: string): readonly Asked[] {
  if (name.startsWith('_has:')) {
    const [, other = '', reference = '', parameter = ''] = name.split(':')
    return [
      { type: other, parameter: reference, isOther: true },
      { type: other, parameter, isOther: true },
    ]
  }
  const [reference = '', ...rest] = name.split('.')
  const [own = '', other = ''] = reference.split(':')
  const [inner = ''] = rest.join('.').split(':')
  return [
    { type, parameter: own, isOther: false },
    ...(rest.length > 0 ? [{ type: other, parameter: inner, isOther: true }] : []),
  ]
}

/** By a patient or, where no document and no identifier is named, an encounter; a Patient named by its id is one. */
function namesPerson({ type, filters }: Pick<Search, 'type' | 'filters'>): boolean {
  const [first] = filters
  if (!first) return false
  const has = (is: (name: string, value: string) => boolean) =>
    filters.some(({ name, value }) => is(name, value))
  if (has((name) => /^(patient|subject)(:Patient)?$|^patient\.identifier$/.test(name))) return true
  if (has((name) => name === '_id'))
    return type === 'Patient' && !(filters.find(({ name }) => name === '_id')?.value.includes(',') ?? true)
  if (has((name, value) => name === 'identifier' && isWholeIdentifier(value))) return false
  return has((name) => /^encounter(:Encounter)?$/.test(name))
}

/** `system|value`, each alternative. */
export const isWholeIdentifier = (value: string): boolean =>
  value.split(',').every((alternative) => /^[^|]+\|./.test(alternative))
