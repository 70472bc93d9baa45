/** Small random worlds: a registry, persons, who cares for them, what they refused, and documents in every database. */
import fc from 'fast-check'
import { elementsOf } from '../../src/fhir/elements.ts'
import { resourceTypes } from '../../src/fhir/types.ts'

export const facilities = [
  { row: 1, id: 'hospital', type: 'hospital', region: 'montreal', organisation: 'ciusss' },
  { row: 2, id: 'pharmacy', type: 'pharmacy', region: 'montreal', organisation: 'pharmacies' },
  { row: 3, id: 'clinic', type: 'clinic', region: 'quebec', organisation: 'ciusss' },
] as const
export const regions = ['montreal', 'quebec'] as const
export type FacilityId = (typeof facilities)[number]['id']
export const professionals = ['tremblay', 'gagnon', 'roy'] as const
export type Professional = (typeof professionals)[number]
export const clinicalRoles = ['physician', 'nurse'] as const
export const purposes = ['TREAT', 'ETREAT', 'BTG', 'HMARKT'] as const
export const domains = ['laboratory', 'medication', 'other', 'identity', 'directory'] as const
export const labels = ['', 'N', 'L', 'R', 'V', 'X'] as const

export const identifierSystem = 'https://example.org/nam'
const hourMs = 60 * 60_000

export interface Source {
  readonly id: string
  readonly person: string
  readonly facility: FacilityId
  /** What it says of the person in the register, and in its `Patient`. */
  readonly key: { readonly value: string; readonly birthDate: string; readonly family: string }
}

export interface Relationship {
  readonly kind: 'encounter' | 'episode' | 'care-team' | 'enrolment' | 'attestation'
  readonly source: string
  readonly facility: FacilityId
  readonly professional: Professional | ''
  readonly starts: number
  readonly ends: number
  readonly isEnded: boolean
}

export interface Rule {
  readonly source: string
  readonly kind: 'refusal-total' | 'refusal-before' | 'restriction'
  readonly before: string
  readonly actorKind: 'any' | 'professional' | 'role' | 'facility' | 'organisation'
  readonly actor: string
  readonly whatKind: 'any' | 'domain' | 'type' | 'document'
  readonly what: string
  readonly isEnded: boolean
}

export interface Emergency {
  readonly source: string
  readonly facility: FacilityId
  readonly professional: Professional
  readonly starts: number
  readonly ends: number
}

export interface Document {
  readonly type: string
  readonly id: string
  /** Empty: about nobody. */
  readonly source: string
  readonly person: string
  readonly facility: FacilityId
  readonly isShared: boolean
  readonly domain: string
  readonly categories: readonly string[]
  readonly codes: readonly string[]
  readonly dateLo: string
  readonly dateHi: string
  readonly status: string
  readonly confidentiality: string
  readonly published: string
  /** Of version 1, which its database keeps. */
  readonly firstPublished: string
  readonly version: number
  readonly text: string
  /** Of a `Patient`. */
  readonly key: Source['key'] | null
  /** What version 1 said where the current one is a later: in either database, under a label, a domain and a date of its own. */
  readonly first: Earlier | null
  /** It ended, in a version without a body after the one it has. */
  readonly isDeleted: boolean
}

export type Earlier = Pick<
  Document,
  'isShared' | 'domain' | 'dateLo' | 'dateHi' | 'confidentiality' | 'published' | 'text'
>

export interface World {
  readonly types: readonly string[]
  readonly matrix: readonly {
    readonly role: string
    readonly facilityType: string
    readonly purpose: string
    readonly domain: string
  }[]
  readonly clearances: readonly {
    readonly role: string
    readonly facilityType: string
    readonly purpose: string
    readonly own: string
    readonly elsewhere: string
  }[]
  readonly held: readonly {
    readonly professional: Professional
    readonly role: string
    readonly facility: FacilityId
  }[]
  readonly lifted: readonly string[]
  readonly sources: readonly Source[]
  readonly relationships: readonly Relationship[]
  readonly rules: readonly Rule[]
  readonly emergencies: readonly Emergency[]
  readonly documents: readonly Document[]
}

