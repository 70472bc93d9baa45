import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { listNotices } from '../../../src/governance/notices.ts'
import { actOnQuestion } from '../../../src/governance/question-act.ts'
import { askQuestion } from '../../../src/governance/question-ask.ts'
import { listQuestions, readQuestion } from '../../../src/governance/question-read.ts'
import { limits } from '../../../src/limits.ts'
import { callers, type Desk, disclosed, expressions, noon, openDesk, statusOf } from './support.ts'

interface Told {
  readonly id: string
  readonly state: string
  readonly due: string
  readonly overdue: boolean
  readonly text: string
  readonly answer: Readonly<Record<string, unknown>> | null
  readonly organisation?: unknown
  readonly patient?: unknown
  readonly history?: readonly Readonly<Record<string, unknown>>[]
}

const text = 'Je ne connais pas cette personne. <b>Pourquoi ?</b>'
const reply = 'La consultation suivait une demande de votre médecin.'
const dayMs = 24 * 60 * 60_000

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})

const ask = (body: unknown, caller: Caller = callers.patient, now = noon) =>
  desk.ask(askQuestion, caller, { body, now })
const about = (entry: string) => ({ kind: 'access', entry, text })
const correcting = (document: string) => ({ kind: 'correction', document, text })
const asked = async (body: unknown, caller: Caller = callers.patient, now = noon): Promise<string> =>
  disclosed<{ id: string }>(await ask(body, caller, now)).id
const act = (id: string, body: unknown, caller: Caller = callers.ownOfficer, now = noon + 60_000) =>
  desk.ask(actOnQuestion, caller, { param: { id }, body, now })
const read = (id: string, caller: Caller = callers.patient, more: { now?: number; language?: 'en' } = {}) =>
  desk.ask(readQuestion, caller, { param: { id }, ...more })
const list = (caller: Caller, query: Record<string, string> = {}) =>
  desk.ask(listQuestions, caller, { query })
const idsOf = async (caller: Caller, query: Record<string, string> = {}) =>
  disclosed<{ questions: readonly Told[] }>(await list(caller, query)).questions.map(({ id }) => id)
const document = (id: string, source: string, facility: string, person: string): void =>
  desk.records.db.exec(`
    insert into document values ('${person}', 'Observation', '', '${id}', '${source}', '${facility}', 'laboratory', '', '', '',
      '', 'N', '2026-01-01T00:00:00.000Z', 1, 0, 'h', '{}')`)

