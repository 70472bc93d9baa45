import { describe, expect, test } from 'vitest'
import { parseSignedCheckpoint } from '../../../../src/audit/tlog/checkpoint.ts'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import { proveInclusion, verifyInclusion } from '../../../../src/audit/tlog/proof.ts'
import { formatTlogProof, parseTlogProof } from '../../../../src/audit/tlog/tlog-proof.ts'
import { base64, crossChecked, NaiveTree, referenceLeaves, sha256 } from './support.ts'

const header = 'c2sp.org/tlog-proof@v1'
const { note } = crossChecked
const hash = base64(sha256(new Uint8Array(0)))

describe('the proof of an entry', () => {
  test('as a file proves the entry to whoever trusts the checkpoint', async () => {
    const tree = new NaiveTree(referenceLeaves)
    const path = await proveInclusion(sha256, tree.reader().read, 5n, 8n)
    const file = formatTlogProof({ extra: new Uint8Array([1, 2, 3]), index: 5n, path, checkpoint: note })
    expect(file).toBe(
      `${header}\nextra AQID\nindex 5\n${path.map((each) => `${base64(each)}\n`).join('')}\n${note}`,
    )
    const proof = parseTlogProof(file)
    expect(proof).toEqual({ extra: new Uint8Array([1, 2, 3]), index: 5n, path, checkpoint: note })
    const { size, root } = parseSignedCheckpoint(proof.checkpoint).checkpoint
    const leafHash = referenceLeaves[5] as Uint8Array
    expect(verifyInclusion(sha256, { leafHash, index: proof.index, size, path: proof.path, root })).toBe(true)
  })

  test('may have no hashes, up to 63, no extra data or empty extra data', () => {
    for (const extra of [null, new Uint8Array(0), new Uint8Array([255])]) {
      for (const count of [0, 1, 63]) {
        const path = Array.from({ length: count }, (_, i) => sha256(new Uint8Array([i])))
        const proof = { extra, index: 2n ** 64n - 1n, path, checkpoint: note }
        expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof)
      }
    }
    expect(parseTlogProof(`${header}\nextra \nindex 0\n\n${note}`).extra).toEqual(new Uint8Array(0))
    expect(parseTlogProof(`${header}\nindex 0\n\n${note}`).extra).toBe(null)
  })

  const lines = (count: number): string => `${hash}\n`.repeat(count)
  test.each([
    ['nothing', '', 'an empty line'],
    ['no header', `index 0\n\n${note}`, 'the first line of a proof must be'],
    ['another version', `c2sp.org/tlog-proof@v2\nindex 0\n\n${note}`, 'the first line of a proof must be'],
    ['a header and a space', `${header} \nindex 0\n\n${note}`, 'the first line of a proof must be'],
    ['no index', `${header}\n\n${note}`, 'must state the index'],
    ['no index but extra data', `${header}\nextra AQID\n\n${note}`, 'must state the index'],
    ['extra data after the index', `${header}\nindex 0\nextra AQID\n\n${note}`, 'hash 1 of the proof'],
    ['extra data twice', `${header}\nextra AQID\nextra AQID\nindex 0\n\n${note}`, 'must state the index'],
    ['extra data without its space', `${header}\nextra\nindex 0\n\n${note}`, 'must state the index'],
    [
      'extra data not canonical',
      `${header}\nextra AR==\nindex 0\n\n${note}`,
      'the extra data of the proof has bits',
    ],
    [
      'an index without its number',
      `${header}\nindex \n\n${note}`,
      'the index of the proof must be a decimal',
    ],
    [
      'an index with a zero too many',
      `${header}\nindex 05\n\n${note}`,
      'the index of the proof must be a decimal',
    ],
    ['an index with a sign', `${header}\nindex +5\n\n${note}`, 'the index of the proof must be a decimal'],
    [
      'an index with two spaces',
      `${header}\nindex  5\n\n${note}`,
      'the index of the proof must be a decimal',
    ],
    ['an index of 2^64', `${header}\nindex 18446744073709551616\n\n${note}`, 'below 2^64'],
    [
      'a short hash',
      `${header}\nindex 0\n${hash}\nAQID\n\n${note}`,
      'hash 2 of the proof must be a hash of 32',
    ],
    ['64 hashes', `${header}\nindex 0\n${lines(64)}\n${note}`, 'has 64 hashes, more than 63'],
    ['no empty line', `${header}\nindex 0\n${note.replace('\n\n', '\n')}`, 'an empty line'],
    ['two empty lines', `${header}\nindex 0\n\n\n${note}`, 'the origin of the checkpoint must not be empty'],
    ['no signatures', `${header}\nindex 0\n\n${crossChecked.text}`, 'no empty line between'],
    ['a note that is no checkpoint', `${header}\nindex 0\n\ntext\n\n— a AAAAAQI=\n`, 'three lines'],
    [
      'an empty line after its checkpoint',
      `${header}\nindex 0\n\n${note}\n`,
      'the signatures must end in a newline',
    ],
    ['Windows lines', `${header}\nindex 0\n\n${note}`.replaceAll('\n', '\r\n'), 'control character 0x0d'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => parseTlogProof(text)).toThrow(FormatError)
    expect(() => parseTlogProof(text)).toThrow(reason)
  })

  test('is not written when it could not be read', () => {
    const good = { extra: null, index: 0n, path: [], checkpoint: note }
    const path = Array.from({ length: 64 }, () => sha256(new Uint8Array(0)))
    expect(() => formatTlogProof({ ...good, path })).toThrow('more than 63')
    expect(() => formatTlogProof({ ...good, path: [new Uint8Array(31)] })).toThrow(FormatError)
    expect(() => formatTlogProof({ ...good, checkpoint: crossChecked.text })).toThrow(FormatError)
    expect(() => formatTlogProof({ ...good, index: -1n })).toThrow(RangeError)
    expect(() => formatTlogProof({ ...good, index: 2n ** 64n })).toThrow(RangeError)
  })
})
