import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { edgeLevels, TreeFold } from '../../../../src/audit/tlog/fold.ts'
import { nodeHash } from '../../../../src/audit/tlog/hash.ts'
import {
  completeSubtrees,
  type HashReader,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../../../../src/audit/tlog/proof.ts'
import { hex, leaves, NaiveTree, sha256 } from './support.ts'

const hashes = leaves(2000)
const naive = new NaiveTree(hashes)
const emptyRoot = naive.root(0, 0)

type Inclusion = Parameters<typeof verifyInclusion>[1]
type Consistency = Parameters<typeof verifyConsistency>[1]

const inclusion = (index: number, size: number): Inclusion => ({
  leafHash: hashes[index] as Uint8Array,
  index: BigInt(index),
  size: BigInt(size),
  path: naive.path(index, 0, size),
  root: naive.root(0, size),
})

const consistency = (from: number, to: number): Consistency => ({
  from: BigInt(from),
  to: BigInt(to),
  path: naive.consistency(from, to),
  fromRoot: naive.root(0, from),
  toRoot: naive.root(0, to),
})

/** Some sizes of both sides of every power of two, and some between. */
const sampledSizes = [
  ...Array.from({ length: 11 }, (_, i) => 2 ** i).flatMap((power) => [power - 1, power, power + 1]),
  100,
  777,
  1500,
  1999,
  2000,
].filter((size) => size > 0 && size <= 2000)

describe('complete subtrees', () => {
  test('cover a range in order, aligned, and with none that could have been joined', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 5000n }), fc.bigInt({ min: 0n, max: 5000n }), (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const subtrees = completeSubtrees(from, to)
        let at = from
        for (const { level, index } of subtrees) {
          expect(index << BigInt(level)).toBe(at)
          at = (index + 1n) << BigInt(level)
        }
        expect(at).toBe(to)
        subtrees.slice(1).forEach(({ level, index }, i) => {
          const before = subtrees[i]
          expect(before?.level === level && index % 2n === 1n).toBe(false)
        })
      }),
    )
  })

  test('are one where one does, and none for nothing', () => {
    expect(completeSubtrees(0n, 2n ** 63n)).toEqual([{ level: 63, index: 0n }])
    expect(completeSubtrees(2n ** 62n, 2n ** 63n)).toEqual([{ level: 62, index: 1n }])
    expect(completeSubtrees(5n, 5n)).toEqual([])
    expect(completeSubtrees(0n, 2n ** 64n - 1n)).toHaveLength(64)
  })

  test('do not exist of ranges that run backwards or leave a uint64', () => {
    expect(() => completeSubtrees(2n, 1n)).toThrow(RangeError)
    expect(() => completeSubtrees(-1n, 1n)).toThrow(RangeError)
    expect(() => completeSubtrees(0n, 2n ** 64n)).toThrow(RangeError)
  })
})

