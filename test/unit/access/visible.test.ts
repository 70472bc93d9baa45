import { beforeEach, describe, expect, it } from 'vitest'
import type { Presented } from '../../../src/access/caller.ts'
import { factStatements } from '../../../src/access/facts.ts'
import { patientArgs, patientStatement } from '../../../src/access/patient-facts.ts'
import { grantsFor, parseScopes, scopeFilter } from '../../../src/access/scope.ts'
import type { SubjectOf } from '../../../src/access/subject.ts'
import { subjectStatement } from '../../../src/access/subject-sql.ts'
import {
  type Viewer,
  visible,
  visibleArgs,
  visibleLocal,
  visibleLocalArgs,
} from '../../../src/access/visible.ts'
import type { Rows, SqlValue } from '../../../src/store/ports.ts'
import { standingIn } from './asking.ts'
import {
  addClient,
  addDocument,
  addFacility,
  addIssuer,
  addProfessional,
  addSourceRecord,
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

const patient = '(select person from source_record where id = :patient)'
const pageOf = (where: string): string => `select d.id from document as d
  where d.person = ${patient} and d.type = :type and d.date_lo >= :from and ${where}
  order by d.date_lo desc, d.id limit 20`

let registry: Registry

beforeEach(() => {
  registry = openRegistry()
  addIssuer(registry, [])
  addFacility(registry, 'hospital')
  addFacility(registry, 'pharmacy', 'pharmacy')
  addClient(registry, 'console')
  addClient(registry, 'system-pharmacy', 'pharmacy')
  addProfessional(registry, 'tremblay', [['physician', 'hospital']])
  addProfessional(registry, 'bouchard', [['privacy-officer', '']])
  addSourceRecord(registry, 's', {})
  relate(registry)
  open(registry, 'physician', '*', 'TREAT', 'laboratory')
  addDocument(registry, { type: 'Observation', id: 'lab', facility: 'pharmacy', domain: 'laboratory' })
  addDocument(registry, {
    type: 'MedicationDispense',
    id: 'dispense',
    facility: 'pharmacy',
    domain: 'medication',
  })
  addDocument(registry, { type: 'Patient', id: 'patient', facility: 'pharmacy', domain: 'identity' })
  addDocument(registry, { type: 'AuditEvent', id: 'event', facility: 'pharmacy', domain: 'laboratory' })
  addDocument(registry, { type: 'Consent', id: 'consent', facility: 'hospital', domain: 'laboratory' })
})

/** As an isolate that asked the registry a moment ago. */
const viewerOf = (caller: Presented): Viewer => ({
  presented: caller,
  sight: standingIn(registry, caller).sight,
  now: moment,
})

const idsSeenBy = (caller: Presented): unknown[] => {
  const viewer = viewerOf(caller)
  const sql = `select d.id from document as d where ${visible('d', viewer)} order by d.id`
  return registry.run({ sql, args: visibleArgs(viewer) }).map((row) => row.id)
}

describe('the row filter', () => {
  it('lets a provider see the domains of the matrix, identities, and their own facility’s consents only', () => {
    expect(idsSeenBy(presented())).toEqual(['consent', 'lab', 'patient'])
  })

  it('lets a facility system see its own facility’s documents, of every domain', () => {
    const system = presented({
      subject: 'system-pharmacy',
      clientId: 'system-pharmacy',
      role: null,
      facilityUri: null,
    })
    expect(idsSeenBy(system)).toEqual(['dispense', 'event', 'lab', 'patient'])
    expect(idsSeenBy({ ...system, facilityUri: uriOf('hospital') })).toEqual([
      'dispense',
      'event',
      'lab',
      'patient',
    ])
    expect(idsSeenBy({ ...system, subject: 'tremblay' })).toEqual([])
  })

  it('lets a privacy officer see no document', () => {
    expect(idsSeenBy(presented({ subject: 'bouchard', role: 'privacy-officer', facilityUri: null }))).toEqual(
      [],
    )
    expect(idsSeenBy(presented({ subject: 'bouchard', role: 'privacy-officer' }))).toEqual([])
  })

  it.each<[string, Partial<Presented>]>([
    ['another issuer', { issuer: 'https://other.example' }],
    ['an unknown client', { clientId: 'other' }],
    ['an unknown professional', { subject: 'nobody' }],
    ['an unknown facility', { facilityUri: uriOf('other') }],
    ['no facility', { facilityUri: null }],
    ['a role not held', { role: 'nurse' }],
    ['a role of another code system', { role: 'urn:x|physician' }],
    ['a purpose without a row', { purpose: 'HMARKT' }],
    ['no purpose', { purpose: null }],
  ])('shows nothing to %s', (_, changes) => {
    expect(idsSeenBy(presented(changes))).toEqual([])
  })

  it('shows nothing without a purpose even where the matrix opens a domain for any purpose', () => {
    open(registry, 'physician', 'hospital', '*', 'medication')
    expect(idsSeenBy(presented({ purpose: 'HRESCH' }))).toEqual(['dispense', 'patient'])
    expect(idsSeenBy(presented({ purpose: null }))).toEqual([])
  })

  it.each(['issuer', 'client', 'professional', 'professional_role', 'facility', 'role_domain'])(
    'shows nothing once the row of table %s has ended',
    (table) => {
      endCurrent(registry, table)
      expect(idsSeenBy(presented())).toEqual([])
    },
  )

  it('takes the only role held at the facility when the token presents none, and none of two', () => {
    expect(idsSeenBy(presented({ role: null }))).toEqual(['consent', 'lab', 'patient'])
    registry.insert('professional_role', {
      professional: 'professional-tremblay',
      role: 'nurse',
      facility: 'hospital',
      valid_from: 1,
    })
    expect(idsSeenBy(presented({ role: null }))).toEqual([])
    expect(idsSeenBy(presented())).toEqual(['consent', 'lab', 'patient'])
  })
})

describe('what a patient wishes', () => {
  const inEmergency = presented({ purpose: 'BTG' })

  beforeEach(() => {
    open(registry, 'physician', '*', 'BTG', 'laboratory')
  })

  it.each([
    ['has not begun', { starts: moment + 1 }],
    ['ends now', { ends: moment }],
    ['is held elsewhere', { facility: 'pharmacy' }],
    ['is another professional’s', { professional: 'other' }],
    ['was taken back', { valid_to: 2 }],
    ['is with somebody else', { source_record: 'other' }],
  ])('hides everything from who has no relationship, or one that %s', (_, columns) => {
    endCurrent(registry, 'relationship')
    relate(registry, columns)
    expect(idsSeenBy(presented())).toEqual([])
    relate(registry, { professional: 'professional-tremblay' })
    expect(idsSeenBy(presented())).toEqual(['consent', 'lab', 'patient'])
  })

  it('lets documents about nobody be seen by everybody', () => {
    endCurrent(registry, 'relationship')
    const location = { type: 'Location', id: 'location', facility: 'pharmacy', domain: 'directory' }
    addDocument(registry, location, { person: '', source_record: '', date_lo: '' })
    expect(idsSeenBy(presented())).toEqual(['location'])
  })

  it('holds for documents by any of the person’s source records', () => {
    addSourceRecord(registry, 't', {})
    forbid(registry, { source_record: 't' })
    expect(idsSeenBy(presented())).toEqual([])
    endCurrent(registry, 'consent_rule')
    expect(idsSeenBy(presented())).toEqual(['consent', 'lab', 'patient'])
  })

  it.each<[string, Record<string, SqlValue>, readonly string[]]>([
    ['everything before a date', { kind: 'refusal-before', before_date: '2026-01-02' }, ['patient']],
    [
      'everything before an earlier date',
      { kind: 'refusal-before', before_date: '2025' },
      ['consent', 'lab', 'patient'],
    ],
    ['a restriction', { kind: 'restriction' }, []],
    ['one of a domain', { kind: 'restriction', what_kind: 'domain', what: 'laboratory' }, ['patient']],
    ['one of a type', { kind: 'restriction', what_kind: 'type', what: 'Patient' }, ['consent', 'lab']],
    [
      'one of a document',
      { kind: 'restriction', what_kind: 'document', what: 'Observation/lab' },
      ['consent', 'patient'],
    ],
    [
      'one of the professional',
      { kind: 'restriction', actor_kind: 'professional', actor: 'professional-tremblay' },
      [],
    ],
    ['one of the role', { kind: 'restriction', actor_kind: 'role', actor: 'physician' }, []],
    ['one of the facility', { kind: 'restriction', actor_kind: 'facility', actor: 'hospital' }, []],
    [
      'one of the organisation',
      { kind: 'restriction', actor_kind: 'organisation', actor: 'organisation of hospital' },
      [],
    ],
    [
      'one of another facility',
      { kind: 'restriction', actor_kind: 'facility', actor: 'pharmacy' },
      ['consent', 'lab', 'patient'],
    ],
  ])('leaves of %s', (_, columns, expected) => {
    forbid(registry, columns)
    expect(idsSeenBy(presented())).toEqual(expected)
    expect(idsSeenBy(presented({ role: null }))).toEqual(expected)
  })

  it('is lifted by the caller’s own emergency, by purpose, where the setting says so', () => {
    forbid(registry, { kind: 'restriction' })
    breakGlass(registry, { professional: 'other' })
    expect(idsSeenBy(inEmergency)).toEqual([])
    breakGlass(registry)
    expect(idsSeenBy(presented())).toEqual([])
    expect(idsSeenBy(inEmergency)).toEqual(['consent', 'lab', 'patient'])
    endCurrent(registry, 'relationship')
    expect(idsSeenBy(inEmergency)).toEqual(['consent', 'lab', 'patient'])
    set(registry, 'break-glass:relationship', 0)
    expect(idsSeenBy(inEmergency)).toEqual([])
    relate(registry)
    set(registry, 'break-glass:restriction', 0)
    expect(idsSeenBy(inEmergency)).toEqual([])
    set(registry, 'break-glass:restriction', 1)
    forbid(registry)
    expect(idsSeenBy(inEmergency)).toEqual([])
    set(registry, 'break-glass:refusal-total', 1)
    expect(idsSeenBy(inEmergency)).toEqual(['consent', 'lab', 'patient'])
    registry.db.exec(`update break_glass set ends = ${moment}`)
    expect(idsSeenBy(inEmergency)).toEqual([])
  })
})

describe('confidentiality labels', () => {
  it('hide what the role may not read, at its own facility and elsewhere', () => {
    registry.db.exec(`delete from document`)
    for (const label of ['U', 'N', '', 'R', 'V', 'X', 'NR', 'n'])
      for (const facility of ['hospital', 'pharmacy'])
        addDocument(
          registry,
          { type: 'Observation', id: `${facility}:${label}`, facility, domain: 'laboratory' },
          { confidentiality: label },
        )
    const seen = () => idsSeenBy(presented()).map((id) => String(id).replace(/^(.).*:/, '$1'))
    expect(seen()).toEqual(['h', 'hN', 'hU', 'p', 'pN', 'pU'])
    registry.insert('role_clearance', {
      role: 'physician',
      facility_type: '*',
      purpose: 'TREAT',
      own: 'V',
      elsewhere: 'M',
      valid_from: 1,
    })
    expect(seen()).toEqual(['h', 'hN', 'hR', 'hU', 'hV', 'pU'])
  })
})

describe('the filter of the local database', () => {
  it('lets only the caller’s facility through, and nothing without one', () => {
    const seen = (facility: string | null): Rows =>
      registry.run({
        sql: `select d.id from document as d where ${visibleLocal('d')}`,
        args: visibleLocalArgs(facility),
      })
    expect(seen('hospital')).toEqual([{ id: 'consent' }])
    expect(seen(null)).toEqual([])
  })
})

describe('query plans', () => {
  const planOf = (sql: string, args: Readonly<Record<string, SqlValue>> = {}) =>
    registry
      .run({ sql: `explain query plan ${sql}`, args })
      .map(({ parent, detail }) => ({ parent, step: String(detail) }))

  /** Not counted: what is no table, and the policy, a few dozen rows that do not grow with use. */
  const isScan = (step: string): boolean =>
    step.startsWith('SCAN ') &&
    !/^SCAN (\(subquery-\d+\)|CONSTANT ROW|json_each VIRTUAL .*|self|u|[smk] USING INDEX (policy_setting|role_domain|role_clearance)_current)$/.test(
      step,
    )
  const faults = (plan: ReturnType<typeof planOf>): string[] =>
    plan.map(({ step }) => step).filter((step) => /TEMP B-TREE|AUTOMATIC/.test(step) || isScan(step))

  const scopes = parseScopes([
    'patient/Observation.s?category=laboratory',
    'user/Observation.s?code=a|b&status=final',
  ])
  const scopeArgs: Record<string, SqlValue> = { scope_context: null }
  const scope = scopeFilter(
    grantsFor(scopes, 'provider', { type: 'Observation', interaction: 's' }),
    'd',
    scopeArgs,
  )
  const bound = { patient: 's', type: 'Observation', from: '2020' }

  it.each<[string, Partial<Presented>]>([
    ['a provider', {}],
    ['a provider in an emergency', { purpose: 'BTG' }],
    ['a facility system', { subject: 'system-pharmacy', clientId: 'system-pharmacy' }],
    ['nobody who reads documents', { role: 'nurse' }],
  ])('of the page of %s: one range of the clustered key, in order, and look-ups', (_, changes) => {
    open(registry, 'physician', '*', 'BTG', 'laboratory')
    const viewer = viewerOf(presented(changes))
    const args = { ...visibleArgs(viewer), ...bound }
    for (const [sql, more] of [
      [pageOf(visible('d', viewer, patient)), {}],
      [pageOf(`${visible('d', viewer, patient)} and ${scope}`), scopeArgs],
      [pageOf(visible('d', viewer)), {}],
    ] as const) {
      const plan = planOf(sql, { ...args, ...more })
      expect(plan[0]?.step).toBe('SEARCH d USING PRIMARY KEY (person=? AND type=? AND date_lo>?)')
      expect(faults(plan)).toEqual([])
    }
  })

  it('what depends on the person alone is looked up once for the page', () => {
    open(registry, 'physician', '*', 'BTG', 'laboratory')
    const viewer = viewerOf(presented({ purpose: 'BTG' }))
    const plan = planOf(pageOf(visible('d', viewer, patient)), { ...visibleArgs(viewer), ...bound })
    const ofPage = plan.filter(({ parent }) => parent === 0).map(({ step }) => step)
    // Relationship and emergency; the rules are looked up for each row, whose domain, type, id and date they are about.
    expect(ofPage.filter((step) => step.startsWith('CORRELATED'))).toHaveLength(1)
    expect(ofPage.filter((step) => step.startsWith('SCALAR'))).toHaveLength(3)
    const rowByRow = planOf(pageOf(visible('d', viewer)), { ...visibleArgs(viewer), ...bound })
    expect(rowByRow.filter(({ step }) => step.startsWith('CORRELATED')).length).toBeGreaterThan(1)
  })

  it('of the facts are look-ups', () => {
    const subjects: readonly SubjectOf[] = [
      { by: 'patient', id: 's' },
      { by: 'identifier', system: 'x', value: 'y', birthDate: '1990-01-01' },
      { by: 'document', type: 'Observation', id: 'lab', sourceRecord: 's' },
      { by: 'person', person: 'p' },
    ]
    const statements = [
      ...factStatements({ presented: presented(), sight: null, about: null }),
      ...subjects.map((of) => subjectStatement({ of, facility: 'hospital', now: moment })),
      { sql: patientStatement, args: patientArgs(presented({ role: 'patient' })) },
    ]
    for (const { sql, args } of statements) {
      const found = faults(planOf(sql, args as Readonly<Record<string, SqlValue>>))
      // Of the persons of one identifier, and of the birth dates of one person: a handful.
      expect(found.filter((step) => !/DISTINCT\)?$/.test(step))).toEqual([])
    }
  })
})
