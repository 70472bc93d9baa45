/** A range of a log: every index of it in order, then the redaction entries from beyond it. */
import { TreeFold } from '../tlog/fold.ts'
import { leafHash, sameBytes } from '../tlog/hash.ts'
import { completeSubtrees } from '../tlog/proof.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type BlockLine, blockSize, type OpenLine, type RedactedLine } from './line.ts'
import { type Claim, type LogPart, PartState } from './part.ts'
import { type Finding, finding } from './report.ts'

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
  /** Index of the last redaction entry from beyond the range. */
  #beyond: string | null = null
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

  get isComplete(): boolean {
    return this.#next === this.#end
  }

  get expected(): string | null {
    return this.isComplete ? null : this.#nextText
  }

  get awaitsRedactions(): boolean {
    return this.isComplete && this.state.redactions.areMissing
  }

  take(line: OpenLine | RedactedLine | BlockLine, place: string, next: () => Claim | null): Finding | null {
    if (line.kind === 'block') return this.#blockFault(line)
    const { index } = line
    if (index === null) {
      const sentence = 'The entry is not of the form it should have: it has no index.'
      return this.expected === null
        ? finding('entry', place, sentence)
        : this.state.at(this.expected, 'entry', sentence)
    }
    const fault = this.isComplete ? this.#beyondFault(line, index) : this.#orderFault(index, next)
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
    if (line.proof !== null || this.isComplete) {
      const fault = this.state.inclusionFault(index, line.leaf, line.proof)
      if (fault !== null) return fault
    }
    this.state.count(line, index, null)
    this.#previous = index
    if (this.isComplete) this.#beyond = index
    else this.#push(line.leaf)
    return null
  }

  /** `index-*`: another index than the expected one. */
  #orderFault(index: string, next: () => Claim | null): Finding | null {
    if (index === this.#nextText) return null
    const after = next()
    if (after?.log === this.state.log && after.index !== null && isDecimalLess(after.index, index))
      return this.state.at(after.index, 'index-order', `It stands after ${index}.`)
    if (!isDecimalLess(index, this.#nextText))
      return this.state.at(this.#nextText, 'index-missing', `It is missing: ${index} stands in its place.`)
    return index === this.#previous
      ? this.state.at(index, 'index-duplicate', 'It is in the file twice.')
      : this.state.at(index, 'index-order', `It stands where ${this.#nextText} should.`)
  }

  /** `index-*`: after the last index of the range. */
  #beyondFault(line: OpenLine | RedactedLine, index: string): Finding | null {
    if (index === this.#previous) return this.state.at(index, 'index-duplicate', 'It is in the file twice.')
    if (isDecimalLess(index, this.#beyond ?? this.#nextText))
      return this.state.at(index, 'index-order', `It stands after ${this.#previous ?? this.#nextText}.`)
    if (line.kind === 'open' && this.state.redactions.isNeeded(index)) return null
    const { first, end } = this.state.covered.header
    return this.state.at(
      index,
      'index-outside',
      `It is not one of the entries from ${first} up to ${end}, and no redacted one names it.`,
    )
  }

  #blockFault({ first, end, hash }: BlockLine): Finding | null {
    const place = `${this.state.log}/${first}-${BigInt(end) - 1n}`
    if (this.#full?.end !== BigInt(end) || this.#full.end !== this.#next)
      return finding('block', place, 'Its hash does not stand after the last of its 256 entries.')
    return sameBytes(this.#full.hash, hash)
      ? null
      : finding('block', place, 'The leaves of these 256 entries do not give the hash told for them.')
  }

  #push(leaf: Uint8Array): void {
    const { sha256 } = this.#crypto
    const hash = leafHash(sha256, leaf)
    if (this.#inBlock === 0 && this.#end - this.#next >= BigInt(blockSize)) this.#block = new TreeFold(sha256)
    if (this.#block === null) this.#tree.push(hash)
    else this.#block.push(hash)
    this.#next += 1n
    this.#nextText = this.#next.toString()
    this.#inBlock = (this.#inBlock + 1) % blockSize
    if (this.#inBlock !== 0 || this.#block === null) return
    const full = this.#block.root()
    this.#tree.pushSubtree({ level: blockLevel, index: (this.#next - 1n) >> BigInt(blockLevel) }, full)
    this.#full = { end: this.#next, hash: full }
    this.#block = null
  }

  end(isFileEnd: boolean): Finding | null {
    if (!this.isComplete)
      return isFileEnd
        ? this.state.at(this.#nextText, 'truncated', 'The file ends where this entry should follow.')
        : this.state.at(this.#nextText, 'index-missing', 'It is missing: the next log begins in its place.')
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
