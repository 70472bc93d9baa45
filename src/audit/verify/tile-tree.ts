/**
 * A log's tiles against the root of its checkpoint, from the root down: a hash that is vouched for from above tells
 * which of two below it is wrong. Holds one tile a level.
 */
import { limits } from '../../limits.ts'
import { TreeFold } from '../tlog/fold.ts'
import { leafHash, sameBytes } from '../tlog/hash.ts'
import { entriesPath, type Tile, tilePath, tilesOf, tileWidth } from '../tlog/tile.ts'
import { treeHash } from '../tlog/tree.ts'
import type { VerifierCrypto } from './crypto.ts'
import { FetchAhead } from './fetch-ahead.ts'
import { entryPlace, type Finding, finding } from './report.ts'
import { type FetchFile, fetchBundle, fetchTile } from './tile-store.ts'

type Hashes = readonly Uint8Array[]

/** A tile and its hashes. */
interface Loaded {
  readonly tile: Tile
  readonly hashes: Hashes
}

const width = BigInt(tileWidth)

export class TileTree {
  readonly #crypto: VerifierCrypto
  readonly #log: string
  readonly #files: FetchAhead
  readonly #onLeaves: (count: number) => void

  /** @param onLeaves is told of leaves that were verified */
  constructor(crypto: VerifierCrypto, log: string, fetchFile: FetchFile, onLeaves: (count: number) => void) {
    this.#crypto = crypto
    this.#log = log
    this.#files = new FetchAhead(fetchFile)
    this.#onLeaves = onLeaves
  }

