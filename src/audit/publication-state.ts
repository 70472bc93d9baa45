/**
 * What a log has made public, in its own storage: how far, the right edge of the tile tree, the checkpoints it signed, and
 * whether it may go on.
 *
 * Owned by the one instance of the log; written only inside a commit. The edge only grows and never passes what is
 * drained. A checkpoint is signed inside the commit that stores it, together with the edge it was made
 * from: a crash leaves all of it or nothing, and a signature that is not stored has never left the function that made it.
 */
import { insertRows, type LogSql } from './log-store.ts'
import type { SignedCheckpoint } from './outside-store.ts'
import type { ListedLog } from './port.ts'
import { TileEdge } from './tlog/tile.ts'

export const publicationSchema = [
  // One row, from the first checkpoint, halt or succession on.
  `create table if not exists publication (
     id integer primary key check (id = 1),
     edge blob not null,
     vkey text,
     halted text,
     predecessor text,
     successor text,
     is_retired integer not null default 0
   ) strict`,
  // Never updated. Deleted when a newer one is in the audit database; the newest stays.
  `create table if not exists checkpoint (
     size integer primary key,
     time integer not null,
     note text not null
   ) strict`,
  // Logs named in a list that this one signed: they stay in every later list.
  `create table if not exists listed_log (
     log text primary key,
     vkey text not null,
     mldsa44_vkey text,
     predecessor text,
     is_retired integer not null
   ) strict, without rowid`,
]

export interface Publication {
  readonly edge: TileEdge
  /** Verifier key of the log since its first checkpoint; null before. */
  readonly vkey: string | null
  /** Why this log must not go on; null: it may. Never taken back. */
  readonly halted: string | null
  readonly predecessor: string | null
  /** Set: the log takes no entry any more. */
  readonly successor: string | null
  /** The successor is there: callers go on to it. */
  readonly isRetired: boolean
}

const unpublished: Publication = {
  edge: TileEdge.empty(),
  vkey: null,
  halted: null,
  predecessor: null,
  successor: null,
  isRetired: false,
}

export function loadPublication(sql: LogSql): Publication {
  const [row] = sql.exec(
    'select edge, vkey, halted, predecessor, successor, is_retired from publication where id = 1',
  )
  if (!row) return unpublished
  return {
    edge: TileEdge.decode(row.edge as Uint8Array),
    vkey: row.vkey as string | null,
    halted: row.halted as string | null,
    predecessor: row.predecessor as string | null,
    successor: row.successor as string | null,
    isRetired: row.is_retired === 1,
  }
}

export function savePublication(sql: LogSql, change: Partial<Publication>): void {
  const { edge, vkey, halted, predecessor, successor, isRetired } = { ...loadPublication(sql), ...change }
  sql.exec(
    `insert or replace into publication (id, edge, vkey, halted, predecessor, successor, is_retired)
       values (1, ?, ?, ?, ?, ?, ?)`,
    edge.encode(),
    vkey,
    halted,
    predecessor,
    successor,
    isRetired ? 1 : 0,
  )
}

export function storeCheckpoint(sql: LogSql, { size, time, note }: SignedCheckpoint): void {
  sql.exec('insert into checkpoint (size, time, note) values (?, ?, ?)', size, time, note)
}

/** All that may not be in the audit database yet, and the newest that is; ascending. */
export const storedCheckpoints = (sql: LogSql): SignedCheckpoint[] =>
  sql.exec('select size, time, note from checkpoint order by size').map(({ size, time, note }) => ({
    size: size as number,
    time: time as number,
    note: note as string,
  }))

/** `served`: size of the newest checkpoint that the audit database holds. */
export function forgetCheckpoints(sql: LogSql, served: number): void {
  sql.exec('delete from checkpoint where size < ?', served)
}

/** The leaves at [`from`, `end`) as far as they are still here: not below the newest checkpoint. */
export const storedLeaves = (sql: LogSql, from: number, end: number): Uint8Array[] =>
  sql
    .exec('select leaf from undrained where idx >= ? and idx < ? order by idx', from, end)
    .map(({ leaf }) => leaf as Uint8Array)

/** Adds these logs to those listed before, and returns all: a log stays listed, a retired one retired. */
export function mergeListedLogs(sql: LogSql, logs: readonly ListedLog[]): ListedLog[] {
  insertRows(
    sql,
    'insert into listed_log (log, vkey, mldsa44_vkey, predecessor, is_retired) values',
    logs.map(({ log, vkey, mldsa44Vkey, predecessor, isRetired }) => [
      log,
      vkey,
      mldsa44Vkey,
      predecessor,
      isRetired ? 1 : 0,
    ]),
    'on conflict (log) do update set is_retired = max(is_retired, excluded.is_retired)',
  )
  return sql
    .exec('select log, vkey, mldsa44_vkey, predecessor, is_retired from listed_log order by log')
    .map((row) => ({
      log: row.log as string,
      vkey: row.vkey as string,
      mldsa44Vkey: row.mldsa44_vkey as string | null,
      predecessor: row.predecessor as string | null,
      isRetired: row.is_retired === 1,
    }))
}
