/** What is asked of *records* about the persons, professionals and facilities of a batch of accesses. */
import { limits } from '../../limits.ts'
import type { Statement } from '../../store/ports.ts'
import type { Month } from './month.ts'

/** Source records of the persons, as they are and as they were before they were joined with others. */
const mine = `mine (patient, id) as materialized (
  select who.value, s.id from json_each(:patients) as who cross join source_record as s on s.person = who.value
  union
  select who.value, v.id from json_each(:patients) as who
    cross join source_record_version as v on v.person = who.value)`

const particulars = `json_extract(d.body, '$.name') as names, json_extract(d.body, '$.address') as addresses
  from %
  cross join source_record as s on s.id = %.id
  left join document as d on d.type = 'Patient' and d.id = s.id`

interface Asked {
  readonly patients: readonly string[]
  readonly professionals: readonly string[]
  readonly facilities: readonly string[]
  readonly month: Month
}

/** In the order in which `factsOf` takes their rows. */
export function factStatements({ patients, professionals, facilities, month }: Asked): readonly Statement[] {
  const args = { patients: JSON.stringify(patients) }
  const who = { professionals: JSON.stringify(professionals) }
  const where = { facilities: JSON.stringify(facilities) }
  const limit = limits.maxReviewFacts
  return [
    {
      sql: `with ${mine} select mine.patient, s.id as source_record, s.person, ${particulars.replaceAll('%', 'mine')}
        order by mine.patient, s.id limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `with own (professional, id) as materialized (
          select p.professional, p.source_record from json_each(:professionals) as who
          cross join professional_person as p on p.professional = who.value and p.valid_to is null)
        select own.professional, s.id as source_record, s.person, ${particulars.replaceAll('%', 'own')} limit :limit`,
      args: { ...who, limit },
    },
    {
      sql: `with ${mine} select distinct mine.patient, p.professional, r.facility from mine
        cross join source_record as s on s.id = mine.id cross join source_record as other on other.person = s.person
        cross join professional_person as p on p.source_record = other.id and p.valid_to is null
        cross join professional_role as r on r.professional = p.professional and r.valid_to is null
        limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `select f.id, f.type from json_each(:facilities) as w
        cross join facility as f on f.id = w.value and f.valid_to is null`,
      args: where,
    },
    {
      sql: `select distinct r.facility, p.id, p.name from json_each(:facilities) as w
        cross join professional_role as r on r.facility = w.value and r.valid_to is null
        cross join professional as p on p.id = r.professional and p.valid_to is null limit :limit`,
      args: { ...where, limit },
    },
    {
      sql: `with ${mine} select mine.patient, r.kind, r.facility, r.professional, r.starts, r.ends, r.valid_from, r.valid_to,
          iif(r.kind = 'encounter', ${published}, null) as published,
          iif(r.kind = 'encounter', ${began}, null) as began,
          iif(r.kind = 'encounter' and ${published} >= :fromText, (
            select count(*) from (select 1 from document as o
              where o.person = s.person and o.facility = r.facility and o.type not in ('Patient', 'Encounter')
              limit :documents)), 0) as documents
        from mine cross join source_record as s on s.id = mine.id
        cross join relationship as r on r.source_record = mine.id
        where r.starts < :to and r.ends > :from and r.facility in (select value from json_each(:facilities))
        limit :limit`,
      args: {
        ...args,
        ...where,
        from: month.from,
        to: month.to,
        fromText: new Date(month.from - 31 * 24 * hourMs).toISOString(),
        documents: limits.maxReviewThreshold,
        limit,
      },
    },
    {
      sql: `with ${mine} select distinct mine.patient, b.professional, b.facility, b.starts, b.ends, v.decision, (
            select json_group_array(e.starts) from (
              select r.starts from source_record as me cross join source_record as s on s.person = me.person
              cross join relationship as r on r.source_record = s.id and r.facility = b.facility
              where me.id = b.source_record and r.kind = 'encounter' and r.valid_to is null
                and r.starts >= b.starts - :reach and r.starts <= b.starts + :reach limit :encounters) as e) as encounters
        from mine cross join break_glass as b on b.source_record = mine.id
        left join review_decision as v on v.item = b.id
        where b.starts < :to and b.ends > :from and b.professional in (select value from json_each(:professionals))
        limit :limit`,
      args: {
        ...args,
        ...who,
        from: month.from,
        to: month.to,
        reach: limits.maxFollowUpDays * 24 * hourMs,
        encounters: limits.maxRelationshipFacts,
        limit,
      },
    },
    {
      sql: `with ${mine} select distinct mine.patient, w.reason, w.starts, w.ends from mine
        cross join source_record as me on me.id = mine.id cross join source_record as s on s.person = me.person
        cross join watch_list as w on w.source_record = s.id and w.valid_to is null limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `select d.finding, d.month, d.rule, d.professional, coalesce(s.person, '') as person, d.decision, d.note,
          d.muted_until, d.decided_by, d.decided_at
        from json_each(:professionals) as who cross join finding_decision as d on d.professional = who.value
        left join source_record as s on s.id = d.source_record
        order by d.row desc limit :limit`,
      args: { ...who, limit },
    },
  ]
}

const hourMs = 3_600_000

/** First publication of the encounter `Encounter/<id>` that relationship `r` rests on. */
const published = `coalesce(
  (select v.published from document_version as v where v.type = 'Encounter' and v.id = substr(r.source, 11)
    order by v.version limit 1),
  (select d.published from document as d where d.type = 'Encounter' and d.id = substr(r.source, 11)))`

/** What the encounter says of its beginning. */
const began = `(select d.body ->> '$.period.start' from document as d
  where d.type = 'Encounter' and d.id = substr(r.source, 11))`
