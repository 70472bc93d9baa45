/** What can be wrong between the entries of a bundle. */
import type { Issue } from '../fhir/outcome.ts'
import type { FoundReference, UnresolvedReason } from '../fhir/references.ts'

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
