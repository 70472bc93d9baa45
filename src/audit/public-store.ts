/** What a log has published in the audit database: reading checkpoints with their cosignatures, tiles and leaves; thinning. */
import { limits } from '../limits.ts'
import type { Reader, Row, Rows, Statement } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import { FormatError } from './tlog/errors.ts'
import { hashSize } from './tlog/hash.ts'
import { type Tile, tilePath } from './tlog/tile.ts'

export interface PublishedCheckpoint {
  readonly size: number
  /** The signed note, cosignature lines included. */
  readonly note: string
}

/** The newest checkpoints of `log`, newest first, at most `count`. */
export const checkpointsStatement = (log: string, count: number): Statement => ({
  sql: `select size, note,
               (select group_concat(line, '')
                  from (select line from cosignature as c
                         where c.log = checkpoint.log and c.size = checkpoint.size order by witness)) as cosignatures
          from checkpoint where log = ? order by size desc limit ?`,
  args: [log, count],
})

/** @param row of `checkpointsStatement` */
export const publishedCheckpoint = ({ size, note, cosignatures }: Row): PublishedCheckpoint => ({
  size: Number(size),
  note: `${note}${cosignatures ?? ''}`,
})

/**
 * Thins the checkpoints from before `before` (milliseconds since 1970) to the newest of each hour: a busy log signs 300 MB of
 * them a day. Their cosignatures go with them, also where the database does not see to it.
 */
export const thinningStatements = (before: number): Statement[] => [
  {
    sql: `delete from checkpoint where (log, size) in (
            select log, size from (
              select log, size, time, lead(time) over (partition by log order by size) as next from checkpoint)
             where time < ? and next / 3600000 = time / 3600000 limit ?)`,
    args: [before, limits.maxPrunedCheckpoints],
  },
  {
    sql: `delete from cosignature where not exists (
            select 1 from checkpoint as c where c.log = cosignature.log and c.size = cosignature.size)`,
  },
]

/** One row (`level`, `idx`, `hashes`) for each tile that is there, as wide as it is now. */
export const tilesStatement = (log: string, tiles: readonly Pick<Tile, 'level' | 'index'>[]): Statement => ({
  sql: `select level, tile.idx as idx, hashes from json_each(?) as wanted
          cross join tile on tile.log = ? and level = wanted.value ->> 0 and tile.idx = wanted.value ->> 1`,
  args: [JSON.stringify(tiles.map(({ level, index }) => [level, Number(index)])), log],
})

/** Tiles as they are stored: of whatever width they have by now. */
export class StoredTiles {
  readonly #hashes: ReadonlyMap<string, Uint8Array>

  /** @param rows of `tilesStatement` */
  constructor(rows: Rows) {
    this.#hashes = new Map(rows.map(({ level, idx, hashes }) => [`${level}/${idx}`, bytes(hashes)]))
  }

  /** Cut to the width of the tile; null: it is not there, or narrower. */
  hashesOf({ level, index, width }: Tile): Uint8Array | null {
    const hashes = this.#hashes.get(`${level}/${index}`)
    return hashes && hashes.length >= width * hashSize ? hashes.subarray(0, width * hashSize) : null
  }

  hashAt(tile: Tile, i: number): Uint8Array | null {
    return this.hashesOf({ ...tile, width: i + 1 })?.subarray(i * hashSize) ?? null
  }
}

/**
 * The hashes of these tiles, cut to their widths, in order.
 * @throws FormatError for one that is not there at that width. Rejects with `StoreError`.
 */
export async function readTiles(
  reader: Reader,
  log: string,
  tiles: readonly Tile[],
): Promise<readonly Uint8Array[]> {
  if (tiles.length === 0) return []
  const [rows = []] = await reader.read([tilesStatement(log, tiles)])
  const stored = new StoredTiles(rows)
  return tiles.map((tile) => {
    const hashes = stored.hashesOf(tile)
    if (!hashes) throw new FormatError(`${tilePath(tile)} of ${log} has no ${tile.width} hashes`)
    return hashes
  })
}

/** The leaves at [`first`, `end`) as far as they are there, in order: one row (`idx`, `leaf`) each. */
export const leavesStatement = (log: string, first: number, end: number): Statement => ({
  sql: 'select idx, leaf from ledger_leaf where log = ? and idx >= ? and idx < ? order by idx',
  args: [log, first, end],
})
