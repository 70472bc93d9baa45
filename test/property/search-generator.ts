/** Searches over every type that the Synthea patients have and every parameter that R4 defines for it, by several callers. */
import type { Caller } from './caller.ts'
import { anchorOf } from './search-anchor.ts'
import { literals, type Parameter, type Sight, sightOf } from './search-answer.ts'
import { type Definition, definitionsOf, valuesOf } from './search-definitions.ts'
import { literal, referenceText } from './search-oracle.ts'
import { askable, type Random, valueFor } from './search-values.ts'
import { identifiersOf, type SearchWorld, type Served } from './search-world.ts'

export interface Search {
  readonly caller: string
  readonly type: string
  /** Each must be met. */
  readonly filters: readonly Parameter[]
  /** `_include` and `_revinclude`. */
  readonly includes: readonly Parameter[]
  /** `_sort`, `_count`, `_total`, `_summary`: at most one of each. */
  readonly answer: Readonly<Record<string, string>>
  /** Id of the source record that the search names as its patient; null: it names none. */
  readonly patient: string | null
  /** Its parameters travel in the body (`POST [type]/_search`). */
  readonly isPosted: boolean
  /** What it was drawn to try. */
  readonly tried: Definition
}

/** `from` refers to `to` by the parameter `code`, in this world. */
interface Link {
  readonly from: string
  readonly code: string
  readonly to: string
}

export interface Generator {
  readonly random: Random
  readonly world: SearchWorld
  readonly sights: ReadonlyMap<string, Sight>
  /** Types and parameters, each tried in turn. */
  readonly slots: readonly { readonly type: string; readonly definition: Definition }[]
  readonly links: readonly Link[]
  readonly ofType: (type: string) => readonly Served[]
  /** Documents that have what the parameter is about. */
  readonly having: (type: string, definition: Definition) => readonly Served[]
}

/** Whom a search is about: every search names one person at most. */
const ofThePerson = new Set(['patient', 'subject'])

export function generatorOf(random: Random, world: SearchWorld): Generator {
  const byType = Map.groupBy(world.all, ({ document }) => document.type)
  const types = [...byType.keys()].sort()
  const ofType = (type: string): readonly Served[] => byType.get(type) ?? []
  const byDefinition = new Map<Definition, readonly Served[]>()
  return {
    random,
    world,
    sights: new Map(Object.entries(world.callers).map(([name, caller]) => [name, sightFor(world, caller)])),
    slots: types.flatMap((type) =>
      definitionsOf(type)
        .filter(({ code, expression }) => expression !== null && !ofThePerson.has(code))
        .map((definition) => ({ type, definition })),
    ),
    links: linksOf(world),
    ofType,
    having: (type, definition) => {
      const known = byDefinition.get(definition) ?? withValues(ofType(type), definition)
      byDefinition.set(definition, known)
      return known
    },
  }
}

const withValues = (served: readonly Served[], definition: Definition): readonly Served[] =>
  served.filter(({ resource }) => askable(resource, definition).length > 0)

const sightFor = (world: SearchWorld, caller: Caller): Sight => sightOf(world.meanings, world.seenBy(caller))

function linksOf({ all, meanings }: SearchWorld): readonly Link[] {
  const found = new Map<string, Link>()
  for (const { resource } of all) {
    const { resourceType: from } = resource
    for (const { code, type, expression } of definitionsOf(from)) {
      if (type !== 'reference') continue
      for (const value of valuesOf(resource, expression)) {
        const to = /^([A-Z][A-Za-z]*)\/[^/]+$/.exec(literal(meanings, referenceText(value) ?? ''))?.[1]
        if (to !== undefined) found.set(`${from} ${code} ${to}`, { from, code, to })
      }
    }
  }
  return [...found.values()]
}

/** The search of number `n`. */
export function searchOf(generator: Generator, n: number): Search {
  const { random, world, sights, slots } = generator
  const slot = slots[n % slots.length] as Generator['slots'][number]
  const { type } = slot
  // One in a hundred is about no element: full text, named queries, in turn.
  const others = withoutElements(type)
  const definition =
    n % 100 === 99 ? (others[((n - 99) / 100) % others.length] ?? slot.definition) : slot.definition
  const names = Object.keys(world.callers)
  const seeing = names.filter((name) => sights.get(name)?.ofType(type).length)
  const caller = random.pick(random.chance(90) ? seeing : names)
  const sight = sights.get(caller) as Sight
  const { patient, filters: anchors, near } = anchorOf(generator, sight, type)
  if (type === 'Patient' && random.chance(15)) return lookUp(generator, caller, definition)
  const drawn = [filterFor(generator, type, definition, near)]
  for (let more = random.pick([0, 0, 1, 1, 2]); more > 0; more--)
    drawn.push(furtherFilter(generator, sight, type, near))
  return {
    caller,
    type,
    filters: [...anchors, ...drawn],
    includes: includesFor(generator, type),
    answer: answerFor(generator, type),
    patient,
    isPosted: random.chance(10),
    tried: definition,
  }
}

