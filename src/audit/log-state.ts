/**
 * The tables of a log's own storage, and the statements on them.
 *
 * Owned by the one instance of the log; read and written only inside a commit, so that memory is never ahead of storage:
 * there is no copy in memory. It survives a crash because each commit takes it from one consistent state to the next:
 * an entry, its index, the frontier, both chains and the memory of the append are there together or not at all.
 */
import { limits } from '../limits.ts'
import { insertRows, type LogSql } from './log-store.ts'
import { publicationSchema } from './publication-state.ts'
import { decodeFrontier, emptyFrontier, encodeEdge, type Frontier } from './tlog/tree.ts'

const schema = [
  // One row. `size` only grows, `drained` only grows and is at most `size`, `time` (ms) never decreases.
  `create table if not exists log_state (
     id integer primary key check (id = 1),
     log text not null,
     size integer not null,
     drained integer not null,
     time integer not null,
     edge blob not null
   ) strict`,
  // Entries that no checkpoint covers yet, drained or not. Never updated after the insert.
  `create table if not exists undrained (
     idx integer primary key,
     leaf blob not null,
     salt blob not null,
     entry text not null
   ) strict`,
  // The newest place of each chain: 'o' organisations, 'p' patients.
  `create table if not exists chain_head (
     kind text not null,
     key text not null,
     previous integer not null,
     count integer not null,
     primary key (kind, key)
   ) strict, without rowid`,
  // Never updated after. `id` grows with time, so that the oldest are the first.
  `create table if not exists appended (
     id integer primary key,
     key text not null unique,
     digest blob not null,
     first integer not null,
     count integer not null,
     hash text not null,
     time integer not null
   ) strict`,
  `create table if not exists once_key (
     key text primary key,
     until_ms integer not null
   ) strict, without rowid`,
  'create index if not exists once_key_until on once_key (until_ms)',
  `create table if not exists open_intent (
     request_id text primary key,
     time integer not null,
     access text not null,
     organisation text
   ) strict, without rowid`,
  'create index if not exists open_intent_time on open_intent (time)',
  // Failed authentications counted and not yet appended, by the minute (since 1970) they came in.
  `create table if not exists failure_count (
     minute integer not null,
     address text not null,
     reason text not null,
     n integer not null,
     primary key (minute, address, reason)
   ) strict, without rowid`,
]

export function createSchema(sql: LogSql): void {
  for (const statement of [...schema, ...publicationSchema]) sql.exec(statement)
}

export interface LogState {
  readonly log: string
  readonly frontier: Frontier
  readonly drained: number
  /** Of the newest commit, milliseconds since 1970. */
  readonly time: number
}

/** @throws Error when the storage belongs to another log. */
export function loadState(sql: LogSql, log: string): LogState {
  const [row] = sql.exec('select log, size, drained, time, edge from log_state where id = 1')
  if (!row) return { log, frontier: emptyFrontier, drained: 0, time: 0 }
  if (row.log !== log) throw new Error(`this storage holds log ${row.log}, not ${log}`)
  const frontier = decodeFrontier(BigInt(row.size as number), row.edge as Uint8Array)
  return { log, frontier, drained: row.drained as number, time: row.time as number }
}

export function saveState(sql: LogSql, { log, frontier, drained, time }: LogState): void {
  sql.exec(
    'insert or replace into log_state (id, log, size, drained, time, edge) values (1, ?, ?, ?, ?, ?)',
    log,
    Number(frontier.size),
    drained,
    time,
    encodeEdge(frontier),
  )
}

/** Name of the log stored here, null before its first commit. */
export function storedLog(sql: LogSql): string | null {
  const [row] = sql.exec('select log from log_state where id = 1')
  return row ? (row.log as string) : null
}

export interface StoredEntry {
  readonly index: number
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
  /** The canonical text the leaf commits to. */
  readonly entry: string
}

export function insertEntries(sql: LogSql, entries: readonly StoredEntry[]): void {
  const rows = entries.map(({ index, leaf, salt, entry }) => [index, leaf, salt, entry])
  insertRows(sql, 'insert into undrained (idx, leaf, salt, entry) values', rows, '')
}

/** The entries from index `from` on and below `below`: at most `limits.maxDrainEntries` and `limits.maxDrainBytes`. */
export function undrainedEntries(sql: LogSql, from: number, below: number): StoredEntry[] {
  const rows = sql.exec(
    'select idx, leaf, salt, entry from undrained where idx >= ? and idx < ? order by idx limit ?',
    from,
    below,
    limits.maxDrainEntries,
  )
  let bytes = 0
  const entries: StoredEntry[] = []
  for (const row of rows) {
    const entry = row.entry as string
    bytes += Buffer.byteLength(entry)
    if (entries.length > 0 && bytes > limits.maxDrainBytes) break
    entries.push({
      index: row.idx as number,
      leaf: row.leaf as Uint8Array,
      salt: row.salt as Uint8Array,
      entry,
    })
  }
  return entries
}

/** `size` of the newest checkpoint, which covers them: until then a leaf may be needed to make the next. */
export function forgetCovered(sql: LogSql, size: number): void {
  sql.exec('delete from undrained where idx < ?', size)
}

export interface ChainHead {
  /** Index of the newest entry of the chain. */
  previous: number
  count: number
}

/** Heads of the chains named `<kind><key>`, e.g. `p<person id>`; a chain without entries is missing. */
export function readChainHeads(sql: LogSql, names: readonly string[]): Map<string, ChainHead> {
  const rows = sql.exec(
    `select chain_head.kind || chain_head.key as name, previous, count
       from json_each(?) as wanted
       cross join chain_head on kind = substr(wanted.value, 1, 1) and chain_head.key = substr(wanted.value, 2)`,
    JSON.stringify(names),
  )
  return new Map(
    rows.map((row) => [row.name as string, { previous: row.previous as number, count: row.count as number }]),
  )
}

export function writeChainHeads(sql: LogSql, heads: ReadonlyMap<string, ChainHead>): void {
  const rows = Array.from(heads, ([name, { previous, count }]) => [
    name.slice(0, 1),
    name.slice(1),
    previous,
    count,
  ])
  insertRows(
    sql,
    'insert into chain_head (kind, key, previous, count) values',
    rows,
    'on conflict (kind, key) do update set previous = excluded.previous, count = excluded.count',
  )
}
