/** Values of search parameters: written from what documents say, changed a little, or about nothing at all. */
import type { TypedValue } from '@medplum/core'
import { type Definition, type Resource, valuesOf, valuesUnder } from './search-definitions.ts'
import { literal, type Meanings, referenceText, stringsOf, tokensOf } from './search-oracle.ts'
import { prefixes, storedRange } from './search-ranges.ts'

/** Numbers from a seed (Mulberry32): a failure is told by the seed and the place of the search. */
export interface Random {
  /** 0 ≤ n < `below`. */
  below(below: number): number
  /** True `percent` times in a hundred. */
  chance(percent: number): boolean
  pick<T>(list: readonly T[]): T
}

export function randomFrom(seed: number): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    below,
    chance: (percent) => next() * 100 < percent,
    pick: (list) => {
      if (list.length === 0) throw new Error('nothing to pick from')
      return list[below(list.length)] as (typeof list)[number]
    },
  }
}

const escaped = (text: string): string => text.replaceAll(/[\\,|$]/g, '\\$&')

/** A name with a modifier or none, and a value. */
export interface DrawnValue {
  readonly modifier: string | null
  readonly value: string
}

/** Values that a search by the parameter can find: of composites, elements that have every component. */
export const askable = (resource: Resource, { expression, components }: Definition): readonly TypedValue[] =>
  valuesOf(resource, expression).filter((value) =>
    components.every((component) => valuesUnder(value, component.expression).length > 0),
  )

/**
 * @param resources among which a value is looked for; what only few say is found, too
 */
export function valueFor(
  random: Random,
  meanings: Meanings,
  definition: Definition,
  resources: readonly Resource[],
): DrawnValue {
  const stored = resources.flatMap((resource) => askable(resource, definition))
  const modifier = modifierFor(random, definition, stored.length > 0)
  if (modifier === 'missing')
    return { modifier, value: String(random.chance(85) ? stored.length === 0 : stored.length > 0) }
  const one = (): string =>
    stored.length === 0 || random.chance(5)
      ? nonsense(random, definition)
      : (textOf(random, meanings, definition, random.pick(stored), modifier) ?? nonsense(random, definition))
  const alternatives = random.chance(15) ? [one(), one()] : [one()]
  if (definition.type === 'reference' && modifier === null && random.chance(15)) {
    const [type, id] = (alternatives[0] ?? '').split('/')
    if (type && id && /^[A-Z][A-Za-z]*$/.test(type)) return { modifier: type, value: id }
  }
  return { modifier, value: alternatives.join(',') }
}

/** What no document says is asked for by its absence more often. */
function modifierFor(random: Random, { type }: Definition, isStored: boolean): string | null {
  if (type === 'composite' || random.chance(isStored ? 75 : 15)) return null
  if (!isStored && type !== 'token') return 'missing'
  switch (type) {
    case 'token':
      return random.pick(['not', 'missing'])
    case 'string':
      return random.pick(['exact', 'contains', 'contains', 'missing'])
    default:
      return random.chance(50) ? 'missing' : null
  }
}

/** Null: the value cannot be asked for by this parameter. */
function textOf(
  random: Random,
  meanings: Meanings,
  { type, system, components }: Pick<Definition, 'type' | 'system' | 'components'>,
  value: TypedValue,
  modifier: string | null,
): string | null {
  switch (type) {
    case 'token':
      return tokenText(random, value, system)
    case 'string':
      return stringText(random, value, modifier)
    case 'date':
      return dateText(random, value)
    case 'number':
      return typeof value.value === 'number' ? prefixed(random, numberText(random, value.value)) : null
    case 'quantity':
      return quantityText(random, value.value as Quantity)
    case 'reference': {
      const text = referenceText(value)
      // What is contained in the resource itself has no address.
      return text === null || text.startsWith('#')
        ? null
        : referenceForm(random, meanings, literal(meanings, text))
    }
    case 'uri':
      return escaped(random.chance(80) ? String(value.value) : String(value.value).slice(0, -1))
    case 'composite': {
      const parts = components.map((component) => {
        const [first] = valuesUnder(value, component.expression)
        return first
          ? textOf(random, meanings, { ...component, system: null, components: [] }, first, null)
          : null
      })
      return parts.includes(null) ? null : parts.join('$')
    }
    default:
      return null
  }
}

