/** The proof of one entry as a file that can be checked offline (C2SP tlog-proof): `*.tlog-proof`. */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { parseSignedCheckpoint } from './checkpoint.ts'
import { FormatError } from './errors.ts'
import { checkText, formatProofLines, parseProofLines, splitHead } from './lines.ts'
import { checkSize, parseSize } from './size.ts'

const header = 'c2sp.org/tlog-proof@v1'

export interface TlogProof {
  /** What the application adds for its own use, such as the opening of a commitment. Nothing vouches for it. */
  readonly extra: Uint8Array | null
  readonly index: bigint
  /** The inclusion proof, from the leaf's sibling upward. */
  readonly path: readonly Uint8Array[]
  /** The whole signed note. */
  readonly checkpoint: string
}

/** @throws FormatError also when the checkpoint is not one */
export function parseTlogProof(text: string): TlogProof {
  checkText(text, 'the proof')
  const { head, rest } = splitHead(text, 'the proof')
  const [first, ...lines] = head
  if (first !== header) throw new FormatError(`the first line of a proof must be ${header}.`)
  const extra = lines[0]?.startsWith('extra ') ? (lines.shift() as string).slice('extra '.length) : null
  const index = lines.shift()
  if (!index?.startsWith('index ')) throw new FormatError('the proof must state the index of its entry.')
  parseSignedCheckpoint(rest)
  return {
    extra: extra === null ? null : decodeBase64(extra, 'the extra data of the proof'),
    index: parseSize(index.slice('index '.length), 'the index of the proof'),
    path: parseProofLines(lines, 'the proof'),
    checkpoint: rest,
  }
}

/** @throws FormatError on what `parseTlogProof` would not read back, RangeError on an index that is no uint64 */
export function formatTlogProof(proof: TlogProof): string {
  checkSize(proof.index, 'the index of the proof')
  parseSignedCheckpoint(proof.checkpoint)
  const extra = proof.extra === null ? '' : `extra ${encodeBase64(proof.extra)}\n`
  const path = formatProofLines(proof.path, 'the proof')
  return `${header}\n${extra}index ${proof.index}\n${path}\n${proof.checkpoint}`
}
