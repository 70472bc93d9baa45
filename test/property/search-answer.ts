/** What a whole search should find, told naively over all that its caller may see: chains, `_has` and includes, too. */
import { definitionOf, type Resource, valuesOf } from './search-definitions.ts'
import { literal, type Meanings, matches, referenceText } from './search-oracle.ts'
import type { Served } from './search-world.ts'

export interface Parameter {
  /** With modifier or chain: `code:not`, `subject:Patient.name`, `_has:Observation:encounter:code`. */
  readonly name: string
  readonly value: string
}

/** What a caller may find, and what literal references in it lead to. */
export interface Sight {
  readonly meanings: Meanings
  readonly seen: readonly Served[]
  at(reference: string): Served | undefined
  ofType(type: string): readonly Served[]
}

export function sightOf(meanings: Meanings, seen: readonly Served[]): Sight {
  const found = seen.filter(({ resource }) => !isInError(resource))
  const byReference = new Map(found.map((one) => [`${one.document.type}/${one.document.id}`, one]))
  const byType = new Map<string, Served[]>()
  for (const one of found) {
    const { type } = one.document
    byType.set(type, [...(byType.get(type) ?? []), one])
  }
  return {
    meanings,
    seen: found,
    at: (reference) => byReference.get(reference),
    ofType: (type) => byType.get(type) ?? [],
  }
}

/** A document entered in error is in no search. */
const isInError = ({ status, verificationStatus }: Resource): boolean =>
  status === 'entered-in-error' || JSON.stringify(verificationStatus ?? '').includes('"entered-in-error"')

export const matchesOf = (sight: Sight, type: string, parameters: readonly Parameter[]): readonly Served[] =>
  sight.ofType(type).filter((one) => parameters.every((parameter) => meets(sight, one, parameter)))

function meets(sight: Sight, one: Served, { name, value }: Parameter): boolean {
  if (name.startsWith('_has:')) {
    const [, type = '', reference = '', ...rest] = name.split(':')
    const own = { name: reference, value: `${one.document.type}/${one.document.id}` }
    return sight
      .ofType(type)
      .some((other) => meets(sight, other, own) && meets(sight, other, { name: rest.join(':'), value }))
  }
  // The person who has it, as `patient` is: whether or not that `Patient` may be seen.
  if (name === 'patient.identifier')
    return one.document.person !== '' && one.document.person === sight.meanings.personWith(value)
  const dot = name.indexOf('.')
  if (dot > 0) {
    const [reference = '', targetType = null] = name.slice(0, dot).split(':')
    return literals(sight, one, reference)
      .map((text) => sight.at(text))
      .filter((target) => target !== undefined)
      .filter(({ document }) => targetType === null || document.type === targetType)
      .some((target) => meets(sight, target, { name: name.slice(dot + 1), value }))
  }
  const [code = '', modifier = null] = name.split(':')
  return matches(sight.meanings, one.resource, definitionOf(one.document.type, code), modifier, value)
}

/** Of a reference parameter: `Type/id` of everything it names. */
export function literals(
  { meanings }: Sight,
  { document, resource }: Served,
  code: string,
): readonly string[] {
  return valuesOf(resource, definitionOf(document.type, code).expression)
    .map(referenceText)
    .filter((text) => text !== null)
    .map((text) => literal(meanings, text))
}

/** What `_include` and `_revinclude` add: about the same persons or about nobody, and no match itself. */
export function includedWith(
  sight: Sight,
  matched: readonly Served[],
  includes: readonly Parameter[],
): readonly Served[] {
  const persons = new Set(['', ...matched.map(({ document }) => document.person)])
  const added = includes.flatMap(({ name, value }) => {
    const [type = '', code = '', targetType = null] = value.split(':')
    if (name === '_include')
      return matched
        .filter(({ document }) => document.type === type)
        .flatMap((one) => literals(sight, one, code))
        .map((text) => sight.at(text))
        .filter((target) => target !== undefined)
        .filter(({ document }) => targetType === null || document.type === targetType)
    const own = new Set(matched.map(({ document }) => `${document.type}/${document.id}`))
    return sight.ofType(type).filter((one) => literals(sight, one, code).some((text) => own.has(text)))
  })
  return [...new Set(added)].filter((one) => !matched.includes(one) && persons.has(one.document.person))
}
