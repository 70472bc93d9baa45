/** What can be wrong between the entries of a bundle. */
import type { Issue } from '../fhir/outcome.ts'
import type { FoundReference, UnresolvedReason } from '../fhir/references.ts'

export type RefusedStatus = 400 | 403 | 404 | 409 | 412

/** Marks what was asked for only on a condition that does not hold. */
export const preconditionFailed = 'precondition-failed'

/** Of an entry with these issues. */
export function statusOf(issues: readonly Issue[]): RefusedStatus {
  const all = (is: (issue: Issue) => boolean): boolean => issues.length > 0 && issues.every(is)
  if (all(({ tag }) => tag === preconditionFailed)) return 412
  if (all(({ code }) => code === 'conflict')) return 409
  if (all(({ code }) => code === 'forbidden')) return 403
  return 400
}

const unresolvedTexts: Record<UnresolvedReason, Issue['text']> = {
  'urn-not-in-bundle': {
    fr: 'Aucune entrée du Bundle ne porte cet URN.',
    en: 'No entry of the Bundle has this URN.',
  },
  'condition-not-resolvable': {
    fr: 'Cette référence conditionnelle ne désigne rien de connu : seul un identifiant du Bundle ou d’un système de l’établissement se résout.',
    en: 'This conditional reference names nothing known: only an identifier of the Bundle or of a system of the facility can be resolved.',
  },
  'condition-ambiguous': {
    fr: 'Plusieurs entrées du Bundle portent cet identifiant.',
    en: 'Several entries of the Bundle have this identifier.',
  },
  'scheme-not-allowed': {
    fr: 'Une référence absolue est une URL http(s) ou un URN du Bundle.',
    en: 'An absolute reference is an http(s) URL or a URN of the Bundle.',
  },
  'not-a-reference': {
    fr: 'Ceci n’est pas une référence FHIR (`Type/id`, `#contenu`, `urn:` ou URL).',
    en: 'This is not a FHIR reference (`Type/id`, `#contained`, `urn:` or URL).',
  },
}

export const unresolvedReference = (
  index: number,
  { path }: FoundReference,
  why: UnresolvedReason,
): Issue => ({
  code: why === 'not-a-reference' || why === 'scheme-not-allowed' ? 'value' : 'not-found',
  expression: `Bundle.entry[${index}].resource.${path}`,
  text: unresolvedTexts[why],
})

export const keyConflict = (index: number, other: number): Issue => ({
  code: 'conflict',
  expression: `Bundle.entry[${index}]`,
  text: {
    fr: `Même ressource que l’entrée ${other}, avec un autre contenu.`,
    en: `The same resource as entry ${other}, with other content.`,
  },
})

export const duplicateFullUrl = (index: number): Issue => ({
  code: 'duplicate',
  expression: `Bundle.entry[${index}].fullUrl`,
  text: {
    fr: 'Une autre entrée, d’une autre ressource, porte ce `fullUrl`.',
    en: 'Another entry, of another resource, has this `fullUrl`.',
  },
})

export const twoPersons = (index: number, path: string): Issue => ({
  code: 'conflict',
  expression: `Bundle.entry[${index}].resource.${path}`,
  text: {
    fr: 'Une ressource ne peut porter sur deux personnes.',
    en: 'A resource cannot be about two persons.',
  },
})

export const resourceTooLong = (index: number, maxBytes: number): Issue => ({
  code: 'too-long',
  expression: `Bundle.entry[${index}].resource`,
  text: {
    fr: `Une ressource compte au plus ${maxBytes} octets.`,
    en: `A resource has at most ${maxBytes} bytes.`,
  },
})

/** The stored document of this id is about another person. */
export const otherPerson = (index: number): Issue => ({
  code: 'conflict',
  expression: `Bundle.entry[${index}]`,
  text: {
    fr: 'Cette ressource est déjà publiée au sujet d’une autre personne.',
    en: 'This resource is already published about another person.',
  },
})

