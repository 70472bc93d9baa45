/** Rows of a CSV export beside the entries they tell of. */
import { base64url } from '../base64url.ts'
import { csvColumns, csvFields, type ToldEntry } from '../csv-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import { isDecimal, isDecimalLess } from './decimal.ts'
import { isObject } from './entry-frame.ts'
import type { Header } from './header.ts'
import type { OpenLine } from './line.ts'
import { entryPlace, type Finding, finding } from './report.ts'
import type { Companion } from './verify-export.ts'

const leafColumn = csvColumns.length - 1

export class CsvRows implements Companion {
  readonly #batches: AsyncIterator<readonly CsvRecord[]>
  #batch: readonly CsvRecord[] = []
  #at = 0
  /** Names of the logs, in the order of the file. */
  #logs: readonly string[] = []

  constructor(records: AsyncIterable<readonly CsvRecord[]>) {
    this.#batches = records[Symbol.asyncIterator]()
  }

  /** Closes the source, also when it was not read to its end. */
  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async begin(header: Header): Promise<Finding | null> {
    this.#logs = header.logs.map(({ log }) => log)
    const record = await this.#next()
    const columns = record?.fields ?? []
    if (columns.length === csvColumns.length && columns.every((name, i) => name === csvColumns[i]))
      return null
    const wrong = csvColumns.findIndex((name, i) => name !== columns[i])
    return finding(
      'csv-columns',
      'row 1',
      wrong === -1
        ? `There are ${columns.length} columns, not ${csvColumns.length}.`
        : `Column ${wrong + 1} should be ${csvColumns[wrong]}.`,
    )
  }

  async take(line: OpenLine): Promise<Finding | null> {
    const entry = toldEntry(line.entry)
    const place = entryPlace(line.log ?? '', line.index ?? '')
    if (entry === null)
      return finding('entry', place, 'The access is not of the form that rows can tell of.', 'proof')
    const record = await this.#next()
    if (record === null)
      return finding('csv-row-missing', place, 'The entry has no row: the rows end before it.')
    const { fields, row } = record
    if (fields === null) return finding('format', `row ${row}`, 'The row is too long.')
    const expected = csvFields(entry, base64url(line.leaf))
    return this.#strayFault(fields, row, expected, place) ?? cellFault(fields, row, expected)
  }

  async end(): Promise<Finding | null> {
    const record = await this.#next()
    return record === null
      ? null
      : finding('csv-row-extra', `row ${record.row}`, 'There are more rows than entries.')
  }

  /** `csv-row-*`: a row of another entry, as neither its leaf nor its place in a log is that of this one. */
  #strayFault(
    fields: readonly string[],
    row: number,
    expected: readonly string[],
    place: string,
  ): Finding | null {
    const [log, index] = fields
    const isOwn =
      fields[leafColumn] === expected[leafColumn] || (log === expected[0] && index === expected[1])
    if (isOwn || log === undefined || !isDecimal(index)) return null
    const part = this.#logs.indexOf(log)
    if (part === -1) return null
    const ownPart = this.#logs.indexOf(expected[0] as string)
    const isLater = part === ownPart ? isDecimalLess(expected[1] as string, index) : part > ownPart
    return isLater
      ? finding('csv-row-missing', place, `The entry has no row: row ${row} is of ${log}/${index}.`)
      : finding('csv-row-extra', `row ${row}`, `The row is of ${log}/${index}, which stands before it.`)
  }

  async #next(): Promise<CsvRecord | null> {
    while (this.#at === this.#batch.length) {
      const { value, done } = await this.#batches.next()
      if (done) return null
      this.#batch = value
      this.#at = 0
    }
    this.#at += 1
    return this.#batch[this.#at - 1] as CsvRecord
  }
}

function cellFault(fields: readonly string[], row: number, expected: readonly string[]): Finding | null {
  const wrong = expected.findIndex((text, i) => fields[i] === undefined || !isSameText(fields[i], text))
  if (wrong !== -1)
    return finding(
      'csv-cell',
      `row ${row} column ${csvColumns[wrong]}`,
      `The entry says ${quote(expected[wrong] as string)}, the row ${quote(fields[wrong] ?? '')}.`,
    )
  return fields.length === expected.length
    ? null
    : finding('csv-cell', `row ${row} column ${expected.length + 1}`, 'The row has more fields than columns.')
}

/** A program that changes the line ends of a file changes those within fields too. */
const isSameText = (a: string, b: string): boolean => a === b || withLineFeeds(a) === withLineFeeds(b)

const withLineFeeds = (text: string): string => text.replace(/\r\n?/g, '\n')

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** Null: `csvFields` could not tell of it. */
function toldEntry(text: string): ToldEntry | null {
  const entry: unknown = JSON.parse(text)
  if (!isObject(entry) || !isObject(entry.access)) return null
  const { who, decision, query, resources, staleness, note } = entry.access
  const isTold =
    [who, decision, query].every(isObject) &&
    Array.isArray(resources) &&
    [staleness, note].every((value) => value === null || isObject(value))
  return isTold ? (entry as unknown as ToldEntry) : null
}
