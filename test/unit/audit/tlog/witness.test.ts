import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import {
  formatAddCheckpoint,
  formatStoredSize,
  parseAddCheckpoint,
  parseStoredSize,
} from '../../../../src/audit/tlog/witness.ts'
import { base64, crossChecked, sha256, signatureLines } from './support.ts'

const { note } = crossChecked
const hashes = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => sha256(new Uint8Array([i])))
const lines = (count: number): string =>
  hashes(count)
    .map((hash) => `${base64(hash)}\n`)
    .join('')

describe('a request to add a checkpoint', () => {
  test('is the old size, the proof, an empty line and the note', () => {
    for (const count of [0, 2, 63]) {
      const request = { oldSize: 2n ** 53n + 1n, proof: hashes(count), checkpoint: note }
      const text = `old 9007199254740993\n${lines(count)}\n${note}`
      expect(formatAddCheckpoint(request)).toBe(text)
      expect(parseAddCheckpoint(text)).toEqual(request)
    }
    expect(parseAddCheckpoint(`old 0\n\n${note}`).oldSize).toBe(0n)
  })

  test.each([
    ['nothing', '', 'an empty line'],
    ['no old size', `\n${note}`, 'must state the old size'],
    ['a proof alone', `${lines(1)}\n${note}`, 'must state the old size'],
    ['another word', `new 5\n\n${note}`, 'must state the old size'],
    ['no space', `old5\n\n${note}`, 'must state the old size'],
    ['a leading zero', `old 05\n\n${note}`, 'the old size must be a decimal'],
    ['a plus', `old +5\n\n${note}`, 'the old size must be a decimal'],
    ['two spaces', `old  5\n\n${note}`, 'the old size must be a decimal'],
    ['a size of 2^64', `old 18446744073709551616\n\n${note}`, 'below 2^64'],
    ['64 proof lines', `old 5\n${lines(64)}\n${note}`, 'has 64 hashes, more than 63'],
    ['a short hash', `old 5\nAQID\n\n${note}`, 'hash 1 of the consistency proof must be a hash'],
    [
      'a hash not canonical',
      `old 5\n${'A'.repeat(42)}B=\n\n${note}`,
      'hash 1 of the consistency proof has bits',
    ],
    ['no empty line', `old 5\n${note.replace('\n\n', '\n')}`, 'an empty line'],
    ['two empty lines', `old 5\n\n\n${note}`, 'the origin of the checkpoint must not be empty'],
    ['no signature', `old 5\n\n${crossChecked.text}`, 'no empty line between'],
    ['65 signatures', `old 5\n\n${crossChecked.text}\n${signatureLines(65)}`, 'not 65'],
    ['Windows lines', `old 5\r\n\r\n${note}`, 'control character 0x0d'],
    ['a cut off end', `old 5\n\n${note.slice(0, -1)}`, 'end in a newline'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => parseAddCheckpoint(text)).toThrow(FormatError)
    expect(() => parseAddCheckpoint(text)).toThrow(reason)
  })

  test('is not written when it could not be read', () => {
    const good = { oldSize: 0n, proof: [], checkpoint: note }
    expect(() => formatAddCheckpoint({ ...good, proof: hashes(64) })).toThrow('more than 63')
    expect(() => formatAddCheckpoint({ ...good, proof: [new Uint8Array(33)] })).toThrow(FormatError)
    expect(() => formatAddCheckpoint({ ...good, checkpoint: '' })).toThrow(FormatError)
    expect(() => formatAddCheckpoint({ ...good, oldSize: -1n })).toThrow(RangeError)
    expect(() => formatAddCheckpoint({ ...good, oldSize: 2n ** 64n })).toThrow(RangeError)
  })
})

describe('the size a witness answers with', () => {
  test('is a line', () => {
    for (const size of [0n, 20_852_163n, 2n ** 64n - 1n]) {
      expect(formatStoredSize(size)).toBe(`${size}\n`)
      expect(parseStoredSize(`${size}\n`)).toBe(size)
    }
    expect(() => formatStoredSize(-1n)).toThrow(RangeError)
  })

  test.each(['', '\n', '5', '5\r\n', '05\n', ' 5\n', '5\n\n', '5\n6\n', '18446744073709551616\n'])(
    '%j is refused',
    (text) => {
      expect(() => parseStoredSize(text)).toThrow(FormatError)
    },
  )
})
