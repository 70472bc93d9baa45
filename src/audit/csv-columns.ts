/** What a CSV export tells of an entry: columns and the text of each field (`docs/audit-log.md` §4). */
import canonicalize from 'canonicalize'
import type { Access } from './port.ts'

/** An entry as it was parsed from its canonical text. */
export interface ToldEntry {
  readonly access: Access
  readonly index: string
  readonly log: string
  readonly time: string
}

/** In the order of the file. A new column is a new format: verifiers refuse the file. */
const columns: readonly (readonly [string, (entry: ToldEntry) => string | number | boolean | null])[] = [
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
  ['note', ({ access }) => (access.note ? (canonicalize(access.note) ?? null) : null)],
]

/** Names of the columns, the leaf's last. */
export const csvColumns: readonly string[] = [...columns.map(([name]) => name), 'leaf']

/**
 * The fields of one record, one per column, not yet quoted.
 *
 * @param leaf base64url
 */
export const csvFields = (entry: ToldEntry, leaf: string): string[] => [
  ...columns.map(([, tell]) => withoutFormula(String(tell(entry) ?? ''))),
  leaf,
]

/**
 * A spreadsheet takes a field that begins with one of these for a formula, and a client chooses some of our fields: an
 * apostrophe makes it text. Where semicolons separate fields (French locales), one inside a field begins another.
 */
const formulaStart = /(?<=^|[;\t\r\n])(?=[=+\-@\t\r])/g

export const withoutFormula = (text: string): string => text.replace(formulaStart, "'")
