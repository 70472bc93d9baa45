/** One line of an NDJSON export after its header (`docs/audit-log.md` §4). */
import { limits } from '../../limits.ts'
import { fromBase64url } from '../base64url.ts'
import { isDecimal, isDecimalLess } from './decimal.ts'
import {
  canonicalText,
  type EntryFrame,
  isLogName,
  isObject,
  readEntryFrame,
  scanEntryFrame,
} from './entry-frame.ts'
import { parseJson } from './strict-json.ts'

export interface OpenLine {
  readonly kind: 'open'
  /** Canonical text of the entry. */
  readonly entry: string
  /** The same in UTF-8, until the parser takes its next line. */
  readonly message: Uint8Array
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
  /** Null: none. */
  readonly proof: readonly Uint8Array[] | null
  /** As the entry says; null: it does not. */
  readonly log: string | null
  readonly index: string | null
  /** A text says what is wrong with the form of the entry. */
  readonly frame: EntryFrame | string
}

export interface RedactedLine {
  readonly kind: 'redacted'
  readonly log: string
  readonly index: string
  readonly leaf: Uint8Array
  /** Index of the redaction entry. */
  readonly redacted: string
  /** Key of the chain it is in, as the line says; null: it says none. */
  readonly chain: string | null
  readonly proof: readonly Uint8Array[] | null
}

/** An entry of a range whose body went by a pruning entry. */
export interface PrunedLine {
  readonly kind: 'pruned'
  readonly log: string
  readonly index: string
  readonly leaf: Uint8Array
  /** The pruning entry: `<log>/<index>`. */
  readonly by: string
  readonly proof: null
}

/** The members of a chain up to number `count`, which is at `last`, as far as none of them is in the file. */
export interface GapLine {
  readonly kind: 'gap'
  readonly log: string
  readonly count: string
  readonly last: string
  /** Key of the chain, as the line says; null: it says none. */
  readonly chain: string | null
  /** The pruning entry: `<log>/<index>`. */
  readonly by: string
}

export interface BlockLine {
  readonly kind: 'block'
  readonly log: string
  /** [first, end), 256 entries. */
  readonly first: string
  readonly end: string
  readonly hash: Uint8Array
}

export interface MalformedLine {
  readonly kind: 'malformed'
  /** Follows "the line". */
  readonly why: string
}

/** A line that holds an index. */
export type EntryLine = OpenLine | RedactedLine | PrunedLine

export type Line = EntryLine | GapLine | BlockLine | MalformedLine

const leafBytes = 33
const saltBytes = 32
const hashBytes = 32
export const blockSize = 256

const malformed = (why: string): MalformedLine => ({ kind: 'malformed', why })

const opening = '{"entry":'
const leafMember = ',"leaf":"'
const saltMember = '","salt":"'
/** Of 33 bytes, and of 32, in base64url. */
const leafLength = 44
const saltLength = 43
const restLength = leafMember.length + leafLength + saltMember.length + saltLength + 2

/** In UTF-8 a UTF-16 code unit takes three bytes at most. */
const maxUnitBytes = 3

const utf8 = new TextEncoder()

export class LineParser {
  /** Room for an entry and the zero after it, so that not each makes a buffer. */
  readonly #bytes = new Uint8Array(maxUnitBytes * limits.maxEntryBytes + 1)

