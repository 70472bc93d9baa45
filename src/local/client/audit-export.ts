/** Fetching an export of the audit log into a file. */
import type { FileHandle } from 'node:fs/promises'
import type { ToldEntry } from '../../audit/csv-columns.ts'
import { csvHeader, csvRow } from '../../trail/export-format.ts'
import { answerStream } from './answer-stream.ts'
import { ExportReader } from './export-records.ts'
import { causeOf, type Target } from './publisher.ts'
import { DownloadFailure, writeWhole } from './whole-file.ts'

export type ExportFormat = 'ndjson' | 'csv'

export interface ExportResult {
  /** Open and redacted. */
  readonly entries: number
  /** Of the export as it is received. */
  readonly bytes: number
}

/** The export that proves the CSV at `out`. */
export const proofFileOf = (out: string): string => `${out}.proof.ndjson`

/**
 * Streams `GET /audit/export` to `out`. As CSV, the export goes to `proofFileOf(out)` and the CSV is made of it here, so
 * that both are of the same entries.
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
  onProgress: (soFar: ExportResult) => void = () => {},
): Promise<ExportResult> {
  const body = await request(target, filters)
  const outs = format === 'csv' ? [out, proofFileOf(out)] : [out]
  return await writeWhole(outs, async (files) => {
    const [file, proof] = files as [FileHandle, FileHandle?]
    return proof ? await receive(body, proof, file, onProgress) : await receive(body, file, null, onProgress)
  })
}

async function request(target: Target, filters: URLSearchParams): Promise<ReadableStream<Uint8Array>> {
  const query = new URLSearchParams(filters)
  query.set('format', 'ndjson')
  return await answerStream(target, `/audit/export?${query}`)
}

/** @param table where the entries go as CSV; null: nowhere */
async function receive(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  table: FileHandle | null,
  onProgress: (soFar: ExportResult) => void,
): Promise<ExportResult> {
  let bytes = 0
  let rows = csvHeader()
  const records = new ExportReader((line) => {
    if (table) rows += csvOf(line)
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
    await table?.write(rows)
    rows = ''
    onProgress({ entries: records.count.entries, bytes })
  }
  const { entries, inRange } = records.count
  if (records.announced !== null && records.announced !== inRange)
    throw new DownloadFailure(
      `the export has ${inRange} entries, but its header announces ${records.announced}`,
    )
  return { entries, bytes }
}

function csvOf(line: string): string {
  const { entry, leaf } = JSON.parse(line) as { readonly entry?: ToldEntry; readonly leaf: string }
  return entry === undefined ? '' : csvRow(entry, leaf)
}
