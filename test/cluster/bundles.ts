/** Small bundles that a facility publishes in the tests, completed with what R4 requires. */
import { completed } from '../valid-resource.ts'

export const nam = 'https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id'

/** A word that stands in everything published here, so that a leak is seen. */
export const marker = 'Zébulon-Confidentiel'

export type Resource = Readonly<Record<string, unknown>>

export interface SamplePatient {
  readonly uuid: string
  readonly nam: string
  readonly family: string
  readonly birthDate: string
}

/** Deterministic UUIDs, so that publishing again is the same publication. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export const samplePatient = (n: number): SamplePatient => ({
  uuid: uuid(n * 10_000),
  nam: `ZEBU${String(500_101 + n).padStart(6, '0')}12`,
  family: `${marker} ${n}`,
  birthDate: '1950-01-01',
})

const entry = (resource: Resource) => ({
  fullUrl: `urn:uuid:${resource.id}`,
  resource: completed(resource),
  request: { method: 'POST', url: resource.resourceType },
})

export const transaction = (...resources: readonly Resource[]) => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: resources.map(entry),
})

export const patientResource = (patient: SamplePatient): Resource => ({
  resourceType: 'Patient',
  id: patient.uuid,
  identifier: [{ system: nam, value: patient.nam }],
  name: [{ family: patient.family, given: ['Élodie'] }],
  birthDate: patient.birthDate,
})

export interface ObservationOptions {
  readonly n: number
  readonly date: string
  readonly code?: string
  readonly category?: string
  readonly confidentiality?: string
  readonly value?: string
}

export const observation = (patient: SamplePatient, options: ObservationOptions): Resource => ({
  resourceType: 'Observation',
  id: uuid(Number(patient.uuid.slice(-12)) + options.n),
  ...(options.confidentiality ? labelled(options.confidentiality) : {}),
  status: 'final',
  category: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/observation-category',
          code: options.category ?? 'laboratory',
        },
      ],
    },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: options.code ?? '718-7' }], text: marker },
  subject: { reference: `urn:uuid:${patient.uuid}` },
  effectiveDateTime: options.date,
  valueString: options.value ?? `${marker} ${options.n}`,
})

export interface EncounterOptions {
  readonly n: number
  readonly status?: string
  /** FHIR dateTime; absent: when the tests began. Null: the encounter does not say. */
  readonly start?: string | null
  readonly end?: string
  readonly confidentiality?: string
}

/** The same in every bundle of a test file, so that publishing again is the same publication. */
const began = new Date().toISOString()

/** What gives the professionals of the facility that publishes it a care relationship: in progress unless told otherwise. */
export const encounter = (
  patient: SamplePatient,
  { n, status = 'in-progress', start = began, end, confidentiality }: EncounterOptions,
): Resource => ({
  resourceType: 'Encounter',
  id: uuid(Number(patient.uuid.slice(-12)) + 9_000 + n),
  ...(confidentiality ? labelled(confidentiality) : {}),
  status,
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: `urn:uuid:${patient.uuid}` },
  ...(start === null && end === undefined
    ? {}
    : { period: { ...(start === null ? {} : { start }), ...(end === undefined ? {} : { end }) } }),
})

/** A facility takes a person in: its own `Patient` of them, joined with those of others, and an open encounter. */
export const admission = (patient: SamplePatient) =>
  transaction(patientResource(patient), encounter(patient, { n: 1 }))

const labelled = (code: string) => ({
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }] },
})

/** What the server answered to a publication, by entry: `Type/id`. */
export const locations = (response: unknown): readonly string[] =>
  (response as { entry: { response: { location: string } }[] }).entry.map(
    ({ response: { location } }) => location.match(/([A-Za-z]+\/[A-Za-z0-9.-]+)\/_history/)?.[1] ?? location,
  )
