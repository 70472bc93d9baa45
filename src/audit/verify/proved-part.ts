/** Lines that are proved one by one: whole chains, or what a filter left. */
import { ChainWalk } from './chain-walk.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type ChainPlace, type EntryFrame, readChainKeys } from './entry-frame.ts'
import type { Header } from './header.ts'
import type { BlockLine, EntryLine, GapLine, OpenLine, RedactedLine } from './line.ts'
import { type LogPart, PartState } from './part.ts'
import type { Prunings } from './prunings.ts'
import { type Finding, finding } from './report.ts'

export class ProvedPart implements LogPart {
  readonly state: PartState
  readonly expected = null
  readonly #chains: Header['chains']
  /** By key, in the order of the header. */
  readonly #walks: ReadonlyMap<string, ChainWalk>
  #previous: string | null = null

  constructor(crypto: VerifierCrypto, covered: CoveredLog, chains: Header['chains'], prunings: Prunings) {
    this.state = new PartState(crypto, covered, chains?.kind ?? null, prunings)
    this.#chains = chains
    this.#walks = new Map(covered.header.heads.map((head, i) => [chains?.keys[i] ?? '', new ChainWalk(head)]))
  }

  get isComplete(): boolean {
    return !this.state.redactions.areMissing && [...this.#walks.values()].every((walk) => walk.isComplete)
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
    const walk = this.#walkOf(line, index)
    const chained = line.kind === 'open' ? this.#openFault(line, walk) : this.#nameFault(index, walk)
    if (chained !== null) return chained
    const inclusion = this.state.inclusionFault(index, line.leaf, line.proof)
    if (inclusion !== null) return inclusion
    this.state.count(line, index, walk?.next ?? null)
    this.#previous = index
    walk?.add(index)
    return null
  }

  /** The members that went count, as if they stood here. */
  #takeGap(line: GapLine): Finding | null {
    const walk = this.#namedWalk(line)
    const fault = this.#orderFault(line.last) ?? this.#nameFault(line.last, walk)
    if (fault !== null || walk === null) return fault
    const gone = walk.gapFault(line)
    if (gone !== null) return this.state.at(line.last, ...gone)
    this.state.countGap(line, walk.skip(line))
    this.#previous = line.last
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

  /** The chain that a line is in; null: in none of the export. */
  #walkOf(line: EntryLine, index: string): ChainWalk | null {
    if (line.kind === 'redacted') return this.#namedWalk(line)
    if (this.#chains === null || line.kind === 'pruned') return null
    // An entry from after the export began is there for what it redacts.
    if (typeof line.frame === 'string' || !isDecimalLess(index, this.state.covered.header.size)) return null
    const { access } = JSON.parse(line.entry) as { readonly access: unknown }
    const key = readChainKeys(access)?.[this.#chains.kind] ?? null
    return key === null ? null : (this.#walks.get(key) ?? null)
  }

  /** Of a line that does not say whose it is but by the name of the chain, where there are several. */
  #namedWalk({ chain }: RedactedLine | GapLine): ChainWalk | null {
    return this.#walks.get(chain ?? this.#chains?.keys[0] ?? '') ?? null
  }

  #nameFault(index: string, walk: ChainWalk | null): Finding | null {
    return this.#chains === null || walk !== null
      ? null
      : this.state.at(index, 'chain-key', 'It says it is of a chain that the export does not cover.')
  }

  #openFault(line: OpenLine, walk: ChainWalk | null): Finding | null {
    const { frame, index } = line
    if (typeof frame === 'string')
      return this.state.at(index ?? '', 'entry', `The entry is not of the form it should have: ${frame}.`)
    return this.state.timeFault(frame) ?? this.#chainFault(line, frame, walk)
  }

  /** `chain-key`, `chain-order`, `chain-gap` */
  #chainFault(line: OpenLine, frame: EntryFrame, walk: ChainWalk | null): Finding | null {
    if (this.#chains === null) return null
    const { kind } = this.#chains
    const { index } = frame
    if (walk === null)
      return this.#explains(line, index)
        ? null
        : this.state.at(index, 'chain-key', `It belongs to another ${kind} than that of the export.`)
    const fault = walk.placeFault(frame[kind] as ChainPlace)
    return fault && this.state.at(index, ...fault)
  }

  /** The first of the chains, in the order of the header, that does not end as its head says; then redactions. */
  end(): Finding | null {
    for (const walk of this.#walks.values()) {
      const fault = walk.headFault(this.state.log)
      if (fault !== null) return fault
    }
    return this.state.redactions.fault()
  }
}
