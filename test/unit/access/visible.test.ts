import { beforeEach, describe, expect, it } from 'vitest'
import type { Presented } from '../../../src/access/caller.ts'
import { factStatements } from '../../../src/access/facts.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../../../src/access/visible.ts'
import type { Rows, SqlValue } from '../../../src/store/ports.ts'
import {
  addClient,
  addDocument,
  addFacility,
  addIssuer,
  addProfessional,
  endCurrent,
  open,
  openRegistry,
  presented,
  type Registry,
  uriOf,
} from './registry.ts'

const page = `select d.id from document as d where d.person = :person and d.type = :type and d.date_lo >= :from
  and ${visible('d')} order by d.date_lo desc, d.id limit 20`
const all = `select d.id from document as d where ${visible('d')} order by d.id`

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

const idsSeenBy = (caller: Presented): unknown[] =>
  registry.run({ sql: all, args: visibleArgs(caller) }).map((row) => row.id)

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
    ['an issuer row that does not exist', { issuerRow: 2 }],
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

  it('shows nothing to a revoked token', () => {
    registry.insert('revoked_token', { issuer: presented().issuer, jti: 'token-1', valid_from: 1 })
    expect(idsSeenBy(presented())).toEqual([])
    expect(idsSeenBy(presented({ jti: 'token-2' }))).not.toEqual([])
  })

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
  const planOf = (sql: string, args: Record<string, SqlValue>): string[] =>
    registry.run({ sql: `explain query plan ${sql}`, args }).map((row) => String(row.detail))

  /** Not counted: passes over what is no table, the one row of a subquery or the three values of a list. */
  const scansTable = (step: string): boolean =>
    step.startsWith('SCAN ') && !/^SCAN (a$|opened |CONSTANT ROW$|\(subquery-\d+\)$)/.test(step)

  it('the page is one range of the clustered key, in order, and the filter look-ups evaluated once', () => {
    const args = { ...visibleArgs(presented()), person: 'p', type: 'Observation', from: '2020' }
    const plan = planOf(page, args)
    expect(plan[0]).toBe('SEARCH d USING PRIMARY KEY (person=? AND type=? AND date_lo>?)')
    expect(plan.filter((step) => /TEMP B-TREE/.test(step) || scansTable(step))).toEqual([])
    // What depends on the row of the page would be evaluated for each: parent 0 is the page itself.
    const ofPage = registry
      .run({ sql: `explain query plan ${page}`, args })
      .filter(({ parent }) => parent === 0)
    expect(
      ofPage.map(({ detail }) => String(detail)).filter((step) => step.startsWith('CORRELATED')),
    ).toEqual([])
  })

  it('the facts are look-ups', () => {
    for (const { sql, args = {} } of factStatements(presented()))
      expect(planOf(sql, args as Record<string, SqlValue>).filter(scansTable)).toEqual([])
  })
})
