/**
 * Ten ways to spoil a resource, each at every place where it can be done. A mutant is made in place, judged, and undone: of a
 * large example there are thousands.
 */
import type { ElementRule, Shape } from '../../src/fhir/definitions.ts'
import { isObject } from '../../src/fhir/json.ts'
import { resourceTypes } from '../../src/fhir/types.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { least } from '../valid-resource.ts'

type Members = Record<string, unknown>

/** An object of the resource: itself, an element made of others, or one of a resource inside. */
interface Place {
  readonly path: string
  readonly object: Members
  readonly shape: Shape
  readonly isResource: boolean
}

/** One value: a member, or an item of one that repeats. */
interface Site {
  readonly path: string
  readonly rule: ElementRule
  readonly get: () => unknown
  readonly set: (value: unknown) => void
}

export interface Mutant {
  /** Where an issue must be: at it, or below it. */
  readonly expression: string
  readonly apply: () => void
  readonly undo: () => void
}

/** Every object of the resource, those of resources inside included. */
function placesIn(resource: Members): readonly Place[] {
  const places: Place[] = []
  const visit = (path: string, object: Members, shapeName: string, isResource: boolean): void => {
    const shape = definitionsOfR4().shapeOf(shapeName)
    places.push({ path, object, shape, isResource })
    for (const name of Object.keys(object)) {
      const rule = shape.elements.get(name)
      if (!rule || rule.isPrimitive) continue
      for (const site of sitesOf(path, object, rule)) {
        const value = site.get() as Members
        const isInner = rule.type === 'Resource'
        visit(site.path, value, isInner ? String(value.resourceType) : rule.shape, isInner)
      }
    }
  }
  visit(String(resource.resourceType), resource, String(resource.resourceType), true)
  return places
}

function sitesOf(path: string, object: Members, rule: ElementRule): readonly Site[] {
  const member = object[rule.name]
  const at = `${path}.${rule.name}`
  if (!Array.isArray(member))
    return [
      {
        path: at,
        rule,
        get: () => object[rule.name],
        set: (value) => {
          object[rule.name] = value
        },
      },
    ]
  return member
    .map((_, i) => ({
      path: `${at}[${i}]`,
      rule,
      get: () => member[i] as unknown,
      set: (value: unknown) => {
        member[i] = value
      },
    }))
    .filter(({ get }) => get() !== null)
}

const sitesIn = (places: readonly Place[]): readonly Site[] =>
  places.flatMap(({ path, object, shape }) =>
    Object.keys(object).flatMap((name) => {
      const rule = shape.elements.get(name)
      return rule ? sitesOf(path, object, rule) : []
    }),
  )

const replaced = (site: Site, value: unknown): Mutant => {
  const before = site.get()
  return { expression: site.path, apply: () => site.set(value), undo: () => site.set(before) }
}

/** With the members as they were, in their order, after it. */
const changed = ({ object }: Place, expression: string, apply: () => void): Mutant => {
  const before = { ...object }
  return {
    expression,
    apply,
    undo: () => {
      for (const name of Object.keys(object)) delete object[name]
      Object.assign(object, before)
    },
  }
}

type Operator = (places: readonly Place[], sites: readonly Site[]) => readonly Mutant[]

const dateTypes = ['date', 'dateTime', 'instant', 'time']
/** No month, no day, no form, no hour. */
const badDates = ['2024-13-01', '2023-02-29', '01/02/2024', '2024-01-01T25:00:00Z']

export const operators: Readonly<Record<string, Operator>> = {
  'unknown element': (places) =>
    places.map((place) =>
      changed(place, `${place.path}.unheardOf`, () => {
        place.object.unheardOf = 'x'
      }),
    ),

  'wrong type': (_, sites) =>
    sites.map((site) => {
      const value = site.get()
      const isText = typeof value === 'string'
      return replaced(site, isText ? 7 : 'x')
    }),

  'missing required': (places) =>
    places.flatMap((place) =>
      [...place.shape.required].map(([name, rules]) =>
        changed(place, `${place.path}.${name}`, () => {
          for (const rule of rules) {
            delete place.object[rule.name]
            delete place.object[`_${rule.name}`]
          }
        }),
      ),
    ),

  cardinality: (places) =>
    places.flatMap((place) =>
      Object.entries(place.object).flatMap(([name, value]) =>
        place.shape.elements.has(name)
          ? [
              changed(place, `${place.path}.${name}`, () => {
                place.object[name] = Array.isArray(value) ? value[0] : [value]
              }),
            ]
          : [],
      ),
    ),

  'bad code in a required binding': (_, sites) =>
    sites
      .filter(({ rule }) => rule.codes !== null)
      .map((site) =>
        replaced(
          site,
          site.rule.isPrimitive ? 'no-such-code' : { coding: [{ system: 'urn:x', code: 'no-such-code' }] },
        ),
      ),

  'bad date': (_, sites) =>
    sites
      .filter(({ rule }) => dateTypes.includes(rule.type))
      .flatMap((site) => badDates.map((date) => replaced(site, date))),

  'bad reference target': (_, sites) =>
    sites.flatMap((site) => {
      const { targets } = site.rule
      const other = targets && [...resourceTypes].find((type) => !targets.has(type))
      return other ? [replaced(site, { reference: `${other}/x` })] : []
    }),

  'choice type twice': (places) =>
    places.flatMap((place) =>
      Object.keys(place.object).flatMap((name) => {
        const rule = place.shape.elements.get(name)
        if (!rule || rule.choice === null) return []
        const others = [...place.shape.elements.values()].filter(
          (other) => other.choice === rule.choice && other !== rule,
        )
        return others.slice(0, 1).map((other) =>
          changed(place, `${place.path}.${other.name}`, () => {
            place.object[other.name] = least(other)
          }),
        )
      }),
    ),

  'empty object': (_, sites) =>
    sites.filter(({ rule }) => !rule.isPrimitive).map((site) => replaced(site, {})),

  'wrong resourceType': (places) =>
    places
      .filter(({ isResource }) => isResource)
      .flatMap((place) =>
        ['Nonsense', place.object.resourceType === 'Slot' ? 'Flag' : 'Slot'].map((type) =>
          changed(place, place.path, () => {
            place.object.resourceType = type
          }),
        ),
      ),
}

export function* mutantsOf(resource: unknown, operator: Operator): Generator<Mutant> {
  if (!isObject(resource)) return
  const places = placesIn(resource)
  yield* operator(places, sitesIn(places))
}
