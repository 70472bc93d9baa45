/** The words of a `Consent` in this register: code systems, identifier systems and extensions it reads and writes. */

export const consentScope = 'http://terminology.hl7.org/CodeSystem/consentscope'
export const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
export const loinc = 'http://loinc.org'
export const participationType = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
export const resourceTypeSystem = 'http://hl7.org/fhir/resource-types'

/** Code system of clinical domains: `medication`, `laboratory`, `imaging`, … */
export const domainSystem = 'https://dossier.example/CodeSystem/domain'
/** Code system of roles, as in tokens and the registry. */
export const roleSystem = 'https://dossier.example/CodeSystem/role'

/** Identifier systems of the registry: the values are its ids. */
export const actorSystems = {
  professional: 'https://dossier.example/professional',
  facility: 'https://dossier.example/facility',
  organisation: 'https://dossier.example/organisation',
} as const

/** `valueCode`: how the person expressed it, one of `meansOfExpression` (P-9.0001, s. 55). */
export const meansExtension = 'https://dossier.example/StructureDefinition/consent-means'
/**
 * Written by the register, passed over when it comes back: `capacity` (code), `who` (person or professional id), `system`
 * (client id) and `recorded` (instant).
 */
export const recorderExtension = 'https://dossier.example/StructureDefinition/consent-recorder'

export const meansOfExpression = ['in-person', 'telephone', 'writing', 'online'] as const
export type Means = (typeof meansOfExpression)[number]

/** Who recorded it: the person, the guardian of a person under 14, or a privacy officer on their behalf. */
export type Capacity = 'patient' | 'guardian' | 'privacy-officer'