describe('an inclusion proof', () => {
  test('is the one of the RFC, for every leaf of every tree to 64', async () => {
    for (let size = 1; size <= 64; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const { read, calls } = naive.reader()
        const path = await proveInclusion(sha256, read, BigInt(index), BigInt(size))
        const claim = inclusion(index, size)
        expect(path.map(hex)).toEqual(claim.path.map(hex))
        expect(calls()).toBe(size === 1 ? 0 : 1)
        expect(verifyInclusion(sha256, { ...claim, path })).toBe(true)
      }
    }
  })

  test('is the one of the RFC in larger trees', async () => {
    for (const size of sampledSizes) {
      for (const index of new Set([0, 1, size >> 1, size - 2, size - 1, 255, 256, 1023])) {
        if (index < 0 || index >= size) continue
        const path = await proveInclusion(sha256, naive.reader().read, BigInt(index), BigInt(size))
        const claim = inclusion(index, size)
        expect(path.map(hex)).toEqual(claim.path.map(hex))
        expect(verifyInclusion(sha256, { ...claim, path })).toBe(true)
      }
    }
  })

  test('is not made of a leaf that is not there', async () => {
    const { read, calls } = naive.reader()
    await expect(proveInclusion(sha256, read, 8n, 8n)).rejects.toThrow('has no leaf 8')
    await expect(proveInclusion(sha256, read, 9n, 8n)).rejects.toThrow(RangeError)
    await expect(proveInclusion(sha256, read, -1n, 8n)).rejects.toThrow(RangeError)
    await expect(proveInclusion(sha256, read, 0n, 2n ** 64n)).rejects.toThrow(RangeError)
    expect(calls()).toBe(0)
  })

  test('is not made of more or fewer hashes than were asked for', async () => {
    const short: HashReader = async (subtrees) => subtrees.slice(1).map(() => emptyRoot)
    const long: HashReader = async (subtrees) => [...subtrees, subtrees[0]].map(() => emptyRoot)
    await expect(proveInclusion(sha256, short, 0n, 8n)).rejects.toThrow('2 were read')
    await expect(proveInclusion(sha256, long, 0n, 8n)).rejects.toThrow('4 were read')
  })

  test('does not verify once anything of it is another', () => {
    const claim = inclusion(5, 11)
    const flip = (bytes: Uint8Array, at = 0): Uint8Array =>
      bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    const path = claim.path
    const wrong: Partial<Inclusion>[] = [
      { leafHash: flip(claim.leafHash) },
      { leafHash: claim.leafHash.slice(1) },
      { leafHash: new Uint8Array([...claim.leafHash, 0]) },
      { root: flip(claim.root, 31) },
      { root: claim.root.slice(0, 31) },
      { root: new Uint8Array(0) },
      { index: 4n },
      { index: 11n },
      { index: -1n },
      { index: 2n ** 64n },
      { size: 5n },
      { size: 0n },
      { size: -1n },
      { size: 2n ** 64n },
      { size: 2n ** 200n, index: 2n ** 199n },
      { path: [] },
      { path: path.slice(1) },
      { path: path.slice(0, -1) },
      { path: [...path, claim.root] },
      { path: [...path, new Uint8Array(0)] },
      { path: [...path].reverse() },
      { path: Array.from({ length: 1000 }, () => claim.root) },
      ...path.flatMap((hash, at) => [
        { path: path.with(at, flip(hash)) },
        { path: path.with(at, hash.slice(1)) },
        { path: path.with(at, new Uint8Array([...hash, 0])) },
      ]),
    ]
    expect(verifyInclusion(sha256, claim)).toBe(true)
    for (const change of wrong)
      expect([change, verifyInclusion(sha256, { ...claim, ...change })]).toEqual([change, false])
  })

  test('of the only leaf is empty, and its root the leaf', () => {
    const claim = inclusion(0, 1)
    expect(claim.path).toEqual([])
    expect(verifyInclusion(sha256, claim)).toBe(true)
    expect(verifyInclusion(sha256, { ...claim, root: inclusion(0, 2).root })).toBe(false)
    expect(verifyInclusion(sha256, { ...claim, size: 0n })).toBe(false)
  })
})

