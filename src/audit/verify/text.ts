/** Bytes, gzip or not, to text and to lines, in constant memory: UTF-8 with or without a byte order mark, UTF-16 with one. */
import { limits } from '../../limits.ts'
import { gunzip } from './gunzip.ts'
import { type Source, UnreadableError } from './report.ts'

/** Bytes decoded at a time: more would only grow memory. */
const pieceBytes = 128 * 1024

/** One or more lines, as they stand between line ends. */
export interface Lines {
  readonly texts: readonly string[]
  /** Number of the first, from 1. */
  readonly first: number
}

/**
 * The text in pieces of whole characters, without its byte order mark.
 * @throws UnreadableError when the source fails and on bytes that are not in the encoding
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, source: Source): AsyncGenerator<string> {
  let decoder: PieceDecoder | undefined
  let first: Uint8Array = new Uint8Array()
  for await (const next of readPieces(bytes, source)) {
    const piece = first.length === 0 ? next : new Uint8Array([...first, ...next])
    first = new Uint8Array()
    // A byte order mark may come in two pieces.
    if (decoder === undefined && piece.length < 2) {
      first = piece
      continue
    }
    const chosen = decoder ?? decoderOf(piece)
    decoder = chosen
    const text = decodePiece(() => chosen.decode(piece), source)
    if (text !== '') yield text
  }
  const last = decoder ?? new Utf8Decoder()
  const rest = decodePiece(() => last.decode(first) + last.end(), source)
  if (rest !== '') yield rest
}

/**
 * The whole text, of a file that is small.
 * @throws UnreadableError also when it is larger than `limits.maxVerifiedTextLength`
 */
export async function readText(bytes: AsyncIterable<Uint8Array>, source: Source): Promise<string> {
  return joinText(decodeText(bytes, source), source)
}

export async function joinText(pieces: AsyncIterable<string>, source: Source): Promise<string> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length > limits.maxVerifiedTextLength)
      throw new UnreadableError(`It is longer than ${limits.maxVerifiedTextLength} characters.`, source)
  }
  return text
}

/**
 * Lines without their ends (LF or CRLF), many at a time. A line longer than `limits.maxVerifiedLineLength` comes cut
 * there, which is one character more than any that is allowed, and is the last.
 */
export async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<Lines> {
  let carried = ''
  let first = 1
  for await (const piece of pieces) {
    const texts = piece.split('\n')
    texts[0] = carried + texts[0]
    carried = texts.pop() ?? ''
    const long = texts.findIndex((text) => text.length > limits.maxVerifiedLineLength)
    if (long !== -1 || carried.length > limits.maxVerifiedLineLength) {
      const until = long === -1 ? [...texts, carried] : texts.slice(0, long + 1)
      yield { texts: until.map((text) => text.slice(0, limits.maxVerifiedLineLength + 1)), first }
      return
    }
    if (texts.length === 0) continue
    yield { texts: texts.map(withoutReturn), first }
    first += texts.length
  }
  if (carried !== '') yield { texts: [withoutReturn(carried)], first }
}

const withoutReturn = (text: string): string => (text.endsWith('\r') ? text.slice(0, -1) : text)

async function* readPieces(bytes: AsyncIterable<Uint8Array>, source: Source): AsyncGenerator<Uint8Array> {
  const iterator = gunzip(bytes)
  try {
    for (;;) {
      const next = await readNext(iterator, source)
      if (next === null) return
      for (let at = 0; at < next.length; at += pieceBytes) yield next.subarray(at, at + pieceBytes)
    }
  } finally {
    await iterator.return(undefined)
  }
}

async function readNext(iterator: AsyncIterator<Uint8Array>, source: Source): Promise<Uint8Array | null> {
  try {
    const { value, done } = await iterator.next()
    return done ? null : value
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UnreadableError(`It cannot be read: ${why}.`, source)
  }
}

function decodePiece(decode: () => string, source: Source): string {
  try {
    return decode()
  } catch {
    throw new UnreadableError('It is neither UTF-8 nor UTF-16 with a byte order mark.', source)
  }
}

interface PieceDecoder {
  /** @throws TypeError on what is not in the encoding */
  decode(piece: Uint8Array): string
  end(): string
}

/** By the byte order mark, if the first bytes are one. */
function decoderOf(piece: Uint8Array): PieceDecoder {
  const [a, b] = piece
  if (a === 0xff && b === 0xfe) return new Utf16Decoder('utf-16le')
  if (a === 0xfe && b === 0xff) return new Utf16Decoder('utf-16be')
  return new Utf8Decoder()
}

class Utf16Decoder implements PieceDecoder {
  readonly #decoder: TextDecoder

  constructor(encoding: 'utf-16le' | 'utf-16be') {
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: false })
  }

  decode(piece: Uint8Array): string {
    return this.#decoder.decode(piece, { stream: true })
  }

  end(): string {
    return this.#decoder.decode()
  }
}

/** Cuts between characters, so that each piece is decoded as a whole: runtimes are ten times as fast at that. */
class Utf8Decoder implements PieceDecoder {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #carried = new Uint8Array()
  #isBegun = false

  decode(piece: Uint8Array): string {
    const bytes = this.#carried.length === 0 ? piece : new Uint8Array([...this.#carried, ...piece])
    const cut = wholeCharacters(bytes)
    this.#carried = bytes.slice(cut)
    const text = this.#decoder.decode(bytes.subarray(0, cut))
    if (this.#isBegun || text === '') return text
    this.#isBegun = true
    return text.startsWith('\ufeff') ? text.slice(1) : text
  }

  end(): string {
    return this.#decoder.decode(this.#carried)
  }
}

/** How many bytes at the beginning end where a character may: at most three less than all. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) return bytes.length
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return back < length ? bytes.length - back : bytes.length
  }
  return bytes.length
}
