/** Checkpoints (C2SP tlog-checkpoint): the text of the note in which a log states its size and root. */
import { encodeBase64 } from './base64.ts'
import { FormatError } from './errors.ts'
import { isHash } from './hash.ts'
import { checkLine, parseHash, splitLines } from './lines.ts'
import { type Note, parseNote } from './note.ts'
import { checkSize, parseSize } from './size.ts'

export interface Checkpoint {
  /** Which log this is: any line that is not empty. */
  readonly origin: string
  readonly size: bigint
  readonly root: Uint8Array
  /** Lines that are not empty. Better none: nobody audits them, and ML-DSA cosignatures do not cover them. */
  readonly extensions: readonly string[]
}

/** @throws FormatError */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...extensions] = splitLines(text, 'the checkpoint')
  if (origin === undefined || size === undefined || root === undefined)
    throw new FormatError('the checkpoint must have three lines or more.')
  checkLine(origin, 'the origin of the checkpoint')
  extensions.forEach((line, i) => {
    checkLine(line, `extension line ${i + 1} of the checkpoint`)
  })
  return {
    origin,
    size: parseSize(size, 'the size of the checkpoint'),
    root: parseHash(root, 'the root of the checkpoint'),
    extensions,
  }
}

/**
 * A checkpoint with its signatures, none of them checked.
 * @throws FormatError
 */
export function parseSignedCheckpoint(text: string): { note: Note; checkpoint: Checkpoint } {
  const note = parseNote(text)
  return { note, checkpoint: parseCheckpoint(note.text) }
}

/** @throws FormatError on a line that cannot be one, RangeError on a size or root that cannot be one */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root, extensions } = checkpoint
  checkLine(origin, 'the origin of the checkpoint')
  for (const line of extensions) checkLine(line, 'an extension line of the checkpoint')
  checkSize(size, 'the size of the checkpoint')
  if (!isHash(root))
    throw new RangeError(`the root of the checkpoint must be a hash, not ${root.length} bytes`)
  return [origin, size, encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('')
}
