/** The policy asked again about a past access: what agrees with its entry, what does not, and what cannot be told. */
import { describe, expect, test } from 'vitest'
import type { Caller, Provider } from '../../../src/access/caller.ts'
import type { Subject } from '../../../src/access/subject.ts'
import { sourcesAsOf, subjectStatement } from '../../../src/access/subject-sql.ts'
import type { Access } from '../../../src/audit/port.ts'
import { type DocumentThen, documentsThen, readDocuments } from '../../../src/governance/explain-documents.ts'
import type { FactsThen } from '../../../src/governance/explain-facts.ts'
import { type Describe, judgeAgain } from '../../../src/governance/explain-judgement.ts'
import { err, ok } from '../../../src/result.ts'
import type { Rows, SqlValue } from '../../../src/store/ports.ts'
import { openDatabase } from '../store/memory-database.ts'
import { callers, clinic, provider, seed } from './support.ts'

const physician = provider({ domains: new Set(['laboratory']) }) as Provider

const subject = (over: Partial<Subject> = {}): Subject => ({
  person: 'person-a',
  sourceRecords: ['a-hopital'],
  relationships: [{ row: 1, kind: 'encounter', professional: '' }],
  rules: [],
  breakGlass: [],
  ...over,
})
const refusal = {
  row: 1,
  consent: 'c',
  kind: 'refusal-total',
  before: '',
  actorKind: 'any',
  actor: '',
  whatKind: 'any',
  what: '',
} as const
const declared = [{ row: 1, id: 'b', professional: 'dr-roy', reason: 'x' }]

const document = (over: Partial<DocumentThen['row']> = {}): DocumentThen => ({
  reference: 'Observation/o1/_history/1',
  row: {
    type: 'Observation',
    id: 'o1',
    domain: 'laboratory',
    facility: clinic.id,
    sourceRecord: 'a-hopital',
    confidentiality: '',
    dateLo: '2024-01-01T00:00:00.000Z',
    firstPublished: '2024-01-01T00:00:00.000Z',
    shared: true,
    codings: { categories: [], codes: ['s|c'], statuses: [] },
    ...over,
  },
})

const facts = (over: Partial<FactsThen> = {}, caller: Caller = physician): FactsThen => ({
  caller: ok(caller),
  subject: subject(),
  settings: {
    encounterDaysAfter: 30,
    encounterOpenDays: 90,
    attestationHours: 168,
    breakGlassHours: 12,
    lifted: new Set(['relationship', 'restriction']),
  },
  ...over,
})

type Over = Partial<Omit<Access, 'decision'>> & {
  readonly reason?: string
  readonly outcome?: 'permit' | 'deny' | 'error'
}

const entry = ({ reason = 'shared-domain', outcome = 'permit', ...over }: Over = {}): Access => ({
  requestId: 'r',
  clientRequestId: null,
  phase: 'access',
  part: 1,
  parts: 1,
  action: 'search',
  operation: 'search-type',
  who: {
    issuer: 'i',
    subject: 'roy',
    client: 'app',
    practitioner: 'dr-roy',
    name: 'Dre Roy',
    role: 'physician',
    facility: 'hopital',
    organisation: 'ciusss',
    token: 'j',
    address: null,
  },
  purpose: 'TREAT',
  breakGlassReason: null,
  patient: 'person-a',
  resources: outcome === 'permit' ? ['Observation/o1/_history/1'] : [],
  query: {
    method: 'GET',
    path: '/fhir/Observation',
    text: '/fhir/Observation?patient=a-hopital',
    sha256: '',
  },
  decision: { outcome, reason, detail: null },
  policyVersion: 'e.1',
  staleness: null,
  status: outcome === 'permit' ? 200 : 403,
  note: null,
  ...over,
})

const describeAll: Describe = (name) => ({
  callers: name === 'reviews' ? ['privacy-officer'] : ['provider', 'facility-system'],
  scope: (param) => ({
    type: (param as { type: string }).type || '*',
    interaction: name === 'read' ? 'r' : 's',
  }),
})
const judged = (access: Access, then = facts(), documents: readonly DocumentThen[] = [document()]) =>
  judgeAgain(access, then, documents, describeAll)
