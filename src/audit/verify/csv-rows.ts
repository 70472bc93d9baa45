/** Rows of a CSV export beside the entries they tell of. */
import { base64url } from '../base64url.ts'
import { csvColumns, csvFields, type ToldEntry } from '../csv-columns.ts'
import type { CsvFault, CsvRecord, CsvRow } from './csv-records.ts'
import { isObject } from './entry-frame.ts'
import type { OpenLine } from './line.ts'
import { entryPlace, type Finding, finding } from './report.ts'
import type { Companion } from './verify-export.ts'

const leafColumn = csvColumns.length - 1

export class CsvRows implements Companion {
  readonly #batches: AsyncIterator<readonly CsvRecord[]>
  #batch: readonly CsvRecord[] = []
  #at = 0

  constructor(records: AsyncIterable<readonly CsvRecord[]>) {
    this.#batches = records[Symbol.asyncIterator]()
  }

  /** Closes the source, also when it was not read to its end. */
  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async begin(): Promise<Finding | null> {
    const record = await this.#next()
    if (record !== null && 'why' in record) return malformed(record)
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
    const expected = csvFields(toldEntry(line.entry), base64url(line.leaf)).map(withLineFeeds)
    const record = await this.#next()
    if (record === null) return missing(line)
    if ('why' in record) return malformed(record)
    if (isOf(record, expected)) return cellFault(record, expected)
    // A row too many stands before the entry's own; else the entry has none.
    const after = await this.#next()
    return after !== null && 'fields' in after && isOf(after, expected)
      ? finding(
          'csv-row-extra',
          `row ${record.row}`,
          `It is of no entry that stands here: the next one is ${line.log}/${line.index}.`,
        )
      : missing(line)
  }

  async end(): Promise<Finding | null> {
    const record = await this.#next()
    if (record === null) return null
    return 'why' in record
      ? malformed(record)
      : finding('csv-row-extra', `row ${record.row}`, 'There are more rows than entries.')
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

/** Whether a row is meant for an entry: it has its leaf, or its log and index. */
const isOf = ({ fields }: CsvRow, expected: readonly string[]): boolean =>
  fields[leafColumn] === expected[leafColumn] || (fields[0] === expected[0] && fields[1] === expected[1])

const missing = (line: OpenLine): Finding =>
  finding('csv-row-missing', entryPlace(line.log ?? '', line.index ?? ''), 'The entry has no row.')

const malformed = ({ row, why }: CsvFault): Finding => finding('format', `row ${row}`, `The row ${why}.`)

function cellFault({ fields, row }: CsvRow, expected: readonly string[]): Finding | null {
  const wrong = expected.findIndex((text, i) => fields[i] === undefined || withLineFeeds(fields[i]) !== text)
  if (wrong !== -1)
    return finding(
      'csv-cell',
      `row ${row} column ${csvColumns[wrong]}`,
      `The entry says ${quote(expected[wrong] as string)}, the row ${quote(fields[wrong] ?? '')}.`,
    )
  return fields.length === expected.length
    ? null
    : finding(
        'csv-cell',
        `row ${row} column ${csvColumns[leafColumn]}`,
        'The row has more fields than columns.',
      )
}

/** A program that changes the line ends of a file changes those within fields too. */
const withLineFeeds = (text: string): string => text.replace(/\r\n?/g, '\n')

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** What is absent is told as an empty field. */
function toldEntry(text: string): ToldEntry {
  const entry = JSON.parse(text) as ToldEntry
  const { access } = entry
  return {
    ...entry,
    access: {
      ...access,
      who: orEmpty(access.who),
      decision: orEmpty(access.decision),
      query: orEmpty(access.query),
      resources: Array.isArray(access.resources) ? access.resources : [],
    },
  }
}

const orEmpty = <T extends object>(value: T): T => (isObject(value) ? value : ({} as T))
