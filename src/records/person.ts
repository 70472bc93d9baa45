/** What a `Patient` says of its person, as far as joining source records and look-up need it. */
import type { Resource } from '../fhir/bundle.ts'
import { identifiersOf } from '../fhir/codings.ts'
import { isObject } from '../fhir/json.ts'
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'

/** A row of `person_key`. */
export interface PersonKey {
  readonly system: string
  readonly value: string
  /** As published: a whole date where the sender knows it; empty when absent. */
  readonly birthDate: string
  /** Normalised; empty when absent. */
  readonly family: string
}

/** Uses of a name that no longer, or never, named the person. */
const formerUses: ReadonlySet<unknown> = new Set(['old', 'temp', 'anonymous'])

/** One key per identifier and current family name. */
export function personKeys(patient: Resource): readonly PersonKey[] {
  const birthDate = typeof patient.birthDate === 'string' ? patient.birthDate : ''
  const names: readonly unknown[] = Array.isArray(patient.name) ? patient.name : []
  const families = names
    .filter(isObject)
    .filter((name) => !formerUses.has(name.use))
    .map((name) => (typeof name.family === 'string' ? normalFamily(name.family) : ''))
    .filter((family) => family !== '')
  const distinct = [...new Set(families)].slice(0, limits.maxPersonFamilies)
  const unique = new Map<string, PersonKey>()
  for (const { system, value } of identifiersOf(patient).slice(0, limits.maxPersonIdentifiers)) {
    for (const family of distinct.length > 0 ? distinct : [''])
      unique.set(JSON.stringify([system, value, family]), { system, value, birthDate, family })
  }
  return [...unique.values()]
}

/** Without case, accents, ligatures, spaces and punctuation: `Lévesque-Côté` and `LEVESQUE COTE` are one name. */
export function normalFamily(family: string): string {
  return family
    .normalize('NFKD')
    .toUpperCase()
    .replaceAll('Œ', 'OE')
    .replaceAll('Æ', 'AE')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
}

/** Identifier systems on which records of a person may be joined. */
export const personSystems: Statement = {
  sql: 'select system from person_identifier_system where valid_to is null',
}
