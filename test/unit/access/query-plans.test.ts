/** The hot statements look up by index: what grows with use is never passed over, nor sorted. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Presented } from '../../../src/access/caller.ts'
import { factStatements } from '../../../src/access/facts.ts'
import { patientArgs, patientStatement } from '../../../src/access/patient-facts.ts'
import { grantsFor, parseScopes, scopeFilter } from '../../../src/access/scope.ts'
import type { SubjectOf } from '../../../src/access/subject.ts'
import { subjectStatement } from '../../../src/access/subject-sql.ts'
import { type Viewer, visible, visibleArgs } from '../../../src/access/visible.ts'
import type { SqlValue } from '../../../src/store/ports.ts'
import { standingIn } from './asking.ts'
import {
  addClient,
  addFacility,
  addIssuer,
  addProfessional,
  moment,
  open,
  openRegistry,
  presented,
  type Registry,
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
  open(registry, 'physician', '*', 'TREAT', 'laboratory')
})

const viewerOf = (caller: Presented): Viewer => ({
  presented: caller,
  sight: standingIn(registry, caller).sight,
  now: moment,
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
  const scopeArgs: Record<string, SqlValue> = {}
  const scope = scopeFilter(
    grantsFor(scopes, 'provider', { type: 'Observation', interaction: 's' }),
    'd',
    scopeArgs,
    null,
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

  it('the first publication of an undated document is one look-up, in order', () => {
    const viewer = viewerOf(presented())
    const plan = planOf(pageOf(visible('d', viewer, patient)), { ...visibleArgs(viewer), ...bound })
    expect(plan.map(({ step }) => step)).toContain('SEARCH v USING PRIMARY KEY (type=? AND id=?)')
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
      ...factStatements({ presented: presented(), about: null }),
      ...subjects.map((of) => subjectStatement({ of, facility: 'hospital', professional: 'p', now: moment })),
      { sql: patientStatement, args: patientArgs(presented({ role: 'patient' })) },
    ]
    for (const { sql, args } of statements) {
      const found = faults(planOf(sql, args as Readonly<Record<string, SqlValue>>))
      // Of the persons of one identifier, and of the birth dates of one person: a handful.
      expect(found.filter((step) => !/DISTINCT\)?$/.test(step))).toEqual([])
    }
  })
})
