/** Who may grant, end and certify which role, and what two persons must agree on. Pure. */
import { type Caller, offices } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'

/** Roles that are no provider's, as SQL: never in the role matrix, never a manager's to grant. */
export const officeList = offices.map((role) => `'${role}'`).join(', ')

export const isOffice = (role: string): boolean => offices.includes(role)

/** A role of one professional, and where it holds. */
export interface Seat {
  readonly professional: string
  readonly role: string
  /** The empty string for officers and operators. */
  readonly facility: string
  /** Of a privacy officer; the empty string: of the whole record, or no officer. */
  readonly organisation: string
}

export type Registrar = Extract<Caller, { readonly kind: 'operator' | 'access-manager' }>

export const isRegistrar = (caller: Caller): caller is Registrar =>
  caller.kind === 'operator' || caller.kind === 'access-manager'

export type RoleAction = 'grant' | 'end' | 'certify'

/** Whether it is done at once, or when somebody else agrees. */
export type Way = 'at-once' | 'by-request'

/**
 * What a registrar may do about a role, and how. Managers: clinical roles of their facility, at once; its managers, by
 * request. Operators: offices, and to end or certify any role; a further operator, by request. Nobody does anything about
 * himself but by request, and nobody certifies himself.
 */
export function wayOf(caller: Registrar, action: RoleAction, seat: Seat): Result<Way, Refusal> {
  const { role, facility, professional } = seat
  const isManager = caller.kind === 'access-manager'
  if (isManager && isOffice(role) && role !== 'access-manager') return forbidden('operation-not-for-caller')
  if (isManager && facility !== caller.facility.id) return forbidden('not-own-organisation')
  if (!isManager && action === 'grant' && !isOffice(role)) return forbidden('operation-not-for-caller')
  const isSelf = professional === caller.professional
  if (action === 'certify') return isSelf ? forbidden('four-eyes') : ok('at-once')
  const needsTwo = isManager ? role === 'access-manager' : role === 'operator' && action === 'grant'
  return ok(isSelf || needsTwo ? 'by-request' : 'at-once')
}

/** Who asked, or is asked about, cannot decide; at a facility one of its managers or an operator does, else an operator. */
export function mayDecide(
  caller: Registrar,
  { professional, facility, requestedBy }: Seat & { readonly requestedBy: string },
): Result<void, Refusal> {
  if (caller.kind === 'access-manager' && facility !== caller.facility.id)
    return forbidden('not-own-organisation')
  if (caller.professional === requestedBy || caller.professional === professional)
    return forbidden('four-eyes')
  return ok(undefined)
}
