/** What an isolate remembers of a caller between requests: where the facility lives, and what the row filter binds. */
import type { Row, Rows, Statement } from '../store/ports.ts'
import type { Placement } from './caller.ts'
import { readCaller } from './caller-facts.ts'
import type { Standee } from './caller-rows.ts'
import { callerSql } from './caller-sql.ts'
import { policyStatement, readPolicy } from './policy-data.ts'
import { type Sight, sightOf } from './sight.ts'

export interface Standing {
  readonly placement: Placement | null
  readonly sight: Sight | null
}

/** What a standing depends on. */
export const standingKey = ({ issuer, subject, clientId, facilityUri, role, purpose }: Standee): string =>
  JSON.stringify([issuer, subject, clientId, facilityUri, role, purpose])

const standingSql = callerSql('1 as standing')

export function standingStatements({
  issuer,
  subject,
  clientId,
  facilityUri,
  role,
  purpose,
}: Standee): readonly Statement[] {
  const caller = {
    caller_issuer: issuer,
    caller_client: clientId,
    caller_subject: subject,
    caller_facility_uri: facilityUri,
  }
  return [{ sql: standingSql, args: { ...caller, caller_context: null } }, policyStatement({ role, purpose })]
}

/** @param rows results of `standingStatements`, in order */
export function readStanding(rows: readonly Rows[], standee: Standee, nowMs: number): Standing {
  const [callerRows = [], policyRows = []] = rows
  const [row] = callerRows
  if (!row) throw new Error('the caller statement answers exactly one row')
  const placement = placementOf(row)
  // Patients read no documents; who they are is found in their own request.
  if (standee.role === 'patient' || standee.role === 'guardian') return { placement, sight: null }
  const policy = readPolicy(policyRows)
  const caller = readCaller({ row, policy, patients: [], presented: standee, nowMs })
  return { placement, sight: caller.ok ? sightOf(caller.value, policy.settings) : null }
}

const placementOf = (row: Row): Placement | null =>
  row.facility_row === null
    ? null
    : {
        row: Number(row.facility_row),
        facility: String(row.facility),
        region: String(row.region),
        log: String(row.log),
      }
