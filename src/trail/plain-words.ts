/** An entry of the log in words that a patient understands, in French or English. Pure. */
import type { ToldEntry } from '../audit/csv-columns.ts'
import type { Access } from '../audit/port.ts'
import { told } from './audit-event-elements.ts'
import { bases, type Plain, reasonWords } from './plain-reasons.ts'
import { actions, kinds, otherKind, purposes, roles, statedAs } from './plain-terms.ts'

export type Language = 'fr' | 'en'

/** Names as of the time of the entry; null: none, or the registry does not know it. */
export interface PlaceNames {
  readonly facility: string | null
  readonly organisation: string | null
}

/** Label and text of each thing told, in the order of reading. */
export type PlainWords = readonly (readonly [label: string, text: string])[]

/** @param isWard whether a guardian reads it: the words are to the person whose record it is */
export function plainWords(
  entry: ToldEntry,
  places: PlaceNames,
  language: Language,
  isWard: boolean,
): PlainWords {
  const { access } = entry
  const labels = labelsOf[language]
  const why = whyOf(access, language)
  return [
    ...(isWard ? ([[labels.record, ward[language]]] as const) : []),
    [labels.who, whoOf(access, language)],
    [labels.where, whereOf(places, language)],
    [labels.when, whenOf(entry.time, language)],
    [labels.what, whatOf(access, language)],
    [labels.which, kindsOf(access, language).join(', ') || labels.nothing],
    ...(why === '' ? [] : ([[labels.why, why]] as const)),
    [labels.rule, reasonWords(access.decision)[language]],
  ]
}

const labelsOf = {
  fr: {
    record: 'Dossier',
    who: 'Qui',
    where: 'Où',
    when: 'Quand',
    what: 'Quoi',
    which: 'Renseignements',
    why: 'Pourquoi',
    rule: 'Règle',
    nothing: 'aucun renseignement de santé',
  },
  en: {
    record: 'Record',
    who: 'Who',
    where: 'Where',
    when: 'When',
    what: 'What',
    which: 'Information',
    why: 'Why',
    rule: 'Rule',
    nothing: 'no health information',
  },
} as const

const ward: Plain = {
  fr: 'celui de la personne que vous représentez ; « vous », plus bas, est cette personne',
  en: 'that of the person whom you represent; "you", below, is that person',
}

function whoOf({ who }: Access, language: Language): string {
  const name = told(who.name) ?? unknownName[language]
  const role = roleWords(who.role, language)
  return role === null ? name : `${name} (${role})`
}

const unknownName: Plain = { fr: 'Personne non identifiée', en: 'Somebody not identified' }

/** A role that has no words here is told as it is registered. */
export const roleWords = (role: string | null, language: Language): string | null =>
  role !== null && Object.hasOwn(roles, role) ? roles[role as keyof typeof roles][language] : told(role)

const whereOf = ({ facility, organisation }: PlaceNames, language: Language): string =>
  [...new Set([facility, organisation].filter((name) => name !== null))].join(', ') || noPlace[language]

const noPlace: Plain = { fr: 'hors d’un établissement', en: 'outside any facility' }

/** In Québec, whose people read it. */
export const whenOf = (time: string, language: Language): string =>
  new Intl.DateTimeFormat(language === 'fr' ? 'fr-CA' : 'en-CA', {
    dateStyle: 'long',
    timeStyle: 'long',
    timeZone: 'America/Toronto',
  }).format(new Date(time))

function whatOf({ action, decision: { outcome }, phase }: Access, language: Language): string {
  const done = (Object.hasOwn(actions, action) ? actions[action] : actions.operation)[language]
  return `${done}${phase === 'intent' && outcome === 'permit' ? begun[language] : outcomes[outcome][language]}`
}

const begun: Plain = { fr: ' : commencé', en: ': begun' }

const outcomes: Readonly<Record<Access['decision']['outcome'], Plain>> = {
  permit: { fr: '', en: '' },
  deny: { fr: ' : refusé', en: ': refused' },
  error: { fr: ' : n’a pas abouti', en: ': did not succeed' },
}

/** Of what was disclosed or written; where there is nothing, of what the address asks for. */
export function kindsOf({ resources, query }: Access, language: Language): string[] {
  const types =
    resources.length > 0 ? resources.map(typeOf) : [/^\/fhir\/([A-Z][A-Za-z]*)/.exec(query.path)?.[1]]
  return [
    ...new Set(
      types.filter((type) => type !== undefined).map((type) => (kinds.get(type) ?? otherKind)[language]),
    ),
  ]
}

export const typeOf = (resource: string): string => resource.split('/', 1)[0] ?? ''

function whyOf({ purpose, breakGlassReason, note }: Access, language: Language): string {
  const stated = told(purpose)
  const basis = note?.basis ?? ''
  const emergency = told(breakGlassReason)
  return [
    ...(stated === null ? [] : [purposeWords(stated, language)]),
    ...(Object.hasOwn(bases, basis) ? [because[language](bases[basis as keyof typeof bases][language])] : []),
    ...(emergency === null ? [] : [declared[language](emergency)]),
  ].join(language === 'fr' ? ' ; ' : '; ')
}

const purposeWords = (code: string, language: Language): string =>
  (Object.hasOwn(purposes, code) ? purposes[code] : null)?.[language] ?? `${statedAs[language]} ${code}`

const because = {
  fr: (basis: string) => `en raison de ceci : ${basis}`,
  en: (basis: string) => `on the ground of ${basis}`,
} as const

/** In the words of whoever declared it. */
const declared = {
  fr: (reason: string) => `urgence déclarée : « ${reason} »`,
  en: (reason: string) => `emergency declared: "${reason}"`,
} as const

/** `text.div` of a resource (FHIR R4, Narrative). */
export const narrativeOf = (words: PlainWords, language: Language): string =>
  `<div xmlns="http://www.w3.org/1999/xhtml" lang="${language}" xml:lang="${language}"><dl>${words
    .map(([label, text]) => `<dt>${escaped(label)}</dt><dd>${escaped(text)}</dd>`)
    .join('')}</dl></div>`

/** XML 1.0 (§2.2): without the characters that no document may hold. */
const escaped = (text: string): string =>
  [...text]
    .filter(isXml)
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

const isXml = (character: string): boolean =>
  character >= ' ' ? !/[\ufffe\uffff]/.test(character) : '\t\n\r'.includes(character)
