/** What is read about whom a page is about: rows that hold, of every source record, and no others. */
import { beforeEach, describe, expect, it } from 'vitest'
import { asOf } from '../../../src/access/caller-sql.ts'
import type { DecidedDocument } from '../../../src/access/policy.ts'
import { readPolicy } from '../../../src/access/policy-data.ts'
import type { Subject, SubjectOf } from '../../../src/access/subject.ts'
import { readSubjects, sourcesAsOf, subjectStatement } from '../../../src/access/subject-sql.ts'
import { limits } from '../../../src/limits.ts'
import { factsOf } from './asking.ts'
import {
  addClient,
  addDocument,
  addDocumentVersion,
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
  patientSystem,
  presented,
  type Registry,
  relate,
  set,
} from './registry.ts'

let registry: Registry

beforeEach(() => {
  registry = openRegistry()
  addIssuer(registry, [])
  addFacility(registry, 'hospital')
  addClient(registry, 'console')
  addProfessional(registry, 'tremblay', [['physician', 'hospital']])
  open(registry, 'physician', '*', '*', 'laboratory')
  addSourceRecord(registry, 's', { birthDate: '1990-05-01' })
  addSourceRecord(registry, 't', {})
  addSourceRecord(registry, 'u', { person: 'q' })
})

const about = (of: SubjectOf) => {
  const facts = factsOf(registry, presented(), { of })
  if (!facts.ok) throw new Error(JSON.stringify(facts.error))
  return facts.value
}
const byPatient = (id: string): Subject | undefined => about({ by: 'patient', id }).subjects[0]

