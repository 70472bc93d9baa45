/**
 * The row filter: the policy as a predicate on `document` rows, so that a page is cut and counted over what its reader
 * may see. A caller without access runs the same statement and gets no rows.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'
import {
  callerArgs,
  callerFacility,
  callerOrganisation,
  callerProfessional,
  issuerIsCurrent,
  keyIsRevoked,
  selectMatrix,
  systemFacility,
  tokenIsRevoked,
} from './caller-sql.ts'
import { emergencyPurposes, openDomains, ownFacilityTypes } from './policy.ts'
import type { LiftableKind } from './subject.ts'
import { confidentialities, usualClearance } from './subject-sql.ts'

const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(', ')

/** Each row of the matrix opens its own domain and those open to every provider. */
const openedDomains = selectMatrix('opened.value', {
  more: `cross join json_each(json_array(m.domain, ${list(openDomains)})) as opened`,
})

/** Rank of the most confidential label that the caller's role may read. */
const clearance = (column: 'own' | 'elsewhere'): string =>
  `coalesce((${selectMatrix(`max(instr('${confidentialities}', m.${column}))`, {
    table: 'role_clearance',
  })}), ${confidentialities.indexOf(usualClearance) + 1})`

/** Labels of no known rank are never read: nobody's clearance reaches past the last. */
const rank = (
  d: string,
): string => `case ${d}.confidentiality when '' then ${confidentialities.indexOf(usualClearance) + 1}
  else iif(instr('${confidentialities}', ${d}.confidentiality) between 1 and ${confidentialities.length}
    and length(${d}.confidentiality) = 1, instr('${confidentialities}', ${d}.confidentiality), ${confidentialities.length + 1}) end`

const isLifted = (kind: LiftableKind): string => `exists (select 1 from policy_setting
    where name = 'break-glass:${kind}' and value = 1 and valid_to is null)`

/** The caller's open emergency about the person. */
const emergency = (person: string): string => `:caller_purpose in (${list(emergencyPurposes)}) and exists (
    select 1 from source_record as s cross join break_glass as b on b.source_record = s.id
    where s.person = ${person} and b.facility = ${callerFacility} and b.professional = ${callerProfessional}
      and b.starts <= :now and b.ends > :now and b.valid_to is null)`

const isRelated = (person: string): string => `exists (
    select 1 from source_record as s cross join relationship as r on r.source_record = s.id
    where s.person = ${person} and r.facility = ${callerFacility} and r.professional in ('', ${callerProfessional})
      and r.starts <= :now and r.ends > :now and r.valid_to is null)`

/** A rule of the patient's that stands against the caller reading row `d`, and that no emergency lifts. */
const forbidden = (d: string, person: string): string => `exists (
    select 1 from source_record as s cross join consent_rule as k on k.source_record = s.id
    where s.person = ${person} and k.valid_to is null
      and case k.kind
        when 'refusal-total' then 1
        when 'refusal-before' then ${d}.domain <> 'identity'
          and iif(${d}.date_lo = '', ${d}.published, ${d}.date_lo) < k.before_date
        else case k.actor_kind when 'any' then 1
            when 'professional' then k.actor = ${callerProfessional}
            when 'role' then k.actor = (${selectMatrix('r.role')} limit 1)
            when 'facility' then k.actor = ${callerFacility}
            else k.actor = ${callerOrganisation} end
          and case k.what_kind when 'any' then 1
            when 'domain' then k.what = ${d}.domain
            when 'type' then k.what = ${d}.type
            else k.what = ${d}.type || '/' || ${d}.id end
        end
      and not (${emergency(person)} and case k.kind
        when 'refusal-total' then ${isLifted('refusal-total')}
        when 'refusal-before' then ${isLifted('refusal-before')}
        else ${isLifted('restriction')} end))`

/**
 * Predicate on a row `d` of `document` in *records*. `person`: an expression for the person the page is about where it is
 * one, so that what depends on the person alone is looked up once per statement; else the row's own.
 */
export const visible = (d: string, person = `${d}.person`): string => `(
  ${issuerIsCurrent} and not ${tokenIsRevoked} and not ${keyIsRevoked}
  and (${d}.facility = (${systemFacility})
    or ${d}.domain in (${openedDomains})
      and (${d}.type not in (${list(ownFacilityTypes)}) or ${d}.facility = ${callerFacility})
      and ${rank(d)} <= iif(${d}.facility = ${callerFacility}, ${clearance('own')}, ${clearance('elsewhere')})
      and (${d}.person = ''
        or (${isRelated(person)} or ${isLifted('relationship')} and ${emergency(person)})
          and not ${forbidden(d, person)}))
)`

/** Values of the named arguments of `visible`, to be bound beside those of the page. `now`: milliseconds since 1970. */
export function visibleArgs(presented: Presented, now: number): Readonly<Record<string, SqlValue>> {
  const { caller_context, ...args } = callerArgs(presented)
  return { ...args, now }
}

/**
 * Predicate on a row of `document` in the local database, which holds no registry: the facility only. What a role, a
 * domain or a patient's wishes forbid is left to `decideRow`, with the facts of the records batch.
 */
export const visibleLocal = (alias: string): string => `${alias}.facility = :caller_facility`

/** Values of the named arguments of `visibleLocal`; null, for a caller without a facility, matches nothing. */
export const visibleLocalArgs = (facility: string | null): Readonly<Record<string, SqlValue>> => ({
  caller_facility: facility,
})