/** The server id of a `Patient` that nobody has published or referred to as a person. */
export const noSuchPerson = (index: number, path: string): Issue => ({
  code: 'not-found',
  expression: `Bundle.entry[${index}].resource.${path}.reference`,
  text: {
    fr: 'Aucun patient de cet id n’est connu : nommez-le par l’identifiant de votre système.',
    en: 'No patient of this id is known: name them by the id of your own system.',
  },
})

/** Not an error: a document about a person who cannot be told is kept. */
export const unknownPerson = (index: number, path: string): Issue => ({
  code: 'not-found',
  expression: `Bundle.entry[${index}].resource.${path}`,
  text: {
    fr: 'Ce document ne nomme personne que le dossier connaisse : il reste dans le dossier local et ne se trouve pas par patient.',
    en: 'This document names nobody the record knows: it is kept in the local record and is not found by patient.',
  },
})

/** `PUT Type/<server id>` of what the facility has not published. */
export const noSuchDocument = (index: number): Issue => ({
  code: 'not-found',
  expression: `Bundle.entry[${index}].request.url`,
  text: {
    fr: 'L’établissement n’a publié aucune ressource de cet id.',
    en: 'The facility has published no resource of this id.',
  },
})

export const outOfScope = (index: number): Issue => ({
  code: 'forbidden',
  expression: `Bundle.entry[${index}]`,
  text: {
    fr: 'La portée du jeton ne permet pas cette entrée.',
    en: 'The scope of the token does not allow this entry.',
  },
})

/** `If-Match` names a version that is not the current one, or there is none. */
export const otherVersion = (index: number, current: number | null): Issue => ({
  code: 'conflict',
  tag: preconditionFailed,
  expression: `Bundle.entry[${index}].request.ifMatch`,
  text:
    current === null
      ? {
          fr: 'L’établissement n’a publié aucune ressource de cet id, ou l’a supprimée.',
          en: 'The facility has published no resource of this id, or has deleted it.',
        }
      : {
          fr: `La version courante est ${current}, non celle que nomme \`If-Match\`.`,
          en: `The current version is ${current}, not the one \`If-Match\` names.`,
        },
})

export const severalMatches = (index: number): Issue => ({
  code: 'multiple-matches',
  tag: preconditionFailed,
  expression: `Bundle.entry[${index}].request`,
  text: {
    fr: 'Plusieurs ressources de l’établissement remplissent cette condition.',
    en: 'Several resources of the facility meet this condition.',
  },
})

/** A conditional `PUT` of a resource with the id of another than the one that meets the condition. */
export const otherMatch = (index: number): Issue => ({
  code: 'value',
  expression: `Bundle.entry[${index}].resource.id`,
  text: {
    fr: '`id` n’est pas celui de la ressource qui remplit la condition.',
    en: '`id` is not that of the resource which meets the condition.',
  },
})

export const patientStays = (index: number): Issue => ({
  code: 'conflict',
  tag: 'patient-stays',
  expression: `Bundle.entry[${index}].request`,
  text: {
    fr: 'Un `Patient` ne se supprime pas : des documents, des refus et des accès tiennent à lui. Publiez-le avec `active` à faux.',
    en: 'A `Patient` cannot be deleted: documents, refusals and accesses hang on it. Publish it with `active` false.',
  },
})

/** Between looking and writing, somebody else wrote. @param index null: which entry it was cannot be told */
export const overtaken = (index: number | null): Issue => ({
  code: 'conflict',
  tag: 'overtaken',
  ...(index === null ? {} : { expression: `Bundle.entry[${index}]` }),
  text: {
    fr: 'Une autre écriture l’a modifiée au même moment ; rien n’a été écrit. Renvoyez la requête.',
    en: 'Another write changed it at the same moment; nothing was written. Send the request again.',
  },
})

/** Two entries of one bundle would each create what there may be one of. */
export const sameCondition = (index: number, other: number): Issue => ({
  code: 'conflict',
  expression: `Bundle.entry[${index}].request`,
  text: {
    fr: `Même condition que l’entrée ${other} : une seule peut créer ce qui la remplit.`,
    en: `The same condition as entry ${other}: only one can create what meets it.`,
  },
})
