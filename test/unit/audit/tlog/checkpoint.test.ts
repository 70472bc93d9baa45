import { describe, expect, test } from 'vitest'
import {
  formatCheckpoint,
  parseCheckpoint,
  parseSignedCheckpoint,
} from '../../../../src/audit/tlog/checkpoint.ts'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import { treeHash } from '../../../../src/audit/tlog/tree.ts'
import { base64, crossChecked, referenceLeaves, sha256 } from './support.ts'

const root = sha256(new Uint8Array(0))
const hash = base64(root)

describe('a checkpoint', () => {
  test('of the reference leaves is the one made elsewhere', () => {
    const checkpoint = {
      origin: 'audit.example/eu1',
      size: 8n,
      root: treeHash(sha256, referenceLeaves),
      extensions: [],
    }
    expect(formatCheckpoint(checkpoint)).toBe(crossChecked.text)
    const { note, checkpoint: parsed } = parseSignedCheckpoint(crossChecked.note)
    expect(note.text).toBe(crossChecked.text)
    expect(note.signatures.map(({ name }) => name)).toEqual(['audit.example/eu1', 'witness.example/w1'])
    expect({ ...parsed, root: base64(parsed.root) }).toEqual({ ...checkpoint, root: base64(checkpoint.root) })
  })

  test('is read and written at every size, with extension lines, of any origin', () => {
    for (const size of [0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      for (const extensions of [[], ['one'], ['one', 'two — 2', ' ']]) {
        for (const origin of ['a', 'a log + spaces', '— a', '8']) {
          const text = formatCheckpoint({ origin, size, root, extensions })
          expect(text).toBe([origin, `${size}`, hash, ...extensions, ''].join('\n'))
          expect(parseCheckpoint(text)).toEqual({ origin, size, root: new Uint8Array(root), extensions })
        }
      }
    }
  })

  test.each([
    ['', 'must end in a newline'],
    ['\n', 'three lines'],
    [`a\n1\n${hash}`, 'must end in a newline'],
    ['a\n1\n', 'three lines'],
    [`\n1\n${hash}\n`, 'the origin of the checkpoint must not be empty'],
    [`a\n\n${hash}\n`, 'the size of the checkpoint must be a decimal'],
    [`a\n01\n${hash}\n`, 'the size of the checkpoint must be a decimal'],
    [`a\n+1\n${hash}\n`, 'the size of the checkpoint must be a decimal'],
    [`a\n-1\n${hash}\n`, 'the size of the checkpoint must be a decimal'],
    [`a\n1 \n${hash}\n`, 'the size of the checkpoint must be a decimal'],
    [`a\n18446744073709551616\n${hash}\n`, 'the size of the checkpoint must be below 2^64'],
    [`a\n1\n${hash.slice(0, -1)}\n`, 'the root of the checkpoint is not a whole number of groups'],
    [`a\n1\n${hash.replace('=', 'A')}\n`, 'the root of the checkpoint must be a hash of 32 bytes, not of 33'],
    [`a\n1\n${hash.slice(4)}\n`, 'a hash of 32 bytes, not of 29'],
    [`a\n1\n${hash} \n`, 'the root of the checkpoint'],
    ['a\n1\n\n', 'a hash of 32 bytes, not of 0'],
    [`a\n1\n${hash}\n\n`, 'extension line 1 of the checkpoint must not be empty'],
    [`a\n1\n${hash}\none\n\n`, 'extension line 2 of the checkpoint must not be empty'],
    [`a\r\n1\r\n${hash}\r\n`, 'the origin of the checkpoint has the control character 0x0d'],
    [`a\n1\n${hash}\no\tne\n`, 'extension line 1 of the checkpoint has the control character 0x09'],
    [`a\ud800\n1\n${hash}\n`, 'half a surrogate pair'],
  ])('is refused: %j', (text, reason) => {
    expect(() => parseCheckpoint(text)).toThrow(FormatError)
    expect(() => parseCheckpoint(text)).toThrow(reason)
  })

  test('is not written when it could not be read', () => {
    const good = { origin: 'a', size: 1n, root, extensions: [] }
    for (const origin of ['', 'a\nb', 'a\t'])
      expect(() => formatCheckpoint({ ...good, origin })).toThrow(FormatError)
    for (const line of ['', 'a\nb', 'a\0'])
      expect(() => formatCheckpoint({ ...good, extensions: [line] })).toThrow(FormatError)
    for (const size of [-1n, 2n ** 64n]) expect(() => formatCheckpoint({ ...good, size })).toThrow(RangeError)
    expect(() => formatCheckpoint({ ...good, root: root.slice(1) })).toThrow(RangeError)
  })
})
