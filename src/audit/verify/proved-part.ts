/** Lines that are proved one by one: whole chains, or what a filter left. */
import { ChainWalk } from './chain-walk.ts'
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import { type ChainPlace, type EntryFrame, readChainKeys } from './entry-frame.ts'
import type { Header } from './header.ts'
import type { BlockLine, OpenLine, RedactedLine } from './line.ts'
import { type LogPart, PartState } from './part.ts'
import { type Finding, finding } from './report.ts'

export class ProvedPart implements LogPart {
  readonly state: PartState
  readonly expected = null
  readonly #chains: Header['chains']
  /** By key, in the order of the header. */
  readonly #walks: ReadonlyMap<string, ChainWalk>
  #previous: string | null = null

  constructor(crypto: VerifierCrypto, covered: CoveredLog, chains: Header['chains']) {
    this.state = new PartState(crypto, covered, chains?.kind ?? null)
    this.#chains = chains
    this.#walks = new Map(covered.header.heads.map((head, i) => [chains?.keys[i] ?? '', new ChainWalk(head)]))
  }

  get isComplete(): boolean {
    return !this.state.redactions.areMissing && [...this.#walks.values()].every((walk) => walk.isComplete)
  }

  take(line: OpenLine | RedactedLine | BlockLine, place: string): Finding | null {
    if (line.kind === 'block') return finding('format', place, 'Only an export of a range has blocks.')
    const { index } = line
    if (index === null || (line.kind === 'open' && line.log === null))
      return finding(
        'entry',
        place,
        'The entry is not of the form it should have: it names no log, or no index.',
      )
    const fault = this.#orderFault(index) ?? this.#outsideFault(index)
    if (fault !== null) return fault
    const walk = this.#walkOf(line, index)
    const chained = line.kind === 'open' ? this.#openFault(line, walk) : this.#redactedFault(index, walk)
    if (chained !== null) return chained
    const inclusion = this.state.inclusionFault(index, line.leaf, line.proof)
    if (inclusion !== null) return inclusion
    this.state.count(line, index, walk?.next ?? null)
    this.#previous = index
    walk?.add(index)
    return null
  }

  #orderFault(index: string): Finding | null {
    if (index === this.#previous) return this.state.at(index, 'index-duplicate', 'It is in the file twice.')
    return this.#previous !== null && isDecimalLess(index, this.#previous)
      ? this.state.at(index, 'index-order', `It stands after ${this.#previous}.`)
      : null
  }

  #outsideFault(index: string): Finding | null {
    const { size } = this.state.covered.header
    // What was redacted while the export ran is named by an entry that is newer than the export.
    if (isDecimalLess(index, size) || this.state.redactions.isNeeded(index)) return null
    return this.state.at(index, 'index-outside', `The log had ${size} entries when the export began.`)
  }

  /** The chain that a line is in; null: in none of the export. */
  #walkOf(line: OpenLine | RedactedLine, index: string): ChainWalk | null {
    if (this.#chains === null) return null
    if (line.kind === 'redacted')
      return this.#walks.get(line.chain ?? (this.#chains.keys[0] as string)) ?? null
    // An entry from after the export began is there for what it redacts.
    if (typeof line.frame === 'string' || !isDecimalLess(index, this.state.covered.header.size)) return null
    const { access } = JSON.parse(line.entry) as { readonly access: unknown }
    const key = readChainKeys(access)?.[this.#chains.kind] ?? null
    return key === null ? null : (this.#walks.get(key) ?? null)
  }

  #redactedFault(index: string, walk: ChainWalk | null): Finding | null {
    return this.#chains === null || walk !== null
      ? null
      : this.state.at(index, 'chain-key', 'It says it is of a chain that the export does not cover.')
  }

  #openFault({ frame, index }: OpenLine, walk: ChainWalk | null): Finding | null {
    if (typeof frame === 'string')
      return this.state.at(index ?? '', 'entry', `The entry is not of the form it should have: ${frame}.`)
    return this.state.timeFault(frame) ?? this.#chainFault(frame, walk)
  }

  /** `chain-key`, `chain-order`, `chain-gap` */
  #chainFault(frame: EntryFrame, walk: ChainWalk | null): Finding | null {
    if (this.#chains === null) return null
    const { kind } = this.#chains
    const { index } = frame
    if (walk === null)
      return this.state.redactions.isNeeded(index)
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
