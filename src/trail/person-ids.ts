/**
 * Under which person ids the log speaks of a person: an entry has the id of its time, and joining source records changes it.
 */
import type { Statement } from '../store/ports.ts'

/**
 * The person's own id and those that source records of the person had before they were joined; one row for each, `person`.
 * An id under which source records of somebody else were too is left out: who of them an entry is about it does not tell.
 */
export const personIdsStatement = (person: string): Statement => ({
  sql: `select :person as person
        union
        select v.person from source_record as s cross join source_record_version as v on v.id = s.id
         where s.person = :person
           and not exists (select 1 from source_record as other where other.person = v.person)
           and not exists (
             select 1 from source_record_version as once indexed by source_record_version_person
               cross join source_record as other on other.id = once.id
              where once.person = v.person and other.person <> :person)`,
  args: { person },
})
