/** Reading the ledger: which logs there are, the indices of a period, pages of entries in order, what was redacted. */
import { isRedaction, pruningOf } from '../audit/redactions.ts'
import { limits } from '../limits.ts'
import type { Rows, SqlValue, Statement } from '../store/ports.ts'

/** What entries may be asked for; every member names a column of `ledger_body`. */
export interface EntryFilter {
  readonly patient?: string | undefined
  readonly practitioner?: string | undefined
  readonly organisation?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly facility?: string | undefined
  /** Tag of the decision. */
  readonly reason?: string | undefined
  /** An emergency was declared, refused, or used for reading. */
  readonly breakGlass?: true | undefined
}

/** Every log of the ledger and its size, without visiting each row. */
export const logsStatement: Statement = {
  sql: `with recursive logs (log) as (
          select min(log) from ledger_leaf
          union all
          select (select min(log) from ledger_leaf where log > logs.log) from logs where logs.log is not null
        )
        select log, (select max(idx) + 1 from ledger_leaf where ledger_leaf.log = logs.log) as size
          from logs where log is not null`,
}

/** The logs that have published something, with their keys; `successor` null: in use. */
export const registeredStatement: Statement = {
  sql: `select log.log as log, origin, vkey, mldsa44_vkey, predecessor, successor
          from log left join log_retired using (log) order by log.log limit ?`,
  args: [limits.maxListedLogs],
}

/** Index of the first entry of `log` at or after `time` (ISO 8601, UTC, milliseconds); no row: there is none. */
export const firstAtStatement = (log: string, time: string): Statement => ({
  sql: 'select idx from ledger_body where log = ? and time >= ? order by time, idx limit 1',
  args: [log, time],
})

/** Index of the last entry of `log` before `time`; no row: there is none. */
export const lastBeforeStatement = (log: string, time: string): Statement => ({
  sql: 'select idx from ledger_body where log = ? and time < ? order by time desc, idx desc limit 1',
  args: [log, time],
})

/** As `firstAtStatement`, of the entries about these persons. */
export const firstOwnAtStatement = (log: string, time: string, persons: readonly string[]): Statement => ({
  sql: `select idx from json_each(?) as own
          cross join ledger_body indexed by ledger_body_patient on patient = own.value and log = ? and time >= ?
         order by idx limit 1`,
  args: [JSON.stringify(persons), log, time],
})

/** As `lastBeforeStatement`, of the entries about these persons. */
export const lastOwnBeforeStatement = (log: string, time: string, persons: readonly string[]): Statement => ({
  sql: `select idx from json_each(?) as own
          cross join ledger_body indexed by ledger_body_patient on patient = own.value and log = ? and time < ?
         order by idx desc limit 1`,
  args: [JSON.stringify(persons), log, time],
})

/**
 * The index to read by, the most selective filter first. Named, because the planner, without statistics, would walk the
 * whole log. Permits are most of a log, so they have no index.
 */
const indexes: readonly (readonly [keyof EntryFilter, string])[] = [
  ['patient', 'ledger_body_patient'],
  ['breakGlass', 'ledger_body_break_glass'],
  ['practitioner', 'ledger_body_practitioner'],
  ['outcome', 'ledger_body_refused'],
  ['facility', 'ledger_body_facility'],
  ['reason', 'ledger_body_reason'],
  ['organisation', 'ledger_body_organisation'],
  ['action', 'ledger_body_action'],
]

/**
 * The next entries of `log` with indices in [`from`, `end`), in order: at most `rows`, and
 * `limits.maxPageBytes` (passed by at most one entry). The running sum follows the index, so that nothing is sorted and the
 * limit ends the walk; an outer `order by` would sort whole entries.
 */
export function pageStatement(
  log: string,
  from: number,
  end: number,
  filter: EntryFilter,
  rows: number,
): Statement {
  const usable = ([column]: (typeof indexes)[number]): boolean =>
    filter[column] !== undefined && !(column === 'outcome' && filter.outcome === 'permit')
  const index = indexes.find(usable)?.[1]
  const conditions = ['log = ?', 'idx >= ?', 'idx < ?']
  const args: SqlValue[] = [log, from, end]
  for (const [column] of indexes) {
    const value = filter[column]
    if (value === undefined) continue
    // The index is partial to it, so it is written out.
    if (value === true) {
      conditions.push('break_glass = 1')
      continue
    }
    conditions.push(`${column} = ?`)
    args.push(value)
  }
  // The partial index serves only a query that says what it is partial to.
  if (index === 'ledger_body_refused') conditions.push("outcome <> 'permit'")
  return {
    sql: `select idx, salt, entry, patient, leaf from (
            select idx, salt, entry, patient, leaf,
                   sum(octet_length(entry)) over (order by idx rows unbounded preceding)
                     - octet_length(entry) as bytes_before
              from ledger_body ${index ? `indexed by ${index}` : ''}
              cross join ledger_leaf using (log, idx)
             where ${conditions.join(' and ')}
             order by idx limit ?)
          where bytes_before < ?`,
    args: [...args, rows, limits.maxPageBytes],
  }
}

/**
 * Every index of `log` in [`from`, `end`), in order and within the bounds of `pageStatement`: `entry` and `salt` are null
 * where the body went, `redacted` is then the index of the redaction entry, `pruned` the pruning entry (`<log>/<index>`), if
 * there is one.
 */
