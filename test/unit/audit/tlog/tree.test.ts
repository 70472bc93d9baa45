import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TreeFold } from '../../../../src/audit/tlog/fold.ts'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import { completeSubtrees } from '../../../../src/audit/tlog/proof.ts'
import {
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  encodeEdge,
  frontierRoot,
  treeHash,
} from '../../../../src/audit/tlog/tree.ts'
import { hex, leaves, NaiveTree, referenceLeaves, sha256 } from './support.ts'

const referenceRoots = [
  '6e340b9c',
  'fac54203',
  'aeb6bcfe',
  'd37ee418',
  '4e3bbb1f',
  '76e67dad',
  'ddb89be4',
  '5dc9da79',
]

describe('the tree', () => {
  test('of the reference leaves has the reference roots', () => {
    const roots = referenceRoots.map((_, i) => hex(treeHash(sha256, referenceLeaves.slice(0, i + 1))))
    expect(roots.map((root) => root.slice(0, 8))).toEqual(referenceRoots)
    expect(roots[7]?.endsWith('4328')).toBe(true)
  })

  test('without leaves has the hash of nothing as its root', () => {
    const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(hex(frontierRoot(sha256, emptyFrontier))).toBe(nothing)
    expect(hex(new TreeFold(sha256).root())).toBe(nothing)
    expect(new TreeFold(sha256).size).toBe(0n)
  })

  test('has the root of the RFC however its leaves were grouped, also over storage', () => {
    const leaf = fc.uint8Array({ maxLength: 40 })
    fc.assert(
      fc.property(fc.array(fc.array(leaf, { maxLength: 9 }), { maxLength: 9 }), (groups) => {
        let frontier = emptyFrontier
        for (const group of groups) {
          const hashes = group.map((bytes) => leafHash(sha256, bytes))
          frontier = appendLeaves(sha256, frontier, hashes)
          frontier = decodeFrontier(frontier.size, encodeEdge(frontier))
        }
        const all = groups.flat().map((bytes) => leafHash(sha256, bytes))
        expect(hex(frontierRoot(sha256, frontier))).toBe(hex(new NaiveTree(all).root(0, all.length)))
        expect(frontier.size).toBe(BigInt(all.length))
      }),
    )
  })

  test('does not read an edge that belongs to another size', () => {
    expect(() => decodeFrontier(3n, new Uint8Array(32))).toThrow('tree of 3 leaves')
  })
})

describe('a fold', () => {
  test('has the root of the RFC at every size to 2,000, and the same edge as appending', () => {
    const hashes = leaves(2000)
    const naive = new NaiveTree(hashes)
    const fold = new TreeFold(sha256)
    let frontier = emptyFrontier
    hashes.forEach((hash, i) => {
      fold.push(hash)
      frontier = appendLeaves(sha256, frontier, [hash])
      expect(hex(fold.root())).toBe(hex(naive.root(0, i + 1)))
      expect(fold.size).toBe(BigInt(i + 1))
    })
    expect(fold.frontier()).toEqual(frontier)
  })

  test('takes whole subtrees for their leaves, and goes on from any edge', () => {
    const naive = new NaiveTree(leaves(300))
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 2, maxLength: 2 }), (ends) => {
        const [middle, end] = ends.sort((a, b) => a - b) as [number, number]
        let fold = new TreeFold(sha256)
        for (const to of [middle, end]) {
          for (const subtree of completeSubtrees(fold.size, BigInt(to))) {
            const first = Number(subtree.index) * 2 ** subtree.level
            expect(fold.pushSubtree(subtree, naive.root(first, first + 2 ** subtree.level))).toBe(true)
          }
          fold = new TreeFold(sha256, fold.frontier())
        }
        expect(fold.size).toBe(BigInt(end))
        expect(hex(fold.root())).toBe(hex(naive.root(0, end)))
      }),
    )
  })

  test('takes a subtree only where it begins, and is as it was when it does not', () => {
    const [a, b, c] = leaves(3) as [Uint8Array, Uint8Array, Uint8Array]
    const fold = new TreeFold(sha256)
    fold.push(a)
    fold.push(b)
    fold.push(c)
    const before = fold.frontier()
    const elsewhere = [
      { level: 0, index: 2n },
      { level: 0, index: 4n },
      { level: 0, index: -1n },
      { level: 1, index: 1n },
      { level: 1, index: 2n },
      { level: 2, index: 0n },
      { level: 2, index: 1n },
      { level: -1, index: 6n },
      { level: 0.5, index: 3n },
      { level: 64, index: 0n },
    ]
    for (const subtree of elsewhere) expect(fold.pushSubtree(subtree, a)).toBe(false)
    expect(fold.frontier()).toEqual(before)
    expect(fold.pushSubtree({ level: 0, index: 3n }, a)).toBe(true)
    expect(fold.size).toBe(4n)
  })

  test('holds 2^64 - 1 leaves and not one more', () => {
    const [leaf] = leaves(1) as [Uint8Array]
    const fold = new TreeFold(sha256)
    expect(fold.pushSubtree({ level: 64, index: 0n }, leaf)).toBe(false)
    expect(fold.pushSubtree({ level: 63, index: 0n }, leaf)).toBe(true)
    expect(fold.pushSubtree({ level: 63, index: 1n }, leaf)).toBe(false)
    for (let level = 62; level >= 0; level -= 1) {
      const index = fold.size >> BigInt(level)
      expect(fold.pushSubtree({ level, index }, leaf)).toBe(true)
      expect(fold.pushSubtree({ level, index: index + 1n }, leaf)).toBe(false)
    }
    expect(fold.size).toBe(2n ** 64n - 1n)
    const full = fold.root()
    expect(() => fold.push(leaf)).toThrow(RangeError)
    expect(fold.root()).toEqual(full)
  })

  test('takes nothing that is no hash', () => {
    const fold = new TreeFold(sha256)
    for (const length of [0, 31, 33]) {
      expect(() => fold.push(new Uint8Array(length))).toThrow('32 bytes')
      expect(() => fold.pushSubtree({ level: 0, index: 0n }, new Uint8Array(length))).toThrow('32 bytes')
    }
    expect(fold.size).toBe(0n)
  })

  test('gives edges that stay as they are when it goes on', () => {
    const fold = new TreeFold(sha256)
    const [a, b] = leaves(2) as [Uint8Array, Uint8Array]
    fold.push(a)
    const edge = fold.frontier()
    fold.push(b)
    expect(edge).toEqual({ size: 1n, edge: [a] })
  })
})
