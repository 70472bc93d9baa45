import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { describe, expect, test } from 'vitest'
import { formatCheckpoint } from '../../../../src/audit/tlog/checkpoint.ts'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import {
  formatNote,
  keyTypes,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from '../../../../src/audit/tlog/note.ts'
import {
  checkSignature,
  cosignatureMessage,
  openNote,
  packCosignature,
} from '../../../../src/audit/tlog/signature.ts'
import { treeHash } from '../../../../src/audit/tlog/tree.ts'
import { crossChecked, hex, referenceLeaves, sha256, signatures } from './support.ts'

const logSeed = new Uint8Array(32).fill(1)
const witnessSeed = new Uint8Array(32).fill(2)
const logKey = parseVerifierKey(sha256, crossChecked.logKey)
const witnessKey = parseVerifierKey(sha256, crossChecked.witnessKey)
const { text, timestamp } = crossChecked

const mlDsa = ml_dsa44.keygen(new Uint8Array(32).fill(3))
const mlDsaKey = verifierKey(sha256, 'witness.example/pq', keyTypes.mlDsa44Cosignature, mlDsa.publicKey)

function mlDsaCosignature(of: string, time: bigint): Uint8Array {
  const message = cosignatureMessage(mlDsaKey.type, mlDsaKey.name, of, time)
  return packCosignature(time, ml_dsa44.sign(message, mlDsa.secretKey, { extraEntropy: false }))
}

const logSignature = ed25519.sign(Buffer.from(text), logSeed)
const witnessSignature = packCosignature(
  timestamp,
  ed25519.sign(cosignatureMessage(witnessKey.type, witnessKey.name, text, timestamp), witnessSeed),
)
const mlDsaSignature = mlDsaCosignature(text, timestamp)

const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

/** Each key with its good signature over `text`. */
const signed: [string, VerifierKey, Uint8Array, bigint | null][] = [
  ['Ed25519', logKey, logSignature, null],
  ['a cosignature by Ed25519', witnessKey, witnessSignature, timestamp],
  ['a cosignature by ML-DSA-44', mlDsaKey, mlDsaSignature, timestamp],
]

const line = (key: VerifierKey, signature: Uint8Array) => ({ name: key.name, keyId: key.keyId, signature })

describe('what a cosigner signs', () => {
  test('with Ed25519 is two lines and the whole text, extension lines too', () => {
    const extended = `${text}more\n`
    expect(Buffer.from(cosignatureMessage(0x04, 'ignored', extended, 1679315147n)).toString()).toBe(
      `cosignature/v1\ntime 1679315147\n${extended}`,
    )
  })

  test('with ML-DSA-44 is the struct of the specification, without extension lines', () => {
    const root = treeHash(sha256, referenceLeaves)
    const size = 2n ** 53n + 8n
    const checkpoint = formatCheckpoint({ origin: 'журнал', size, root, extensions: ['more'] })
    const expected = [
      '737562747265652f76310a00',
      '12',
      '7769746e6573732e6578616d706c652f7071',
      '000000006553f100',
      '0c',
      'd0b6d183d180d0bdd0b0d0bb',
      '0000000000000000',
      '0020000000000008',
      hex(root),
    ]
    expect(hex(cosignatureMessage(0x06, 'witness.example/pq', checkpoint, timestamp))).toBe(expected.join(''))
  })

  test('with ML-DSA-44 needs a checkpoint, and names of 1 to 255 bytes', () => {
    const named = (origin: string): string =>
      formatCheckpoint({ origin, size: 1n, root: sha256(new Uint8Array(0)), extensions: [] })
    expect(cosignatureMessage(0x06, 'n'.repeat(255), named('o'.repeat(255)), 0n)).toHaveLength(
      12 + 256 + 8 + 256 + 8 + 8 + 32,
    )
    expect(() => cosignatureMessage(0x06, 'n'.repeat(256), named('o'), 0n)).toThrow('1 to 255 bytes')
    expect(() => cosignatureMessage(0x06, '', named('o'), 0n)).toThrow('1 to 255 bytes')
    expect(() => cosignatureMessage(0x06, 'n', named('é'.repeat(128)), 0n)).toThrow('not 256')
    expect(() => cosignatureMessage(0x06, 'n', 'some text\n', 0n)).toThrow(FormatError)
  })

  test('bears a time to 2^63 - 1', () => {
    const last = 2n ** 63n - 1n
    expect(hex(packCosignature(last, new Uint8Array([9])))).toBe('7fffffffffffffff09')
    expect(Buffer.from(cosignatureMessage(0x04, 'n', text, last)).toString()).toContain(`time ${last}\n`)
    for (const time of [-1n, last + 1n]) {
      expect(() => packCosignature(time, new Uint8Array(64))).toThrow(FormatError)
      expect(() => cosignatureMessage(0x04, 'n', text, time)).toThrow(FormatError)
    }
  })

  test('is not defined for keys that do not cosign', () => {
    for (const type of [0x01, 0x02, 0x05, 0xff])
      expect(() => cosignatureMessage(type, 'n', text, 0n)).toThrow('makes no cosignatures')
  })
})

describe('a signature', () => {
  test('by log and witness is byte for byte the one made elsewhere', () => {
    const lines = [line(logKey, logSignature), line(witnessKey, witnessSignature)]
    expect(formatNote(text, lines)).toBe(crossChecked.note)
  })

  test('by ML-DSA-44 is the one Go has accepted, in a note with both others', () => {
    // Opened by x/mod/sumdb/note with the verifiers of transparency-dev/formats v0.1.1, all three keys known.
    const lines = signed.map(([, key, signature]) => line(key, signature))
    expect(hex(sha256(Buffer.from(formatNote(text, lines))))).toBe(
      '24d73c45d7a510744fa0ff10105e09d355dbfc6957a09054a160650315963c10',
    )
    expect(mlDsaSignature).toHaveLength(8 + 2420)
  })

  test('of the specification of notes verifies', () => {
    const key = parseVerifierKey(
      sha256,
      'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    )
    const note = parseNote(
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    )
    expect(openNote(signatures, note, [key]).verified).toEqual([{ key, timestamp: null }])
  })

  test.each(signed)('of the type %s is valid over its text and no other', (_, key, signature, time) => {
    const verdict = (over: string, sig: Uint8Array, by = key) => checkSignature(signatures, by, over, sig)
    expect(verdict(text, signature)).toEqual({ status: 'valid', timestamp: time })
    const invalid = { status: 'invalid' }
    expect(verdict(text.replace('8', '9'), signature)).toEqual(invalid)
    expect(verdict(text.replace('eu1', 'eu2'), signature)).toEqual(invalid)
    expect(verdict('', signature)).toEqual(invalid)
    expect(verdict('not a checkpoint', signature)).toEqual(invalid)
    for (const at of [0, 7, 8, 40, signature.length - 1])
      expect(verdict(text, flip(signature, at))).toEqual(invalid)
    expect(verdict(text, signature.slice(1))).toEqual(invalid)
    expect(verdict(text, signature.slice(0, -1))).toEqual(invalid)
    expect(verdict(text, new Uint8Array([...signature, 0]))).toEqual(invalid)
    expect(verdict(text, new Uint8Array(0))).toEqual(invalid)
    expect(verdict(text, signature, { ...key, publicKey: flip(key.publicKey, 0) })).toEqual(invalid)
    expect(verdict(text, signature, { ...key, publicKey: key.publicKey.slice(1) })).toEqual(invalid)
  })

  test('by ML-DSA-44 holds for the name of its cosigner, and says nothing of extension lines', () => {
    const other = { ...mlDsaKey, name: 'witness.example/other' }
    expect(checkSignature(signatures, other, text, mlDsaSignature).status).toBe('invalid')
    expect(checkSignature(signatures, mlDsaKey, `${text}more\n`, mlDsaSignature).status).toBe('valid')
    expect(checkSignature(signatures, witnessKey, `${text}more\n`, witnessSignature).status).toBe('invalid')
  })

  test('by ML-DSA-44 may bear no time', () => {
    const verdict = checkSignature(signatures, mlDsaKey, text, mlDsaCosignature(text, 0n))
    expect(verdict).toEqual({ status: 'valid', timestamp: 0n })
  })

  test('with a time past 2^63 - 1 is invalid, even when the key made it', () => {
    const message = Buffer.from(`cosignature/v1\ntime ${2n ** 63n}\n${text}`)
    const bare = ed25519.sign(message, witnessSeed)
    const signature = new Uint8Array([0x80, 0, 0, 0, 0, 0, 0, 0, ...bare])
    expect(checkSignature(signatures, witnessKey, text, signature)).toEqual({ status: 'invalid' })
  })

  test('is not checked without its algorithm or with a type nobody knows', () => {
    for (const [, key, signature] of signed) {
      expect(checkSignature({}, key, text, signature)).toEqual({ status: 'not-checked' })
      expect(checkSignature(signatures, { ...key, type: 0x02 }, text, signature)).toEqual({
        status: 'not-checked',
      })
    }
    const onlyEd25519 = { ed25519: signatures.ed25519 as NonNullable<typeof signatures.ed25519> }
    expect(checkSignature(onlyEd25519, mlDsaKey, text, mlDsaSignature).status).toBe('not-checked')
    expect(checkSignature(onlyEd25519, witnessKey, text, witnessSignature).status).toBe('valid')
  })
})

describe('a note that is opened', () => {
  const stranger = { name: 'elsewhere.example', keyId: 7, signature: new Uint8Array([1]) }
  const note = {
    text,
    signatures: [
      line(logKey, logSignature),
      stranger,
      line(witnessKey, witnessSignature),
      line(mlDsaKey, mlDsaSignature),
    ],
  }
  const keys = [mlDsaKey, witnessKey, logKey]

  test('says which known keys signed it and when, and keeps the rest apart', () => {
    expect(openNote(signatures, note, keys)).toEqual({
      text,
      verified: [
        { key: logKey, timestamp: null },
        { key: witnessKey, timestamp },
        { key: mlDsaKey, timestamp },
      ],
      notChecked: [],
      unknown: [stranger],
    })
    const withoutMlDsa = openNote({ ed25519: signatures.ed25519 as never }, note, keys)
    expect(withoutMlDsa.notChecked).toEqual([mlDsaKey])
    expect(withoutMlDsa.verified).toHaveLength(2)
  })

  test('leaves alone who shares only the name or only the key id with a known key', () => {
    const bad = new Uint8Array(64)
    const sameName = { name: logKey.name, keyId: logKey.keyId + 1, signature: bad }
    const sameId = { name: `${logKey.name}x`, keyId: logKey.keyId, signature: bad }
    const opened = openNote(signatures, { text, signatures: [sameName, sameId] }, keys)
    expect(opened).toMatchObject({ verified: [], notChecked: [], unknown: [sameName, sameId] })
  })

  test('with no known key among its signatures has nothing verified', () => {
    expect(openNote(signatures, note, [])).toMatchObject({ verified: [], unknown: note.signatures })
  })

  test('is refused for one bad signature by a known key, whatever others signed', () => {
    for (const [, key, signature] of signed) {
      const spoiled = note.signatures.map((each) =>
        each.keyId === key.keyId ? line(key, flip(signature, 20)) : each,
      )
      expect(() => openNote(signatures, { text, signatures: spoiled }, keys)).toThrow(FormatError)
      expect(() => openNote(signatures, { text, signatures: spoiled }, keys)).toThrow(
        `the signature by the key "${key.name}" is invalid`,
      )
    }
  })

  test('is refused when a known key signs twice, also unchecked; a stranger may', () => {
    for (const [, key, signature] of signed) {
      const twice = { text, signatures: [...note.signatures, line(key, signature)] }
      expect(() => openNote(signatures, twice, keys)).toThrow('twice')
      expect(() => openNote({}, twice, keys)).toThrow('twice')
    }
    const strangers = { text, signatures: [stranger, stranger] }
    expect(openNote(signatures, strangers, keys).unknown).toHaveLength(2)
  })

  test('is refused when two known keys cannot be told apart', () => {
    const twin = { ...logKey, publicKey: witnessKey.publicKey }
    expect(() => openNote(signatures, note, [logKey, twin])).toThrow('two known keys')
    expect(() => openNote(signatures, { ...note, signatures: [stranger] }, [logKey, twin])).not.toThrow()
  })
})
