/** The wire of a witness (C2SP tlog-witness): what a log posts to `add-checkpoint`, what it gets back. */
import { parseSignedCheckpoint } from './checkpoint.ts'
import { FormatError } from './errors.ts'
import { checkText, formatProofLines, parseProofLines, splitHead, splitLines } from './lines.ts'
import { checkSize, parseSize } from './size.ts'

/** The body of `add-checkpoint`. The answer of a witness that signs is lines for `parseSignatureLines`. */
export interface AddCheckpoint {
  /** The size of the checkpoint the witness signed last, 0 for none. */
  readonly oldSize: bigint
  /** The consistency proof from there to the checkpoint. */
  readonly proof: readonly Uint8Array[]
  /** The whole signed note. */
  readonly checkpoint: string
}

/** @throws FormatError on what `parseAddCheckpoint` would not read back, RangeError on a size that is no uint64 */
export function formatAddCheckpoint(request: AddCheckpoint): string {
  checkSize(request.oldSize, 'the old size')
  parseSignedCheckpoint(request.checkpoint)
  const proof = formatProofLines(request.proof, 'the consistency proof')
  return `old ${request.oldSize}\n${proof}\n${request.checkpoint}`
}

/** @throws FormatError also when the checkpoint is not one: status 400 */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  checkText(text, 'the request')
  const { head, rest } = splitHead(text, 'the request')
  const [old, ...lines] = head
  if (!old?.startsWith('old '))
    throw new FormatError('the first line of the request must state the old size.')
  parseSignedCheckpoint(rest)
  return {
    oldSize: parseSize(old.slice('old '.length), 'the old size'),
    proof: parseProofLines(lines, 'the consistency proof'),
    checkpoint: rest,
  }
}

/** The media type of the answer, status 409, of a witness that holds another size than the old one. */
export const storedSizeType = 'text/x.tlog.size'

/** The body of that answer: the size the witness holds. */
export function formatStoredSize(size: bigint): string {
  checkSize(size, 'the stored size')
  return `${size}\n`
}

/** @throws FormatError */
export function parseStoredSize(text: string): bigint {
  const [size = '', ...more] = splitLines(text, 'the stored size')
  if (more.length > 0) throw new FormatError('the stored size must be one line.')
  return parseSize(size, 'the stored size')
}