const agrees = (...of: Parameters<typeof judged>) => judged(...of)?.agrees
const denied = (reason: string, over: Over = {}) => entry({ outcome: 'deny', reason, ...over })

describe('a permit agrees', () => {
  test('when the person and each document are permitted again, for the same kind of reason', () => {
    expect(judged(entry())).toMatchObject({
      caller: null,
      operation: null,
      subject: { outcome: 'permit', basis: 'encounter' },
      documents: [{ outcome: 'permit', reason: 'shared-domain', step: 'scope' }],
      unjudged: [],
      agrees: true,
    })
  })

  test('not when the person, or any document, is denied now', () => {
    expect(agrees(entry(), facts({ subject: null }))).toBe(false)
    expect(agrees(entry(), facts({ subject: subject({ relationships: [] }) }))).toBe(false)
    expect(agrees(entry(), facts({ subject: subject({ rules: [refusal] }) }))).toBe(false)
    expect(agrees(entry(), facts(), [document(), document({ domain: 'imaging' })])).toBe(false)
    expect(agrees(entry(), facts(), [document({ confidentiality: 'R' })])).toBe(false)
  })

  test('not when the registry lets nobody of that name act, nor an operation them', () => {
    const refused = err({ reason: 'forbidden', cause: 'role-not-held' } as const)
    expect(judged(entry(), facts({ caller: refused }))).toMatchObject({
      caller: 'role-not-held',
      agrees: false,
    })
    expect(judged(entry({ operation: 'reviews' }))).toMatchObject({
      operation: 'operation-not-for-caller',
      agrees: false,
    })
  })

  test('as an emergency only where it was one, and as anything else only where it was none', () => {
    const inEmergency = facts(
      { subject: subject({ relationships: [], breakGlass: declared }) },
      { ...physician, purpose: 'BTG' },
    )
    expect(agrees(entry({ reason: 'break-glass' }), inEmergency)).toBe(true)
    expect(agrees(entry({ reason: 'shared-domain' }), inEmergency)).toBe(false)
    expect(agrees(entry({ reason: 'break-glass' }))).toBe(false)
    // The document that was opened in an emergency may be of another part.
    expect(agrees(entry({ reason: 'break-glass', part: 2, parts: 2 }))).toBe(true)
  })

  test('as far as it can be told when some documents are not in the shared record', () => {
    const both = entry({ resources: ['Observation/o1/_history/1', 'Observation/local/_history/1'] })
    expect(judged(both)).toMatchObject({ unjudged: ['Observation/local/_history/1'], agrees: true })
    const local = entry({ operation: 'read', resources: ['Observation/local/_history/1'], patient: null })
    expect(agrees(local, facts({ subject: null }), [])).toBeNull()
  })

  test('to a look-up of who somebody is without any relationship', () => {
    const lookUp = entry({
      reason: 'identity-look-up',
      resources: [],
      query: {
        method: 'GET',
        path: '/fhir/Patient',
        text: '/fhir/Patient?identifier=s%7Cv&birthdate=1980-05-05',
        sha256: '',
      },
    })
    const stranger = facts({ subject: subject({ relationships: [] }) })
    expect(agrees(lookUp, stranger, [])).toBe(true)
    expect(agrees({ ...lookUp, resources: ['Patient/a/_history/1'] }, stranger, [])).toBe(false)
  })

  test('by what the token was narrowed to, of the codings and the context of that time', () => {
    const narrowed = (scopes: string, more: Record<string, string> = {}) =>
      agrees(entry({ note: { scopes, ...more } }))
    expect(narrowed('user/Observation.s?code=s|c')).toBe(true)
    expect(narrowed('user/Observation.s?code=s|d')).toBe(false)
    expect(narrowed('user/AllergyIntolerance.s')).toBe(false)
    expect(narrowed('patient/Observation.s', { context: 'a-hopital' })).toBe(true)
    expect(narrowed('patient/Observation.s', { context: 'b-clinique' })).toBe(false)
    expect(narrowed('patient/Observation.s')).toBe(false)
  })

  test('to a facility system for its own documents', () => {
    const system = callers.system
    expect(
      agrees(entry({ reason: 'own-facility' }), facts({}, system), [document({ facility: 'hopital' })]),
    ).toBe(true)
    expect(agrees(entry({ reason: 'own-facility' }), facts({}, system))).toBe(false)
  })
})

