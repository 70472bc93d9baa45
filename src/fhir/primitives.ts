/** Formats of R4's primitive types in JSON (FHIR R4, Datatypes). */
import { isRealDay } from './date.ts'
import { Decimal } from './json.ts'
import { idPattern } from './types.ts'

/** What is wrong with a value: its JSON type, that it is empty, or what it says. */
export type PrimitiveFault = 'type' | 'empty' | 'format'

/** Null: `value` is one of FHIR type `type`. */
export function primitiveFault(type: string, value: unknown): PrimitiveFault | null {
  if (type === 'boolean') return typeof value === 'boolean' ? null : 'type'
  if (type === 'decimal') return typeof value === 'number' || value instanceof Decimal ? null : 'type'
  const least = leastIntegers[type]
  if (least !== undefined) {
    if (value instanceof Decimal) return 'format'
    if (typeof value !== 'number') return 'type'
    return Number.isInteger(value) && value >= least && value <= maxInteger ? null : 'format'
  }
  if (typeof value !== 'string') return 'type'
  if (value === '') return 'empty'
  const isFormed = formats[type] ?? isText
  return isFormed(value) ? null : 'format'
}

const maxInteger = 2 ** 31 - 1
const leastIntegers: Readonly<Record<string, number>> = {
  integer: -(2 ** 31),
  unsignedInt: 0,
  positiveInt: 1,
}

// Blanks are those of XML: a no-break space is a character like any other.
const isText = (text: string): boolean => !hasControl(text) && /[^ \t\r\n]/.test(text)
const isUri = (text: string): boolean => !/[ \t\r\n]/.test(text) && !hasControl(text)
const isCode = (text: string): boolean =>
  !/^[ \t\r\n]|[ \t\r\n]{2}|[ \t\r\n]$/.test(text) && !hasControl(text)

/** Control characters other than tabs and line ends. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 32 && unit !== 9 && unit !== 10 && unit !== 13) return true
  }
  return false
}

const year = String.raw`(?!0000)\d{4}`
const month = '(?:0[1-9]|1[0-2])'
const day = String.raw`(?:0[1-9]|[12]\d|3[01])`
const time = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?`
const zone = String.raw`(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))`
const datePattern = new RegExp(`^${year}(?:-${month}(?:-${day})?)?$`)
const dateTimePattern = new RegExp(`^${year}(?:-${month}(?:-${day}(?:T${time}${zone})?)?)?$`)
const instantPattern = new RegExp(`^${year}-${month}-${day}T${time}${zone}$`)
const timePattern = new RegExp(`^${time}$`)

/** A day after the 28th needs the calendar. */
const isOfCalendar = (text: string): boolean => !(text.slice(8, 10) > '28') || isRealDay(text.slice(0, 10))

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  date: (text) => datePattern.test(text) && isOfCalendar(text),
  dateTime: (text) => dateTimePattern.test(text) && isOfCalendar(text),
  instant: (text) => instantPattern.test(text) && isOfCalendar(text),
  time: (text) => timePattern.test(text),
  code: isCode,
  id: (text) => idPattern.test(text),
  uri: isUri,
  url: isUri,
  canonical: isUri,
  oid: (text) => /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text),
  uuid: (text) => /^urn:uuid:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text),
  base64Binary: isBase64,
  xhtml: (text) => /^[ \t\r\n]*<div[ \t\r\n/>]/.test(text) && isText(text),
}

/** White space may stand anywhere in it. */
function isBase64(text: string): boolean {
  const characters = /[ \t\r\n]/.test(text) ? text.replace(/[ \t\r\n]+/g, '') : text
  return characters.length > 0 && characters.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(characters)
}

/** What a value of each type looks like, for people. */
export const expectedOf = (type: string): { readonly fr: string; readonly en: string } =>
  expected[type] ?? { fr: 'un texte', en: 'a text' }

const expected: Readonly<Record<string, { readonly fr: string; readonly en: string }>> = {
  boolean: { fr: '`true` ou `false`', en: '`true` or `false`' },
  decimal: { fr: 'un nombre, sans guillemets', en: 'a number, without quotes' },
  integer: { fr: 'un nombre entier de 32 bits', en: 'a whole number of 32 bits' },
  unsignedInt: { fr: 'un nombre entier à partir de 0', en: 'a whole number from 0 on' },
  positiveInt: { fr: 'un nombre entier à partir de 1', en: 'a whole number from 1 on' },
  date: { fr: 'une date AAAA, AAAA-MM ou AAAA-MM-JJ', en: 'a date YYYY, YYYY-MM or YYYY-MM-DD' },
  dateTime: {
    fr: 'une date AAAA, AAAA-MM ou AAAA-MM-JJ, ou avec l’heure et le fuseau AAAA-MM-JJThh:mm:ss±hh:mm',
    en: 'a date YYYY, YYYY-MM or YYYY-MM-DD, or with time and zone YYYY-MM-DDThh:mm:ss±hh:mm',
  },
  instant: {
    fr: 'un instant avec fuseau : AAAA-MM-JJThh:mm:ss±hh:mm',
    en: 'an instant with its zone: YYYY-MM-DDThh:mm:ss±hh:mm',
  },
  time: { fr: 'une heure hh:mm:ss', en: 'a time hh:mm:ss' },
  code: { fr: 'un code, sans blanc au début ni à la fin', en: 'a code without blanks at its ends' },
  id: {
    fr: '1 à 64 lettres ASCII, chiffres, « - » ou « . »',
    en: '1 to 64 ASCII letters, digits, "-" or "."',
  },
  uri: { fr: 'un URI, sans blanc', en: 'a URI without blanks' },
  url: { fr: 'une URL, sans blanc', en: 'a URL without blanks' },
  canonical: { fr: 'une URL canonique, sans blanc', en: 'a canonical URL without blanks' },
  oid: { fr: 'un OID : urn:oid:1.2.3', en: 'an OID: urn:oid:1.2.3' },
  uuid: { fr: 'un UUID : urn:uuid:…', en: 'a UUID: urn:uuid:…' },
  base64Binary: { fr: 'du base64', en: 'base64' },
  xhtml: { fr: 'du XHTML dans un `<div>`', en: 'XHTML in a `<div>`' },
}
