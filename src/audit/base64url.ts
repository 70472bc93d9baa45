/** RFC 4648 §5 without padding. */
export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** Value of each character by its code unit; 255: not of the alphabet. */
const digits = new Uint8Array(128).fill(255)
for (const [value, character] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries())
  digits[character.charCodeAt(0)] = value

/**
 * The one byte string `base64url` makes `text.slice(from, to)` of; null when there is none: a foreign character, a
 * length that cannot be, bits set that say nothing.
 */
export function fromBase64url(text: string, from = 0, to = text.length): Uint8Array<ArrayBuffer> | null {
  const length = to - from
  if (length % 4 === 1) return null
  const bytes = new Uint8Array((length * 3) >> 2)
  let bits = 0
  let held = 0
  let at = 0
  for (let i = from; i < to; i += 1) {
    const digit = digits[text.charCodeAt(i)] ?? 255
    if (digit === 255) return null
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[at] = bits >> held
    at += 1
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null
}
