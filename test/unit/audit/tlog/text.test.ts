import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../../../src/audit/tlog/base64.ts'
import { FormatError, quote } from '../../../../src/audit/tlog/errors.ts'
import { maxSize, parseSize, uint64Bytes } from '../../../../src/audit/tlog/size.ts'
import { base64, hex } from './support.ts'

describe('base64', () => {
  test('of the examples of RFC 4648 §10', () => {
    const examples = ['', 'Zg==', 'Zm8=', 'Zm9v', 'Zm9vYg==', 'Zm9vYmE=', 'Zm9vYmFy']
    examples.forEach((text, length) => {
      const bytes = new TextEncoder().encode('foobar'.slice(0, length))
      expect(encodeBase64(bytes)).toBe(text)
      expect(decodeBase64(text)).toEqual(bytes)
    })
  })

  test('of any bytes is what others make of them, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(base64(bytes))
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
      }),
    )
    expect(encodeBase64(new Uint8Array([0xfb, 0xff, 0xbf]))).toBe('+/+/')
  })

  test.each([
    ['Zg', 'whole number of groups'],
    ['Zg=', 'whole number of groups'],
    ['Z===', 'not base64'],
    ['====', 'not base64'],
    ['=Zg=', 'not base64'],
    ['Zg==Zg==', 'not base64'],
    ['Zm=v', 'not base64'],
    ['Zh==', 'bits set past its last byte'],
    ['Zo==', 'bits set past its last byte'],
    ['Zm9=', 'bits set past its last byte'],
    ['Zm+=', 'bits set past its last byte'],
    ['Zm-v', 'character at 2'],
    ['Zm_v', 'character at 2'],
    [' Zm9', 'character at 0'],
    ['Zm9v\n', 'whole number of groups'],
    ['Zm9\n', 'character at 3'],
    ['Zmé9', 'character at 2'],
    ['Zm\u{1F600}', 'character at 2'],
  ])('does not take %j', (text, reason) => {
    expect(() => decodeBase64(text)).toThrow(FormatError)
    expect(() => decodeBase64(text)).toThrow(reason)
  })

  test('takes one text for one byte string', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgwZ9+/='), maxLength: 8 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = decodeBase64(text)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
          // Whatever is refused is nothing anybody encodes.
          expect(base64(Buffer.from(text, 'base64'))).not.toBe(text)
          return
        }
        expect(base64(bytes)).toBe(text)
      }),
    )
  })
})

describe('a size', () => {
  test.each([
    ['0', 0n],
    ['1', 1n],
    ['9007199254740993', 2n ** 53n + 1n],
    ['18446744073709551615', maxSize],
  ])('%s is read', (text, size) => {
    expect(parseSize(text)).toBe(size)
  })

  test.each([
    '',
    '00',
    '01',
    '+1',
    '-1',
    '-0',
    ' 1',
    '1 ',
    '1\n',
    '1.0',
    '1e3',
    '0x10',
    '1_000',
    '1n',
    '١',
    '18446744073709551616',
    '99999999999999999999',
    '184467440737095516150',
    '9'.repeat(1000),
  ])('%j is not one', (text) => {
    expect(() => parseSize(text)).toThrow(FormatError)
  })

  test('says what is wrong with it and where', () => {
    expect(() => parseSize('01', 'the size of the thing')).toThrow(
      'the size of the thing must be a decimal number without leading zeros, not "01".',
    )
    expect(() => parseSize('18446744073709551616')).toThrow('below 2^64')
  })

  test('in eight bytes has the most significant first', () => {
    expect(hex(uint64Bytes(0n))).toBe('0000000000000000')
    expect(hex(uint64Bytes(0x0102030405060708n))).toBe('0102030405060708')
    expect(hex(uint64Bytes(maxSize))).toBe('ffffffffffffffff')
    expect(() => uint64Bytes(-1n)).toThrow(RangeError)
    expect(() => uint64Bytes(maxSize + 1n)).toThrow(RangeError)
  })
})

test('foreign text in a message is escaped, and no more of it than fits a line', () => {
  expect(quote('a\n"b"')).toBe('"a\\n\\"b\\""')
  expect(quote('x'.repeat(1000))).toBe(`"${'x'.repeat(60)}…"`)
})
