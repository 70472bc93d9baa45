/**
 * Under which person ids the log speaks of a person: an entry has the id of its time, and joining source records changes it.
 */
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows, Statement } from '../store/ports.ts'

/**
 * The person's own id first, then those that source records of the person had before they were joined; one row for each,
 * `person`; `limits.maxPersonIds` and one more where there are more. An id under which source records of somebody else are
 * or were is left out: who of them an entry is about it does not tell. So is one that lasted no longer than the write that
 * joined it: no entry has it.
 *
 * @param person an id of today, or one whose source records are all of one person today; any other stands for itself
 */
export const personIdsStatement = (person: string): Statement => ({
  sql: `with asked as materialized (
          select case
            when exists (select 1 from source_record where person = :person) then :person
            else coalesce((
              select case when min(s.person) = max(s.person) then min(s.person) end
                from source_record_version as v indexed by source_record_version_person
                cross join source_record as s on s.id = v.id
               where v.person = :person and v.until > v.clock), :person)
            end as person)
        select person, 0 as is_earlier from asked
        union
        select v.person, 1 from asked
         cross join source_record as s on s.person = asked.person
         cross join source_record_version as v on v.id = s.id
         where v.person <> asked.person and v.until > v.clock
           and not exists (select 1 from source_record as other where other.person = v.person)
           and not exists (
             select 1 from source_record_version as once indexed by source_record_version_person
               cross join source_record as other on other.id = once.id
              where once.person = v.person and once.until > once.clock and other.person <> asked.person)
         order by 2, 1 limit ${limits.maxPersonIds + 1}`,
  args: { person },
})

/** Refused where there are more than the log is asked for at once. */
export function readPersonIds(rows: Rows): Result<readonly string[], Refusal> {
  const ids = rows.map(({ person }) => String(person))
  return ids.length <= limits.maxPersonIds
    ? ok(ids)
    : err({ reason: 'too-costly', of: 'patients', got: ids.length, max: limits.maxPersonIds })
}
