/** JSON Patch against RFC 6902 and, where no decimal is at stake, against the library `rfc6902`. */
import fc from 'fast-check'
import { applyPatch as applyByLibrary, type Operation } from 'rfc6902'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../src/fhir/json.ts'
import { applyPatch, readPatch } from '../../../src/fhir/json-patch.ts'
import { limits } from '../../../src/limits.ts'

const parsed = (text: string): unknown => {
  const value = parseJson(text)
  if (!value.ok) throw new Error('malformed')
  return value.value
}

/** JSON text of the result, or the fault. */
function patched(document: string, patch: string): string {
  const read = readPatch(parsed(patch))
  if (!read.ok) return read.error.fault
  const result = applyPatch(parsed(document), read.value)
  return result.ok ? JSON.stringify(result.value) : result.error.fault
}

describe('a patch', () => {
  // Appendix A of RFC 6902.
  test.each([
    [
      'A.1 adds a member',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz","value":"qux"}]',
      '{"foo":"bar","baz":"qux"}',
    ],
    [
      'A.2 adds an element',
      '{"foo":["bar","baz"]}',
      '[{"op":"add","path":"/foo/1","value":"qux"}]',
      '{"foo":["bar","qux","baz"]}',
    ],
    ['A.3 removes a member', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    [
      'A.4 removes an element',
      '{"foo":["bar","qux","baz"]}',
      '[{"op":"remove","path":"/foo/1"}]',
      '{"foo":["bar","baz"]}',
    ],
    [
      'A.5 replaces',
      '{"baz":"qux","foo":"bar"}',
      '[{"op":"replace","path":"/baz","value":"boo"}]',
      '{"baz":"boo","foo":"bar"}',
    ],
    [
      'A.6 moves a value',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7 moves an element',
      '{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8 tests',
      '{"baz":"qux","foo":["a",2,"c"]}',
      '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    ['A.9 tests and fails', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]', 'differs'],
    [
      'A.10 adds an object',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    [
      'A.11 ignores other members',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz","value":"qux","xyz":123}]',
      '{"foo":"bar","baz":"qux"}',
    ],
    [
      'A.12 needs a place to add to',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/baz/bat","value":"qux"}]',
      'missing',
    ],
    ['A.14 escapes', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'],
    [
      'A.15 tells strings from numbers',
      '{"/":9,"~1":10}',
      '[{"op":"test","path":"/~01","value":"10"}]',
      'differs',
    ],
    [
      'A.16 adds a list',
      '{"foo":["bar"]}',
      '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
      '{"foo":["bar",["abc","def"]]}',
    ],
    ['replaces the whole', '{"a":1}', '[{"op":"replace","path":"","value":{"b":2}}]', '{"b":2}'],
    [
      'does not move a thing into itself',
      '{"a":{"b":1}}',
      '[{"op":"move","from":"/a","path":"/a/b"}]',
      'missing',
    ],
    ['takes no name for a place in a list', '{"a":[1,2]}', '[{"op":"remove","path":"/a/length"}]', 'missing'],
    ['takes no half number for one', '{"a":[1,2]}', '[{"op":"replace","path":"/a/1x","value":3}]', 'missing'],
    ['takes no leading zero', '{"a":[1,2]}', '[{"op":"remove","path":"/a/01"}]', 'missing'],
    ['sees own members only', '{"a":1}', '[{"op":"remove","path":"/constructor"}]', 'missing'],
    ['is a list', '{}', '{"op":"add","path":"/a","value":1}', 'malformed'],
    ['has pointers', '{}', '[{"op":"add","path":"a","value":1}]', 'malformed'],
    ['has whole escapes', '{}', '[{"op":"add","path":"/~2","value":1}]', 'malformed'],
    ['has values', '{}', '[{"op":"add","path":"/a"}]', 'malformed'],
    [
      'keeps decimals as written',
      '{"a":1.10}',
      '[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/c","value":0.50}]',
      '{"a":1.10,"b":1.10,"c":0.50}',
    ],
    ['tests numbers by what they say', '{"a":1.10}', '[{"op":"test","path":"/a","value":1.1}]', '{"a":1.10}'],
  ])('%s', (_, document, patch, expected) => {
    expect(patched(document, patch)).toBe(expected)
  })

  test('changes nothing that it was given', () => {
    const document = { a: [{ b: 1 }] }
    const operations = readPatch([{ op: 'replace', path: '/a/0/b', value: 2 }])
    if (!operations.ok) throw new Error('malformed')
    expect(applyPatch(document, operations.value)).toMatchObject({ value: { a: [{ b: 2 }] } })
    expect(document).toEqual({ a: [{ b: 1 }] })
  })

  test('cannot grow a document without bound', () => {
    const doubled = JSON.stringify(Array(40).fill({ op: 'copy', from: '/a', path: '/a/-' }))
    expect(patched('{"a":["x"]}', doubled)).toBe('too-long')
    const nested = JSON.stringify(Array(limits.maxJsonDepth).fill({ op: 'copy', from: '', path: '/a' }))
    expect(patched('{"a":{}}', nested)).toBe('too-long')
  })

  test('cannot copy a long list over and over', () => {
    const list = JSON.stringify({ a: Array(limits.maxPatchCopies / 100).fill(0) })
    const changes = (count: number) =>
      JSON.stringify(Array(count).fill({ op: 'replace', path: '/a/0', value: 0 }))
    expect(patched(list, changes(99))).toBe(list)
    expect(patched(list, changes(100))).toBe('too-long')
  })

  const name = fc.constantFrom('a', 'b', '0', '1')
  const leaf = fc.constantFrom<unknown>(1, 2, 'x', true)
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.dictionary(name, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))
  const pointer = fc
    .array(fc.constantFrom('a', 'b', '0', '1', '2', '-'), { minLength: 1, maxLength: 3 })
    .map((tokens) => tokens.map((token) => `/${token}`).join(''))
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value: tree }),
    fc.record({ op: fc.constant('remove'), path: pointer }),
    fc.record({ op: fc.constantFrom('copy', 'move'), from: pointer, path: pointer }),
  ) as fc.Arbitrary<Operation>

  /** It throws where a member is put into a number or a text. */
  const hasApplied = (document: unknown, operations: Operation[]): boolean => {
    try {
      return applyByLibrary(document, operations).every((error) => error === null)
    } catch {
      return false
    }
  }

  test('does what the library does', () => {
    let applied = 0
    fc.assert(
      fc.property(
        fc.dictionary(name, tree, { minKeys: 1, noNullPrototype: true }),
        fc.array(operation, { minLength: 1, maxLength: 3 }),
        (document, operations) => {
          // It lets a list be given members, `-` among them.
          fc.pre(
            !operations.some(
              (one) =>
                one.op !== 'add' &&
                [one.path, 'from' in one ? one.from : ''].some((path) => path.includes('-')),
            ),
          )
          const theirs = structuredClone(document)
          const failed = !hasApplied(theirs, structuredClone(operations))
          const ours = patched(JSON.stringify(document), JSON.stringify(operations))
          if (failed) expect(['missing', 'differs']).toContain(ours)
          else if (!['missing', 'differs'].includes(ours)) {
            applied++
            expect(JSON.parse(ours)).toEqual(theirs)
          }
        },
      ),
      { numRuns: 3_000 },
    )
    expect(applied).toBeGreaterThan(200)
  })
})
