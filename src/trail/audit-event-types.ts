/** What we use of FHIR R4's AuditEvent (http://hl7.org/fhir/R4/auditevent.html), and the code systems it speaks in. */

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}

export interface CodeableConcept {
  readonly coding?: readonly Coding[]
  readonly text?: string
}

interface Identifier {
  /** A URI. */
  readonly system?: string
  readonly value: string
}

export interface Reference {
  /** `Type/id/_history/version`. */
  readonly reference?: string
  readonly type?: string
  readonly identifier?: Identifier
  readonly display?: string
}

export interface AuditEventAgent {
  readonly type: CodeableConcept
  readonly role?: readonly CodeableConcept[]
  readonly who?: Reference
  /** Registry id of the professional. */
  readonly altId?: string
  readonly name?: string
  readonly requestor: boolean
  /** Facility at which the professional acts. */
  readonly location?: Reference
  /** `urn:ietf:params:oauth:jti:<jti>`. */
  readonly policy?: readonly string[]
  /** `1` machine name, `2` IP address, `5` URI. */
  readonly network?: { readonly address: string; readonly type: '1' | '2' | '5' }
  readonly purposeOfUse?: readonly CodeableConcept[]
}

export interface AuditEventEntity {
  readonly what?: Reference
  readonly type: Coding
  readonly role?: Coding
  /** Base64 of the request. */
  readonly query?: string
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[]
}

export interface AuditEvent {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly meta?: { readonly profile: readonly string[] }
  readonly extension: readonly [{ readonly url: typeof entryExtension; readonly valueString: string }]
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
  /** ISO 8601, UTC. */
  readonly recorded: string
  /** Success, minor, serious and major failure; absent: it has only been intended. */
  readonly outcome?: '0' | '4' | '8' | '12'
  readonly outcomeDesc?: string
  readonly purposeOfEvent?: readonly CodeableConcept[]
  readonly agent: readonly AuditEventAgent[]
  readonly source: {
    readonly site: string
    readonly observer: Reference
    readonly type: readonly Coding[]
  }
  readonly entity?: readonly AuditEventEntity[]
}

/** Names the entry: `<log>/<index>`, as a receipt does. */
export const entryExtension = 'https://dossier.example/StructureDefinition/audit-log-entry'

/** Names of our operations. */
export const operationSystem = 'https://dossier.example/CodeSystem/operation'
/** Roles of the registry, and kinds of callers that have none. */
export const roleSystem = 'https://dossier.example/CodeSystem/role'

/** Purposes of use. */
export const reasonSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'

const codes =
  (system: string) =>
  (code: string, display?: string): Coding => ({
    system,
    code,
    ...(display === undefined ? {} : { display }),
  })

export const dcm = codes('http://dicom.nema.org/resources/ontology/DCM')
export const restful = codes('http://hl7.org/fhir/restful-interaction')
export const resourceType = codes('http://hl7.org/fhir/resource-types')
export const sourceType = codes('http://terminology.hl7.org/CodeSystem/security-source-type')

const participation = codes('http://terminology.hl7.org/CodeSystem/v3-ParticipationType')
const entityType = codes('http://terminology.hl7.org/CodeSystem/audit-entity-type')
const objectRole = codes('http://terminology.hl7.org/CodeSystem/object-role')
const balp = 'https://profiles.ihe.net/ITI/BALP'

export const terms = {
  rest: codes('http://terminology.hl7.org/CodeSystem/audit-event-type')('rest', 'RESTful Operation'),
  breakGlass: codes(reasonSystem)('BTG', 'break the glass'),
  disclose: codes('http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle')('disclose'),
  authzConsent: codes(`${balp}/CodeSystem/AuthZsubType`)('AuthZ-Consent'),

  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
  application: dcm('110150', 'Application'),
  custodian: codes('http://terminology.hl7.org/CodeSystem/provenance-participant-type')('custodian'),
  recipient: participation('IRCP', 'information recipient'),
  author: participation('AUT', 'author (originator)'),
  oauthUser: codes(`${balp}/CodeSystem/UserAgentTypes`)('UserOauthAgent'),
  provider: codes('http://terminology.hl7.org/CodeSystem/v3-RoleClass')('PROV', 'healthcare provider'),
  authoriser: codes('http://terminology.hl7.org/CodeSystem/extra-security-role-type')('authserver'),

  person: entityType('1', 'Person'),
  systemObject: entityType('2', 'System Object'),
  requestId: codes(`${balp}/CodeSystem/BasicAuditEntityType`)('XrequestId'),
  patientRole: objectRole('1', 'Patient'),
  domainResource: objectRole('4', 'Domain Resource'),
  queryRole: objectRole('24', 'Query'),
} as const

/** Canonical address of a BALP profile, by the end of its id: `PatientRead`. */
export const profileOf = (name: string): string => `${balp}/StructureDefinition/IHE.BasicAudit.${name}`

/** RFC 3986, for identifiers that are URIs. */
export const uriSystem = 'urn:ietf:rfc:3986'
