/** What the lines of an NDJSON export are, as they arrive. */

/** Records so far. */
export interface RecordCount {
  /** Entries, open, redacted or pruned, proofs of others included. */
  readonly entries: number
  /** Of those, the ones that the range they are in proves. */
  readonly inRange: number
}

const open = /^\{"entry":.*"leaf":"[\w-]*"(?<proof>,"proof":\[[^\]]*\])?,"salt":"[\w-]*"\}$/s
const gone =
  /^\{"index":"\d+","leaf":"[\w-]*","log":"[\w-]*"(?<proof>,"proof":\[[^\]]*\])?,"(?:redacted":"\d+|pruned":"[\w-]+\/\d+)"\}$/

/** Counts an export while it is received. */
export class ExportReader {
  #decoder = new TextDecoder()
  /** Of the header, too. */
  readonly #onLine: (line: string) => void
  #rest = ''
  #entries = 0
  #inRange = 0
  #header: string | null = null

  constructor(onLine: (line: string) => void = () => {}) {
    this.#onLine = onLine
  }

  take(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#takeLine(line)
  }

  /** Of a line that did not come whole. */
  forgetRest(): void {
    this.#rest = ''
    this.#decoder = new TextDecoder()
  }

  get count(): RecordCount {
    return { entries: this.#entries, inRange: this.#inRange }
  }

  /** Entries that the header announces; null: it does not say, or has not come. */
  get announced(): number | null {
    return this.#header === null ? null : announcedEntries(this.#header)
  }

  #takeLine(line: string): void {
    if (this.#header === null) {
      this.#header = line
      this.#onLine(line)
      return
    }
    const found = open.exec(line) ?? gone.exec(line)
    if (found) this.#entries++
    if (found && found.groups?.proof === undefined) this.#inRange++
    this.#onLine(line)
  }
}

/** Entries of all parts of logs that an unfiltered export covers; null where filters leave some out. */
function announcedEntries(header: string): number | null {
  const { completeness, logs = [] } = JSON.parse(header) as {
    completeness?: string
    logs?: readonly { readonly first: string; readonly end: string }[]
  }
  if (completeness !== 'range') return null
  return logs.reduce((sum, { first, end }) => sum + Math.max(0, Number(end) - Number(first)), 0)
}
