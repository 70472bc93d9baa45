/** Reading the ledger: which logs there are, the indices of a period, and pages of entries in order. */
import { limits } from '../limits.ts'
import type { SqlValue, Statement } from '../store/ports.ts'

/** What entries may be asked for; every member names a column of `ledger_body`. */
export interface EntryFilter {
  readonly patient?: string | undefined
  readonly practitioner?: string | undefined
  readonly organisation?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: string | undefined
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

/** Index of the first entry of `log` at or after `time` (ISO 8601, UTC, milliseconds); no row: there is none. */
export const firstAtStatement = (log: string, time: string): Statement => ({
  sql: 'select idx from ledger_body where log = ? and time >= ? order by time, idx limit 1',
  args: [log, time],
})

/**
 * The index to read by, the most selective filter first. Named, because the planner, without statistics, would walk the
 * whole log. Permits are most of a log, so they have no index.
 */
const indexes: readonly (readonly [keyof EntryFilter, string])[] = [
  ['patient', 'ledger_body_patient'],
  ['practitioner', 'ledger_body_practitioner'],
  ['outcome', 'ledger_body_refused'],
  ['organisation', 'ledger_body_organisation'],
  ['action', 'ledger_body_action'],
]

/**
 * The next entries of `log` with indices in [`from`, `end`), in order: at most `limits.exportPageRows`, and
 * `limits.maxPageBytes` (passed by at most one entry). The running sum follows the index, so that nothing is sorted and the
 * limit ends the walk; an outer `order by` would sort whole entries.
 */
export function pageStatement(log: string, from: number, end: number, filter: EntryFilter): Statement {
  const usable = ([column]: (typeof indexes)[number]): boolean =>
    filter[column] !== undefined && !(column === 'outcome' && filter.outcome === 'permit')
  const index = indexes.find(usable)?.[1]
  const conditions = ['log = ?', 'idx >= ?', 'idx < ?']
  const args: SqlValue[] = [log, from, end]
  for (const [column] of indexes) {
    const value = filter[column]
    if (value === undefined) continue
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
    args: [...args, limits.exportPageRows, limits.maxPageBytes],
  }
}
