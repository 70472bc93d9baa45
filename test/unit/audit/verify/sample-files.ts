/** Files about synthetic logs: exports, proofs, policies, what a log publishes. Made to be changed before they are written. */
import { base64url } from '../../../../src/audit/base64url.ts'
import { sha256 } from '../../../../src/audit/commitment.ts'
import { csvColumns, csvFields, type ToldEntry } from '../../../../src/audit/csv-columns.ts'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import { encodeEntries, entriesPath, TileEdge, tilePath } from '../../../../src/audit/tlog/tile.ts'
import { formatTlogProof } from '../../../../src/audit/tlog/tlog-proof.ts'
import { auditEventsOf } from '../../../../src/trail/audit-event.ts'
import { bytesOf, ed25519Cosigner, mlDsa44Key } from './sample-keys.ts'
import { type ChainKind, SampleLog, samplePrefix } from './sample-log.ts'

export interface SampleHeaderLog {
  log: string
  origin: string
  keys: string[]
  size: string
  first: string
  end: string
  current: boolean
  checkpoint: string | null
  before: string[]
  after: string[]
  heads: string[]
  known: { size: string; proof: string[] } | null
}

export interface SampleHeader {
  format: string
  exportId: string
  time: string
  completeness: 'range' | 'patient-chain' | 'organisation-chain' | 'none'
  filters: Record<string, string>
  chains: string[]
  logs: SampleHeaderLog[]
  list: string | null
}

/** An NDJSON export before it is written: change the header's members and the lines, then take `ndjson`. */
export interface SampleExport {
  header: SampleHeader
  /** Without line ends. */
  lines: string[]
}

export const ndjson = ({ header, lines }: SampleExport): string =>
  [JSON.stringify(header), ...lines].map((line) => `${line}\n`).join('')

/** The part of an export that is about one log. */
export interface SamplePart {
  readonly log: SampleLog
  /** Entries when the export began; default: all. */
  readonly size?: number
  readonly first?: number
  readonly end?: number
  /** Size of the checkpoint; default: all entries. */
  readonly checkpointSize?: number
  /** A consistency proof from this size. */
  readonly known?: number
}

// --- lines ---

export const entryLine = (log: SampleLog, index: number, path?: readonly Uint8Array[]): string => {
  const { text, leaf, salt } = log.entry(index)
  return `{"entry":${text},"leaf":"${base64url(leaf)}",${proofMember(path)}"salt":"${base64url(salt)}"}`
}

export const redactedLine = (
  log: SampleLog,
  index: number,
  path?: readonly Uint8Array[],
  chain: string | null = null,
): string => {
  const { leaf, redacted } = log.entry(index)
  const of = chain === null ? '' : `"chain":${JSON.stringify(chain)},`
  const rest = `${proofMember(path)}"redacted":"${redacted}"}`
  return `{${of}"index":"${index}","leaf":"${base64url(leaf)}","log":"${log.name}",${rest}`
}

const prunedLine = (log: SampleLog, index: number): string => {
  const { leaf, pruned } = log.entry(index)
  return `{"index":"${index}","leaf":"${base64url(leaf)}","log":"${log.name}","pruned":"${pruned}"}`
}

/** The members of a chain up to this one went. @param chain its key, where there are several */
const gapLine = (log: SampleLog, index: number, kind: ChainKind, chain: string | null): string => {
  const { text, pruned } = log.entry(index)
  const { chains } = JSON.parse(text) as { readonly chains: Readonly<Record<ChainKind, { count: string }>> }
  const of = chain === null ? '' : `"chain":${JSON.stringify(chain)},`
  return `{${of}"count":"${chains[kind].count}","last":"${index}","log":"${log.name}","pruned":"${pruned}"}`
}

const proofMember = (path: readonly Uint8Array[] | undefined): string =>
  path === undefined ? '' : `"proof":${JSON.stringify(path.map(base64url))},`

