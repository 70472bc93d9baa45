/**
 * DESIGN §4: with the audit log refusing, hanging or throwing, no route returns a byte of health data. Every operation
 * there is, over the real databases and real tokens; only the log is faulty.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, operations } from '../../src/app.ts'
import type { AuditLogRpc } from '../../src/audit/client.ts'
import type { Cluster } from '../../src/local/cluster.ts'
import { publicPaths } from '../../src/public-routes.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { register } from '../unit/governance/incidents.ts'
import { encounter, marker, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { admit, holder, openWard, refusalOf, results, type Ward } from './care.ts'
import { type CareExamples, careExamples } from './care-examples.ts'
import { portsOf } from './in-process.ts'
import { parseReceipt } from './ledger.ts'
import { type QuestionExamples, questionExamples, questionText } from './question-examples.ts'
import { registryExamples } from './registry-examples.ts'
import { reviewExamples } from './review-examples.ts'
import { replicated } from './support.ts'

const faults: Readonly<Record<string, () => Promise<never>>> = {
  refuses: async () => ({ ok: false, error: { reason: 'log-unavailable', detail: 'refused' } }) as never,
  'is overloaded': async () => ({ ok: false, error: { reason: 'log-overload' } }) as never,
  hangs: () => new Promise<never>(() => {}),
  throws: async () => {
    throw new Error(`killed while holding ${marker}`)
  },
}

const isDone = (status: number): boolean => status === 200 || status === 201 || status === 204

/** What must stand in the answer of an operation that discloses something. */
const telling: Readonly<Record<string, RegExp>> = {
  'search-type': new RegExp(marker),
  'search-type-post': new RegExp(marker),
  read: new RegExp(marker),
  vread: new RegExp(marker),
  history: new RegExp(marker),
  'history-type': new RegExp(marker),
  notices: /Geneviève Gagnon/,
  reviews: /Tremblay/,
  'watched-list': /Ministre/,
  'audit-review': /"own-record"/,
  'guardianship-list': /"guardian":"Patient/,
  'consent-search': /"resourceType":"Consent"/,
  'consent-read': /"resourceType":"Consent"/,
  'consent-history': /"resourceType":"Consent"/,
  explain: /"agrees":true/,
  me: /"patients":\["Patient/,
  accounting: /"section":"opened-patient"/,
  'yearly-report': /"section":"care"/,
  redact: /"changed":true/,
  // Nothing here is old enough to go: that is for `test/unit/governance/pruning.test.ts`.
  prune: /"changed":false/,
  'hold-entries': /"changed":true/,
  'end-hold': /"changed":true/,
  'audit-event-search': /"resourceType":"AuditEvent"/,
  'audit-event-read': /"resourceType":"AuditEvent"/,
  questions: new RegExp(questionText.slice(0, -1)),
  'question-read': new RegExp(questionText.slice(0, -1)),
  incidents: new RegExp(register.circumstances),
  'incident-read': new RegExp(register.circumstances),
  create: new RegExp(marker),
  update: new RegExp(marker),
  'update-conditional': new RegExp(marker),
  patch: new RegExp(marker),
  delete: /^$/,
  'delete-conditional': /^$/,
  'audit-proof': /^c2sp\.org\/tlog-proof@v1\nextra /,
}

/** What the examples about care are made from: a patient who logs in and their child, and something of each kind to end. */
async function prepareCare(
  ward: Ward,
  facility: string,
  patient: string,
  tokens: Readonly<Record<string, string>>,
): Promise<CareExamples> {
  const { patient: self } = await admit(ward, facility, holder('belisle'))
  const child = { ...samplePatient(2), birthDate: '2020-02-02' }
  const [childPatient = ''] = await ward.publish(facility, patientResource(child), encounter(child, { n: 1 }))
  const relationship = await ward.send('gendron', 'POST', '/access/relationships', {
    kind: 'care-team',
    patient,
    professional: 'etienne-tremblay',
    facility,
    ends: new Date(Date.now() + 60 * 60_000).toISOString(),
  })
  const reason = 'Consultation demandée par le médecin de famille'
  await ward.send('gagnon', 'POST', '/access/attestations', { patient: self, reason })
  const opened = await ward.send(
    'tremblay',
    'POST',
    '/access/break-glass',
    { patient, reason },
    { purpose: 'BTG', clock: ward.clock() },
  )
  const consent = await ward.send('belisle', 'POST', '/fhir/Consent', refusalOf(self))
  const read = await ward.get('tremblay', results(patient), { clock: ward.clock() })
  const token = (name: string): string => tokens[name] ?? ''
  return {
    url: ward.test.cluster.url,
    tokens: {
      provider: token('provider'),
      emergency: token('emergency'),
      manager: token('manager'),
      operator: token('operator'),
      officer: token('officer'),
      patient: token('patient'),
    },
    facility,
    patient,
    self,
    child: childPatient,
    relationship: String(relationship.body?.relationship),
    review: String(opened.body?.id),
    consent: consent.body ?? {},
    receipt: read.receipt,
  }
}

/** A question about that access and an incident, made before. */
async function prepareQuestions(
  ward: Ward,
  receipt: string,
  tokens: Readonly<Record<string, string>>,
): Promise<QuestionExamples> {
  const entry = /^[^:+]*/.exec(receipt)?.[0] ?? ''
  await ward.entries({ receipt })
  const asked = await ward.send('belisle', 'POST', '/audit/questions', {
    kind: 'access',
    entry,
    text: questionText,
  })
  const opened = await ward.send('bouchard', 'POST', '/audit/incidents', register)
  return {
    url: ward.test.cluster.url,
    tokens: { officer: tokens.officer ?? '', patient: tokens.patient ?? '' },
    entry,
    question: String(asked.body?.id),
    incident: String(opened.body?.id),
  }
}

describe('the route walk', () => {
  let ward: Ward
  let cluster: Cluster
  let ids: readonly string[]
  const tokens: Record<string, string> = {}
  /** An open role request. */
  let request: string
  let care: CareExamples
  let questions: QuestionExamples
  /** Path of an entry that may be redacted. */
  let entry: string
  /** Of an access about the patient. */
  let ownReceipt: string

  beforeAll(async () => {
    ward = await openWard()
    cluster = ward.test.cluster
    for (const [name, login, options] of [
      ['provider', 'tremblay', {}],
      ['emergency', 'tremblay', { purpose: 'BTG' }],
      ['system', 'system-hopital-mont-royal', {}],
      ['officer', 'bouchard', {}],
      ['redactor', 'bouchard', { scope: 'user/*.cruds' }],
      ['patient', 'belisle', {}],
      ['operator', 'lapointe', { scope: 'user/*.cruds' }],
      ['manager', 'gendron', { scope: 'user/*.cruds' }],
      ['secondManager', 'poirier', { scope: 'user/*.cruds' }],
    ] as const)
      tokens[name] = await cluster.token(login, options)
    const asked = await ward.send('gendron', 'POST', '/access/roles', {
      professional: 'helene-cote',
      role: 'access-manager',
    })
    request = (asked.body as { request: { id: string } }).request.id
    const facility = 'hopital-mont-royal'
    const person = samplePatient(1)
    ids = await ward.publish(
      facility,
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
      encounter(person, { n: 1 }),
    )
    care = await prepareCare(ward, facility, ids[0] ?? '', tokens)
    const { log, first } = parseReceipt((await ward.get('tremblay', '/fhir/Observation?nonsense=1')).receipt)
    entry = `${log}/${first}`
    const audit = hranaReader({ url: cluster.databases.audit.url, token: cluster.databases.audit.readToken })
    const covered = { sql: 'select 1 from checkpoint where log = ? and size > ?', args: [log, first] }
    while ((await audit.read([covered]))[0]?.length === 0) await new Promise((next) => setTimeout(next, 50))
    await replicated(cluster)
    ownReceipt = (await ward.get('belisle', '/access/me', { clock: ward.clock() })).receipt
    questions = await prepareQuestions(ward, ownReceipt, tokens)
    await replicated(cluster)
  })

  afterAll(() => ward?.end())

  /** A request per operation that a healthy log answers with health data (or, for a write, that changes something). */
  const examples = (): Readonly<Record<string, () => Request>> => {
    const [patient, observed] = ids as readonly [string, string]
    const get = (path: string, who: string) =>
      new Request(`${cluster.url}${path}`, { headers: { Authorization: `Bearer ${tokens[who]}` } })
    const redactor = (path: string, body: unknown) =>
      new Request(`${cluster.url}${path}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${tokens.redactor}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
    const held = { kind: 'organisation', key: 'ciusss-mont-royal' }
    const { operator = '', manager = '', secondManager = '' } = tokens
    const write = (method: string, path: string, body?: unknown, type = 'application/fhir+json') =>
      new Request(`${cluster.url}/fhir/Observation${path}`, {
        method,
        headers: { Authorization: `Bearer ${tokens.system}`, 'Content-Type': type },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const written = (value: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      identifier: [{ system: 'urn:written', value }],
      valueString: marker,
    })
    return {
      ...registryExamples({ url: cluster.url, operator, manager, secondManager, request }),
      ...careExamples(care),
      ...questionExamples(questions),
      ...reviewExamples({
        url: cluster.url,
        officer: { read: tokens.officer ?? '', write: tokens.redactor ?? '' },
        patient,
      }),
      'search-type': () => get(`/fhir/Observation?patient=${patient}`, 'provider'),
      'search-type-post': () =>
        new Request(`${cluster.url}/fhir/Observation/_search`, {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${tokens.provider}`,
            'Content-Type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams({ patient }),
        }),
      read: () => get(`/fhir/${observed}`, 'provider'),
      vread: () => get(`/fhir/${observed}/_history/1`, 'provider'),
      history: () => get(`/fhir/${observed}/_history`, 'provider'),
      'history-type': () => get('/fhir/Observation/_history', 'system'),
      'audit-export': () => get('/audit/export', 'officer'),
      accounting: () =>
        get(
          `/audit/accounting?organisation=ciusss-mont-royal&from=2026-01-01T00:00:00Z&to=9999-01-01T00:00:00Z&detail=patients`,
          'officer',
        ),
      'yearly-report': () =>
        get(`/audit/report?year=${new Date(Date.now() - 5 * 60 * 60_000).getUTCFullYear()}`, 'officer'),
      redact: () =>
        redactor(`/audit/redaction/${entry}`, {
          reason: 'Entrée au nom d’une autre personne',
          basis: 'LRSSS, art. 24',
        }),
      prune: () =>
        redactor('/audit/pruning/montreal', { reason: 'Calendrier de conservation', basis: 'A-21.1, s. 7' }),
      'hold-entries': () => redactor('/audit/holds', { ...held, reason: 'Litige en cours' }),
      'end-hold': () => redactor('/audit/holds/end', held),
      // An entry about the patient.
      'audit-proof': () => {
        const request = get(`/audit/proof/${/^[^:+]*/.exec(ownReceipt)?.[0]}`, 'patient')
        request.headers.set('Prefer', 'wait=5')
        return request
      },
      'audit-event-search': () => get('/fhir/AuditEvent?date=ge2020&date=le2099', 'officer'),
      'audit-event-read': () => {
        const [, log, index] = /^([^/]+)\/(\d+)/.exec(ownReceipt) ?? []
        return get(`/fhir/AuditEvent/${log}-${index}`, 'patient')
      },
      publish: () =>
        new Request(`${cluster.url}/fhir`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${tokens.system}`, 'Content-Type': 'application/fhir+json' },
          body: JSON.stringify(
            transaction(
              patientResource(samplePatient(1)),
              observation(samplePatient(1), { n: 1, date: '2024-01-01', value: `${marker} changed` }),
            ),
          ),
        }),
      create: () => write('POST', '', written('1')),
      update: () => write('PUT', '/written', written('2')),
      'update-conditional': () =>
        write('PUT', '?identifier=urn:written|1', { ...written('1'), language: 'fr' }),
      patch: () =>
        write(
          'PATCH',
          '/written',
          [{ op: 'add', path: '/language', value: 'fr' }],
          'application/json-patch+json',
        ),
      delete: () => write('DELETE', '/written'),
      'delete-conditional': () => write('DELETE', '?identifier=urn:written|1'),
      // The last: it ends a log.
      'log-succession': () =>
        new Request(`${cluster.url}/audit/succession/quebec`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${operator}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({ reason: 'Rotation annuelle des clés' }),
        }),
    }
  }

  const faulty = (fault: () => Promise<never>): AuditLogRpc => ({
    append: fault,
    appendFailure: fault,
    status: fault,
    drained: fault,
    openIntents: fault,
    published: fault,
    attest: fault,
    close: fault,
    stranded: fault,
    found: fault,
    retire: fault,
  })

  const stored = async (): Promise<string> =>
    JSON.stringify(
      await hranaReader({
        url: cluster.databases.primary.url,
        token: cluster.databases.primary.readToken,
      }).read([
        { sql: 'select n from clock' },
        { sql: 'select type, id, version from document order by type, id' },
        { sql: 'select row, valid_to from consent_rule order by row' },
        { sql: 'select row, valid_to from relationship order by row' },
        { sql: 'select row, valid_to from break_glass order by row' },
        { sql: 'select row, valid_to from guardianship order by row' },
        { sql: 'select row, valid_to from question_event order by row' },
        { sql: 'select row, valid_to from incident_version order by row' },
      ]),
    )

  test('every operation has an example here, and with a healthy log each discloses or changes something', async () => {
    expect(Object.keys(examples()).sort()).toEqual(operations.map(({ name }) => name).sort())
    for (const [name, request] of Object.entries(examples())) {
      const response = await fetch(request())
      const text = await response.text()
      expect([name, response.status, text]).toEqual([name, expect.toSatisfy(isDone), expect.anything()])
      expect(response.headers.get('dossier-receipt')).not.toBeNull()
      const told = operations.find((one) => one.name === name)
      if (told && !told.path.startsWith('/fhir'))
        expect([name, ...(told.mediaTypes ?? ['application/json'])]).toContain(
          response.headers.get('content-type')?.split(';')[0],
        )
      // A look-up that finds nothing, or a change that changes nothing, would prove nothing below.
      expect([name, text]).toEqual([name, expect.stringMatching(telling[name] ?? /./)])
      // Some read at the replica what another has written.
      await replicated(cluster)
    }
  })

  // None of them changes anything: they wait for the same deadlines together.
  describe.concurrent.each(Object.entries(faults))('with a log that %s', (_name, fault) => {
    test('no operation, and no refusal, returns health data or changes the record', {
      timeout: 60_000,
    }, async () => {
      const app = createApp(portsOf(cluster, faulty(fault)))
      const before = await stored()
      const [patient] = ids as readonly [string]
      const requests = [
        ...Object.values(examples()),
        () => new Request(`${cluster.url}/fhir/Observation?patient=${patient}`),
        () =>
          new Request(`${cluster.url}/fhir/Observation?patient=${patient}`, {
            headers: { Authorization: 'Bearer forged' },
          }),
        () =>
          new Request(`${cluster.url}/fhir/${patient}`, {
            method: 'DELETE',
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
        () =>
          new Request(`${cluster.url}/nowhere`, { headers: { Authorization: `Bearer ${tokens.provider}` } }),
        () =>
          new Request(`${cluster.url}/fhir/Observation?patient=${patient}&x=y`, {
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
        () =>
          new Request(`${cluster.url}/fhir/${ids[1]}`, {
            method: 'HEAD',
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
      ]
      await Promise.all(
        requests.map(async (request) => {
          const response = await app.fetch(request())
          const headers = JSON.stringify([...response.headers])
          expect(response.status).toBeGreaterThanOrEqual(400)
          expect(response.headers.get('dossier-receipt')).toBeNull()
          const text = await response.text()
          expect(text + headers).not.toContain(marker)
          expect(text).not.toContain((ids[1] as string).split('/')[1])
        }),
      )
      expect(await stored()).toBe(before)
    })

    test('the public list tells no health data either', { timeout: 60_000 }, async () => {
      const app = createApp(portsOf(cluster, faulty(fault)))
      for (const path of publicPaths) {
        const response = await app.request(`${cluster.url}${path}`)
        expect(await response.text()).not.toContain(marker)
      }
    })
  })
})
