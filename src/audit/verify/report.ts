/** What a verifier says: codes, places and sentences (`docs/audit-log.md` §5). */

export type Code =
  | 'unreadable'
  | 'format'
  | 'header'
  | 'key'
  | 'origin'
  | 'signature-missing'
  | 'signature-invalid'
  | 'signature-duplicate'
  | 'quorum'
  | 'checkpoint-older'
  | 'known-fork'
  | 'known-unproved'
  | 'log'
  | 'index-duplicate'
  | 'index-order'
  | 'index-missing'
  | 'index-outside'
  | 'truncated'
  | 'leaf'
  | 'block'
  | 'root'
  | 'inclusion'
  | 'entry'
  | 'time'
  | 'redaction-missing'
  | 'redaction-other'
  | 'redaction-duplicate'
  | 'pruning-missing'
  | 'pruning-other'
  | 'chain-gap'
  | 'chain-order'
  | 'chain-key'
  | 'chain-head'
  | 'list'
  | 'list-signature'
  | 'list-log'
  | 'csv-columns'
  | 'csv-cell'
  | 'csv-row-missing'
  | 'csv-row-extra'
  | 'event-element'
  | 'event-missing'
  | 'event-extra'
  | 'tile'
  | 'tile-hash'
  | 'bundle-leaf'

/** Which of the inputs; a number is the index in `known`. */
export type Source = 'file' | 'proof' | 'policy' | number

/** The first thing that is wrong. */
export interface Finding {
  readonly code: Code
  readonly place: string
  /** One sentence, with its full stop. */
  readonly sentence: string
  readonly source: Source
}

export const finding = (code: Code, place: string, sentence: string, source: Source = 'file'): Finding => ({
  code,
  place,
  sentence,
  source,
})

/** The place of an entry. */
export const entryPlace = (log: string, index: bigint | string): string => `${log}/${index}`

/** Input that cannot be read: thrown where bytes come in, and told as a finding by whoever began to read. */
export class UnreadableError extends Error {
  override name = 'UnreadableError'
  readonly source: Source

  constructor(sentence: string, source: Source) {
    super(sentence)
    this.source = source
  }

  finding(): Finding {
    return finding('unreadable', 'file', this.message, this.source)
  }
}

/** What was found good of one log. */
export interface VerifiedLog {
  readonly log: string
  readonly origin: string
  /** Entries under the checkpoint, decimal; `0` of an empty log. */
  readonly checkpointSize: string
  /** The part searched, decimal: [first, end). */
  readonly first: string
  readonly end: string
  /** Entries in the file, or in the tiles, and of them those without a body. */
  readonly entries: number
  readonly redacted: number
  /** Entries whose bodies a retention policy let go. */
  readonly pruned: number
  /** False: the log had more entries than the checkpoint covers, or could not be asked. */
  readonly current: boolean
  /** Algorithm and key id of each key that signed, e.g. `Ed25519 1047eb58`. */
  readonly keys: readonly string[]
  /** Names of the policy's witnesses that cosigned. */
  readonly witnesses: readonly string[]
  /** Sizes of the known checkpoints that it agrees with, decimal. */
  readonly known: readonly string[]
}

export type FileKind = 'range' | 'patient-chain' | 'organisation-chain' | 'none' | 'tlog-proof' | 'tiles'

export type Report =
  | {
      readonly ok: true
      readonly kind: FileKind
      readonly logs: readonly VerifiedLog[]
      /** One sentence each: what was there and could not be judged. */
      readonly notChecked: readonly string[]
      /** What keys the verdict rests on: those of the policy, or those that the file itself names. */
      readonly trust: 'policy' | 'file'
    }
  | ({ readonly ok: false } & Finding)
