/** Which persons an organisation knows: those with a source record at one of its facilities, under any id they had. */
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'

/** Facilities that are or were the organisation's; a hundred at most, so nobody minds that all are looked at. */
export const facilitiesStatement = (organisation: string): Statement => ({
  sql: 'select distinct id from facility where organisation = ?',
  args: [organisation],
})

/** Whether there is or was such an organisation. */
export const organisationStatement = (organisation: string): Statement => ({
  sql: 'select 1 from organisation where id = ? limit 1',
  args: [organisation],
})

/** One row (`person`) for each that is known. An entry has the id of its time: those before a join count too. */
export const knownPersonsStatement = (
  persons: readonly string[],
  facilities: readonly string[],
): Statement => ({
  sql: `
    select wanted.value as person from json_each(:persons) as wanted
     where exists (
             select 1 from source_record as s indexed by source_record_person
              where s.person = wanted.value and s.facility in (select value from json_each(:facilities)))
        or exists (
             select 1 from source_record_version as v indexed by source_record_version_person
               cross join source_record as s on s.id = v.id
              where v.person = wanted.value and s.facility in (select value from json_each(:facilities)))`,
  args: { persons: JSON.stringify(persons), facilities: JSON.stringify(facilities) },
})

/** Asks for each person once, as long as there is room to remember. */
export function rememberingPersons(
  ask: (persons: readonly string[]) => Promise<readonly string[]>,
): (persons: readonly string[]) => Promise<ReadonlySet<string>> {
  let remembered = new Map<string, boolean>()
  return async (persons) => {
    const unasked = persons.filter((person) => !remembered.has(person))
    const found = new Set(unasked.length === 0 ? [] : await ask(unasked))
    const isKnown = (person: string): boolean => remembered.get(person) ?? found.has(person)
    const known = new Set(persons.filter(isKnown))
    if (remembered.size + unasked.length > limits.maxRememberedPersons) remembered = new Map()
    for (const person of unasked) remembered.set(person, found.has(person))
    return known
  }
}
