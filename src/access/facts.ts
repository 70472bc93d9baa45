/** What the registry and the clock say, read in the request's own batch: the facts that a decision rests on. */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row, Rows, Statement } from '../store/ports.ts'
import type { Caller, Facility, Facts, Placement, Presented } from './caller.ts'
import {
  callerArgs,
  facilityRow,
  isClient,
  issuerIsCurrent,
  privacyOfficer,
  selectMatrix,
  tokenIsRevoked,
} from './caller-sql.ts'
import type { AccessRefusal, PolicyRefusal } from './refusal.ts'

/** What the isolate remembered of the registry no longer holds: authenticate and load again, once. */
export type RegistryMoved =
  /** The caller's facility moved, began or ended: another log, another local database. */
  | { readonly reason: 'placement-changed' }
  /** The issuer's row, by whose keys the signature verified, has ended. */
  | { readonly reason: 'issuer-changed' }

export interface Clock {
  readonly epoch: string
  readonly n: number
  /** Milliseconds since 1970, as last written at the primary. */
  readonly heartbeatAt: number
}

export interface Freshness {
  readonly fresh: boolean
  /** Whole seconds between the heartbeat and now, either way; 0 when fresh. */
  readonly seconds: number
  /** Stale for longer than `limits.degradedAfterMs`. */
  readonly degraded: boolean
  /** The heartbeat is ahead of this machine's clock: one of the two is wrong. Never fresh. */
  readonly future: boolean
}

const clockSql = `select c.epoch, c.n, h.at as heartbeat_at
from clock as c, heartbeat as h where c.id = 1 and h.id = 1`

// One row, also without a token or with nothing known: "unknown" and "not permitted" cost the same.
const callerSql = `select ${issuerIsCurrent} as issuer_is_current, ${tokenIsRevoked} as is_revoked,
  c.client_id, c.name as client_name, c.facility as client_facility,
  p.id as professional, p.name as professional_name,
  f.row as facility_row, f.id as facility, f.uri, f.name as facility_name, f.organisation, f.type, f.region, f.log,
  f.identity_systems,
  (select json_group_array(role) from professional_role
    where professional = p.id and facility = f.id and valid_to is null) as roles,
  exists (select 1 from professional_role
    where professional = p.id and role = '${privacyOfficer}' and facility = '' and valid_to is null) as is_privacy_officer
from (select 1)
left join client as c on ${isClient('c')}
left join professional as p on p.issuer = :caller_issuer and p.subject = :caller_subject and p.valid_to is null
left join facility as f on f.row = ${facilityRow('c')} and c.row is not null`

const matrixSql = selectMatrix('m.role, m.facility_type, m.purpose, m.domain')

/** The first statements of the request's read batch; `readFacts` takes as many results. Null: without a token. */
export function factStatements(presented: Presented | null): readonly Statement[] {
  const { caller_role, caller_purpose, ...identity } = callerArgs(presented)
  const { caller_issuer_row, caller_jti, ...person } = identity
  return [
    { sql: clockSql },
    { sql: callerSql, args: identity },
    { sql: matrixSql, args: { ...person, caller_role, caller_purpose } },
  ]
}

/** @throws Error when the database holds no clock: it was never migrated. */
export function readClock(rows: readonly Rows[]): Clock {
  const row = rows[0]?.[0]
  if (!row) throw new Error('the records database has no clock')
  return { epoch: String(row.epoch), n: Number(row.n), heartbeatAt: Number(row.heartbeat_at) }
}

/** How old what a replica says is, at `nowMs` of this machine's clock. */
export function freshness(heartbeatAt: number, nowMs: number): Freshness {
  const ageMs = nowMs - heartbeatAt
  const future = ageMs < -limits.maxClockSkewMs
  const fresh = !future && ageMs <= limits.freshMs
  const seconds = fresh ? 0 : Math.floor(Math.abs(ageMs) / 1_000)
  return { fresh, seconds, degraded: ageMs > limits.degradedAfterMs, future }
}

/**
 * `rows` are the results of `factStatements`. A caller whom the registry does not know, or does not let act as the token
 * says, is refused: nothing is open by default.
 */
