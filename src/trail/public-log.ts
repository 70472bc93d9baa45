/**
 * What anyone may read of the logs (C2SP tlog-tiles): their list, checkpoints, tiles and entry bundles. Read are the tables
 * that hold nothing personal, and of the ledger the leaves.
 */
import { logName } from '../audit/log-name.ts'
import {
  checkpointsStatement,
  leavesStatement,
  publishedCheckpoint,
  StoredTiles,
  tilesStatement,
} from '../audit/public-store.ts'
import { FormatError } from '../audit/tlog/errors.ts'
import { encodeEntries, isTileOf, parseTilePath, type TilePath, tileWidth } from '../audit/tlog/tile.ts'
import { limits } from '../limits.ts'
import type { Reader, Rows } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import { registeredStatement } from './ledger-sql.ts'

export interface PublicFile {
  readonly contentType: string
  readonly maxAgeSeconds: number
  /** It never changes. */
  readonly isImmutable: boolean
  readonly body: string | Uint8Array<ArrayBuffer>
}

const brief = { maxAgeSeconds: limits.publicCacheSeconds, isImmutable: false } as const

/** @param address public address of this record, without a slash at the end. Rejects with `StoreError`. */
export async function logList(ledger: Reader, address: string): Promise<PublicFile> {
  const [rows = []] = await ledger.read([registeredStatement])
  const logs = rows.map(({ log, origin, vkey, mldsa44_vkey, predecessor, successor }) => ({
    log,
    origin,
    url: `${address}/audit/logs/${log}`,
    vkey,
    mldsa44Vkey: mldsa44_vkey,
    predecessor,
    successor,
  }))
  return { ...brief, contentType: 'application/json; charset=utf-8', body: JSON.stringify({ logs }) }
}

const filePath = /^\/audit\/logs\/([^/]+)\/(checkpoint|tile\/.+)$/

/**
 * The file at a path as it was received, percent-encoding included; null: there is none, or not yet. Rejects with
 * `StoreError`.
 */
export async function publicFile(ledger: Reader, path: string): Promise<PublicFile | null> {
  const [, log, file] = filePath.exec(path) ?? []
  if (log === undefined || file === undefined || !logName.test(log)) return null
  if (file === 'checkpoint') return await newestCheckpoint(ledger, log)
  const tile = tilePathOf(file)
  return tile && (await publishedTile(ledger, log, tile))
}

async function newestCheckpoint(ledger: Reader, log: string): Promise<PublicFile | null> {
  const [rows] = await ledger.read([checkpointsStatement(log, 1)])
  const [row] = rows ?? []
  if (!row) return null
  return { ...brief, contentType: 'text/plain; charset=utf-8', body: publishedCheckpoint(row).note }
}

function tilePathOf(file: string): TilePath | null {
  try {
    return parseTilePath(file)
  } catch (error) {
    if (error instanceof FormatError) return null
    throw error
  }
}

/** Indices up to here times 256 are exact as numbers; no log of ours gets that large. */
const maxTileIndex = 2n ** 44n

/** What is beyond the newest checkpoint is not there, whatever the tables hold already. */
async function publishedTile(ledger: Reader, log: string, path: TilePath): Promise<PublicFile | null> {
  // A bundle is as wide as the tile of its leaf hashes.
  const tile = path.kind === 'hashes' ? path.tile : { ...path, level: 0 }
  if (tile.index > maxTileIndex) return null
  const first = Number(tile.index) * tileWidth
  const [sizes, rows = []] = await ledger.read([
    { sql: 'select max(size) as size from checkpoint where log = ?', args: [log] },
    path.kind === 'hashes' ? tilesStatement(log, [tile]) : leavesStatement(log, first, first + tile.width),
  ])
  if (!isTileOf(tile, BigInt(Number(sizes?.[0]?.size ?? 0)))) return null
  const body = path.kind === 'hashes' ? new StoredTiles(rows).hashesOf(tile) : bundleOf(rows, tile.width)
  return (
    body && {
      contentType: 'application/octet-stream',
      maxAgeSeconds: limits.tileCacheSeconds,
      isImmutable: true,
      body: new Uint8Array(body),
    }
  )
}

const bundleOf = (rows: Rows, width: number): Uint8Array | null =>
  rows.length === width ? encodeEntries(rows.map(({ leaf }) => bytes(leaf))) : null
