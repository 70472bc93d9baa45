/** Whether two records speak of one name or one address. Professionals have one text for a name, patients have parts. */
import { isObject } from '../../fhir/json.ts'
import { normalFamily } from '../../records/person.ts'

const titles: ReadonlySet<string> = new Set([
  'DR',
  'DRE',
  'PR',
  'PRE',
  'ME',
  'M',
  'MR',
  'MRS',
  'MS',
  'MME',
  'MLLE',
  'INF',
  'PHARM',
])

/** Normalised words of a professional's name, without titles. */
const words = (name: string): readonly string[] =>
  name
    .split(/\s+/)
    .map(normalFamily)
    .filter((word) => word !== '' && !titles.has(word))

/** What of the name may be the family name: its last word, its last two words … but for the first. Normalised. */
export function familiesOf(name: string): ReadonlySet<string> {
  const [, ...rest] = words(name)
  return new Set(rest.map((_, i) => rest.slice(i).join('')))
}

/** The whole name, normalised. */
export const fullName = (name: string): string => words(name).join('')

/** Of a `Patient`: what its `name` and `address` say, normalised. */
export interface Particulars {
  readonly families: readonly string[]
  /** Given names and family, as a professional's would be written: with all given names, and with the first alone. */
  readonly fullNames: readonly string[]
  readonly addresses: readonly string[]
}

/** @param names JSON of `Patient.name`; null: none @param addresses of `Patient.address` */
export function particularsOf(names: unknown, addresses: unknown): Particulars {
  const told = objectsOf(names).map(({ family, given }) => ({
    family: typeof family === 'string' ? normalFamily(family) : '',
    given: (Array.isArray(given) ? given : []).map((one) => normalFamily(String(one))),
  }))
  return {
    families: distinct(told.map(({ family }) => family)),
    fullNames: distinct(
      told
        .filter(({ family, given }) => family !== '' && given.length > 0)
        .flatMap(({ family, given }) => [given.join('') + family, `${given[0]}${family}`]),
    ),
    addresses: distinct(objectsOf(addresses).map(addressOf)),
  }
}

/** Street and postal code: without either, half a town lives there. */
function addressOf({ line, postalCode }: Readonly<Record<string, unknown>>): string {
  const street = (Array.isArray(line) ? line : []).map((one) => normalFamily(String(one))).join('')
  const code = typeof postalCode === 'string' ? normalFamily(postalCode) : ''
  return street === '' || code === '' ? '' : `${street}|${code}`
}

function objectsOf(json: unknown): readonly Readonly<Record<string, unknown>>[] {
  const value: unknown = typeof json === 'string' ? JSON.parse(json) : []
  return Array.isArray(value) ? value.filter(isObject) : []
}

const distinct = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].filter((text) => text !== '')
