/**
 * How much memory the Worker takes while one large log is exported, or counted: the peak of the workerd process above what it
 * holds after a small export of the same kind, in a process of its own for each.
 */
import { type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Cluster } from '../src/local/cluster.ts'
import { messageOf } from '../src/local/failure.ts'
import { organisations } from '../src/local/sample/directory.ts'
import { withFilledCluster } from './filled-cluster.ts'
import { timeOf } from './filled-log.ts'
import { canMeasureMemory, residentBytes, watchMemory } from './process-memory.ts'
import type { Figure, Measured, Scale, Scenario, Skipped } from './scenario.ts'
import { stepsOf } from './steps.ts'

/** Peak above warm-up that the design allows (DESIGN §10). */
const maxGrowthMiB = 64

const minEntriesPerSecond = 50_000

const log = 'bench'

interface Download {
  readonly name: string
  /** @param upTo entries */
  readonly pathOf: (upTo: number, total: number) => string
  /** Lines of a whole file of so many entries; null: not known here. */
  readonly linesOf: ((entries: number) => number) | null
  readonly encodings: readonly Encoding[]
  /** Entries a second; null: none is promised. */
  readonly minSpeed: number | null
}

const exportAs = (format: string, linesOf: Download['linesOf']): Download => ({
  name: format,
  pathOf: (upTo) => `/audit/export?log=${log}&format=${format}&until=${log}:${upTo}`,
  linesOf,
  encodings: ['identity', 'gzip'],
  minSpeed: minEntriesPerSecond,
})

const downloads: readonly Download[] = [
  // A header, and a block after each full 256.
  exportAs('ndjson', (entries) => 1 + entries + Math.floor(entries / 256)),
  exportAs('csv', (entries) => 1 + entries),
  exportAs('fhir', null),
  {
    name: 'accounting',
    pathOf: (upTo, total) =>
      `/audit/accounting?organisation=${organisations[0]?.id}&from=${timeOf(0, total)}&to=${timeOf(upTo, total)}`,
    linesOf: null,
    encodings: ['identity'],
    minSpeed: null,
  },
]

type Encoding = 'identity' | 'gzip'

export const exportMemory: Scenario = { name: 'export-memory', run }

async function run({ entries }: Scale): Promise<Measured> {
  if (!canMeasureMemory) return { figures: [], skipped: [{ name: 'all', why: 'no /proc on this system' }] }
  return withFilledCluster({ [log]: entries }, (cluster) => measureAll(cluster, entries))
}

async function measureAll(cluster: Cluster, entries: number): Promise<Measured> {
  const figures: Figure[] = []
  const skipped: Skipped[] = []
  for (const wanted of downloads)
    for (const encoding of wanted.encodings) {
      const name = nameOf(wanted, encoding)
      // One part that fails does not take the others' figures with it.
      const measured = await measure(cluster, entries, wanted, encoding).catch(messageOf)
      if (typeof measured === 'string') skipped.push({ name, why: measured })
      else figures.push(...measured)
      process.stderr.write(`${name}: ${typeof measured === 'string' ? measured : 'measured'}\n`)
    }
  return { figures, skipped }
}

const nameOf = ({ name }: Download, encoding: Encoding): string =>
  encoding === 'identity' ? name : `${name} ${encoding}`

/** Why it cannot be measured, or the figures. */
async function measure(
  cluster: Cluster,
  entries: number,
  wanted: Download,
  encoding: Encoding,
): Promise<string | readonly Figure[]> {
  const { worker } = cluster.processes
  await worker.kill()
  await worker.start()
  const pid = worker.pid()
  if (pid === undefined) throw new Error('the Worker is not running')
  const token = await cluster.token('bouchard')
  const fetchUpTo = (upTo: number, onLines: (lines: number) => void = () => {}) =>
    download(`${cluster.url}${wanted.pathOf(upTo, entries)}`, { token, encoding }, onLines)

  const small = Math.ceil(entries / 20)
  for (let round = 0; round < 3; round++) {
    const refused = await fetchUpTo(small)
    if (typeof refused === 'string') return refused
  }
  const before = residentBytes(pid)
  const memory = watchMemory(pid)
  const bar = stepsOf(entries, nameOf(wanted, encoding))
  const startedAt = performance.now()
  const whole = await fetchUpTo(entries, bar.reach)
  const seconds = (performance.now() - startedAt) / 1_000
  bar.end()
  const { peak, fifths } = memory.stop()
  if (typeof whole === 'string') throw new Error(whole)
  const expected = wanted.linesOf?.(entries)
  if (expected !== undefined && whole.lines !== expected)
    throw new Error(`${whole.lines} lines of ${expected} in ${wanted.name}`)
  return figuresOf(nameOf(wanted, encoding), wanted.minSpeed, {
    entries,
    seconds,
    before,
    peak,
    fifths,
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
  readonly fifths: readonly number[]
  /** Received, as they were sent. */
  readonly bytes: number
}

const figuresOf = (
  name: string,
  minSpeed: number | null,
  { entries, seconds, before, peak, fifths, bytes }: Run,
): readonly Figure[] => [
  {
    name: `${name}: peak above warm-up`,
    value: mib(peak - before),
    unit: 'MiB',
    goal: { kind: 'at most', value: maxGrowthMiB },
  },
  ...fifths.map((most, i) => ({
    name: `${name}: peak of fifth ${i + 1} above warm-up`,
    value: mib(most - before),
    unit: 'MiB',
    goal: null,
  })),
  { name: `${name}: after warm-up`, value: mib(before), unit: 'MiB', goal: null },
  {
    name: `${name}: speed`,
    value: entries / seconds,
    unit: 'entries/s',
    goal: minSpeed === null ? null : { kind: 'at least', value: minSpeed },
  },
  { name: `${name}: received`, value: mib(bytes), unit: 'MiB', goal: null },
]

interface Asked {
  readonly token: string
  readonly encoding: Encoding
}

interface Received {
  readonly bytes: number
  readonly lines: number
}

/** Receives a file and keeps nothing of it. Why the server does not offer it, or how much came. */
async function download(
  url: string,
  { token, encoding }: Asked,
  onLines: (lines: number) => void,
): Promise<string | Received> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { authorization: `Bearer ${token}`, 'accept-encoding': encoding }
  request(url, { headers }, resolve).once('error', reject).end()
  const response = await promise
  if (response.statusCode !== 200) {
    response.destroy()
    return `the server answers ${response.statusCode}`
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
  if (!response.complete) throw new Error('the answer broke off')
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
