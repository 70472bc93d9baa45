/**
 * The search parameters of R4 as tables: of each resource type its parameters, and of each parameter the elements it
 * looks at, as paths that say where arrays are. HL7 states them in FHIRPath, of which they use little: paths, `as` and
 * `ofType`, `where` on a literal or on the type of a reference's target.
 */
import {
  definitionsIn,
  type ElementDefinition,
  type SearchParameterDefinition,
  type StructureDefinition,
  structureDefinitions,
} from './package-files.ts'

/** An element: path, data type. A step `name[]` repeats, `name[field=value]` repeats and counts only such items. */
type Source = string

interface Parameter {
  readonly name: string
  readonly type: string
  readonly sources: readonly Source[]
  readonly targets?: readonly string[]
  /** Of a composite: where it stands, and per component its type and sources from there. */
  readonly contexts?: readonly string[]
  readonly components?: readonly { readonly type: string; readonly sources: readonly Source[] }[]
}

/** Data types that a search parameter of a type can compare; others of a choice are passed over (R4 §3.1.1.4). */
const comparable: Readonly<Record<string, readonly string[]>> = {
  token: [
    'code',
    'Coding',
    'CodeableConcept',
    'Identifier',
    'ContactPoint',
    'boolean',
    'string',
    'id',
    'uri',
  ],
  string: ['string', 'markdown', 'HumanName', 'Address'],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  number: ['integer', 'decimal', 'positiveInt', 'unsignedInt'],
  quantity: ['Quantity', 'Age', 'Duration', 'Count', 'Distance', 'Money', 'SimpleQuantity', 'MoneyQuantity'],
  reference: ['Reference', 'canonical', 'uri'],
  uri: ['uri', 'url', 'canonical', 'oid', 'uuid'],
}

/** Text of `search.generated.js`. */
export function searchTables(): string {
  const structures = structureDefinitions()
  const definitions = definitionsIn<SearchParameterDefinition>('search-parameters.json', 'SearchParameter')
  const byUrl = new Map(definitions.map((one) => [one.url, one]))
  const tables: Record<string, unknown> = {}
  const parts: Record<string, unknown> = {}
  for (const structure of structures.values()) {
    if (structure.kind !== 'resource' || structure.abstract) continue
    const parameters = definitions
      .filter(({ base, type }) => base.includes(structure.type) && type !== 'special')
      .filter(isStatedByPaths)
      .map((definition) => parameterOf(definition, structure.type, structures, byUrl))
      .filter(isOffered)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    if (parameters.length > 0) tables[structure.type] = parameters.map(compact)
    parts[structure.type] = partsOf(structure)
  }
  const frozen = (value: unknown): string => `JSON.parse(${JSON.stringify(JSON.stringify(value))})`
  return `export const parametersByType = ${frozen(tables)}\nexport const partsByType = ${frozen(parts)}\n`
}

/**
 * `phonetic` would need an algorithm nobody names. Of composites those that compare a text, and one that HL7 states with its
 * parts exchanged (`DocumentReference.relationship`), are not offered.
 */
function isOffered({ name, sources, components }: Parameter): boolean {
  if (name === 'phonetic') return false
  if (!components) return sources.length > 0
  return components.every((one) => one.sources.length > 0 && one.type !== 'string')
}

/** Whole resources inside another (`Bundle.entry[0].resource`) and joins (`%resource`) are not searched. */
const isStatedByPaths = ({ expression = '', component = [] }: SearchParameterDefinition): boolean =>
  ![expression, ...component.map((one) => one.expression)].some((text) => /[[%]/.test(text))

/** `[name, type, sources, targets]`, of a composite `[name, type, contexts, components]`. */
const compact = ({
  name,
  type,
  sources,
  targets = [],
  contexts,
  components,
}: Parameter): readonly unknown[] =>
  components
    ? [name, type, contexts, components.map((one) => [one.type, one.sources])]
    : [name, type, sources, ...(targets.length > 0 ? [targets] : [])]

/** Top-level elements of a summary, and those that must be there (R4 §3.1.1.5.8, §3.1.1.5.9). */
function partsOf({ type, snapshot }: StructureDefinition) {
  const top = snapshot.element.filter(({ path }) => path.split('.').length === 2)
  const names = (of: readonly ElementDefinition[]) => of.map(({ path }) => path.slice(type.length + 1))
  return [names(top.filter(({ isSummary }) => isSummary)), names(top.filter(({ min }) => min > 0))]
}

function parameterOf(
  { code: name, type, expression = '', target, component }: SearchParameterDefinition,
  resource: string,
  structures: ReadonlyMap<string, StructureDefinition>,
  byUrl: ReadonlyMap<string, SearchParameterDefinition>,
): Parameter {
  const places = alternatives(expression).filter((one) => startsAt(one, resource))
  if (component) {
    const contexts = places.map((place) => pathsOf(place, resource, structures)[0]?.path ?? '')
    const components = component.map((one) => {
      const of = byUrl.get(one.definition)?.type ?? 'token'
      // Relative to each context alike: the elements have the same names and types.
      const [context = resource] = places
      const sources = alternatives(one.expression).flatMap((expression) =>
        sourcesOf(`${context}.${expression.replace(/^\(+/, '')}`, of, resource, structures),
      )
      return { type: of, sources }
    })
    const trimmed = components.map(({ type, sources }) => ({
      type,
      sources: sources.map((source) => relative(source, contexts[0] ?? '')),
    }))
    return { name, type, sources: [], contexts, components: trimmed }
  }
  const sources = places.flatMap((place) => sourcesOf(place, type, resource, structures))
  // A reference that may be to anything names no types.
  const targets = target && target.length < structures.size / 2 ? target : []
  return { name, type, sources: [...new Set(sources)], targets }
}

const relative = (source: Source, context: string): Source =>
  context === '' ? source : source.slice(context.length + 1)

/** `a | b`, outside parentheses; parentheses around a whole alternative go. */
function alternatives(expression: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const character of expression) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (character === '|' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part].map((one) => one.trim())
}

