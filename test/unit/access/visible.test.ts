import { beforeEach, describe, expect, it } from 'vitest'
import type { Presented } from '../../../src/access/caller.ts'
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

describe('the statement', () => {
  it('looks for emergencies where the token states one, and only there', () => {
    for (const purpose of ['BTG', 'ETREAT', 'TREAT', 'HMARKT', null]) {
      const viewer = viewerOf(presented({ purpose }))
      const isEmergency = purpose === 'BTG' || purpose === 'ETREAT'
      expect(visible('d', viewer).includes('break_glass')).toBe(isEmergency)
      expect('lifted' in visibleArgs(viewer)).toBe(isEmergency)
    }
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
