/**
 * The audit database as a log writes it: entries, tiles, checkpoints, cosignatures. Every write may be repeated: what is
 * there already is passed over, what contradicts it is refused by a trigger (`StoreError` of code `constraint`).
 */
import type { Reader, Statement, Writer } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import { hex, type LedgerWriter, ledgerWriter } from './ledger.ts'
import type { LogIdentity } from './log-signer.ts'
import { checkpointsStatement, leavesStatement, readTiles } from './public-store.ts'
import type { Tile } from './tlog/tile.ts'

/** What somebody else remembers of a log. */
export interface OutsideView {
  /** Entries, and the leaf of the last one (empty of none); null: not remembered there. */
  readonly entries: { readonly size: number; readonly lastLeaf: Uint8Array } | null
  /** The newest checkpoint, null without one; `note` as the log signed it, null where only the size is remembered. */
  readonly checkpoint: { readonly size: number; readonly note: string | null } | null
}

export interface SignedCheckpoint {
  readonly size: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly note: string
}

export interface TileHashes {
  readonly tile: Tile
  readonly bytes: Uint8Array
}

export interface OutsideStore extends LedgerWriter {
  view(log: string): Promise<OutsideView>
  register(identity: LogIdentity, predecessor: string | null): Promise<void>
  putTiles(log: string, tiles: readonly TileHashes[]): Promise<void>
  putCheckpoint(log: string, checkpoint: SignedCheckpoint): Promise<void>
  /** @param line signature lines, each ending in a line feed. */
  putCosignature(log: string, size: number, witness: string, line: string): Promise<void>
  readTiles(log: string, tiles: readonly Tile[]): Promise<readonly Uint8Array[]>
  /** Leaves of [`from`, `end`), as far as they are there. */
  readLeaves(log: string, from: number, end: number): Promise<readonly Uint8Array[]>
  putSuccessor(log: string, successor: string): Promise<void>
}

/** @param deadlineMs of each call. */
export function outsideStore(database: Pick<Writer, 'apply'> & Reader, deadlineMs: number): OutsideStore {
  const apply = (statements: readonly Statement[]): Promise<unknown> => database.apply(statements, deadlineMs)
  return {
    ...ledgerWriter(apply),
    view: async (log) => {
      const [last = [], newest = []] = await database.read(viewStatements(log), deadlineMs)
      const [entry] = last
      const [checkpoint] = newest
      return {
        entries: entry
          ? { size: Number(entry.idx) + 1, lastLeaf: bytes(entry.leaf) }
          : { size: 0, lastLeaf: new Uint8Array(0) },
        checkpoint: checkpoint ? { size: Number(checkpoint.size), note: checkpoint.note as string } : null,
      }
    },
    register: async ({ log, origin, vkey, mldsa44Vkey }, predecessor) => {
      await apply([
        {
          sql: 'insert into log (log, origin, vkey, mldsa44_vkey, predecessor) values (?, ?, ?, ?, ?)',
          args: [log, origin, vkey, mldsa44Vkey, predecessor],
        },
      ])
    },
    putTiles: async (log, tiles) => {
      const rows = tiles.map(({ tile: { level, index }, bytes: hashes }) => [
        level,
        Number(index),
        hex(hashes),
      ])
      await apply([
        {
          sql: `insert into tile (log, level, idx, hashes)
                  select ?, value ->> 0, value ->> 1, unhex(value ->> 2) from json_each(?) order by key`,
          args: [log, JSON.stringify(rows)],
        },
      ])
    },
    putCheckpoint: async (log, { size, time, note }) => {
      await apply([
        {
          sql: 'insert into checkpoint (log, size, time, note) values (?, ?, ?, ?)',
          args: [log, size, time, note],
        },
      ])
    },
    putCosignature: async (log, size, witness, line) => {
      await apply([
        {
          sql: `insert into cosignature (log, size, witness, line) values (?, ?, ?, ?)
                  on conflict (log, size, witness) do nothing`,
          args: [log, size, witness, line],
        },
      ])
    },
    readTiles: (log, tiles) => readTiles(database, log, tiles),
    readLeaves: async (log, from, end) => {
      const [rows = []] = await database.read([leavesStatement(log, from, end)], deadlineMs)
      return rows.map(({ leaf }) => bytes(leaf))
    },
    putSuccessor: async (log, successor) => {
      await apply([{ sql: 'insert into log_retired (log, successor) values (?, ?)', args: [log, successor] }])
    },
  }
}

const viewStatements = (log: string): Statement[] => [
  { sql: 'select idx, leaf from ledger_leaf where log = ? order by idx desc limit 1', args: [log] },
  checkpointsStatement(log, 1),
]
