/**
 * A file of counts, in JSON for programs and CSV for spreadsheets: lines, and of what they were counted. Streamed, so that
 * a count may take as long as the period is; each patient it names is in the log before the bytes that do leave.
 */
import { withoutFormula } from '../audit/csv-columns.ts'
import type { Disclosure, DisclosureChunk } from '../disclosure/operation.ts'
import { limits } from '../limits.ts'
import type { CountedPart } from './counted-parts.ts'
import { csvRecord } from './export-format.ts'
import { PatientsMet } from './patients-met.ts'

export type CountFormat = 'json' | 'csv'

type Cell = string | number | null

/** Title and cell of each column of the CSV. */
export type Columns<Line> = readonly (readonly [title: string, cell: (line: Line) => Cell])[]

export interface CountFile<Line> {
  /** Members of the JSON file before its lines. */
  readonly header: Readonly<Record<string, unknown>>
  readonly parts: readonly CountedPart[]
  readonly columns: Columns<Line>
  /** Pages; an empty one tells that the count goes on. */
  readonly pages: AsyncIterable<readonly Line[]>
}

/** How it is told in the log, and what it is called where it is kept. */
interface Told {
  /** Of this file. */
  readonly id: string
  /** Without its ending. */
  readonly name: string
  /** What was asked for. */
  readonly note: Readonly<Record<string, string>>
}

export const countAnswer = <Line extends object>(
  format: CountFormat,
  file: CountFile<Line>,
  { id, name, note }: Told,
): Disclosure => ({
  status: 200,
  contentType: mediaTypes[format],
  headers: { 'Content-Disposition': `attachment; filename="${name}.${format}"` },
  body: { exportId: id, chunks: countChunks(format, file) },
  disclosed: [],
  reason: 'privacy-officer',
  note: { export: id, ...note, format },
})

const mediaTypes: Readonly<Record<CountFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
}

export async function* countChunks<Line extends object>(
  format: CountFormat,
  file: CountFile<Line>,
): AsyncGenerator<DisclosureChunk> {
  const encoder = new TextEncoder()
  const met = new PatientsMet()
  const write = format === 'json' ? new JsonLines(file) : new CsvLines(file)
  const chunkOf = (text: string): DisclosureChunk => ({ patients: met.take(), bytes: encoder.encode(text) })
  let text = write.begin
  for await (const page of file.pages) {
    if (page.length === 0) {
      // What is known already need not wait for what is counted next.
      text += write.pause
      if (text !== '') yield chunkOf(text)
      text = ''
    }
    for (const line of page) {
      const patient = 'patient' in line ? (line.patient as string | null) : null
      const mustLeave = patient !== null && met.isNew(patient) && met.isFull
      if (mustLeave || text.length >= limits.countChunkLength) {
        yield chunkOf(text)
        text = ''
      }
      if (patient !== null) met.add(patient)
      text += write.line(line)
    }
  }
  text += write.end
  if (text !== '') yield chunkOf(text)
}

interface Writing<Line> {
  readonly begin: string
  /** Between two pages: means nothing, and shows whoever waits that the count goes on. */
  readonly pause: string
  readonly end: string
  line(line: Line): string
}

/** An object with a member `lines`; one line of the file for each. */
class JsonLines<Line> implements Writing<Line> {
  readonly begin: string
  readonly pause = '\n'
  readonly end = ']}\n'
  #separator = ''

  constructor({ header, parts }: CountFile<Line>) {
    this.begin = `${JSON.stringify({ ...header, logs: parts }).slice(0, -1)},"lines":[\n`
  }

  line(line: Line): string {
    const separator = this.#separator
    this.#separator = ',\n'
    return `${separator}${JSON.stringify(line)}`
  }
}

/** First a record for each log, in columns of its own: what it was counted of. */
class CsvLines<Line> implements Writing<Line> {
  readonly begin: string
  readonly pause = ''
  readonly end = ''
  readonly #columns: Columns<Line>

  constructor({ parts, columns }: CountFile<Line>) {
    this.#columns = columns
    const logs = parts.map(({ log, first, end, size, root, prunedBefore }) =>
      record(['log', ...columns.slice(1).map(() => null), log, first, end, size, root, prunedBefore]),
    )
    this.begin = record([...columns.map(([title]) => title), ...logColumns]) + logs.join('')
  }

  line(line: Line): string {
    return record([...this.#columns.map(([, cell]) => cell(line)), ...logColumns.map(() => null)])
  }
}

const logColumns = ['log', 'first', 'end', 'size', 'root', 'pruned_before']

const record = (cells: readonly Cell[]): string =>
  csvRecord(cells.map((cell) => withoutFormula(cell === null ? '' : String(cell))))

/** Counts by name in one cell, e.g. `read=3 search=12`. */
export const namedCounts = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' ')
