/** Codes of the log in words that a patient understands: actions, roles, purposes, kinds of information. Pure. */
import type { CallerKind } from '../access/caller.ts'
import type { Action } from '../audit/port.ts'
import type { Plain } from './plain-reasons.ts'

/** What was done, or, where it was refused, asked for. */
export const actions: Readonly<Record<Action, Plain>> = {
  authenticate: { fr: 'tentative de connexion', en: 'attempt to sign in' },
  read: { fr: 'lecture d’un document', en: 'reading of a document' },
  vread: { fr: 'lecture d’une version d’un document', en: 'reading of one version of a document' },
  history: { fr: 'lecture des versions d’un document', en: 'reading of the versions of a document' },
  search: { fr: 'recherche dans le dossier', en: 'search of the record' },
  operation: { fr: 'opération sur le dossier', en: 'operation on the record' },
  create: { fr: 'ajout au dossier', en: 'addition to the record' },
  update: { fr: 'modification au dossier', en: 'change to the record' },
  delete: { fr: 'suppression au dossier', en: 'deletion from the record' },
  publish: { fr: 'versement de documents au dossier', en: 'publication of documents to the record' },
  export: { fr: 'exportation du journal des accès', en: 'export of the access log' },
  'audit-read': { fr: 'consultation du journal des accès', en: 'reading of the access log' },
  policy: {
    fr: 'changement aux règles ou aux droits d’accès',
    en: 'change to the rules or rights of access',
  },
  'break-glass': { fr: 'déclaration d’une urgence', en: 'declaration of an emergency' },
  redaction: { fr: 'caviardage d’une entrée du journal', en: 'redaction of an entry of the log' },
  succession: { fr: 'remplacement d’un journal', en: 'replacement of a log' },
}

/** Roles of the sample's registry, and the kinds of callers who have none; others are told as registered. */
export const roles: Readonly<Record<CallerKind | ClinicalRole, Plain>> = {
  provider: { fr: 'intervenant', en: 'provider' },
  'facility-system': { fr: 'système d’un établissement', en: 'system of a facility' },
  'access-manager': { fr: 'gestionnaire des accès', en: 'access manager' },
  'privacy-officer': { fr: 'responsable de la protection des renseignements', en: 'privacy officer' },
  operator: { fr: 'exploitant du dossier', en: 'operator of the record' },
  patient: { fr: 'la personne elle-même', en: 'the person concerned' },
  guardian: { fr: 'tuteur', en: 'guardian' },
  physician: { fr: 'médecin', en: 'physician' },
  pharmacist: { fr: 'pharmacien', en: 'pharmacist' },
  nurse: { fr: 'infirmière ou infirmier', en: 'nurse' },
  'nurse-practitioner': { fr: 'infirmière praticienne ou infirmier praticien', en: 'nurse practitioner' },
  resident: { fr: 'médecin résident', en: 'resident physician' },
  dietitian: { fr: 'nutritionniste', en: 'dietitian' },
  physiotherapist: { fr: 'physiothérapeute', en: 'physiotherapist' },
  'medical-archivist': { fr: 'archiviste médical', en: 'medical archivist' },
  midwife: { fr: 'sage-femme', en: 'midwife' },
}

type ClinicalRole =
  | 'physician'
  | 'resident'
  | 'pharmacist'
  | 'nurse'
  | 'nurse-practitioner'
  | 'midwife'
  | 'dietitian'
  | 'physiotherapist'
  | 'medical-archivist'

/** HL7 v3-ActReason. */
export const purposes: Readonly<Record<string, Plain>> = {
  TREAT: { fr: 'pour vos soins', en: 'for your care' },
  CAREMGT: { fr: 'pour la gestion de vos soins', en: 'for managing your care' },
  ETREAT: { fr: 'pour des soins d’urgence', en: 'for emergency care' },
  BTG: { fr: 'en urgence', en: 'in an emergency' },
  PATRQT: { fr: 'à la demande de la personne', en: 'at the request of the person' },
  FAMRQT: { fr: 'à la demande de la famille', en: 'at the request of the family' },
  HOPERAT: { fr: 'pour le fonctionnement du dossier', en: 'for the operation of the record' },
  HCOMPL: { fr: 'pour la protection des renseignements', en: 'for the protection of information' },
  PATADMIN: { fr: 'pour l’administration des patients', en: 'for patient administration' },
  HSYSADMIN: { fr: 'pour l’administration du système', en: 'for the administration of the system' },
  RECORDMGT: { fr: 'pour la tenue des dossiers', en: 'for records management' },
  HRESCH: { fr: 'pour la recherche', en: 'for research' },
  PUBHLTH: { fr: 'pour la santé publique', en: 'for public health' },
  HPAYMT: { fr: 'pour le paiement', en: 'for payment' },
}

const kind = (types: string, fr: string, en: string): readonly (readonly [string, Plain])[] =>
  types.split(/\s+/).map((type) => [type, { fr, en }] as const)

/** Which kind of information, by type of resource. */
export const kinds: ReadonlyMap<string, Plain> = new Map([
  ...kind(
    'Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement',
    'médicaments',
    'medication',
  ),
  ...kind('Specimen', 'laboratoire', 'laboratory'),
  ...kind(
    'Observation',
    'résultats et observations (laboratoire et autres)',
    'results and observations (laboratory and others)',
  ),
  ...kind(
    'DiagnosticReport',
    'rapports d’examens (laboratoire, imagerie)',
    'examination reports (laboratory, imaging)',
  ),
  ...kind('ImagingStudy Media', 'imagerie', 'imaging'),
  ...kind('Immunization ImmunizationEvaluation ImmunizationRecommendation', 'vaccination', 'immunization'),
  ...kind('AllergyIntolerance', 'allergies et intolérances', 'allergies and intolerances'),
  ...kind(
    'Encounter Composition Condition Procedure CarePlan Goal CareTeam DocumentReference Binary',
    'visites, sommaires et problèmes de santé',
    'visits, summaries and health problems',
  ),
  ...kind('Practitioner PractitionerRole Organization Location HealthcareService', 'annuaire', 'directory'),
  ...kind('Patient RelatedPerson', 'identité', 'identity'),
  ...kind('Consent', 'refus et restrictions', 'refusals and restrictions'),
  ...kind('AuditEvent', 'journal des accès', 'access log'),
])

export const otherKind: Plain = { fr: 'autres documents', en: 'other documents' }

/** Before a code that has no words here. */
export const statedAs: Plain = { fr: 'but indiqué par le code', en: 'purpose stated by the code' }
