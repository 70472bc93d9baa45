/** Codes and identifiers of a resource, whatever shape R4 gives the element. */
import { codeSystems } from './elements.ts'
import { isObject, type JsonObject } from './json.ts'

export interface Coding {
  /** Empty when the coding names none. */
  readonly system: string
  readonly code: string
}

/** `system|code`, as stored and searched. */
export const codingText = ({ system, code }: Coding): string => `${system}|${code}`

/** All codings of the element at `path`: CodeableConcept, Coding or code, repeating or not. */
export function codingsAt(resource: JsonObject, path: string | null): readonly Coding[] {
  if (path === null) return []
  const fixedSystem = codeSystems[`${resource.resourceType}.${path}`] ?? ''
  return valuesAt(resource, path).flatMap((value) => {
    if (typeof value === 'string') return [{ system: fixedSystem, code: value }]
    if (!isObject(value)) return []
    return (Array.isArray(value.coding) ? value.coding : [value]).flatMap(toCoding)
  })
}

function toCoding(value: unknown): readonly Coding[] {
  if (!isObject(value) || typeof value.code !== 'string') return []
  return [{ system: typeof value.system === 'string' ? value.system : '', code: value.code }]
}

export interface Identifier {
  readonly system: string
  readonly value: string
}

/** The business identifiers that R4's `identifier` parameter finds. Parts are empty where absent. */
export function identifiersOf(resource: JsonObject): readonly Identifier[] {
  return [...valuesAt(resource, 'masterIdentifier'), ...valuesAt(resource, 'identifier')].flatMap((value) => {
    if (!isObject(value)) return []
    const system = typeof value.system === 'string' ? value.system : ''
    const text = typeof value.value === 'string' ? value.value : ''
    return text === '' ? [] : [{ system, value: text }]
  })
}

/** Values at a dotted path; the items of arrays on the way each count. */
export function valuesAt(resource: JsonObject, path: string): readonly unknown[] {
  let values: readonly unknown[] = [resource]
  for (const name of path.split('.')) {
    values = values.flatMap((value) => {
      const member = isObject(value) ? value[name] : undefined
      return member === undefined ? [] : member
    })
  }
  return values
}
