/**
 * One page of the trail, newest first over all logs: one statement. In a log time never decreases with the index, so that a
 * period and a cursor are a range of indices; what is read is bounded by rows × keys × logs, however long the trail is.
 */
import { limits } from '../limits.ts'
import type { Row, SqlValue, Statement } from '../store/ports.ts'

/** What the page is read by: the most selective that was asked for. */
export type TrailKey =
  | {
      readonly column: 'patient' | 'practitioner' | 'organisation' | 'action'
      readonly values: readonly string[]
    }
  /** Outcomes but `permit`, of which most of a log is. */
  | { readonly column: 'outcome'; readonly values: readonly ('deny' | 'error')[] }
  | { readonly column: null }

/** A place in the order of the trail: what comes after it is older. */
export interface TrailPosition {
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string
  readonly log: string
  readonly index: number
}

export interface TrailRange {
  /** ISO 8601, UTC, milliseconds, both inclusive. */
  readonly from: string
  readonly until: string
  /** Of this log only; null: all. */
  readonly log: string | null
  /** The last entry of the page before; null: the first page. */
  readonly after: TrailPosition | null
}

const indexOf = {
  patient: 'ledger_body_patient',
  practitioner: 'ledger_body_practitioner',
  organisation: 'ledger_body_organisation',
  action: 'ledger_body_action',
  outcome: 'ledger_body_refused',
} as const

/** Later in the order of names than any log. */
const afterAllLogs = '~'

/**
 * Rows `log`, `idx`, `time`, `entry`, newest first by (time, log, idx), and `found` (the same in each): how many there are
 * before the page was cut at `limits.maxPageBytes` (passed by at most one entry). `found` = `rows`: there may be more.
 *
 * @param rows at most
 */
export function trailPageStatement(key: TrailKey, range: TrailRange, rows: number): Statement {
  const { from, until, log, after } = range
  const isKeyed = key.column !== null
  // The partial index serves only a query that says what it is partial to.
  const partial = key.column === 'outcome' ? "and i.outcome <> 'permit'" : ''
  const walk = isKeyed
    ? `select i.idx from ledger_body as i indexed by ${indexOf[key.column]}
        where i.${key.column} = k.value ${partial} and i.log = l.log and i.idx >= l.first and i.idx <= l.last
        order by i.idx desc limit :rows`
    : `select i.idx from ledger_body as i
        where i.log = l.log and i.idx >= l.first and i.idx <= l.last order by i.idx desc limit :rows`
  const args: Record<string, SqlValue> = {
    from,
    until: after?.time ?? until,
    before: after === null ? until : justBefore(after.time),
    log,
    at_log: after?.log ?? afterAllLogs,
    at_idx: after?.index ?? 0,
    rows,
    bytes: limits.maxPageBytes,
    ...(isKeyed ? { keys: JSON.stringify(key.values) } : {}),
  }
  return {
    sql: `with part as materialized (
            select log.log as log,
              (select t.idx from ledger_body as t indexed by ledger_body_time
                where t.log = log.log and t.time >= :from order by t.time, t.idx limit 1) as first,
              case when log.log = :at_log then :at_idx - 1 else (
                select t.idx from ledger_body as t indexed by ledger_body_time
                 where t.log = log.log and t.time <= case when log.log < :at_log then :until else :before end
                 order by t.time desc, t.idx desc limit 1) end as last
            from log where :log is null or log.log = :log),
          newest as materialized (
            select b.log, b.idx, b.time, octet_length(b.entry) as bytes
              from part as l ${isKeyed ? 'cross join json_each(:keys) as k' : ''} cross join ledger_body as b
             where b.log = l.log and b.idx in (${walk})
             order by b.time desc, b.log desc, b.idx desc limit :rows),
          page as materialized (
            select log, idx, sum(bytes) over (
                order by time desc, log desc, idx desc rows unbounded preceding) - bytes as bytes_before,
              count(*) over () as found
              from newest)
          select b.log, b.idx, b.time, b.entry, page.found
            from page cross join ledger_body as b on b.log = page.log and b.idx = page.idx
           where page.bytes_before < :bytes
           order by b.time desc, b.log desc, b.idx desc`,
    args,
  }
}

/** The last instant before `time`, in the texts that entries have. */
const justBefore = (time: string): string => new Date(Date.parse(time) - 1).toISOString()

/** The entry at this place; no row: there is none, or it was redacted. */
export const trailEntryStatement = (log: string, index: number): Statement => ({
  sql: 'select log, idx, time, entry from ledger_body where log = ? and idx = ?',
  args: [log, index],
})

export const positionOf = ({ time, log, idx }: Row): TrailPosition => ({
  time: String(time),
  log: String(log),
  index: Number(idx),
})

/** Whether `one` comes before `other` in the trail. */
export function isNewer(one: TrailPosition, other: TrailPosition): boolean {
  if (one.time !== other.time) return one.time > other.time
  return one.log === other.log ? one.index > other.index : one.log > other.log
}
