/**
 * Which element of each R4 resource type names the person, the date of service, the category, the code and the status,
 * and the R4 search parameters that mean them. Publishing fills the stored columns from it; searching reads them.
 */

export interface SearchElements {
  /** Paths of references to the `Patient` the resource is about; array items are all looked at. Empty: about nobody. */
  readonly person: readonly string[]
  /** R4 search parameter of the date of service; null: none is offered. */
  readonly dateParam: string | null
  /** Paths of the date of service; the first that is present counts. */
  readonly date: readonly string[]
  /** Paths of a CodeableConcept, Coding or code (repeating or not). */
  readonly category: string | null
  readonly code: string | null
  readonly status: string | null
  /** R4 search parameters of `category` and `code`; null where R4 has none. */
  readonly categoryParam: string | null
  readonly codeParam: string | null
}

interface Declared {
  person?: string
  date?: string
  dateParam?: string | null
  category?: string
  categoryParam?: string
  code?: string
  codeParam?: string
  status?: string
}

const none: SearchElements = {
  person: [],
  dateParam: null,
  date: [],
  category: null,
  code: null,
  status: null,
  categoryParam: null,
  codeParam: null,
}

function elements(declared: Declared): SearchElements {
  const date = declared.date?.split(' ') ?? []
  const category = declared.category ?? null
  const code = declared.code ?? null
  return {
    person: declared.person === undefined ? [] : [declared.person],
    date,
    dateParam: declared.dateParam === undefined ? (date.length > 0 ? 'date' : null) : declared.dateParam,
    category,
    categoryParam: declared.categoryParam ?? (category === 'category' ? 'category' : null),
    code,
    codeParam: declared.codeParam ?? (code === 'code' ? 'code' : null),
    status: declared.status ?? null,
  }
}

const status = 'status'
const code = 'code'
const category = 'category'
const subject = 'subject'
const patient = 'patient'
const ofType = { code: 'type', codeParam: 'type' }
const medication = { code: 'medicationCodeableConcept', codeParam: 'code' }
const effective = 'effectiveDateTime effectivePeriod effectiveTiming effectiveInstant'

