/**
 * How much memory the Worker takes while one large log is exported: the peak of the workerd process above what it holds
 * after a small export of the same kind, in a process of its own for each format.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Progress, startProgress } from '../src/cli/progress.ts'
import { type Cluster, startCluster } from '../src/local/cluster.ts'
import { fillLog } from './filled-log.ts'
import { canMeasureMemory, residentBytes, watchMemory } from './process-memory.ts'
import type { Figure, Measured, Scale, Scenario, Skipped } from './scenario.ts'

/** Peak above warm-up that the design allows (DESIGN §10). */
const maxGrowthMiB = 64

const minEntriesPerSecond = 50_000

const log = 'bench'

/** Steps of the bar. */
const steps = 20

interface Format {
  readonly name: string
  /** Lines of a whole export of so many entries; null: not known here. */
  readonly linesOf: ((entries: number) => number) | null
}

const formats: readonly Format[] = [
  // A header, and a block after each full 256.
  { name: 'ndjson', linesOf: (entries) => 1 + entries + Math.floor(entries / 256) },
  { name: 'csv', linesOf: (entries) => 1 + entries },
  { name: 'fhir', linesOf: null },
]

const encodings = ['identity', 'gzip'] as const

type Encoding = (typeof encodings)[number]

export const exportMemory: Scenario = { name: 'export-memory', run }

async function run({ entries }: Scale): Promise<Measured> {
  if (!canMeasureMemory) return { figures: [], skipped: [{ name: 'all', why: 'no /proc on this system' }] }
  const home = mkdtempSync(join(tmpdir(), 'dossier-bench-'))
  try {
    const cluster = await startCluster({ home, port: 0 })
    try {
      await fill(cluster, entries)
      return await measureAll(cluster, entries)
    } finally {
      await cluster.stop()
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function fill(cluster: Cluster, entries: number): Promise<void> {
  const bar = stepsOf(entries, `${entries} entries into the audit database`)
  await fillLog(cluster.databases.audit, log, entries, bar.reach)
  bar.end()
}

async function measureAll(cluster: Cluster, entries: number): Promise<Measured> {
  const figures: Figure[] = []
  const skipped: Skipped[] = []
  for (const format of formats)
    for (const encoding of encodings) {
      const measured = await measure(cluster, entries, format, encoding)
      if (typeof measured === 'string') skipped.push({ name: nameOf(format, encoding), why: measured })
      else figures.push(...measured)
    }
  return { figures, skipped }
}

const nameOf = ({ name }: Format, encoding: Encoding): string =>
  encoding === 'identity' ? name : `${name} ${encoding}`

/** Why it cannot be measured, or the figures. */
async function measure(
  cluster: Cluster,
  entries: number,
  format: Format,
  encoding: Encoding,
): Promise<string | readonly Figure[]> {
  const { worker } = cluster.processes
  await worker.kill()
  await worker.start()
  const pid = worker.pid()
  if (pid === undefined) throw new Error('the Worker is not running')
  const token = await cluster.token('bouchard')
  const download = (upTo: number, onLines: (lines: number) => void = () => {}) =>
    downloadExport(cluster.url, { token, format, encoding, upTo }, onLines)

  const small = Math.ceil(entries / 20)
  for (let round = 0; round < 3; round++) {
    const refused = await download(small)
    if (typeof refused === 'string') return refused
  }
  const before = residentBytes(pid)
  const memory = watchMemory(pid)
  const bar = stepsOf(entries, `export as ${nameOf(format, encoding)}`)
  const startedAt = performance.now()
  const whole = await download(entries, bar.reach)
  const seconds = (performance.now() - startedAt) / 1_000
  bar.end()
  const peak = memory.stop()
  if (typeof whole === 'string') throw new Error(whole)
  const expected = format.linesOf?.(entries)
  if (expected !== undefined && whole.lines !== expected)
    throw new Error(`${whole.lines} lines of ${expected} in the export as ${format.name}`)
  return figuresOf(nameOf(format, encoding), {
    entries,
    seconds,
    before,
    peak: peak.bytes,
    bytes: whole.bytes,
  })
}

const mib = (bytes: number): number => bytes / 2 ** 20

interface Run {
  readonly entries: number
  readonly seconds: number
  /** Bytes. */
  readonly before: number
  readonly peak: number
  /** Received, as they were sent. */
  readonly bytes: number
}

const figuresOf = (name: string, { entries, seconds, before, peak, bytes }: Run): readonly Figure[] => [
  {
    name: `${name}: peak above warm-up`,
    value: mib(peak - before),
    unit: 'MiB',
    goal: { kind: 'at most', value: maxGrowthMiB },
  },
  { name: `${name}: after warm-up`, value: mib(before), unit: 'MiB', goal: null },
  {
    name: `${name}: speed`,
    value: entries / seconds,
    unit: 'entries/s',
    goal: { kind: 'at least', value: minEntriesPerSecond },
  },
  { name: `${name}: received`, value: mib(bytes), unit: 'MiB', goal: null },
]

interface Asked {
  readonly token: string
  readonly format: Format
  readonly encoding: Encoding
  /** Entries. */
  readonly upTo: number
}

interface Received {
  readonly bytes: number
  readonly lines: number
}

/** Receives an export and keeps nothing of it. Why the server does not offer it, or how much came. */
async function downloadExport(
  url: string,
  { token, format, encoding, upTo }: Asked,
  onLines: (lines: number) => void,
): Promise<string | Received> {
  const query = new URLSearchParams({ log, format: format.name, until: `${log}:${upTo}` })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { authorization: `Bearer ${token}`, 'accept-encoding': encoding }
  request(`${url}/audit/export?${query}`, { headers }, resolve).once('error', reject).end()
  const response = await promise
  if (response.statusCode !== 200) {
    response.destroy()
    return `the server answers ${response.statusCode} to this format`
  }
  if ((response.headers['content-encoding'] ?? 'identity') !== encoding) {
    response.destroy()
    return `the server sends it as ${response.headers['content-encoding'] ?? 'identity'}`
  }
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const plain = encoding === 'gzip' ? response.pipe(createGunzip()) : response
  const lines = await countLines(plain, onLines)
  if (!response.complete) throw new Error('the export broke off')
  return { bytes, lines }
}

async function countLines(stream: Readable, onLines: (lines: number) => void): Promise<number> {
  let lines = 0
  for await (const chunk of stream) {
    const bytes = chunk as Buffer
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1
    onLines(lines)
  }
  return lines
}

interface Steps {
  reach(done: number): void
  end(): void
}

function stepsOf(total: number, line: string): Steps {
  const progress: Progress = startProgress(steps, 'steps')
  let reached = 0
  return {
    reach: (done) => {
      for (; reached < steps && done >= (total * (reached + 1)) / steps; reached++) progress.step(line)
    },
    end: () => progress.end(),
  }
}
