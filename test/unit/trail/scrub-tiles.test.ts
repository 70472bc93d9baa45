import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/audit/commitment.ts'
import { StoredTiles } from '../../../src/audit/public-store.ts'
import { TileEdge, tilePath } from '../../../src/audit/tlog/tile.ts'
import type { Rows } from '../../../src/store/ports.ts'
import { checkSteps, stepsOf } from '../../../src/trail/scrub-tiles.ts'

const paths = (bundle: number) =>
  stepsOf(bundle).map(({ tile, above, position }) => `${tilePath(tile)} in ${tilePath(above)} at ${position}`)

describe('full tiles', () => {
  test('are looked at with the bundle that fills them', () => {
    expect(paths(0)).toEqual(['tile/0/000 in tile/1/000.p/1 at 0'])
    expect(paths(254)).toEqual(['tile/0/254 in tile/1/000.p/255 at 254'])
    expect(paths(255)).toEqual(['tile/0/255 in tile/1/000 at 255', 'tile/1/000 in tile/2/000.p/1 at 0'])
    expect(paths(256)).toEqual(['tile/0/256 in tile/1/001.p/1 at 0'])
    expect(paths(256 * 256 - 1)).toEqual([
      'tile/0/x065/535 in tile/1/255 at 255',
      'tile/1/255 in tile/2/000 at 255',
      'tile/2/000 in tile/3/000.p/1 at 0',
    ])
  })

  test('fit the tiles above them in a tree of three levels, and one changed hash is found at either', () => {
    const leaves = Array.from({ length: 256 * 256 }, (_, i) => sha256(new TextEncoder().encode(String(i))))
    const rows = TileEdge.empty()
      .append(sha256, leaves)
      .tiles.map(({ tile: { level, index }, bytes }) => ({
        level,
        idx: Number(index),
        hashes: bytes.slice(),
      }))
    const check = () => checkSteps(new StoredTiles(rows as Rows), stepsOf(255))
    expect(check()).toEqual([])
    const change = (level: number, idx: number) => {
      const row = rows.find((each) => each.level === level && each.idx === idx)
      if (row) row.hashes[0] = (row.hashes[0] as number) ^ 1
    }
    change(1, 0)
    expect(check()).toEqual([{ kind: 'tile-differs', place: 'tile/1/000' }])
    change(0, 255)
    expect(check()).toEqual([
      { kind: 'tile-differs', place: 'tile/0/255' },
      { kind: 'tile-differs', place: 'tile/1/000' },
    ])
  })
})
