/**
 * The caller as the registry knows him, in SQL: for the facts of a decision, as they are or as they were. Every fragment is a chain of index look-ups; values are bound by the names of `callerArgs`.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'

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

/**
 * One row, also without a token or with nothing known: "unknown" and "not permitted" cost the same.
 *
 * @param token what is asked of the token itself
 */
export const callerSql = (token: string, holds: Holds = current): string => `select ${token},
  i.organisation as issuer_organisation, i.patient_acr,
  c.client_id, c.name as client_name, c.facility as client_facility,
  p.id as professional, p.name as professional_name,
  f.row as facility_row, f.id as facility, f.uri, f.name as facility_name, f.organisation, f.type, f.region, f.log,
  f.identity_systems,
  (select json_group_array(json_array(r.role, r.facility, r.organisation)) from professional_role as r
    where r.professional = p.id and r.facility in (f.id, '') and ${holds('r')}) as roles,
  (select person from source_record where id = :caller_context) as context_person
from (select 1)
left join issuer as i on i.issuer = :caller_issuer and ${holds('i')}
left join client as c on ${isClient('c', holds)}
left join professional as p on p.issuer = :caller_issuer and p.subject = :caller_subject and ${holds('p')}
left join facility as f on f.row = ${facilityRow('c', holds)} and c.row is not null`
