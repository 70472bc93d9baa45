/** Accesses of a window of the log, counted by what a yearly report tells them apart by: no person is in it. */
import { limits } from '../limits.ts'
import type { Reader, Row, Statement } from '../store/ports.ts'
import { windowsOf } from './counted-entries.ts'
import type { CountedPart } from './counted-parts.ts'
import { readPage } from './export-rows.ts'

export interface AccessGroup {
  readonly organisation: string | null
  readonly action: string
  readonly outcome: string
  readonly purpose: string | null
  readonly reason: string
  readonly isEmergency: boolean
  /** Of removals from the log, that it was not of one entry. */
  readonly isPruning: boolean
  /** Of permitted exports: what their entries say beside. */
  readonly note: Readonly<Record<string, string>> | null
  readonly count: number
}

/**
 * Of every entry in [`from`, `end`); `counted` 1: the one that ends an access. An entry about failed authentications stands
 * for as many as it says.
 *
 * @param organisation null: of all
 */
export const groupsStatement = (
  organisation: string | null,
  log: string,
  from: number,
  end: number,
): Statement => ({
  sql: `select organisation, action, outcome, b.entry ->> '$.access.purpose' as purpose, reason,
               break_glass as emergency,
               coalesce(action = 'redaction' and b.entry ->> '$.access.operation' = 'prune', 0) as pruning,
               case when action = 'export' and outcome = 'permit' then b.entry -> '$.access.note' end as note,
               coalesce(b.entry ->> '$.access.phase' in ('access', 'outcome')
                 and b.entry ->> '$.access.part' = 1, 0) as counted,
               count(*) as entries,
               sum(iif(b.entry ->> '$.access.operation' = 'counted-failures',
                 cast(b.entry ->> '$.access.note.count' as integer), 1)) as accesses
          from ledger_body as b ${organisation === null ? '' : 'indexed by ledger_body_organisation'}
         where b.log = ? and b.idx >= ? and b.idx < ? ${organisation === null ? '' : 'and b.organisation = ?'}
         group by 1, 2, 3, 4, 5, 6, 7, 8, 9`,
  args: [log, from, end, ...(organisation === null ? [] : [organisation])],
})

export interface CountedWindow {
  readonly log: string
  readonly groups: readonly AccessGroup[]
  /** Indices looked at, and those of them that have a body. */
  readonly indices: number
  readonly entries: number
}

export async function* accessGroups(
  ledger: Reader,
  parts: readonly CountedPart[],
  organisation: string | null,
): AsyncGenerator<CountedWindow> {
  for (const { log, from, end } of windowsOf(parts, limits.reportWindowEntries)) {
    const rows = await readPage(ledger, groupsStatement(organisation, log, from, end))
    yield {
      log,
      groups: rows.filter(({ counted }) => Number(counted) === 1).map(accessGroup),
      indices: end - from,
      entries: rows.reduce((sum, { entries }) => sum + Number(entries), 0),
    }
  }
}

const accessGroup = (row: Row): AccessGroup => ({
  organisation: row.organisation as string | null,
  action: String(row.action),
  outcome: String(row.outcome),
  purpose: row.purpose as string | null,
  reason: String(row.reason),
  isEmergency: Number(row.emergency) === 1,
  isPruning: Number(row.pruning) === 1,
  note: typeof row.note === 'string' ? (JSON.parse(row.note) as AccessGroup['note']) : null,
  count: Number(row.accesses),
})
