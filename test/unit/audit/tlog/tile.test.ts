import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import {
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../../../../src/audit/tlog/proof.ts'
import {
  decodeEntries,
  encodeEntries,
  entriesPath,
  parseTilePath,
  type Tile,
  TileEdge,
  tileHashReader,
  tilePath,
  tilesBetween,
  tilesOf,
} from '../../../../src/audit/tlog/tile.ts'
import { hex, leaves, NaiveTree, sha256 } from './support.ts'

const hashes = leaves(70_000)
const naive = new NaiveTree(hashes)

/** C2SP tlog-tiles, word for word: hash i of tile n at level l is MTH(D[(256n+i)·256^l : (256n+i+1)·256^l]). */
function tileBytes({ level, index, width }: Tile): Uint8Array {
  const span = 256 ** level
  const first = Number(index) * 256
  return Buffer.concat(
    Array.from({ length: width }, (_, i) => naive.root((first + i) * span, (first + i + 1) * span)),
  )
}

/** Every tile of a tree by its path, counted out. */
function allTiles(size: number): Map<string, Tile> {
  const tiles = new Map<string, Tile>()
  for (let level = 0; level < 8; level += 1) {
    for (let left = Math.floor(size / 256 ** level), index = 0n; left > 0; left -= 256, index += 1n) {
      const tile = { level, index, width: Math.min(left, 256) }
      tiles.set(tilePath(tile), tile)
    }
  }
  return tiles
}

describe('the path of a tile', () => {
  const paths: [string, ReturnType<typeof parseTilePath>][] = [
    ['tile/0/000', { kind: 'hashes', tile: { level: 0, index: 0n, width: 256 } }],
    ['tile/0/x001/x234/067', { kind: 'hashes', tile: { level: 0, index: 1234067n, width: 256 } }],
    ['tile/0/x001/234.p/5', { kind: 'hashes', tile: { level: 0, index: 1234n, width: 5 } }],
    ['tile/63/999.p/255', { kind: 'hashes', tile: { level: 63, index: 999n, width: 255 } }],
    ['tile/7/x001/000.p/1', { kind: 'hashes', tile: { level: 7, index: 1000n, width: 1 } }],
    ['tile/entries/x001/234.p/5', { kind: 'entries', index: 1234n, width: 5 }],
    ['tile/entries/007', { kind: 'entries', index: 7n, width: 256 }],
    [
      'tile/entries/x018/x446/x744/x073/x709/x551/615',
      { kind: 'entries', index: 2n ** 64n - 1n, width: 256 },
    ],
  ]

  test.each(paths)('%s is read and written', (path, parsed) => {
    expect(parseTilePath(path)).toEqual(parsed)
    const written = parsed.kind === 'hashes' ? tilePath(parsed.tile) : entriesPath(parsed.index, parsed.width)
    expect(written).toBe(path)
  })

  test.each([
    ['', 'nothing'],
    ['/tile/0/000', 'begins with a slash'],
    ['tile/0/000/', 'ends in a slash'],
    ['tile/0/000\n', 'ends in a newline'],
    ['tile/00/000', 'a level with a leading zero'],
    ['tile/01/000', 'a level with a leading zero'],
    ['tile/64/000', 'a level past 63'],
    ['tile/-1/000', 'a negative level'],
    ['tile/x/000', 'no level'],
    ['tile/000', 'no level'],
    ['tile/data/000', 'another kind'],
    ['tile/0/', 'no index'],
    ['tile/0/1', 'an index of one digit'],
    ['tile/0/0001', 'an index of four digits'],
    ['tile/0/x000', 'a last group with an x'],
    ['tile/0/001/234', 'a first group without an x'],
    ['tile/0/X001/234', 'an X'],
    ['tile/0/x000/234', 'a group too many'],
    ['tile/0/x000/x001/234', 'a group too many'],
    ['tile/0/x001/x234', 'a last group with an x'],
    ['tile/0/x01/234', 'a group of two digits'],
    ['tile/0/000.p/0', 'a width of nothing'],
    ['tile/0/000.p/256', 'a full tile as a partial one'],
    ['tile/0/000.p/999', 'a width past a tile'],
    ['tile/0/000.p/05', 'a width with a leading zero'],
    ['tile/0/000.p/', 'no width'],
    ['tile/0/000.p', 'no width'],
    ['tile/0/000.p/-1', 'a negative width'],
    ['tile/0/000.p/+5', 'a plus'],
    ['tile/0/000p/5', 'no dot'],
    ['tile/0/٠٠٠', 'foreign digits'],
    ['tile/entries/000.p/256', 'a full bundle as a partial one'],
    ['tile/0/x018/x446/x744/x073/x709/x551/616', 'an index of 2^64'],
    ['tile/0/x999/x999/x999/x999/x999/x999/x999/999', 'an index far past that'],
  ])('%j is refused: %s', (path) => {
    expect(() => parseTilePath(path)).toThrow(FormatError)
  })

  test.each([
    { level: 64, index: 0n, width: 1 },
    { level: -1, index: 0n, width: 1 },
    { level: 0.5, index: 0n, width: 1 },
    { level: 0, index: -1n, width: 1 },
    { level: 0, index: 2n ** 64n, width: 1 },
    { level: 0, index: 0n, width: 0 },
    { level: 0, index: 0n, width: 257 },
    { level: 0, index: 0n, width: 1.5 },
  ])('is not made of %o', (tile) => {
    expect(() => tilePath(tile)).toThrow(RangeError)
  })
})

describe('the tiles of a tree', () => {
  test('of 70,000 and of 256 leaves are those of the specification', () => {
    const edge = (size: bigint): string[] => tilesOf(size).map(tilePath)
    expect(edge(70_000n)).toEqual(['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1'])
    expect(edge(256n)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
    const all = tilesBetween(0n, 70_000n)
    const count = (level: number, isFull: boolean): number =>
      all.filter((tile) => tile.level === level && (tile.width === 256) === isFull).length
    expect([0, 1, 2, 3].map((level) => [count(level, true), count(level, false)])).toEqual([
      [273, 1],
      [1, 1],
      [0, 1],
      [0, 0],
    ])
    expect(tilesBetween(0n, 256n).map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
  })

  test('end where a level ends, full or not', () => {
    const edge = (size: bigint): string[] => tilesOf(size).map(tilePath)
    expect(edge(0n)).toEqual([])
    expect(edge(1n)).toEqual(['tile/0/000.p/1'])
    expect(edge(255n)).toEqual(['tile/0/000.p/255'])
    expect(edge(257n)).toEqual(['tile/0/001.p/1', 'tile/1/000.p/1'])
    expect(edge(65_536n)).toEqual(['tile/0/255', 'tile/1/000', 'tile/2/000.p/1'])
    expect(edge(65_537n)).toEqual(['tile/0/256.p/1', 'tile/1/000', 'tile/2/000.p/1'])
    const largest = tilesOf(2n ** 64n - 1n)
    expect(largest.map(({ level, width }) => [level, width])).toEqual(
      Array.from({ length: 8 }, (_, level) => [level, 255]),
    )
    expect(largest[0]?.index).toBe(2n ** 56n - 1n)
    expect(() => tilesOf(2n ** 64n)).toThrow(RangeError)
    expect(() => tilesOf(-1n)).toThrow(RangeError)
  })

  test('that a growing tree changes are those it has and the smaller had not', () => {
    const size = fc.oneof(
      fc.nat(70_000),
      fc.nat(600),
      fc.constantFrom(0, 255, 256, 257, 65_535, 65_536, 65_537, 65_792),
    )
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const had = allTiles(from)
        const expected = [...allTiles(to).keys()].filter((path) => !had.has(path))
        expect(tilesBetween(BigInt(from), BigInt(to)).map(tilePath)).toEqual(expected)
      }),
    )
  })

  test('past 2^53 leaves are where they should be', () => {
    const size = 2n ** 53n + 300n
    expect(tilesBetween(2n ** 53n, size).map(tilePath)).toEqual([
      'tile/0/x035/x184/x372/x088/832',
      'tile/0/x035/x184/x372/x088/833.p/44',
      'tile/1/x137/x438/x953/472.p/1',
    ])
    expect(tilesBetween(size, size)).toEqual([])
    expect(tilesBetween(size, 2n ** 53n)).toEqual([])
    expect(() => tilesBetween(0n, 2n ** 64n)).toThrow(RangeError)
    expect(() => tilesBetween(-1n, 0n)).toThrow(RangeError)
  })
})

