/** The local steps of a publication: unshared documents wait as `pending` until *records* has decided. */
import type { Row, Statement, Writer } from '../store/ports.ts'
import type { Publication } from './documents.ts'
import { chunked, documentKey, idRows, stagedRow } from './documents-rows.ts'
import {
  deleteDocuments,
  type LatestVersion,
  latestVersion,
  latestVersions,
  stagedColumnNames,
  writeDocuments,
} from './documents-sql.ts'
import { guardKeys, guards, touchedKeys } from './guards.ts'
import type { PlannedDocument } from './plan-document.ts'
import type { StoredDocument } from './plan-entry.ts'
import { copySourceRecords, type SourceRecordRow } from './source-records.ts'

/** A publication whose local rows still wait. */
export interface PendingWrite {
  readonly key: string
  readonly facility: string
  readonly published: string
}

export const pendingWrite = (row: Row): PendingWrite => ({
  key: row.write_key as string,
  facility: row.facility as string,
  published: row.published as string,
})

/** Other writes that wait with some of the documents of this one. */
export const waitingWith = (key: string): Statement => ({
  sql: `
    select other.write_key, other.facility, other.published from pending as other
    where other.write_key <> :key and exists (
      select 1 from json_each(other.documents) as r
      where (r.value ->> 0, r.value ->> 1) in (
        select m.value ->> 0, m.value ->> 1 from pending as w cross join json_each(w.documents) as m
        where w.write_key = :key))
    group by other.write_key`,
  args: { key },
})

/** What the local database has of these documents, by `Type/id`, and other writes that wait with some of them. */
export async function readLocal(
  local: Writer,
  facility: string,
  documents: readonly { readonly type: string; readonly id: string }[],
): Promise<{
  readonly known: ReadonlyMap<string, LatestVersion>
  readonly waiting: readonly PendingWrite[]
}> {
  const ids = JSON.stringify(idRows(documents))
  const [rows = [], waiting = []] = await local.read([
    latestVersions(ids),
    {
      sql: `
        select w.write_key, w.facility, w.published from pending as w
        where w.facility = :facility and exists (
          select 1 from json_each(w.documents) as r
          where (r.value ->> 0, r.value ->> 1) in (select value ->> 0, value ->> 1 from json_each(:ids)))
        group by w.write_key order by min(w.at)`,
      args: { facility, ids },
    },
  ])
  return {
    known: new Map(rows.map(latestVersion).map((latest) => [documentKey(latest), latest])),
    waiting: waiting.map(pendingWrite),
  }
}

/**
 * Step 1. Writes only when a document is unshared, or was and now is shared, or is deleted here, or a condition must hold
 * here, too; says whether it wrote. Rejects with `StoreError`: `constraint` when a guard of this write does not hold, or
 * another write waits whose guard this one would break.
 *
 * @param known of `readLocal`
 */
export async function prepareLocal(
  local: Writer,
  { key, facility, published, plan }: Publication,
  known: ReadonlyMap<string, LatestVersion>,
): Promise<boolean> {
  const isLocal = (document: string): boolean => known.get(document)?.isCurrent === true
  const staying = plan.documents.filter(({ route }) => route === 'local')
  const leaving = plan.documents.filter(
    (document) => document.route === 'records' && isLocal(documentKey(document)),
  )
  const going = plan.removals.filter(({ isShared }) => !isShared)
  const parts = chunked([...staying.map(pendingRow), ...leaving.map(leavingRow), ...going.map(goingRow)])
  if (parts.length === 0 && plan.conditions.length === 0) return false
  const guarded = JSON.stringify(guardKeys(plan))
  // Not the time of the request: since then its body was read, and an intent appended.
  const at = Date.now()
  await local.write(`${key}/prepare`, [
    breaksNoGuard(JSON.stringify([...guardKeys(plan), ...touchedKeys(plan)])),
    ...(guarded === '[]' ? [] : [isUntouched(guarded)]),
    ...guards(plan, 'local', facility, isLocal),
    ...(parts.length > 0 ? parts : ['[]']).map((documents, part) => ({
      sql: `
        insert into pending (write_key, part, facility, published, at, documents, guards)
        values (:key, :part, :facility, :published, :at, :documents, :guards)`,
      args: { key, part, facility, published, at, documents, guards: part === 0 ? guarded : '[]' },
    })),
  ])
  return true
}

/** No other write that waits guards what this one touches. */
const breaksNoGuard = (keys: string): Statement => ({
  sql: `
    insert into refused (reason)
    select 'conflict' where exists (
      select 1 from pending as w cross join json_each(w.guards) as g
      where w.guards <> '[]' and g.value in (select value from json_each(:keys)))`,
  args: { keys },
})

/** No other write that waits touches what this one guards. */
const isUntouched = (guarded: string): Statement => ({
  sql: `
    insert into refused (reason)
    select 'conflict' where exists (
      select 1 from pending as w cross join json_each(w.documents) as r
      where (r.value ->> 0) || '/' || (r.value ->> 1) in (select value from json_each(:guarded))
        or exists (
          select 1 from json_each(r.value, '$[${stagedColumnNames.length}]') as l
          where l.value ->> 0 = 'identifier'
            and (r.value ->> 0) || '?' || (l.value ->> 1) in (select value from json_each(:guarded))))`,
  args: { guarded },
})

/** Of a write that is known never to be decided. */
export const dropPending = (key: string): Statement => ({
  sql: 'delete from pending where write_key = :key',
  args: { key },
})

/** A staged row without priors (they are known only after *records* has decided), and its lookups. */
const pendingRow = (document: PlannedDocument): readonly unknown[] => [
  ...stagedRow(document, null),
  document.lookups,
]
const tailAt = stagedColumnNames.indexOf('tail')
const lookupsAt = stagedColumnNames.length

