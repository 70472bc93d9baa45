/** The files an export may be: NDJSON, which is evidence, and CSV, which is for reading. */
import { base64url } from '../audit/base64url.ts'
import type { Access } from '../audit/port.ts'

/** Names the layout of the NDJSON file. */
export const formatId = 'dossier-export/0'

/** One ledger row. */
export interface ExportRow {
  /** Canonical text, as the leaf commits to it. */
  readonly entry: string
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
}

export interface ExportedLog {
  readonly log: string
  /** Entries in the log when the export began, decimal. */
  readonly size: string
  /** The part searched: indices from `first` up to and without `end`, decimal. */
  readonly first: string
  readonly end: string
  /** False: the log itself could not be asked; `size` is what the ledger held. */
  readonly current: boolean
}

export interface ExportHeader {
  readonly exportId: string
  /** When the export began: ISO 8601, UTC. */
  readonly time: string
  /** `range`: every entry of the parts named in `logs`. `none`: only those that match the filters. */
  readonly completeness: 'range' | 'none'
  readonly filters: Readonly<Record<string, string>>
  readonly logs: readonly ExportedLog[]
}

export const ndjsonHeader = (header: ExportHeader): string =>
  `${JSON.stringify({ format: formatId, ...header })}\n`

/** The entry goes out as it is stored: parsed and written again it might not be what the leaf commits to. */
export const ndjsonLine = ({ entry, leaf, salt }: ExportRow): string =>
  `{"entry":${entry},"leaf":"${base64url(leaf)}","salt":"${base64url(salt)}"}\n`

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

export function csvLine({ entry, leaf }: ExportRow): string {
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
