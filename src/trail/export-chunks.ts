/** The bytes of an export, and whom each chunk of them names: those are in the log before it leaves. */
import type { ToldEntry } from '../audit/csv-columns.ts'
import type { DisclosureChunk } from '../disclosure/operation.ts'
import type { Reader } from '../store/ports.ts'
import { chainLines } from './export-chain.ts'
import {
  type Completeness,
  csvHeader,
  csvLine,
  type ExportFormat,
  type ExportHeader,
  fhirLines,
  type Line,
  ndjsonHeader,
  ndjsonLine,
} from './export-format.ts'
import { matchingLines, rangeLines } from './export-lines.ts'
import type { PlannedPart } from './export-parts.ts'
import type { EntryFilter } from './ledger-sql.ts'
import { PatientsMet } from './patients-met.ts'

export interface ExportPlan {
  /** Null: it goes on with a file that has one. */
  readonly header: ExportHeader | null
  readonly completeness: Completeness
  readonly parts: readonly PlannedPart[]
  /** An entry that matches any of them is told, unless the export is a range or of chains. */
  readonly filters: readonly EntryFilter[]
  readonly format: ExportFormat
  /** Public address of the record, for `fhir`. */
  readonly origin: string
}

/** Constant memory: one page of the ledger at a time. */
export async function* exportChunks(
  ledger: Reader,
  { header, completeness, parts, filters, format, origin }: ExportPlan,
): AsyncGenerator<DisclosureChunk> {
  const encoder = new TextEncoder()
  const met = new PatientsMet()
  for (const patient of toldBy(completeness, parts)) met.add(patient)
  if (header !== null) {
    yield { patients: met.take(), bytes: encoder.encode(beginOf(header, format)) }
  }
  for (const part of parts) {
    for await (const page of linesOf(ledger, part, completeness, filters)) {
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
      yield { patients: lines === '' ? [] : met.take(), bytes: encoder.encode(lines) }
    }
  }
}

function linesOf(
  ledger: Reader,
  part: PlannedPart,
  completeness: Completeness,
  filters: readonly EntryFilter[],
): AsyncGenerator<readonly Line[]> | readonly (readonly Line[])[] {
  const { tree, chains } = part
  if (tree === null) return []
  if (completeness === 'range') return rangeLines(ledger, part, tree)
  return completeness === 'none'
    ? matchingLines(ledger, part, tree, filters)
    : chainLines(ledger, part, tree, chains)
}

/**
 * Whom the header tells something of, or else the rest of the file does: that their chain has entries, or that several ids
 * are one person's. A line of what is gone names nobody, and is of the one person even so.
 */
function toldBy(completeness: Completeness, parts: readonly PlannedPart[]): readonly string[] {
  if (completeness !== 'patient-chain') return []
  const chains = parts.flatMap((part) => part.chains)
  const inUse = chains.filter(({ count }) => count > 0).map(({ key }) => key)
  const [own] = chains
  return own === undefined || own.isOnly ? inUse : [own.key, ...inUse]
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
