/** A patient questions an access, an officer answers, an incident goes into the register: over HTTP, and every step is in the log. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concluded, register } from '../unit/governance/incidents.ts'
import { observation, patientResource, samplePatient } from './bundles.ts'
import { type Admitted, type Answer, admit, holder, listOf, openWard, results, type Ward } from './care.ts'
import { parseReceipt } from './ledger.ts'

const hospital = 'hopital-mont-royal'
const elsewhere = 'hopital-cap-diamant'
const text = 'Je ne connais pas ce médecin.\n<script>alert("é")</script>'
const reply = 'Une consultation suivait la demande de votre médecin de famille.'

interface Question {
  readonly id: string
  readonly state: string
  readonly text: string
  readonly answer: Readonly<Record<string, unknown>> | null
  readonly history: readonly Readonly<Record<string, unknown>>[]
}

describe('questions, corrections and incidents', () => {
  let ward: Ward
  let self: Admitted
  let people = 0

  beforeAll(async () => {
    ward = await openWard()
    self = await admit(ward, hospital, holder('belisle'))
    await admit(ward, hospital, holder('theriault'))
  })
  afterAll(() => ward?.end())

  const seen = () => ({ clock: ward.clock() })
  const personOf = async (patient: string): Promise<unknown> =>
    (await ward.rows('select person from source_record where id = ?', patient.slice('Patient/'.length)))[0]
      ?.person
  /** A professional looks at the results of a patient. Resolves to `<log>/<index>` of the entry, in the ledger by then. */
  const access = async (login: string, patient: string): Promise<string> => {
    const answer = await ward.get(login, results(patient), seen())
    expect(answer.status).toBe(200)
    await ward.entries(answer)
    const { log, first } = parseReceipt(answer.receipt)
    return `${log}/${first}`
  }
  const ask = (login: string, body: object) => ward.send(login, 'POST', '/audit/questions', { text, ...body })
  const asked = async (login: string, body: object): Promise<string> => {
    const answer = await ask(login, body)
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
    return String(answer.body?.id)
  }
  const act = (login: string, id: string, body: object) =>
    ward.send(login, 'POST', `/audit/questions/${id}`, body)
  const read = async (login: string, id: string): Promise<Question> => {
    const answer = await ward.get(login, `/audit/questions/${id}`, seen())
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
    return answer.body as unknown as Question
  }
  const list = async (login: string, query = ''): Promise<readonly string[]> =>
    listOf<Question>(await ward.get(login, `/audit/questions${query}`, seen()), 'questions').map(
      ({ id }) => id,
    )
  const reasonOf = async (answer: Answer) => (await ward.entries(answer))[0]?.access.decision.reason

  test('the whole life of one, from the access to the register', async () => {
    const entry = await access('tremblay', self.patient)
    const proof = await ward.get('belisle', `/audit/proof/${entry}`, { headers: { prefer: 'wait=5' } })
    expect([proof.status, proof.text]).toEqual([200, expect.stringContaining('tlog-proof')])

    const created = await ask('belisle', { kind: 'access', entry })
    expect([created.status, created.body]).toMatchObject([201, { kind: 'access', entry, state: 'received' }])
    const id = String(created.body?.id)
    const person = await personOf(self.patient)
    const [outcome] = await ward.entries(created)
    expect(outcome?.access).toMatchObject({
      operation: 'question-ask',
      phase: 'outcome',
      patient: person,
      note: { question: id, entry },
    })
    // What people say to each other stays out of the log.
    expect(outcome?.text).not.toContain('médecin')

    expect(await list('girard')).toContain(id)
    expect((await act('girard', id, { state: 'in-review' })).status).toBe(200)
    expect((await read('belisle', id)).state).toBe('in-review')
    const answered = await act('girard', id, { state: 'answered', answer: reply })
    expect(answered.status).toBe(200)
    const [told] = await ward.entries(answered)
    expect(told?.access).toMatchObject({
      phase: 'outcome',
      patient: person,
      who: { practitioner: 'olivier-girard', organisation: 'ciusss-mont-royal' },
      note: { question: id, state: 'answered' },
    })

    const shown = await read('belisle', id)
    expect(shown).toMatchObject({ state: 'answered', text, answer: { text: reply, by: 'Me Olivier Girard' } })
    expect(shown.history.map(({ event }) => event)).toEqual(['asked', 'in-review', 'answered'])
    const notices = await ward.get('belisle', '/access/notices', seen())
    expect(listOf(notices, 'notices')[0]).toMatchObject({
      kind: 'question',
      question: id,
      text: expect.stringMatching(/^Le .+, Me Olivier Girard a répondu à votre question sur un accès/),
    })

    const opened = await ward.send('girard', 'POST', '/audit/incidents', {
      ...register,
      from: { question: id },
    })
    expect([opened.status, (await ward.entries(opened))[0]?.access.patient]).toEqual([201, person])
    const incident = `/audit/incidents/${opened.body?.id}`
    const early = await ward.send('girard', 'POST', incident, { ...register, version: 1, status: 'closed' })
    expect([early.status, early.text]).toEqual([400, expect.stringContaining('measures')])
    expect(
      (await ward.send('girard', 'POST', incident, { ...concluded, version: 1, status: 'closed' })).status,
    ).toBe(200)
    const versions = await ward.get('girard', incident, seen())
    expect(versions.body?.versions).toMatchObject([{ status: 'open' }, { status: 'closed' }])

    const file = await ward.get('girard', '/audit/incidents?format=csv&status=closed', seen())
    expect(file.headers.get('content-type')).toContain('text/csv')
    const [header, ...lines] = file.text.trimEnd().split('\r\n')
    expect(header).toMatch(/^id,organisation,status,.*,measures$/)
    expect(lines).toEqual([expect.stringContaining(`question ${id}`)])
    expect(file.text).not.toContain(String(person))
    // The entry of the file says how many incidents it has; one that follows, whom they were made about.
    const [about] = await ward.entries(file)
    expect(about?.access).toMatchObject({ operation: 'incidents', note: { incidents: '1' } })
    const { log } = parseReceipt(file.receipt)
    const chain = await ward.get(
      'bouchard',
      `/audit/export?${new URLSearchParams({ log, patient: String(person) })}`,
    )
    const chunk = new RegExp(
      `"export":"${about?.access.note?.export}".*"operation":"incidents".*"phase":"chunk"`,
    )
    expect(chain.text.split('\n').filter((line) => chunk.test(line))).toHaveLength(1)
  })

  test('of another patient, another organisation or nobody are not there, and the log says whose they are', async () => {
    const entry = await access('tremblay', self.patient)
    const id = await asked('belisle', { kind: 'access', entry })
    const strangers = [
      await ask('theriault', { kind: 'access', entry }),
      await act('theriault', id, { state: 'withdrawn' }),
      await ward.get('theriault', `/audit/questions/${id}`, seen()),
    ]
    const nothing = [
      await ask('theriault', { kind: 'access', entry: 'montreal/999999999' }),
      await act('theriault', 'nothing', { state: 'withdrawn' }),
      await ward.get('theriault', '/audit/questions/nothing', seen()),
    ]
    const blind = ({ status, text: body }: Answer) => [status, body.replaceAll(id, 'nothing')]
    expect(strangers.map(blind)).toEqual(nothing.map(blind))
    expect(strangers.map(({ status }) => status)).toEqual([404, 404, 404])
    const person = await personOf(self.patient)
    for (const answer of strangers)
      expect((await ward.entries(answer))[0]?.access).toMatchObject({
        patient: person,
        decision: { outcome: 'deny', reason: 'not-found' },
      })
    expect(await list('theriault')).not.toContain(id)

    // Girard is the officer of another organisation than this access was made in.
    const [foreign = ''] = await ward.publish(elsewhere, patientResource(samplePatient(++people)))
    await ward.send('gagnon', 'POST', '/access/attestations', {
      patient: foreign,
      reason: 'Vu à la clinique sans rendez-vous',
    })
    const far = await access('gagnon', foreign)
    expect((await ask('girard', { kind: 'access', entry: far })).status).toBe(404)
    const own = await asked('bouchard', { kind: 'access', entry: far })
    expect((await ward.get('girard', `/audit/questions/${own}`, seen())).status).toBe(404)
    expect((await act('girard', own, { state: 'in-review' })).status).toBe(404)
    const incident = await ward.send('girard', 'POST', '/audit/incidents', {
      ...register,
      from: { question: own },
    })
    expect(incident.status).toBe(404)
    for (const login of ['tremblay', 'lapointe', 'gendron'])
      expect([login, (await ward.get(login, '/audit/questions')).status]).toEqual([login, 403])
    for (const login of ['belisle', 'tremblay', 'lapointe'])
      expect([login, (await ward.get(login, '/audit/incidents')).status]).toEqual([login, 403])
  })

  test('an officer does not answer about their own access, nor out of turn, nor without bounds', async () => {
    const notices = await ward.get('bouchard', `/fhir/Consent?patient=${self.patient}`, seen())
    await ward.entries(notices)
    const { log, first } = parseReceipt(notices.receipt)
    const id = await asked('belisle', { kind: 'access', entry: `${log}/${first}` })
    // The officer of the whole record belongs to no organisation: it is for her, and she hands it over.
    const own = await act('bouchard', id, { state: 'answered', answer: reply })
    expect([own.status, own.tag, await reasonOf(own)]).toEqual([403, 'four-eyes', 'four-eyes'])
    const refer = { state: 'referred', to: 'ciusss-mont-royal', reason: 'Mon propre accès est en cause' }
    expect((await act('bouchard', id, refer)).status).toBe(200)
    const closed = await act('girard', id, { state: 'closed' })
    expect([closed.status, await reasonOf(closed)]).toEqual([409, 'conflict'])
    const long = await act('girard', id, { state: 'answered', answer: 'x'.repeat(4_001) })
    expect([long.status, long.text]).toEqual([400, expect.stringContaining('answer')])
    expect((await act('girard', id, { state: 'answered', answer: reply })).status).toBe(200)
    expect(
      (await ask('belisle', { kind: 'access', entry: `${log}/${first}`, text: 'x'.repeat(4_001) })).status,
    ).toBe(400)
    expect((await ward.get('belisle', '/audit/questions?patient=x', seen())).status).toBe(400)
  })

  test('a request for correction tells nothing of the document, and comes back with its outcome', async () => {
    const [, anothers = ''] = await ward.publish(
      hospital,
      patientResource(samplePatient(++people)),
      observation(samplePatient(people), { n: 1, date: '2024-01-01' }),
    )
    const bodies = []
    for (const document of [self.laboratory, self.unshared, anothers, `Observation/${'a'.repeat(26)}`]) {
      const { status, body } = await ask('belisle', { kind: 'correction', document })
      const { id, at, due, document: named, ...rest } = body ?? {}
      bodies.push([status, named === document, rest])
      if (document === self.laboratory) {
        expect(await list('girard', '?kind=correction')).toEqual([id])
        const reason = 'Le laboratoire confirme la valeur.'
        const refused = { state: 'answered', answer: reply, outcome: 'refused', reason }
        expect((await act('girard', String(id), refused)).status).toBe(200)
        expect((await read('belisle', String(id))).answer).toMatchObject({
          outcome: 'refused',
          reason,
          recourse: expect.stringContaining('Commission d’accès à l’information'),
        })
      }
    }
    expect(bodies).toEqual(bodies.map(() => [201, true, { kind: 'correction', state: 'received' }]))
    // What no shared document of the patient answers to is for the officers of the whole record.
    expect(await list('girard', '?kind=correction')).toEqual([])
    expect(await list('bouchard', '?kind=correction')).toHaveLength(3)
  })

  test('a guardian asks for a child, and no more from the 14th birthday on', async () => {
    const mother = await admit(ward, hospital, holder('arsenault'))
    const child = await admit(ward, hospital, { ...samplePatient(++people), birthDate: '2022-03-09' })
    const pair = { guardian: mother.patient, patient: child.patient }
    expect((await ward.send('lapointe', 'POST', '/access/guardianships', pair)).status).toBe(201)
    const entry = await access('tremblay', child.patient)
    const id = await asked('arsenault', { kind: 'access', entry })
    expect(await list('arsenault')).toEqual([id])
    const born = (day: string) =>
      ward.rewrite({
        sql: `update person_key set birth_date = ? where source_record = ?`,
        args: [day, child.patient.slice('Patient/'.length)],
      })
    await born(`${new Date().getUTCFullYear() - 15}-01-01`)
    for (const late of [
      await ward.get('arsenault', '/audit/questions', seen()),
      await ward.get('arsenault', `/audit/questions/${id}`, seen()),
      await act('arsenault', id, { state: 'withdrawn' }),
      await ask('arsenault', { kind: 'access', entry }),
    ])
      expect([late.status, await reasonOf(late)]).toEqual([403, 'age'])
    expect((await read('girard', id)).state).toBe('received')
  })
})
