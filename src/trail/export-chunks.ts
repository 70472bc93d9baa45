/** The bytes of an export, and whom each chunk of them names: those are in the log before it leaves. */
import type { ToldEntry } from '../audit/csv-columns.ts'
import type { DisclosureStream } from '../disclosure/operation.ts'
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import {
  csvHeader,
  csvLine,
  type ExportHeader,
  fhirLines,
  type Line,
  ndjsonHeader,
  ndjsonLine,
} from './export-format.ts'
import { chainLines, matchingLines, rangeLines } from './export-lines.ts'
import type { ExportPart } from './export-parts.ts'
import type { EntryFilter } from './ledger-sql.ts'

export type ExportFormat = 'ndjson' | 'csv' | 'fhir'

export interface ExportPlan {
  readonly header: ExportHeader
  readonly parts: readonly ExportPart[]
  readonly filter: EntryFilter
  readonly format: ExportFormat
  /** Public address of the record, for `fhir`. */
  readonly origin: string
}

type Chunk = DisclosureStream['chunks'] extends AsyncIterable<infer T> ? T : never

/** Constant memory: one page of the ledger at a time. */
export async function* exportChunks(
  ledger: Reader,
  { header, parts, filter, format, origin }: ExportPlan,
): AsyncGenerator<Chunk> {
  const encoder = new TextEncoder()
  const met = new PatientsMet()
  // That somebody's chain has entries is told by its heads, in the header.
  for (const { chain } of parts) if (chain?.kind === 'patient' && chain.count > 0) met.add(chain.key)
  yield {
    patients: met.take(),
    bytes: encoder.encode(beginOf(header, format)),
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
        lines += format === 'ndjson' ? ndjsonLine(part.log, line) : readableOf(line, format, origin)
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

function beginOf(header: ExportHeader, format: ExportFormat): string {
  switch (format) {
    case 'ndjson':
      return ndjsonHeader(header)
    case 'csv':
      return csvHeader()
    case 'fhir':
      return ''
  }
}

/** CSV and FHIR tell of what can be read. */
function readableOf(line: Line, format: 'csv' | 'fhir', origin: string): string {
  if (line.kind !== 'open') return ''
  return format === 'csv' ? csvLine(line) : fhirLines(JSON.parse(line.entry) as ToldEntry, origin)
}

/** Patients named so far, and those of the chunk being made. */
class PatientsMet {
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
