/**
 * Whether a resource is what one search parameter asks for, told from FHIR R4 (§3.1.1) and HL7's definitions alone: naively,
 * value by value, over parsed resources. The server's tables, grammar and SQL are not used.
 */
import type { TypedValue } from '@medplum/core'
import { type Definition, type Resource, valuesOf, valuesUnder } from './search-definitions.ts'
import { meetsDate, meetsNumber, meetsQuantity } from './search-ranges.ts'

/** What literal references mean beyond their text. */
export interface Meanings {
  /** Of this server, with a slash at the end: `https://record.example/fhir/`. */
  readonly base: string
  /** Whose `Patient` has that id; undefined where there is none. All Patients of a person are the person. */
  personOf(patientId: string): string | undefined
  /** Whose `Patient` has that identifier, `system|value`. */
  personWith(identifier: string): string | undefined
}

/**
 * @param modifier without its colon; null: none
 * @param text one value of the parameter as it stands in the URL, decoded: alternatives separated by commas
 */
export function matches(
  meanings: Meanings,
  resource: Resource,
  definition: Definition,
  modifier: string | null,
  text: string,
): boolean {
  const values = valuesOf(resource, definition.expression)
  if (modifier === 'missing') return (values.length === 0) === (text === 'true')
  const isMet = separated(text, ',').some((alternative) => {
    if (definition.type === 'composite')
      return values.some((value) => meetsComposite(meanings, value, definition, alternative))
    return values.some((value) => meets(meanings, value, definition, modifier, alternative))
  })
  return modifier === 'not' ? !isMet : isMet
}

function meetsComposite(
  meanings: Meanings,
  element: TypedValue,
  { components }: Definition,
  text: string,
): boolean {
  const parts = separated(text, '$')
  return components.every(({ expression, type }, i) =>
    valuesUnder(element, expression).some((value) =>
      meets(meanings, value, { type, system: null }, null, parts[i] ?? ''),
    ),
  )
}

/** @param text one alternative, escapes still in it */
function meets(
  meanings: Meanings,
  value: TypedValue,
  { type, system }: Pick<Definition, 'type' | 'system'>,
  modifier: string | null,
  text: string,
): boolean {
  switch (type) {
    case 'token':
      return meetsToken(value, system, text)
    case 'string':
      return meetsString(value, modifier, unescaped(text))
    case 'date':
      return meetsDate(value, text)
    case 'number':
      return meetsNumber(value.value, text)
    case 'quantity':
      return meetsQuantity(value, separated(text, '|').map(unescaped))
    case 'reference':
      return meetsReference(meanings, value, modifier, unescaped(text))
    case 'uri':
      return value.value === unescaped(text)
    default:
      throw new Error(`the oracle knows no ${type} parameter`)
  }
}

/** Parts of a text, escapes kept: R4 §3.1.1.4.14. */
export function separated(text: string, separator: ',' | '|' | '$'): readonly string[] {
  if (!text.includes('\\')) return text.split(separator)
  const parts = ['']
  for (const [piece] of text.matchAll(/\\.|./gs))
    if (piece === separator) parts.push('')
    else parts[parts.length - 1] += piece
  return parts
}

export const unescaped = (text: string): string => text.replaceAll(/\\([\\,|$])/g, '$1')

interface Token {
  readonly system: string | null
  readonly code: string | undefined
}

/** R4 §3.1.1.4.10, its table of types. Null: the element can carry no system. @param implicit that of a `code` */
export function tokensOf({ type, value }: TypedValue, implicit: string | null): readonly Token[] {
  switch (type) {
    case 'CodeableConcept':
      return ((value as { coding?: readonly Coding[] }).coding ?? []).map(tokenOf)
    case 'Coding':
      return [tokenOf(value as Coding)]
    case 'Identifier': {
      const { system, value: code } = value as { system?: string; value?: string }
      return [{ system: system ?? '', code }]
    }
    case 'ContactPoint':
      return [{ system: null, code: (value as { value?: string }).value }]
    default:
      return [{ system: type === 'code' ? implicit : null, code: String(value) }]
  }
}

interface Coding {
  readonly system?: string
  readonly code?: string
}
const tokenOf = ({ system = '', code }: Coding): Token => ({ system, code })

function meetsToken(value: TypedValue, implicit: string | null, text: string): boolean {
  const [first = '', second] = separated(text, '|').map(unescaped)
  return tokensOf(value, implicit).some(({ system, code }) => {
    if (second === undefined) return code === first
    if (second === '') return system === first
    return code === second && (system ?? '') === first
  })
}

/** R4 §3.1.1.4.8: letters without their accents, in one case, white space folded. */
export const folded = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\s+/g, ' ').trim()

const nameParts = ['text', 'family', 'given', 'prefix', 'suffix']
const addressParts = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country']

/** Of a name or an address: each of its parts. */
export function stringsOf({ type, value }: TypedValue): readonly string[] {
  const parts = { HumanName: nameParts, Address: addressParts }[type]
  if (!parts) return typeof value === 'string' ? [value] : []
  return parts.flatMap((part) => (value as Record<string, string | string[]>)[part] ?? [])
}

function meetsString(value: TypedValue, modifier: string | null, wanted: string): boolean {
  return stringsOf(value).some((text) => {
    if (modifier === 'exact') return text === wanted
    if (modifier === 'contains') return folded(text).includes(folded(wanted))
    return folded(text).startsWith(folded(wanted))
  })
}

/** `Type/id` of a literal reference to this server, without its version; else the text itself. */
export function literal({ base }: Meanings, text: string): string {
  const own = text.startsWith(base) ? text.slice(base.length) : text
  return own.replace(/\/_history\/[^/]*$/, '')
}

/** The literal text of a Reference, uri or canonical; null when it has none. */
export function referenceText({ value }: TypedValue): string | null {
  if (typeof value === 'string') return value
  const { reference } = value as { reference?: unknown }
  return typeof reference === 'string' ? reference : null
}

function meetsReference(
  meanings: Meanings,
  value: TypedValue,
  modifier: string | null,
  wanted: string,
): boolean {
  const text = referenceText(value)
  if (text === null) return false
  const stored = literal(meanings, text)
  const asked = literal(
    meanings,
    modifier === null ? wanted : `${modifier}/${wanted.replace(/^[A-Za-z]+\//, '')}`,
  )
  if (isSamePerson(meanings, stored, asked)) return true
  return asked.includes('/') || asked.includes(':') ? stored === asked : stored.split('/')[1] === asked
}

function isSamePerson(meanings: Meanings, stored: string, asked: string): boolean {
  const idOf = (text: string): string | undefined => /^Patient\/([^/]+)$/.exec(text)?.[1]
  const person = meanings.personOf(idOf(stored) ?? '')
  return person !== undefined && person === meanings.personOf(idOf(asked) ?? asked)
}
