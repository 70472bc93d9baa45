/** Records of a CSV file (RFC 4180), in constant memory: quoting and line ends may be those of any program. */
import { limits } from '../../limits.ts'

export interface CsvRow {
  readonly fields: readonly string[]
  /** As a spreadsheet counts: from 1, blank lines too. */
  readonly row: number
}

/** The last record there is: it cannot be read. */
export interface CsvFault {
  readonly row: number
  /** Follows "the row". */
  readonly why: string
}

export type CsvRecord = CsvRow | CsvFault

/** Many records at a time. */
export async function* readRecords(pieces: AsyncIterable<string>): AsyncGenerator<readonly CsvRecord[]> {
  const parser = new CsvParser()
  for await (const piece of pieces) {
    yield parser.push(piece)
    if (parser.isTooLong) return
  }
  yield parser.end()
}

class CsvParser {
  isTooLong = false
  #fields: string[] = []
  #field = ''
  #length = 0
  #row = 0
  /** `closing`: after a quote within quotes, which ends them unless another one follows. */
  #state: 'start' | 'plain' | 'quoted' | 'closing' = 'start'

  push(piece: string): CsvRecord[] {
    const records: CsvRecord[] = []
    let from = 0
    const keep = (until: number): void => {
      this.#field += piece.slice(from, until)
      this.#length += until - from
      from = until + 1
    }
    for (let i = 0; i < piece.length; i += 1) {
      const character = piece[i]
      if (this.#state === 'quoted') {
        if (character !== '"') continue
        keep(i)
        this.#state = 'closing'
      } else if (character === '"' && this.#state !== 'plain') {
        // Within quotes, two quotes are one.
        if (this.#state === 'closing') this.#field += '"'
        from = i + 1
        this.#state = 'quoted'
      } else if (character === ',') {
        keep(i)
        this.#endField()
      } else if (character === '\n') {
        keep(i)
        this.#endRecord(records)
      } else {
        this.#state = 'plain'
      }
    }
    keep(piece.length)
    if (this.#length > limits.maxVerifiedLineLength && !this.isTooLong) {
      this.isTooLong = true
      records.push(tooLong(this.#row + 1))
    }
    return records
  }

  end(): CsvRecord[] {
    if (this.#state === 'quoted') return [{ row: this.#row + 1, why: 'has a quoted field that does not end' }]
    const records: CsvRecord[] = []
    if (this.#field !== '' || this.#fields.length > 0) this.#endRecord(records)
    return records
  }

  #endField(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    this.#state = 'start'
  }

  #endRecord(records: CsvRecord[]): void {
    if (this.#field.endsWith('\r')) this.#field = this.#field.slice(0, -1)
    this.#endField()
    const fields = this.#fields
    this.#fields = []
    const isLong = this.#length > limits.maxVerifiedLineLength
    this.#length = 0
    this.#row += 1
    if (this.isTooLong || (fields.length === 1 && fields[0]?.trim() === '')) return
    this.isTooLong = isLong
    records.push(isLong ? tooLong(this.#row) : { fields, row: this.#row })
  }
}

const tooLong = (row: number): CsvFault => ({
  row,
  why: `is longer than ${limits.maxVerifiedLineLength} characters`,
})
