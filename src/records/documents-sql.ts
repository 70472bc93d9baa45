/** The statements both document databases share: version arithmetic, history, lookups. */
import type { SqlValue, Statement } from '../store/ports.ts'

/** Members of a staged row, in order (`stagedRow`). */
export const stagedColumnNames: readonly string[] = [
  'type',
  'id',
  'source_record',
  'domain',
  'category',
  'code',
  'date_lo',
  'date_hi',
  'status',
  'confidentiality',
  'hash',
  'must_exist',
  'prior_version',
  'prior_hash',
  'prior_published',
  'tail',
]

/** Staged rows bound as one JSON value. */
export const boundStage = `select ${stagedColumnNames
  .map((name, position) => `value ->> ${position} as ${name}`)
  .join(', ')} from json_each(:rows)`

/**
 * A staged row `s` that must not be written: another facility's document of this id (told as if there were none), the
 * facility's own about another person, also one that was deleted, a `PUT` to a server id that the facility has not
 * published, or one that names its person by a server id of which there is no source record. What is about nobody yet may
 * come to be about someone.
 */
export const refusedRow = `(
  cur.id is not null and (cur.facility <> :facility or cur.source_record not in ('', s.source_record))
  or cur.id is null and exists (select 1 from document_version as was where was.type = s.type and was.id = s.id
    and (was.facility <> :facility or was.source_record not in ('', s.source_record)))
  or cur.id is null and s.must_exist = 1 and s.prior_version = 0
    and not exists (select 1 from document_version as was where was.type = s.type and was.id = s.id)
  or s.source_record <> '' and not exists (select 1 from source_record as named where named.id = s.source_record)
)`

/**
 * Writes the staged documents: the same content leaves the row as it is; other content is the next version after the
 * latest known, be it current here, in this database's history, or last held by the other database (`prior_…`), from
 * where it comes unchanged when the content did not change. The served text is put together here because the version is
 * known only here.
 *
 * @param staged a `select` of `stagedColumnNames`
 */
export const writeDocuments = (
  staged: string,
  args: Readonly<Record<string, SqlValue>>,
  published: string,
  facility: string,
): Statement => ({
  sql: `
    with staged as materialized (${staged}),
    known as (
      select s.*, sr.person as person,
        max(s.prior_version, coalesce(cur.version, old.version, 0)) as latest_version,
        case when s.prior_version > coalesce(cur.version, old.version, 0) then s.prior_hash
          else coalesce(cur.hash, old.hash, '') end as latest_hash,
        case when s.prior_version > coalesce(cur.version, old.version, 0) then s.prior_published
          else coalesce(cur.published, old.published, '') end as latest_published
      from staged as s
      left join source_record as sr on sr.id = s.source_record
      left join document as cur on cur.type = s.type and cur.id = s.id
      left join document_version as old on cur.id is null and old.type = s.type and old.id = s.id
        and old.version = (select max(v.version) from document_version as v where v.type = s.type and v.id = s.id)
      where not ${refusedRow}
    ),
    numbered as (
      select *, case when latest_hash = hash then latest_version else latest_version + 1 end as version,
        case when latest_hash = hash then latest_published else :published end as version_published
      from known
    )
    insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
      confidentiality, published, version, clock, hash, body)
    select coalesce(person, ''), type, date_lo, id, source_record, :facility, domain, category, code, date_hi, status,
      confidentiality, version_published, version, (select n from clock), hash,
      '{"resourceType":"' || type || '","id":"' || id || '","meta":{"versionId":"' || version
        || '","lastUpdated":"' || version_published || '"' || tail
    from numbered
    where true
    on conflict (type, id) do update set
      person = excluded.person, source_record = excluded.source_record, date_lo = excluded.date_lo, domain = excluded.domain, category = excluded.category,
      code = excluded.code, date_hi = excluded.date_hi, status = excluded.status,
      confidentiality = excluded.confidentiality, published = excluded.published, version = excluded.version,
      clock = excluded.clock, hash = excluded.hash, body = excluded.body
    where document.hash <> excluded.hash or document.source_record <> excluded.source_record`,
  args: { ...args, published, facility },
})

/** Lookups of what this batch has written, and only that: unchanged documents keep theirs. */
export const dropLookups = (ids: string): Statement => ({
  sql: `
    delete from lookup where (type, id) in (
      select d.type, d.id from json_each(:ids) as i
      join document as d on d.type = i.value ->> 0 and d.id = i.value ->> 1
      where d.clock = (select n from clock))`,
  args: { ids },
})

