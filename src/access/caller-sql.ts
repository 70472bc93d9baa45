/**
 * The caller as the registry knows him, in SQL: used by the facts of a decision and by the row filter, so that both look
 * at the same rows. Every fragment is a chain of index look-ups; values are bound by the names of `callerArgs`.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'

/** Roles by which nobody reads a clinical document: people who administer and oversee, and whom the record is about. */
export const administrativeRoles = [
  'privacy-officer',
  'access-manager',
  'operator',
  'patient',
  'guardian',
] as const

/** Which rows of a registry table count, by its alias. */
export type Holds = (alias: string) => string

export const current: Holds = (alias) => `${alias}.valid_to is null`

/** The rows of write clock `:as_of`: what a decision made then was based on. */
export const asOf: Holds = (alias) =>
  `${alias}.valid_from <= :as_of and (${alias}.valid_to is null or ${alias}.valid_to > :as_of)`

/** Values of the named arguments of this file's fragments. Without a token every one is null and nothing matches. */
export const callerArgs = (presented: Presented | null) =>
  ({
    caller_issuer: presented?.issuer ?? null,
    caller_issuer_row: presented?.issuerRow ?? null,
    caller_signed_by: presented?.signedBy ?? null,
    caller_client: presented?.clientId ?? null,
    caller_jti: presented?.jti ?? null,
    caller_subject: presented?.subject ?? null,
    caller_facility_uri: presented?.facilityUri ?? null,
    caller_role: presented?.role ?? null,
    caller_purpose: presented?.purpose ?? null,
    caller_context: presented?.patient ?? null,
  }) satisfies Record<string, SqlValue>

/** True while the issuer's row, by whose keys the signature verified, is the current one. */
export const issuerIsCurrent = `:caller_issuer_row =
  (select row from issuer where issuer = :caller_issuer and valid_to is null)`

export const tokenIsRevoked = `exists (select 1 from revoked_token where issuer = :caller_issuer and jti = :caller_jti)`

export const keyIsRevoked = `exists (
  select 1 from revoked_key where issuer = :caller_issuer and thumbprint = :caller_signed_by)`

/** The caller's client row. */
export const isClient = (c: string, holds: Holds = current): string =>
  `${c}.issuer = :caller_issuer and ${c}.client_id = :caller_client and ${holds(c)}`

/**
 * Row number of the facility a client's caller acts at: a facility system's own, whatever its token says; else the one
 * the token presents.
 */
export const facilityRow = (c: string, holds: Holds = current): string => `case when ${c}.facility is null
  then (select at.row from facility as at where at.uri = :caller_facility_uri and ${holds('at')})
  else (select at.row from facility as at where at.id = ${c}.facility and ${holds('at')}) end`

// Cross joins fix the order of the look-ups. A statement sent over HTTP is planned in every request, and free to choose
// the order SQLite plans longer than it looks up (row filter: 157 µs; so: 90 µs, and 25 µs to run).

/** An issuer of one organisation vouches for callers at its facilities only. */
const vouches = (organisation: string): string => `exists (
  select 1 from issuer as i where i.issuer = :caller_issuer and i.valid_to is null
    and i.organisation in ('', ${organisation}))`

/** Id of the facility a facility system speaks for: one row, or none for any other caller. */
export const systemFacility = `select f.id from client as c cross join facility as f
  where ${isClient('c')} and :caller_subject = :caller_client and f.id = c.facility and f.valid_to is null
    and ${vouches('f.organisation')}`

const administrative = administrativeRoles.map((role) => `'${role}'`).join(', ')

/** The only role a professional holds at a facility; null when it is none or several. */
const onlyRole = (
  p: string,
  f: string,
  holds: Holds,
): string => `(select case count(*) when 1 then min(o.role) end
  from professional_role as o where o.professional = ${p}.id and o.facility = ${f}.id
    and o.role not in (${administrative}) and ${holds('o')})`

/**
 * Selects `expression` over the rows `m` of `table` (a matrix of role, facility type and purpose) that hold for the
 * purpose presented and the professional who acts, in the role presented or the only one held at the facility: no row for
 * any other caller. `more` joins further tables.
 */
export const selectMatrix = (
  expression: string,
  { table = 'role_domain', more = '', holds = current as Holds } = {},
): string => `select ${expression}
  from client as c cross join professional as p cross join facility as f cross join professional_role as r
    cross join ${table} as m ${more}
  where ${isClient('c', holds)} and c.facility is null and :caller_subject <> :caller_client
    and p.issuer = c.issuer and p.subject = :caller_subject and ${holds('p')}
    and f.uri = :caller_facility_uri and ${holds('f')}
    and r.professional = p.id and r.facility = f.id and r.role = coalesce(:caller_role, ${onlyRole('p', 'f', holds)})
    and r.role not in (${administrative}) and ${holds('r')}
    and m.role in (r.role, '*') and m.facility_type in (f.type, '*')
    and m.purpose in (:caller_purpose, '*') and :caller_purpose is not null and ${holds('m')}${
      holds === current ? `\n    and ${vouches('f.organisation')}` : ''
    }`

/** Registry id of the professional the token names; null for anybody else. */
export const callerProfessional = `(select p.id from professional as p
  where p.issuer = :caller_issuer and p.subject = :caller_subject and p.valid_to is null)`

/** Id of the facility the token presents, and its organisation. */
export const callerFacility = `(select id from facility where uri = :caller_facility_uri and valid_to is null)`
export const callerOrganisation = `(
  select organisation from facility where uri = :caller_facility_uri and valid_to is null)`
