/** The columns a published resource is stored with. */
import type { Resource } from '../fhir/bundle.ts'
import { type Coding, codingsAt, codingText, identifiersOf, valuesAt } from '../fhir/codings.ts'
import { noDate, rangeOf } from '../fhir/date.ts'
import { contentDigest, keptMeta } from '../fhir/digest.ts'
import { elementsOf } from '../fhir/elements.ts'
import type { Issue } from '../fhir/outcome.ts'
import { baseOfFullUrl } from '../fhir/references.ts'
import { statusCode } from '../fhir/status.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type EncounterTime, encounterTime } from './care-window.ts'
import { type Domain, domainOf } from './domain.ts'
import type { WriteEntry } from './plan-entry.ts'
import { resourceTooLong, twoPersons } from './plan-issues.ts'
import { searchedReferences, searchedTexts } from './plan-lookups.ts'
import { type PersonScope, personsNamed } from './plan-persons.ts'
import { type Route, route, type SharingRule } from './sharing.ts'

export interface PlannedDocument {
  /** Position of its (first) entry. */
  readonly index: number
  readonly type: string
  readonly id: string
  /** Server id of the `Patient` it is about; empty: about nobody. */
  readonly sourceRecord: string
  /** Path of the element that names it, from the resource; empty for a `Patient` and without a person. */
  readonly personPath: string
  /** Path of the element that names a person, when nobody is named whom the record can know; else null. */
  readonly unknownPerson: string | null
  readonly domain: Domain
  /** `system|code` of the first coding; empty without. */
  readonly category: string
  readonly code: string
  /** UTC, both ends inclusive; empty without a date and without a person. */
  readonly dateLo: string
  readonly dateHi: string
  /** `entered-in-error` whichever element says so. */
  readonly status: string
  /** Code of v3-Confidentiality; empty when the sender labels none. */
  readonly confidentiality: string
  readonly hash: string
  /**
   * The served text after `{"resourceType":"T","id":"I","meta":{"versionId":"V","lastUpdated":"P"`: the rest of `meta`
   * and the other members.
   */
  readonly tail: string
  /** Rows of `lookup`: parameter and value. */
  readonly lookups: readonly (readonly [param: string, value: string])[]
  readonly route: Route
  /** What an `Encounter` says of its time; null for any other type. */
  readonly encounter: EncounterTime | null
  /** What a token's scopes must allow. */
  readonly interaction: 'c' | 'u'
  /** `PUT` to a server id: refused unless the facility has published it. */
  readonly mustExist: boolean
  /** The version that must still be the current one; null: any, or none. */
  readonly expected: number | null
}

export interface DescribeOptions {
  readonly rules: readonly SharingRule[]
  readonly persons: PersonScope
  readonly mustExist: boolean
}

/** @param entry with its references rewritten */
export function describeDocument(
  { index, fullUrl, putId, resource, expected }: WriteEntry,
  id: string,
  { rules, persons, mustExist }: DescribeOptions,
): Result<PlannedDocument, readonly Issue[]> {
  const type = resource.resourceType
  const elements = elementsOf(type)
  const named = personsNamed(resource, id, baseOfFullUrl(fullUrl), persons)
  const [, second] = [...named.known.values(), ...named.unknownPatients]
  if (second !== undefined) return err([twoPersons(index, second)])
  const [[sourceRecord, personPath] = ['', '']] = named.known
  const unknownPerson = sourceRecord === '' ? (named.unknownPatients[0] ?? named.unknown[0] ?? null) : null
  const tail = tailOf(resource)
  if (isLongerThan(tail, limits.maxResourceBytes))
    return err([resourceTooLong(index, limits.maxResourceBytes)])

  const categories = codingsAt(resource, elements.category)
  const codes = codingsAt(resource, elements.code)
  const confidentiality = confidentialityOf(resource)
  const domain = domainOf(type, categories, codes)
  const date = sourceRecord === '' ? noDate : rangeOf(firstPresent(resource, elements.date))
  return ok({
    index,
    type,
    id,
    sourceRecord,
    personPath,
    unknownPerson,
    domain,
    category: categories[0] ? codingText(categories[0]) : '',
    code: codes[0] ? codingText(codes[0]) : '',
    dateLo: date.lo,
    dateHi: date.hi,
    status: statusCode(type, resource),
    confidentiality,
    hash: contentDigest(resource),
    tail,
    lookups: lookupsOf(resource, categories, codes),
    // Nobody's refusal or restriction could ever hold for it.
    route:
      unknownPerson !== null
        ? 'local'
        : route(rules, {
            type,
            domain,
            categories: categories.map(codingText),
            codes: codes.map(codingText),
            confidentiality,
            canHavePerson: elements.person.length > 0,
            hasPerson: sourceRecord !== '',
          }),
    encounter: encounterTime(resource),
    interaction: putId === null ? 'c' : 'u',
    mustExist,
    expected: expected ?? null,
  })
}

function firstPresent(resource: Resource, paths: readonly string[]): unknown {
  for (const path of paths) {
    const [value] = valuesAt(resource, path)
    if (value !== undefined) return value
  }
  return undefined
}

/** v3-Confidentiality, least to most confidential. */
const confidentialities = ['U', 'L', 'M', 'N', 'R', 'V']

/** The strictest label of the v3-Confidentiality system. */
function confidentialityOf(resource: Resource): string {
  const labels = codingsAt(resource, 'meta.security')
    .filter(({ system }) => system === 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality')
    .map(({ code }) => confidentialities.indexOf(code))
  return confidentialities[Math.max(-1, ...labels)] ?? ''
}

function lookupsOf(
  resource: Resource,
  categories: readonly Coding[],
  codes: readonly Coding[],
): readonly (readonly [string, string])[] {
  const identifiers = identifiersOf(resource).map(({ system, value }) => codingText({ system, code: value }))
  const rest = (codings: readonly Coding[]): readonly string[] => {
    const [first, ...others] = codings.map(codingText)
    return [...new Set(others)].filter((text) => text !== first)
  }
  const rows = (param: string, values: readonly string[]) =>
    values.map((value): readonly [string, string] => [param, value])
  const { resourceType: type, birthDate } = resource
  return [
    ...rows('identifier', [...new Set(identifiers)]),
    ...rows('category', rest(categories)),
    ...rows('code', rest(codes)),
    ...searchedTexts(resource).flatMap(([param, values]) => rows(param, values)),
    ...searchedReferences(resource).flatMap(([param, values]) => rows(param, values)),
    ...(type === 'Patient' && typeof birthDate === 'string' ? rows('birthdate', [birthDate]) : []),
  ]
}

function tailOf(resource: Resource): string {
  const { resourceType: _type, id: _id, meta: _meta, ...members } = resource
  const meta = keptMeta(resource)
  const inner = (object: object): string => {
    const text = JSON.stringify(object)
    return text === '{}' ? '' : `,${text.slice(1, -1)}`
  }
  return `${meta === null ? '' : inner(meta)}}${inner(members)}}`
}

/** UTF-8 bytes; encodes only where the number of UTF-16 units does not settle it. */
function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes
}
