/** The facts of a past decision: the statements of a request, asked for a write clock that has passed. */
import type { Caller } from '../access/caller.ts'
import { readCaller } from '../access/caller-facts.ts'
import type { Standee } from '../access/caller-rows.ts'
import { asOf, callerSql } from '../access/caller-sql.ts'
import { policyStatement, readPolicy } from '../access/policy-data.ts'
import type { AccessRefusal } from '../access/refusal.ts'
import type { Settings, Subject } from '../access/subject.ts'
import { readSubjects, sourcesAsOf, subjectStatement } from '../access/subject-sql.ts'
import type { Access } from '../audit/port.ts'
import type { Result } from '../result.ts'
import type { Rows, Statement } from '../store/ports.ts'

export interface Past {
  readonly access: Access
  /** When the log took it: ISO 8601. */
  readonly time: string
  /** Write clock of the facts. */
  readonly version: number
}

/** Epoch of the database, and address of the facility the caller acted at: one row. */
export const facilityThen = ({ access, version }: Past): Statement => ({
  sql: `select c.epoch, (select f.uri from facility as f where f.id = :facility and ${asOf('f')}) as uri from clock as c`,
  args: { facility: access.who.facility, as_of: version },
})

/**
 * Who asked, as the entry has it. Of what it does not keep, keys and times decide nothing here; by which number a patient
 * was told apart does, so that patients and guardians are not read again.
 */
const presentedThen = ({ who, purpose, decision }: Access, facilityUri: string | null): Standee => ({
  issuer: who.issuer ?? '',
  subject: who.subject ?? '',
  clientId: who.client ?? '',
  jti: who.token ?? '',
  expiresAt: 0,
  name: who.name,
  role: who.role,
  // A facility that the registry did not know was named all the same.
  facilityUri: facilityUri ?? (decision.reason === 'facility-unknown' ? '' : null),
  purpose,
  scopes: [],
  keyThumbprint: null,
  patient: null,
  personId: null,
  birthDate: null,
  assurance: null,
})

export function factsThen(past: Past, facilityUri: string | null): readonly Statement[] {
  const { access, time, version } = past
  const args = {
    caller_issuer: access.who.issuer,
    caller_client: access.who.client,
    caller_subject: access.who.subject,
    caller_facility_uri: facilityUri,
    as_of: version,
  }
  return [
    { sql: callerSql('1 as past', asOf), args: { ...args, caller_context: null } },
    policyStatement({ role: access.who.role, purpose: access.purpose }, asOf, { as_of: version }),
    subjectStatement(
      {
        of: { by: 'person', person: access.patient ?? '' },
        facility: access.who.facility,
        professional: access.who.practitioner,
        now: Date.parse(time),
      },
      asOf,
      { as_of: version },
      sourcesAsOf,
    ),
  ]
}

export interface FactsThen {
  /** Null: a patient or a guardian. */
  readonly caller: Result<Caller, AccessRefusal> | null
  /** Null: the entry names no person, or one whom the record did not know then. */
  readonly subject: Subject | null
  readonly settings: Settings
}

/** @param rows results of `factsThen`, in order */
export function readThen(
  rows: readonly Rows[],
  { access, time }: Past,
  facilityUri: string | null,
): FactsThen {
  const [callerRows = [], policyRows = [], subjectRows = []] = rows
  const [row] = callerRows
  if (!row) throw new Error('the caller statement answers exactly one row')
  const presented = presentedThen(access, facilityUri)
  const policy = readPolicy(policyRows)
  const { subjects } = readSubjects(subjectRows, { by: 'person', person: access.patient ?? '' })
  const [subject = null] = subjects
  const isPatient = access.who.role === 'patient' || access.who.role === 'guardian'
  return {
    caller: isPatient ? null : readCaller({ row, policy, patients: [], presented, nowMs: Date.parse(time) }),
    subject,
    settings: policy.settings,
  }
}
