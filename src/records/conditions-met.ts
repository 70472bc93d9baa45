/** What meets the condition of a write, in SQL: found by `resolve.ts`, and held to by `guards.ts` inside the batch that writes. */

/**
 * Two common tables, of `:conditions` (a JSON array of `[type, identifier, id, mark]`) and `:facility`: `asked`, one row a
 * condition, and `met`, the ids of the facility's own current documents that meet it.
 */
export const conditionsMet = `
  asked as materialized (
    select key as place, value ->> 0 as type, value ->> 1 as identifier, value ->> 2 as id, value ->> 3 as mark
    from json_each(:conditions)),
  met as (
    select a.place, a.mark, d.id from asked as a
    cross join lookup as l on l.type = a.type and l.param = 'identifier' and l.value = a.identifier
    cross join document as d on d.type = l.type and d.id = l.id
    where a.identifier is not null and d.facility = :facility and d.id = coalesce(a.id, d.id)
    union all
    select a.place, a.mark, d.id from asked as a cross join document as d on d.type = a.type and d.id = a.id
    where a.identifier is null and d.facility = :facility)`
