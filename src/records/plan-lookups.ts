/** What a search needs an index for, or cannot compare in SQL: texts without case and accents, references of resources about nobody. */
import type { Resource } from '../fhir/bundle.ts'
import { valuesAt } from '../fhir/codings.ts'
import { elementsOf } from '../fhir/elements.ts'
import { isObject } from '../fhir/json.ts'
import {
  type SearchParameter,
  type Source,
  searchParametersOf,
  textMembers,
} from '../fhir/search-parameters.ts'
import { folded } from '../fhir/search-values.ts'
import { limits } from '../limits.ts'

/** By parameter, its values, each once. */
type Values = readonly (readonly [param: string, values: readonly string[]])[]

/** Parameters of a type of which `lookup` holds rows; most types have few. */
const lookedUp = new Map<
  string,
  { readonly texts: readonly SearchParameter[]; readonly references: readonly SearchParameter[] }
>()

function parametersLookedUp(type: string) {
  const known = lookedUp.get(type)
  if (known) return known
  const all = searchParametersOf(type)
  const isAboutNobody = elementsOf(type).person.length === 0 && type !== 'Patient'
  const found = {
    texts: all.filter((one) => one.type === 'string'),
    references: isAboutNobody ? all.filter((one) => one.type === 'reference') : [],
  }
  lookedUp.set(type, found)
  return found
}

/** Folded texts of the string parameters. */
export const searchedTexts = (resource: Resource): Values =>
  valuesOf(resource, parametersLookedUp(resource.resourceType).texts, (value, { dataType }) =>
    textsIn(value, dataType).map((text) => folded(text).slice(0, limits.maxLookupLength)),
  )

/** `Type/id` of the reference parameters, where the resource is about nobody: `_revinclude` finds it by them. */
export const searchedReferences = (resource: Resource): Values =>
  valuesOf(resource, parametersLookedUp(resource.resourceType).references, (value, { only }) => {
    const text = isObject(value) ? value.reference : undefined
    const isIt = typeof text === 'string' && (only === null || text.startsWith(`${only}/`))
    return isIt ? [text] : []
  })

function valuesOf(
  resource: Resource,
  parameters: readonly SearchParameter[],
  read: (value: unknown, source: Source) => readonly string[],
): Values {
  return parameters.map(({ name, sources }) => {
    const values = sources.flatMap((source) =>
      elementsAt(resource, source).flatMap((value) => read(value, source)),
    )
    return [name, [...new Set(values)].filter((value) => value !== '')]
  })
}

/** Values at the source's path; of a step with a condition only those that meet it. */
function elementsAt(resource: Resource, { path }: Source): readonly unknown[] {
  let values: readonly unknown[] = [resource]
  for (const { name, where } of path) {
    values = values.flatMap((value) => (isObject(value) ? valuesAt(value, name) : []))
    if (where) values = values.filter((value) => isObject(value) && value[where[0]] === where[1])
  }
  return values
}

/** A text, or those of a name or an address. */
function textsIn(value: unknown, dataType: string): readonly string[] {
  if (typeof value === 'string') return [value]
  if (!isObject(value)) return []
  return (textMembers[dataType] ?? [])
    .flatMap(([member]) => value[member])
    .filter((part): part is string => typeof part === 'string')
}
