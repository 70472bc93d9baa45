/**
 * Search parameters of `AuditEvent` (IHE RESTful ATNA, ITI-81; `entity.identifier` of CH:ATC): the one table that the grammar
 * reads and the capability statement tells. What is searched is the audit log, nothing that facilities publish.
 */
export interface AuditEventParameter {
  readonly name: string
  /** FHIR R4 search parameter type. */
  readonly type: 'reference' | 'token' | 'date' | 'string'
  /** Whether patients and guardians may use it: the rest would tell of what is not told to them. */
  readonly forPatients: boolean
}

const table: Readonly<Record<AuditEventParameter['type'], string>> = {
  date: 'date',
  reference: 'patient agent entity source',
  token: `_id patient.identifier entity.identifier agent.identifier agent-role action outcome type subtype entity-type
    entity-role site altid`,
  string: 'agent-name address',
}

const patients: ReadonlySet<string> = new Set(['date', 'action', 'outcome', 'agent'])

export const auditEventParameters: readonly AuditEventParameter[] = Object.entries(table).flatMap(
  ([type, names]) =>
    names.split(/\s+/).map((name) => ({
      name,
      type: type as AuditEventParameter['type'],
      forPatients: patients.has(name),
    })),
)
