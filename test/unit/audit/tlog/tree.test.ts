import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import {
  appendLeaves,
  decodeFrontier,
  emptyFrontier,
  encodeEdge,
  frontierRoot,
  treeHash,
} from '../../../../src/audit/tlog/tree.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// The Certificate Transparency reference leaves and roots (transparency-dev/merkle, testonly/constants.go).
const referenceLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
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

/** RFC 6962 §2.1, word for word: MTH(D[n]) splits at the largest power of two below n. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.from([0]), only]))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(
    Buffer.concat([Buffer.from([1]), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split))]),
  )
}

describe('the tree', () => {
  test('of the reference leaves has the reference roots', () => {
    const leaves = referenceLeaves.map((leaf) => leafHash(sha256, Buffer.from(leaf, 'hex')))
    const roots = referenceRoots.map((_, i) => hex(treeHash(sha256, leaves.slice(0, i + 1))))
    expect(roots.map((root) => root.slice(0, 8))).toEqual(referenceRoots)
    expect(roots[7]?.endsWith('4328')).toBe(true)
  })

  test('without leaves has the hash of nothing as its root', () => {
    expect(hex(frontierRoot(sha256, emptyFrontier))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
  })

  test('has the root of the RFC however its leaves were grouped, also over storage', () => {
    const leaf = fc.uint8Array({ maxLength: 40 })
    fc.assert(
      fc.property(fc.array(fc.array(leaf, { maxLength: 9 }), { maxLength: 9 }), (groups) => {
        let frontier = emptyFrontier
        for (const group of groups) {
          frontier = appendLeaves(
            sha256,
            frontier,
            group.map((bytes) => leafHash(sha256, bytes)),
          )
          frontier = decodeFrontier(frontier.size, encodeEdge(frontier))
        }
        expect(hex(frontierRoot(sha256, frontier))).toBe(hex(naiveRoot(groups.flat())))
        expect(frontier.size).toBe(BigInt(groups.flat().length))
      }),
    )
  })

  test('does not read an edge that belongs to another size', () => {
    expect(() => decodeFrontier(3n, new Uint8Array(32))).toThrow('tree of 3 leaves')
  })
})
