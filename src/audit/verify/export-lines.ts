/** The lines of an export after its header: step 4 of `docs/audit-log.md` §5, log by log. */
import type { CoveredLog } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import type { Header } from './header.ts'
import { type Line, LineParser, type OpenLine } from './line.ts'
import type { Claim, LogPart } from './part.ts'
import { ProvedPart } from './proved-part.ts'
import { Prunings } from './prunings.ts'
import { RangePart } from './range-part.ts'
import { entryPlace, type Finding, finding } from './report.ts'

export class ExportLines {
  readonly parts: readonly LogPart[]
  readonly #crypto: VerifierCrypto
  readonly #needsProofs: boolean
  /** Of one chain, or none, nothing need be said. */
  readonly #needsChain: boolean
  readonly #isChain: boolean
  readonly #prunings = new Prunings()
  readonly #lines = new LineParser()
  /** Of its own, as a parser keeps one line. */
  readonly #linesAhead = new LineParser()
  #current = 0

  constructor(crypto: VerifierCrypto, header: Header, covered: readonly CoveredLog[]) {
    this.#crypto = crypto
    this.#isChain = header.chains !== null
    this.#needsProofs = header.completeness !== 'range'
    this.#needsChain = header.chains !== null && header.chains.keys.length > 1
    this.parts = covered.map((log) =>
      header.completeness === 'range'
        ? new RangePart(crypto, log, this.#prunings)
        : new ProvedPart(crypto, log, header.chains, this.#prunings),
    )
  }

  get #part(): LogPart {
    return this.parts[this.#current] as LogPart
  }

  /**
   * Takes the next line.
   * @param next the line after it; null: there is none
   * @returns the entry of an open line; null of another one
   */
  take(text: string, number: number, next: string | null): Finding | OpenLine | null {
    const place = `line ${number}`
    const line = this.#lines.parse(text)
    if (line.kind === 'malformed')
      return finding('format', this.#expectedPlace ?? place, `The line ${line.why}.`)
    if (line.kind === 'gap' && !this.#isChain)
      return finding('format', this.#expectedPlace ?? place, 'Only an export of a chain has a gap of one.')
    if (this.#needsProofs && line.kind !== 'block' && line.kind !== 'gap' && line.proof === null)
      return finding('format', place, 'The line has no proof, as all lines of this export have.')
    if ((line.kind === 'redacted' || line.kind === 'gap') && (line.chain !== null) !== this.#needsChain)
      return finding(
        'format',
        this.#expectedPlace ?? place,
        'A redacted line, or a gap, says of which chain it is where the export is of several, and only there.',
      )
    if (line.kind === 'open' && !this.#isCommitted(line))
      return finding(
        'leaf',
        (line.proof === null ? this.#expectedPlace : null) ?? claimedPlace(line) ?? place,
        'Entry and salt do not give the leaf: one of the three was changed.',
      )
    const fault =
      this.#enter(line, place, next) ??
      this.#part.take(line, place, () => (next === null ? null : this.#claimOf(next)))
    return fault ?? (line.kind === 'open' ? line : null)
  }

  /** At the end of the file. */
  end(): Finding | null {
    for (const part of this.parts.slice(this.#current)) {
      const fault = part.end()
      if (fault !== null) return fault
    }
    return this.#prunings.fault()
  }

  /** `log`, and what is wrong where the lines of the logs before end. */
  #enter(line: Exclude<Line, { kind: 'malformed' }>, place: string, next: string | null): Finding | null {
    const { log } = this.#part.state
    // An entry that names no log is judged where it stands.
    if (line.log === log || line.log === null) return null
    const later =
      line.kind === 'block'
        ? -1
        : this.parts.findIndex(({ state }, i) => i > this.#current && state.log === line.log)
    const isStray = !this.#part.isComplete && next !== null && this.#claimOf(next)?.log === log
    if (later === -1 || isStray)
      return finding(
        'log',
        claimedPlace(line) ?? place,
        `The line of ${line.log} stands in the part of ${log}.`,
      )
    while (this.#current < later) {
      const fault = this.#part.end()
      if (fault !== null) return fault
      this.#current += 1
    }
    return null
  }

  /** In a range, where a line without a proof stands, whatever it claims; null: it may be any. */
  get #expectedPlace(): string | null {
    if (this.#needsProofs) return null
    const { expected, isComplete, state } = this.#part
    if (expected !== null) return entryPlace(state.log, expected)
    if (!isComplete) return null
    const later = this.parts.slice(this.#current + 1).find((part) => part.expected !== null)
    return later === undefined || later.expected === null ? null : entryPlace(later.state.log, later.expected)
  }

  /** Log and index of a line, if it claims them. */
  #claimOf(text: string): Claim | null {
    const line = this.#linesAhead.parse(text)
    if (line.kind === 'malformed') return null
    return line.kind === 'block' || line.kind === 'gap'
      ? { log: line.log, index: null }
      : { log: line.log, index: line.index }
  }

  /** Whether entry and salt give the leaf. */
  #isCommitted({ salt, message, leaf }: OpenLine): boolean {
    const mac = this.#crypto.hmacSha256(salt, message)
    if (leaf[0] !== 1) return false
    for (let i = 0; i < mac.length; i += 1) if (mac[i] !== leaf[i + 1]) return false
    return true
  }
}

function claimedPlace(line: Exclude<Line, { kind: 'malformed' }>): string | null {
  if (line.kind === 'gap') return entryPlace(line.log, line.last)
  if (line.kind === 'block' || line.log === null || line.index === null) return null
  return entryPlace(line.log, line.index)
}