describe('a consistency proof', () => {
  test('is the one of the RFC, for all pairs of sizes to 64', async () => {
    for (let to = 0; to <= 64; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const { read, calls } = naive.reader()
        const path = await proveConsistency(sha256, read, BigInt(from), BigInt(to))
        const claim = consistency(from, to)
        expect(path.map(hex)).toEqual(claim.path.map(hex))
        expect(calls()).toBe(from === 0 || from === to ? 0 : 1)
        expect(verifyConsistency(sha256, { ...claim, path })).toBe(true)
      }
    }
  })

  test('is the one of the RFC between larger trees', async () => {
    for (const to of sampledSizes) {
      for (const from of sampledSizes.filter((size) => size <= to)) {
        const path = await proveConsistency(sha256, naive.reader().read, BigInt(from), BigInt(to))
        const claim = consistency(from, to)
        expect(path.map(hex)).toEqual(claim.path.map(hex))
        expect(verifyConsistency(sha256, { ...claim, path })).toBe(true)
      }
    }
  })

  test('is not made backwards', async () => {
    const { read } = naive.reader()
    await expect(proveConsistency(sha256, read, 9n, 8n)).rejects.toThrow(RangeError)
    await expect(proveConsistency(sha256, read, -1n, 8n)).rejects.toThrow(RangeError)
    await expect(proveConsistency(sha256, read, 1n, 2n ** 64n)).rejects.toThrow(RangeError)
  })

  test('does not verify once anything of it is another', () => {
    const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 7 ? byte ^ 0x80 : byte))
    for (const [from, to] of [
      [6, 11],
      [8, 11],
      [7, 8],
      [1, 2],
    ] as const) {
      const claim = consistency(from, to)
      const path = claim.path
      const wrong: Partial<Consistency>[] = [
        { fromRoot: flip(claim.fromRoot) },
        { fromRoot: claim.fromRoot.slice(1) },
        { fromRoot: claim.toRoot },
        { toRoot: flip(claim.toRoot) },
        { toRoot: new Uint8Array([...claim.toRoot, 0]) },
        { toRoot: claim.fromRoot },
        { from: claim.to },
        { from: claim.to + 1n },
        { from: 0n },
        { from: -1n },
        { to: claim.from },
        { to: claim.from - 1n },
        { to: 2n ** 64n },
        { path: [] },
        { path: path.slice(1) },
        { path: path.slice(0, -1) },
        { path: [claim.fromRoot, ...path] },
        { path: [...path, claim.toRoot] },
        ...path.flatMap((hash, at) => [
          { path: path.with(at, flip(hash)) },
          { path: path.with(at, hash.slice(1)) },
          { path: path.with(at, new Uint8Array([...hash, 0])) },
        ]),
      ]
      expect(verifyConsistency(sha256, claim)).toBe(true)
      for (const change of wrong)
        expect([from, to, change, verifyConsistency(sha256, { ...claim, ...change })]).toEqual([
          from,
          to,
          change,
          false,
        ])
    }
  })

  test('from the empty tree is empty and takes its root, from a tree to itself takes the same root', () => {
    expect(verifyConsistency(sha256, consistency(0, 5))).toBe(true)
    expect(verifyConsistency(sha256, { ...consistency(0, 5), fromRoot: naive.root(0, 1) })).toBe(false)
    expect(verifyConsistency(sha256, { ...consistency(0, 5), path: [naive.root(0, 5)] })).toBe(false)
    expect(verifyConsistency(sha256, { ...consistency(0, 5), toRoot: new Uint8Array(3) })).toBe(false)
    expect(verifyConsistency(sha256, consistency(0, 0))).toBe(true)
    expect(verifyConsistency(sha256, { ...consistency(0, 0), toRoot: naive.root(0, 1) })).toBe(false)
    const other = { fromRoot: naive.root(0, 1), toRoot: naive.root(0, 1) }
    expect(verifyConsistency(sha256, { ...consistency(0, 0), ...other })).toBe(false)
    expect(verifyConsistency(sha256, { ...consistency(5, 5), fromRoot: naive.root(0, 4) })).toBe(false)
    expect(verifyConsistency(sha256, { ...consistency(5, 5), path: [naive.root(0, 5)] })).toBe(false)
  })
})

// The other form of both verifications: merkle/proof/verify.go of transparency-dev computes the parts of a path first.

const bits = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length)
const ones = (n: bigint): number => n.toString(2).replaceAll('0', '').length

const innerOf = (index: bigint, size: bigint): number => bits(index ^ (size - 1n))
const node = (left: Uint8Array, right: Uint8Array): Uint8Array => nodeHash(sha256, left, right)
const isRightAt = (index: bigint, height: number): boolean => ((index >> BigInt(height)) & 1n) === 1n

function otherInclusion({ leafHash, index, size, path, root }: Inclusion): boolean {
  if (index >= size) return false
  const inner = innerOf(index, size)
  if (path.length !== inner + ones(index >> BigInt(inner))) return false
  let hash = leafHash
  path.forEach((sibling, i) => {
    hash = i >= inner || isRightAt(index, i) ? node(sibling, hash) : node(hash, sibling)
  })
  return hex(hash) === hex(root)
}

function otherConsistency({ from, to, path, fromRoot, toRoot }: Consistency): boolean {
  const shift = bits(from & -from) - 1
  const inner = innerOf(from - 1n, to) - shift
  const border = ones((from - 1n) >> BigInt(inner + shift))
  const isPower = from === 1n << BigInt(shift)
  const [seed, ...rest] = isPower ? [fromRoot, ...path] : path
  if (seed === undefined || rest.length !== inner + border) return false
  const mask = (from - 1n) >> BigInt(shift)
  let old = seed
  let hash = seed
  rest.forEach((sibling, i) => {
    const isLeft = i >= inner || isRightAt(mask, i)
    if (isLeft) old = node(sibling, old)
    hash = isLeft ? node(sibling, hash) : node(hash, sibling)
  })
  return hex(old) === hex(fromRoot) && hex(hash) === hex(toRoot)
}

