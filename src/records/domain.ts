/** The clinical domain of a document: what a role may read and a sharing rule may name. */
import { type Coding, codingText } from '../fhir/codings.ts'

export type Domain =
  | 'medication'
  | 'laboratory'
  | 'imaging'
  | 'immunization'
  | 'allergy'
  | 'hospital-summary'
  | 'directory'
  | 'identity'
  | 'other'

/** The six of the Québec Health Record (Act respecting the sharing of certain health information, P-9.0001). */
export const clinicalDomains: ReadonlySet<Domain> = new Set([
  'medication',
  'laboratory',
  'imaging',
  'immunization',
  'allergy',
  'hospital-summary',
])

/** All but those that are open to every provider: the matrix opens them to roles, patients restrict them. */
export const closedDomains: readonly Domain[] = [...clinicalDomains, 'other']

const typesByDomain: Readonly<Partial<Record<Domain, string>>> = {
  medication: `Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
    MedicationStatement`,
  laboratory: 'Specimen',
  imaging: 'ImagingStudy',
  immunization: 'Immunization ImmunizationEvaluation ImmunizationRecommendation',
  allergy: 'AllergyIntolerance',
  'hospital-summary': 'Encounter Composition Condition Procedure CarePlan Goal CareTeam Observation',
  directory: 'Practitioner PractitionerRole Organization Location HealthcareService',
  identity: 'Patient RelatedPerson',
}

const domainByType: ReadonlyMap<string, Domain> = new Map(
  Object.entries(typesByDomain).flatMap(([domain, types]) =>
    types.split(/\s+/).map((type): [string, Domain] => [type, domain as Domain]),
  ),
)

const observationCategory = 'http://terminology.hl7.org/CodeSystem/observation-category'
/** Diagnostic service sections, the categories R4 prefers for `DiagnosticReport`. */
const section = 'http://terminology.hl7.org/CodeSystem/v2-0074'
const loinc = 'http://loinc.org'

const codesOf = (system: string, codes: string): string[] =>
  codes.split(/\s+/).map((code) => codingText({ system, code }))

const laboratoryCategories: ReadonlySet<string> = new Set([
  `${observationCategory}|laboratory`,
  ...codesOf(section, 'LAB BG BLB CG CH CP GE HM IMM MB MCB MYC OSL PAR PAT SP SR TX URN VR'),
  ...codesOf(loinc, '26436-6 LP29693-6'),
])

const imagingCategories: ReadonlySet<string> = new Set([
  `${observationCategory}|imaging`,
  ...codesOf(section, 'CT CUS NMR NMS NRS OUS RAD RUS RX VUS XRC'),
  ...codesOf(loinc, '18748-4 LP29684-5'),
])

/** LOINC document types of a discharge summary. */
const dischargeSummaries: ReadonlySet<string> = new Set(
  codesOf(loinc, '18842-5 11490-0 28655-9 34105-7 34745-0 28574-2 29761-0'),
)

/** By type; an `Observation` and a `DiagnosticReport` also by category, a `DocumentReference` by its document type. */
export function domainOf(type: string, categories: readonly Coding[], codes: readonly Coding[]): Domain {
  const isOneOf = (codings: readonly Coding[], set: ReadonlySet<string>): boolean =>
    codings.some((coding) => set.has(codingText(coding)))
  if (type === 'Observation' || type === 'DiagnosticReport') {
    if (isOneOf(categories, laboratoryCategories)) return 'laboratory'
    if (isOneOf(categories, imagingCategories)) return 'imaging'
  }
  if (type === 'DocumentReference' && isOneOf([...categories, ...codes], dischargeSummaries))
    return 'hospital-summary'
  return domainByType.get(type) ?? 'other'
}
