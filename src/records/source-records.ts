/** Copies of source records in the local databases: which person a local document is about, without asking *records*. */
import type { Row, Statement } from '../store/ports.ts'

/** A row of `source_record`. `clock`: the write of *records* that last changed it. */
export interface SourceRecordRow {
  readonly id: string
  readonly facility: string
  readonly person: string
  readonly clock: number
}

export const sourceRecordRow = (row: Row): SourceRecordRow => ({
  id: row.id as string,
  facility: row.facility as string,
  person: row.person as string,
  clock: Number(row.clock),
})

/** In *records*: all source records of the persons that the given ones are about. */
export const sourceRecordsOf = (ids: readonly string[]): Statement => ({
  sql: `
    select sr.id, sr.facility, sr.person, sr.clock from source_record as sr
    where sr.person in (
      select mine.person from json_each(:ids) as i join source_record as mine on mine.id = i.value)`,
  args: { ids: JSON.stringify(ids) },
})

/**
 * In a local database: takes over what *records* says of persons with a document here, or about to have one under the
 * pending write `key`. Documents follow their source record first, while the old person still tells where they are.
 */
export function copySourceRecords(
  sourceRecords: readonly SourceRecordRow[],
  key: string | null,
): readonly Statement[] {
  if (sourceRecords.length === 0) return []
  const sources = JSON.stringify(
    sourceRecords.map(({ id, facility, person, clock }) => [id, facility, person, clock]),
  )
  return [
    {
      sql: `
        update document set person = (
          select s.value ->> 2 from json_each(:sources) as s where s.value ->> 0 = document.source_record)
        where (person, source_record) in (
          select o.person, o.id from json_each(:sources) as s join source_record as o on o.id = s.value ->> 0
          where o.person <> s.value ->> 2 and o.clock <= s.value ->> 3)`,
      args: { sources },
    },
    {
      sql: `
        with source as materialized (
          select value ->> 0 as id, value ->> 1 as facility, value ->> 2 as person, value ->> 3 as clock
          from json_each(:sources)),
        here as materialized (
          select s.person from source as s where exists (select 1 from document as d where d.person = s.person)
          union
          select s.person from pending as w cross join json_each(w.documents) as r
            join source as s on s.id = r.value ->> 2
            where w.write_key = :key)
        insert into source_record (id, facility, person, clock)
        select id, facility, person, clock from source where person in (select person from here)
        on conflict (id) do update set person = excluded.person, clock = excluded.clock
          where source_record.clock <= excluded.clock`,
      args: { sources, key },
    },
  ]
}