/** Open or redacted, as the log has it. */
const lineOf = (
  log: SampleLog,
  index: number,
  path?: readonly Uint8Array[],
  chain: string | null = null,
): string =>
  log.entry(index).redacted === null ? entryLine(log, index, path) : redactedLine(log, index, path, chain)

/** Pruning entries of this log that entries of the parts name. */
function pruningEntries(log: SampleLog, parts: readonly SamplePart[]): number[] {
  const named = parts.flatMap((part) => {
    const { log: of, first, end } = boundsOf(part)
    return of.entries.slice(first, end).flatMap(({ pruned }) => pruned ?? [])
  })
  return [...new Set(named)]
    .flatMap((name) => (name.startsWith(`${log.name}/`) ? [Number(name.slice(log.name.length + 1))] : []))
    .sort((a, b) => a - b)
}

export const blockLine = (log: SampleLog, first: number): string =>
  `{"block":["${first}","${first + 256}"],"hash":"${base64url(
    log.subtreeHash({ level: 8, index: BigInt(first / 256) }),
  )}","log":"${log.name}"}`

// --- exports ---

export async function rangeExport(parts: readonly SamplePart[]): Promise<SampleExport> {
  const lines: string[] = []
  for (const part of parts) {
    const { log, first, end, checkpointSize } = boundsOf(part)
    const redactions = new Set<number>()
    const prunings = pruningEntries(log, parts)
    const proved = async (index: number) => entryLine(log, index, await log.inclusion(index, checkpointSize))
    for (const index of prunings) if (index < first) lines.push(await proved(index))
    for (const index of prunings) if (index >= end) redactions.add(index)
    for (let index = first; index < end; index += 1) {
      lines.push(log.entry(index).pruned === null ? lineOf(log, index) : prunedLine(log, index))
      const { redacted } = log.entry(index)
      if (redacted !== null && redacted >= end) redactions.add(redacted)
      const block = index - 255
      if (index % 256 === 255 && block >= first) lines.push(blockLine(log, block))
    }
    for (const index of [...redactions].sort((a, b) => a - b)) lines.push(await proved(index))
  }
  return { header: await headerOf('range', {}, parts), lines }
}

/** Of each log the chains of these keys, and the redaction entries they name; the first key is the one asked for. */
export async function chainExport(
  kind: ChainKind,
  keys: string | readonly [string, ...string[]],
  parts: readonly SamplePart[],
): Promise<SampleExport> {
  const [key, ...others] = [keys].flat() as [string, ...string[]]
  const chains = [key, ...others]
  const lines = await provedLines(
    parts,
    (log, size) => chains.flatMap((each) => log.chainIndices(kind, each, size)),
    { kind, keys: chains },
  )
  return { header: await headerOf(`${kind}-chain`, { [kind]: key }, parts, chains), lines }
}

/** The entries that `choose` takes, by a filter that promises nothing. */
export async function filteredExport(
  parts: readonly SamplePart[],
  choose: (index: number) => boolean,
): Promise<SampleExport> {
  const lines = await provedLines(parts, (log, size) =>
    Array.from({ length: size }, (_, index) => index).filter((index) => choose(index) && index < log.size),
  )
  return { header: await headerOf('none', { action: 'search' }, parts), lines }
}