export function readFacts(
  rows: readonly Rows[],
  presented: Presented | null,
  placement: Placement | null,
  nowMs: number,
): Result<Facts, AccessRefusal | RegistryMoved> {
  const { epoch, n, heartbeatAt } = readClock(rows)
  const row = rows[1]?.[0]
  if (!row) throw new Error('the caller statement answers exactly one row')
  if (!presented) return err({ reason: 'unauthenticated', cause: 'missing' })
  if (!row.issuer_is_current) return err({ reason: 'issuer-changed' })
  if (row.is_revoked) return err({ reason: 'unauthenticated', cause: 'revoked' })
  if (nowMs >= (presented.expiresAt + limits.clockToleranceSeconds) * 1_000)
    return err({ reason: 'unauthenticated', cause: 'expired' })
  const facility = facilityOf(row)
  if (facility?.row !== placement?.row) return err({ reason: 'placement-changed' })
  const caller = callerOf(row, facility, rows[2] ?? [], presented)
  return caller.ok ? ok({ clock: { epoch, n }, heartbeatAt, caller: caller.value }) : caller
}

function callerOf(
  row: Row,
  facility: Facility | null,
  matrixRows: Rows,
  presented: Presented,
): Result<Caller, PolicyRefusal> {
  if (row.client_id === null) return forbidden('client-unknown')
  const isOwnSubject = presented.subject === presented.clientId
  if (row.client_facility !== null) {
    // A professional's token never speaks for a facility, even when a facility system obtained it.
    if (!isOwnSubject) return forbidden('client-unknown')
    if (!facility) return forbidden('facility-unknown')
    return ok({
      kind: 'facility-system',
      client: presented.clientId,
      name: String(row.client_name),
      facility,
    })
  }
  // A client's own token never speaks for a professional, whatever its `sub` collides with (RFC 9068 §5).
  if (row.professional === null || isOwnSubject) return forbidden('professional-unknown')
  const person = { professional: String(row.professional), name: String(row.professional_name) }
  if (presented.role === privacyOfficer || (presented.role === null && presented.facilityUri === null)) {
    if (row.is_privacy_officer) return ok({ kind: 'privacy-officer', ...person })
    return forbidden(presented.role === null ? 'role-missing' : 'role-not-held')
  }
  if (!facility) return forbidden('facility-unknown')
  const held = (JSON.parse(String(row.roles)) as string[]).filter((role) => role !== privacyOfficer)
  const role = presented.role ?? (held.length === 1 ? held[0] : undefined)
  if (role === undefined) return forbidden('role-missing')
  if (!held.includes(role)) return forbidden('role-not-held')
  const { purpose } = presented
  if (purpose === null) return forbidden('purpose-not-permitted')
  const domains = new Set<string>()
  for (const cell of matrixRows)
    if (opens(cell, role, facility.type, purpose)) domains.add(String(cell.domain))
  if (domains.size > 0) return ok({ kind: 'provider', ...person, role, purpose, facility, domains })
  // Treatment is what providers are there for: then it is the role that opens nothing here.
  return forbidden(purpose === 'TREAT' ? 'domain-not-permitted' : 'purpose-not-permitted')
}

/** The matrix statement has chosen these rows; the decision does not take its word. */
const opens = (cell: Row, role: string, facilityType: string, purpose: string): boolean =>
  (cell.role === role || cell.role === '*') &&
  (cell.facility_type === facilityType || cell.facility_type === '*') &&
  (cell.purpose === purpose || cell.purpose === '*')

function facilityOf(row: Row): Facility | null {
  if (row.facility_row === null) return null
  return {
    row: Number(row.facility_row),
    id: String(row.facility),
    uri: String(row.uri),
    name: String(row.facility_name),
    organisation: String(row.organisation),
    type: String(row.type),
    region: String(row.region),
    log: String(row.log),
    identitySystems: JSON.parse(String(row.identity_systems)) as string[],
  }
}

const forbidden = (cause: PolicyRefusal['cause']): Result<never, PolicyRefusal> =>
  err({ reason: 'forbidden', cause })
