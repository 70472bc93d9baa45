import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BundleEntry } from '../../../src/fhir/bundle.ts'
import { idPattern } from '../../../src/fhir/types.ts'
import { initialPerson, isServerId, ownSourceKey, serverId } from '../../../src/records/identity.ts'
import { componentsInOrder, cycleKeys } from '../../../src/records/identity-content.ts'

const key = new Uint8Array(32).fill(7)
const text = fc.string({ maxLength: 40 })

describe('a server id', () => {
  test('never changes: ids given out are in other systems', () => {
    expect(serverId(key, 'hopital', 'Patient', '1')).toBe(
      serverId(new Uint8Array(32).fill(7), 'hopital', 'Patient', '1'),
    )
    expect(serverId(key, 'hopital', 'Patient', '1')).toMatchInlineSnapshot(`"yzpleizk77ckhh7ph2dddywdae"`)
    expect(initialPerson(key, 'hopital', 'x')).toBe(serverId(key, 'hopital', 'Person', 'x'))
  })

  test('is a FHIR id of 26 characters that checks for its own type only', () => {
    fc.assert(
      fc.property(text, (sourceKey) => {
        const id = serverId(key, 'hopital', 'Patient', sourceKey)
        expect(id).toMatch(/^[a-z2-7]{26}$/)
        expect(id).toMatch(idPattern)
        expect(isServerId(key, 'Patient', id)).toBe(true)
        expect(isServerId(key, 'Observation', id)).toBe(false)
        expect(isServerId(new Uint8Array(32), 'Patient', id)).toBe(false)
      }),
    )
  })

  test('does not check once any character of it has changed', () => {
    fc.assert(
      fc.property(
        text,
        fc.nat(25),
        fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567A0'),
        (sourceKey, at, other) => {
          const id = serverId(key, 'hopital', 'Patient', sourceKey)
          const changed = id.slice(0, at) + other + id.slice(at + 1)
          expect(isServerId(key, 'Patient', changed)).toBe(changed === id)
        },
      ),
    )
  })

  test('differs by facility, type and source key', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== b)
        const ids = [
          serverId(key, 'hopital', 'Patient', a),
          serverId(key, 'hopital', 'Patient', b),
          serverId(key, 'clinique', 'Patient', a),
          serverId(key, 'hopital', 'Group', a),
        ]
        expect(new Set(ids).size).toBe(4)
      }),
    )
  })

  test.each(['', 'Patient', 'a'.repeat(26), '2'.repeat(26), 'A'.repeat(26)])('%s is none', (id) => {
    expect(isServerId(key, 'Patient', id)).toBe(false)
  })
})

describe('the source key of an entry', () => {
  const entry = (resource: object, putId: string | null = null): BundleEntry => ({
    index: 0,
    fullUrl: null,
    resource: { resourceType: 'Observation', ...resource },
    putId,
  })
  const uuid = '0a1b2c3d-0000-4000-8000-000000000001'
  const identifier = [
    { system: 'urn:b', value: '2' },
    { system: 'urn:a', value: '1' },
  ]

  test.each<[string, BundleEntry, string | null]>([
    ['the id of its PUT first', entry({ id: 'x', identifier }, 'x'), 'x'],
    ['then an identifier, by the order of the systems', entry({ id: uuid, identifier }), 'urn:a|1'],
    ['a UUID', entry({ id: uuid, identifier: [{ system: 'urn:c', value: '3' }] }), uuid],
    ['an OID', entry({ id: '2.16.840.1.113883' }), '2.16.840.1.113883'],
    ['no other id', entry({ id: '123' }), null],
    ['no broken OID', entry({ id: '2.016' }), null],
    ['nothing', entry({}), null],
  ])('%s', (_, one, expected) => {
    expect(ownSourceKey(one, ['urn:a', 'urn:b'])).toBe(expected)
  })

  test('does not depend on the order of identifiers', () => {
    const values = [{ system: 'urn:a', value: '9' }, ...identifier]
    expect(ownSourceKey(entry({ identifier: values }), ['urn:a'])).toBe(
      ownSourceKey(entry({ identifier: values.toReversed() }), ['urn:a']),
    )
  })
})

describe('components of references', () => {
  const graph = fc
    .integer({ min: 1, max: 12 })
    .chain((size) =>
      fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size }),
    )
  const reaches = (edges: readonly (readonly number[])[], from: number, to: number): boolean => {
    const seen = new Set<number>()
    const open = [from]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const target of edges[node] ?? []) {
        if (target === to) return true
        if (!seen.has(target)) open.push(target)
        seen.add(target)
      }
    }
    return false
  }

  test('hold exactly the nodes that reach each other, after all they refer to', () => {
    fc.assert(
      fc.property(graph, (edges) => {
        const nodes = edges.map((_, node) => node)
        const components = componentsInOrder(nodes, (node) => edges[node] ?? [])
        expect(components.flat().toSorted((a, b) => a - b)).toEqual(nodes)
        const placeOf = new Map(
          components.flatMap((members, place) => members.map((node) => [node, place] as const)),
        )
        for (const a of nodes) {
          for (const b of nodes) {
            if (a === b) continue
            const together = reaches(edges, a, b) && reaches(edges, b, a)
            expect(placeOf.get(a) === placeOf.get(b)).toBe(together)
          }
          for (const b of edges[a] ?? []) expect(placeOf.get(b)).toBeLessThanOrEqual(placeOf.get(a) as number)
        }
      }),
    )
  })

  test('a chain as long as a bundle does not exhaust the stack', () => {
    const nodes = Array.from({ length: 5_000 }, (_, node) => node)
    expect(componentsInOrder(nodes, (node) => (node + 1 < 5_000 ? [node + 1] : []))).toHaveLength(5_000)
    expect(componentsInOrder(nodes, (node) => [(node + 1) % 5_000])).toHaveLength(1)
  })
})

describe('keys of a cycle', () => {
  test('tell members apart by what they refer to, and cycles by all they hold', () => {
    const ring = (...labels: string[]) =>
      cycleKeys(labels.map((label, i) => ({ label, targets: [(i + 1) % labels.length] })))
    const [a1, a2, b] = ring('a', 'a', 'b')
    expect(new Set([a1, a2, b]).size).toBe(3)
    expect(ring('a', 'b')[0]).not.toBe(ring('a', 'c')[0])
    expect(new Set(ring('a', 'a')).size).toBe(1)
  })
})
