/**
 * Random registries, patients and documents for the agreement of filter, policy and oracle: small enough that names meet,
 * large enough that every answer comes up. A description is plain data, so that a counterexample can be read and shrunk.
 */
import fc from 'fast-check'
import type { LiftableKind } from '../../../src/access/subject.ts'
import type { SqlValue } from '../../../src/store/ports.ts'
import {
  addClient,
  addDocument,
  addDocumentVersion,
  addFacility,
  addIssuer,
  addProfessional,
  breakGlass,
  endCurrent,
  forbid,
  moment,
  open,
  openRegistry,
  presented,
  type Registry,
  relate,
  set,
  uriOf,
} from './registry.ts'

export const facilities = ['hospital', 'clinic'] as const
export const roles = ['physician', 'nurse', 'privacy-officer'] as const
const me = 'professional-tremblay'

export const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

/** Without repetition, and mostly with a member by which somebody is somebody. */
const listWith = <T>(usual: readonly T[], other: fc.Arbitrary<T>) =>
  fc
    .tuple(fc.constantFrom<T[]>(...usual.map((member) => [member]), []), fc.array(other, { maxLength: 4 }))
    .map(([head, tail]) => [
      ...new Map([...head, ...tail].map((member) => [String(member), member])).values(),
    ])

type Cell = readonly [role: string, facilityType: string, purpose: string, domain: string]
type Clearance = readonly [role: string, facilityType: string, purpose: string]

export const worlds = fc.record({
  types: fc.record({ hospital: mostly('hospital', 'clinic'), clinic: fc.constant('clinic') }),
  facilities: mostly<readonly string[]>(facilities, ['hospital'], []),
  clientFacility: fc.constantFrom<string | null>(null, null, null, null, null, ...facilities, 'closed'),
  issuerOrganisation: mostly('', 'organisation of hospital', 'organisation of clinic'),
  held: listWith<readonly [string, string]>(
    [
      ['physician', 'hospital'],
      ['physician', 'hospital'],
      ['physician', 'hospital'],
      ['privacy-officer', ''],
    ],
    fc.tuple(fc.constantFrom(...roles), fc.constantFrom(...facilities, '')),
  ),
  matrix: listWith<Cell>(
    [
      ['physician', 'hospital', '*', 'laboratory'],
      ['physician', '*', '*', 'imaging'],
    ],
    fc.tuple(
      fc.constantFrom('physician', 'nurse', '*'),
      fc.constantFrom('hospital', 'clinic', '*'),
      fc.constantFrom('TREAT', 'ETREAT', '*'),
      fc.constantFrom('laboratory', 'imaging', 'other'),
    ),
  ),
  clearances: fc.uniqueArray(
    fc.record({
      cell: fc.tuple(
        fc.constantFrom('physician', 'nurse', '*'),
        fc.constantFrom('hospital', 'clinic', '*'),
        fc.constantFrom('TREAT', 'ETREAT', '*'),
      ) as fc.Arbitrary<Clearance>,
      own: fc.constantFrom('U', 'N', 'R', 'V'),
      elsewhere: fc.constantFrom('U', 'M', 'N', 'R'),
    }),
    { maxLength: 3, selector: ({ cell }) => cell.join() },
  ),
  lifted: fc.subarray<LiftableKind>(['relationship', 'restriction', 'refusal-before', 'refusal-total']),
  ended: mostly<string | null>(
    null,
    'issuer',
    'client',
    'professional',
    'professional_role',
    'role_domain',
    'role_clearance',
    'policy_setting',
    'relationship',
    'consent_rule',
    'break_glass',
  ),
  revoked: mostly<'token' | 'key' | null>(null, 'token', 'key'),
})

export const callers = fc.record({
  subject: fc.constantFrom('tremblay', 'tremblay', 'tremblay', 'tremblay', 'app', 'app', 'nobody'),
  clientId: mostly('app', 'other'),
  issuerRow: mostly(1, 2),
  role: fc.constantFrom<string | null>(
    'physician',
    'physician',
    'physician',
    'nurse',
    'privacy-officer',
    null,
    null,
  ),
  facilityUri: mostly<string | null>(uriOf('hospital'), uriOf('clinic'), uriOf('other'), null),
  purpose: fc.constantFrom<string | null>('TREAT', 'TREAT', 'TREAT', 'BTG', 'BTG', 'ETREAT', 'HMARKT', null),
  patient: fc.constantFrom<string | null>(null, 'p-1', 'p-2', 'q-1', 'nobody'),
})

