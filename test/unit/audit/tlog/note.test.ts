import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import {
  formatNote,
  formatSignatureLine,
  formatVerifierKey,
  keyTypes,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  verifierKey,
} from '../../../../src/audit/tlog/note.ts'
import { base64, crossChecked, fromHex, sha256, signatureLines } from './support.ts'

const line = '— a.example/log AAAAAQI=\n'
const signature = { name: 'a.example/log', keyId: 1, signature: new Uint8Array([2]) }

describe('a signed note', () => {
  test('is read and written', () => {
    const note = parseNote(`text\n\n${line}`)
    expect(note).toEqual({ text: 'text\n', signatures: [signature] })
    expect(formatNote(note.text, note.signatures)).toBe(`text\n\n${line}`)
  })

  test('is parted from its signatures by the last of its empty lines', () => {
    for (const text of ['\n', 'a\n\nb\n', 'a\n\n\n', '\n\n\n', `a\n\n${line}`]) {
      const note = parseNote(`${text}\n${line}${line}`)
      expect(note).toEqual({ text, signatures: [signature, signature] })
      expect(formatNote(note.text, note.signatures)).toBe(`${text}\n${line}${line}`)
    }
  })

  test('may hold any text that is UTF-8, and names of any script', () => {
    const text = 'ed è subito sera \u{1F319} \u007f\n'
    const name = 'журнал.example/ü'
    const written = formatNote(text, [{ ...signature, name, keyId: 0xffff_ffff }])
    expect(written).toBe(`${text}\n— ${name} /////wI=\n`)
    expect(parseNote(written).signatures[0]).toEqual({
      name,
      keyId: 4294967295,
      signature: new Uint8Array([2]),
    })
  })

  test('has 64 signatures at most', () => {
    expect(parseNote(`text\n\n${signatureLines(64)}`).signatures).toHaveLength(64)
    expect(() => parseNote(`text\n\n${signatureLines(65)}`)).toThrow('1 to 64 signatures, not 65')
    const many = Array.from({ length: 65 }, () => signature)
    expect(() => formatNote('text\n', many)).toThrow('not 65')
  })

  test.each([
    ['', 'no empty line'],
    ['text\n', 'no empty line'],
    [`text\n${line}`, 'no empty line'],
    ['text\n\n', 'must end in a newline'],
    [`text\n\n${line.trimEnd()}`, 'must end in a newline'],
    [`text\n\n${line}\n`, 'must end in a newline'],
    [`text\n\n${line}\n${line.trimEnd()}`, 'must end in a newline'],
    [`text\r\n\r\n${line}`, 'control character 0x0d at 4'],
    [`text\n\n${line.replace('\n', '\r\n')}`, 'control character 0x0d'],
    [`te\txt\n\n${line}`, 'control character 0x09 at 2'],
    [`te\0xt\n\n${line}`, 'control character 0x00 at 2'],
    [`te\u001fxt\n\n${line}`, 'control character 0x1f at 2'],
    [`te\ud800xt\n\n${line}`, 'half a surrogate pair'],
    ['text\n\n— a AAAAAQI= \n', 'em dash, a name and base64'],
    ['text\n\n— a  AAAAAQI=\n', 'em dash, a name and base64'],
    ['text\n\n—  AAAAAQI=\n', 'must not be empty'],
    ['text\n\n— a\n', 'em dash, a name and base64'],
    ['text\n\n- a AAAAAQI=\n', 'em dash, a name and base64'],
    ['text\n\n– a AAAAAQI=\n', 'em dash, a name and base64'],
    ['text\n\n—a AAAAAQI=\n', 'em dash, a name and base64'],
    ['text\n\n — a AAAAAQI=\n', 'em dash, a name and base64'],
    [`text\n\n${line}noise\n`, 'signature line 2 must be'],
    ['text\n\n— a+b AAAAAQI=\n', 'neither spaces nor a plus'],
    ['text\n\n— a\u00a0b AAAAAQI=\n', 'neither spaces nor a plus'],
    ['text\n\n— a\u0085b AAAAAQI=\n', 'neither spaces nor a plus'],
    ['text\n\n— a\u3000b AAAAAQI=\n', 'neither spaces nor a plus'],
    ['text\n\n— a\u2028b AAAAAQI=\n', 'neither spaces nor a plus'],
    ['text\n\n— a AAAAAQI\n', 'signature line 1 is not a whole number of groups'],
    ['text\n\n— a AAAAAQJ=\n', 'signature line 1 has bits set'],
    ['text\n\n— a AAAAAQ==\n', 'a key id and a signature'],
    ['text\n\n— a \n', 'a key id and a signature'],
  ])('is refused: %j', (text, reason) => {
    expect(() => parseNote(text)).toThrow(FormatError)
    expect(() => parseNote(text)).toThrow(reason)
  })

  test('is not written when it could not be read', () => {
    expect(() => formatNote('text', [signature])).toThrow('end in a newline')
    expect(() => formatNote('te\rxt\n', [signature])).toThrow('control character')
    expect(() => formatNote('text\n', [])).toThrow('not 0')
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u2003b', '\udc00'])
      expect(() => formatSignatureLine({ ...signature, name })).toThrow(FormatError)
    for (const keyId of [-1, 2 ** 32, 0.5, Number.NaN])
      expect(() => formatSignatureLine({ ...signature, keyId })).toThrow('32 bits')
    expect(() => formatSignatureLine({ ...signature, signature: new Uint8Array(0) })).toThrow('not be empty')
  })

  test('has its signature lines as a witness answers with them', () => {
    expect(parseSignatureLines(line + line)).toEqual([signature, signature])
    expect(() => parseSignatureLines('')).toThrow(FormatError)
    expect(() => parseSignatureLines('\n')).toThrow(FormatError)
    expect(() => parseSignatureLines(`\n${line}`)).toThrow(FormatError)
    expect(() => parseSignatureLines(signatureLines(65))).toThrow('not 65')
  })
})