describe('the two forms of verification', () => {
  const size = fc.oneof(fc.bigInt({ min: 1n, max: 70n }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }))

  test('agree on true inclusions told of other indices, sizes and lengths', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.nat(69), fc.nat(69), fc.nat(80), fc.nat(80), fc.nat(8), (a, b, index, size, length) => {
        const [at, of] = a < b ? [a, b] : [b, a + 1]
        const truth = inclusion(at, Math.max(of, at + 1))
        const told = { ...truth, index: BigInt(index), size: BigInt(size) }
        for (const claim of [truth, told, { ...told, path: told.path.slice(0, length) }]) {
          const verdict = verifyInclusion(sha256, claim)
          accepted += Number(verdict)
          expect(verdict).toBe(otherInclusion(claim))
        }
      }),
      { numRuns: 2000 },
    )
    expect(accepted).toBeGreaterThan(2000)
  })

  test('agree on made-up inclusions, the root being whatever the path comes to', () => {
    const path = fc.array(fc.constantFrom(...hashes.slice(0, 4)), { maxLength: 64 })
    fc.assert(
      fc.property(size, size, path, (a, b, path) => {
        const claim = { ...inclusion(0, 1), index: a, size: b, path }
        expect(verifyInclusion(sha256, claim)).toBe(otherInclusion(claim))
      }),
    )
  })

  test('agree on true consistencies told of other sizes and lengths', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.nat(69), fc.nat(69), fc.nat(80), fc.nat(80), fc.nat(8), (a, b, c, d, length) => {
        const [from, to] = [1 + Math.min(a, b), 2 + Math.max(a, b)]
        const truth = consistency(from, to)
        const told = { ...truth, from: BigInt(1 + Math.min(c, d)), to: BigInt(2 + Math.max(c, d)) }
        for (const claim of [truth, told, { ...truth, path: truth.path.slice(0, length) }]) {
          const verdict = verifyConsistency(sha256, claim)
          accepted += Number(verdict)
          expect(verdict).toBe(otherConsistency(claim))
        }
      }),
      { numRuns: 2000 },
    )
    expect(accepted).toBeGreaterThan(2000)
  })
})

describe('trees of more leaves than a double can count', () => {
  /** A tree of equal leaves: all complete subtrees of a level have one hash. */
  const uniform = Array.from({ length: 63 }).reduce<Uint8Array[]>(
    (rows) => [...rows, node(rows.at(-1) as Uint8Array, rows.at(-1) as Uint8Array)],
    [hashes[0] as Uint8Array],
  )
  const read: HashReader = async (subtrees) => subtrees.map(({ level }) => uniform[level] as Uint8Array)
  const rootOf = (size: bigint): Uint8Array => {
    const fold = new TreeFold(sha256)
    for (const level of edgeLevels(size)) {
      const index = fold.size >> BigInt(level)
      expect(fold.pushSubtree({ level, index }, uniform[level] as Uint8Array)).toBe(true)
    }
    expect(fold.size).toBe(size)
    return fold.root()
  }
  const sizes = [
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 53n + 12_345_678_901n,
    2n ** 62n + 3n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 63n + 1n,
    2n ** 64n - 1n,
  ]

  test('prove inclusion', async () => {
    for (const size of sizes) {
      for (const index of [0n, 1n, size / 2n, size / 3n, size - 2n, size - 1n]) {
        const path = await proveInclusion(sha256, read, index, size)
        const claim = { leafHash: uniform[0] as Uint8Array, index, size, path, root: rootOf(size) }
        expect(verifyInclusion(sha256, claim)).toBe(true)
        expect(verifyInclusion(sha256, { ...claim, path: path.slice(1) })).toBe(false)
        expect(otherInclusion(claim)).toBe(true)
      }
    }
  })

  test('prove consistency', async () => {
    for (const to of sizes) {
      for (const from of [1n, 3n, 2n ** 32n + 1n, to / 2n, to - 1n, ...sizes].filter((size) => size < to)) {
        const path = await proveConsistency(sha256, read, from, to)
        const claim = { from, to, path, fromRoot: rootOf(from), toRoot: rootOf(to) }
        expect(verifyConsistency(sha256, claim)).toBe(true)
        expect(verifyConsistency(sha256, { ...claim, toRoot: rootOf(to - 1n) })).toBe(false)
        expect(otherConsistency(claim)).toBe(true)
      }
    }
  })

  test('have proofs of the 63 lines the wire allows, to 2^63 leaves for inclusion and 2^62 for consistency', async () => {
    expect(await proveInclusion(sha256, read, 0n, 2n ** 63n)).toHaveLength(63)
    expect(await proveConsistency(sha256, read, 2n ** 62n - 1n, 2n ** 62n)).toHaveLength(63)
  })
})
