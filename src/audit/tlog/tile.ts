/** Tiles (C2SP tlog-tiles): the tree as files of up to 256 hashes, and its entries in bundles of as many. */
import { FormatError, quote } from './errors.ts'
import { type Subtree, TreeFold } from './fold.ts'
import { hashSize, type Sha256 } from './hash.ts'
import type { HashReader } from './proof.ts'
import { checkSize, maxSize, readUint64, uint64Bytes } from './size.ts'
import { treeHash } from './tree.ts'

/** Hashes of a full tile, entries of a full bundle. */
export const tileWidth = 256

/** Tree levels a tile spans. */
const tileHeight = 8

/** A tree of fewer than 2^64 leaves has tiles at no more levels. */
const tileLevels = 8

/** C2SP tlog-tiles gives the length of an entry in a uint16. */
export const maxEntryBytes = 0xffff

/**
 * Hashes [256 · index, 256 · index + width) at a level, of which each is the tree hash of 256^level leaves. A tile of
 * fewer than 256 hashes is partial: it stands at the right edge of a tree.
 */
export interface Tile {
  /** From 0, leaf hashes, to 63. */
  readonly level: number
  readonly index: bigint
  /** From 1 to 256. */
  readonly width: number
}

/** The path of a tile below a log's prefix, such as `tile/0/x001/234.p/5`. */
export function tilePath(tile: Tile): string {
  if (!Number.isInteger(tile.level) || tile.level < 0 || tile.level > 63)
    throw new RangeError(`a tile's level is from 0 to 63, not ${tile.level}`)
  return `tile/${tile.level}/${indexPath(tile.index, tile.width)}`
}

/** The path of an entry bundle below a log's prefix, such as `tile/entries/x001/234.p/5`. */
export const entriesPath = (index: bigint, width: number): string => `tile/entries/${indexPath(index, width)}`

/** What a path below a log's prefix asks for. */
export type TilePath =
  | { readonly kind: 'hashes'; readonly tile: Tile }
  | { readonly kind: 'entries'; readonly index: bigint; readonly width: number }

/** @throws FormatError on everything `tilePath` and `entriesPath` do not make */
export function parseTilePath(path: string): TilePath {
  const fail = (): FormatError => new FormatError(`this is not the path of a tile or bundle: ${quote(path)}.`)
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,6}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path)
  if (match === null) throw fail()
  const [, kind, groups, suffix] = match as unknown as [string, string, string, string | undefined]
  const index = BigInt(groups.replace(/[x/]/g, ''))
  const width = suffix === undefined ? tileWidth : Number(suffix)
  const level = Number(kind)
  if (index > maxSize || width < 1 || width > tileWidth || level > 63) throw fail()
  // One path for one tile: leading zeros, groups too many and a full tile written as a partial one are no paths.
  const canonical = kind === 'entries' ? entriesPath(index, width) : tilePath({ level, index, width })
  if (canonical !== path) throw fail()
  return kind === 'entries'
    ? { kind: 'entries', index, width }
    : { kind: 'hashes', tile: { level, index, width } }
}

function indexPath(index: bigint, width: number): string {
  checkSize(index, 'the index of a tile')
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw new RangeError(`a tile is 1 to ${tileWidth} wide, not ${width}`)
  const digits = index.toString()
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) as string[]
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return width === tileWidth ? path : `${path}.p/${width}`
}

/** Hashes at a tile level of a tree: one per complete subtree of 256^level leaves. */
const hashesAt = (size: bigint, level: number): bigint => size >> BigInt(tileHeight * level)

/** The tile with this index in a tree that has so many hashes at the level. */
const tileAt = (level: number, index: bigint, hashes: bigint): Tile => {
  const width = hashes - index * BigInt(tileWidth)
  return { level, index, width: width > tileWidth ? tileWidth : Number(width) }
}

/** Whether the tree of `size` leaves has this tile, as wide or wider. */
export const isTileOf = ({ level, index, width }: Tile, size: bigint): boolean =>
  index * BigInt(tileWidth) + BigInt(width) <= hashesAt(size, level)

/**
 * The right edge of a tree's tiles: the last tile of each level, partial or full, levels ascending. With the full
 * tiles to the left of them they are all the tiles there are.
 */
