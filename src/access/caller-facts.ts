/** The caller, out of the rows of one batch: pure. */
import { ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { type Caller, type Facility, isAdministrative } from './caller.ts'
import type { CallerRows } from './caller-rows.ts'
import { readPatient } from './patient-facts.ts'
import { clearanceOf, openedDomains } from './policy-data.ts'
import { type AccessRefusal, forbidden, type PolicyRefusal } from './refusal.ts'

/** In which capacity the token's bearer acts: the role it names is one the registry has, or none. */
export function readCaller(rows: CallerRows): Result<Caller, AccessRefusal> {
  const { row, presented } = rows
  if (row.client_id === null) return forbidden('client-unknown')
  const isOwnSubject = presented.subject === presented.clientId
  if (row.client_facility !== null) {
    // A professional's token never speaks for a facility, even when a facility system obtained it.
    return isOwnSubject ? facilitySystem(rows) : forbidden('client-unknown')
  }
  // A client's own token never speaks for a person, whatever its `sub` collides with (RFC 9068 §5).
  if (isOwnSubject) return forbidden('professional-unknown')
  if (presented.role === 'patient' || presented.role === 'guardian') return readPatient(rows)
  if (row.professional === null) return forbidden('professional-unknown')
  const isUnplaced = presented.role === null && presented.facilityUri === null
  if (presented.role === 'privacy-officer' || isUnplaced) return privacyOfficer(rows)
  if (presented.role === 'operator') return operator(rows)
  return atFacility(rows)
}

function facilitySystem({ row, presented }: CallerRows): Result<Caller, PolicyRefusal> {
  const facility = facilityOf(row)
  if (!facility) return forbidden('facility-unknown')
  if (!vouches(row, facility.organisation)) return forbidden('issuer-not-for-organisation')
  return ok({
    kind: 'facility-system',
    client: presented.clientId,
    name: String(row.client_name),
    facility,
  })
}

/** Of the whole record where that role is held; else of the one organisation, or the one of the facility presented. */
function privacyOfficer({ row, presented }: CallerRows): Result<Caller, PolicyRefusal> {
  const organisations = rolesOf(row).flatMap(([role, at, organisation]) =>
    role === 'privacy-officer' && at === '' ? [organisation] : [],
  )
  if (organisations.length === 0) return forbidden(presented.role === null ? 'role-missing' : 'role-not-held')
  const named = organisations.find((organisation) => organisation === facilityOf(row)?.organisation)
  const [only] = organisations
  const chosen = organisations.includes('') ? '' : (named ?? (organisations.length === 1 ? only : undefined))
  if (chosen === undefined) return forbidden('role-missing')
  if (!vouches(row, chosen)) return forbidden('issuer-not-for-organisation')
  return ok({ kind: 'privacy-officer', ...personOf(row), organisation: chosen === '' ? null : chosen })
}

function operator({ row }: CallerRows): Result<Caller, PolicyRefusal> {
  if (
    !rolesOf(row).some(([role, at, organisation]) => role === 'operator' && at === '' && organisation === '')
  )
    return forbidden('role-not-held')
  if (row.issuer_organisation !== '') return forbidden('issuer-not-for-organisation')
  return ok({ kind: 'operator', ...personOf(row) })
}

function atFacility({ row, policy, presented }: CallerRows): Result<Caller, PolicyRefusal> {
  const facility = facilityOf(row)
  if (!facility) return forbidden('facility-unknown')
  if (!vouches(row, facility.organisation)) return forbidden('issuer-not-for-organisation')
  const held = rolesOf(row).flatMap(([role, at]) => (at === facility.id ? [role] : []))
  if (presented.role === 'access-manager')
    return held.includes('access-manager')
      ? ok({ kind: 'access-manager', ...personOf(row), facility })
      : forbidden('role-not-held')
  const clinical = held.filter((role) => !isAdministrative(role))
  const role = presented.role ?? (clinical.length === 1 ? clinical[0] : undefined)
  if (role === undefined) return forbidden('role-missing')
  if (!clinical.includes(role)) return forbidden('role-not-held')
  const { purpose } = presented
  if (purpose === null) return forbidden('purpose-not-permitted')
  const domains = openedDomains(policy, role, facility.type, purpose)
  // Treatment is what providers are there for: then it is the role that opens nothing here.
  if (domains.size === 0)
    return forbidden(purpose === 'TREAT' ? 'domain-not-permitted' : 'purpose-not-permitted')
  return ok({
    kind: 'provider',
    ...personOf(row),
    role,
    purpose,
    facility,
    domains,
    clearance: clearanceOf(policy, role, facility.type, purpose),
    contextPerson: row.context_person === null ? null : String(row.context_person),
  })
}

/** An issuer of one organisation vouches for that organisation only. */
const vouches = (row: Row, organisation: string): boolean =>
  row.issuer_organisation === '' || row.issuer_organisation === organisation

/** Role, facility ('' : none) and organisation of what the professional holds, at the facility presented or at none. */
const rolesOf = (row: Row): readonly (readonly [string, string, string])[] =>
  JSON.parse(String(row.roles)) as [string, string, string][]

const personOf = (row: Row) => ({
  professional: String(row.professional),
  name: String(row.professional_name),
})

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
