/**
 * The caller as the registry knows him, in SQL: used by the facts of a decision and by the row filter, so that both look
 * at the same rows. Every fragment is a chain of index look-ups; values are bound by the names of `callerArgs`.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'

/** Held with facility '' for the whole record; never a provider's role. */
export const privacyOfficer = 'privacy-officer'

/** Values of the named arguments of this file's fragments. Without a token every one is null and nothing matches. */
export function callerArgs(presented: Presented | null): Readonly<Record<string, SqlValue>> {
  return {
    caller_issuer: presented?.issuer ?? null,
    caller_issuer_row: presented?.issuerRow ?? null,
    caller_client: presented?.clientId ?? null,
    caller_jti: presented?.jti ?? null,
    caller_subject: presented?.subject ?? null,
    caller_facility_uri: presented?.facilityUri ?? null,
    caller_role: presented?.role ?? null,
    caller_purpose: presented?.purpose ?? null,
  }
}

/** True while the issuer's row, by whose keys the signature verified, is the current one. */
export const issuerIsCurrent = `exists (select 1 from issuer
  where row = :caller_issuer_row and issuer = :caller_issuer and valid_to is null)`

export const tokenIsRevoked = `exists (select 1 from revoked_token where issuer = :caller_issuer and jti = :caller_jti)`

/** The caller's client row. */
export const isClient = (c: string): string =>
  `${c}.issuer = :caller_issuer and ${c}.client_id = :caller_client and ${c}.valid_to is null`

/**
 * Row number of the facility a client's caller acts at: a facility system's own, whatever its token says; else the one
 * the token presents.
 */
export const facilityRow = (c: string): string => `case when ${c}.facility is null
  then (select row from facility where uri = :caller_facility_uri and valid_to is null)
  else (select row from facility where id = ${c}.facility and valid_to is null) end`

/** Id of the facility a facility system speaks for: one row, or none for any other caller. */
export const systemFacility = `select f.id from client as c
  join facility as f on f.id = c.facility and f.valid_to is null
  where ${isClient('c')} and :caller_subject = :caller_client and ${issuerIsCurrent} and not ${tokenIsRevoked}`

/**
 * The role in which a professional acts, and the type of the facility: one row, or none for any other caller. Without a
 * presented role it is the only one held at the facility.
 */
const acting = `select min(r.role) as role, f.type as facility_type from client as c
  join professional as p on p.issuer = c.issuer and p.subject = :caller_subject and p.valid_to is null
  join facility as f on f.uri = :caller_facility_uri and f.valid_to is null
  join professional_role as r on r.professional = p.id and r.facility = f.id and r.valid_to is null
  where ${isClient('c')} and c.facility is null and :caller_subject <> :caller_client
    and r.role <> '${privacyOfficer}' and r.role = coalesce(:caller_role, r.role)
    and ${issuerIsCurrent} and not ${tokenIsRevoked}
  group by f.row having count(*) = 1`

/** From-clause: the rows `m` of the role matrix that hold for the acting professional and the purpose presented. */
export const matrix = `(${acting}) as a cross join role_domain as m
  on m.role in (a.role, '*') and m.facility_type in (a.facility_type, '*')
    and m.purpose in (:caller_purpose, '*') and :caller_purpose is not null and m.valid_to is null`
