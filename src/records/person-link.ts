/**
 * Joining source records to persons. A new record of a facility joins a person automatically only on an equal identifier
 * of a trusted system and equal birth date and family name, and only while it stands alone; whatever else looks alike
 * is written down for a person to judge. Nothing is ever unlinked automatically: a record that stops matching is written
 * down, too. An absent or partial birth date is equal to none.
 */
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'
import type { PlannedSourceRecord } from './plan.ts'

/**
 * Whether this batch writes the `Patient` of a source record: a `PUT` to a server id of which the facility has no document
 * is refused, and must not leave what it says of a person behind.
 */
function publishes(id: string, mustExist: string): string {
  return `(select facility from source_record where id = ${id}) = :facility and (
    ${mustExist} = 0
    or exists (select 1 from document where type = 'Patient' and id = ${id} and facility = :facility))`
}

/** The person of `:source`, and the one person its record matches in full; no row when none or several. */
const target = `
  mine as (select person from source_record where id = :source and ${publishes(':source', ':must_exist')}),
  target as (
    select one.person from (
      select min(o.person) as person
      from person_key as k
      join person_key as m on m.system = k.system and m.value = k.value and m.birth_date = k.birth_date
        and m.family = k.family
      join source_record as o on o.id = m.source_record
      where k.source_record = :source
        and k.system in (select system from person_identifier_system where valid_to is null)
        and length(k.birth_date) = 10 and k.family <> ''
        and o.person <> (select person from mine)
      group by k.source_record -- sqld refuses HAVING without it
      having count(distinct o.person) = 1
        and (select count(*) from source_record where person = (select person from mine)) = 1
    ) as one
    where (select count(*) from source_record where person = one.person) < ${limits.maxJoinedSourceRecords}
  )`

/** In this order, after the keys are written and before documents take their person from their source record. */
function linkStatements(source: string, mustExist: number, facility: string): readonly Statement[] {
  const args = { source, must_exist: mustExist, facility }
  return [
    {
      sql: `with ${target}
        update document set person = (select person from target)
        where person = (select person from mine) and source_record = :source and exists (select 1 from target)`,
      args,
    },
    {
      sql: `with ${target}
        update source_record set person = (select person from target), clock = (select n from clock)
        where id = :source and exists (select 1 from target)`,
      args,
    },
    {
      sql: `
        insert or ignore into link_review (source_record, other, reason, clock)
        select :source, id,
          case when max(is_same_birth and is_same_family) then 'several-persons'
            when max(is_same_birth) then 'family-differs'
            else 'birth-date-differs'
          end,
          (select n from clock)
        from (
          select o.id, m.birth_date = k.birth_date and length(k.birth_date) = 10 as is_same_birth,
            m.family = k.family as is_same_family
          from person_key as k
          join person_key as m on m.system = k.system and m.value = k.value
          join source_record as o on o.id = m.source_record
          where k.source_record = :source and ${publishes(':source', ':must_exist')}
            and k.system in (select system from person_identifier_system where valid_to is null)
            and o.person <> (select person from source_record where id = :source)
          limit ${limits.maxLinkReviews})
        group by id`,
      args,
    },
  ]
}

/**
 * Pairs of one person's source records that matched in full until now, where what is published leaves one of the two
 * without a match among all records of the person; of records of two facilities, without one of another facility: what a
 * facility changes in all of its own proves nothing. Before the keys are written: it compares those stored with `:keys`.
 */
