/** Base64 as C2SP formats use it: RFC 4648 §4, padded, one text for one byte string. */
import { FormatError, quote } from './errors.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digitValues = new Map([...alphabet].map((character, value) => [character, value]))

export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3)
    const group = (a << 16) | (b << 8) | c
    for (const shift of [18, 12, 6, 0]) text += alphabet[(group >> shift) & 63]
  }
  const padding = (3 - (bytes.length % 3)) % 3
  return text.slice(0, text.length - padding) + '='.repeat(padding)
}

/**
 * The one byte string `encodeBase64` makes this text of.
 * @param what how the text is called in the error
 * @throws FormatError on a foreign character, on wrong or missing padding, and when bits are set that say nothing
 */
export function decodeBase64(text: string, what = 'base64'): Uint8Array {
  const fail = (why: string): FormatError => new FormatError(`${what} ${why}: ${quote(text)}.`)
  if (text.length % 4 !== 0) throw fail('is not a whole number of groups of four characters')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  const digits = text.length - padding
  let bits = 0
  let filled = 0
  for (let i = 0; i < digits; i += 1) {
    const value = digitValues.get(text[i] as string)
    if (value === undefined) throw fail(`has a character at ${i} that is not base64`)
    bits = ((bits << 6) | value) & 0xffff
    if (i % 4 !== 0) {
      // After the second, third and fourth digit of a group, 4, 2 and 0 bits are left for the next byte.
      bytes[filled] = bits >> (6 - 2 * (i % 4))
      filled += 1
    }
  }
  // Two digits say 12 bits for one byte, three say 18 for two: the bits left over must be zero.
  if (padding > 0 && (bits & (padding === 2 ? 0x0f : 0x03)) !== 0)
    throw fail('has bits set past its last byte')
  return bytes
}
