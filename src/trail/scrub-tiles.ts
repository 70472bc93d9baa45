/** What the scrub asks of the tiles in the audit database: the root at a size, and whether each fits the one above. */
import { sha256 } from '../audit/commitment.ts'
import { StoredTiles, tilesStatement } from '../audit/public-store.ts'
import { edgeRoot } from '../audit/tlog/fold.ts'
import { hashSize, sameBytes } from '../audit/tlog/hash.ts'
import { completeSubtrees } from '../audit/tlog/proof.ts'
import { type Tile, tileHashReader, tilePath, tileWidth } from '../audit/tlog/tile.ts'
import { treeHash } from '../audit/tlog/tree.ts'
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'

/** A full tile and where its hash stands. */
export interface TileStep {
  readonly tile: Tile
  readonly above: Tile
  /** Of the hash in `above`. */
  readonly position: number
}

/**
 * The full tiles that end where full bundle `bundle` does, from the leaves up: each is looked at once in a pass through the
 * log.
 */
export function stepsOf(bundle: number): TileStep[] {
  const steps: TileStep[] = []
  let index = bundle
  for (let level = 0; ; level += 1) {
    const position = index % tileWidth
    const parent = Math.floor(index / tileWidth)
    steps.push({
      tile: { level, index: BigInt(index), width: tileWidth },
      above: { level: level + 1, index: BigInt(parent), width: position + 1 },
      position,
    })
    // Only the last hash of a tile makes it full.
    if (position !== tileWidth - 1) return steps
    index = parent
  }
}

export interface TileFinding {
  readonly kind: 'tile-missing' | 'tile-differs'
  /** Path of the tile. */
  readonly place: string
}

/** Of steps whose tiles were looked for: what is missing, or does not hash to its place above. */
export function checkSteps(tiles: StoredTiles, steps: readonly TileStep[]): TileFinding[] {
  return steps.flatMap(({ tile, above, position }): TileFinding[] => {
    const hashes = tiles.hashesOf(tile)
    const expected = tiles.hashAt(above, position)
    if (!hashes) return [{ kind: 'tile-missing', place: tilePath(tile) }]
    if (!expected) return [{ kind: 'tile-missing', place: tilePath(above) }]
    return sameBytes(rootOfTile(hashes), expected) ? [] : [{ kind: 'tile-differs', place: tilePath(tile) }]
  })
}

const rootOfTile = (hashes: Uint8Array): Uint8Array =>
  treeHash(
    sha256,
    Array.from({ length: hashes.length / hashSize }, (_, i) =>
      hashes.subarray(i * hashSize, (i + 1) * hashSize),
    ),
  )

class MissingTile extends Error {
  readonly path: string
  constructor(path: string) {
    super(`${path} is missing`)
    this.path = path
  }
}

/** The root of the tree of `size` leaves as its tiles give it, or the path of a tile that is missing or too narrow. */
export async function rootAt(
  reader: Reader,
  log: string,
  size: number,
): Promise<{ readonly root: Uint8Array } | { readonly missing: string }> {
  const hashes = tileHashReader(sha256, BigInt(size), async (wanted) => {
    const [rows = []] = await reader.read([tilesStatement(log, wanted)], limits.scrubDeadlineMs)
    const found = new StoredTiles(rows)
    return wanted.map((tile) => {
      const bytes = found.hashesOf(tile)
      if (!bytes) throw new MissingTile(tilePath(tile))
      return bytes
    })
  })
  try {
    return { root: edgeRoot(sha256, await hashes(completeSubtrees(0n, BigInt(size)))) }
  } catch (error) {
    if (error instanceof MissingTile) return { missing: error.path }
    throw error
  }
}