/** Short: a row without a tail leaves. */
const leavingRow = ({ type, id, sourceRecord }: PlannedDocument): readonly unknown[] => [
  type,
  id,
  sourceRecord,
]

/** A row without a tail that says so goes. */
const goingRow = ({ type, id, sourceRecord }: StoredDocument): readonly unknown[] => [
  type,
  id,
  sourceRecord,
  deletedMark,
]
const deletedMark = 'deleted'

/** What *records* says, as far as finishing needs it. */
export interface Decided {
  /** Its latest version of the pending documents, where it has any. */
  readonly latest: readonly LatestVersion[]
  /** All source records of the persons concerned. */
  readonly sourceRecords: readonly SourceRecordRow[]
}

export interface Finished {
  /** The clock of this write in the local database. */
  readonly writeClock: number
  /** By `Type/id`, of the ids asked for. */
  readonly latest: ReadonlyMap<string, LatestVersion>
}

/**
 * Step 3, idempotent: also what settlement does with pending rows whose key *records* has. Rejects with `StoreError`.
 *
 * @param ids documents to answer about
 */
export async function finishLocal(
  local: Writer,
  { key, facility, published }: PendingWrite,
  decided: Decided,
  ids: readonly (readonly string[])[],
): Promise<Finished> {
  const finishKey = `${key}/finish`
  const outcome = [
    { sql: 'select clock from write_key where key = ?', args: [finishKey] },
    latestVersions(JSON.stringify(ids)),
  ]
  const { replayed, rows } = await local.write(finishKey, [
    ...finishStatements(key, facility, published, decided),
    ...outcome,
  ])
  const [clockRows = [], latestRows = []] = replayed ? await local.read(outcome) : rows.slice(-outcome.length)
  return {
    writeClock: Number(clockRows[0]?.clock),
    latest: new Map(latestRows.map(latestVersion).map((known) => [documentKey(known), known])),
  }
}

function finishStatements(
  key: string,
  facility: string,
  published: string,
  { latest, sourceRecords }: Decided,
): readonly Statement[] {
  const priors = JSON.stringify(
    latest.map((known): readonly unknown[] => [
      known.type,
      known.id,
      known.version,
      known.hash,
      known.published,
      known.facility,
      known.sourceRecord,
      known.isCurrent ? 1 : 0,
    ]),
  )
  const written = `
    select d.type, d.id from pending as w cross join json_each(w.documents) as r
    join document as d on d.type = r.value ->> 0 and d.id = r.value ->> 1
    where w.write_key = :key and d.clock = (select n from clock)`
  return [
    ...copySourceRecords(sourceRecords, key),
    writeDocuments(staged, { key, priors }, published, facility),
    { sql: `delete from lookup where (type, id) in (${written})`, args: { key } },
    {
      sql: `
        insert or ignore into lookup (type, param, value, id)
        select d.type, l.value ->> 0, l.value ->> 1, d.id
        from pending as w cross join json_each(w.documents) as r
        cross join json_each(r.value, '$[${lookupsAt}]') as l
        join document as d on d.type = r.value ->> 0 and d.id = r.value ->> 1
        where w.write_key = :key and d.clock = (select n from clock)`,
      args: { key },
    },
    { sql: `delete from lookup where (type, id) in (${left})`, args: { key, priors, facility } },
    { sql: `delete from document where (type, id) in (${left})`, args: { key, priors, facility } },
    ...deleteDocuments(going, { key, facility }, published),
    dropPending(key),
  ]
}

const prior = `prior as materialized (
  select value ->> 0 as type, value ->> 1 as id, value ->> 2 as version, value ->> 3 as hash, value ->> 4 as published,
    value ->> 5 as facility, value ->> 6 as source_record, value ->> 7 as is_current
  from json_each(:priors))`

/**
 * Pending documents with what *records* has of them; one it holds for another facility or person is left alone, and so is
 * one that it has as current: this write had removed it there, so a later one has shared it.
 */
const staged = `
  with ${prior}
  select ${stagedColumnNames
    .map((name, position) =>
      name.startsWith('prior_')
        ? `coalesce(p.${name.slice('prior_'.length)}, r.value ->> ${position}) as ${name}`
        : `r.value ->> ${position} as ${name}`,
    )
    .join(', ')}
  from pending as w cross join json_each(w.documents) as r
  left join prior as p on p.type = r.value ->> 0 and p.id = r.value ->> 1
  where w.write_key = :key and r.value ->> ${tailAt} is not null
    and (p.id is null or p.is_current = 0 and p.facility = :facility and p.source_record in ('', r.value ->> 2))`

/** Documents that leave because *records* now has them. */
const left = `
  with ${prior}
  select d.type, d.id from pending as w cross join json_each(w.documents) as r
  join prior as p on p.type = r.value ->> 0 and p.id = r.value ->> 1
  join document as d on d.type = p.type and d.id = p.id
  where w.write_key = :key and r.value ->> ${tailAt} is null
    and p.is_current = 1 and p.facility = :facility and p.source_record = r.value ->> 2
    and d.facility = :facility and d.source_record in ('', p.source_record)`

/** Documents that are deleted: prepared only in the version in which they were found. */
const going = `
  select d.type, d.id from pending as w cross join json_each(w.documents) as r
  join document as d on d.type = r.value ->> 0 and d.id = r.value ->> 1
  where w.write_key = :key and r.value ->> 3 = '${deletedMark}' and r.value ->> ${tailAt} is null
    and d.facility = :facility`