  parse(text: string): Line {
    return text.length > limits.maxVerifiedLineLength
      ? malformed(`is longer than ${limits.maxVerifiedLineLength} characters`)
      : (this.#scanOpenLine(text) ?? parseAnyLine(text))
  }

  /** An open line without a proof as an export writes it: nearly every line there is, so it is taken apart unparsed. */
  #scanOpenLine(text: string): OpenLine | null {
    const entryEnd = text.length - restLength
    const leafStart = entryEnd + leafMember.length
    const saltStart = leafStart + leafLength + saltMember.length
    if (
      !text.startsWith(opening) ||
      !text.startsWith(leafMember, entryEnd) ||
      !text.startsWith(saltMember, leafStart + leafLength) ||
      !text.startsWith('"}', saltStart + saltLength)
    )
      return null
    const leaf = fromBase64url(text, leafStart, leafStart + leafLength)
    const salt = fromBase64url(text, saltStart, saltStart + saltLength)
    const entry = text.slice(opening.length, entryEnd)
    if (leaf === null || salt === null || entry.length > limits.maxEntryBytes) return null
    const { written } = utf8.encodeInto(entry, this.#bytes)
    this.#bytes[written] = 0
    const frame = scanEntryFrame(entry, this.#bytes, written)
    if (frame === null) return null
    const message = this.#bytes.subarray(0, written)
    return {
      kind: 'open',
      entry,
      message,
      leaf,
      salt,
      proof: null,
      log: frame.log,
      index: frame.index,
      frame,
    }
  }
}

function parseAnyLine(text: string): Line {
  const value = parseJson(text)
  if (!isObject(value))
    return malformed('is no JSON object, or one of which two readers see different things')
  if ('entry' in value) return readOpenLine(value)
  if ('redacted' in value) return readRedactedLine(value)
  if ('count' in value) return readGapLine(value)
  if ('pruned' in value) return readPrunedLine(value)
  if ('block' in value) return readBlockLine(value)
  return malformed('is neither an entry nor a redacted or pruned one nor a block')
}

type Members = Readonly<Record<string, unknown>>

const hasOnly = (value: Members, names: readonly string[]): boolean =>
  Object.keys(value).every((name) => names.includes(name))

/** Exactly `length` bytes; null: not so. */
export function readBytes(value: unknown, length: number): Uint8Array | null {
  const bytes = typeof value === 'string' ? fromBase64url(value) : null
  return bytes?.length === length ? bytes : null
}

/** Hashes of a proof, or of subtrees; null: not so. */
export function readHashes(value: unknown): Uint8Array[] | null {
  if (!Array.isArray(value) || value.length > maxHashes) return null
  const hashes = value.map((hash) => readBytes(hash, hashBytes))
  return hashes.every((hash) => hash !== null) ? hashes : null
}

/** More than any proof or cover in a tree of 2^64 leaves. */
const maxHashes = 256

function readOpenLine(value: Members): Line {
  if (!hasOnly(value, ['entry', 'leaf', 'salt', 'proof'])) return malformed('has a member too many')
  const leaf = readBytes(value.leaf, leafBytes)
  const salt = readBytes(value.salt, saltBytes)
  const proof = value.proof === undefined ? null : readHashes(value.proof)
  if (leaf === null) return malformed('has no leaf of 33 bytes')
  if (salt === null) return malformed('has no salt of 32 bytes')
  if (proof === null && value.proof !== undefined) return malformed('has a proof that is not hashes')
  if (!isObject(value.entry)) return malformed('has an entry that is no object')
  const entry = canonicalText(value.entry)
  if (entry === null) return malformed('has an entry with half a surrogate pair')
  const { log, index } = value.entry
  const frame = readEntryFrame(value.entry)
  return {
    kind: 'open',
    entry,
    message: utf8.encode(entry),
    leaf,
    salt,
    proof,
    log: typeof log === 'string' ? log : null,
    index: isDecimal(index) ? index : null,
    frame: frame.ok ? frame.value : frame.error,
  }
}

function readRedactedLine(value: Members): Line {
  if (!hasOnly(value, ['index', 'leaf', 'log', 'redacted', 'chain', 'proof']))
    return malformed('has a member too many')
  const { chain, index, log, redacted } = value
  const leaf = readBytes(value.leaf, leafBytes)
  const proof = value.proof === undefined ? null : readHashes(value.proof)
  if (leaf?.[0] !== 1) return malformed(leafFault)
  if (proof === null && value.proof !== undefined) return malformed('has a proof that is not hashes')
  if (typeof log !== 'string') return malformed('names no log')
  if (!isDecimal(index) || !isDecimal(redacted)) return malformed('has an index that is not a decimal number')
  if (chain !== undefined && typeof chain !== 'string') return malformed(chainFault)
  return { kind: 'redacted', log, index, leaf, redacted, chain: chain ?? null, proof }
}

const chainFault = 'has a chain that is no text'
const leafFault = 'has no leaf of 33 bytes that begins with 1'

function readPrunedLine(value: Members): Line {
  if (!hasOnly(value, ['index', 'leaf', 'log', 'pruned'])) return malformed('has a member too many')
  const { index, log, pruned } = value
  const leaf = readBytes(value.leaf, leafBytes)
  if (leaf?.[0] !== 1) return malformed(leafFault)
  if (typeof log !== 'string') return malformed('names no log')
  if (!isDecimal(index)) return malformed('has an index that is not a decimal number')
  if (!isEntryName(pruned)) return malformed('names no pruning entry')
  return { kind: 'pruned', log, index, leaf, by: pruned, proof: null }
}

function readGapLine(value: Members): Line {
  if (!hasOnly(value, ['chain', 'count', 'last', 'log', 'pruned'])) return malformed('has a member too many')
  const { chain, count, last, log, pruned } = value
  if (typeof log !== 'string') return malformed('names no log')
  if (!isDecimal(count) || count === '0' || !isDecimal(last))
    return malformed('has no count from 1 and no index of the last that went')
  if (!isEntryName(pruned)) return malformed('names no pruning entry')
  if (chain !== undefined && typeof chain !== 'string') return malformed(chainFault)
  return { kind: 'gap', log, count, last, chain: chain ?? null, by: pruned }
}

/** `<log>/<index>` */
function isEntryName(value: unknown): value is string {
  const [log = '', index, ...rest] = typeof value === 'string' ? value.split('/') : []
  return isLogName(log) && isDecimal(index) && rest.length === 0
}

function readBlockLine(value: Members): Line {
  if (!hasOnly(value, ['block', 'hash', 'log'])) return malformed('has a member too many')
  const { block, log } = value
  const hash = readBytes(value.hash, hashBytes)
  if (hash === null) return malformed('has no hash')
  if (typeof log !== 'string') return malformed('names no log')
  if (!Array.isArray(block) || block.length !== 2) return malformed('has no block of two indices')
  const [first, end] = block as readonly unknown[]
  if (!isDecimal(first) || !isDecimal(end) || !isDecimalLess(first, end) || !isBlock(first, end))
    return malformed('has a block that is not 256 entries from a multiple of 256')
  return { kind: 'block', log, first, end, hash }
}

const isBlock = (first: string, end: string): boolean =>
  BigInt(first) % BigInt(blockSize) === 0n && BigInt(end) - BigInt(first) === BigInt(blockSize)
