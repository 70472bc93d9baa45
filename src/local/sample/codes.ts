/** Code systems of the sample data, and the FHIR shapes they are written in. */

export const systems = {
  /** Québec health-insurance number, as named by HL7 Canada's baseline. */
  nam: 'https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id',
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  ucum: 'http://unitsofmeasure.org',
  /** Drug identification number of Health Canada. */
  din: 'http://terminology.hl7.org/NamingSystem/ca-hc-din',
  atc: 'http://www.whocc.no/atc',
  cvx: 'http://hl7.org/fhir/sid/cvx',
  dicom: 'http://dicom.nema.org/resources/ontology/DCM',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  actReason: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  diagnosticService: 'http://terminology.hl7.org/CodeSystem/v2-0074',
  observationCategory: 'http://terminology.hl7.org/CodeSystem/observation-category',
  observationInterpretation: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  conditionVerification: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
  conditionCategory: 'http://terminology.hl7.org/CodeSystem/condition-category',
  allergyClinical: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
  allergyVerification: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
  routeOfAdministration: 'http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration',
  dischargeDisposition: 'http://terminology.hl7.org/CodeSystem/discharge-disposition',
  diagnosisRole: 'http://terminology.hl7.org/CodeSystem/diagnosis-role',
  organizationType: 'http://terminology.hl7.org/CodeSystem/organization-type',
} as const

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}

export interface CodeableConcept {
  readonly coding: readonly Coding[]
  readonly text?: string
}

export const coding = (system: string, code: string, display: string): Coding => ({ system, code, display })

/** One coding and, in French, what the record's people call it. */
export const concept = (system: string, code: string, display: string, text?: string): CodeableConcept =>
  text === undefined
    ? { coding: [coding(system, code, display)] }
    : { coding: [coding(system, code, display)], text }

export const loinc = (code: string, display: string, text?: string): CodeableConcept =>
  concept(systems.loinc, code, display, text)

export const snomed = (code: string, display: string, text?: string): CodeableConcept =>
  concept(systems.snomed, code, display, text)
