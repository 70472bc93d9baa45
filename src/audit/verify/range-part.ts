/** A range of a log: every index of it in order, then the redaction entries from beyond it. */
import { TreeFold } from '../tlog/fold.ts'
import { leafHash, sameBytes } from '../tlog/hash.ts'
import { completeSubtrees } from '../tlog/proof.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type BlockLine, blockSize, type EntryLine, type GapLine } from './line.ts'
import { type Claim, type LogPart, PartState } from './part.ts'
import type { Prunings } from './prunings.ts'
import { entryPlace, type Finding, finding } from './report.ts'

/** 2^8 leaves. */
const blockLevel = 8

export class RangePart implements LogPart {
  readonly state: PartState
  readonly #crypto: VerifierCrypto
  readonly #end: bigint
  readonly #tree: TreeFold
  #next: bigint
  #nextText: string
  /** Index of the line before. */
  #previous: string | null = null
  /** The aligned block that is being filled, if the range covers all of it. */
  #block: TreeFold | null = null
  #inBlock: number
  /** The last one that was full. */
  #full: { readonly end: bigint; readonly hash: Uint8Array } | null = null

  constructor(crypto: VerifierCrypto, covered: CoveredLog, prunings: Prunings) {
    const { first, end, before } = covered.header
    this.#crypto = crypto
    this.state = new PartState(crypto, covered, null, prunings)
    this.#next = BigInt(first)
    this.#nextText = first
    this.#end = BigInt(end)
    this.#tree = new TreeFold(crypto.sha256, { size: this.#next, edge: before })
    this.#inBlock = Number(this.#next % BigInt(blockSize))
  }

