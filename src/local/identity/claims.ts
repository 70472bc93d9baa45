/** What a token of the local provider says of its holder (IHE IUA, ITI-71), and which scopes choose among several roles. */
import { err, ok, type Result } from '../../result.ts'
import {
  clients,
  facilities,
  organisations,
  professionals,
  purposeSystem,
  roleDomains,
  roleSystem,
  type SampleRole,
} from '../sample/directory.ts'

interface Coding {
  readonly system: string
  readonly code: string
}

/** The members of `extensions.ihe_iua` that this provider knows of. */
export interface IuaClaims {
  readonly subject_name: string
  readonly subject_organization?: string
  /** URI of the facility. */
  readonly subject_organization_id?: string
  readonly subject_role?: readonly Coding[]
  readonly purpose_of_use?: readonly Coding[]
}

/** v3-ActReason codes that may be asked for: those of the role matrix, break-glass, and oversight of compliance. */
export const purposes: readonly string[] = [
  ...new Set([...roleDomains.map(({ purpose }) => purpose), 'BTG', 'HCOMPL']),
]

const roles = [...new Set(professionals.flatMap((person) => person.roles.map(({ role }) => role)))]

/** SMART v2 scopes for people and for systems. */
export const userScope = 'user/*.rs'
export const systemScope = 'system/*.cruds'

/** Every scope of the record: the provider drops others. */
export const scopes: readonly string[] = [
  userScope,
  'user/*.cruds',
  systemScope,
  ...purposes.map((code) => `purpose_of_use=${code}`),
  ...roles.map((role) => `subject_role=${role}`),
  ...facilities.map(({ id }) => `facility=${id}`),
]

/** The value of the scope `name=value`, if it is asked for. */
const chosen = (scope: readonly string[], name: string): string | undefined =>
  scope.find((value) => value.startsWith(`${name}=`))?.slice(name.length + 1)

/**
 * Claims of a person (by login) or of a facility system (by client id), for the scopes that were granted.
 *
 * @returns as an error, one sentence: nobody of that name, or a role or facility that the person does not have.
 */
export function iuaClaims(subject: string, scope: readonly string[]): Result<IuaClaims, string> {
  const purpose = chosen(scope, 'purpose_of_use')
  const purposeOfUse =
    purpose === undefined ? {} : { purpose_of_use: [{ system: purposeSystem, code: purpose }] }
  const system = clients.find(({ clientId, facility }) => clientId === subject && facility !== null)
  if (system)
    return ok({ subject_name: system.name, ...organisationOf(system.facility ?? ''), ...purposeOfUse })

  const person = professionals.find(({ login }) => login === subject)
  if (!person) return err(`${subject} is not a person or facility system of the sample.`)
  const role = person.roles.find(matches(chosen(scope, 'subject_role'), chosen(scope, 'facility')))
  if (!role) return err(`${person.name} does not hold that role at that facility.`)
  return ok({
    subject_name: person.name,
    ...organisationOf(role.facility),
    subject_role: [{ system: roleSystem, code: role.role }],
    ...purposeOfUse,
  })
}

const matches =
  (role: string | undefined, facility: string | undefined) =>
  (held: SampleRole): boolean =>
    (role === undefined || held.role === role) && (facility === undefined || held.facility === facility)

function organisationOf(id: string): Pick<IuaClaims, 'subject_organization' | 'subject_organization_id'> {
  const facility = facilities.find((candidate) => candidate.id === id)
  const organisation = organisations.find((candidate) => candidate.id === facility?.organisation)
  if (!facility || !organisation) return {}
  return { subject_organization: organisation.name, subject_organization_id: facility.uri }
}
