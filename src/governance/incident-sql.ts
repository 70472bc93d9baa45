/** The incident register as rows: the statements that read and write it, and what is told of a row. */
import type { Row, Statement } from '../store/ports.ts'
import type { Register } from './incident-terms.ts'

/** Columns of an incident `i` with its current version `v`. */
const columns = `i.id, i.organisation, i.origin_kind, i.origin, i.source_record, i.at, i.opened_by, v.version, v.status, v.body,
      v.at as changed_at, v.done_by, s.person`

export const incidentStatement = (id: string): Statement => ({
  sql: `
    select ${columns} from incident as i
    cross join incident_version as v on v.incident = i.id and v.valid_to is null
    left join source_record as s on s.id = i.source_record
    where i.id = :incident`,
  args: { incident: id },
})

export const versionsStatement = (id: string): Statement => ({
  sql: 'select version, status, body, at, done_by from incident_version where incident = :incident order by version',
  args: { incident: id },
})

export interface WantedIncidents {
  /** Null: of the whole record. */
  readonly organisation: string | null
  readonly status: 'open' | 'closed' | 'all'
  /** Days on which it became known, both included; null: without an end. */
  readonly from: string | null
  readonly to: string | null
  readonly at: string
  readonly id: string
  readonly count: number
}

/** One page, newest first. */
export function incidentsStatement({ organisation, ...wanted }: WantedIncidents): Statement {
  const [index, isOf, args] =
    organisation === null
      ? ['incident_at', 'true', {}]
      : ['incident_organisation', 'i.organisation = :organisation', { organisation }]
  return {
    sql: `
      select ${columns} from incident as i indexed by ${index}
      cross join incident_version as v on v.incident = i.id and v.valid_to is null
      left join source_record as s on s.id = i.source_record
      where ${isOf} and (i.at, i.id) < (:at, :id) and :status in ('all', v.status)
        and (:from is null or v.aware >= :from) and (:to is null or v.aware <= :to)
      order by i.at desc, i.id desc limit :count`,
    args: { ...wanted, ...args },
  }
}

export interface StoredIncident {
  readonly id: string
  /** '' : the whole record's. */
  readonly organisation: string
  readonly originKind: '' | 'question' | 'review' | 'finding'
  readonly origin: string
  readonly sourceRecord: string
  /** Whom what it was made from is about; null: nobody. */
  readonly person: string | null
  readonly at: string
  readonly openedBy: string
  readonly version: number
  readonly status: 'open' | 'closed'
  readonly changedAt: string
  readonly register: Register
}

export const storedIncident = (row: Row): StoredIncident => ({
  id: String(row.id),
  organisation: String(row.organisation),
  originKind: row.origin_kind as StoredIncident['originKind'],
  origin: String(row.origin),
  sourceRecord: String(row.source_record),
  person: typeof row.person === 'string' ? row.person : null,
  at: String(row.at),
  openedBy: String(row.opened_by),
  version: Number(row.version),
  status: row.status as StoredIncident['status'],
  changedAt: String(row.changed_at),
  register: JSON.parse(String(row.body)) as Register,
})

export const tellIncident = (incident: StoredIncident) => ({
  id: incident.id,
  organisation: incident.organisation === '' ? null : incident.organisation,
  from: incident.originKind === '' ? null : { [incident.originKind]: incident.origin },
  at: incident.at,
  by: incident.openedBy,
  version: incident.version,
  status: incident.status,
  changedAt: incident.changedAt,
  ...incident.register,
})

export const addIncident = (incident: {
  readonly id: string
  readonly organisation: string
  readonly originKind: StoredIncident['originKind']
  readonly origin: string
  readonly sourceRecord: string
  readonly at: string
  readonly by: string
}): Statement => ({
  sql: `
    insert into incident (id, organisation, origin_kind, origin, source_record, at, opened_by, valid_from)
    select :id, :organisation, :originKind, :origin, :sourceRecord, :at, :by, n from clock`,
  args: incident,
})

/** The next version; another of the same number makes the batch fail: each follows what they have read. */
export const addVersion = (version: {
  readonly incident: string
  readonly version: number
  readonly status: 'open' | 'closed'
  readonly register: Register
  readonly at: string
  readonly by: string
}): readonly Statement[] => {
  const { register, ...rest } = version
  return [
    {
      sql: `
        update incident_version set valid_to = (select n from clock)
        where incident = :incident and version < :version and valid_to is null`,
      args: { incident: version.incident, version: version.version },
    },
    {
      sql: `
        insert into incident_version (incident, version, status, body, at, done_by, valid_from)
        select :incident, :version, :status, :body, :at, :by, n from clock`,
      args: { ...rest, body: JSON.stringify(register) },
    },
  ]
}