const startsAt = (expression: string, resource: string): boolean =>
  new RegExp(`^\\(*${resource}(\\.|$)`).test(expression)

function sourcesOf(
  expression: string,
  type: string,
  resource: string,
  structures: ReadonlyMap<string, StructureDefinition>,
): readonly Source[] {
  // Whether somebody has died, as a boolean or a date of death.
  if (expression.includes('.exists() and ')) return [':deceased']
  return pathsOf(expression, resource, structures)
    .filter((place) => comparable[type]?.includes(place.type))
    .map(({ path, type, only }) => `${path}:${type}${only === undefined ? '' : `:${only}`}`)
}

interface Place {
  readonly path: string
  readonly type: string
  /** The one type of target that counts. */
  readonly only?: string
}

/** Every element that a FHIRPath of the kinds above means. @throws Error for any other */
function pathsOf(
  expression: string,
  resource: string,
  structures: ReadonlyMap<string, StructureDefinition>,
): readonly Place[] {
  const steps = stepsOf(expression.replaceAll(/^\(+/g, '').slice(resource.length))
  let places: readonly (Place & { readonly at: string })[] = [{ path: '', type: resource, at: resource }]
  for (const { name, cast, where, only } of steps) {
    places = places.flatMap((place) =>
      membersOf(structures, place, name)
        // HL7 writes `ofType(DateTime)` in one place.
        .filter(({ type }) => cast === undefined || type.toLowerCase() === cast.toLowerCase())
        .map(({ type, at, max, member }) => {
          const repeats = where === undefined ? (max === '1' ? '' : '[]') : `[${where}]`
          const path = `${place.path === '' ? '' : `${place.path}.`}${member}${repeats}`
          return { path, type, at, ...(only === undefined ? {} : { only }) }
        }),
    )
    if (places.length === 0) throw new Error(`no element of R4: ${expression}`)
  }
  return places
}

interface Step {
  readonly name: string
  readonly cast?: string
  readonly where?: string
  readonly only?: string
}

function stepsOf(text: string): readonly Step[] {
  const steps: Step[] = []
  const pattern =
    /\.(?:ofType\((\w+)\)|where\(resolve\(\) is (\w+)\)|where\((\w+)='([\w-]+)'\)|(\w+))|\s+as\s+(\w+)|\)/y
  pattern.lastIndex = 0
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex
    const [whole, ofType, only, field, value, name, as] = pattern.exec(text) ?? []
    if (whole === undefined) throw new Error(`a FHIRPath of a kind not known here: ${text} at ${from}`)
    const cast = ofType ?? as
    const last = steps.at(-1)
    if (name !== undefined) steps.push({ name })
    else if (last && cast !== undefined) steps[steps.length - 1] = { ...last, cast }
    else if (last && only !== undefined) steps[steps.length - 1] = { ...last, only }
    else if (last && field !== undefined) steps[steps.length - 1] = { ...last, where: `${field}=${value}` }
  }
  return steps
}

/** The elements called `name` of an element: of a choice (`value[x]`), one per type. */
function membersOf(
  structures: ReadonlyMap<string, StructureDefinition>,
  { at, type }: { readonly at: string; readonly type: string },
  name: string,
): readonly { member: string; type: string; at: string; max: string }[] {
  const isInline = type === 'BackboneElement' || type === 'Element' || structures.get(at) !== undefined
  const path = isInline ? at : type
  const structure = structures.get(path.split('.')[0] ?? '')
  const elements = structure?.snapshot.element ?? []
  const found = elements.find((one) => one.path === `${path}.${name}` || one.path === `${path}.${name}[x]`)
  if (!found) return []
  if (found.contentReference !== undefined) {
    const to = found.contentReference.replace(/^.*#/, '')
    return [{ member: name, type: 'BackboneElement', at: to, max: found.max }]
  }
  const isChoice = found.path.endsWith('[x]')
  return (found.type ?? []).map(({ code }) => {
    const type = code.startsWith('http://hl7.org/fhirpath/') ? 'string' : code
    const member = isChoice ? `${name}${type[0]?.toUpperCase()}${type.slice(1)}` : name
    return { member, type, at: found.path, max: found.max }
  })
}