describe('a subject', () => {
  it('has the rows of all its source records, each read whole', () => {
    const professional = 'professional-tremblay'
    relate(registry, { source_record: 't', kind: 'attestation', professional })
    // Other people's are none of the caller's business, however many.
    relate(registry, { source_record: 't', kind: 'attestation', professional: 'x' })
    forbid(registry, {
      kind: 'restriction',
      source_record: 't',
      consent: 'c2',
      actor_kind: 'role',
      actor: 'nurse',
      what_kind: 'type',
      what: 'Observation',
    })
    forbid(registry, { kind: 'refusal-before', before_date: '2020' })
    breakGlass(registry, { id: 'b-1', source_record: 't' })
    for (const source_record of ['u', 'nobody']) {
      relate(registry, { source_record })
      forbid(registry, { source_record })
      breakGlass(registry, { source_record })
    }
    const expected: Subject = {
      person: 'p',
      sourceRecords: ['s', 't'],
      relationships: [{ row: 1, kind: 'attestation', professional }],
      rules: [
        {
          row: 2,
          consent: 'c',
          kind: 'refusal-before',
          before: '2020',
          actorKind: 'any',
          actor: '',
          whatKind: 'any',
          what: '',
        },
        {
          row: 1,
          consent: 'c2',
          kind: 'restriction',
          before: '',
          actorKind: 'role',
          actor: 'nurse',
          whatKind: 'type',
          what: 'Observation',
        },
      ],
      breakGlass: [{ row: 1, id: 'b-1', professional: 'professional-tremblay', reason: 'unconscious' }],
    }
    expect(byPatient('s')).toEqual(expected)
    expect(byPatient('t')).toEqual(expected)
    expect(about({ by: 'person', person: 'p' }).subjects).toEqual([expected])
    const byIdentifier = { by: 'identifier', system: patientSystem, value: 'p' } as const
    expect(about({ ...byIdentifier, birthDate: '1990-05-01' }).subjects).toEqual([expected])
    expect(about({ ...byIdentifier, birthDate: '1990-05-02' }).subjects).toEqual([])
  })

  it('is nobody by an id that nobody has', () => {
    expect(about({ by: 'patient', id: 'nobody' })).toMatchObject({ subjects: [], document: null })
  })

  it('is each of several who share an identifier', () => {
    addSourceRecord(registry, 'v', { person: 'r', birthDate: '1990-05-01', value: 'p' })
    const of = { by: 'identifier', system: patientSystem, value: 'p', birthDate: '1990-05-01' } as const
    expect(
      about(of)
        .subjects.map(({ person }) => person)
        .sort(),
    ).toEqual(['p', 'r'])
  })

  it('is one of more than an access may name, where so many share an identifier', () => {
    for (let i = 0; i < 102; i++)
      addSourceRecord(registry, `v${i}`, { person: `r${i}`, birthDate: '1990-05-01', value: 'p' })
    const of = { by: 'identifier', system: patientSystem, value: 'p', birthDate: '1990-05-01' } as const
    expect(about(of).subjects).toHaveLength(101)
  })

  it('is whom a document was about that is there no more', () => {
    for (const [version, source] of [
      [1, 'u'],
      [2, 's'],
    ] as const)
      registry.run({
        sql: `insert into document_version select 'Observation', 'x', :version, :source, 'hospital', 'laboratory', '', '', '', '',
          'final', 'N', '2024', 1, '', '', 0`,
        args: { version, source },
      })
    const of = { by: 'document', type: 'Observation', id: 'x', sourceRecord: '' } as const
    expect(about(of)).toMatchObject({ subjects: [{ person: 'p' }], document: null })
    expect(about({ ...of, sourceRecord: 'u' })).toMatchObject({ subjects: [{ person: 'q' }] })
    expect(about({ ...of, id: 'y' })).toMatchObject({ subjects: [], document: null })
  })

  it('is asked for with a document only by who asks for one', () => {
    const of = { by: 'patient', id: 's' } as const
    expect(subjectStatement({ of, facility: 'hospital', professional: null, now: moment }).sql).not.toContain(
      'document',
    )
    const row = { fact: 'document', person: 'p', a: 's', b: '', c: '', d: '', e: '', f: '' }
    expect(readSubjects([row], of)).toEqual({ subjects: [], document: null })
  })

  it('is whom a document is about, and the document is told as stored', () => {
    addDocument(
      registry,
      { type: 'Observation', id: 'd', facility: 'hospital', domain: 'laboratory' },
      { confidentiality: 'R', date_lo: '2020', published: '2021' },
    )
    const of = { by: 'document', type: 'Observation', id: 'd', sourceRecord: '' } as const
    const document: DecidedDocument = {
      type: 'Observation',
      id: 'd',
      domain: 'laboratory',
      facility: 'hospital',
      sourceRecord: 's',
      confidentiality: 'R',
      dateLo: '2020',
      firstPublished: '2021',
    }
    expect(about(of)).toMatchObject({ document, subjects: [{ person: 'p', sourceRecords: ['s', 't'] }] })
    expect(about({ ...of, type: 'Patient' })).toMatchObject({ document: null, subjects: [] })
    expect(about({ ...of, id: 'e', sourceRecord: 'u' })).toMatchObject({
      document: null,
      subjects: [{ person: 'q' }],
    })
  })

  it('of an undated document tells when its first version was published', () => {
    const allergy = { type: 'AllergyIntolerance', id: 'a', facility: 'hospital', domain: 'allergy' }
    addDocument(registry, allergy, { date_lo: '', published: '2025', version: 3 })
    const of = { by: 'document', type: allergy.type, id: allergy.id, sourceRecord: '' } as const
    expect(about(of).document?.firstPublished).toBe('2025')
    addDocumentVersion(registry, allergy, 2, '2024')
    addDocumentVersion(registry, allergy, 1, '2023')
    for (const other of [
      { ...allergy, id: 'b' },
      { ...allergy, type: 'AdverseEvent' },
    ])
      addDocumentVersion(registry, other, 0, '2022')
    expect(about(of).document?.firstPublished).toBe('2023')
  })

  it('of a document about nobody is nobody', () => {
    const location = { type: 'Location', id: 'l', facility: 'hospital', domain: 'directory' }
    addDocument(registry, location, { person: '', source_record: '', date_lo: '' })
    const found = about({ by: 'document', type: 'Location', id: 'l', sourceRecord: '' })
    expect(found).toMatchObject({ document: { id: 'l', sourceRecord: '' }, subjects: [] })
  })

  it.each([
    ['has not begun', { starts: moment + 1 }, 0],
    ['begins now', { starts: moment }, 1],
    ['ends now', { ends: moment }, 0],
    ['is about to end', { ends: moment + 1 }, 1],
    ['is held elsewhere', { facility: 'clinic' }, 0],
    ['was taken back', { valid_to: 2 }, 0],
  ])('a relationship or an emergency that %s', (_, columns, count) => {
    relate(registry, columns)
    breakGlass(registry, columns)
    expect(byPatient('s')?.relationships).toHaveLength(count)
    expect(byPatient('s')?.breakGlass).toHaveLength(count)
  })

  it('has the caller’s own relationship and emergency however many others hold there', () => {
    for (let i = 0; i <= limits.maxRelationshipFacts; i++) {
      relate(registry, { professional: `another-${i}` })
      breakGlass(registry, { id: `b-${i}`, professional: `another-${i}` })
    }
    expect(byPatient('s')).toMatchObject({ relationships: [], breakGlass: [] })
    relate(registry, { professional: 'professional-tremblay' })
    breakGlass(registry)
    expect(byPatient('s')?.relationships).toMatchObject([{ professional: 'professional-tremblay' }])
    expect(byPatient('s')?.breakGlass).toHaveLength(1)
  })

  it('has no rule that has ended', () => {
    forbid(registry)
    endCurrent(registry, 'consent_rule')
    expect(byPatient('s')?.rules).toEqual([])
  })

  it('has no relationship nor emergency for who acts at no facility', () => {
    relate(registry)
    breakGlass(registry)
    const of = { by: 'patient', id: 's' } as const
    const { subjects } = readSubjects(
      registry.run(subjectStatement({ of, facility: null, professional: null, now: moment })),
      of,
    )
    expect(subjects).toMatchObject([{ person: 'p', relationships: [], breakGlass: [] }])
  })
})