/** Source records by person; the last is of a person whom nobody knows anything about. */
export const sourceRecords = { 'p-1': 'p', 'p-2': 'p', 'q-1': 'q', 'r-1': 'r' } as const
const sources = Object.keys(sourceRecords) as (keyof typeof sourceRecords)[]
const aSource = fc.constantFrom(...sources, 'p-1' as const, 'p-2' as const)
const aFacility = mostly<string>('hospital', 'clinic', 'closed')
const aProfessional = fc.constantFrom(me, 'other')

/** From and to, in milliseconds from now: what has just ended or is about to begin, too. */
const period = mostly<readonly [number, number]>([-1, 1], [0, 1], [1, 2], [-1, 0], [-2, -1])
const isEnded = mostly(false, true)

const relation = fc.record({
  source: aSource,
  facility: aFacility,
  professional: fc.constantFrom('', '', me, 'other'),
  kind: fc.constantFrom('encounter', 'episode', 'care-team', 'enrolment', 'attestation'),
  period,
  isEnded,
})
const emergency = fc.record({
  source: aSource,
  facility: aFacility,
  professional: aProfessional,
  period,
  isEnded,
})
const rule = fc.record({
  source: aSource,
  kind: fc.constantFrom(
    'refusal-total',
    'refusal-before',
    'refusal-before',
    'restriction',
    'restriction',
    'restriction',
  ),
  before: fc.constantFrom('2024', '2025-01-01T00:00:00.000Z', '2026'),
  actor: fc.constantFrom<readonly [string, string]>(
    ['any', ''],
    ['professional', me],
    ['professional', 'other'],
    ['role', 'physician'],
    ['role', 'nurse'],
    ['facility', 'hospital'],
    ['facility', 'clinic'],
    ['organisation', 'organisation of hospital'],
    ['organisation', 'organisation of clinic'],
  ),
  what: fc.constantFrom<readonly [string, string]>(
    ['any', ''],
    ['domain', 'laboratory'],
    ['domain', 'imaging'],
    ['type', 'Observation'],
    ['type', 'Patient'],
    ['document', 'Observation/d0'],
    ['document', 'Observation/d1'],
  ),
  isEnded,
})

export const patients = fc.record({
  relations: fc.array(relation, { minLength: 1, maxLength: 5 }),
  emergencies: fc.array(emergency, { maxLength: 3 }),
  rules: fc.array(rule, { maxLength: 3 }),
})

const date = fc.constantFrom(
  '2023-06-01T00:00:00.000Z',
  '2025-01-01T00:00:00.000Z',
  '2025-06-01T00:00:00.000Z',
)
export const documents = fc.array(
  fc.record({
    type: fc.constantFrom('Observation', 'Observation', 'Observation', 'Patient', 'AuditEvent', 'Consent'),
    facility: fc.constantFrom(...facilities, 'closed'),
    domain: fc.constantFrom('laboratory', 'laboratory', 'imaging', 'other', 'identity', 'directory'),
    source: fc.constantFrom<keyof typeof sourceRecords | ''>('p-1', 'p-2', 'q-1', 'r-1', ''),
    label: mostly('', 'N', 'U', 'L', 'M', 'R', 'V', 'X', 'NR', 'n'),
    dateLo: fc.oneof(date, fc.constant('')),
    published: date,
    /** Of earlier versions, the first first. */
    earlier: fc.oneof(fc.constant([]), fc.array(date, { minLength: 1, maxLength: 2 })),
    category: fc.constantFrom('cat|laboratory', 'cat|imaging', '|laboratory', ''),
    code: fc.constantFrom('loinc|a', 'loinc|b', ''),
    status: fc.constantFrom('final', 'amended'),
    moreCategories: fc.uniqueArray(fc.constantFrom('cat|laboratory', 'other|imaging'), { maxLength: 2 }),
  }),
  { minLength: 4, maxLength: 12 },
)