/** By resource type; types that are not listed are about nobody and are found by id and identifier only. */
export const searchElements: Readonly<Record<string, SearchElements>> = {
  // --- the six clinical domains
  AllergyIntolerance: elements({
    person: patient,
    date: 'recordedDate',
    category,
    code,
    status: 'clinicalStatus',
  }),
  CarePlan: elements({ person: subject, date: 'period', category, status }),
  CareTeam: elements({ person: subject, date: 'period', category, status }),
  Composition: elements({ person: subject, date: 'date', category, ...ofType, status }),
  Condition: elements({
    person: subject,
    date: 'recordedDate onsetDateTime onsetPeriod',
    dateParam: 'recorded-date',
    category,
    code,
    status: 'clinicalStatus',
  }),
  DiagnosticReport: elements({ person: subject, date: effective, category, code, status }),
  DocumentReference: elements({ person: subject, date: 'date', category, ...ofType, status }),
  Encounter: elements({
    person: subject,
    date: 'period',
    category: 'class',
    categoryParam: 'class',
    ...ofType,
    status,
  }),
  EpisodeOfCare: elements({ person: patient, date: 'period', ...ofType, status }),
  Goal: elements({
    person: subject,
    date: 'startDate',
    dateParam: 'start-date',
    category,
    code: 'description',
    status: 'lifecycleStatus',
  }),
  ImagingStudy: elements({
    person: subject,
    date: 'started',
    dateParam: 'started',
    category: 'modality',
    categoryParam: 'modality',
    code: 'procedureCode',
    status,
  }),
  Immunization: elements({
    person: patient,
    date: 'occurrenceDateTime',
    code: 'vaccineCode',
    codeParam: 'vaccine-code',
    status,
  }),
  ImmunizationEvaluation: elements({
    person: patient,
    date: 'date',
    code: 'targetDisease',
    codeParam: 'target-disease',
    status,
  }),
  ImmunizationRecommendation: elements({ person: patient, date: 'date' }),
  Medication: elements({ code, status }),
  MedicationAdministration: elements({
    person: subject,
    date: 'effectiveDateTime effectivePeriod',
    dateParam: 'effective-time',
    category,
    ...medication,
    status,
  }),
  MedicationDispense: elements({
    person: subject,
    date: 'whenHandedOver whenPrepared',
    dateParam: 'whenhandedover',
    category,
    ...medication,
    status,
  }),
  MedicationKnowledge: elements({ code, status }),
  MedicationRequest: elements({
    person: subject,
    date: 'authoredOn',
    dateParam: 'authoredon',
    category,
    ...medication,
    status,
  }),
  MedicationStatement: elements({
    person: subject,
    date: 'effectiveDateTime effectivePeriod',
    dateParam: 'effective',
    category,
    ...medication,
    status,
  }),
  Observation: elements({ person: subject, date: effective, category, code, status }),
  Procedure: elements({ person: subject, date: 'performedDateTime performedPeriod', category, code, status }),
  Specimen: elements({
    person: subject,
    date: 'collection.collectedDateTime collection.collectedPeriod',
    dateParam: 'collected',
    ...ofType,
    status,
  }),

  // --- people and the directory
  Patient: elements({}),
  RelatedPerson: elements({ person: patient }),
  Practitioner: elements({}),
  PractitionerRole: elements({ date: 'period', code: 'code', codeParam: 'role' }),
  Organization: elements({ ...ofType }),
  Location: elements({ ...ofType, status }),
  HealthcareService: elements({
    category: 'category',
    categoryParam: 'service-category',
    code: 'type',
    codeParam: 'service-type',
  }),

  // --- everything else that is about a person
  Account: elements({ person: subject, date: 'servicePeriod', dateParam: 'period', ...ofType, status }),
  AdverseEvent: elements({ person: subject, date: 'date', category, code: 'event', codeParam: 'event' }),
  Appointment: elements({
    person: 'participant.actor',
    date: 'start',
    category: 'serviceCategory',
    categoryParam: 'service-category',
    code: 'appointmentType',
    codeParam: 'appointment-type',
    status,
  }),
  AppointmentResponse: elements({
    person: 'actor',
    date: 'start',
    dateParam: 'start',
    status: 'participantStatus',
  }),
  AuditEvent: elements({ date: 'recorded', code: 'type', codeParam: 'type' }),
  Basic: elements({ person: subject, date: 'created', dateParam: 'created', code }),
  BodyStructure: elements({ person: patient, code: 'morphology', codeParam: 'morphology' }),
  ChargeItem: elements({
    person: subject,
    date: 'occurrenceDateTime occurrencePeriod',
    dateParam: 'occurrence',
    code,
    status,
  }),
  Claim: elements({ person: patient, date: 'created', dateParam: 'created', code: 'type', status }),
  ClaimResponse: elements({ person: patient, date: 'created', dateParam: 'created', code: 'type', status }),
  ClinicalImpression: elements({ person: subject, date: 'effectiveDateTime effectivePeriod', code, status }),
  Communication: elements({ person: subject, date: 'sent', dateParam: 'sent', category, status }),
  CommunicationRequest: elements({
    person: subject,
    date: 'authoredOn',
    dateParam: 'authored',
    category,
    status,
  }),
  Consent: elements({
    person: patient,
    date: 'dateTime',
    category,
    code: 'scope',
    codeParam: 'scope',
    status,
  }),
  Contract: elements({ person: subject, date: 'issued', dateParam: 'issued', code: 'type', status }),
  Coverage: elements({ person: 'beneficiary', ...ofType, status }),
  CoverageEligibilityRequest: elements({ person: patient, date: 'created', dateParam: 'created', status }),
  CoverageEligibilityResponse: elements({ person: patient, date: 'created', dateParam: 'created', status }),
  DetectedIssue: elements({
    person: patient,
    date: 'identifiedDateTime identifiedPeriod',
    dateParam: 'identified',
    code,
    status,
  }),
  Device: elements({ person: patient, ...ofType, status }),
  DeviceRequest: elements({
    person: subject,
    date: 'authoredOn',
    dateParam: 'authored-on',
    code: 'codeCodeableConcept',
    codeParam: 'code',
    status,
  }),
  DeviceUseStatement: elements({ person: subject, date: 'recordedOn', dateParam: 'recorded-on', status }),
  DocumentManifest: elements({ person: subject, date: 'created', dateParam: 'created', ...ofType, status }),
  EnrollmentRequest: elements({ person: 'candidate', date: 'created', dateParam: 'created', status }),
  ExplanationOfBenefit: elements({
    person: patient,
    date: 'created',
    dateParam: 'created',
    code: 'type',
    status,
  }),
  FamilyMemberHistory: elements({
    person: patient,
    date: 'date',
    code: 'relationship',
    codeParam: 'relationship',
    status,
  }),
  Flag: elements({ person: subject, date: 'period', category, code, status }),
  GuidanceResponse: elements({
    person: subject,
    date: 'occurrenceDateTime',
    dateParam: 'occurrence',
    status,
  }),
  Invoice: elements({ person: subject, date: 'date', ...ofType, status }),
  List: elements({ person: subject, date: 'date', code, status }),
  MeasureReport: elements({ person: subject, date: 'date', ...ofType, status }),
  Media: elements({
    person: subject,
    date: 'createdDateTime createdPeriod',
    dateParam: 'created',
    ...ofType,
    status,
  }),
  MolecularSequence: elements({ person: patient, code: 'type', codeParam: 'type' }),
  NutritionOrder: elements({ person: patient, date: 'dateTime', dateParam: 'datetime', status }),
  Provenance: elements({ date: 'recorded', dateParam: 'recorded', code: 'activity', codeParam: 'activity' }),
  QuestionnaireResponse: elements({ person: subject, date: 'authored', dateParam: 'authored', status }),
  RequestGroup: elements({ person: subject, date: 'authoredOn', dateParam: 'authored', code, status }),
  ResearchSubject: elements({ person: 'individual', date: 'period', status }),
  RiskAssessment: elements({
    person: subject,
    date: 'occurrenceDateTime occurrencePeriod',
    code,
    codeParam: 'code',
    status,
  }),
  ServiceRequest: elements({
    person: subject,
    date: 'authoredOn',
    dateParam: 'authored',
    category,
    code,
    status,
  }),
  SupplyDelivery: elements({
    person: patient,
    date: 'occurrenceDateTime occurrencePeriod occurrenceTiming',
    dateParam: null,
    ...ofType,
    status,
  }),
  SupplyRequest: elements({ date: 'authoredOn', category, status }),
  Task: elements({ person: 'for', date: 'authoredOn', dateParam: 'authored-on', code, status }),
  VisionPrescription: elements({ person: patient, date: 'dateWritten', dateParam: 'datewritten', status }),
}

/** The row of a type; that of a type about nobody where none is listed. */
export function elementsOf(type: string): SearchElements {
  return searchElements[type] ?? none
}

/** R4 search parameters that mean the person a resource of this type is about; empty when it is about nobody. */
export function personParam(type: string): readonly string[] {
  const [path] = elementsOf(type).person
  if (path === undefined) return []
  if (path === 'beneficiary') return ['patient', 'beneficiary']
  if (path === 'individual') return ['patient', 'individual']
  if (type === 'AdverseEvent') return ['subject']
  return path === 'subject' || path === 'candidate' || path === 'for' ? ['patient', 'subject'] : ['patient']
}

/** Code systems of the elements above that are of type `code`: R4 fixes them, the data does not carry them. */
export const codeSystems: Readonly<Record<string, string>> = {
  'AllergyIntolerance.category': 'http://hl7.org/fhir/allergy-intolerance-category',
}
