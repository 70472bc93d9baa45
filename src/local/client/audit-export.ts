/** Fetching an export of the audit log into a file. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { limits } from '../../limits.ts'
import { causeOf, type Target } from './publisher.ts'

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
  const whole = await targetOf(out)
  const partial = `${whole}.${randomUUID()}.partial`
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      const header = format === 'ndjson' ? headerReader() : null
      const result = await receive(body, file, recordCounter(format), (chunk, soFar) => {
        header?.take(chunk)
        onProgress(soFar)
      })
      const announced = header?.announced() ?? null
      if (announced !== null && announced !== result.entries) {
        throw new ExportFailure(
          `the export has ${result.entries} entries, but its header announces ${announced}`,
        )
      }
      await file.sync()
      await rename(partial, whole)
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

/** Where the file itself is to be: behind a link, and in nobody else's place. */
async function targetOf(out: string): Promise<string> {
  const existing = await stat(out).catch(() => null)
  if (existing === null) return out
  if (!existing.isFile()) throw new ExportFailure(`${out} is not a file: name another for the export`)
  return await realpath(out)
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
      headers: { Authorization: `Bearer ${token}`, 'Accept-Language': target.language },
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
  onChunk: (chunk: Uint8Array, soFar: ExportResult) => void,
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
    onChunk(value, { entries: counter.entries(), bytes })
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

/** The first line of an NDJSON export, as far as it says how many entries follow. */
function headerReader(): { take(chunk: Uint8Array): void; announced(): number | null } {
  const parts: Uint8Array[] = []
  let whole = false
  return {
    take: (chunk) => {
      if (whole) return
      const end = chunk.indexOf(lineFeed)
      whole = end !== -1
      parts.push(whole ? chunk.subarray(0, end) : chunk)
    },
    announced: () => announcedEntries(Buffer.concat(parts).toString('utf8')),
  }
}

/** Entries of all parts of logs that an unfiltered export covers; null where filters leave some out. */
export function announcedEntries(header: string): number | null {
  const { completeness, logs = [] } = JSON.parse(header) as {
    completeness?: string
    logs?: readonly { readonly first: string; readonly end: string }[]
  }
  if (completeness !== 'range') return null
  return logs.reduce((sum, { first, end }) => sum + Math.max(0, Number(end) - Number(first)), 0)
}
