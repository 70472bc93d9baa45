/**
 * The sections of the yearly report: what is counted, out of the log or out of *records*. A further one is a further member of
 * one of the two lists.
 */
import { emergencyPurposes } from '../access/policy.ts'
import type { Row, Statement } from '../store/ports.ts'
import type { Period } from './counted-parts.ts'
import type { AccessGroup } from './report-groups.ts'

/** What a line is about; members that a section does not tell apart are null. No patient is ever in it. */
export interface ReportKey {
  readonly organisation: string | null
  readonly action: string | null
  readonly purpose: string | null
  readonly outcome: string | null
  readonly reason: string | null
  /** Of exports, e.g. `format=csv from=…`. */
  readonly filters: string | null
}

export interface LogSection {
  readonly name: string
  /** Null: not counted here. An access may be in several sections. */
  readonly keyOf: (group: AccessGroup) => ReportKey | null
}

export interface RecordsSection {
  readonly name: string
  /** One row for each line; `count` among its columns. @param organisation null: of all */
  readonly statement: (period: Period, organisation: string | null) => Statement
  readonly keyOf: (row: Row) => ReportKey
}

const about = (organisation: string | null, more: Partial<ReportKey> = {}): ReportKey => ({
  organisation,
  action: null,
  purpose: null,
  outcome: null,
  reason: null,
  filters: null,
  ...more,
})

const carePurposes: readonly string[] = ['TREAT', ...emergencyPurposes]
const careActions: readonly string[] = ['read', 'vread', 'history', 'search', 'break-glass']

/** Somebody looked at a record to care for its patient (R-22.1, s. 103 leaves these out). */
export const isCare = ({ action, purpose }: Pick<AccessGroup, 'action' | 'purpose'>): boolean =>
  purpose !== null && carePurposes.includes(purpose) && careActions.includes(action)

const isPermit = ({ outcome }: AccessGroup): boolean => outcome === 'permit'

export const logSections: readonly LogSection[] = [
  /** Totals only. */
  { name: 'care', keyOf: (group) => (isPermit(group) && isCare(group) ? about(group.organisation) : null) },
  {
    name: 'other',
    keyOf: (group) => {
      const { organisation, action, purpose, reason } = group
      return isPermit(group) && !isCare(group) ? about(organisation, { action, purpose, reason }) : null
    },
  },
  {
    name: 'refused',
    keyOf: (group) => {
      const { organisation, action, outcome, reason } = group
      return isPermit(group) ? null : about(organisation, { action, outcome, reason })
    },
  },
  /** Declared (`break-glass`), and used for reading. */
  {
    name: 'emergencies',
    keyOf: (group) =>
      isPermit(group) && group.isEmergency ? about(group.organisation, { action: group.action }) : null,
  },
  {
    name: 'redactions',
    keyOf: (group) =>
      isPermit(group) && group.action === 'redaction' && !group.isPruning ? about(group.organisation) : null,
  },
  {
    name: 'prunings',
    keyOf: (group) => (isPermit(group) && group.isPruning ? about(group.organisation) : null),
  },
  {
    name: 'exports',
    keyOf: (group) =>
      isPermit(group) && group.action === 'export'
        ? about(group.organisation, { filters: withoutPatient(group.note ?? {}) })
        : null,
  },
]

export const recordsSections: readonly RecordsSection[] = [
  /** Emergencies and attested relationships of the period, by what came of their review; `open`: not decided yet. */
  {
    name: 'reviews',
    statement: ({ from, to }, organisation) => ({
      sql: `select i.organisation as organisation, i.kind as kind, coalesce(d.decision, 'open') as decision,
                   count(*) as count
              from review_item as i indexed by review_item_at left join review_decision as d on d.item = i.id
             where i.at >= :from and i.at < :to and (:organisation is null or i.organisation = :organisation)
             group by 1, 2, 3`,
      args: { from, to, organisation },
    }),
    keyOf: ({ organisation, kind, decision }) =>
      about(String(organisation), { action: String(kind), outcome: String(decision) }),
  },
  /** Questions about accesses and requests for correction asked in the period: state, and what was decided. */
  {
    name: 'questions',
    statement: ({ from, to }, organisation) => ({
      sql: `select e.organisation as organisation, q.kind as kind, e.state as state, e.outcome as outcome,
                   count(*) as count
              from question as q indexed by question_at
              cross join question_event as e indexed by question_event_current
             where q.at >= :from and q.at < :to and e.question = q.id and e.valid_to is null
               and (:organisation is null or e.organisation = :organisation)
             group by 1, 2, 3, 4`,
      args: { from, to, organisation },
    }),
    keyOf: ({ organisation, kind, state, outcome }) =>
      about(told(organisation), { action: String(kind), outcome: String(state), reason: told(outcome) }),
  },
  /** Incidents entered in the register in the period, by where they come from and whether they are closed. */
  {
    name: 'incidents',
    statement: ({ from, to }, organisation) => ({
      sql: `select i.organisation as organisation, i.origin_kind as origin, v.status as status, count(*) as count
              from incident as i indexed by incident_at
              cross join incident_version as v indexed by incident_version_current
             where i.at >= :from and i.at < :to and v.incident = i.id and v.valid_to is null
               and (:organisation is null or i.organisation = :organisation)
             group by 1, 2, 3`,
      args: { from, to, organisation },
    }),
    keyOf: ({ organisation, origin, status }) =>
      about(told(organisation), { outcome: String(status), reason: told(origin) }),
  },
  /**
   * Findings of the monthly review decided in the period, the last decision of each. Whose professional it was is not
   * stored with them: in the report of the whole record only.
   */
  {
    name: 'findings',
    statement: ({ from, to }, organisation) => ({
      sql: `select rule, decision, count(*) as count
              from (select rule, decision, max(row) from finding_decision
                     where decided_at >= :from and decided_at < :to and :organisation is null group by finding)
             group by 1, 2`,
      args: { from, to, organisation },
    }),
    keyOf: ({ rule, decision }) => about(null, { action: String(rule), outcome: String(decision) }),
  },
]

/** Where a row has the empty string for what there is none of. */
const told = (value: Row[string] | undefined): string | null => (value === '' ? null : String(value))

/** Filters of an export beside the patient, each as its entry has it. */
const otherFilters = [
  'format',
  'from',
  'to',
  'log',
  'organisation',
  'facility',
  'practitioner',
  'action',
  'outcome',
  'reason',
  'break-glass',
]

/** Of a patient it is told that there was one, not who. */
function withoutPatient(note: Readonly<Record<string, string>>): string {
  const told = otherFilters.flatMap((name) => (note[name] === undefined ? [] : `${name}=${note[name]}`))
  return [...told, ...(note.patient === undefined ? [] : ['patient'])].join(' ')
}
