/** Statements about roles and the requests for them. Arguments: `professional`, `role`, `facility`, `organisation`. */
import type { SqlValue, Statement } from '../store/ports.ts'
import { officeList, type Seat } from './role-rules.ts'

export const seatArgs = ({ professional, role, facility, organisation }: Seat) =>
  ({ professional, role, facility, organisation }) satisfies Record<string, SqlValue>

const ofSeat = `professional = :professional and role = :role and facility = :facility
  and organisation = :organisation`

const isHeld = `exists (select 1 from professional_role where ${ofSeat} and valid_to is null)`

/** What a grant rests on. A clinical role is one that the role matrix knows. */
const isProfessionalKnown =
  'exists (select 1 from professional where id = :professional and valid_to is null)'
const isFacilityKnown = `(:facility = '' or exists (select 1 from facility where id = :facility and valid_to is null))`
const isOrganisationKnown = `(:organisation = ''
  or exists (select 1 from organisation where id = :organisation and valid_to is null))`
const isRoleKnown = `(:role in (${officeList})
  or exists (select 1 from role_domain where role = :role and valid_to is null))`

/** A second login of who holds an office could act alone where two must. */
const hasOneLogin = `(:role not in (${officeList})
  or (select count(*) from professional where id = :professional and valid_to is null) <= 1)`

const isGrantable = `${isProfessionalKnown} and ${hasOneLogin} and ${isFacilityKnown} and ${isOrganisationKnown} and ${isRoleKnown}`

/** Begins the role unless it is held. @param condition over `more` */
export const beginRole = (
  seat: Seat,
  grantedBy: string,
  at: string,
  condition = 'true',
  more: Readonly<Record<string, SqlValue>> = {},
): Statement => ({
  sql: `
    insert into professional_role (professional, role, facility, organisation, granted_by, certified_at, valid_from)
    select :professional, :role, :facility, :organisation, :granted_by, :at, (select n from clock)
    where ${isGrantable} and not ${isHeld} and (${condition})`,
  args: { ...seatArgs(seat), granted_by: grantedBy, at, ...more },
})

export const finishRole = (
  seat: Seat,
  condition = 'true',
  more: Readonly<Record<string, SqlValue>> = {},
): Statement => ({
  sql: `
    update professional_role set valid_to = (select n from clock)
    where ${ofSeat} and valid_to is null and (${condition})`,
  args: { ...seatArgs(seat), ...more },
})

/**
 * The role as it is, certified anew: its row ends and another begins. Once a day is enough, and leaves one row a day.
 *
 * @param at ISO 8601
 */
export const renewRole = (seat: Seat, at: string): readonly Statement[] => [
  {
    sql: `
      update professional_role set valid_to = (select n from clock)
      where ${ofSeat} and valid_to is null and substr(certified_at, 1, 10) < substr(:at, 1, 10)`,
    args: { ...seatArgs(seat), at },
  },
  {
    sql: `
      insert into professional_role (professional, role, facility, organisation, granted_by, certified_at, valid_from)
      select professional, role, facility, organisation, granted_by, :at, valid_to from professional_role
      where ${ofSeat} and valid_to = (select n from clock)`,
    args: { ...seatArgs(seat), at },
  },
]

/** One row: the last role of this seat that there ever was, and what a grant rests on. */
export const roleOutcome = (seat: Seat): Statement => ({
  sql: `
    select r.row, r.granted_by, r.certified_at, r.valid_from, r.valid_to,
      ${isProfessionalKnown} as is_professional_known, ${isFacilityKnown} as is_facility_known,
      ${isOrganisationKnown} as is_organisation_known, ${isRoleKnown} as is_role_known,
      ${hasOneLogin} as has_one_login
    from clock left join professional_role as r on r.row = (select max(row) from professional_role where ${ofSeat})`,
  args: seatArgs(seat),
})

const isAsked = (action: string): string => `exists (select 1 from role_request
  where action = ${action} and ${ofSeat} and valid_to is null)`

export interface RoleRequest extends Seat {
  readonly id: string
  readonly action: 'grant' | 'end'
  readonly requestedBy: string
  /** ISO 8601. */
  readonly requestedAt: string
}

/** Asks, unless somebody has: for a role that is not held to be granted, or one that is to be ended. */
export const askRole = ({ id, action, requestedBy, requestedAt, ...seat }: RoleRequest): Statement => ({
  sql: `
    insert into role_request (id, action, professional, role, facility, organisation, requested_by, requested_at,
      valid_from)
    select :id, :action, :professional, :role, :facility, :organisation, :by, :at, (select n from clock)
    where not ${isAsked(':action')}
      and case :action when 'grant' then ${isGrantable} and not ${isHeld} else ${isHeld} end`,
  args: { ...seatArgs(seat), id, action, by: requestedBy, at: requestedAt },
})

/** As `roleOutcome`, with the open request for it, if there is one. */
export const askOutcome = ({ action, ...seat }: RoleRequest): Statement => {
  const { sql } = roleOutcome(seat)
  return {
    sql: `
      select o.*, q.id as request, q.requested_by, q.requested_at, q.valid_from as asked_from
      from (${sql}) as o left join role_request as q
        on q.action = :action and q.professional = :professional and q.role = :role and q.facility = :facility
          and q.organisation = :organisation and q.valid_to is null`,
    args: { ...seatArgs(seat), action },
  }
}

export interface Decision {
  readonly request: RoleRequest
  readonly decision: 'approved' | 'rejected'
  readonly by: string
  /** ISO 8601. */
  readonly at: string
}

/**
 * Ends the request with its decision and, if approved, does what was asked, all or nothing: who decides second changes
 * nothing, and a grant that rests on nothing any more stays undecided.
 */
export function decideRequest({ request, decision, by, at }: Decision): readonly Statement[] {
  const { id, action, ...seat } = request
  const isOurs = `exists (select 1 from role_request
    where id = :id and decision = 'approved' and decided_by = :by and valid_to = (select n from clock))`
  return [
    {
      sql: `
        update role_request
        set valid_to = (select n from clock), decision = :decision, decided_by = :by, decided_at = :at
        where id = :id and valid_to is null and requested_by <> :by and professional <> :by
          and (:decision = 'rejected' or :action = 'end' or ${isGrantable})`,
      args: { ...seatArgs(seat), id, action, decision, by, at },
    },
    action === 'grant' ? beginRole(seat, by, at, isOurs, { id, by }) : finishRole(seat, isOurs, { id, by }),
  ]
}

/** One row: the request as it now is, and what a grant rests on. */
export const decisionOutcome = ({ id, ...seat }: RoleRequest): Statement => ({
  sql: `
    select q.decision, q.decided_by, q.decided_at, q.valid_from, q.valid_to, o.is_professional_known,
      o.is_facility_known, o.is_organisation_known, o.is_role_known, o.has_one_login
    from (${roleOutcome(seat).sql}) as o left join role_request as q on q.id = :id`,
  args: { ...seatArgs(seat), id },
})