/** @param lookups JSON array of `[type, param, value, id]` */
export const addLookups = (lookups: string): Statement => ({
  sql: `
    insert or ignore into lookup (type, param, value, id)
    select d.type, l.value ->> 1, l.value ->> 2, d.id from json_each(:lookups) as l
    join document as d on d.type = l.value ->> 0 and d.id = l.value ->> 3
    where d.clock = (select n from clock)`,
  args: { lookups },
})

/** Documents that move to the other database; the trigger keeps them in the history of this one. */
export const removeDocuments = (leaving: string, facility: string): readonly Statement[] => [
  {
    sql: `
      delete from lookup where (type, id) in (
        select d.type, d.id from json_each(:leaving) as l
        join document as d on d.type = l.value ->> 0 and d.id = l.value ->> 1
        where d.facility = :facility and d.source_record in ('', l.value ->> 2))`,
    args: { leaving, facility },
  },
  {
    sql: `
      delete from document where (type, id) in (
        select d.type, d.id from json_each(:leaving) as l
        join document as d on d.type = l.value ->> 0 and d.id = l.value ->> 1
        where d.facility = :facility and d.source_record in ('', l.value ->> 2))`,
    args: { leaving, facility },
  },
]

/**
 * Deletes documents: a version without a body follows the last one, which the trigger keeps.
 *
 * @param gone a `select` of type and id
 */
export const deleteDocuments = (
  gone: string,
  args: Readonly<Record<string, SqlValue>>,
  published: string,
): readonly Statement[] => [
  {
    sql: `
      insert into document_version (type, id, version, source_record, facility, domain, category, code, date_lo, date_hi,
        status, confidentiality, published, clock, hash, body, deleted)
      select type, id, version + 1, source_record, facility, domain, category, code, date_lo, date_hi, status,
        confidentiality, :published, (select n from clock), '', '', 1
      from document where (type, id) in (${gone})`,
    args: { ...args, published },
  },
  { sql: `delete from lookup where (type, id) in (${gone})`, args },
  { sql: `delete from document where (type, id) in (${gone})`, args },
]

/** The latest version of each document of `:ids` that this database knows: the current one, else the last of history. */
export const latestVersions = (ids: string): Statement => ({
  sql: `
    select i.value ->> 0 as type, i.value ->> 1 as id,
      coalesce(cur.version, old.version) as version,
      coalesce(cur.hash, old.hash) as hash,
      coalesce(cur.published, old.published) as published,
      coalesce(cur.clock, old.clock) as clock,
      coalesce(cur.facility, old.facility) as facility,
      coalesce(cur.source_record, old.source_record) as source_record,
      cur.person as person,
      cur.id is not null as is_current,
      cur.version > 1 and exists (
        select 1 from document_version as gone where gone.type = i.value ->> 0 and gone.id = i.value ->> 1
          and gone.version = cur.version - 1 and gone.deleted = 1) as is_created_again
    from json_each(:ids) as i
    left join document as cur on cur.type = i.value ->> 0 and cur.id = i.value ->> 1
    left join document_version as old on cur.id is null and old.type = i.value ->> 0 and old.id = i.value ->> 1
      and old.version = (select max(v.version) from document_version as v
        where v.type = i.value ->> 0 and v.id = i.value ->> 1)
    where cur.id is not null or old.id is not null`,
  args: { ids },
})

export interface LatestVersion {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly hash: string
  readonly published: string
  readonly clock: number
  readonly facility: string
  readonly sourceRecord: string
  /** Empty when not current, or about nobody. */
  readonly person: string
  readonly isCurrent: boolean
  /** The version before was its deletion, in the same database. */
  readonly isCreatedAgain: boolean
}

export const latestVersion = (row: Readonly<Record<string, unknown>>): LatestVersion => ({
  type: row.type as string,
  id: row.id as string,
  version: Number(row.version),
  hash: row.hash as string,
  published: row.published as string,
  clock: Number(row.clock),
  facility: row.facility as string,
  sourceRecord: row.source_record as string,
  person: (row.person as string | null) ?? '',
  isCurrent: Number(row.is_current) === 1,
  isCreatedAgain: Number(row.is_created_again) === 1,
})
