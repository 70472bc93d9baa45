/** Statements about one document by its id: its current version, its earlier ones, its end. In *records* and local alike. */
import { firstPublishedColumn } from '../access/first-published.ts'
import type { SqlValue, Statement } from '../store/ports.ts'
import { rowColumns, storedColumns } from './page.ts'

/** A row filter on rows `d`, and the values of its named arguments. */
export interface RowFilter {
  readonly sql: string
  readonly args: Readonly<Record<string, SqlValue>>
}

export interface DocumentId {
  readonly type: string
  readonly id: string
}

export const currentStatement = ({ type, id }: DocumentId, filter: RowFilter): Statement => ({
  sql: `select ${rowColumns('d')}, body from document as d where d.type = :type and d.id = :id and ${filter.sql}`,
  args: { ...filter.args, type, id },
})

/** Earlier versions as rows of `document`: about whom the source record is now. */
const asDocuments = `(select v.*, coalesce((select person from source_record where id = v.source_record), '') as person
  from document_version as v)`

const versionColumns = `${rowColumns('d')}, d.category, d.code, d.status, d.deleted`

/** The last of the versions that are not current, without its body: whether the document ended in it. */
export const lastStatement = ({ type, id }: DocumentId, filter: RowFilter): Statement => ({
  sql: `select ${versionColumns}, '' as body from ${asDocuments} as d
where d.type = :type and d.id = :id and ${filter.sql} order by d.version desc limit 1`,
  args: { ...filter.args, type, id },
})

/** At most one row: a version that is no longer the current one. */
export const versionStatement = (
  { type, id }: DocumentId,
  version: number,
  filter: RowFilter,
): Statement => ({
  sql: `select ${versionColumns}, body from ${asDocuments} as d
where d.type = :type and d.id = :id and d.version = :version and ${filter.sql}`,
  args: { ...filter.args, type, id, version },
})

export interface HistoryPage {
  /** Only earlier versions; null: from the newest. */
  readonly before: number | null
  /** Published at or after this instant, UTC; the empty string: ever. */
  readonly since: string
  readonly rows: number
  /** Of stored text: bodies past it are held back, but for the first. */
  readonly bytes: number
}

/** Earlier versions, newest first. */
export const historyStatement = (
  { type, id }: DocumentId,
  { before, since, rows, bytes }: HistoryPage,
  filter: RowFilter,
): Statement => ({
  sql: `select ${storedColumns}, first_published, category, code, status, deleted,
  case when bytes <= :page_bytes or bytes = octet_length(body) then body end as body
from (select d.*, ${firstPublishedColumn('d')},
    sum(octet_length(d.body)) over (order by d.version desc rows unbounded preceding) as bytes
  from ${asDocuments} as d
  where d.type = :type and d.id = :id and d.version < :before and d.published >= :since and ${filter.sql}
  order by d.version desc limit :rows)`,
  args: {
    ...filter.args,
    type,
    id,
    before: before ?? Number.MAX_SAFE_INTEGER,
    since,
    rows,
    page_bytes: bytes,
  },
})
