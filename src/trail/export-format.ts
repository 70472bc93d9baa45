/** The files an export may be: NDJSON, which is evidence, and CSV, which is for reading. */
import { base64url } from '../audit/base64url.ts'
import type { Access } from '../audit/port.ts'

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
  /** Signed head of the chain, of a chain export. */
  readonly head: string | null
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
}

/** The tree hash of [from, to), after the last line of that block. */
export interface Block {
  readonly kind: 'block'
  readonly from: number
  readonly to: number
  readonly hash: Uint8Array
}

/** `proof`: inclusion path; null: the entry is proved by the range it is in. */
export type Line = ((OpenEntry | RedactedEntry) & { readonly proof: readonly Uint8Array[] | null }) | Block

export const ndjsonHeader = (header: ExportHeader): string =>
  `${JSON.stringify({ format: formatId, ...header })}\n`

/** An entry goes out as it is stored: parsed and written again it might not be what the leaf commits to. */
export function ndjsonLine(log: string, line: Line): string {
  switch (line.kind) {
    case 'open':
      return `{"entry":${line.entry},"leaf":"${base64url(line.leaf)}","salt":"${base64url(line.salt)}"${proofMember(line.proof)}}\n`
    case 'redacted':
      return `{"index":"${line.index}","leaf":"${base64url(line.leaf)}","log":"${log}","redacted":"${line.redacted}"${proofMember(line.proof)}}\n`
    case 'block':
      return `{"block":["${line.from}","${line.to}"],"hash":"${base64url(line.hash)}","log":"${log}"}\n`
  }
}

const proofMember = (proof: readonly Uint8Array[] | null): string =>
  proof === null ? '' : `,"proof":${JSON.stringify(proof.map(base64url))}`

/** What the CSV file tells of an entry, in the order of its columns. New columns go to the end. */
const columns: readonly (readonly [string, (stored: StoredEntry) => string | number | boolean | null])[] = [
  ['log', ({ log }) => log],
  ['index', ({ index }) => index],
  ['time', ({ time }) => time],
  ['request_id', ({ access }) => access.requestId],
  ['part', ({ access }) => access.part],
  ['parts', ({ access }) => access.parts],
  ['phase', ({ access }) => access.phase],
  ['action', ({ access }) => access.action],
  ['operation', ({ access }) => access.operation],
  ['outcome', ({ access }) => access.decision.outcome],
  ['reason', ({ access }) => access.decision.reason],
  ['detail', ({ access }) => access.decision.detail],
  ['status', ({ access }) => access.status],
  ['patient', ({ access }) => access.patient],
  ['practitioner', ({ access }) => access.who.practitioner],
  ['name', ({ access }) => access.who.name],
  ['role', ({ access }) => access.who.role],
  ['facility', ({ access }) => access.who.facility],
  ['organisation', ({ access }) => access.who.organisation],
  ['issuer', ({ access }) => access.who.issuer],
  ['subject', ({ access }) => access.who.subject],
  ['client', ({ access }) => access.who.client],
  ['token', ({ access }) => access.who.token],
  ['address', ({ access }) => access.who.address],
  ['purpose', ({ access }) => access.purpose],
  ['break_glass_reason', ({ access }) => access.breakGlassReason],
  ['resources', ({ access }) => access.resources.join(' ')],
  ['method', ({ access }) => access.query.method],
  ['query', ({ access }) => access.query.text],
  ['query_sha256', ({ access }) => access.query.sha256],
  ['client_request_id', ({ access }) => access.clientRequestId],
  ['policy_version', ({ access }) => access.policyVersion],
  ['stale_seconds', ({ access }) => access.staleness?.seconds ?? null],
  ['degraded', ({ access }) => access.staleness?.degraded ?? null],
  ['note', ({ access }) => (access.note ? JSON.stringify(access.note) : null)],
]

interface StoredEntry {
  readonly access: Access
  readonly index: string
  readonly log: string
  readonly time: string
}

export const csvHeader = (): string => csvRecord([...columns.map(([name]) => name), 'leaf'])

export function csvLine({ entry, leaf }: Pick<OpenEntry, 'entry' | 'leaf'>): string {
  const stored = JSON.parse(entry) as StoredEntry
  return csvRecord([...columns.map(([, tell]) => csvText(tell(stored))), base64url(leaf)])
}

const csvText = (value: string | number | boolean | null): string => (value === null ? '' : String(value))

/** RFC 4180. */
const csvRecord = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`

/**
 * A spreadsheet takes a field that begins with one of these for a formula, and a client chooses some of our fields: an
 * apostrophe makes it text. Where semicolons separate fields (French locales), one inside a field begins another.
 */
const formulaStart = /(^|[;\t\r\n])(?=[=+\-@\t\r])/g

function csvField(text: string): string {
  const safe = text.replace(formulaStart, "$1'")
  return /[";,\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
