/** Fetching an export of the audit log into a file. */
import type { ReadableStream } from 'node:stream/web'
import { setTimeout } from 'node:timers/promises'
import type { ToldEntry } from '../../audit/csv-columns.ts'
import { limits } from '../../limits.ts'
import { csvHeader, csvRow, type ExportFormat, fhirLines } from '../../trail/export-format.ts'
import { type AnswerStream, answerStream } from './answer-stream.ts'
import { DownloadFailure, FinalFailure, RefusedFailure } from './download-failure.ts'
import { ExportFiles } from './export-files.ts'
import { ExportReader } from './export-records.ts'
import { causeOf, type Target } from './publisher.ts'

/** How far an export that is being received has come. */
export interface ExportProgress extends ExportResult {
  /** Of `announced`: entries of the range. */
  readonly inRange: number
  /** Entries that the header announces; null: it does not say, or has not come. */
  readonly announced: number | null
}

export interface ExportResult {
  /** Open, redacted or pruned. */
  readonly entries: number
  /** Of the export as it is received. */
  readonly bytes: number
}

export interface ExportAsked {
  /** Query of the request, without `format`. */
  readonly filters: URLSearchParams
  readonly format: ExportFormat
  readonly out: string
}

type OnProgress = (soFar: ExportProgress) => void

/**
 * Streams `GET /audit/export` to `out`. As CSV or FHIR, the export goes to `proofFileOf(out)` and the other file is made of
 * it here, so that both are of the same entries. An answer that breaks off is gone on with; after
 * `limits.exportAttempts` in a row that brought no entry, what has come is left for `resumeExport`.
 *
 * @param onProgress called as bytes arrive
 * @throws DownloadFailure when the export is refused, breaks off or is not whole
 */
export async function exportAudit(
  target: Target,
  { filters, format, out }: ExportAsked,
  onProgress: OnProgress = () => {},
): Promise<ExportResult> {
  const query = new URLSearchParams(filters)
  query.set('format', 'ndjson')
  const files = await ExportFiles.begin(out, format)
  return await complete(files, out, async () => {
    const answer = await answerStream(target, `/audit/export?${query}`)
    await files.keep(cursorOf(answer)).catch(async (cause: unknown) => {
      await answer.body.cancel()
      throw cause
    })
    return await new Receiver(target, files, onProgress).receive(answer.body)
  })
}

/** Goes on with an export to `out` that broke off in an earlier run. @throws DownloadFailure */
export async function resumeExport(
  target: Target,
  out: string,
  onProgress: OnProgress = () => {},
): Promise<ExportResult & { readonly format: ExportFormat }> {
  const files = await ExportFiles.reopen(out)
  return await complete(files, out, async () => {
    const receiver = new Receiver(target, files, onProgress)
    const result = await receiver.receive(await receiver.goOn())
    return { ...result, format: files.format }
  })
}

const cursorOf = ({ headers }: AnswerStream): string | null => headers.get('dossier-export-cursor')

/** Puts the files in their places, or leaves what can be gone on with. */
async function complete<T extends ExportResult>(
  files: ExportFiles,
  out: string,
  receive: () => Promise<T>,
): Promise<T> {
  try {
    const result = await receive()
    await files.finish(result.bytes)
    return result
  } catch (cause) {
    // Another login, or another server, may not be who began it: that is no reason to throw away what they have.
    const isForOthers = files.isReopened && cause instanceof RefusedFailure
    const isLeft = await files.abandon(cause instanceof FinalFailure && !isForOthers)
    const why =
      cause instanceof DownloadFailure ? cause.message : `${out} could not be written: ${causeOf(cause)}`
    const more = isForOthers ? '; what had come is left to whoever began it' : '; go on with it: --resume'
    throw new DownloadFailure(isLeft ? `${why}${more}` : why, { cause })
  }
}

/** Takes the answers to one export, one after the other. */
class Receiver {
  readonly #target: Target
  readonly #files: ExportFiles
  readonly #onProgress: OnProgress
  readonly #tell: Teller
  readonly #records: ExportReader
  #told = ''
  #bytes = 0