export function tilesOf(size: bigint): Tile[] {
  checkSize(size, 'a tree size')
  const tiles: Tile[] = []
  for (let level = 0; hashesAt(size, level) > 0n && level < tileLevels; level += 1) {
    const hashes = hashesAt(size, level)
    tiles.push(tileAt(level, (hashes - 1n) / BigInt(tileWidth), hashes))
  }
  return tiles
}

/**
 * The tiles of the tree of `to` leaves that the tree of `from` leaves has not, or has only in part: what a log that
 * grew must publish. Levels ascending, indices ascending.
 */
export function tilesBetween(from: bigint, to: bigint): Tile[] {
  checkSize(from, 'a tree size')
  checkSize(to, 'a tree size')
  const tiles: Tile[] = []
  for (let level = 0; level < tileLevels; level += 1) {
    const hashes = hashesAt(to, level)
    const had = hashesAt(from, level)
    if (hashes <= had) break
    for (let index = had / BigInt(tileWidth); index * BigInt(tileWidth) < hashes; index += 1n)
      tiles.push(tileAt(level, index, hashes))
  }
  return tiles
}

/**
 * An entry bundle: each entry after its length in two bytes, most significant first.
 * @throws RangeError on more than 256 entries or one of more than 65,535 bytes
 */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length > tileWidth) throw new RangeError(`a bundle holds at most ${tileWidth} entries`)
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > maxEntryBytes) throw new RangeError(`an entry has at most ${maxEntryBytes} bytes`)
    bytes[at] = entry.length >> 8
    bytes[at + 1] = entry.length & 0xff
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/** @throws FormatError unless the bytes are exactly `count` entries */
export function decodeEntries(bytes: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < count) {
    const [high, low] = bytes.subarray(at, at + 2)
    if (high === undefined || low === undefined)
      throw new FormatError(`the bundle ends before the length of entry ${entries.length} of ${count}.`)
    const end = at + 2 + ((high << 8) | low)
    if (end > bytes.length)
      throw new FormatError(`the bundle ends within entry ${entries.length} of ${count}.`)
    entries.push(copyOf(bytes, at + 2, end))
    at = end
  }
  if (at !== bytes.length)
    throw new FormatError(`the bundle has ${bytes.length - at} bytes after its ${count} entries.`)
  return entries
}

/** A copy even of what Node's `Buffer.slice` would only show: what is kept must not change with the source. */
const copyOf = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  new Uint8Array(bytes.subarray(from, to))

/** Hash number `i` of a tile. */
const hashIn = (tile: Uint8Array, i: number): Uint8Array => copyOf(tile, i * hashSize, (i + 1) * hashSize)

/**
 * Reads hashes of complete subtrees out of the tiles of a tree of `size` leaves. Each call asks `fetchTiles` once, for
 * every tile it needs once, at the width it has in this tree. The hashes are as good as the tiles: verify what is
 * made of them.
 * @returns a reader that rejects with a RangeError when a subtree is not in the tree, and with a FormatError when a
 * tile has the wrong length
 */
export function tileHashReader(
  sha256: Sha256,
  size: bigint,
  fetchTiles: (tiles: readonly Tile[]) => Promise<readonly Uint8Array[]>,
): HashReader {
  checkSize(size, 'a tree size')
  return async (subtrees) => {
    const places = subtrees.map((subtree) => placeOf(subtree, size))
    const tiles = new Map(places.map(({ tile }) => [tilePath(tile), tile]))
    const wanted = [...tiles.values()]
    const fetched = wanted.length === 0 ? [] : await fetchTiles(wanted)
    const bytesAt = new Map<string, Uint8Array>()
    wanted.forEach((tile, i) => {
      const bytes = fetched[i]
      if (bytes?.length !== tile.width * hashSize)
        throw new FormatError(
          `${tilePath(tile)} must have ${tile.width * hashSize} bytes, not ${bytes?.length ?? 0}.`,
        )
      bytesAt.set(tilePath(tile), bytes)
    })
    return places.map(({ tile, first, count }) => {
      const bytes = bytesAt.get(tilePath(tile)) as Uint8Array
      return treeHash(
        sha256,
        Array.from({ length: count }, (_, i) => hashIn(bytes, first + i)),
      )
    })
  }
}

