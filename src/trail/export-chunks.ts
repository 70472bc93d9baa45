/** The bytes of an export, and whom each chunk of them names: those are in the log before it leaves. */
import type { DisclosureStream } from '../disclosure/operation.ts'
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import {
  csvHeader,
  csvLine,
  type ExportHeader,
  type Line,
  ndjsonHeader,
  ndjsonLine,
} from './export-format.ts'
import { chainLines, matchingLines, rangeLines } from './export-lines.ts'
import type { ExportPart } from './export-parts.ts'
import type { EntryFilter } from './ledger-sql.ts'

export interface ExportPlan {
  readonly header: ExportHeader
  readonly parts: readonly ExportPart[]
  readonly filter: EntryFilter
  readonly format: 'ndjson' | 'csv'
}

type Chunk = DisclosureStream['chunks'] extends AsyncIterable<infer T> ? T : never

/** Constant memory: one page of the ledger at a time. */
export async function* exportChunks(
  ledger: Reader,
  { header, parts, filter, format }: ExportPlan,
): AsyncGenerator<Chunk> {
  const encoder = new TextEncoder()
  const met = new PatientsMet()
  // That somebody's chain has entries is told by its heads, in the header.
  for (const { chain } of parts) if (chain?.kind === 'patient' && chain.count > 0) met.add(chain.key)
  yield {
    patients: met.take(),
    bytes: encoder.encode(format === 'csv' ? csvHeader() : ndjsonHeader(header)),
  }
  for (const part of parts) {
    for await (const page of linesOf(ledger, part, header, filter)) {
      let lines = ''
      for (const line of page) {
        const patient = line.kind === 'open' ? line.patient : null
        if (patient !== null && met.isNew(patient) && met.isFull) {
          yield { patients: met.take(), bytes: encoder.encode(lines) }
          lines = ''
        }
        if (patient !== null) met.add(patient)
        lines += format === 'csv' ? csvOf(line) : ndjsonLine(part.log, line)
      }
      yield { patients: met.take(), bytes: encoder.encode(lines) }
    }
  }
}

function linesOf(
  ledger: Reader,
  part: ExportPart,
  { completeness }: ExportHeader,
  filter: EntryFilter,
): AsyncGenerator<readonly Line[]> | readonly (readonly Line[])[] {
  const { tree, chain } = part
  if (tree === null) return []
  if (completeness === 'range') return rangeLines(ledger, part, tree)
  return chain === null ? matchingLines(ledger, part, tree, filter) : chainLines(ledger, part, tree, chain)
}

/** A CSV tells of what can be read. */
const csvOf = (line: Line): string => (line.kind === 'open' ? csvLine(line) : '')

/** Patients named so far, and those of the chunk being made. */
export class PatientsMet {
  #named = new Set<string>()
  #fresh: string[] = []

  isNew(patient: string): boolean {
    return !this.#named.has(patient)
  }

  /** One append takes no more. */
  get isFull(): boolean {
    return this.#fresh.length === limits.maxAppendEntries
  }

  add(patient: string): void {
    if (this.#named.has(patient)) return
    // Forgetting makes a patient be logged again: more entries than needed, never fewer.
    if (this.#named.size === limits.maxExportPatients) this.#named = new Set(this.#fresh)
    this.#named.add(patient)
    this.#fresh.push(patient)
  }

  take(): string[] {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }
}
