/**
 * Slims HL7's definitions of FHIR R4 to what validation needs of them: the elements of every type with
 * their cardinalities, types, reference targets and required codes. `src/fhir/definitions.ts` reads the result.
 *
 * The package that carries the definitions adds elements of its own and of later releases to some types (`Meta.project`,
 * `ResearchStudy.label`). HL7's data elements and JSON schema, which are in it too, tell what is of R4.
 */
import {
  definitionsIn,
  type ElementDefinition,
  type SchemaDefinition,
  type StructureDefinition,
  schemaDefinitions,
  structureDefinitions,
} from './package-files.ts'
import { lastSegment, requiredCodes } from './required-codes.ts'

/** JSON text: `types` by name or path of the parent, then by element; `codes` by name of the value set, then by system. */
export function validationTable(): string {
  const dataElements = new Map<string, ElementDefinition>()
  for (const { snapshot } of definitionsIn<StructureDefinition>('dataelements.json', 'StructureDefinition')) {
    const [element] = snapshot.element
    if (element && !dataElements.has(element.path)) dataElements.set(element.path, element)
  }
  const schema = schemaDefinitions()
  const types: Record<string, Record<string, string>> = {}
  const bound = new Set<string>()
  for (const definition of structureDefinitions().values()) {
    if (!isOfData(definition)) continue
    const elements = elementsOf(definition, dataElements, schema)
    for (const element of elements) {
      const parent = parentOf(element.path)
      const isIdOfResource = definition.kind === 'resource' && element.path === `${definition.type}.id`
      types[parent] ??= {}
      types[parent][nameOf(element.path)] = isIdOfResource ? '01 id' : textOf(element, elements)
      const valueSet = requiredValueSet(element)
      if (valueSet !== null) bound.add(valueSet)
    }
  }
  // The one profile that R4 uses as a type.
  const { comparator: _, ...simpleQuantity } = types.Quantity ?? {}
  types.SimpleQuantity = simpleQuantity
  return `${JSON.stringify({ types, codes: requiredCodes([...bound].sort()) })}\n`
}

const isOfData = ({ kind, abstract }: StructureDefinition): boolean =>
  (kind === 'resource' || kind === 'complex-type') && !abstract

/** The elements of R4, as R4 has them. */
function elementsOf(
  { type: name, snapshot }: StructureDefinition,
  dataElements: ReadonlyMap<string, ElementDefinition>,
  schema: Readonly<Record<string, SchemaDefinition>>,
): readonly ElementDefinition[] {
  if (schema[name] === undefined) return []
  const [, ...declared] = snapshot.element
  const kept = new Set([name])
  const isOfR4 = ({ path, base, type, contentReference }: ElementDefinition): boolean => {
    if (!kept.has(parentOf(path))) return false
    if (dataElements.has(path) || dataElements.has(base.path)) return true
    // Data elements stand neither for elements that are made of others nor under ids that would be too long for FHIR.
    const isMade = contentReference !== undefined || isContainer(type)
    return (isMade || `de-${path}`.length > 64) && schemaAt(path, schema) !== null
  }
  const elements: ElementDefinition[] = []
  for (const element of declared) {
    if (!isOfR4(element)) continue
    kept.add(element.path)
    const required = schemaAt(parentOf(element.path), schema)?.required ?? []
    const own = dataElements.get(element.path) ?? element
    elements.push({ ...own, min: required.includes(nameOf(own.path)) ? 1 : own.min })
  }
  for (const [path, element] of dataElements)
    if (kept.has(parentOf(path)) && !kept.has(path) && path.startsWith(`${name}.`)) elements.push(element)
  return elements.filter(({ path, type }) => !isContainer(type) || hasOwnElements(path, elements))
}

const isContainer = (type: ElementDefinition['type']): boolean =>
  type?.[0]?.code === 'BackboneElement' || type?.[0]?.code === 'Element'

const hasOwnElements = (path: string, elements: readonly ElementDefinition[]): boolean =>
  elements.some(
    (element) =>
      parentOf(element.path) === path && !/^(id|extension|modifierExtension)$/.test(nameOf(element.path)),
  )

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('.'))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

/** What the JSON schema says of the element at `path`; null when it knows none. */
function schemaAt(path: string, schema: Readonly<Record<string, SchemaDefinition>>): SchemaDefinition | null {
  const [type = '', ...names] = path.split('.')
  let found: SchemaDefinition | undefined = schema[type]
  for (const name of names) {
    const properties: SchemaDefinition['properties'] = found?.properties ?? {}
    const key = name.endsWith('[x]')
      ? Object.keys(properties).find((candidate) => candidate.startsWith(name.slice(0, -3)))
      : name
    const property = key === undefined ? undefined : properties[key]
    if (property === undefined) return null
    const target = property.$ref ?? property.items?.$ref
    found = target === undefined ? {} : schema[target.slice(target.lastIndexOf('/') + 1)]
  }
  return found ?? null
}

/** `<min><max> <type>[|<type>…][ <value set>]`; see `src/fhir/definitions.ts`. */
function textOf(element: ElementDefinition, all: readonly ElementDefinition[]): string {
  const { min, max } = element
  const valueSet = requiredValueSet(element)
  const types = typesOf(element, all).join('|')
  return `${min}${max} ${types}${valueSet === null ? '' : ` ${lastSegment(valueSet)}`}`
}

function typesOf(
  { path, type, contentReference }: ElementDefinition,
  all: readonly ElementDefinition[],
): readonly string[] {
  if (contentReference !== undefined) return [`@${contentReference.slice(contentReference.indexOf('#') + 1)}`]
  if (all.some((other) => parentOf(other.path) === path)) return [`@${path}`]
  return (type ?? []).map(({ code, profile, targetProfile, extension }) => {
    // Ids of elements and URLs of extensions have a type of FHIRPath and name that of FHIR beside it.
    if (code.startsWith('http:')) return extension?.find(({ valueUrl }) => valueUrl)?.valueUrl ?? 'string'
    const [only] = profile ?? []
    if (only !== undefined) return lastSegment(only)
    const targets = (targetProfile ?? []).map(lastSegment).filter((target) => target !== 'Resource')
    return code === 'Reference' && targets.length > 0 ? `${code}>${targets.join(',')}` : code
  })
}

/** Canonical URL without its version. */
function requiredValueSet({ binding }: ElementDefinition): string | null {
  if (binding?.strength !== 'required' || binding.valueSet === undefined) return null
  const [url = ''] = binding.valueSet.split('|')
  return url
}