const identityChanged = `
  with described as materialized (
    select sr.id, sr.person, sr.facility from json_each(:patients) as p
    cross join source_record as sr on sr.id = p.value ->> 0
    where ${publishes('sr.id', 'p.value ->> 1')}),
  pair as materialized (
    select distinct c.id as mine, o.id as other, c.person, c.facility <> o.facility as is_across
    from described as c
    cross join source_record as o on o.person = c.person and o.id <> c.id
    cross join person_key as k on k.source_record = c.id
    cross join person_key as m on m.source_record = o.id and m.system = k.system and m.value = k.value
      and m.birth_date = k.birth_date and m.family = k.family
    where k.system in (select system from person_identifier_system where valid_to is null)
      and length(k.birth_date) = 10 and k.family <> ''
      and (c.id < o.id or o.id not in (select id from described))),
  kin as materialized (
    select o.id, o.person, o.facility from (select distinct person from pair) as p
    cross join source_record as o on o.person = p.person),
  next as materialized (
    select kin.person, n.value ->> 0 as system, n.value ->> 1 as value, n.value ->> 2 as birth_date,
      n.value ->> 3 as family, kin.id, kin.facility
    from json_each(:keys) as n join kin on kin.id = n.value ->> 4
    where kin.id in (select id from described)
    union all
    select kin.person, k.system, k.value, k.birth_date, k.family, kin.id, kin.facility
    from kin cross join person_key as k on k.source_record = kin.id
    where kin.id not in (select id from described)),
  matched as materialized (
    select a.id, max(a.facility <> b.facility) as is_across from next as a
    join next as b on b.person = a.person and b.system = a.system and b.value = a.value
      and b.birth_date = a.birth_date and b.family = a.family and b.id <> a.id
    where a.system in (select system from person_identifier_system where valid_to is null)
      and length(a.birth_date) = 10 and a.family <> ''
    group by a.id)
  insert into link_review (source_record, other, reason, clock)
  select mine, other, 'identity-changed', (select n from clock) from pair
  where mine not in (select id from matched where is_across >= pair.is_across)
    or other not in (select id from matched where is_across >= pair.is_across)
  on conflict (source_record, other) do update set reason = excluded.reason, clock = excluded.clock`

/** Source records that a publication brings in, each standing for a person of its own until joined. */
export function createSourceRecords(
  sourceRecords: readonly PlannedSourceRecord[],
  facility: string,
): readonly Statement[] {
  const created = sourceRecords.filter(({ isDerived }) => isDerived)
  if (created.length === 0) return []
  return [
    {
      sql: `
        insert or ignore into source_record (id, facility, person, clock)
        select value ->> 0, :facility, value ->> 1, (select n from clock) from json_each(:sources)`,
      args: { sources: JSON.stringify(created.map(({ id, person }) => [id, person])), facility },
    },
  ]
}

/**
 * What the published `Patient`s say of their persons, and the joins that follow from it. After the source records are
 * created, before documents take their person from them.
 *
 * @param isHeld whether the facility's local database has the `Patient` of this id
 */
export function describeSourceRecords(
  sourceRecords: readonly PlannedSourceRecord[],
  facility: string,
  isHeld: (id: string) => boolean,
): readonly Statement[] {
  const described = sourceRecords.filter(({ keys }) => keys !== null)
  if (described.length === 0) return []
  const mustExist = ({ id, isDerived }: PlannedSourceRecord): number => (isDerived || isHeld(id) ? 0 : 1)
  const args = {
    patients: JSON.stringify(described.map((sourceRecord) => [sourceRecord.id, mustExist(sourceRecord)])),
    keys: JSON.stringify(
      described.flatMap(({ id, keys }) =>
        (keys ?? []).map(({ system, value, birthDate, family }) => [system, value, birthDate, family, id]),
      ),
    ),
    facility,
  }
  const accepted = `
    select sr.id from json_each(:patients) as p cross join source_record as sr on sr.id = p.value ->> 0
    where ${publishes('sr.id', 'p.value ->> 1')}`
  return [
    { sql: identityChanged, args },
    {
      sql: `
        delete from person_key
        where source_record in (${accepted})
          and (system, value, birth_date, family, source_record) not in (
            select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(:keys))`,
      args,
    },
    {
      sql: `
        insert or ignore into person_key (system, value, birth_date, family, source_record)
        select k.value ->> 0, k.value ->> 1, k.value ->> 2, k.value ->> 3, k.value ->> 4
        from json_each(:keys) as k
        where k.value ->> 4 in (${accepted})`,
      args,
    },
    ...described
      .filter(({ isComparable }) => isComparable)
      .flatMap((sourceRecord) => linkStatements(sourceRecord.id, mustExist(sourceRecord), facility)),
  ]
}
