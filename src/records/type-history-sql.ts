/** Statements of a type's history: what a facility published of it, by when. In *records* and local alike. */
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'
import { storedColumns } from './page.ts'

/** A version's place: the newest first, of one time by id, of one id by version. */
export interface FeedPosition {
  /** UTC. */
  readonly published: string
  readonly id: string
  readonly version: number
}

export interface FeedPage {
  readonly type: string
  /** Whose; null: nobody's. */
  readonly facility: string | null
  /** Only what comes after it; null: from the newest. */
  readonly after: FeedPosition | null
  /** Published at or after this instant, UTC; the empty string: ever. */
  readonly since: string
  readonly rows: number
  /** Of stored text: bodies past it are held back, but for the first. */
  readonly bytes: number
}

/** Of each document one, so that its id ends the order. */
const current = {
  rows: '(select *, 0 as deleted from document)',
  order: 'd.published desc, d.id desc',
}

/** About whom the source record is now; of a version that named nobody, whom its document is about. */
const earlier = {
  rows: `(select v.*, coalesce(
    (select person from source_record where id = v.source_record),
    (select person from document as now where now.type = v.type and now.id = v.id), '') as person
  from document_version as v)`,
  order: 'd.published desc, d.id desc, d.version desc',
}

/** `first_published` decides about patients' refusals alone, which do not bind a facility's own systems. */
const pageOf = (
  { rows, order }: { readonly rows: string; readonly order: string },
  { type, facility, after, since, rows: count, bytes }: FeedPage,
): Statement => ({
  sql: `select ${storedColumns}, published as first_published, deleted,
  case when bytes <= :page_bytes or bytes = octet_length(body) then body end as body
from (select d.*, sum(octet_length(d.body)) over (order by ${order} rows unbounded preceding) as bytes
  from ${rows} as d
  where d.facility = :facility and d.type = :type and d.published >= :since
    and (d.published, d.id, d.version) < (:published, :id, :version)
  order by ${order} limit :rows)`,
  args: {
    type,
    facility,
    since,
    rows: count,
    page_bytes: bytes,
    // After every time.
    ...(after ?? { published: '~', id: '', version: 0 }),
  },
})

/** Of one database: the current versions, and the earlier ones, ends included. */
export const feedStatements = (page: FeedPage): readonly [Statement, Statement] => [
  pageOf(current, page),
  pageOf(earlier, page),
]

/**
 * Of the local database: a row where a write of the facility has waited for longer than it takes to settle it. What it wrote is
 * older than its readers go back, so without this they would never be told of it.
 *
 * @param now milliseconds since 1970
 */
export const overdueStatement = (facility: string | null, now: number): Statement => ({
  sql: 'select 1 from pending where at >= :after and at < :before and facility = :facility limit 1',
  args: {
    facility,
    before: now - 2 * limits.settleAfterMs,
    // As `settlePending`: older ones stay as they are.
    after: now - limits.writeKeyMemoryMs + limits.settleAfterMs,
  },
})

/** In *records*: whom documents are about that are current there, and whom source records are. */
export const personsOf = (
  type: string,
  ids: readonly string[],
  sources: readonly string[],
): readonly [Statement, Statement] => [
  {
    sql: `select id, person from document where type = :type and id in (select value from json_each(:ids)) and person <> ''`,
    args: { type, ids: JSON.stringify(ids) },
  },
  {
    sql: 'select id, person from source_record where id in (select value from json_each(:sources))',
    args: { sources: JSON.stringify(sources) },
  },
]
