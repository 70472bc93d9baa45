/** The lines of one log in an export: what all kinds of export check of them. */
import { leafHash } from '../tlog/hash.ts'
import { verifyInclusion } from '../tlog/proof.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import type { EntryFrame } from './entry-frame.ts'
import type { BlockLine, EntryLine, GapLine } from './line.ts'
import { type Prunings, readPruningNote } from './prunings.ts'
import { type ChainKind, Redactions } from './redactions.ts'
import { entryPlace, type Finding, finding } from './report.ts'

/** Log and index that a line claims. */
export interface Claim {
  readonly log: string | null
  readonly index: string | null
}

export interface LogPart {
  readonly state: PartState
  /** Whether nothing need follow any more. */
  readonly isComplete: boolean
  /** The index that a line without a proof stands at; null: it may be any, or none must follow. */
  readonly expected: string | null
  /**
   * @param line a line of this log
   * @param place `line <n>`
   * @param next claim of the line after it; null: there is none, or it claims nothing
   */
  take(line: EntryLine | GapLine | BlockLine, place: string, next: () => Claim | null): Finding | null
  /** Where the lines of the log end. */
  end(): Finding | null
}

export class PartState {
  readonly covered: CoveredLog
  readonly log: string
  readonly redactions: Redactions
  entries = 0
  redacted = 0
  pruned = 0
  readonly #prunings: Prunings
  readonly #crypto: VerifierCrypto
  #time = ''

  constructor(crypto: VerifierCrypto, covered: CoveredLog, chain: ChainKind | null, prunings: Prunings) {
    this.#crypto = crypto
    this.covered = covered
    this.log = covered.header.log
    this.#prunings = prunings
    this.redactions = new Redactions(this.log, chain)
  }

  at(index: string, code: Finding['code'], sentence: string): Finding {
    return finding(code, entryPlace(this.log, index), sentence)
  }

  /** `time`: of an open line. */
  timeFault(frame: EntryFrame): Finding | null {
    if (frame.time < this.#time)
      return this.at(
        frame.index,
        'time',
        `Its time, ${frame.time}, is earlier than that of the entry before it, ${this.#time}.`,
      )
    this.#time = frame.time
    return null
  }

  inclusionFault(index: string, leaf: Uint8Array, path: readonly Uint8Array[] | null): Finding | null {
    const { checkpoint } = this.covered
    const { sha256 } = this.#crypto
    if (path === null || checkpoint === null)
      return this.at(
        index,
        'inclusion',
        'The line has no proof, and nothing else shows that it is in the log.',
      )
    const { size, root } = checkpoint
    const claim = { leafHash: leafHash(sha256, leaf), index: BigInt(index), size, path, root }
    return verifyInclusion(sha256, claim)
      ? null
      : this.at(
          index,
          'inclusion',
          `Its path of ${path.length} hashes does not lead to the root of the checkpoint of ${size} entries.`,
        )
  }

  /** Whether it is a pruning entry: such a one may stand in any file of its log, with its proof. */
  isPruning(line: EntryLine): boolean {
    if (line.kind !== 'open' || line.index === null || typeof line.frame === 'string') return false
    return line.frame.isRedaction && readPruningNote(this.log, line.index, line.entry) !== null
  }

  /** @param place of a redacted line in the exported chain; null: no chain is exported */
  count(line: EntryLine, index: string, place: string | null): void {
    this.entries += 1
    if (line.kind === 'redacted') {
      this.redacted += 1
      this.redactions.addRedacted(index, line.redacted, place)
    } else if (line.kind === 'pruned') {
      this.pruned += 1
      this.#prunings.addPruned(this.log, index, line.by, this.#time)
    } else if (typeof line.frame !== 'string' && line.frame.isRedaction) {
      this.redactions.addEntry(index, line.entry)
      const pruning = readPruningNote(this.log, index, line.entry)
      if (pruning !== null) this.#prunings.addEntry(this.log, index, pruning)
    }
  }

  /** @param members how many of the chain went */
  countGap({ last, by }: GapLine, members: bigint): void {
    this.entries += Number(members)
    this.pruned += Number(members)
    this.#prunings.addPruned(this.log, last, by, this.#time)
  }
}
