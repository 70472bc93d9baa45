/** Lines that are proved one by one: a whole chain, or what a filter left. */
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type ChainPlace, type EntryFrame, readChainKeys } from './entry-frame.ts'
import type { Header } from './header.ts'
import type { BlockLine, EntryLine, GapLine, OpenLine } from './line.ts'
import { type LogPart, PartState } from './part.ts'
import type { Prunings } from './prunings.ts'
import { type Finding, finding } from './report.ts'

export class ProvedPart implements LogPart {
  readonly state: PartState
  readonly expected = null
  readonly #chain: Header['chain']
  #previous: string | null = null
  /** Entries of the chain so far, and the index of the newest. */
  #count = 0n
  #last: string | null = null

  constructor(crypto: VerifierCrypto, covered: CoveredLog, chain: Header['chain'], prunings: Prunings) {
    this.state = new PartState(crypto, covered, chain?.kind ?? null, prunings)
    this.#chain = chain
  }

  get isComplete(): boolean {
    const { head } = this.state.covered.header
    return !this.state.redactions.areMissing && (head === null || this.#count === BigInt(head.count))
  }

  take(line: EntryLine | GapLine | BlockLine, place: string): Finding | null {
    if (line.kind === 'block') return finding('format', place, 'Only an export of a range has blocks.')
    if (line.kind === 'gap') return this.#takeGap(line)
    const { index } = line
    if (index === null || (line.kind === 'open' && line.log === null))
      return finding(
        'entry',
        place,
        'The entry is not of the form it should have: it names no log, or no index.',
      )
    const fault = this.#orderFault(index) ?? this.#outsideFault(line, index)
    if (fault !== null) return fault
    const chained = line.kind === 'open' ? this.#openFault(line, index) : null
    if (chained !== null) return chained
    const inclusion = this.state.inclusionFault(index, line.leaf, line.proof)
    if (inclusion !== null) return inclusion
    const expected = `${this.#count + 1n}@${this.#last ?? '-'}`
    this.state.count(line, index, this.#chain === null ? null : expected)
    this.#previous = index
    if (line.kind !== 'open' || this.#isInChain(line, index)) {
      this.#count += 1n
      this.#last = index
    }
    return null
  }

  /** The members that went count, as if they stood here. */
  #takeGap(line: GapLine): Finding | null {
    const count = BigInt(line.count)
    const isFurther = this.#last === null || isDecimalLess(this.#last, line.last)
    if (count <= this.#count || !isFurther)
      return this.state.at(
        line.last,
        'chain-order',
        `As number ${line.count} it is said to have gone: the file had number ${this.#count}, ${this.#last ?? 'none'}, before.`,
      )
    this.state.countGap(line, count - this.#count)
    this.#count = count
    this.#last = line.last
    return null
  }

  /** Whether it is there for what it redacts, or prunes. */
  #explains(line: EntryLine, index: string): boolean {
    return this.state.redactions.isNeeded(index) || this.state.isPruning(line)
  }

  #orderFault(index: string): Finding | null {
    if (index === this.#previous) return this.state.at(index, 'index-duplicate', 'It is in the file twice.')
    return this.#previous !== null && isDecimalLess(index, this.#previous)
      ? this.state.at(index, 'index-order', `It stands after ${this.#previous}.`)
      : null
  }

  #outsideFault(line: EntryLine, index: string): Finding | null {
    const { size } = this.state.covered.header
    // What was redacted while the export ran is named by an entry that is newer than the export.
    if (isDecimalLess(index, size) || this.#explains(line, index)) return null
    return this.state.at(index, 'index-outside', `The log had ${size} entries when the export began.`)
  }

  #openFault(line: OpenLine, index: string): Finding | null {
    const { frame } = line
    if (typeof frame === 'string')
      return this.state.at(index, 'entry', `The entry is not of the form it should have: ${frame}.`)
    return this.state.timeFault(frame) ?? this.#chainFault(line, frame)
  }

  /** `chain-key`, `chain-order`, `chain-gap` */
  #chainFault(line: OpenLine, frame: EntryFrame): Finding | null {
    if (this.#chain === null) return null
    const { kind } = this.#chain
    const { index } = frame
    if (!this.#isInChain(line, index))
      return this.#explains(line, index)
        ? null
        : this.state.at(index, 'chain-key', `It belongs to another ${kind} than that of the export.`)
    const { count, previous } = frame[kind] as ChainPlace
    const told = `It is number ${count} of its chain, after ${previous ?? 'none'}`
    if (BigInt(count) <= this.#count || goesBack(previous, this.#last))
      return this.state.at(
        index,
        'chain-order',
        `${told}: the file had number ${this.#count}, ${this.#last ?? 'none'}, before.`,
      )
    return BigInt(count) === this.#count + 1n && previous === this.#last
      ? null
      : this.state.at(
          index,
          'chain-gap',
          `${told}, and before it stands number ${this.#count}, ${this.#last ?? 'none'}.`,
        )
  }

  /** An entry from after the export began is there for what it redacts. */
  #isInChain({ entry, frame }: OpenLine, index: string): boolean {
    if (this.#chain === null || typeof frame === 'string') return false
    const { access } = JSON.parse(entry) as { readonly access: unknown }
    const key = readChainKeys(access)?.[this.#chain.kind]
    return key === this.#chain.key && isDecimalLess(index, this.state.covered.header.size)
  }

  end(): Finding | null {
    return this.#headFault() ?? this.state.redactions.fault()
  }

  #headFault(): Finding | null {
    const { head } = this.state.covered.header
    if (head === null || (BigInt(head.count) === this.#count && head.last === this.#last)) return null
    return finding(
      'chain-head',
      this.state.log,
      `The chain has ${head.count} entries up to ${head.last ?? 'none'}, the file ${this.#count} up to ${this.#last ?? 'none'}.`,
    )
  }
}

/** Whether a predecessor is older than the entry before. */
const goesBack = (previous: string | null, last: string | null): boolean =>
  last !== null && (previous === null || isDecimalLess(previous, last))
