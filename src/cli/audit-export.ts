/** Fetching an export of the audit log into a file. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { limits } from '../limits.ts'
import type { Target } from './publisher.ts'
import { causeOf } from './publisher.ts'

export type ExportFormat = 'ndjson' | 'csv'

export interface ExportResult {
  readonly entries: number
  readonly bytes: number
}

/** The export was refused, or broke off. `message` is one sentence. Nothing is left behind. */
export class ExportFailure extends Error {
  override name = 'ExportFailure'
}

/**
 * Streams `GET /audit/export` to `out`. The file appears under its name only when it is whole and on the disk: a part of
 * an export must not be taken for the whole. It is readable by its owner only.
 *
 * @param filters query of the request, without `format`
 * @param onProgress called as bytes arrive
 * @throws ExportFailure
 */
export async function exportAudit(
  target: Target,
  filters: URLSearchParams,
  format: ExportFormat,
  out: string,
  onProgress: (soFar: ExportResult) => void = () => {},
): Promise<ExportResult> {
  const body = await request(target, filters, format)
  const partial = `${out}.${randomUUID()}.partial`
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      const result = await receive(body, file, recordCounter(format), onProgress)
      await file.sync()
      await rename(partial, out)
      return result
    } finally {
      await file.close()
    }
  } catch (cause) {
    await rm(partial, { force: true })
    if (cause instanceof ExportFailure) throw cause
    throw new ExportFailure(`${out} could not be written: ${causeOf(cause)}`, { cause })
  }
}

async function request(
  target: Target,
  filters: URLSearchParams,
  format: ExportFormat,
): Promise<ReadableStream<Uint8Array>> {
  const query = new URLSearchParams(filters)
  query.set('format', format)
  const token = await target.token()
  // A deadline for the answer to begin; the stream itself may take as long as the log is large.
  const begin = new AbortController()
  const timer = setTimeout(() => begin.abort(new Error('no answer in time')), limits.commandDeadlineMs)
  try {
    const response = await fetch(`${target.url}/audit/export?${query}`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: begin.signal,
    })
    if (response.status === 200 && response.body !== null) return response.body
    throw new ExportFailure(
      `${target.url} answered ${response.status}: ${(await response.text()).slice(0, 1000)}`,
    )
  } catch (cause) {
    if (cause instanceof ExportFailure) throw cause
    throw new ExportFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

async function receive(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  counter: RecordCounter,
  onProgress: (soFar: ExportResult) => void,
): Promise<ExportResult> {
  let bytes = 0
  const chunks = body.getReader()
  for (;;) {
    const { done, value } = await chunks.read().catch((cause: unknown) => {
      throw new ExportFailure(`the export broke off after ${bytes} bytes: ${causeOf(cause)}`, { cause })
    })
    if (done) break
    await file.write(value)
    bytes += value.length
    counter.take(value)
    onProgress({ entries: counter.entries(), bytes })
  }
  return { entries: counter.entries(), bytes }
}

interface RecordCounter {
  take(chunk: Uint8Array): void
  /** Records so far, the header not counted. */
  entries(): number
}

const lineFeed = 0x0a
const quote = 0x22

/** NDJSON: lines. CSV: lines too, but for those inside quotes. The first is the header. */
export function recordCounter(format: ExportFormat): RecordCounter {
  let lines = 0
  let quoted = false
  return {
    take: (chunk) => {
      for (const byte of chunk) {
        if (byte === quote && format === 'csv') quoted = !quoted
        else if (byte === lineFeed && !quoted) lines++
      }
    },
    entries: () => Math.max(0, lines - 1),
  }
}
