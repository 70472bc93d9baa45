/** Reading what a log has published in the audit database: checkpoints with their cosignatures, tiles, leaves. */
import { limits } from '../limits.ts'
import type { Reader, Row, Statement } from '../store/ports.ts'
import { FormatError } from './tlog/errors.ts'
import { type Tile, tileWidth } from './tlog/tile.ts'

export interface PublishedCheckpoint {
  readonly size: number
  /** The signed note, cosignature lines included. */
  readonly note: string
  /** Names of the witnesses that cosigned it. */
  readonly witnesses: readonly string[]
}

/** The newest checkpoints of `log`, newest first, at most `count`. */
export const checkpointsStatement = (log: string, count: number): Statement => ({
  sql: `select size, note,
               (select json_group_array(json_array(witness, line))
                  from (select witness, line from cosignature as c
                         where c.log = checkpoint.log and c.size = checkpoint.size order by witness)) as cosignatures
          from checkpoint where log = ? order by size desc limit ?`,
  args: [log, count],
})

export function publishedCheckpoint({ size, note, cosignatures }: Row): PublishedCheckpoint {
  const lines = JSON.parse(cosignatures as string) as [string, string][]
  return {
    size: Number(size),
    note: `${note}${lines.map(([, line]) => line).join('')}`,
    witnesses: lines.map(([witness]) => witness),
  }
}

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
  const found = new Map(
    rows.map(({ level, idx, hashes }) => [`${level}/${idx}`, new Uint8Array(hashes as ArrayBuffer)]),
  )
  return tiles.map(({ level, index, width }) => {
    const hashes = found.get(`${level}/${index}`)
    if (!hashes || hashes.length < width * 32)
      throw new FormatError(`tile ${level}/${index} of ${log} has no ${width} hashes`)
    return hashes.subarray(0, width * 32)
  })
}

/** The leaves of entry bundle `index`, at most `width`, in order: one row (`leaf`) each. */
export const bundleStatement = (log: string, index: number, width: number): Statement => ({
  sql: 'select leaf from ledger_leaf where log = ? and idx >= ? and idx < ? order by idx',
  args: [log, index * tileWidth, index * tileWidth + width],
})
