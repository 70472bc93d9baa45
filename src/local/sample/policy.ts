/** The policy of the local cluster, as rows of *records*: what an operator of a real one loads. Data only. */
import { clinicalDomains, closedDomains } from '../../records/domain.ts'
import { healthInsuranceSystem } from './directory.ts'

/** Row of `role_domain`: '*' stands for any. */
export interface RoleDomain {
  readonly role: string
  readonly facilityType: string
  /** v3-ActReason code. */
  readonly purpose: string
  readonly domain: string
}

/** Row of `role_clearance`: the most confidential label that is readable (v3-Confidentiality). */
export interface RoleClearance {
  readonly role: string
  readonly facilityType: string
  /** v3-ActReason code. */
  readonly purpose: string
  /** In documents of the own facility … */
  readonly own: string
  /** … and in those of others. */
  readonly elsewhere: string
}

/** Row of `sharing_rule`, in the order in which rules are tried: '*' stands for any. */
export interface SharingRule {
  readonly domain: string
  readonly type: string
  readonly category: string
  readonly code: string
  /** v3-Confidentiality code. */
  readonly confidentiality: string
  readonly shared: boolean
}

const clinical: readonly string[] = [...clinicalDomains]

const emergency = ['ETREAT', 'BTG'] as const

const rows = (
  role: string,
  facilityType: string,
  purposes: readonly string[],
  domains: readonly string[],
): readonly RoleDomain[] =>
  purposes.flatMap((purpose) => domains.map((domain) => ({ role, facilityType, purpose, domain })))

/**
 * The default matrix role × type of facility × purpose → domain. After the regulation on authorised providers (P-9.0001,
 * r. 1), whose cells for other roles than physicians are not all known here: an operator loads the full text. `identity`
 * and `directory` are open to every authorised provider and have no rows. Breaking the glass (`BTG`) opens what an
 * emergency does (`ETREAT`).
 */
export const roleDomains: readonly RoleDomain[] = [
  // Physicians and residents read every domain wherever they practise, in an emergency too; what nobody classified
  // (`other`) is local, and theirs alone.
  ...rows('physician', '*', ['TREAT', ...emergency], closedDomains),
  ...rows('resident', 'hospital', ['TREAT', ...emergency], closedDomains),
  // Pharmacists: medication with what a safe dispense depends on; imaging is not established for them.
  ...rows('pharmacist', '*', ['TREAT'], ['medication', 'laboratory', 'allergy', 'immunization']),
  // A pharmacist of a hospital follows patients through their stay.
  ...rows('pharmacist', 'hospital', ['TREAT'], ['hospital-summary']),
  // Nurses: everything at a hospital or clinic, images excepted in a clinic.
  ...rows('nurse', 'hospital', ['TREAT', ...emergency], clinical),
  ...rows(
    'nurse',
    'clinic',
    ['TREAT'],
    clinical.filter((domain) => domain !== 'imaging'),
  ),
  // Dietitians only at listed types of facility, and only what nutrition depends on.
  ...rows('dietitian', 'hospital', ['TREAT'], ['laboratory', 'allergy']),
  // Medical archivists complete and code the hospital's summaries.
  ...rows('medical-archivist', 'hospital', ['TREAT', 'RECORDMGT'], ['hospital-summary']),
  // Physiotherapists: imaging and summaries at a hospital or clinic.
  ...rows('physiotherapist', 'hospital', ['TREAT'], ['imaging', 'hospital-summary']),
  ...rows('physiotherapist', 'clinic', ['TREAT'], ['imaging', 'hospital-summary']),
  // Midwives follow mother and child.
  ...rows('midwife', '*', ['TREAT'], ['medication', 'laboratory', 'immunization', 'allergy']),
]

const clearance = (
  role: string,
  facilityType: string,
  own: string,
  elsewhere: string,
): readonly RoleClearance[] =>
  ['TREAT', ...emergency].map((purpose) => ({ role, facilityType, purpose, own, elsewhere }))

/** Who reads more than `N`, for each purpose of the role's rows above. */
export const roleClearances: readonly RoleClearance[] = [
  ...clearance('physician', '*', 'V', 'R'),
  ...clearance('resident', 'hospital', 'R', 'R'),
  ...clearance('nurse', 'hospital', 'R', 'N'),
]

const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*' } as const

/** The default sharing policy: the first rule that matches decides; no match stays local. */
export const sharingRules: readonly SharingRule[] = [
  // What its author marked restricted or very restricted never leaves the facility by itself.
  { ...any, confidentiality: 'R', shared: false },
  { ...any, confidentiality: 'V', shared: false },
  // The six clinical domains are what the record is for.
  ...clinical.map((domain) => ({ ...any, domain, shared: true })),
  // Without people, facilities and patients the clinical documents cannot be read.
  { ...any, domain: 'directory', shared: true },
  { ...any, domain: 'identity', shared: true },
  { ...any, domain: 'other', shared: false },
]

/** Identifier systems on which two facilities' records of a person may be joined. */
export const personIdentifierSystems: readonly string[] = [healthInsuranceSystem]
