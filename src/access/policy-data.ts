/**
 * The policy that is data: which role opens which domain, how confidential a document it may read, and the numbers and
 * switches. One statement of three rows: each row sent costs more than what is in it.
 */
import type { Rows, SqlValue, Statement } from '../store/ports.ts'
import { current, type Holds } from './caller-sql.ts'
import type { LiftableKind, Settings } from './subject.ts'

/** A cell of a matrix of role, facility type and purpose; `*` stands for any. */
interface Cell {
  readonly role: string
  readonly facilityType: string
  readonly purpose: string
}

export interface PolicyData {
  readonly settings: Settings
  readonly domains: readonly (Cell & { readonly domain: string })[]
  readonly clearances: readonly (Cell & { readonly own: string; readonly elsewhere: string })[]
}

/** @param of whose cells; role null: of every role */
export const policyStatement = (
  { role, purpose }: { readonly role: string | null; readonly purpose: string | null },
  holds: Holds = current,
  holdsArgs: Readonly<Record<string, SqlValue>> = {},
): Statement => {
  const isWanted = (m: string): string =>
    `(:role is null or ${m}.role in (:role, '*')) and ${m}.purpose in (:purpose, '*') and ${holds(m)}`
  return {
    sql: `select json_group_object(s.name, s.value) as data from policy_setting as s where ${holds('s')}
union all
select json_group_array(json_array(m.role, m.facility_type, m.purpose, m.domain)) from role_domain as m
where ${isWanted('m')}
union all
select json_group_array(json_array(k.role, k.facility_type, k.purpose, k.own, k.elsewhere)) from role_clearance as k
where ${isWanted('k')}`,
    args: { ...holdsArgs, role, purpose },
  }
}

export function readPolicy([settings, domains, clearances]: Rows): PolicyData {
  const cells = (data: unknown): string[][] => JSON.parse(String(data ?? '[]')) as string[][]
  return {
    settings: readSettings(JSON.parse(String(settings?.data ?? '{}')) as Record<string, number>),
    domains: cells(domains?.data).map(([role = '', facilityType = '', purpose = '', domain = '']) => ({
      role,
      facilityType,
      purpose,
      domain,
    })),
    clearances: cells(clearances?.data).map(
      ([role = '', facilityType = '', purpose = '', own = '', elsewhere = '']) => ({
        role,
        facilityType,
        purpose,
        own,
        elsewhere,
      }),
    ),
  }
}

const liftable: readonly LiftableKind[] = ['relationship', 'restriction', 'refusal-before', 'refusal-total']

/** A number that is missing is 0, a switch off: nothing is open by default. */
function readSettings(values: Readonly<Record<string, number>>): Settings {
  const value = (name: string): number => values[name] ?? 0
  return {
    encounterDaysAfter: value('encounter-days-after'),
    encounterOpenDays: value('encounter-open-days'),
    attestationHours: value('attestation-hours'),
    breakGlassHours: value('break-glass-hours'),
    lifted: new Set(liftable.filter((kind) => value(`break-glass:${kind}`) === 1)),
  }
}

/** Whether a cell is of this role, type of facility and purpose. */
const isOf = (cell: Cell, role: string, facilityType: string, purpose: string): boolean =>
  (cell.role === role || cell.role === '*') &&
  (cell.facilityType === facilityType || cell.facilityType === '*') &&
  (cell.purpose === purpose || cell.purpose === '*')

export const openedDomains = (
  { domains }: PolicyData,
  role: string,
  facilityType: string,
  purpose: string,
): ReadonlySet<string> =>
  new Set(domains.filter((cell) => isOf(cell, role, facilityType, purpose)).map(({ domain }) => domain))

/** v3-Confidentiality, least to most confidential. */
export const confidentialities: readonly string[] = ['U', 'L', 'M', 'N', 'R', 'V']

/** Of a role without a cell. */
const usualClearance = 'N'

/** The most that any cell lets this role read. */
export function clearanceOf(
  { clearances }: PolicyData,
  role: string,
  facilityType: string,
  purpose: string,
): { readonly own: string; readonly elsewhere: string } {
  const held = clearances.filter((cell) => isOf(cell, role, facilityType, purpose))
  const most = (column: 'own' | 'elsewhere'): string => {
    const ranks = held.map((cell) => confidentialities.indexOf(cell[column]))
    return confidentialities[Math.max(...ranks)] ?? usualClearance
  }
  return { own: most('own'), elsewhere: most('elsewhere') }
}
