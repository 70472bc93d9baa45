/** A range of a log: every index of it in order, then the redaction entries from beyond it. */
import { TreeFold } from '../tlog/fold.ts'
import { leafHash, sameBytes } from '../tlog/hash.ts'
import { completeSubtrees } from '../tlog/proof.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type BlockLine, blockSize, type OpenLine, type RedactedLine } from './line.ts'
import { type Claim, type LogPart, PartState } from './part.ts'
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

  constructor(crypto: VerifierCrypto, covered: CoveredLog) {
    const { first, end, before } = covered.header
    this.#crypto = crypto
    this.state = new PartState(crypto, covered, null)
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

  take(line: OpenLine | RedactedLine | BlockLine, place: string, next: () => Claim | null): Finding | null {
    if (line.kind === 'block') return this.#blockFault(line, place, next)
    const { index } = line
    if (index === null || (line.kind === 'open' && line.log === null)) {
      const sentence = 'The entry is not of the form it should have: it names no log, or no index.'
      return this.expected === null
        ? finding('entry', place, sentence)
        : this.state.at(this.expected, 'entry', sentence)
    }
    const fault = this.#isFull ? this.#beyondFault(line, index) : this.#orderFault(line, index, next)
    if (fault !== null) return fault
    return this.#takeEntry(line, index)
  }

  #takeEntry(line: OpenLine | RedactedLine, index: string): Finding | null {
    if (line.kind === 'open') {
      if (typeof line.frame === 'string')
        return this.state.at(index, 'entry', `The entry is not of the form it should have: ${line.frame}.`)
      const late = this.state.timeFault(line.frame)
      if (late !== null) return late
    }
    if (this.#isFull) {
      const fault = this.state.inclusionFault(index, line.leaf, line.proof)
      if (fault !== null) return fault
    }
    this.state.count(line, index, null)
    this.#previous = index
    if (!this.#isFull) this.#push(line.leaf)
    return null
  }

  /** `index-*`: another index than the expected one. */
  #orderFault(line: OpenLine | RedactedLine, index: string, next: () => Claim | null): Finding | null {
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
  #beyondFault(line: OpenLine | RedactedLine, index: string): Finding | null {
    const isNeeded = line.proof !== null && this.state.redactions.isNeeded(index)
    return this.#ascendingFault(index) ?? (isNeeded ? null : this.#outsideFault(index))
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
      `It is not one of the entries from ${first} up to ${end}, nor a redaction entry, with a proof, that one of them names.`,
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
