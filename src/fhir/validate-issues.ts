/** What validation says: of each fault what was expected, in both languages. Values are never repeated: they may be health data. */
import { limits } from '../limits.ts'
import type { ValueSet } from './definitions.ts'
import { nearest, repeatable } from './nearest.ts'
import type { Issue } from './outcome.ts'
import { expectedOf, type PrimitiveFault } from './primitives.ts'

/** An issue without its place. */
export type Fault = Pick<Issue, 'code' | 'text'>

const fault = (code: string, fr: string, en: string): Fault => ({ code, text: { fr, en } })

/** Whether a name can be repeated in an answer. */
export const isName = (name: string): boolean => repeatable(name) !== null

export function unknownElement(name: string, known: Iterable<string>): Fault {
  const shown = repeatable(name)
  const meant = nearest(name, known)
  const [fr, en] = shown === null ? ['', ''] : [` « ${shown} »`, ` "${shown}"`]
  return meant === null
    ? fault('structure', `Élément inconnu${fr}.`, `Unknown element${en}.`)
    : fault(
        'structure',
        `Élément inconnu${fr} : vouliez-vous dire « ${meant} » ?`,
        `Unknown element${en}: did you mean "${meant}"?`,
      )
}

export const missingElement = (name: string, parent: string): Fault =>
  fault('required', `« ${name} » est requis dans ${parent}.`, `"${name}" is required in ${parent}.`)

export const listExpected = (name: string): Fault =>
  fault(
    'structure',
    `« ${name} » se répète : une liste JSON est attendue.`,
    `"${name}" repeats: a JSON array is expected.`,
  )

export const oneExpected = (name: string): Fault =>
  fault(
    'structure',
    `« ${name} » ne se répète pas : une seule valeur est attendue, sans liste.`,
    `"${name}" does not repeat: one value is expected, not an array.`,
  )

export const emptyList: Fault = fault(
  'structure',
  'Une liste vide est interdite : omettez l’élément.',
  'An empty array is not allowed: leave the element out.',
)

export const emptyElement: Fault = fault(
  'structure',
  'Un élément a une valeur ou des éléments : omettez celui-ci.',
  'An element has a value or elements: leave this one out.',
)

export const nullValue: Fault = fault(
  'structure',
  '`null` n’est permis que dans une liste de valeurs simples dont les extensions occupent la même place.',
  '`null` is only allowed in a list of simple values whose extensions have the same place.',
)

export const objectExpected = (type: string): Fault =>
  fault(
    'structure',
    `Un objet JSON est attendu (${wordFor(type, 'fr')}).`,
    `A JSON object is expected (${wordFor(type, 'en')}).`,
  )

const wordFor = (type: string, language: 'fr' | 'en'): string =>
  type !== 'BackboneElement' ? type : language === 'fr' ? 'un groupe d’éléments' : 'a group of elements'

export function wrongPrimitive(type: string, what: PrimitiveFault): Fault {
  const { fr, en } = expectedOf(type)
  return fault(
    what === 'format' ? 'value' : 'structure',
    `Est attendu ici : ${fr} (${type}).`,
    `Expected here: ${en} (${type}).`,
  )
}

export const choiceTwice = (choice: string, first: string): Fault =>
  fault(
    'structure',
    `« ${choice} » n’a qu’un type à la fois, et « ${first} » est déjà là.`,
    `"${choice}" has one type at a time, and "${first}" is there already.`,
  )

export function codeNotInSet({ name, codes, bySystem }: ValueSet, given: string | null): Fault {
  const meant = given === null ? null : nearest(given, codes)
  const [fr, en] =
    meant !== null
      ? [` Vouliez-vous dire « ${meant} » ?`, ` Did you mean "${meant}"?`]
      : codes.size <= limits.maxCodesNamed
        ? [` : ${[...codes].join(', ')}.`, `: ${[...codes].join(', ')}.`]
        : ['.', '.']
  // A CodeableConcept says more than the code.
  const systems = given === null ? ` (${[...bySystem.keys()].join(', ')})` : ''
  const [endFr, endEn] = meant === null ? [fr, en] : [`.${fr}`, `.${en}`]
  return fault(
    'code-invalid',
    `Un code de ${name}${systems} est requis ici${endFr}`,
    `A code of ${name}${systems} is required here${endEn}`,
  )
}

export const wrongTarget = (targets: ReadonlySet<string>, type: string): Fault =>
  fault(
    'value',
    `Une référence vers ${[...targets].join(', ')} est attendue ici, non vers ${type}.`,
    `A reference to ${[...targets].join(', ')} is expected here, not to ${type}.`,
  )

export const typesDisagree = (type: string, literal: string): Fault =>
  fault(
    'value',
    `« type » dit ${type}, mais « reference » mène à ${literal}.`,
    `"type" says ${type}, but "reference" leads to ${literal}.`,
  )

export const noSuchContained: Fault = fault(
  'not-found',
  'Aucune ressource contenue ne porte cet id.',
  'No contained resource has this id.',
)

export const duplicateContained: Fault = fault(
  'duplicate',
  'Une autre ressource contenue porte cet id.',
  'Another contained resource has this id.',
)

export const notInContained = (name: string): Fault =>
  fault(
    'structure',
    `« ${name} » est interdit dans une ressource contenue.`,
    `"${name}" is not allowed in a contained resource.`,
  )

export function unknownType(given: unknown, known: Iterable<string>): Fault {
  if (typeof given !== 'string')
    return fault('required', '`resourceType` est requis.', '`resourceType` is required.')
  const meant = nearest(given, known)
  return meant === null
    ? fault('value', 'Type de ressource inconnu.', 'Unknown resource type.')
    : fault(
        'value',
        `Type de ressource inconnu : vouliez-vous dire « ${meant} » ?`,
        `Unknown resource type: did you mean "${meant}"?`,
      )
}

export const valueOrExtensions: Fault = fault(
  'structure',
  'Une extension a soit une valeur, soit des extensions.',
  'An extension has either a value or extensions.',
)
