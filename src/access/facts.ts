/** What the registry and the clock say, read in the request's own batch: the facts that a decision rests on. */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows, Statement } from '../store/ports.ts'
import type { Caller, Placement, Presented } from './caller.ts'
import { readCaller } from './caller-facts.ts'
import { callerArgs, callerSql, issuerIsCurrent, keyIsRevoked, tokenIsRevoked } from './caller-sql.ts'
import { patientArgs, patientStatement } from './patient-facts.ts'
import { policyStatement, readPolicy } from './policy-data.ts'
import type { AccessRefusal } from './refusal.ts'
import { isSameSight, type Sight } from './sight.ts'
import { readStanding, type Standing } from './standing.ts'
import type { Settings } from './subject.ts'
import { readSubjects, type SubjectFacts, type SubjectQuestion, subjectStatement } from './subject-sql.ts'

/** What the isolate remembered of the registry no longer holds: everything is asked again, once. */
export type RegistryMoved =
  /** The issuer's row, by whose keys the signature verified, has ended: the token is to be verified again. */
  | { readonly reason: 'issuer-changed' }
  /**
   * The caller's facility moved, began or ended (another log, another local database), or the caller may see more or less
   * than the page was filtered by. `standing` is what holds now.
   */
  | { readonly reason: 'standing-changed'; readonly standing: Standing }

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

const currentCallerSql = callerSql(`${issuerIsCurrent} as issuer_is_current,
  ${tokenIsRevoked} as is_revoked, ${keyIsRevoked} as key_is_revoked`)

/** What one batch says before the page. */
export interface Facts extends SubjectFacts {
  readonly caller: Caller
  readonly settings: Settings
}

/**
 * The first statements of the request's read batch; `readFacts` takes as many results. Their text depends on the token
 * alone, never on what is found.
 */
export function factStatements({
  presented,
  about,
}: Pick<Asked, 'presented' | 'about'>): readonly Statement[] {
  return [
    { sql: clockSql },
    { sql: currentCallerSql, args: callerArgs(presented) },
    policyStatement({ role: presented?.role ?? null, purpose: presented?.purpose ?? null }),
    ...(isAboutPatients(presented) ? [{ sql: patientStatement, args: patientArgs(presented) }] : []),
    ...(about ? [subjectStatement(about)] : []),
  ]
}

const isAboutPatients = (presented: Presented | null): presented is Presented =>
  presented?.role === 'patient' || presented?.role === 'guardian'

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

export interface Asked {
  /** Null: without a token. */
  readonly presented: Presented | null
  readonly placement: Placement | null
  /** What the page was filtered by. */
  readonly sight: Sight | null
  /** Null: no page about a person. */
  readonly about: SubjectQuestion | null
}

/**
 * `rows` are the results of `factStatements`. A caller whom the registry does not know, or does not let act as the token
 * says, is refused: nothing is open by default.
 */
export function readFacts(
  rows: readonly Rows[],
  { presented, placement, sight, about }: Asked,
  nowMs: number,
): Result<Facts, AccessRefusal | RegistryMoved> {
  const [, callerRows = [], policyRows = [], ...others] = rows
  const [row] = callerRows
  if (!row) throw new Error('the caller statement answers exactly one row')
  if (!presented) return err({ reason: 'unauthenticated', cause: 'missing' })
  // No row at all: nothing newer could verify the token, and the replica that would be asked may lag.
  if (row.issuer_is_current === null) return err({ reason: 'unauthenticated', cause: 'issuer-revoked' })
  if (!row.issuer_is_current) return err({ reason: 'issuer-changed' })
  if (row.key_is_revoked) return err({ reason: 'unauthenticated', cause: 'key-revoked' })
  if (row.is_revoked) return err({ reason: 'unauthenticated', cause: 'token-revoked' })
  if (nowMs >= (presented.expiresAt + limits.clockToleranceSeconds) * 1_000)
    return err({ reason: 'unauthenticated', cause: 'expired' })
  const standing = readStanding([callerRows, policyRows], presented, nowMs)
  // The log of this access and the rows of this page rest on it.
  if (standing.placement?.row !== placement?.row || !isSameSight(standing.sight, sight))
    return err({ reason: 'standing-changed', standing })
  const patients = isAboutPatients(presented) ? (others.shift() ?? []) : []
  const policy = readPolicy(policyRows)
  const caller = readCaller({ row, policy, patients, presented, nowMs })
  if (!caller.ok) return caller
  const subject = about ? readSubjects(others[0] ?? [], about.of) : { subjects: [], document: null }
  return ok({ caller: caller.value, settings: policy.settings, ...subject })
}