/** Somebody by number and birth date alone, mostly one whom the caller knows nothing else of. */
function lookUp(generator: Generator, caller: string, tried: Definition): Search {
  const { random, ofType } = generator
  const { resource } = random.pick(ofType('Patient').filter((one) => identifiersOf(one.resource).length > 0))
  return {
    caller,
    type: 'Patient',
    filters: [
      { name: 'identifier', value: random.pick(identifiersOf(resource)) },
      { name: 'birthdate', value: String(resource.birthDate) },
    ],
    includes: [],
    answer: { ...answerFor(generator, 'Patient'), ...(random.chance(30) ? { _summary: 'count' } : {}) },
    patient: null,
    isPosted: random.chance(10),
    tried,
  }
}

const withoutElements = (type: string): readonly Definition[] =>
  definitionsOf(type).filter(({ code, expression }) => expression === null && code !== '_has')

function filterFor(
  { random, world, having }: Generator,
  type: string,
  definition: Definition,
  near: readonly Served[],
  prefix = '',
): Parameter {
  const close = withValues(near, definition)
  const among = close.length > 0 && random.chance(95) ? close : having(type, definition)
  // Mostly the first, so that several filters are met by one document.
  const one = random.chance(80) ? among[0] : among.length > 0 ? random.pick(among) : undefined
  const from = one ? [one.resource] : []
  const { modifier, value } = valueFor(random, world.meanings, definition, from)
  return { name: `${prefix}${definition.code}${modifier === null ? '' : `:${modifier}`}`, value }
}

/** Another parameter of the type, or one of what it refers to or is referred to by. */
function furtherFilter(generator: Generator, sight: Sight, type: string, near: readonly Served[]): Parameter {
  const { random, slots } = generator
  const own = slots.filter((slot) => slot.type === type).map(({ definition }) => definition)
  const [one] = near
  const linked = one && random.chance(30) ? linkedFilter(generator, sight, one) : null
  if (linked) return linked
  const said = own.filter(({ expression }) => one && valuesOf(one.resource, expression).length > 0)
  return filterFor(generator, type, random.pick(random.chance(80) && said.length > 0 ? said : own), near)
}

/** A chain or `_has`; null: nothing that is seen refers to the document or is referred to. */
function linkedFilter(generator: Generator, sight: Sight, one: Served): Parameter | null {
  const { random, links, slots } = generator
  const { type, id } = one.document
  const isForward = random.chance(50)
  const fitting = links.filter(({ from, to, code }) =>
    isForward ? from === type && !ofThePerson.has(code) : to === type,
  )
  if (fitting.length === 0) return null
  const link = random.pick(fitting)
  const other = isForward ? link.to : link.from
  const { definition } = random.pick(slots.filter((slot) => slot.type === other))
  const others = isForward
    ? literals(sight, one, link.code).flatMap((text) => sight.at(text) ?? [])
    : sight.ofType(other).filter((from) => literals(sight, from, link.code).includes(`${type}/${id}`))
  const prefix = isForward ? `${link.code}:${other}.` : `_has:${other}:${link.code}:`
  return filterFor(generator, other, definition, others, prefix)
}

function includesFor({ random, links }: Generator, type: string): readonly Parameter[] {
  if (!random.chance(8)) return []
  const forward = links.filter(({ from }) => from === type)
  const back = links.filter(({ to }) => to === type)
  const drawn = [
    ...(forward.length > 0 ? [{ name: '_include', link: random.pick(forward) }] : []),
    ...(back.length > 0 && random.chance(50) ? [{ name: '_revinclude', link: random.pick(back) }] : []),
  ]
  return drawn.map(({ name, link }) => ({
    name,
    value: `${link.from}:${link.code}${random.chance(30) ? `:${link.to}` : ''}`,
  }))
}

function answerFor({ random }: Generator, type: string): Readonly<Record<string, string>> {
  const dated = definitionsOf(type).some(({ code }) => code === 'date')
  const sorts = ['_lastUpdated', '-_lastUpdated', '_id', ...(dated ? ['date', '-date', 'date', '-date'] : [])]
  return {
    _count: random.chance(20) ? String(1 + random.below(9)) : '500',
    ...(random.chance(15) ? { _sort: random.pick(sorts) } : {}),
    ...(random.chance(8) ? { _total: random.pick(['accurate', 'none', 'estimate']) } : {}),
    ...(random.chance(6) ? shortened(random, type) : {}),
  }
}

/** A part of each resource, or none: a shortened `Patient` cannot be told from what is said of somebody unknown. */
function shortened(random: Random, type: string): Readonly<Record<string, string>> {
  if (type === 'Patient' || random.chance(40)) return { _summary: 'count' }
  if (random.chance(60)) return { _summary: random.pick(['data', 'text', 'true', 'false']) }
  return { _elements: random.pick(['status', 'code,subject', 'identifier']) }
}

export const queryOf = ({ filters, includes, answer }: Search): URLSearchParams =>
  new URLSearchParams([
    ...[...filters, ...includes].map(({ name, value }): [string, string] => [name, value]),
    ...Object.entries(answer),
  ])
