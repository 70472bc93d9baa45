/** Who keeps a register or looks into it, and whose record is their business. */
import type { Caller } from '../access/caller.ts'
import { forbidden, type PolicyRefusal } from '../access/refusal.ts'
import { ok, type Result } from '../result.ts'
import type { Statement } from '../store/ports.ts'

export type Keeper = Extract<Caller, { kind: 'patient' | 'guardian' | 'privacy-officer' | 'operator' }>

type PrivacyOfficer = Extract<Caller, { kind: 'privacy-officer' }>

/** What concerns all organisations is the business of the officers of the whole record alone. */
export const officerOfRecord = (caller: Caller): Result<PrivacyOfficer, PolicyRefusal> =>
  caller.kind === 'privacy-officer' && caller.organisation === null
    ? ok(caller)
    : forbidden('not-own-organisation')

/**
 * Whether the record of `person` is this caller's business. Nobody learns whether an id exists: unknown (null) and
 * another's are one refusal.
 *
 * @param organisations those at whose facilities the person has a source record
 */
export function decideKeeper(
  caller: Keeper,
  person: string | null,
  organisations: readonly string[],
): Result<string, PolicyRefusal> {
  switch (caller.kind) {
    case 'patient':
    case 'guardian':
      return person !== null && person === caller.person
        ? ok(person)
        : forbidden('person-unknown', person ?? undefined)
    case 'privacy-officer':
      if (caller.organisation !== null && (person === null || !organisations.includes(caller.organisation)))
        return forbidden('not-own-organisation', person ?? undefined)
      return person === null ? forbidden('person-unknown') : ok(person)
    case 'operator':
      return person === null ? forbidden('person-unknown') : ok(person)
  }
}

/** Organisations at whose facilities the person of this source record is known: rows of `organisation`. */
export const organisationsOf = (sourceRecord: string): Statement => ({
  sql: `
    select distinct f.organisation from source_record as mine
    cross join source_record as s on s.person = mine.person
    cross join facility as f on f.id = s.facility and f.valid_to is null
    where mine.id = :source`,
  args: { source: sourceRecord },
})

/** Source records of the person of `:source`: for `in (…)`. */
export const sourcesOfPerson =
  'select id from source_record where person = (select person from source_record where id = :source)'
