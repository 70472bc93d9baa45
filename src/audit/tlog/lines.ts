/** What the text formats of a transparency log have in common: lines, hashes in lines, no control characters. */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { FormatError, quote } from './errors.ts'
import { hashSize } from './hash.ts'

/**
 * C2SP tlog-witness, add-checkpoint. Enough for an inclusion proof in 2^63 leaves and a consistency proof over 2^62,
 * one hash longer (RFC 6962 §2.1.2): larger trees are never written out.
 */
export const maxProofLines = 63

const utf8 = new TextEncoder()

export const utf8Bytes = (text: string): Uint8Array => utf8.encode(text)

/**
 * Checks what C2SP signed-note asks of all its text: newlines are its only control characters, it can be UTF-8.
 * @throws FormatError
 */
export function checkText(text: string, what: string): void {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code < 0x20 && code !== 0x0a)
      throw new FormatError(
        `${what} has the control character 0x${code.toString(16).padStart(2, '0')} at ${i}.`,
      )
  }
  if (!text.isWellFormed())
    throw new FormatError(`${what} has half a surrogate pair, which UTF-8 cannot hold.`)
}

/** @throws FormatError unless the text can be a line of its own: not empty, no newline */
export function checkLine(line: string, what: string): void {
  checkText(line, what)
  if (line === '') throw new FormatError(`${what} must not be empty.`)
  if (line.includes('\n')) throw new FormatError(`${what} must be one line, not ${quote(line)}.`)
}

/** The lines of a text of which every line ends in a newline. */
export function splitLines(text: string, what: string): string[] {
  if (!text.endsWith('\n')) throw new FormatError(`${what} must end in a newline.`)
  return text.slice(0, -1).split('\n')
}

/** @throws FormatError unless the line is a hash in base64 */
export function parseHash(line: string, what: string): Uint8Array {
  const hash = decodeBase64(line, what)
  if (hash.length !== hashSize)
    throw new FormatError(`${what} must be a hash of ${hashSize} bytes, not of ${hash.length}.`)
  return hash
}

/** @throws FormatError on more than 63 lines or one that is not a hash */
export function parseProofLines(lines: readonly string[], what: string): Uint8Array[] {
  if (lines.length > maxProofLines)
    throw new FormatError(`${what} has ${lines.length} hashes, more than ${maxProofLines}.`)
  return lines.map((line, i) => parseHash(line, `hash ${i + 1} of ${what}`))
}

/** @throws FormatError on what `parseProofLines` would not read */
export function formatProofLines(proof: readonly Uint8Array[], what: string): string {
  const lines = proof.map(encodeBase64)
  parseProofLines(lines, what)
  return lines.map((line) => `${line}\n`).join('')
}

/**
 * A head of lines, an empty line, and the rest of the text as it stands: how tlog-proof and tlog-witness put a
 * checkpoint after other lines.
 */
export function splitHead(text: string, what: string): { head: string[]; rest: string } {
  const end = text.indexOf('\n\n')
  if (end === -1) throw new FormatError(`${what} must have an empty line before its checkpoint.`)
  return { head: text.slice(0, end).split('\n'), rest: text.slice(end + 2) }
}