describe('a subject as of a write', () => {
  it('has the source records that were its own then, and the rules that held then', () => {
    forbid(registry, { source_record: 't', consent: 'of-t' })
    forbid(registry, { valid_from: 3, consent: 'later' })
    registry.db.exec(`update source_record set person = 'q', clock = 5 where id = 't'`)
    const asWas = (write: number) => {
      const of = { by: 'person', person: 'p' } as const
      const question = { of, facility: 'hospital', professional: null, now: moment }
      const statement = subjectStatement(question, asOf, { as_of: write }, sourcesAsOf)
      return readSubjects(registry.run(statement), of).subjects.map(({ sourceRecords, rules }) => ({
        sourceRecords: [...sourceRecords].sort(),
        consents: rules.map(({ consent }) => consent).sort(),
      }))
    }
    expect(asWas(0)).toEqual([])
    expect(asWas(2)).toEqual([{ sourceRecords: ['s', 't'], consents: ['of-t'] }])
    expect(asWas(4)).toEqual([{ sourceRecords: ['s', 't'], consents: ['later', 'of-t'] }])
    expect(asWas(5)).toEqual([{ sourceRecords: ['s'], consents: ['later'] }])
  })
})

describe('settings', () => {
  it('are the current numbers and switches', () => {
    set(registry, 'break-glass:refusal-before', 1)
    set(registry, 'break-glass:restriction', 0)
    set(registry, 'break-glass-hours', 4)
    expect(about({ by: 'patient', id: 's' }).settings).toEqual({
      encounterDaysAfter: 30,
      encounterOpenDays: 90,
      attestationHours: 168,
      breakGlassHours: 4,
      lifted: new Set(['relationship', 'refusal-before']),
    })
  })

  it('are 0 and off where the registry says nothing', () => {
    const none = {
      encounterDaysAfter: 0,
      encounterOpenDays: 0,
      attestationHours: 0,
      breakGlassHours: 0,
      lifted: new Set(),
    }
    endCurrent(registry, 'policy_setting')
    expect(about({ by: 'patient', id: 's' }).settings).toEqual(none)
    set(registry, 'break-glass:restriction', 2)
    expect(about({ by: 'patient', id: 's' }).settings).toEqual(none)
    expect(readPolicy([])).toEqual({ settings: none, domains: [], clearances: [] })
  })
})