describe('an entry bundle', () => {
  test('is each entry after its length in two bytes', () => {
    const long = new Uint8Array(300).fill(7)
    const bytes = encodeEntries([new Uint8Array([1, 2, 3]), new Uint8Array(0), long])
    expect(hex(bytes)).toBe(`00030102030000012c${'07'.repeat(300)}`)
    expect(decodeEntries(bytes, 3).map(hex)).toEqual(['010203', '', hex(long)])
    expect(encodeEntries([])).toEqual(new Uint8Array(0))
    expect(decodeEntries(new Uint8Array(0), 0)).toEqual([])
  })

  test('holds 256 entries of 65,535 bytes and no more', () => {
    const largest = new Uint8Array(65_535).fill(9)
    expect(decodeEntries(encodeEntries([largest]), 1)).toEqual([largest])
    expect(encodeEntries(Array(256).fill(new Uint8Array(0)))).toHaveLength(512)
    expect(() => encodeEntries([new Uint8Array(65_536)])).toThrow(RangeError)
    expect(() => encodeEntries(Array(257).fill(new Uint8Array(0)))).toThrow(RangeError)
  })

  test('is refused when it is cut off, goes on, or holds another number of entries', () => {
    const bytes = encodeEntries([new Uint8Array([1, 2, 3]), new Uint8Array([4])])
    const cut =
      (end: number): (() => unknown) =>
      () =>
        decodeEntries(bytes.slice(0, end), 2)
    expect(cut(7)).toThrow('ends within entry 1 of 2')
    expect(cut(6)).toThrow('ends before the length of entry 1 of 2')
    expect(cut(5)).toThrow('ends before the length of entry 1 of 2')
    expect(cut(4)).toThrow('ends within entry 0 of 2')
    expect(cut(0)).toThrow('ends before the length of entry 0 of 2')
    expect(() => decodeEntries(bytes, 1)).toThrow('3 bytes after its 1 entries')
    expect(() => decodeEntries(bytes, 3)).toThrow('entry 2 of 3')
    expect(() => decodeEntries(new Uint8Array([...bytes, 0]), 2)).toThrow(FormatError)
  })

  test('of any bytes gives entries that make the same bytes, or is refused', () => {
    const small = fc.array(fc.oneof(fc.constant(0), fc.nat(4)), { maxLength: 12 })
    fc.assert(
      fc.property(small, fc.nat(4), (numbers, count) => {
        const bytes = new Uint8Array(numbers)
        try {
          expect(encodeEntries(decodeEntries(bytes, count))).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
    )
  })
})

describe('hashes out of tiles', () => {
  /** A store of tiles that notes what it was asked for. */
  function store() {
    const asked: string[][] = []
    const fetchTiles = async (tiles: readonly Tile[]) => {
      asked.push(tiles.map(tilePath))
      return tiles.map(tileBytes)
    }
    return { asked, fetchTiles }
  }

  test('make the proofs of the RFC, of the tiles of the tree alone, each asked for once', async () => {
    for (const size of [1, 2, 255, 256, 257, 300, 65_535, 65_536, 65_537, 66_000, 70_000]) {
      const published = allTiles(size)
      for (const other of new Set([0, 1, 255, 256, 1000, size >> 1, size - 1])) {
        if (other >= size) continue
        const { asked, fetchTiles } = store()
        const read = tileHashReader(sha256, BigInt(size), fetchTiles)
        const path = await proveInclusion(sha256, read, BigInt(other), BigInt(size))
        expect(path.map(hex)).toEqual(naive.path(other, 0, size).map(hex))
        const claim = {
          leafHash: hashes[other] as Uint8Array,
          index: BigInt(other),
          size: BigInt(size),
          path,
          root: naive.root(0, size),
        }
        expect(verifyInclusion(sha256, claim)).toBe(true)
        const proof = await proveConsistency(sha256, read, BigInt(other), BigInt(size))
        expect(proof.map(hex)).toEqual(naive.consistency(other, size).map(hex))
        const sameLog = {
          from: BigInt(other),
          to: BigInt(size),
          path: proof,
          fromRoot: naive.root(0, other),
          toRoot: naive.root(0, size),
        }
        expect(verifyConsistency(sha256, sameLog)).toBe(true)
        expect(asked.length).toBeLessThanOrEqual(2)
        for (const call of asked) {
          expect(call.length).toBeGreaterThan(0)
          expect(new Set(call).size).toBe(call.length)
          expect(call.filter((path) => !published.has(path))).toEqual([])
        }
      }
    }
  })

  test('of every level come from the tile that holds them', async () => {
    const { asked, fetchTiles } = store()
    const read = tileHashReader(sha256, 70_000n, fetchTiles)
    const subtrees = Array.from({ length: 17 }, (_, level) => ({
      level,
      index: BigInt(70_000 >> level) - 1n,
    }))
    const found = await read(subtrees)
    subtrees.forEach(({ level, index }, i) => {
      const first = Number(index) * 2 ** level
      expect(hex(found[i] as Uint8Array)).toBe(hex(naive.root(first, first + 2 ** level)))
    })
    expect(asked).toHaveLength(1)
    expect(await read([])).toEqual([])
    expect(asked).toHaveLength(1)
  })

  test('are not made up when a tile is short, long or missing', async () => {
    for (const bytes of [[], [new Uint8Array(0)], [new Uint8Array(43 * 32)], [new Uint8Array(45 * 32)]]) {
      const read = tileHashReader(sha256, 300n, async () => bytes)
      await expect(read([{ level: 2, index: 64n }])).rejects.toThrow(FormatError)
      await expect(read([{ level: 2, index: 64n }])).rejects.toThrow('tile/0/001.p/44 must have 1408 bytes')
    }
  })

  test('are not looked for outside the tree', async () => {
    const { asked, fetchTiles } = store()
    const read = tileHashReader(sha256, 300n, fetchTiles)
    for (const subtree of [
      { level: 0, index: 300n },
      { level: 2, index: 75n },
      { level: 9, index: 0n },
      { level: 63, index: 0n },
    ])
      await expect(read([subtree])).rejects.toThrow(RangeError)
    expect(asked).toEqual([])
  })
})

describe('the edge of the tiles', () => {
  test('gives the tiles a growing log must publish, in groups of any size, also over storage', () => {
    const groups = fc.array(fc.oneof(fc.nat(5), fc.nat(700), fc.constantFrom(255, 256, 257)), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(groups, (counts) => {
        let edge = TileEdge.empty()
        for (const count of counts) {
          const from = Number(edge.size)
          const before = edge.encode()
          const grown = edge.append(sha256, hashes.slice(from, from + count))
          expect(grown.tiles.map(({ tile }) => tile)).toEqual(tilesBetween(edge.size, grown.edge.size))
          for (const { tile, bytes } of grown.tiles) expect(hex(bytes)).toBe(hex(tileBytes(tile)))
          expect(edge.encode()).toEqual(before)
          expect(grown.edge.size).toBe(BigInt(from + count))
          edge = TileEdge.decode(grown.edge.encode())
          expect(edge.encode()).toEqual(grown.edge.encode())
          expect(hex(edge.root(sha256))).toBe(hex(naive.root(0, from + count)))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('carries over two levels at 65,536 leaves', () => {
    const first = TileEdge.empty().append(sha256, hashes.slice(0, 65_500))
    const second = first.edge.append(sha256, hashes.slice(65_500, 66_000))
    expect(second.tiles.map(({ tile }) => tilePath(tile))).toEqual(
      tilesBetween(65_500n, 66_000n).map(tilePath),
    )
    for (const { tile, bytes } of second.tiles) expect(hex(bytes)).toBe(hex(tileBytes(tile)))
    expect(hex(second.edge.root(sha256))).toBe(hex(naive.root(0, 66_000)))
    // 66,000 = 1 · 65,536 + 1 · 256 + 208: so many hashes are kept.
    expect(second.edge.encode()).toHaveLength(8 + 210 * 32)
  })

  test('of nothing is empty, and nothing appended changes nothing', () => {
    const { edge, tiles } = TileEdge.empty().append(sha256, [])
    expect(tiles).toEqual([])
    expect(edge.size).toBe(0n)
    expect(hex(edge.encode())).toBe('0000000000000000')
    expect(hex(edge.root(sha256))).toBe(hex(naive.root(0, 0)))
  })

  test('is not read from bytes of another length', () => {
    const bytes = TileEdge.empty().append(sha256, hashes.slice(0, 3)).edge.encode()
    for (const wrong of [
      new Uint8Array(0),
      bytes.slice(0, 7),
      bytes.slice(0, 8),
      bytes.slice(0, -1),
      new Uint8Array([...bytes, 0]),
      new Uint8Array([...bytes, ...new Uint8Array(32)]),
    ])
      expect(() => TileEdge.decode(wrong)).toThrow(FormatError)
  })

  test('and entries stay as they were read when the bytes they came from change', () => {
    const bytes = Buffer.from(TileEdge.empty().append(sha256, hashes.slice(0, 3)).edge.encode())
    const edge = TileEdge.decode(bytes)
    const bundle = Buffer.from(encodeEntries([new Uint8Array([1, 2, 3])]))
    const entries = decodeEntries(bundle, 1)
    bytes.fill(0)
    bundle.fill(0)
    expect(hex(edge.root(sha256))).toBe(hex(naive.root(0, 3)))
    expect(entries.map(hex)).toEqual(['010203'])
  })

  test('reaches to 2^64 - 1 leaves', () => {
    const size = new Uint8Array(8).fill(255)
    const partial = Array.from({ length: 8 * 255 }, () => hashes[0] as Uint8Array)
    const full = TileEdge.decode(Buffer.concat([size, ...partial]))
    expect(full.size).toBe(2n ** 64n - 1n)
    expect(full.root(sha256)).toHaveLength(32)
    expect(() => full.append(sha256, hashes.slice(0, 1))).toThrow(RangeError)
    expect(full.append(sha256, []).edge.size).toBe(full.size)
  })
})