  /** The first thing wrong, from left to right. */
  async fault({ size, root }: { readonly size: bigint; readonly root: Uint8Array }): Promise<Finding | null> {
    const edge: Loaded[] = []
    // A full tile at the edge has its hash one level up.
    for (const tile of tilesOf(size).filter((last) => last.width < tileWidth)) {
      const hashes = await fetchTile(this.#files.fetchFile, this.#log, tile)
      if (!hashes.ok) return hashes.error
      edge.unshift({ tile, hashes: hashes.value })
    }
    if (!sameBytes(this.#edgeRoot(edge), root)) return await this.#edgeFault(edge, root)
    for (const { tile, hashes } of edge) {
      const fault = await this.#belowFault(tile, hashes)
      if (fault !== null) return fault
    }
    return null
  }

  /** @param edge partial tiles, highest level first */
  #edgeRoot(edge: readonly Loaded[]): Uint8Array {
    const fold = new TreeFold(this.#crypto.sha256)
    for (const { tile, hashes } of edge) {
      const level = 8 * tile.level
      for (const hash of hashes) fold.pushSubtree({ level, index: fold.size >> BigInt(level) }, hash)
    }
    return fold.root()
  }

  /** The edge does not give the root: the lowest tile of it that disagrees with what is below. */
  async #edgeFault(edge: readonly Loaded[], root: Uint8Array): Promise<Finding | null> {
    for (const { tile, hashes } of edge.toReversed()) {
      const isRight = (below: Hashes): boolean => {
        const repaired = edge.map((loaded) => (loaded.tile === tile ? { tile, hashes: below } : loaded))
        return sameBytes(this.#edgeRoot(repaired), root)
      }
      const fault = await this.#slotFault(tile, hashes, isRight)
      if (fault !== null) return fault
    }
    return finding(
      'root',
      this.#log,
      'Tiles and bundles agree with each other, and do not give the root of the checkpoint.',
    )
  }

  /**
   * The first hash of a tile, one that is not vouched for, that is not that of what is below it.
   * @param isRight whether the leaf hashes that a bundle gives are those that are vouched for
   */
  async #slotFault(tile: Tile, hashes: Hashes, isRight: (below: Hashes) => boolean): Promise<Finding | null> {
    if (tile.level === 0) {
      const leaves = await this.#leafHashes(tile)
      if ('code' in leaves) return leaves
      const slot = firstDifference(hashes, leaves)
      if (slot === -1) return null
      return isRight(leaves)
        ? this.#hashFault(tile, slot)
        : this.#leafFault(tile, slot, 'Bundle and tile disagree on this entry, and the root with both.')
    }
    for (const [slot, hash] of hashes.entries()) {
      const below = await fetchTile(this.#files.fetchFile, this.#log, childOf(tile, slot))
      if (!below.ok) return below.error
      if (!sameBytes(treeHash(this.#crypto.sha256, below.value), hash)) return this.#hashFault(tile, slot)
    }
    return null
  }

  /** The leaf hashes that the bundle of a tile gives. */
  async #leafHashes({ index, width: count }: Tile): Promise<Hashes | Finding> {
    const leaves = await fetchBundle(this.#files.fetchFile, this.#log, index, count)
    return leaves.ok ? leaves.value.map((leaf) => leafHash(this.#crypto.sha256, leaf)) : leaves.error
  }

  /** `tile-hash` */
  #hashFault(tile: Tile, slot: number): Finding {
    const place = `${this.#log}/${tilePath(tile)}`
    return finding(
      'tile-hash',
      place,
      tile.level === 0
        ? `Its hash of ${this.#leafPlace(tile, slot)} is not that of the entry in the bundle.`
        : `Its hash ${slot} is not that of ${tilePath(childOf(tile, slot))}.`,
    )
  }

  /** `bundle-leaf` */
  #leafFault(tile: Tile, slot: number, sentence: string): Finding {
    return finding('bundle-leaf', this.#leafPlace(tile, slot), sentence)
  }

  #leafPlace({ index }: Tile, slot: number): string {
    return entryPlace(this.#log, index * width + BigInt(slot))
  }

  /** Everything below a tile whose hashes are vouched for. */
  async #belowFault(tile: Tile, hashes: Hashes): Promise<Finding | null> {
    if (tile.level === 0) return this.#bundleFault(tile, hashes)
    for (const [slot, hash] of hashes.entries()) {
      if (tile.level === 1 && slot % limits.maxFetchedTiles === 0) this.#askAhead(tile, slot, hashes.length)
      const fault = await this.#tileFault(tile, slot, hash)
      if (fault !== null) return fault
    }
    return null
  }

  #askAhead(tile: Tile, from: number, until: number): void {
    const count = Math.min(limits.maxFetchedTiles, until - from)
    const tiles = Array.from({ length: count }, (_, i) => childOf(tile, from + i))
    this.#files.ask(tiles.flatMap((child) => [tilePath(child), entriesPath(child.index, tileWidth)]))
  }

  /** A full tile, by the hash that the one above has of it. */
  async #tileFault(parent: Tile, slot: number, expected: Uint8Array): Promise<Finding | null> {
    const tile = childOf(parent, slot)
    const hashes = await fetchTile(this.#files.fetchFile, this.#log, tile)
    if (!hashes.ok) return hashes.error
    if (sameBytes(treeHash(this.#crypto.sha256, hashes.value), expected))
      return await this.#belowFault(tile, hashes.value)
    // The tile is not what it was; what is below it tells where. If that agrees with it, all of it was changed.
    const isRight = (below: Hashes): boolean => sameBytes(treeHash(this.#crypto.sha256, below), expected)
    return (await this.#slotFault(tile, hashes.value, isRight)) ?? this.#hashFault(parent, slot)
  }

  /** `bundle-leaf`: entries against leaf hashes that are vouched for. */
  async #bundleFault(tile: Tile, hashes: Hashes): Promise<Finding | null> {
    const leaves = await this.#leafHashes(tile)
    if ('code' in leaves) return leaves
    const slot = firstDifference(hashes, leaves)
    if (slot !== -1)
      return this.#leafFault(
        tile,
        slot,
        'The entry in the bundle does not have the leaf hash of tile and root.',
      )
    this.#onLeaves(leaves.length)
    return null
  }
}

/** The full tile that a hash of a higher one is of. */
const childOf = (tile: Tile, slot: number): Tile => ({
  level: tile.level - 1,
  index: tile.index * width + BigInt(slot),
  width: tileWidth,
})

const firstDifference = (a: Hashes, b: Hashes): number =>
  a.findIndex((hash, i) => !sameBytes(hash, b[i] as Uint8Array))
