/** Tiles and bundles of one log, fetched and looked at: their length, the form of their entries. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { hashSize } from '../tlog/hash.ts'
import { decodeEntries, entriesPath, type Tile, tilePath, tileWidth } from '../tlog/tile.ts'
import { entryPlace, type Finding, finding } from './report.ts'

/** Bytes at a path below the log's prefix; null: nothing is there. */
export type FetchFile = (path: string) => Promise<Uint8Array | null>

const leafBytes = 33
/** Each entry after its length in two bytes. */
const recordBytes = 2 + leafBytes

/** @returns the hashes of a tile */
export async function fetchTile(
  fetchFile: FetchFile,
  log: string,
  tile: Tile,
): Promise<Result<readonly Uint8Array[], Finding>> {
  const path = tilePath(tile)
  const bytes = await fetchWide(
    fetchFile,
    path,
    tilePath({ ...tile, width: tileWidth }),
    tile.width * hashSize,
  )
  if (bytes === null) return err(finding('tile', `${log}/${path}`, 'The tile is missing.'))
  if (bytes.length !== tile.width * hashSize)
    return err(
      finding(
        'tile',
        `${log}/${path}`,
        `The tile of ${tile.width} hashes has ${bytes.length} bytes, not ${tile.width * hashSize}.`,
      ),
    )
  return ok(Array.from({ length: tile.width }, (_, i) => bytes.subarray(i * hashSize, (i + 1) * hashSize)))
}

/** @returns the leaves of a bundle */
export async function fetchBundle(
  fetchFile: FetchFile,
  log: string,
  index: bigint,
  width: number,
): Promise<Result<readonly Uint8Array[], Finding>> {
  const path = entriesPath(index, width)
  const bytes = await fetchWide(fetchFile, path, entriesPath(index, tileWidth), width * recordBytes)
  if (bytes === null) return err(finding('tile', `${log}/${path}`, 'The bundle is missing.'))
  const entries = entriesOf(bytes, width)
  if (entries === null)
    return err(
      finding('tile', `${log}/${path}`, `The ${bytes.length} bytes of the bundle are not ${width} entries.`),
    )
  const wrong = entries.findIndex((entry) => entry.length !== leafBytes || entry[0] !== 1)
  if (wrong === -1) return ok(entries)
  return err(
    finding(
      'bundle-leaf',
      entryPlace(log, index * BigInt(tileWidth) + BigInt(wrong)),
      'The entry is no leaf of 33 bytes that begins with 1.',
    ),
  )
}

/** A log may delete a partial tile when it has the full one, which begins with it. */
async function fetchWide(
  fetchFile: FetchFile,
  path: string,
  fullPath: string,
  length: number,
): Promise<Uint8Array | null> {
  const bytes = await fetchFile(path)
  if (bytes !== null || path === fullPath) return bytes
  return (await fetchFile(fullPath))?.subarray(0, length) ?? null
}

/** Null: the bytes cannot be divided so. An entry of another length than a leaf's comes as one without bytes. */
function entriesOf(bytes: Uint8Array, count: number): readonly Uint8Array[] | null {
  if (bytes.length === count * recordBytes)
    return Array.from({ length: count }, (_, i) => {
      const record = bytes.subarray(i * recordBytes, (i + 1) * recordBytes)
      return record[0] === 0 && record[1] === leafBytes ? record.subarray(2) : new Uint8Array()
    })
  try {
    return decodeEntries(bytes, count)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return null
  }
}
