/**
 * Writing a planned publication, in three steps that survive a crash between any two:
 *
 * 1. *prepare* (local, only when something is or was unshared, or a condition must hold there, too): the unshared documents
 *    as `pending`, not readable;
 * 2. *records*: the shared documents, persons and links. This batch is the point of decision;
 * 3. *finish* (local): pending documents become current, documents now shared leave, deleted ones go.
 *
 * Whoever finds pending rows later finishes or drops them by whether *records* has the key (`settle.ts`).
 */
import type { Statement, Writer } from '../store/ports.ts'
import { type CareSettings, endRelationships, relateEncounters } from './care-window.ts'
import { chunked, documentKey, idRows, lookupRows, type Prior, stagedRow } from './documents-rows.ts'
import {
  addLookups,
  boundStage,
  deleteDocuments,
  dropLookups,
  type LatestVersion,
  latestVersion,
  latestVersions,
  refusedRow,
  removeDocuments,
  writeDocuments,
} from './documents-sql.ts'
import { guards } from './guards.ts'
import { createSourceRecords, describeSourceRecords } from './person-link.ts'
import type { Plan } from './plan.ts'
import { type SourceRecordRow, sourceRecordRow, sourceRecordsOf } from './source-records.ts'
import { writeBatch } from './write-batch.ts'

export interface Publication {
  /** Request id: the key of the write batches. */
  readonly key: string
  readonly facility: string
  /** ISO 8601 UTC with milliseconds. */
  readonly published: string
  readonly plan: Plan
  /** How long encounters stand for a relationship. */
  readonly settings: CareSettings
}

/** What *records* says after its batch. */
export interface RecordsOutcome {
  /** `Dossier-Clock` of the write. */
  readonly clock: string
  /** The clock of this write: rows that carry it were made by it. */
  readonly writeClock: number
  /** Every planned document that *records* knows, by `Type/id`; of unshared ones only history, if any. */
  readonly latest: ReadonlyMap<string, LatestVersion>
  /** All source records of the persons concerned. */
  readonly sourceRecords: readonly SourceRecordRow[]
}

/** Step 2. `priors`: what the local database knows of documents, by `Type/id`. Rejects with `StoreError`. */
export async function writeRecords(
  records: Writer,
  publication: Publication,
  priors: ReadonlyMap<string, Prior>,
): Promise<RecordsOutcome> {
  const { key, plan } = publication
  const sources = [
    ...new Set([
      ...plan.sourceRecords.map(({ id }) => id),
      ...plan.removals.map(({ sourceRecord }) => sourceRecord).filter((id) => id !== ''),
    ]),
  ]
  const { clock, writeClock, rows } = await writeBatch(records, {
    key,
    sources,
    statements: recordsStatements(publication, priors),
    outcome: [latestVersions(JSON.stringify(idRows(plan.documents))), sourceRecordsOf(sources)],
  })
  const [latestRows = [], sourceRows = []] = rows
  return {
    clock,
    writeClock,
    latest: new Map(latestRows.map(latestVersion).map((latest) => [documentKey(latest), latest])),
    sourceRecords: sourceRows.map(sourceRecordRow),
  }
}

function recordsStatements(
  publication: Publication,
  priors: ReadonlyMap<string, Prior>,
): readonly Statement[] {
  const { facility, published, plan } = publication
  const shared = plan.documents.filter(({ route }) => route === 'records')
  const local = plan.documents.filter(({ route }) => route === 'local')
  const rowOf = (document: (typeof shared)[number]) =>
    stagedRow(document, priors.get(documentKey(document)) ?? null)
  const gone = plan.removals.filter(({ isShared }) => isShared)
  const encounters = plan.removals.filter(({ type }) => type === 'Encounter').map(({ id }) => id)
  return [
    ...guards(plan, 'records', facility, (key) => priors.get(key)?.isCurrent === true),
    ...createSourceRecords(plan.sourceRecords, facility),
    ...(plan.kind === 'batch'
      ? []
      : refusals(
          plan.documents.map((d) => rowOf(d).slice(0, 15)),
          facility,
        )),
    ...chunked(idRows(gone)).flatMap((ids) => deleteDocuments(ownDocuments, { ids, facility }, published)),
    ...(encounters.length > 0 ? [endRelationships(JSON.stringify(encounters), facility)] : []),
    ...describeSourceRecords(plan.sourceRecords, facility, (id) => priors.has(`Patient/${id}`)),
    ...chunked(shared.map(rowOf)).map((rows) => writeDocuments(boundStage, { rows }, published, facility)),
    ...chunked(idRows(shared)).map(dropLookups),
    ...chunked(lookupRows(shared)).map(addLookups),
    ...chunked(local.map(({ type, id, sourceRecord }) => [type, id, sourceRecord])).flatMap((leaving) =>
      removeDocuments(leaving, facility),
    ),
    ...relateEncounters(publication, priors),
  ]
}

const ownDocuments = `
  select d.type, d.id from json_each(:ids) as i
  join document as d on d.type = i.value ->> 0 and d.id = i.value ->> 1
  where d.facility = :facility`

/** Fails the whole batch, with the name of what is wrong; which documents they are is read after. */
const refusals = (rows: readonly (readonly unknown[])[], facility: string): readonly Statement[] =>
  chunked(rows).map((checks) => ({
    sql: `
      insert into refused (reason)
      select 'conflict' where exists (
        select 1 from (${boundStage}) as s
        left join document as cur on cur.type = s.type and cur.id = s.id
        where ${refusedRow})`,
    args: { rows: checks, facility },
  }))
