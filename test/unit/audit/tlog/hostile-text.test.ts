/** Whatever the text: parsers throw `FormatError` or nothing, and what they take they would write just so. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCheckpoint, parseCheckpoint } from '../../../../src/audit/tlog/checkpoint.ts'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import {
  formatNote,
  formatSignatureLine,
  formatVerifierKey,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
} from '../../../../src/audit/tlog/note.ts'
import { parsePolicy } from '../../../../src/audit/tlog/policy.ts'
import { checkSignature } from '../../../../src/audit/tlog/signature.ts'
import { entriesPath, parseTilePath, tilePath } from '../../../../src/audit/tlog/tile.ts'
import { formatTlogProof, parseTlogProof } from '../../../../src/audit/tlog/tlog-proof.ts'
import {
  formatAddCheckpoint,
  formatStoredSize,
  parseAddCheckpoint,
  parseStoredSize,
} from '../../../../src/audit/tlog/witness.ts'
import { base64, crossChecked, sha256, signatures } from './support.ts'

const { note, text: checkpoint, logKey, witnessKey } = crossChecked
const hash = `${base64(sha256(new Uint8Array(0)))}\n`

/** A format: examples to spoil, and reading followed by writing. */
const formats: [string, readonly string[], (text: string) => string][] = [
  [
    'a note',
    [note, 'a\n\nb\n\n— a AAAAAQI=\n'],
    (text) => {
      const { text: body, signatures } = parseNote(text)
      return formatNote(body, signatures)
    },
  ],
  [
    'signature lines',
    [note.split('\n\n')[1] as string],
    (text) => parseSignatureLines(text).map(formatSignatureLine).join(''),
  ],
  ['a checkpoint', [checkpoint, `${checkpoint}more\n`], (text) => formatCheckpoint(parseCheckpoint(text))],
  ['a verifier key', [logKey, witnessKey], (text) => formatVerifierKey(parseVerifierKey(sha256, text))],
  [
    'a proof',
    [
      `c2sp.org/tlog-proof@v1\nindex 5\n${hash}${hash}\n${note}`,
      `c2sp.org/tlog-proof@v1\nextra AQID\nindex 0\n\n${note}`,
    ],
    (text) => formatTlogProof(parseTlogProof(text)),
  ],
  [
    'a request to a witness',
    [`old 5\n${hash}${hash}\n${note}`, `old 0\n\n${note}`],
    (text) => formatAddCheckpoint(parseAddCheckpoint(text)),
  ],
  ['a stored size', ['0\n', '20852163\n'], (text) => formatStoredSize(parseStoredSize(text))],
  [
    'a tile path',
    ['tile/0/x001/234.p/5', 'tile/entries/x001/x234/067', 'tile/63/000'],
    (text) => {
      const path = parseTilePath(text)
      return path.kind === 'hashes' ? tilePath(path.tile) : entriesPath(path.index, path.width)
    },
  ],
  [
    'a policy',
    [
      `log ${logKey} https://log.example\n# one\nwitness W ${witnessKey}\ngroup G any W\nquorum G\n`,
      'quorum none\n',
    ],
    (text) => {
      // A policy is not written back; it must decide without throwing.
      const policy = parsePolicy(sha256, text)
      expect(policy.isQuorum(new Set(policy.witnesses.map(({ name }) => name)))).toBeTypeOf('boolean')
      return text
    },
  ],
]

/** Characters that mean something in one of the formats, and some that mean nothing anywhere. */
const pieces = fc.oneof(
  fc.constantFrom(
    '\n',
    '\n\n',
    ' ',
    '—',
    '+',
    '=',
    '/',
    '0',
    '1',
    '9',
    'A',
    'x',
    '.p/',
    '\t',
    '\r',
    '\0',
    '\u00a0',
    '\ud800',
  ),
  fc.constantFrom(hash, '— a AAAAAQI=\n', 'old 1\n', 'index 1\n', 'extra AQID\n', '18446744073709551616'),
  fc.string({ maxLength: 3 }),
)
const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(3), piece: pieces })

const spoilt = (example: string, edits: readonly { at: number; length: number; piece: string }[]): string =>
  edits.reduce((text, { at, length, piece }) => {
    const start = Math.floor(at * text.length)
    return text.slice(0, start) + piece + text.slice(start + length)
  }, example)

describe.each(formats)('%s', (_, examples, readAndWrite) => {
  test('is written as it was read', () => {
    for (const example of examples) expect(readAndWrite(example)).toBe(example)
  })

  test('that was spoilt is refused, or is written as it was read', () => {
    let refused = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (example, edits) => {
          const text = spoilt(example, edits)
          try {
            expect(readAndWrite(text)).toBe(text)
          } catch (error) {
            if (!(error instanceof FormatError)) throw error
            expect(error.message).toMatch(/^[^\n]{1,400}\.$/)
            refused += 1
          }
        },
      ),
      { numRuns: 1500 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  test('that is any text at all is refused, or is written as it was read', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces).map((all) => all.join('')),
        ),
        (text) => {
          try {
            expect(readAndWrite(text)).toBe(text)
          } catch (error) {
            if (!(error instanceof FormatError)) throw error
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('no text, key or signature makes checking throw or succeed', () => {
  const key = fc.record({
    name: fc.string(),
    keyId: fc.nat(),
    type: fc.constantFrom(0, 1, 2, 4, 5, 6, 255),
    publicKey: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.constant(new Uint8Array(1312)),
    ),
  })
  const signature = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
    fc.uint8Array({ minLength: 72, maxLength: 72 }),
    fc.constant(new Uint8Array(2428)),
    fc.constant(new Uint8Array(2428).fill(255)),
  )
  fc.assert(
    fc.property(key, fc.oneof(fc.string(), fc.constant(checkpoint)), signature, (key, text, signature) => {
      expect(checkSignature(signatures, key, text, signature).status).not.toBe('valid')
    }),
    { numRuns: 1000 },
  )
})