describe('a verifier key', () => {
  const example = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'

  test('of the specification is read and written', () => {
    const key = parseVerifierKey(sha256, example)
    expect(key).toMatchObject({ name: 'example.com/foo', keyId: 0x530d903a, type: 1 })
    expect(key.publicKey).toHaveLength(32)
    expect(formatVerifierKey(key)).toBe(example)
    expect(verifierKey(sha256, key.name, key.type, key.publicKey)).toEqual(key)
  })

  test('of a known seed is the one made elsewhere', () => {
    const log = ed25519.getPublicKey(new Uint8Array(32).fill(1))
    const witness = ed25519.getPublicKey(new Uint8Array(32).fill(2))
    const logKey = verifierKey(sha256, 'audit.example/eu1', keyTypes.ed25519, log)
    const witnessKey = verifierKey(sha256, 'witness.example/w1', keyTypes.ed25519Cosignature, witness)
    expect(formatVerifierKey(logKey)).toBe(crossChecked.logKey)
    expect(formatVerifierKey(witnessKey)).toBe(crossChecked.witnessKey)
  })

  test('may have a plus in its base64, and a key id that begins with zeros', () => {
    const keys = Array.from({ length: 400 }, (_, i) =>
      verifierKey(sha256, 'a', keyTypes.ed25519, sha256(Buffer.from(`${i}`))),
    )
    const written = keys.map(formatVerifierKey)
    expect(written.map((vkey) => parseVerifierKey(sha256, vkey))).toEqual(keys)
    expect(written.some((vkey) => vkey.split('+').length > 3)).toBe(true)
    expect(written.some((vkey) => vkey.startsWith('a+0'))).toBe(true)
  })

  test('of an unknown type is read all the same', () => {
    const key = verifierKey(sha256, 'a', 0xff, fromHex('0102'))
    expect(parseVerifierKey(sha256, formatVerifierKey(key))).toEqual(key)
  })

  const withBytes = (bytes: Uint8Array): string => `example.com/foo+530d903a+${base64(bytes)}`
  test.each([
    ['', 'a plus between'],
    ['example.com/foo', 'a plus between'],
    ['example.com/foo+530d903a', 'a plus between'],
    [example.replace('530d903a', '530d903b'), 'must be 530d903a'],
    [example.replace('530d903a', '530D903A'), 'eight lowercase hex digits'],
    [example.replace('530d903a', '530d903'), 'eight lowercase hex digits'],
    [example.replace('530d903a', '0530d903a'), 'eight lowercase hex digits'],
    [example.replace('530d903a', '+30d903a'), 'eight lowercase hex digits'],
    [example.replace('foo', 'bar'), 'the key id of "example.com/bar"'],
    [example.replace('foo', ''), 'the key id of "example.com/"'],
    [example.replace('example.com/foo', ''), 'must not be empty'],
    [example.replace('foo', 'f o'), 'neither spaces nor a plus'],
    [`${example}=`, 'whole number of groups'],
    [`${example}\n`, 'whole number of groups'],
    [` ${example}`, 'neither spaces nor a plus'],
    ['example.com/foo+530d903a+', 'has no type'],
    [withBytes(fromHex('01')), 'must have 32 bytes, not 0'],
    [withBytes(new Uint8Array(32).fill(1)), 'must have 32 bytes, not 31'],
    [withBytes(new Uint8Array(34).fill(4)), 'must have 32 bytes, not 33'],
    [withBytes(new Uint8Array(33).fill(6)), 'must have 1312 bytes, not 32'],
    [withBytes(fromHex('ff')), 'must have some bytes, not 0'],
  ])('%j is refused', (vkey, reason) => {
    expect(() => parseVerifierKey(sha256, vkey)).toThrow(FormatError)
    expect(() => parseVerifierKey(sha256, vkey)).toThrow(reason)
  })

  test('has a type of one byte', () => {
    for (const type of [-1, 256, 1.5])
      expect(() => verifierKey(sha256, 'a', type, new Uint8Array(32))).toThrow('one byte')
  })
})