function tokenText(random: Random, value: TypedValue, implicit: string | null): string | null {
  const tokens = tokensOf(value, implicit).filter(({ code }) => code !== undefined)
  if (tokens.length === 0) return null
  const { system, code = '' } = random.pick(tokens)
  const own = escaped(
    random.chance(90) ? code : random.pick([code.toUpperCase(), `${code}x`, code.slice(0, -1) || 'x']),
  )
  if (system === null) return random.pick([own, own, own, `|${own}`, `http://loinc.org|${own}`])
  const named = escaped(system)
  return random.pick([
    own,
    own,
    `${named}|${own}`,
    `${named}|${own}`,
    `|${own}`,
    ...(system ? [`${named}|`] : []),
  ])
}

function stringText(random: Random, value: TypedValue, modifier: string | null): string | null {
  const strings = stringsOf(value).filter((text) => text.trim() !== '')
  if (strings.length === 0) return null
  const text = random.pick(strings)
  const start = modifier === 'contains' ? random.below(text.length) : 0
  const part = text.slice(start, start + 1 + random.below(text.length))
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '')
  const drawn = random.pick([
    text,
    part,
    part.toUpperCase(),
    plain,
    text.toLowerCase(),
    `${text}zz`,
    `  ${text}`,
  ])
  return escaped(drawn.trim() === '' ? text : drawn)
}

const iso = (ms: number): string => new Date(ms).toISOString()

function dateText(random: Random, value: TypedValue): string | null {
  const range = storedRange(value)
  if (!range) return null
  const ends = [range.lo, range.hi].filter(Number.isFinite)
  if (ends.length === 0) return null
  const ms =
    random.pick(ends) + random.pick([0, 0, 0, 0, 1, -1, 1_000, 86_400_000, -86_400_000, 31 * 86_400_000])
  const text = iso(ms)
  const eastern = iso(ms - 5 * 3_600_000)
  return prefixed(
    random,
    random.pick([
      text.slice(0, 4),
      text.slice(0, 7),
      text.slice(0, 10),
      text.slice(0, 10),
      `${text.slice(0, 16)}Z`,
      text.slice(0, 16),
      text.slice(0, 19),
      `${text.slice(0, 19)}Z`,
      `${eastern.slice(0, 19)}-05:00`,
      text,
    ]),
  )
}

const prefixed = (random: Random, text: string): string =>
  `${random.chance(30) ? '' : random.pick(prefixes)}${text}`

function numberText(random: Random, value: number): string {
  const near = random.pick([value, value, value, value * 1.05, value * 0.9, value + 1])
  const written = random.pick([
    String(near),
    near.toFixed(0),
    near.toFixed(1),
    near.toFixed(2),
    near.toExponential(2),
  ])
  return written.replace('e+', 'e')
}

interface Quantity {
  readonly value?: number
  readonly unit?: string
  readonly system?: string
  readonly code?: string
}

function quantityText(random: Random, { value, unit, system, code }: Quantity): string | null {
  if (value === undefined) return null
  const number = prefixed(random, numberText(random, value))
  const unitForms = [
    ...(code && system ? [`|${escaped(system)}|${escaped(code)}`, `||${escaped(code)}`] : []),
    ...(unit ? [`||${escaped(unit)}`] : []),
    '||nounit',
  ]
  return `${number}${random.chance(50) ? '' : random.pick(unitForms)}`
}

function referenceForm(random: Random, { base }: Meanings, text: string): string {
  if (!/^[A-Z][A-Za-z]*\/[^/]+$/.test(text)) return escaped(text)
  const [, id = ''] = text.split('/')
  return random.pick([text, text, text, id, id, `${base}${text}`, `Basic/${id}`])
}

/** What hardly anything matches. */
function nonsense(random: Random, { type, components }: Pick<Definition, 'type' | 'components'>): string {
  switch (type) {
    case 'date':
      return prefixed(random, random.pick(['1815', '2031-02', '2010-06-15']))
    case 'number':
      return prefixed(random, random.pick(['-3', '0', '41.5']))
    case 'quantity':
      return prefixed(random, random.pick(['-3', '0||mg', '41.5|urn:units|x']))
    case 'reference':
      return random.pick(['Basic/nobody', 'nobody', 'https://nowhere.example/fhir/Basic/1'])
    case 'composite':
      return components.map((component) => nonsense(random, { ...component, components: [] })).join('$')
    case 'uri':
      return 'urn:nothing'
    default:
      return random.pick(['nothing', 'no-thing', 'Ñöthing'])
  }
}
