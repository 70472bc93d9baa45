/** The incident register as a file for spreadsheets: one line per incident, its current version. Pure. */
import { withoutFormula } from '../audit/csv-columns.ts'
import { csvRecord } from '../trail/export-format.ts'
import type { StoredIncident } from './incident-sql.ts'

type Told = string | number | boolean | null | undefined

/** In the order of the regulation. */
const columns: readonly (readonly [string, (incident: StoredIncident) => Told])[] = [
  ['id', ({ id }) => id],
  ['organisation', ({ organisation }) => organisation],
  ['status', ({ status }) => status],
  ['version', ({ version }) => version],
  ['opened', ({ at }) => at],
  ['changed', ({ changedAt }) => changedAt],
  ['origin', ({ originKind, origin }) => (originKind === '' ? '' : `${originKind} ${origin}`)],
  ['information', ({ register }) => register.information],
  ['information_unknown', ({ register }) => register.informationUnknown],
  ['circumstances', ({ register }) => register.circumstances],
  ['occurred_from', ({ register }) => register.occurred.from],
  ['occurred_to', ({ register }) => register.occurred.to ?? register.occurred.from],
  ['occurred_approximate', ({ register }) => register.occurred.approximate],
  ['aware_from', ({ register }) => register.aware.from],
  ['aware_to', ({ register }) => register.aware.to ?? register.aware.from],
  ['persons', ({ register }) => register.persons.count],
  ['persons_approximate', ({ register }) => register.persons.approximate],
  ['serious_injury', ({ register }) => register.risk?.serious],
  ['risk_elements', ({ register }) => register.risk?.elements],
  ['notice_minister', ({ register }) => register.notices.minister],
  ['notice_commission', ({ register }) => register.notices.commission],
  ['notice_persons', ({ register }) => register.notices.persons],
  ['public_notice', ({ register }) => register.notices.public?.given],
  ['public_notice_reason', ({ register }) => register.notices.public?.reason],
  ['measures', ({ register }) => register.measures],
]

export const incidentCsvHeader = (): string => csvRecord(columns.map(([name]) => name))

export const incidentCsvLine = (incident: StoredIncident): string =>
  csvRecord(columns.map(([, tell]) => withoutFormula(String(tell(incident) ?? ''))))