describe('a question about an access', () => {
  test('is recorded word for word, for the organisation of whoever made the access, with its deadline', async () => {
    const entry = desk.access('person-a')
    const result = await ask(about(entry))
    expect(statusOf(result)).toBe(201)
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    const { id, due } = disclosed<Told>(result)
    expect(due).toBe('2026-12-22T17:00:00.000Z')
    expect(desk.intents).toEqual([{ question: id, kind: 'access', entry }])
    expect(disclosed<Told>(await read(id, callers.ownOfficer))).toMatchObject({
      id,
      kind: 'access',
      entry,
      text,
      state: 'received',
      patient: 'Patient/a-clinique',
      organisation: { id: 'ciusss', name: 'CIUSSS' },
      professional: { id: 'dr-roy', name: 'Dre Roy' },
      askedAs: 'patient',
      answer: null,
      history: [{ event: 'asked', state: 'received', as: 'patient' }],
    })
    expect(desk.records.rows('select persons from write_key')).toEqual([{ persons: '["person-a"]' }])
  })

  test('is as late as the policy’s number of days says', async () => {
    desk.records.db.exec(`update policy_setting set value = 20 where name = 'question-days'`)
    const id = await asked(about(desk.access('person-a')))
    const at = async (days: number) =>
      disclosed<Told>(await read(id, callers.patient, { now: noon + days * dayMs + 1 })).overdue
    expect([await at(19), await at(20)]).toEqual([false, true])
    await act(id, { state: 'answered', answer: reply })
    expect(await at(21)).toBe(false)
  })

  test('about an entry that is not there and about another’s are one answer', async () => {
    const anothers = desk.access('person-b')
    const nobodys = desk.access(null)
    for (const entry of ['montreal/99', 'nowhere/0', anothers, nobodys]) {
      const result = await ask(about(entry))
      expect([entry, result.ok ? null : result.error.reason]).toEqual([entry, 'not-found'])
      expect(result.ok || 'issues' in result.error).toBe(false)
    }
    const result = await ask(about(anothers))
    expect(result.ok ? null : result.error).toMatchObject({ patient: 'person-b' })
    expect(desk.intents).toEqual([])
    const costs = async (entry: string) => {
      desk.records.seen.clear()
      await ask(about(entry))
      return [...desk.records.seen]
    }
    expect(await costs(anothers)).toEqual(await costs('montreal/99'))
  })

  test('reaches accesses made before records of the person were joined, and no further', async () => {
    desk.records.db.exec(`
      update source_record set person = 'person-old', clock = 1 where id = 'a-hopital';
      update source_record set person = 'person-a', clock = 2 where id = 'a-hopital';`)
    const id = await asked(about(desk.access('person-old')))
    expect(desk.records.rows('select source_record from question')).toEqual([{ source_record: 'a-hopital' }])
    expect(await idsOf(callers.patient)).toEqual([id])
    expect(statusOf(await ask(about(desk.access('person-old')), callers.stranger))).toBe('not-found')
    // Once the id stood for two persons nobody can tell whose the access was.
    desk.records.db.exec(`
      update source_record set person = 'person-old', clock = 3 where id = 'b-clinique';
      update source_record set person = 'person-b', clock = 4 where id = 'b-clinique';`)
    expect(statusOf(await ask(about(desk.access('person-old'))))).toBe('not-found')
    expect(statusOf(await ask(about(desk.access('person-old')), callers.officer))).toBe(201)
  })

  test('of a child is the guardian’s to ask, and the child’s to read later', async () => {
    const id = await asked(about(desk.access('person-child')), callers.guardian)
    const grown: Caller = { kind: 'patient', person: 'person-child', name: 'Enfant', assurance: 'high' }
    expect(await idsOf(callers.guardian)).toEqual([id])
    expect(await idsOf(grown)).toEqual([id])
    expect(await idsOf(callers.patient)).toEqual([])
    expect(statusOf(await ask(about(desk.access('person-a')), callers.guardian))).toBe('not-found')
  })

  test('is an officer’s to ask about an access of their own organisation', async () => {
    const own = desk.access('person-b')
    const elsewhere = desk.access('person-b', { organisation: 'gmf' })
    const ofNobody = desk.access(null)
    expect(statusOf(await ask(about(own), callers.ownOfficer))).toBe(201)
    expect(statusOf(await ask(about(ofNobody), callers.ownOfficer))).toBe(201)
    expect(statusOf(await ask(about(elsewhere), callers.ownOfficer))).toBe('not-found')
    expect(statusOf(await ask(about(elsewhere), callers.officer))).toBe(201)
    // What officers look into is not told to the person.
    expect(await idsOf(callers.stranger)).toEqual([])
    const [id = ''] = await idsOf(callers.otherOfficer)
    expect(statusOf(await read(id, callers.stranger))).toBe('not-found')
  })

  test('is answered by few if many: whoever has too many open asks no more', async () => {
    const entry = desk.access('person-a')
    const ids = []
    for (let i = 0; i < limits.maxOpenQuestions; i++) ids.push(await asked(about(entry)))
    expect(statusOf(await ask(about(entry)))).toBe('conflict')
    await act(ids[0] ?? '', { state: 'withdrawn' }, callers.patient)
    expect(statusOf(await ask(about(entry)))).toBe(201)
    expect(statusOf(await ask(about(desk.access('person-b')), callers.stranger))).toBe(201)
  })

  test.each([
    [{ kind: 'access', entry: 'montreal/0', text: 'x'.repeat(limits.maxQuestionLength + 1) }, 'text'],
    [{ kind: 'access', entry: 'montreal/0', text: 'court' }, 'text'],
    [{ kind: 'access', text }, 'entry'],
    [{ kind: 'complaint', text }, 'kind'],
    [{ ...about('montreal/0'), patient: 'Patient/b' }, 'patient'],
  ])('%# is refused with its place', async (body, where) => {
    desk.access('person-a')
    expect(expressions(await ask(body))).toEqual([where])
  })
})

