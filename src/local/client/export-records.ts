/** What the lines of an NDJSON export are, as they arrive. */
import { limits } from '../../limits.ts'
import { formatId } from '../../trail/export-format.ts'
import { FinalFailure } from './download-failure.ts'

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
  #hasHeader = false
  #announced: number | null = null

  constructor(onLine: (line: string) => void = () => {}) {
    this.#onLine = onLine
  }

  /** @throws FinalFailure where this is no export */
  take(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > limits.maxVerifiedLineLength)
      throw new FinalFailure('what came is no export: one of its lines does not end')
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
    return this.#announced
  }

  /** Nothing but whole lines has come. */
  get isWhole(): boolean {
    return this.#hasHeader && this.#rest === ''
  }

  #takeLine(line: string): void {
    if (!this.#hasHeader) {
      this.#announced = announcedEntries(line)
      this.#hasHeader = true
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
  const {
    format,
    completeness,
    logs = [],
  } = parsed(header) as {
    format?: string
    completeness?: string
    logs?: readonly { readonly first: string; readonly end: string }[]
  }
  if (format !== formatId) throw new FinalFailure('what came is no export: it does not begin as one')
  if (completeness !== 'range') return null
  return logs.reduce((sum, { first, end }) => sum + Math.max(0, Number(end) - Number(first)), 0)
}

function parsed(header: string): object {
  try {
    return Object(JSON.parse(header))
  } catch {
    return {}
  }
}