export const rangeStatement = (log: string, from: number, end: number): Statement => ({
  sql: `select idx, leaf, salt, entry, patient, redacted,
               case when entry is null and redacted is null then ${pruningOf('page.log', 'page.idx')} end as pruned from (
          select l.log as log, l.idx as idx, l.leaf as leaf, b.salt as salt, b.entry as entry, b.patient as patient,
                 case when b.idx is null then (
                   select min(r.idx) from ledger_body as r indexed by ledger_body_redacts
                    where r.log = l.log and r.redacts = cast(l.idx as text) and r.idx > l.idx and ${isRedaction('r')}
                 ) end as redacted,
                 sum(coalesce(octet_length(b.entry), 0)) over (order by l.idx rows unbounded preceding)
                   - coalesce(octet_length(b.entry), 0) as bytes_before
            from ledger_leaf as l left join ledger_body as b on b.log = l.log and b.idx = l.idx
           where l.log = ? and l.idx >= ? and l.idx < ?
           order by l.idx limit ?) as page
        where bytes_before < ?`,
  args: [log, from, end, limits.exportPageRows, limits.maxPageBytes],
})

/** The redacted entries of `log` in [`first`, `upto`) that were redacted by an entry at or after `end`. */
export const redactedBetweenStatement = (
  log: string,
  first: number,
  upto: number,
  end: number,
): Statement => ({
  sql: `select l.idx as idx, leaf, redacted from (
          select cast(r.redacts as integer) as target, min(r.idx) as redacted
            from ledger_body as r indexed by ledger_body_action
           where r.action = 'redaction' and r.log = :log and r.redacts is not null and ${isRedaction('r')}
             and cast(r.redacts as integer) >= :first and cast(r.redacts as integer) < :upto
             and cast(r.redacts as integer) < r.idx
           group by 1 having min(r.idx) >= :end) as gone
          cross join ledger_leaf as l on l.log = :log and l.idx = gone.target
         where not exists (select 1 from ledger_body as b where b.log = :log and b.idx = gone.target)
         order by l.idx`,
  args: { log, first, upto, end },
})

export type ChainKind = 'patient' | 'organisation'

/**
 * The `count` members of a chain before an entry that says `previous`, all of them redacted: each is found by the place
 * that the redaction entry after it repeats. Fewer where there is none, as of what was pruned.
 */
export const redactedMembersStatement = (
  log: string,
  kind: ChainKind,
  previous: string,
  count: number,
): Statement => ({
  sql: `with recursive member (target, place, redacted) as (
          select r.redacts, r.entry ->> '$.access.note.redacts-${kind}', r.idx
            from ledger_body as r indexed by ledger_body_redacts
           where r.log = :log and r.redacts = :previous and ${isRedaction('r')}
          union all
          select r.redacts, r.entry ->> '$.access.note.redacts-${kind}', r.idx
            from member cross join ledger_body as r indexed by ledger_body_redacts
           where r.log = :log and r.redacts = substr(member.place, instr(member.place, '@') + 1) and ${isRedaction('r')}
           limit :count
        )
        select ledger_leaf.idx as idx, leaf, min(redacted) as redacted, min(place) as place
          from member cross join ledger_leaf on ledger_leaf.log = :log and ledger_leaf.idx = cast(target as integer)
         group by ledger_leaf.idx order by ledger_leaf.idx`,
  args: { log, previous, count },
})

/** The pruning entry (`<log>/<index>`) by which an entry of `log` went, if it went by one. */
export const pruningStatement = (log: string, index: string): Statement => ({
  sql: `select ${pruningOf(':log', 'cast(:index as integer)')} as pruned`,
  args: { log, index },
})

/** The time before which bodies of `log` may be gone by a pruning entry; null: there is none. One row, `before`. */
export const prunedBeforeStatement = (log: string): Statement => ({
  sql: `select max(prunes_before) as before from ledger_body indexed by ledger_body_prunes where prunes_log = ?`,
  args: [log],
})

/** @param rows of `prunedBeforeStatement` */
export const prunedBefore = (rows: Rows | undefined): string | null =>
  (rows?.[0]?.before as string | null) ?? null

/** Indices of the entries of `log` below `covered` that prune it, or a log before it. */
export const pruningsStatement = (log: string, covered: number): Statement => ({
  sql: `select idx from ledger_body indexed by ledger_body_action
         where action = 'redaction' and log = ? and idx < ? and prunes_log is not null order by idx`,
  args: [log, covered],
})

/** The logs whose entries prune one of these. */
export const pruningLogsStatement = (logs: readonly string[]): Statement => ({
  sql: `select distinct ledger_body.log as log from json_each(?) as pruned
          cross join ledger_body indexed by ledger_body_prunes on prunes_log = pruned.value`,
  args: [JSON.stringify(logs)],
})

/** The entries at these indices that are open, in order. */
export const entriesAtStatement = (log: string, indices: readonly number[]): Statement => ({
  sql: `select ledger_body.idx as idx, leaf, salt, entry, patient from json_each(?) as wanted
          cross join ledger_body on ledger_body.log = ? and ledger_body.idx = wanted.value
          cross join ledger_leaf using (log, idx)`,
  args: [JSON.stringify(indices), log],
})
