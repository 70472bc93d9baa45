/**
 * The caller as the registry knows him, in SQL: used by the facts of a decision and by the row filter, so that both look
 * at the same rows. Every fragment is a chain of index look-ups; values are bound by the names of `callerArgs`.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'

/** Held with facility '' for the whole record; never a provider's role. */
export const privacyOfficer = 'privacy-officer'

/** Values of the named arguments of this file's fragments. Without a token every one is null and nothing matches. */
export const callerArgs = (presented: Presented | null) =>
  ({
    caller_issuer: presented?.issuer ?? null,
    caller_issuer_row: presented?.issuerRow ?? null,
    caller_client: presented?.clientId ?? null,
    caller_jti: presented?.jti ?? null,
    caller_subject: presented?.subject ?? null,
    caller_facility_uri: presented?.facilityUri ?? null,
    caller_role: presented?.role ?? null,
    caller_purpose: presented?.purpose ?? null,
  }) satisfies Record<string, SqlValue>

/** True while the issuer's row, by whose keys the signature verified, is the current one. */
export const issuerIsCurrent = `:caller_issuer_row =
  (select row from issuer where issuer = :caller_issuer and valid_to is null)`

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

// Cross joins fix the order of the look-ups. A statement sent over HTTP is planned in every request, and free to choose
// the order SQLite plans longer than it looks up (row filter: 157 µs; so: 90 µs, and 25 µs to run).

/** Id of the facility a facility system speaks for: one row, or none for any other caller. */
export const systemFacility = `select f.id from client as c cross join facility as f
  where ${isClient('c')} and :caller_subject = :caller_client and f.id = c.facility and f.valid_to is null`

/** The only role a professional holds at a facility; null when it is none or several. */
const onlyRole = (p: string, f: string): string => `(select case count(*) when 1 then min(role) end
  from professional_role where professional = ${p}.id and facility = ${f}.id and role <> '${privacyOfficer}'
    and valid_to is null)`

/**
 * Selects `expression` over the rows `m` of the role matrix that hold for the purpose presented and the professional who
 * acts, in the role presented or the only one held at the facility: no row for any other caller. `more` joins further
 * tables.
 */
export const selectMatrix = (expression: string, more = ''): string => `select ${expression}
  from client as c cross join professional as p cross join facility as f cross join professional_role as r
    cross join role_domain as m ${more}
  where ${isClient('c')} and c.facility is null and :caller_subject <> :caller_client
    and p.issuer = c.issuer and p.subject = :caller_subject and p.valid_to is null
    and f.uri = :caller_facility_uri and f.valid_to is null
    and r.professional = p.id and r.facility = f.id and r.role = coalesce(:caller_role, ${onlyRole('p', 'f')})
    and r.role <> '${privacyOfficer}' and r.valid_to is null
    and m.role in (r.role, '*') and m.facility_type in (f.type, '*')
    and m.purpose in (:caller_purpose, '*') and :caller_purpose is not null and m.valid_to is null`
