/**
 * The row filter: the policy as a predicate on `document` rows, so that a page is cut and counted over what its reader
 * may see. What does not depend on the row is bound (`Sight`); who is related, refused or restricted is looked up. A caller
 * without access runs the same statement and gets no rows.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Presented } from './caller.ts'
import { firstPublished } from './first-published.ts'
import { emergencyPurposes, ownFacilityTypes } from './policy.ts'
import { confidentialities } from './policy-data.ts'
import { type Sight, sightArgs } from './sight.ts'
import type { LiftableKind } from './subject.ts'

/** Who asks, as the row filter needs to know. */
export interface Viewer {
  readonly presented: Presented
  /** Null: nobody who reads documents. */
  readonly sight: Sight | null
  /** Milliseconds since 1970. */
  readonly now: number
}

/** As `rankOf`: unlabelled counts as N, what is no label as more than any. */
export const rank = (d: string): string => {
  const ranks = confidentialities.map((label, i) => `when '${label}' then ${i}`).join(' ')
  return `case ${d}.confidentiality when '' then ${confidentialities.indexOf('N')} ${ranks} else ${confidentialities.length} end`
}

const has = (list: string, name: string): string => `instr(:${list}, ' ' || ${name} || ' ') > 0`

/** The caller's open emergency about the person, where one lifts that kind of denial. */
const lifts = (kind: LiftableKind | { readonly sql: string }, person: string): string => `${has(
  'lifted',
  typeof kind === 'string' ? `'${kind}'` : kind.sql,
)} and exists (
    select 1 from source_record as s cross join break_glass as b on b.source_record = s.id
    where s.person = ${person} and b.facility = :caller_facility and b.professional = :caller_professional
      and b.starts <= :now and b.ends > :now and b.valid_to is null)`

const isRelated = (person: string): string => `exists (
    select 1 from source_record as s cross join relationship as r on r.source_record = s.id
    where s.person = ${person} and r.facility = :caller_facility and r.professional in ('', :caller_professional)
      and r.starts <= :now and r.ends > :now and r.valid_to is null)`

/** Whether row `d` is older than a refusal leaves alone: `forbids` of the policy. */
export const isBefore = (d: string, date: string): string =>
  `${d}.domain <> 'identity' and iif(${d}.date_lo = '', ${firstPublished(d)}, ${d}.date_lo) < ${date}`

/** Whether row `d` is what a restriction names: `isWhat` of the policy. `kind`, `what`: expressions. */
export const isWhat = (d: string, kind: string, what: string): string => `case ${kind} when 'any' then 1
            when 'domain' then ${what} = ${d}.domain
            when 'type' then ${what} = ${d}.type
            else ${what} = ${d}.type || '/' || ${d}.id end`

/** A rule of the patient's that stands against the caller reading row `d`. */
const forbidden = (d: string, person: string, isEmergency: boolean): string => `exists (
    select 1 from source_record as s cross join consent_rule as k indexed by consent_rule_current
      on k.source_record = s.id
    where s.person = ${person} and k.valid_to is null
      and case k.kind
        when 'refusal-total' then 1
        when 'refusal-before' then ${isBefore(d, 'k.before_date')}
        else case k.actor_kind when 'any' then 1
            when 'professional' then k.actor = :caller_professional
            when 'role' then k.actor = :caller_role
            when 'facility' then k.actor = :caller_facility
            else k.actor = :caller_organisation end
          and ${isWhat(d, 'k.what_kind', 'k.what')}
        end${isEmergency ? `\n      and not (${lifts({ sql: 'k.kind' }, person)})` : ''})`

const isForEmergency = ({ purpose }: Presented): boolean => emergencyPurposes.some((one) => one === purpose)

const ownTypes = ownFacilityTypes.map((type) => `'${type}'`).join(', ')

/**
 * Predicate on a row `d` of `document` in *records*. Its text depends on the token alone, never on what is found. `person`:
 * an expression for the person the page is about where it is one, so that what depends on the person alone is looked up
 * once per statement; else the row's own.
 */
export function visible(d: string, { presented, sight }: Viewer, person = `${d}.person`): string {
  if (sight?.kind === 'facility-system') return `${d}.facility = :caller_facility`
  const isEmergency = isForEmergency(presented)
  const related = isEmergency
    ? `(${isRelated(person)} or ${lifts('relationship', person)})`
    : isRelated(person)
  return `(
  ${has('domains', `${d}.domain`)}
  and (${d}.type not in (${ownTypes}) or ${d}.facility = :caller_facility)
  and ${rank(d)} <= iif(${d}.facility = :caller_facility, :own_rank, :elsewhere_rank)
  and (${d}.person = '' or ${related} and not ${forbidden(d, person, isEmergency)})
)`
}

/** Values of the named arguments of `visible`, to be bound beside those of the page. */
export function visibleArgs({ presented, sight, now }: Viewer): Readonly<Record<string, SqlValue>> {
  const { caller_facility, lifted, ...args } = sightArgs(sight)
  if (sight?.kind === 'facility-system') return { caller_facility }
  return {
    ...args,
    caller_facility,
    now,
    ...(isForEmergency(presented) ? { lifted } : {}),
  }
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