  constructor(target: Target, files: ExportFiles, onProgress: OnProgress) {
    this.#target = target
    this.#files = files
    this.#onProgress = onProgress
    this.#tell = files.format === 'ndjson' ? () => '' : tellers[files.format](target)
    this.#records = new ExportReader((line) => {
      this.#told += this.#toldOf(line)
    })
  }

  /** As long as answers bring entries, those that break off are gone on with. */
  async receive(first: ReadableStream<Uint8Array>): Promise<ExportResult> {
    for (let body = first, failures = 0; ; ) {
      const before = this.#records.count.entries
      const broken = await this.#take(body)
      if (broken === null) return this.#whole()
      failures = this.#records.count.entries > before ? 0 : failures + 1
      for (let next: ReadableStream<Uint8Array> | null = null; next === null; ) {
        if (this.#files.cursor === null || failures >= limits.exportAttempts) throw broken
        await setTimeout(limits.exportRetryMs)
        next = await this.goOn().catch((cause: unknown) => {
          if (cause instanceof FinalFailure || !(cause instanceof DownloadFailure)) throw cause
          failures += 1
          return null
        })
        if (next !== null) body = next
      }
    }
  }

  /** Asks for what is after the last entry that came whole. The first time, what an earlier run left is read again. */
  async goOn(): Promise<ReadableStream<Uint8Array>> {
    const last = await this.#files.cutAfterLastEntry()
    if (last === null) throw new FinalFailure('the export broke off before its first entry: begin again')
    if (this.#bytes === 0)
      for await (const chunk of this.#files.read()) await this.#count(chunk as Uint8Array)
    this.#records.forgetRest()
    this.#bytes = last.bytes
    const query = new URLSearchParams({ _cursor: this.#files.cursor ?? '', after: last.place })
    return (await answerStream(this.#target, `/audit/export?${query}`)).body
  }

  /** @returns why it broke off; null: it ended */
  async #take(body: ReadableStream<Uint8Array>): Promise<DownloadFailure | null> {
    const chunks = body.getReader()
    try {
      for (;;) {
        const part = await chunks.read().catch((cause: unknown) => this.#broken(causeOf(cause), cause))
        if (part instanceof DownloadFailure) return part
        if (part.done) return this.#records.isWhole ? null : this.#broken('its last line is torn')
        await this.#files.file.appendFile(part.value)
        await this.#count(part.value)
      }
    } finally {
      // Else a server that sends on and on would keep the command from ending.
      await chunks.cancel().catch(() => {})
    }
  }

  #broken(why: string, cause?: unknown): DownloadFailure {
    return new DownloadFailure(`the export broke off after ${this.#bytes} bytes: ${why}`, { cause })
  }

  async #count(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length
    this.#records.take(chunk)
    await this.#files.beside?.appendFile(this.#told)
    this.#told = ''
    this.#onProgress({ ...this.#records.count, bytes: this.#bytes, announced: this.#records.announced })
  }

  #toldOf(line: string): string {
    try {
      return this.#tell(line)
    } catch (cause) {
      throw new FinalFailure(`what came is no export: ${causeOf(cause)}`, { cause })
    }
  }

  #whole(): ExportResult {
    const { announced } = this.#records
    const { entries, inRange } = this.#records.count
    if (announced !== null && announced !== inRange)
      throw new FinalFailure(`the export has ${inRange} entries, but its header announces ${announced}`)
    return { entries, bytes: this.#bytes }
  }
}

/** What a line says in the other file; the first one is the header. */
type Teller = (line: string) => string

const tellers: Readonly<Record<Exclude<ExportFormat, 'ndjson'>, (target: Target) => Teller>> = {
  csv: () => (line) => {
    if (isHeader(line)) return csvHeader()
    const { entry, leaf } = JSON.parse(line) as OpenLine
    return entry === undefined ? '' : csvRow(entry, leaf)
  },
  fhir: ({ url }) => {
    let origin = url
    return (line) => {
      if (isHeader(line)) {
        origin = recordOf(line, url)
        return ''
      }
      const { entry } = JSON.parse(line) as OpenLine
      return entry === undefined ? '' : fhirLines(entry, origin)
    }
  },
}

interface OpenLine {
  readonly entry?: ToldEntry
  readonly leaf: string
}

const isHeader = (line: string): boolean => line.startsWith('{"format":')

/** Public address of the record: that of its logs, by the scheme by which it is reached. */
function recordOf(header: string, url: string): string {
  const { logs = [] } = JSON.parse(header) as { logs?: readonly { readonly origin: string }[] }
  const [prefix] = logs[0]?.origin.split('/audit/logs/') ?? []
  return prefix === undefined ? url : `${new URL(url).protocol}//${prefix}`
}
