/**
 * What a token of the local provider says of its holder (IHE IUA, ITI-71; OpenID Connect; SMART launch context), and which
 * scopes choose among several roles.
 */
import { err, ok, type Result } from '../../result.ts'
import {
  claimedIdentity,
  clients,
  facilities,
  holders,
  organisations,
  professionals,
  purposeSystem,
  roleSystem,
  type SampleRole,
  verifiedIdentity,
} from '../sample/directory.ts'
import { roleDomains } from '../sample/policy.ts'

interface Coding {
  readonly system: string
  readonly code: string
}

/** The members of `extensions.ihe_iua` that this provider knows of. */
interface IuaClaims {
  readonly subject_name: string
  readonly subject_organization?: string
  /** URI of the facility. */
  readonly subject_organization_id?: string
  readonly subject_role?: readonly Coding[]
  readonly purpose_of_use?: readonly Coding[]
  /** Health-insurance number of a patient or guardian. */
  readonly person_id?: string
}

/** What this provider adds to the claims of RFC 9068. */
export interface TokenClaims {
  readonly extensions: { readonly ihe_iua: IuaClaims }
  /** SMART launch context: server id of a `Patient`. */
  readonly patient?: string
  /** `YYYY-MM-DD`; of patients and guardians, and so is `acr`. */
  readonly birthdate?: string
  readonly acr?: string
}

/**
 * v3-ActReason codes that may be asked for: those of the role matrix, oversight of compliance, a person's own request,
 * administration of the system and of patients.
 */
export const purposes: readonly string[] = [
  ...new Set([...roleDomains.map(({ purpose }) => purpose), 'HCOMPL', 'PATRQT', 'HSYSADMIN', 'PATADMIN']),
]

/** What somebody of this role is there for. */
export function usualPurpose(role: string): string {
  switch (role) {
    case 'privacy-officer':
      return 'HCOMPL'
    case 'access-manager':
    case 'operator':
      return 'HSYSADMIN'
    case 'patient':
    case 'guardian':
      return 'PATRQT'
    default:
      return 'TREAT'
  }
}

const roles = new Set(
  [...professionals, ...holders].flatMap((person) => person.roles.map((held) => roleOf(held))),
)

/**
 * Scopes listed in the provider's metadata: its own, which choose what a token says, and of SMART's those that narrow
 * nothing.
 */
export const scopes: readonly string[] = [
  'patient/*.cruds',
  'user/*.cruds',
  'system/*.cruds',
  ...purposes.map((code) => `purpose_of_use=${code}`),
  ...[...roles].map((role) => `subject_role=${role}`),
  ...facilities.map(({ id }) => `facility=${id}`),
  ...[verifiedIdentity, claimedIdentity].map((level) => `acr=${level}`),
]

/** SMART scopes are for the record to judge; a launch context is any server id. */
const open = [/^(patient|user|system)\/./, /^patient=[a-z2-7]{26}$/]

/** Of the scopes asked for (separated by spaces), those that this provider grants: it drops others. */
export function grantedScope(asked: string): string {
  const granted = asked
    .split(' ')
    .filter((scope) => scopes.includes(scope) || open.some((pattern) => pattern.test(scope)))
  return granted.join(' ')
}

/** The value of the scope `name=value`, if it is asked for. */
const chosen = (scope: readonly string[], name: string): string | undefined =>
  scope.find((value) => value.startsWith(`${name}=`))?.slice(name.length + 1)

/** Whether somebody of the sample logs in so. */
export const isLogin = (login: string): boolean =>
  [...professionals, ...holders].some((person) => person.login === login)

/**
 * Claims of a person (by login) or of a facility system (by client id), for the scopes that were granted.
 *
 * @returns as an error, one sentence: nobody of that name, or a role or facility that the person does not have.
 */
export function tokenClaims(subject: string, scope: readonly string[]): Result<TokenClaims, string> {
  const purpose = chosen(scope, 'purpose_of_use')
  const purposeOfUse =
    purpose === undefined ? {} : { purpose_of_use: [{ system: purposeSystem, code: purpose }] }
  const patient = chosen(scope, 'patient')
  const claims = (iua: IuaClaims): TokenClaims => ({
    extensions: { ihe_iua: { ...iua, ...purposeOfUse } },
    ...(patient === undefined ? {} : { patient }),
  })
  const system = clients.find(({ clientId, facility }) => clientId === subject && facility !== null)
  if (system) return ok(claims({ subject_name: system.name, ...facilityClaims(system.facility ?? '') }))

  const isChosen = matches(chosen(scope, 'subject_role'), chosen(scope, 'facility'))
  const person = professionals.find(({ login }) => login === subject)
  if (person) {
    const held = person.roles.find(isChosen)
    if (!held) return err(`${person.name} does not hold that role at that facility.`)
    const where = held.organisation === undefined ? facilityClaims(held.facility) : organisationClaims(held)
    return ok(claims({ subject_name: person.name, ...where, subject_role: coded(held.role) }))
  }
  const holder = holders.find(({ login }) => login === subject)
  if (!holder) return err(`${subject} is not a person or facility system of the sample.`)
  const role = holder.roles.find((role) => isChosen({ role, facility: '' }))
  if (!role) return err(`${holder.name} does not hold that role.`)
  return ok({
    ...claims({ subject_name: holder.name, subject_role: coded(role), person_id: holder.number }),
    birthdate: holder.birthDate,
    acr: chosen(scope, 'acr') ?? verifiedIdentity,
  })
}

const coded = (role: string): readonly Coding[] => [{ system: roleSystem, code: role }]

function roleOf(held: SampleRole | string): string {
  return typeof held === 'string' ? held : held.role
}

const matches =
  (role: string | undefined, facility: string | undefined) =>
  (held: SampleRole): boolean =>
    (role === undefined || held.role === role) && (facility === undefined || held.facility === facility)

type Place = Pick<IuaClaims, 'subject_organization' | 'subject_organization_id'>

function facilityClaims(id: string): Place {
  const facility = facilities.find((candidate) => candidate.id === id)
  if (!facility) return {}
  return { ...organisationClaims(facility), subject_organization_id: facility.uri }
}

/** An organisation has no URI here: `subject_organization_id` names a facility. */
function organisationClaims({ organisation }: { readonly organisation?: string }): Place {
  const found = organisations.find(({ id }) => id === organisation)
  return found ? { subject_organization: found.name } : {}
}
