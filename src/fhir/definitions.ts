/**
 * The elements of FHIR R4, as the generated table of `src/local/definitions/validation.ts` says: read a type at a time,
 * when it is first asked for.
 */

/** Of one element under the name it has in JSON; of a choice (`value[x]`) there is one for each type. */
export interface ElementRule {
  readonly name: string
  /** The choice it is one of, e.g. `value[x]`; null: none. */
  readonly choice: string | null
  readonly isRepeated: boolean
  /** FHIR type: a primitive, a data type, `Resource`, or `BackboneElement` where the elements stand in `shape`. */
  readonly type: string
  readonly isPrimitive: boolean
  /** Name by which `Definitions.shapeOf` gives its elements. */
  readonly shape: string
  /** Types of resources a `Reference` may be to; null: any. */
  readonly targets: ReadonlySet<string> | null
  /** Of a required binding; null: none, or one that nobody can list. */
  readonly codes: ValueSet | null
}

export interface ValueSet {
  readonly name: string
  readonly bySystem: ReadonlyMap<string, ReadonlySet<string>>
  /** Of all systems: a `code` names none. */
  readonly codes: ReadonlySet<string>
}

export interface Shape {
  /** By name in JSON. */
  readonly elements: ReadonlyMap<string, ElementRule>
  /** Elements one of whose names must be there, by name in R4 (`value[x]`). */
  readonly required: ReadonlyMap<string, readonly ElementRule[]>
}

export interface Definitions {
  /** Of a type (`Patient`, `HumanName`) or of an element made of others (`Patient.contact`). @throws Error when R4 has none */
  shapeOf(name: string): Shape
}

interface Table {
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly codes: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What every element may have; a primitive has it beside its value (`_birthDate`). */
const element = { id: '01 string', extension: '0* Extension' }

/** @param text of `validation.generated.txt`: a line that says what it is made of, then JSON */
export function readDefinitions(text: string): Definitions {
  const { types, codes } = JSON.parse(text.slice(text.indexOf('\n') + 1)) as Table
  const valueSets = once((name) => readValueSet(name, codes[name] ?? {}))
  const shapes = once((name) => {
    const declared = name === 'Element' ? element : types[name]
    if (!declared) throw new Error(`no such type in R4: ${name}`)
    return readShape(declared, (valueSet) => (valueSet in codes ? valueSets(valueSet) : null))
  })
  return { shapeOf: shapes }
}

function once<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return (name) => {
    const known = made.get(name)
    if (known !== undefined) return known
    const value = make(name)
    made.set(name, value)
    return value
  }
}

function readValueSet(name: string, codes: Readonly<Record<string, string>>): ValueSet {
  const bySystem = new Map(Object.entries(codes).map(([system, list]) => [system, new Set(list.split(' '))]))
  return { name, bySystem, codes: new Set([...bySystem.values()].flatMap((of) => [...of])) }
}

/** `<min><max> <type>[|<type>…][ <value set>]`; a type `@Patient.contact` has its elements there. */
function readShape(
  declared: Readonly<Record<string, string>>,
  valueSetOf: (name: string) => ValueSet | null,
): Shape {
  const elements = new Map<string, ElementRule>()
  const required = new Map<string, readonly ElementRule[]>()
  for (const [declaredName, text] of Object.entries(declared)) {
    const [cardinality = '', types = '', valueSet] = text.split(' ')
    const isChoice = declaredName.endsWith('[x]')
    const rules = types.split('|').map((type): ElementRule => {
      const [typeName = '', targets] = type.split('>')
      return {
        name: isChoice ? `${declaredName.slice(0, -3)}${capitalised(typeName)}` : declaredName,
        choice: isChoice ? declaredName : null,
        isRepeated: cardinality.endsWith('*'),
        type: typeName.startsWith('@') ? 'BackboneElement' : typeName,
        isPrimitive: /^[a-z]/.test(typeName),
        shape: typeName.replace('@', ''),
        targets: targets === undefined ? null : new Set(targets.split(',')),
        codes: valueSet === undefined ? null : valueSetOf(valueSet),
      }
    })
    for (const rule of rules) elements.set(rule.name, rule)
    if (cardinality.startsWith('1')) required.set(declaredName, rules)
  }
  return { elements, required }
}

/** A choice names the type, not the profile on it. */
const capitalised = (type: string): string =>
  type === 'SimpleQuantity' ? 'Quantity' : `${type.slice(0, 1).toUpperCase()}${type.slice(1)}`