export const scopes = fc.oneof(
  { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.constantFrom(
        'user/Observation.s',
        'patient/Observation.s',
        'patient/*.cruds',
        'user/*.cruds',
        'system/*.cruds',
        'user/Observation.s?category=cat|laboratory',
        'user/Observation.s?category=imaging&status=final',
        'user/Observation.s?code=loinc|a,b',
        'patient/Observation.s?category=|laboratory',
        'system/Observation.s?code=b',
        'user/Patient.r',
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
)

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never
export type World = Of<typeof worlds>
export type Patients = Of<typeof patients>
export type Documents = Of<typeof documents>

/** Where one physician reads what is of the laboratory, and nothing but a patient's wishes stands against it. */
export const openWorld: World = {
  types: { hospital: 'hospital', clinic: 'clinic' },
  facilities,
  clientFacility: null,
  issuerOrganisation: '',
  held: [['physician', 'hospital']],
  matrix: [['physician', 'hospital', '*', 'laboratory']],
  clearances: [],
  lifted: [],
  ended: null,
  revoked: null,
}

export const caredFor: Patients = {
  relations: sources.map((source) => ({
    source,
    facility: 'hospital',
    professional: '',
    kind: 'encounter',
    period: [-1, 1],
    isEnded: false,
  })),
  emergencies: [],
  rules: [],
}

/** One of each of two persons, before a date. */
export const refusals = fc.tuple(
  ...(['p-1', 'q-1'] as const).map((source) =>
    rule.map((drawn) => ({ ...drawn, source, kind: 'refusal-before' as const, isEnded: false })),
  ),
)

const registry = openRegistry()

/** Runs with the registry that the descriptions are of, and empties it: what is never committed is migrated once. */
export function inWorld<T>(w: World, about: Patients, run: (registry: Registry) => T): T {
  registry.db.exec('begin')
  try {
    fill(w, about)
    return run(registry)
  } finally {
    registry.db.exec('rollback')
  }
}

function fill(w: World, { relations, emergencies, rules }: Patients): void {
  addIssuer(registry, [], ['ES256'], { organisation: w.issuerOrganisation })
  for (const facility of w.facilities)
    addFacility(registry, facility, w.types[facility as keyof typeof w.types])
  addClient(registry, 'app', w.clientFacility)
  addProfessional(registry, 'tremblay', w.held)
  // Registered under the name of a client: the client's own token must not speak for them.
  addProfessional(registry, 'app', w.held)
  for (const cell of w.matrix) open(registry, ...cell)
  for (const { cell, own, elsewhere } of w.clearances) {
    const [role, facility_type, purpose] = cell
    registry.insert('role_clearance', { role, facility_type, purpose, own, elsewhere, valid_from: 1 })
  }
  for (const kind of ['relationship', 'restriction', 'refusal-before', 'refusal-total'] as const)
    set(registry, `break-glass:${kind}`, w.lifted.includes(kind) ? 1 : 0)
  for (const [id, person] of Object.entries(sourceRecords))
    registry.insert('source_record', { id, facility: 'hospital', person, clock: 1 })
  const columns = ({ source, isEnded: ended }: { source: string; isEnded: boolean }) => ({
    source_record: source,
    valid_to: ended ? 2 : null,
  })
  const window = ([from, to]: readonly [number, number]) => ({ starts: moment + from, ends: moment + to })
  for (const r of relations) {
    const { kind, facility, professional } = r
    relate(registry, { ...columns(r), ...window(r.period), kind, facility, professional })
  }
  for (const e of emergencies) {
    const { facility, professional } = e
    breakGlass(registry, { ...columns(e), ...window(e.period), facility, professional })
  }
  for (const r of rules) {
    const [actor_kind, actor] = r.actor
    const [what_kind, what] = r.what
    const rest = r.kind === 'restriction' ? { actor_kind, actor, what_kind, what } : {}
    const before_date = r.kind === 'refusal-before' ? r.before : ''
    forbid(registry, { ...columns(r), kind: r.kind, before_date, ...rest })
  }
  if (w.revoked === 'token')
    registry.insert('revoked_token', { issuer: presented().issuer, jti: 'token-1', valid_from: 1 })
  if (w.revoked === 'key')
    registry.insert('revoked_key', {
      issuer: presented().issuer,
      thumbprint: presented().signedBy,
      valid_from: 1,
    })
  if (w.ended) endCurrent(registry, w.ended)
}

/** Adds them as `d0`, `d1` and so on. */
export function addDocuments(registry: Registry, rows: Documents): void {
  for (const [index, row] of rows.entries()) {
    const { type, facility, domain, category, code, status } = row
    const more: Record<string, SqlValue> = {
      person: row.source === '' ? '' : sourceRecords[row.source],
      source_record: row.source,
      confidentiality: row.label,
      date_lo: row.dateLo,
      published: row.published,
      version: row.earlier.length + 1,
      category,
      code,
      status,
    }
    addDocument(registry, { type, id: `d${index}`, facility, domain }, more)
    for (const [before, published] of row.earlier.entries())
      addDocumentVersion(registry, { type, id: `d${index}`, facility, domain }, before + 1, published)
    for (const value of row.moreCategories)
      registry.insert('lookup', { type, param: 'category', value, id: `d${index}` })
  }
}