/** The tile a subtree's hash is in, or is the hash of a part of. */
function placeOf(subtree: Subtree, size: bigint): { tile: Tile; first: number; count: number } {
  if ((subtree.index + 1n) << BigInt(subtree.level) > size)
    throw new RangeError(`a tree of ${size} leaves has no subtree ${subtree.index} at level ${subtree.level}`)
  const level = Math.floor(subtree.level / tileHeight)
  const within = BigInt(subtree.level % tileHeight)
  const first = subtree.index << within
  const index = first / BigInt(tileWidth)
  return {
    tile: tileAt(level, index, hashesAt(size, level)),
    first: Number(first % BigInt(tileWidth)),
    count: 1 << Number(within),
  }
}

/** The partial tiles at the right edge of a tree: what a log must keep to append to its tiles. Never changes. */
export class TileEdge {
  readonly #size: bigint
  // The hashes of each level's partial tile; levels without one, and all above the highest, are empty.
  readonly #partial: readonly (readonly Uint8Array[])[]

  private constructor(size: bigint, partial: readonly (readonly Uint8Array[])[]) {
    this.#size = size
    this.#partial = partial
  }

  static empty(): TileEdge {
    return new TileEdge(
      0n,
      Array.from({ length: tileLevels }, () => []),
    )
  }

  /** @throws FormatError on bytes `encode` does not make */
  static decode(bytes: Uint8Array): TileEdge {
    if (bytes.length < 8) throw new FormatError('the tile edge ends before its size.')
    const size = readUint64(bytes)
    const widths = partialWidths(size)
    const hashes = widths.reduce((sum, width) => sum + width, 0)
    if (bytes.length !== 8 + hashes * hashSize)
      throw new FormatError(
        `the tile edge of ${size} leaves must have ${8 + hashes * hashSize} bytes, not ${bytes.length}.`,
      )
    let next = 0
    const partial = widths.map((width) => {
      next += width
      return Array.from({ length: width }, (_, i) => hashIn(bytes.subarray(8), next - width + i))
    })
    return new TileEdge(size, partial)
  }

  /** The size in eight bytes, then the partial tile of each level from the leaves up: at most 65,288 bytes. */
  encode(): Uint8Array {
    return joinBytes([uint64Bytes(this.#size), ...this.#partial.flat()])
  }

  get size(): bigint {
    return this.#size
  }

  /**
   * The edge with more leaves, and the tiles that are new or wider, whole, in the order of `tilesBetween`.
   * @throws RangeError when the tree would have 2^64 leaves or more
   */
  append(
    sha256: Sha256,
    leafHashes: readonly Uint8Array[],
  ): { edge: TileEdge; tiles: { tile: Tile; bytes: Uint8Array }[] } {
    const size = this.#size + BigInt(leafHashes.length)
    checkSize(size, 'a tree size')
    const tiles: { tile: Tile; bytes: Uint8Array }[] = []
    let added = leafHashes
    const partial = this.#partial.map((had, level) => {
      const hashes = [...had, ...added]
      const isGrown = added.length > 0
      const full: Uint8Array[] = []
      const firstIndex = hashesAt(this.#size, level) / BigInt(tileWidth)
      for (let at = 0; isGrown && at < hashes.length; at += tileWidth) {
        const inTile = hashes.slice(at, at + tileWidth)
        const index = firstIndex + BigInt(at / tileWidth)
        tiles.push({ tile: { level, index, width: inTile.length }, bytes: joinBytes(inTile) })
        if (inTile.length === tileWidth) full.push(treeHash(sha256, inTile))
      }
      added = full
      return hashes.slice(full.length * tileWidth)
    })
    return { edge: new TileEdge(size, partial), tiles }
  }

  /** The root of the tree. */
  root(sha256: Sha256): Uint8Array {
    const fold = new TreeFold(sha256)
    for (let level = tileLevels - 1; level >= 0; level -= 1) {
      for (const hash of this.#partial[level] ?? []) {
        const height = tileHeight * level
        fold.pushSubtree({ level: height, index: fold.size >> BigInt(height) }, hash)
      }
    }
    return fold.root()
  }
}

const partialWidths = (size: bigint): number[] =>
  Array.from({ length: tileLevels }, (_, level) => Number(hashesAt(size, level) % BigInt(tileWidth)))

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