export const codes = [
  'http://loinc.org|718-7',
  'http://loinc.org|4548-4',
  'urn:other|718-7',
  '|local',
] as const
export const categories = ['urn:category|laboratory', 'urn:category|vital-signs', '|laboratory'] as const
export const statuses = ['final', 'preliminary', 'active'] as const
/** Ranges: instants, days, a year, an open period, none. */
export const dates = [
  ['2024-01-01T00:00:00.000Z', '2024-01-01T23:59:59.999Z'],
  ['2024-01-01T08:30:00.000Z', '2024-01-01T08:30:00.000Z'],
  ['2024-06-01T00:00:00.000Z', '2024-06-30T23:59:59.999Z'],
  ['2023-01-01T00:00:00.000Z', '2023-12-31T23:59:59.999Z'],
  ['2022-03-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
  ['', ''],
] as const

const ofFacility = fc.constantFrom(...facilities.map(({ id }) => id))
const ofProfessional = fc.constantFrom(...professionals)
const often = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const key = fc.record({
  value: fc.constantFrom('TREM', 'GAGN'),
  birthDate: often('1950-01-01', '1960-02-02', ''),
  family: fc.constantFrom('TREMBLAY', 'GAGNON', ''),
})
const source = fc.record({ person: fc.nat(2), facility: ofFacility, key })

/** Around now: under way, over, to come. */
const windowAround = fc.constantFrom(
  ...([
    [-1, 1],
    [-1, 1],
    [-1, 1],
    [-2, -1],
    [1, 2],
  ] as const),
)
const relationship = fc.record({
  kind: fc.constantFrom<Relationship['kind'][]>(
    'encounter',
    'episode',
    'care-team',
    'enrolment',
    'attestation',
  ),
  of: fc.nat(9),
  facility: ofFacility,
  professional: fc.oneof(fc.constant(''), ofProfessional) as fc.Arbitrary<Professional | ''>,
  window: windowAround,
  isEnded: often(false, true),
})
const rule = fc.record({
  kind: fc.constantFrom<Rule['kind'][]>(
    'refusal-total',
    'refusal-before',
    'restriction',
    'restriction',
    'restriction',
  ),
  of: fc.nat(9),
  before: fc.constantFrom('2023-06-01T00:00:00.000Z', '2024-02-01T00:00:00.000Z'),
  actor: fc.oneof(
    fc.constant(['any', ''] as const),
    ofProfessional.map((id) => ['professional', `professional-${id}`] as const),
    fc.constantFrom(...clinicalRoles).map((id) => ['role', id] as const),
    ofFacility.map((id) => ['facility', id] as const),
    fc.constantFrom('ciusss', 'pharmacies').map((id) => ['organisation', id] as const),
  ),
  what: fc.oneof(
    fc.constant(['any', ''] as const),
    fc.constantFrom(...domains).map((id) => ['domain', id] as const),
    fc.nat(4).map((at) => ['type', at] as const),
    fc.nat(30).map((at) => ['document', at] as const),
  ),
  isEnded: often(false, true),
})
const emergency = fc.record({
  of: fc.nat(9),
  facility: ofFacility,
  professional: ofProfessional,
  window: windowAround,
})
const coding = <T extends string>(values: readonly T[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 })
const document = fc.record({
  type: fc.nat(9),
  of: fc.option(fc.nat(9), { freq: 8 }),
  elsewhere: fc.option(ofFacility, { freq: 4 }),
  isShared: fc.boolean(),
  domain: fc.constantFrom(...domains),
  categories: coding(categories),
  codes: coding(codes),
  date: fc.constantFrom(...dates),
  status: fc.constantFrom(...statuses),
  confidentiality: often<string>('N', ...labels),
  published: fc.constantFrom('2023-05-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'),
  firstPublished: fc.constantFrom('2022-05-01T00:00:00.000Z', '2023-05-01T00:00:00.000Z'),
  version: fc.constantFrom(1, 2),
  first: fc.record({
    isSharedAlike: often(true, false),
    domain: fc.option(fc.constantFrom(...domains), { freq: 3 }),
    date: fc.option(fc.constantFrom(...dates), { freq: 3 }),
    confidentiality: fc.option(fc.constantFrom(...labels), { freq: 3 }),
  }),
  isDeleted: often(false, true),
})
const patientDocument = fc.record({
  isThere: often(true, false),
  isShared: often(true, false),
  confidentiality: often<string>('', ...labels),
})

const otherTypes = [...resourceTypes].filter((type) => type !== 'Patient' && type !== 'Observation')
const types = fc
  .tuple(
    fc.constantFrom(...otherTypes.filter((type) => elementsOf(type).person.length > 0)),
    fc.constantFrom(...otherTypes, 'AuditEvent', 'Consent', 'Organization', 'Encounter'),
  )
  .map((others) => ['Observation', ...others, 'Observation'])

const star = <T extends string>(...values: readonly T[]) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: fc.constantFrom<string>(...values) },
  )
const facilityType = star('hospital', 'pharmacy', 'clinic')
const purpose = star(...purposes)
const unique = <T>(
  arbitrary: fc.Arbitrary<T>,
  keyOf: (value: T) => unknown,
  constraints: fc.ArrayConstraints,
) => fc.uniqueArray(arbitrary, { ...constraints, selector: (value) => JSON.stringify(keyOf(value)) })

