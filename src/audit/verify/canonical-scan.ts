/**
 * A scanner for JSON in the form of RFC 8785, several times as fast as parsing a text and writing it again. It accepts
 * only what is canonical for sure; of the rest (escapes of control characters, fractions, large numbers, names that are
 * escaped or not ASCII) it says -1, and the caller parses, writes and compares.
 *
 * All functions take UTF-8 in which a zero byte follows the value at the latest, and offsets in it.
 */

/** Deeper values are left to the caller: this scanner is recursive. */
const maxDepth = 16

/** Offsets of a member: its name without quotes, its value. */
export type Visit = (nameStart: number, nameEnd: number, valueStart: number) => void

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const colon = 0x3a
const quoteMark = 0x22
const backslash = 0x5c
const minus = 0x2d
const zero = 0x30
const nine = 0x39

/**
 * The end of the object that begins at `at`, or -1.
 * @param visit is told of each of its members, not of theirs
 */
export function scanObject(bytes: Uint8Array, at: number, depth = 0, visit?: Visit): number {
  if (bytes[at] !== openBrace || depth > maxDepth) return -1
  let i = at + 1
  if (bytes[i] === closeBrace) return i + 1
  let previousStart = -1
  let previousEnd = -1
  for (;;) {
    const nameEnd = scanName(bytes, i)
    if (nameEnd === -1 || bytes[nameEnd + 1] !== colon) return -1
    const nameStart = i + 1
    if (previousStart !== -1 && !isLess(bytes, previousStart, previousEnd, nameStart, nameEnd)) return -1
    const valueStart = nameEnd + 2
    const valueEnd = scanValue(bytes, valueStart, depth + 1)
    if (valueEnd === -1) return -1
    visit?.(nameStart, nameEnd, valueStart)
    if (bytes[valueEnd] === closeBrace) return valueEnd + 1
    if (bytes[valueEnd] !== comma) return -1
    previousStart = nameStart
    previousEnd = nameEnd
    i = valueEnd + 1
  }
}

function scanValue(bytes: Uint8Array, at: number, depth: number): number {
  const first = bytes[at] as number
  if (first === quoteMark) return scanString(bytes, at)
  if (first === openBrace) return scanObject(bytes, at, depth)
  if (first === openBracket) return scanArray(bytes, at, depth)
  if (first === minus || (first >= zero && first <= nine)) return scanInteger(bytes, at)
  for (const word of words) if (isAt(bytes, at, word)) return at + word.length
  return -1
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

const words = ['null', 'true', 'false'].map(ascii)

/** Whether these bytes stand there. */
export function isAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i += 1) if (bytes[at + i] !== word[i]) return false
  return true
}

function scanArray(bytes: Uint8Array, at: number, depth: number): number {
  if (depth > maxDepth) return -1
  let i = at + 1
  if (bytes[i] === closeBracket) return i + 1
  for (;;) {
    const end = scanValue(bytes, i, depth + 1)
    if (end === -1) return -1
    if (bytes[end] === closeBracket) return end + 1
    if (bytes[end] !== comma) return -1
    i = end + 1
  }
}

/** 1 for what RFC 8785 escapes with one letter. */
const shortEscapes = new Uint8Array(256)
for (const letter of ascii('"\\bfnrt')) shortEscapes[letter] = 1

function scanString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; ; i += 1) {
    const byte = bytes[i] as number
    if (byte === quoteMark) return i + 1
    if (byte < 0x20) return -1
    if (byte === backslash) {
      i += 1
      if (shortEscapes[bytes[i] as number] !== 1) return -1
    }
  }
}

/** Where the closing quote of a name is; -1 unless it is ASCII without escapes: names are compared as they stand. */
function scanName(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quoteMark) return -1
  for (let i = at + 1; ; i += 1) {
    const byte = bytes[i] as number
    if (byte === quoteMark) return i
    if (byte < 0x20 || byte >= 0x80 || byte === backslash) return -1
  }
}

/** At most 15 digits: exact in a double, so they are written as they were. */
function scanInteger(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === minus ? at + 1 : at
  let i = first
  while ((bytes[i] as number) >= zero && (bytes[i] as number) <= nine) i += 1
  const count = i - first
  if (count === 0 || count > 15) return -1
  if (bytes[first] === zero && (count > 1 || first !== at)) return -1
  const next = bytes[i]
  return next === comma || next === closeBrace || next === closeBracket ? i : -1
}

/** Whether one name stands before the other in the order of UTF-16 code units. */
function isLess(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  const shared = Math.min(aEnd - aStart, bEnd - bStart)
  for (let i = 0; i < shared; i += 1) {
    const difference = (bytes[aStart + i] as number) - (bytes[bStart + i] as number)
    if (difference !== 0) return difference < 0
  }
  return aEnd - aStart < bEnd - bStart
}
