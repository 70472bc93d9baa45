/** The type of resource that a `Reference` says it is to, where it can be told without looking anything up. */
import { resourceTypes } from './types.ts'

/** Of `Type/id`, with a version or not, alone or at the end of an http(s) URL, and of `Type?…`; null: it does not say. */
export function literalType(reference: string): string | null {
  const [, type = ''] =
    /^(?:https?:\/\/(?:[^/?#]*\/)+)?([A-Z][A-Za-z]*)(?:\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$|\?)/.exec(
      reference,
    ) ?? []
  return resourceTypes.has(type) ? type : null
}

const base = 'http://hl7.org/fhir/StructureDefinition/'

/** Of `Reference.type`: the name of a type of R4, as such or as a URL; null for any other. */
export function namedType(type: unknown): string | null {
  if (typeof type !== 'string') return null
  const name = type.startsWith(base) ? type.slice(base.length) : type
  return resourceTypes.has(name) ? name : null
}