describe('a denial agrees', () => {
  test('only for the same reason', () => {
    const stranger = facts({ subject: subject({ relationships: [] }) })
    expect(agrees(denied('relationship-required'), stranger, [])).toBe(true)
    expect(agrees(denied('refused'), stranger, [])).toBe(false)
    expect(agrees(denied('refused'), facts({ subject: subject({ rules: [refusal] }) }), [])).toBe(true)
    expect(agrees(denied('refused'), facts(), [])).toBe(false)
    const caller = err({ reason: 'forbidden', cause: 'role-not-held' } as const)
    expect(agrees(denied('role-not-held'), facts({ caller }), [])).toBe(true)
    expect(agrees(denied('purpose-not-permitted'), facts({ caller }), [])).toBe(false)
    expect(agrees(denied('operation-not-for-caller', { operation: 'reviews' }))).toBe(true)
    expect(agrees(denied('scope-insufficient', { note: { scopes: 'user/Patient.s' } }), facts(), [])).toBe(
      true,
    )
  })

  test('of a document that was withheld, if it is withheld for that again', () => {
    const withheld = (reason: string) => denied(reason, { operation: 'read', action: 'read', status: 404 })
    const labelled = [document({ confidentiality: 'V' })]
    expect(agrees(withheld('confidentiality'), facts(), labelled)).toBe(true)
    expect(agrees(withheld('restricted'), facts(), labelled)).toBe(false)
    expect(agrees(withheld('confidentiality'))).toBe(false)
    expect(agrees(withheld('not-found'), facts(), labelled)).toBe(false)
    expect(agrees(withheld('not-found'), facts(), [])).toBe(true)
    // What is not in the shared record was withheld in a local database.
    expect(agrees(withheld('confidentiality'), facts(), [])).toBeNull()
  })

  test('of an emergency or an attestation by the rules of those', () => {
    const ask = (operation: string, reason: string, purpose: string, then: Partial<FactsThen> = {}) =>
      agrees(denied(reason, { operation }), facts(then, { ...physician, purpose }), [])
    expect(ask('break-glass', 'break-glass-not-permitted', 'TREAT')).toBe(true)
    expect(ask('break-glass', 'refused', 'BTG', { subject: subject({ rules: [refusal] }) })).toBe(true)
    expect(ask('break-glass', 'refused', 'BTG')).toBe(false)
    expect(ask('break-glass', 'relationship-required', 'BTG', { subject: null })).toBe(true)
    expect(ask('attest', 'purpose-not-permitted', 'HRESCH')).toBe(true)
    expect(ask('attest', 'relationship-required', 'TREAT', { subject: null })).toBe(true)
    expect(ask('attest', 'relationship-required', 'TREAT')).toBe(false)
    const permitted = entry({ operation: 'attest', reason: 'attestation', resources: [] })
    expect(agrees(permitted, facts({ subject: subject({ relationships: [] }) }), [])).toBe(true)
    expect(agrees(permitted, facts({ subject: null }), [])).toBe(false)
  })
})

describe('nothing is decided again', () => {
  test.each([
    ['an intent', entry({ phase: 'intent' }), facts()],
    ['a token that did not hold', denied('expired', { status: 401 }), facts()],
    ['a fault', entry({ outcome: 'error', reason: 'store-unavailable', status: 503 }), facts()],
    ['a patient, whose number is not kept', entry(), facts({ caller: null })],
  ])('of %s', (_what, access, then) => {
    expect(judged(access, then)).toBeNull()
  })

  test.each(['invalid', 'conflict', 'too-costly', 'not-found', 'four-eyes', 'not-own-organisation'])(
    'of what is not the policy’s, or rests on rows of an operation: %s',
    (reason) => {
      expect(agrees(denied(reason, { operation: 'publish' }), facts(), [])).toBeNull()
    },
  )
})