describe('a request for correction', () => {
  beforeEach(() => {
    document('shared', 'a-hopital', 'hopital', 'person-a')
    document('anothers', 'b-clinique', 'clinique', 'person-b')
  })

  test('tells whoever asks nothing about the document, whether it is there, theirs, or not', async () => {
    const told = async (name: string) => {
      desk.records.seen.clear()
      const { id, ...created } = disclosed<Told>(await ask(correcting(name)))
      const statements = [...desk.records.seen].slice()
      const { history, ...shown } = disclosed<Told>(await read(id))
      const blind = (value: object) => JSON.stringify(value).replaceAll(name, 'NAME').replaceAll(id, 'ID')
      return { created: blind(created), shown: blind(shown), history, statements }
    }
    const shared = await told('Observation/shared')
    expect(await told('Observation/anothers')).toEqual(shared)
    expect(await told('Observation/nothing')).toEqual(shared)
    expect(shared.shown).not.toMatch(/organisation|ciusss|CIUSSS/)
    expect(shared.history?.[0]).not.toHaveProperty('organisation')
  })

  test('goes to the organisation that published the document, else to the officers of the whole record', async () => {
    const shared = await asked(correcting('Observation/shared'))
    const unknown = await asked(correcting('Observation/anothers'))
    expect(await idsOf(callers.ownOfficer)).toEqual([shared])
    expect(await idsOf(callers.otherOfficer)).toEqual([])
    expect((await idsOf(callers.officer)).sort()).toEqual([shared, unknown].sort())
    const refer = { state: 'referred', to: 'gmf', reason: 'Document local de la clinique' }
    expect(statusOf(await act(unknown, refer, callers.officer))).toBe(200)
    expect(await idsOf(callers.otherOfficer)).toEqual([unknown])
    expect(statusOf(await act(unknown, refer, callers.officer))).toBe('conflict')
    expect(expressions(await act(unknown, { ...refer, to: 'nobody' }, callers.otherOfficer))).toEqual(['to'])
    expect(statusOf(await act(unknown, { ...refer, to: undefined }, callers.otherOfficer))).toBe(200)
    expect(await idsOf(callers.otherOfficer)).toEqual([])
  })

  test('is refused with a reason, and with where one turns then', async () => {
    const id = await asked(correcting('Observation/shared'))
    const reason = 'Le laboratoire confirme la valeur.'
    expect(expressions(await act(id, { state: 'answered', answer: reply }))).toEqual(['outcome'])
    expect(expressions(await act(id, { state: 'answered', answer: reply, outcome: 'refused' }))).toEqual([
      'reason',
    ])
    expect(statusOf(await act(id, { state: 'answered', answer: reply, outcome: 'refused', reason }))).toBe(
      200,
    )
    expect(disclosed<Told>(await read(id, callers.patient, { language: 'en' })).answer).toEqual({
      text: reply,
      at: '2026-11-22T17:01:00.000Z',
      by: null,
      outcome: 'refused',
      reason,
      recourse: expect.stringMatching(/^You may ask the Commission d’accès à l’information du Québec/),
    })
    const { notices } = disclosed<{ notices: readonly { text: string }[] }>(
      await desk.ask(listNotices, callers.patient),
    )
    expect(notices).toMatchObject([{ question: id, text: expect.stringMatching(/refusée\. .*Commission/) }])
  })

  test('is not for officers to make here', async () => {
    expect(statusOf(await ask(correcting('Observation/shared'), callers.officer))).toBe(
      'operation-not-for-caller',
    )
  })
})