async function provedLines(
  parts: readonly SamplePart[],
  choose: (log: SampleLog, size: number) => readonly number[],
  chains: { readonly kind: ChainKind; readonly keys: readonly string[] } | null = null,
): Promise<string[]> {
  const lines: string[] = []
  for (const part of parts) {
    const { log, size, checkpointSize } = boundsOf(part)
    const indices = new Set(choose(log, size))
    for (const index of [...indices]) {
      const { redacted } = log.entry(index)
      if (redacted !== null) indices.add(redacted)
    }
    for (const index of pruningEntries(log, parts)) if (chains) indices.add(index)
    const members = (chains?.keys ?? []).map((key) => log.chainIndices(chains?.kind as ChainKind, key, size))
    for (const index of [...indices].sort((a, b) => a - b)) {
      const at = members.findIndex((of) => of.includes(index))
      const chain = members.length > 1 && at !== -1 ? (chains?.keys[at] as string) : null
      if (log.entry(index).pruned === null)
        lines.push(lineOf(log, index, await log.inclusion(index, checkpointSize), chain))
      else if (chains && isLastOfGap(log, members[at] as readonly number[], index))
        lines.push(gapLine(log, index, chains.kind, chain))
    }
  }
  return lines
}

/** Whether the next member is there, or there is none. */
function isLastOfGap(log: SampleLog, members: readonly number[], index: number): boolean {
  const next = members[members.indexOf(index) + 1]
  return next === undefined || log.entry(next).pruned === null
}

function boundsOf({ log, size = log.size, first = 0, end = size, checkpointSize = log.size }: SamplePart) {
  return { log, size, first, end, checkpointSize }
}

async function headerOf(
  completeness: SampleHeader['completeness'],
  filters: Record<string, string>,
  parts: readonly SamplePart[],
  chains: readonly string[] = [],
): Promise<SampleHeader> {
  const logs: SampleHeaderLog[] = []
  for (const part of parts) {
    const { log, size, first, end, checkpointSize } = boundsOf(part)
    const isRange = completeness === 'range'
    const kind = completeness === 'patient-chain' ? 'patient' : 'organisation'
    logs.push({
      log: log.name,
      origin: log.origin,
      keys: log.keys.map(({ vkey }) => vkey),
      size: String(size),
      first: String(first),
      end: String(end),
      current: true,
      checkpoint: checkpointSize === 0 ? null : log.checkpoint(checkpointSize),
      before: isRange ? log.subtreeHashes(0, first).map(base64url) : [],
      after: isRange ? log.subtreeHashes(end, checkpointSize).map(base64url) : [],
      heads: chains.map((key) => log.head(kind, key, size)),
      known:
        part.known === undefined
          ? null
          : {
              size: String(part.known),
              proof: (await log.consistency(part.known, checkpointSize)).map(base64url),
            },
    })
  }
  const [signer] = parts
  return {
    format: 'dossier-export/1',
    exportId: '00000000-0000-4000-8000-00000000e000',
    time: '2026-11-22T10:00:00.000Z',
    completeness,
    filters,
    chains: [...chains],
    logs,
    list:
      signer?.log.list(
        parts.map(({ log }) => log),
        signer.size ?? signer.log.size,
      ) ?? null,
  }
}

// --- CSV ---

/** Rows of fields, the columns first, of the open entries of an export; change them, then take `csv`. */
export function csvRows(proof: SampleExport): string[][] {
  const rows = [[...csvColumns]]
  for (const line of proof.lines) {
    const { entry, leaf } = JSON.parse(line) as { readonly entry?: ToldEntry; readonly leaf: string }
    if (entry !== undefined) rows.push(csvFields(entry, leaf))
  }
  return rows
}

export const csv = (rows: readonly (readonly string[])[], lineEnd = '\r\n'): string =>
  rows.map((row) => `${row.map(csvField).join(',')}${lineEnd}`).join('')