export const world: fc.Arbitrary<World> = fc
  .record({
    types,
    matrix: unique(
      fc.record({
        role: star(...clinicalRoles),
        facilityType,
        purpose,
        domain: fc.constantFrom(...domains),
      }),
      (cell) => cell,
      { minLength: 2, maxLength: 8 },
    ),
    clearances: unique(
      fc.record({
        role: star(...clinicalRoles),
        facilityType,
        purpose,
        own: fc.constantFrom('N', 'R', 'V'),
        elsewhere: fc.constantFrom('L', 'N', 'R'),
      }),
      ({ own, elsewhere, ...row }) => row,
      { maxLength: 2 },
    ),
    held: unique(
      fc.record({
        professional: ofProfessional,
        role: fc.constantFrom(...clinicalRoles, ...clinicalRoles, 'access-manager'),
        facility: ofFacility,
      }),
      (row) => row,
      { minLength: 6, maxLength: 12 },
    ),
    lifted: fc.subarray(['relationship', 'restriction', 'refusal-before', 'refusal-total']),
    sources: fc.array(source, { minLength: 2, maxLength: 6 }),
    relationships: fc.array(relationship, { minLength: 4, maxLength: 12 }),
    rules: fc.array(rule, { maxLength: 4 }),
    emergencies: fc.array(emergency, { maxLength: 4 }),
    documents: fc.array(document, { minLength: 12, maxLength: 30 }),
    patients: fc.array(patientDocument, { minLength: 6, maxLength: 6 }),
  })
  .map(worldOf)

type Drawn = {
  readonly [K in 'types' | 'matrix' | 'clearances' | 'held' | 'lifted']: World[K]
} & {
  readonly sources: readonly (typeof source extends fc.Arbitrary<infer T> ? T : never)[]
  readonly relationships: readonly (typeof relationship extends fc.Arbitrary<infer T> ? T : never)[]
  readonly rules: readonly (typeof rule extends fc.Arbitrary<infer T> ? T : never)[]
  readonly emergencies: readonly (typeof emergency extends fc.Arbitrary<infer T> ? T : never)[]
  readonly documents: readonly (typeof document extends fc.Arbitrary<infer T> ? T : never)[]
  readonly patients: readonly (typeof patientDocument extends fc.Arbitrary<infer T> ? T : never)[]
}

function worldOf(drawn: Drawn): World {
  const now = Date.now()
  const sources = drawn.sources.map(
    ({ person, facility, key }, i): Source => ({
      id: idOf('s', i),
      person: `person-${person}`,
      facility,
      key,
    }),
  )
  const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T
  const around = ([from, to]: readonly [number, number]) => ({
    starts: now + from * 24 * hourMs,
    ends: now + to * 24 * hourMs,
  })
  const documents = [
    ...sources.flatMap((one, i): Document[] => {
      const patient = at(drawn.patients, i)
      if (!patient.isThere) return []
      return [
        {
          type: 'Patient',
          id: one.id,
          source: one.id,
          person: one.person,
          facility: one.facility,
          isShared: patient.isShared,
          domain: 'identity',
          categories: [],
          codes: [],
          dateLo: '',
          dateHi: '',
          status: '',
          confidentiality: patient.confidentiality,
          published: '2023-05-01T00:00:00.000Z',
          firstPublished: '2023-05-01T00:00:00.000Z',
          version: 1,
          text: one.key.family,
          key: one.key,
          first: null,
          isDeleted: false,
        },
      ]
    }),
    ...drawn.documents.map(({ type, of, elsewhere, date, first, ...rest }, i): Document => {
      const one = of === null ? null : at(sources, of)
      const name = at(drawn.types, type)
      const isAbout = one !== null && (elementsOf(name).person.length > 0 || i % 5 === 0)
      const [dateLo, dateHi] = isAbout ? date : ['', '']
      const [firstLo, firstHi] = isAbout ? (first.date ?? date) : ['', '']
      return {
        ...rest,
        // As the database knows it that has the current version.
        firstPublished: rest.version === 1 || !first.isSharedAlike ? rest.published : rest.firstPublished,
        first:
          rest.version === 1
            ? null
            : {
                isShared: rest.isShared === first.isSharedAlike,
                domain: first.domain ?? rest.domain,
                confidentiality: first.confidentiality ?? rest.confidentiality,
                dateLo: firstLo,
                dateHi: firstHi,
                published: rest.firstPublished,
                text: `text ${i} at first`,
              },
        type: name,
        id: idOf('d', (i * 7) % 31),
        source: isAbout ? one.id : '',
        person: isAbout ? one.person : '',
        facility: elsewhere ?? (one ?? at(sources, i)).facility,
        dateLo,
        dateHi,
        text: `text ${i}`,
        key: null,
      }
    }),
  ]
  return {
    ...drawn,
    sources,
    relationships: drawn.relationships.map(({ of, window, ...rest }) => ({
      ...rest,
      source: at(sources, of).id,
      ...around(window),
    })),
    rules: drawn.rules.map(({ of, actor: [actorKind, actor], what: [whatKind, what], ...rest }) => {
      const named = at(documents, Number(what) || 0)
      return {
        ...rest,
        source: at(sources, of).id,
        actorKind,
        actor,
        whatKind,
        what:
          whatKind === 'type'
            ? at(drawn.types, what)
            : whatKind === 'document'
              ? `${named.type}/${named.id}`
              : what,
      }
    }),
    emergencies: drawn.emergencies.map(({ of, window, ...rest }) => ({
      ...rest,
      source: at(sources, of).id,
      ...around(window),
    })),
    documents,
  }
}

/** As long as a server id. */
const idOf = (prefix: string, n: number): string => prefix + String(n).padStart(25, '0')
