/** Fetching an export of the audit log into a file. */
import type { FileHandle } from 'node:fs/promises'
import type { ToldEntry } from '../../audit/csv-columns.ts'
import type { ExportFormat } from '../../trail/export-chunks.ts'
import { csvHeader, csvRow, fhirLines } from '../../trail/export-format.ts'
import { answerStream } from './answer-stream.ts'
import { ExportReader } from './export-records.ts'
import { causeOf, type Target } from './publisher.ts'
import { DownloadFailure, writeWhole } from './whole-file.ts'

/** How far an export that is being received has come. */
export interface ExportProgress extends ExportResult {
  /** Of `announced`: entries of the range. */
  readonly inRange: number
  /** Entries that the header announces; null: it does not say, or has not come. */
  readonly announced: number | null
}

export interface ExportResult {
  /** Open and redacted. */
  readonly entries: number
  /** Of the export as it is received. */
  readonly bytes: number
}

/** The export that proves the CSV or AuditEvents at `out`. */
export const proofFileOf = (out: string): string => `${out}.proof.ndjson`

/**
 * Streams `GET /audit/export` to `out`. As CSV or FHIR, the export goes to `proofFileOf(out)` and the other file is made of
 * it here, so that both are of the same entries.
 *
 * @param filters query of the request, without `format`
 * @param onProgress called as bytes arrive
 * @throws DownloadFailure when the export is refused, breaks off or is not whole
 */
export async function exportAudit(
  target: Target,
  filters: URLSearchParams,
  format: ExportFormat,
  out: string,
  onProgress: (soFar: ExportProgress) => void = () => {},
): Promise<ExportResult> {
  const body = await request(target, filters)
  const outs = format === 'ndjson' ? [out] : [out, proofFileOf(out)]
  return await writeWhole(outs, async (files) => {
    const [file, proof] = files as [FileHandle, FileHandle?]
    return proof && format !== 'ndjson'
      ? await receive(body, proof, { file, tell: tellers[format](target) }, onProgress)
      : await receive(body, file, null, onProgress)
  })
}

async function request(target: Target, filters: URLSearchParams): Promise<ReadableStream<Uint8Array>> {
  const query = new URLSearchParams(filters)
  query.set('format', 'ndjson')
  return await answerStream(target, `/audit/export?${query}`)
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

/** @param beside another file of the same entries; null: none */
async function receive(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  beside: { readonly file: FileHandle; readonly tell: Teller } | null,
  onProgress: (soFar: ExportProgress) => void,
): Promise<ExportResult> {
  let bytes = 0
  let told = ''
  let announced: number | null = null
  const records = new ExportReader((line) => {
    if (beside) told += beside.tell(line)
  })
  const chunks = body.getReader()
  for (;;) {
    const { done, value } = await chunks.read().catch((cause: unknown) => {
      throw new DownloadFailure(`the export broke off after ${bytes} bytes: ${causeOf(cause)}`, { cause })
    })
    if (done) break
    await file.write(value)
    bytes += value.length
    records.take(value)
    announced ??= records.announced
    await beside?.file.write(told)
    told = ''
    onProgress({ ...records.count, bytes, announced })
  }
  const { entries, inRange } = records.count
  if (announced !== null && announced !== inRange)
    throw new DownloadFailure(`the export has ${inRange} entries, but its header announces ${announced}`)
  return { entries, bytes }
}