  /** Whether all of the range was there. */
  get #isFull(): boolean {
    return this.#next === this.#end
  }

  get isComplete(): boolean {
    return this.#isFull && !this.state.redactions.areMissing
  }

  get expected(): string | null {
    return this.#isFull ? null : this.#nextText
  }

  take(line: EntryLine | GapLine | BlockLine, place: string, next: () => Claim | null): Finding | null {
    if (line.kind === 'block') return this.#blockFault(line, place, next)
    if (line.kind === 'gap') return finding('format', place, 'A range has no gap of a chain.')
    const { index } = line
    if (index === null || (line.kind === 'open' && line.log === null)) {
      const sentence = 'The entry is not of the form it should have: it names no log, or no index.'
      return this.expected === null
        ? finding('entry', place, sentence)
        : this.state.at(this.expected, 'entry', sentence)
    }
    if (this.#isEarly(line, index)) return this.#earlyFault(index) ?? this.#takeBeyond(line, index)
    return this.#isFull
      ? (this.#beyondFault(line, index) ?? this.#takeBeyond(line, index))
      : (this.#orderFault(line, index, next) ?? this.#takeMember(line, index))
  }

  #takeMember(line: EntryLine, index: string): Finding | null {
    const fault = this.#openFault(line, index)
    if (fault !== null) return fault
    this.state.count(line, index, null)
    this.#previous = index
    this.#push(line.leaf)
    return null
  }

  /** An entry that is not of the range, and there for what it redacts or prunes. */
  #takeBeyond(line: EntryLine, index: string): Finding | null {
    const fault = this.#openFault(line, index) ?? this.state.inclusionFault(index, line.leaf, line.proof)
    if (fault !== null) return fault
    this.state.count(line, index, null)
    this.#previous = index
    return null
  }

  #openFault(line: EntryLine, index: string): Finding | null {
    if (line.kind !== 'open') return null
    return typeof line.frame === 'string'
      ? this.state.at(index, 'entry', `The entry is not of the form it should have: ${line.frame}.`)
      : this.state.timeFault(line.frame)
  }

  /** A pruning entry from before the range, before the range. */
  #isEarly(line: EntryLine, index: string): boolean {
    const { first } = this.state.covered.header
    return (
      this.#nextText === first &&
      isDecimalLess(index, first) &&
      line.proof !== null &&
      this.state.isPruning(line)
    )
  }

  #earlyFault(index: string): Finding | null {
    if (this.#previous === null || isDecimalLess(this.#previous, index)) return null
    return index === this.#previous
      ? this.state.at(index, 'index-duplicate', 'It is in the file twice.')
      : this.state.at(index, 'index-order', `It stands after ${this.#previous}.`)
  }

  /** `index-*`: another index than the expected one. */
  #orderFault(line: EntryLine, index: string, next: () => Claim | null): Finding | null {
    if (index === this.#nextText)
      return line.proof === null
        ? null
        : this.state.at(index, 'format', 'The lines of a range have no proof of their own.')
    const after = next()
    if (after?.log === this.state.log && after.index !== null && isDecimalLess(after.index, index))
      return this.state.at(after.index, 'index-order', `It stands after ${index}.`)
    return isDecimalLess(index, this.#nextText)
      ? (this.#ascendingFault(index) ?? this.#outsideFault(index))
      : this.state.at(this.#nextText, 'index-missing', `It is missing: ${index} stands in its place.`)
  }

  /** `index-*`: after the last index of the range. */
  #beyondFault(line: EntryLine, index: string): Finding | null {
    const explains = this.state.redactions.isNeeded(index) || this.state.isPruning(line)
    return this.#ascendingFault(index) ?? (line.proof !== null && explains ? null : this.#outsideFault(index))
  }

  /** `index-duplicate`, `index-order` */
  #ascendingFault(index: string): Finding | null {
    if (isDecimalLess(index, this.state.covered.header.first) || this.#previous === null) return null
    if (index === this.#previous) return this.state.at(index, 'index-duplicate', 'It is in the file twice.')
    return isDecimalLess(index, this.#previous)
      ? this.state.at(index, 'index-order', `It stands after ${this.#previous}.`)
      : null
  }

  #outsideFault(index: string): Finding {
    const { first, end } = this.state.covered.header
    return this.state.at(
      index,
      'index-outside',
      `It is not one of the entries from ${first} up to ${end}, nor, with a proof, a redaction entry that one of them names or a pruning entry.`,
    )
  }

  #blockFault({ first, end, hash }: BlockLine, place: string, next: () => Claim | null): Finding | null {
    const { log } = this.state
    if (this.#full?.end === BigInt(end)) {
      const full = this.#full.hash
      this.#full = null
      return sameBytes(full, hash)
        ? null
        : finding(
            'block',
            `${log}/${first}-${BigInt(end) - 1n}`,
            'The leaves of these 256 entries do not give the hash told for them.',
          )
    }
    const isAround = BigInt(first) <= this.#next && this.#next < BigInt(end) && BigInt(end) <= this.#end
    const after = isAround ? next() : null
    if (isAround && (after?.log !== log || after.index !== this.#nextText))
      return this.state.at(
        this.#nextText,
        'index-missing',
        'It is missing: the end of its block stands in its place.',
      )
    return finding(
      'format',
      this.expected === null ? place : entryPlace(log, this.expected),
      'A block stands where none ends that the range covers.',
    )
  }

  #push(leaf: Uint8Array): void {
    const { sha256 } = this.#crypto
    const hash = leafHash(sha256, leaf)
    if (this.#inBlock === 0 && this.#end - this.#next >= BigInt(blockSize)) this.#block = new TreeFold(sha256)
    if (this.#block === null) this.#tree.push(hash)
    else this.#block.push(hash)
    this.#full = null
    this.#next += 1n
    this.#nextText = this.#next.toString()
    this.#inBlock = (this.#inBlock + 1) % blockSize
    if (this.#inBlock !== 0 || this.#block === null) return
    const full = this.#block.root()
    this.#tree.pushSubtree({ level: blockLevel, index: (this.#next - 1n) >> BigInt(blockLevel) }, full)
    this.#full = { end: this.#next, hash: full }
    this.#block = null
  }

  end(): Finding | null {
    if (!this.#isFull)
      return this.state.at(
        this.#nextText,
        'truncated',
        'The lines of the log end where this entry should follow.',
      )
    return this.#rootFault() ?? this.state.redactions.fault()
  }

  #rootFault(): Finding | null {
    const { header, checkpoint } = this.state.covered
    if (checkpoint === null) return null
    completeSubtrees(this.#end, checkpoint.size).forEach((subtree, i) => {
      this.#tree.pushSubtree(subtree, header.after[i] as Uint8Array)
    })
    return sameBytes(this.#tree.root(), checkpoint.root)
      ? null
      : finding(
          'root',
          this.state.log,
          `The leaves do not give the root of the checkpoint of ${checkpoint.size} entries.`,
        )
  }
}