describe('the facts of a write clock', () => {
  const records = openDatabase('records')
  seed(records)
  const write = (clock: number, sql: string) => records.db.exec(`update clock set n = ${clock}; ${sql}`)
  const body = (text: string) => JSON.stringify({ resourceType: 'Observation', status: text })
  const addDocument = (version: number, clock: number, label: string) => `
    insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
      confidentiality, published, version, clock, hash, body)
    values ('person-b', 'Observation', '', 'o1', 'b-clinique', 'clinique', 'laboratory', '', '', '', '', '${label}',
      '2024', ${version}, ${clock}, 'h${version}', '${body('final')}');`
  write(1, addDocument(1, 1, ''))
  write(
    5,
    `update document set version = 2, clock = 5, hash = 'h2', published = '2025', confidentiality = 'R' where id = 'o1'`,
  )
  write(9, `update source_record set person = 'person-a', clock = 9 where id = 'b-clinique'`)

  const sourcesOf = (person: string, asOf: number): readonly unknown[] => {
    const { sql, args } = subjectStatement(
      { of: { by: 'person', person }, facility: null, professional: null, now: 0 },
      () => 'true',
      { as_of: asOf },
      sourcesAsOf,
    )
    const rows = records.db.prepare(sql).all(args as Record<string, SqlValue>) as unknown as Rows
    return rows.filter(({ fact }) => fact === 'source').map(({ a }) => a)
  }

  test('know a person by the records that were theirs then', () => {
    expect(sourcesOf('person-b', 8)).toEqual(['b-clinique'])
    expect(sourcesOf('person-b', 9)).toEqual([])
    expect(sourcesOf('person-a', 8)).toEqual(['a-clinique', 'a-hopital'])
    expect(sourcesOf('person-a', 9)).toEqual(['a-clinique', 'a-hopital', 'b-clinique'])
  })

  test('keep what a record was about: it is neither changed nor removed', () => {
    for (const sql of ['delete from source_record_version', `update source_record_version set person = 'x'`])
      expect(() => records.db.exec(sql)).toThrow('append-only')
  })

  const documentsThenOf = (version: number, access: Access) => {
    const { sql, args } = documentsThen({ access, version, time: '2026-11-22T17:00:00.000Z' })
    const rows = records.db.prepare(sql).all(args as Record<string, SqlValue>) as unknown as Rows
    return readDocuments(rows)
  }
  const documentsAt = (version: number, access: Access) =>
    documentsThenOf(version, access).map(({ reference, row }) => [reference, row.confidentiality])

  test('have of every version when the first was published, of those there were by then', () => {
    const first = (at: number, disclosed: number) =>
      documentsThenOf(at, entry({ resources: [`Observation/o1/_history/${disclosed}`] })).map(
        ({ row }) => row.firstPublished,
      )
    expect([first(1, 1), first(9, 1), first(9, 2)]).toEqual([['2024'], ['2024'], ['2024']])
    // Its first version came back to the database only later, as no publication does it.
    write(
      12,
      `insert into document_version select type, id, 0, source_record, facility, domain, category, code, date_lo,
      date_hi, status, confidentiality, '2023', 12, 'h0', body, 0 from document where id = 'o1'`,
    )
    expect([first(11, 2), first(12, 2)]).toEqual([['2024'], ['2023']])
  })

  test('have the version that was disclosed, and of what was withheld the one of that time', () => {
    const disclosed = entry({ resources: ['Observation/o1/_history/1'] })
    expect(documentsAt(9, disclosed)).toEqual([['Observation/o1/_history/1', '']])
    const withheld = denied('confidentiality')
    const asked = { ...withheld, decision: { ...withheld.decision, detail: 'Observation/o1' } }
    expect([0, 1, 4, 5, 9].map((at) => documentsAt(at, asked)[0]?.[0])).toEqual([
      undefined,
      'Observation/o1/_history/1',
      'Observation/o1/_history/1',
      'Observation/o1/_history/2',
      'Observation/o1/_history/2',
    ])
  })
})
