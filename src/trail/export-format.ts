/** The files an export may be: NDJSON, which is evidence, CSV, which is for reading, and FHIR, which is for other systems. */
import { base64url } from '../audit/base64url.ts'
import { csvColumns, csvFields, type ToldEntry } from '../audit/csv-columns.ts'
import { auditEventsOf } from './audit-event.ts'

export type ExportFormat = 'ndjson' | 'csv' | 'fhir'

/** Names the layout of the NDJSON file: `docs/audit-log.md` §4. */
export const formatId = 'dossier-export/1'

export interface ExportedLog {
  readonly log: string
  readonly origin: string
  /** Verifier keys (signed-note). */
  readonly keys: readonly string[]
  /** Entries in the log when the export began, decimal; those of the newest checkpoint where it is not `current`. */
  readonly size: string
  /** The part searched: indices from `first` up to and without `end`, decimal. */
  readonly first: string
  readonly end: string
  /** False: the log could not be asked, or had more entries than its newest checkpoint covers. */
  readonly current: boolean
  /** Signed note; null for a log without entries. */
  readonly checkpoint: string | null
  /** Hashes (base64url) of the subtrees before and after the part, of a `range`. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Signed heads of the chains, one for each key in order; none of another export. */
  readonly heads: readonly string[]
  /** Consistency proof from a size that the requester named. */
  readonly known: { readonly size: string; readonly proof: readonly string[] } | null
}

export type Completeness = 'range' | 'patient-chain' | 'organisation-chain' | 'none'

export interface ExportHeader {
  readonly exportId: string
  /** When the export began: ISO 8601, UTC. */
  readonly time: string
  readonly completeness: Completeness
  readonly filters: Readonly<Record<string, string>>
  /** Keys of the chains that a chain export covers, that of today first; none of another export. */
  readonly chains: readonly string[]
  readonly logs: readonly ExportedLog[]
  /** Signed list of the logs; null where no log could be asked. */
  readonly list: string | null
}

/** An entry with its opening. */
export interface OpenEntry {
  readonly kind: 'open'
  readonly index: number
  /** Canonical text, as the leaf commits to it. */
  readonly entry: string
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
  /** Person id. */
  readonly patient: string | null
}

/** An entry whose body went by the redaction entry at index `redacted`. */
export interface RedactedEntry {
  readonly kind: 'redacted'
  readonly index: number
  readonly leaf: Uint8Array
  readonly redacted: number
  /** Key of its chain, where the export is of several. */
  readonly chain: string | null
}

/** An entry of a range whose body went by the pruning entry `pruned`, `<log>/<index>`. */
export interface PrunedEntry {
  readonly kind: 'pruned'
  readonly index: number
  readonly leaf: Uint8Array
  readonly pruned: string
}

/** The members of a chain up to number `count`, at `index`, as far as no line is about them: they went by `pruned`. */
export interface Gap {
  readonly kind: 'gap'
  readonly count: number
  readonly index: number
  readonly pruned: string
  /** Key of the chain, where the export is of several. */
  readonly chain: string | null
}

/** The tree hash of [from, to), after the last line of that block. */
export interface Block {
  readonly kind: 'block'
  readonly from: number
  readonly to: number
  readonly hash: Uint8Array
}

/** `proof`: inclusion path; null: the entry is proved by the range it is in. */
export type Line =
  | ((OpenEntry | RedactedEntry) & { readonly proof: readonly Uint8Array[] | null })
  | PrunedEntry
  | Gap
  | Block

export const ndjsonHeader = (header: ExportHeader): string =>
  `${JSON.stringify({ format: formatId, ...header })}\n`

/** An entry goes out as it is stored: parsed and written again it might not be what the leaf commits to. */
export function ndjsonLine(log: string, line: Line): string {
  if (line.kind === 'block')
    return `{"block":["${line.from}","${line.to}"],"hash":"${base64url(line.hash)}","log":"${log}"}\n`
  if (line.kind === 'gap')
    return `{${chainMember(line)}"count":"${line.count}","last":"${line.index}","log":"${log}","pruned":"${line.pruned}"}\n`
  const leaf = `"leaf":"${base64url(line.leaf)}"`
  if (line.kind === 'pruned')
    return `{"index":"${line.index}",${leaf},"log":"${log}","pruned":"${line.pruned}"}\n`
  const proof = line.proof === null ? '' : `,"proof":${JSON.stringify(line.proof.map(base64url))}`
  return line.kind === 'open'
    ? `{"entry":${line.entry},${leaf}${proof},"salt":"${base64url(line.salt)}"}\n`
    : `{${chainMember(line)}"index":"${line.index}",${leaf},"log":"${log}"${proof},"redacted":"${line.redacted}"}\n`
}

const chainMember = ({ chain }: RedactedEntry | Gap): string =>
  chain === null ? '' : `"chain":${JSON.stringify(chain)},`

export const csvHeader = (): string => csvRecord(csvColumns)

export const csvLine = ({ entry, leaf }: Pick<OpenEntry, 'entry' | 'leaf'>): string =>
  csvRow(JSON.parse(entry) as ToldEntry, base64url(leaf))

/** @param leaf base64url */
export const csvRow = (entry: ToldEntry, leaf: string): string => csvRecord(csvFields(entry, leaf))

/** AuditEvents, one a line. @param origin public address of the record */
export const fhirLines = (entry: ToldEntry, origin: string): string =>
  auditEventsOf(entry, origin)
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('')

/** RFC 4180. */
export const csvRecord = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`

const csvField = (text: string): string => (/[";,\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