const csvField = (text: string): string => (/[";,\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

// --- one entry ---

export async function tlogProof(log: SampleLog, index: number, size = log.size): Promise<string> {
  const { salt, text } = log.entry(index)
  return formatTlogProof({
    extra: new Uint8Array([...salt, ...bytesOf(text)]),
    index: BigInt(index),
    path: await log.inclusion(index, size),
    checkpoint: log.checkpoint(size),
  })
}

// --- policy ---

/** Trusts the keys of the logs; `quorum` of the witnesses, 0: none. */
export function policyText(logs: readonly SampleLog[], quorum: number): string {
  const witnesses = logs[0]?.witnesses ?? []
  const names = witnesses.map((_, i) => `w${i + 1}`)
  return [
    ...logs.flatMap(({ keys }) => keys.map(({ vkey }) => `log ${vkey}`)),
    ...witnesses.map(({ vkey }, i) => `witness w${i + 1} ${vkey}`),
    ...(quorum === 0 ? ['quorum none'] : [`group enough ${quorum} ${names.join(' ')}`, 'quorum enough']),
    '',
  ].join('\n')
}

// --- what logs publish ---

/** Path below the root of a folder, and bytes: `logs.json`, then checkpoint, tiles and bundles of each log. */
export type SampleSite = Map<string, Uint8Array>

export function publishedSite(logs: readonly SampleLog[]): SampleSite {
  const site: SampleSite = new Map([['logs.json', bytesOf(logListing(logs))]])
  for (const log of logs)
    for (const [path, bytes] of publishedLog(log)) site.set(`${log.name}/${path}`, bytes)
  return site
}

/** The answer of `GET /audit/logs`. */
export const logListing = (logs: readonly SampleLog[]): string =>
  JSON.stringify({
    logs: logs.map(({ name, origin, keys }) => ({
      log: name,
      origin,
      url: `https://${origin}`,
      vkey: keys[0].vkey,
      mldsa44Vkey: keys[1].vkey,
      predecessor: null,
      successor: null,
    })),
  })

/** All of a log at its whole size, by the path below its prefix. */
export function publishedLog(log: SampleLog): SampleSite {
  const leaves = log.entries.map(({ leaf }) => leaf)
  const { tiles } = TileEdge.empty().append(
    sha256,
    leaves.map((leaf) => leafHash(sha256, leaf)),
  )
  const site: SampleSite = new Map()
  if (log.size > 0) site.set('checkpoint', bytesOf(log.checkpoint()))
  for (const { tile, bytes } of tiles) {
    site.set(tilePath(tile), bytes)
    if (tile.level !== 0) continue
    const first = Number(tile.index) * 256
    site.set(entriesPath(tile.index, tile.width), encodeEntries(leaves.slice(first, first + tile.width)))
  }
  return site
}

// --- the usual sample ---

/** Three witnesses: two sign with Ed25519, the third with ML-DSA-44. */
export const sampleWitnesses = [
  ed25519Cosigner('witness.example/w1'),
  ed25519Cosigner('witness.example/w2'),
  mlDsa44Key('witness.example/w3'),
] as const

/**
 * A log of `size` entries or a few more, of six patients and three organisations and of none; with `redactions` the
 * entries 3, 10 and 11 are redacted, the last one when all others were there.
 */
export function sampleLog(name: string, size: number, redactions = false): SampleLog {
  const log = new SampleLog(name, sampleWitnesses)
  for (let i = 0; i < size; i += 1) {
    if (redactions && i === 20) log.redact(3)
    if (redactions && i === 40) log.redact(10, { patient: null, organisation: null })
    log.append({
      patient: i % 7 === 6 ? null : `p${i % 6}`,
      organisation: i % 11 === 10 ? null : `o${i % 3}`,
      ...(i % 13 === 12 ? { more: { breakGlassReason: 'Urgence: « = », "x", é\n;=2' } } : {}),
    })
  }
  if (redactions) log.redact(11)
  return log
}

// --- AuditEvents ---

/** What the record says of itself in the events. */
export const sampleOrigin = `https://${samplePrefix}`

/** Of the open entries of an export, as they are written; change them, then take `events`. */
export function auditEvents(proof: SampleExport): string[] {
  return proof.lines.flatMap((line) => {
    const { entry } = JSON.parse(line) as { readonly entry?: ToldEntry }
    return entry === undefined ? [] : auditEventsOf(entry, sampleOrigin).map((event) => JSON.stringify(event))
  })
}

export const events = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