describe('an officer’s act', () => {
  let id: string
  beforeEach(async () => {
    id = await asked(about(desk.access('person-a')))
  })

  test('takes up, answers and closes, and the person reads each step', async () => {
    expect(statusOf(await act(id, { state: 'in-review' }))).toBe(200)
    const answered = await act(id, { state: 'answered', answer: reply })
    expect(answered.ok && answered.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    expect(statusOf(await act(id, { state: 'closed' }))).toBe(200)
    const { state, answer, history } = disclosed<Told>(await read(id))
    expect([state, answer?.text]).toEqual(['closed', reply])
    expect(history?.map(({ event, text: said }) => [event, said])).toEqual([
      ['asked', undefined],
      ['in-review', undefined],
      ['answered', reply],
      ['closed', undefined],
    ])
    expect(await idsOf(callers.ownOfficer)).toEqual([])
    expect(await idsOf(callers.ownOfficer, { status: 'closed', kind: 'access' })).toEqual([id])
    expect(await idsOf(callers.ownOfficer, { status: 'all', kind: 'correction' })).toEqual([])
    expect(await idsOf(callers.patient)).toEqual([id])
    expect(await idsOf(callers.patient, { status: 'open' })).toEqual([])
  })

  test('of another organisation is as if there were no question', async () => {
    for (const result of [
      await read(id, callers.otherOfficer),
      await act(id, { state: 'in-review' }, callers.otherOfficer),
      await read(id, callers.stranger),
      await act(id, { state: 'withdrawn' }, callers.stranger),
    ])
      expect(result.ok ? null : result.error).toEqual({
        reason: 'not-found',
        what: `question ${id}`,
        patient: 'person-a',
      })
    const nothing = await read('nothing', callers.stranger)
    expect(nothing.ok ? null : nothing.error.reason).toBe('not-found')
    expect(desk.intents).toHaveLength(1)
  })

  test('on their own access is for somebody else, but for handing it over', async () => {
    const own = await asked(about(desk.access('person-a', { practitioner: 'po-ciusss' })))
    const byLogin = await asked(about(desk.access('person-a', { practitioner: null, subject: 's' })))
    for (const of of [own, byLogin]) {
      expect(statusOf(await act(of, { state: 'in-review' }))).toBe('four-eyes')
      expect(statusOf(await act(of, { state: 'answered', answer: reply }))).toBe('four-eyes')
      const refer = { state: 'referred', reason: 'Mon propre accès est en cause' }
      expect(statusOf(await act(of, refer))).toBe(200)
    }
    // The desk's tokens are all of one login.
    expect(statusOf(await act(own, { state: 'answered', answer: reply }, callers.officer))).toBe(200)
  })

  test.each([
    [{ state: 'closed' }, 'conflict'],
    [{ state: 'received' }, 'invalid'],
    [{ state: 'withdrawn' }, 'invalid'],
    [{ state: 'answered' }, 'invalid'],
    [{ state: 'answered', answer: reply, outcome: 'accepted' }, 'invalid'],
    [{ state: 'in-review', answer: reply }, 'invalid'],
    [{ state: 'referred', reason: 'Déjà chez nous, voyons', to: 'ciusss' }, 'conflict'],
  ])('%j does not follow what was received', async (body, refused) => {
    expect(statusOf(await act(id, body))).toBe(refused)
    expect(desk.intents).toHaveLength(1)
  })

  test('at the same time as another’s is made once', async () => {
    desk.records.beforeWrite = () => {
      desk.records.db.exec(`
        update question_event set valid_to = 9 where question = '${id}';
        insert into question_event (question, version, state, organisation, asked_at, due, at, done_by, capacity, valid_from)
        select question, 2, 'in-review', organisation, asked_at, due, at, 'po', 'privacy-officer', 9
        from question_event where question = '${id}'`)
    }
    expect(statusOf(await act(id, { state: 'answered', answer: reply }))).toBe('conflict')
    expect(desk.records.rows('select * from notice')).toEqual([])
    expect(desk.records.rows('select version from question_event where valid_to is null')).toEqual([
      { version: 2 },
    ])
  })

  test('is told to whoever asked, not to whom an officer’s own question is about', async () => {
    const own = await asked(about(desk.access('person-b')), callers.ownOfficer)
    await act(own, { state: 'answered', answer: reply })
    expect(desk.records.rows('select * from notice')).toEqual([])
    await act(id, { state: 'answered', answer: reply })
    expect(desk.records.rows('select source_record, kind from notice')).toEqual([
      { source_record: 'a-clinique', kind: 'question' },
    ])
  })
})

describe('whoever asked', () => {
  let id: string
  beforeEach(async () => {
    id = await asked(about(desk.access('person-a')))
  })
  const followUp = { state: 'follow-up', text: 'Ce médecin n’est pas le mien.' }

  test('adds to the question, which is to be answered anew if it was', async () => {
    await act(id, followUp, callers.patient)
    expect(disclosed<Told>(await read(id))).toMatchObject({
      state: 'received',
      due: '2026-12-22T17:00:00.000Z',
    })
    await act(id, { state: 'answered', answer: reply })
    await act(id, followUp, callers.patient, noon + 10 * dayMs)
    const { state, due, answer, history } = disclosed<Told>(await read(id))
    expect([state, due, answer?.text]).toEqual(['received', '2027-01-01T17:00:00.000Z', reply])
    expect(history?.map(({ event }) => event)).toEqual(['asked', 'follow-up', 'answered', 'follow-up'])
    expect(await idsOf(callers.ownOfficer)).toEqual([id])
  })

  test('takes it back while it is open, and acts on it no more', async () => {
    expect(statusOf(await act(id, { state: 'withdrawn' }, callers.patient))).toBe(200)
    for (const body of [followUp, { state: 'withdrawn' }])
      expect(statusOf(await act(id, body, callers.patient))).toBe('conflict')
    expect(statusOf(await act(id, { state: 'in-review' }))).toBe('conflict')
    expect(await idsOf(callers.ownOfficer)).toEqual([])
  })

  test('does not answer it', async () => {
    for (const body of [{ state: 'answered', answer: reply }, { state: 'in-review' }, { state: 'closed' }])
      expect(statusOf(await act(id, body, callers.patient))).toBe('invalid')
  })

  test('finds its history bounded', async () => {
    for (let i = 1; i < limits.maxQuestionEvents; i++) await act(id, followUp, callers.patient)
    expect(statusOf(await act(id, followUp, callers.patient))).toBe('conflict')
    expect(disclosed<Told>(await read(id)).history).toHaveLength(limits.maxQuestionEvents)
  })
})

describe('the list', () => {
  test('is paged without missing or repeating one, by cursors of this caller and question', async () => {
    const total = limits.defaultPageRows + 5
    const entry = desk.access('person-b')
    for (let i = 0; i < total; i++) await asked(about(entry), callers.ownOfficer, noon + (i % 3))
    const first = disclosed<{ questions: readonly Told[]; next: string | null }>(
      await list(callers.ownOfficer),
    )
    expect(first.questions).toHaveLength(limits.defaultPageRows)
    const _cursor = new URL(first.next ?? '').searchParams.get('_cursor') ?? ''
    const second = disclosed<{ questions: readonly Told[]; next: string | null }>(
      await list(callers.ownOfficer, { _cursor }),
    )
    expect(second.next).toBeNull()
    expect(new Set([...first.questions, ...second.questions].map(({ id }) => id)).size).toBe(total)
    expect(expressions(await list(callers.ownOfficer, { _cursor, status: 'all' }))).toEqual(['_cursor'])
    expect(expressions(await list(callers.officer, { _cursor }))).toEqual(['_cursor'])
    expect(expressions(await list(callers.patient, { _cursor }))).toEqual(['_cursor'])
  })

  test('names in the log whom it tells of', async () => {
    await asked(about(desk.access('person-a')))
    await asked(about(desk.access('person-b')), callers.stranger)
    const officers = await list(callers.officer)
    expect(officers.ok && officers.value.disclosed.map(({ patient }) => patient).sort()).toEqual([
      'person-a',
      'person-b',
    ])
    const own = await list(callers.stranger)
    expect(own.ok && own.value.disclosed.map(({ patient }) => patient)).toEqual(['person-b'])
    expect(expressions(await list(callers.patient, { patient: 'person-b' }))).toEqual([''])
  })
})

describe('the rows', () => {
  test.each([
    'update question set text = text',
    'delete from question',
    `update question_event set text = 'autre'`,
    'delete from question_event',
    'update question_event set valid_to = null where valid_to is not null',
    `update notice set facts = '{}'`,
    'delete from notice',
  ])('never change: %s', async (sql) => {
    const id = await asked(about(desk.access('person-a')))
    await act(id, { state: 'answered', answer: reply })
    expect(() => desk.records.db.exec(sql)).toThrow('append-only')
  })
})
