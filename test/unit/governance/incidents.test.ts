import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { breakGlass } from '../../../src/governance/break-glass.ts'
import { listIncidents, readIncident } from '../../../src/governance/incident-read.ts'
import { openIncident, reviseIncident } from '../../../src/governance/incident-write.ts'
import { actOnQuestion } from '../../../src/governance/question-act.ts'
import { askQuestion } from '../../../src/governance/question-ask.ts'
import { limits } from '../../../src/limits.ts'
import type { Result } from '../../../src/result.ts'
import { concluded, register, serious } from './incidents.ts'
import { callers, type Desk, disclosed, expressions, noon, openDesk, provider, statusOf } from './support.ts'

interface Told {
  readonly id: string
  readonly status: string
  readonly version: number
  readonly organisation: string | null
  readonly from: unknown
  readonly versions?: readonly Readonly<Record<string, unknown>>[]
}
interface Page {
  readonly incidents: readonly Told[]
  readonly next: string | null
}

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})

const open = (body: unknown = register, caller: Caller = callers.ownOfficer) =>
  desk.ask(openIncident, caller, { body })
const opened = async (body: unknown = register, caller: Caller = callers.ownOfficer): Promise<string> =>
  disclosed<Told>(await open(body, caller)).id
const revise = (id: string, body: unknown, caller: Caller = callers.ownOfficer) =>
  desk.ask(reviseIncident, caller, { param: { id }, body })
const read = (id: string, caller: Caller = callers.ownOfficer) =>
  desk.ask(readIncident, caller, { param: { id } })
const list = (query: Record<string, string> = {}, caller: Caller = callers.ownOfficer) =>
  desk.ask(listIncidents, caller, { query })
const idsOf = async (query: Record<string, string> = {}, caller: Caller = callers.ownOfficer) =>
  disclosed<Page>(await list(query, caller)).incidents.map(({ id }) => id)
const questioned = async (who: Record<string, string | null> = {}): Promise<string> =>
  disclosed<Told>(
    await desk.ask(askQuestion, callers.patient, {
      body: { kind: 'access', entry: desk.access('person-a', who), text: 'Qui est cette personne ?' },
    }),
  ).id

/** The text of a streamed file, and whom each of its chunks names. */
async function fileOf(result: Result<Disclosure, Refusal>) {
  if (!result.ok || typeof result.value.body === 'string') throw new Error(JSON.stringify(result))
  const patients: string[][] = []
  let text = ''
  for await (const chunk of result.value.body.chunks) {
    patients.push([...chunk.patients])
    text += new TextDecoder().decode(chunk.bytes)
  }
  return { text, patients, lines: text.trimEnd().split('\r\n') }
}

describe('an incident', () => {
  test('is entered from nothing, for the officer’s organisation', async () => {
    const id = await opened()
    expect(desk.intents).toEqual([{ incident: id }])
    expect(disclosed<Told>(await read(id))).toMatchObject({
      id,
      organisation: 'ciusss',
      from: null,
      by: 'po-ciusss',
      status: 'open',
      version: 1,
      ...register,
      notices: {},
      versions: [{ version: 1, status: 'open', by: 'po-ciusss', circumstances: register.circumstances }],
    })
  })

  test('is entered from a question, and its reading names the patient', async () => {
    const question = await questioned()
    const result = await open({ ...register, from: { question } })
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    const { id } = disclosed<Told>(result)
    const told = await read(id)
    expect(disclosed<Told>(told).from).toEqual({ question })
    for (const disclosure of [
      told,
      await list(),
      await revise(id, { ...register, version: 1, status: 'open' }),
    ])
      expect(disclosure.ok && disclosure.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    // The register tells how many, not who.
    expect(told.ok && told.value.body).not.toMatch(/a-hopital|a-clinique|person-a/)
  })

  test('is entered from an item of the review queue, and from a finding by its name', async () => {
    const review = disclosed<Told>(
      await desk.ask(breakGlass, provider({ purpose: 'BTG' }), {
        body: { patient: 'Patient/a-hopital', reason: 'Inconsciente, aucun proche' },
        now: noon,
      }),
    ).id
    const fromReview = await open({ ...register, from: { review } })
    expect(fromReview.ok && fromReview.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    const finding = '2026-11/same-name/dr-roy'
    const id = await opened({ ...register, from: { finding } })
    expect(disclosed<Told>(await read(id)).from).toEqual({ finding })
    expect(statusOf(await open({ ...register, from: { review } }, callers.otherOfficer))).toBe('not-found')
    expect(statusOf(await open({ ...register, from: { review: 'nothing' } }))).toBe('not-found')
  })

  test('is not entered from another organisation’s question, nor about one’s own access', async () => {
    const question = await questioned()
    expect(statusOf(await open({ ...register, from: { question } }, callers.otherOfficer))).toBe('not-found')
    expect(statusOf(await open({ ...register, from: { question: 'nothing' } }))).toBe('not-found')
    const own = await questioned({ practitioner: 'po-ciusss' })
    expect(statusOf(await open({ ...register, from: { question: own } }))).toBe('four-eyes')
    const handed = { state: 'referred', to: 'gmf', reason: 'La clinique en est saisie' }
    await desk.ask(actOnQuestion, callers.ownOfficer, { param: { id: question }, body: handed })
    expect(statusOf(await open({ ...register, from: { question } }))).toBe('not-found')
  })

  test('of the whole record is the whole record’s, or the organisation’s that its officer names', async () => {
    const whole = await opened(register, callers.officer)
    const named = await opened({ ...register, organisation: 'gmf' }, callers.officer)
    const questions = await opened({ ...register, from: { question: await questioned() } }, callers.officer)
    expect(await idsOf({}, callers.otherOfficer)).toEqual([named])
    expect(await idsOf()).toEqual([questions])
    expect((await idsOf({}, callers.officer)).sort()).toEqual([whole, named, questions].sort())
    expect(statusOf(await open({ ...register, organisation: 'gmf' }))).toBe('not-own-organisation')
    expect(expressions(await open({ ...register, organisation: 'nobody' }, callers.officer))).toEqual([
      'organisation',
    ])
    for (const result of [
      await read(whole),
      await revise(named, { ...register, version: 1, status: 'open' }),
      await read('nothing'),
    ])
      expect(statusOf(result)).toBe('not-found')
  })

  test.each([
    [{ information: undefined }, ['information']],
    [{ informationUnknown: 'Le serveur a été détruit.' }, ['information']],
    [{ circumstances: undefined }, ['circumstances']],
    [{ circumstances: 'x'.repeat(limits.maxIncidentTextLength + 1) }, ['circumstances']],
    [{ occurred: { from: '2026-11-31' } }, ['occurred.from']],
    [{ occurred: { from: '2026-11-03', to: '2026-11-02' } }, ['occurred.to']],
    [{ occurred: { from: '2026-11-21' } }, ['aware.from']],
    [{ aware: { from: '2026-11-23' } }, ['aware.to']],
    [{ persons: { count: -1 } }, ['persons.count']],
    [{ persons: { count: 1.5 } }, ['persons.count']],
    [
      { notices: { commission: '2026-11-19', persons: '2026-12-01' } },
      ['notices.commission', 'notices.persons'],
    ],
    [{ from: {} }, ['from']],
    [{ from: { question: 'a', finding: 'b' } }, ['from']],
    [{ status: 'closed' }, ['status']],
  ])('with %j is refused with its place', async (over, where) => {
    expect([...expressions(await open({ ...register, ...over }))].sort()).toEqual(where)
    expect(desk.intents).toEqual([])
  })

  test('may say why nobody knows what it concerns', async () => {
    const { information: _, ...rest } = register
    expect(statusOf(await open({ ...rest, informationUnknown: 'Le serveur a été détruit.' }))).toBe(201)
  })
})

describe('a version', () => {
  let id: string
  beforeEach(async () => {
    id = await opened()
  })

  test('follows the one it names, and every one is kept', async () => {
    expect(statusOf(await revise(id, { ...concluded, version: 1, status: 'closed' }))).toBe(200)
    expect(statusOf(await revise(id, { ...concluded, version: 1, status: 'open' }))).toBe('conflict')
    expect(statusOf(await revise(id, { ...serious, version: 2, status: 'open' }))).toBe(200)
    const { status, version, versions } = disclosed<Told>(await read(id))
    expect([status, version]).toEqual(['open', 3])
    expect(versions?.map(({ version: n, status: was, measures }) => [n, was, measures])).toEqual([
      [1, 'open', undefined],
      [2, 'closed', concluded.measures],
      [3, 'open', concluded.measures],
    ])
  })

  test.each([
    [register, ['measures', 'risk']],
    [{ ...concluded, measures: undefined }, ['measures']],
    [{ ...serious, notices: {} }, ['notices.commission', 'notices.minister', 'notices.persons']],
    [{ ...serious, notices: { minister: '2026-11-20', persons: '2026-11-20' } }, ['notices.commission']],
  ])('%# closes nothing that the register still lacks', async (body, missing) => {
    const closing = await revise(id, { ...body, version: 1, status: 'closed' })
    expect([...expressions(closing)].sort()).toEqual(missing)
  })

  test('closes a serious one after the notices, where nobody could be reached after a public one', async () => {
    const { persons: _, ...sent } = serious.notices
    const notices = { ...sent, public: { given: '2026-11-22', reason: 'Adresses inconnues de l’organisme.' } }
    expect(statusOf(await revise(id, { ...serious, notices, version: 1, status: 'closed' }))).toBe(200)
  })

  test('of two at the same time is written once', async () => {
    desk.records.beforeWrite = () => {
      desk.records.db.exec(`
        update incident_version set valid_to = 9;
        insert into incident_version (incident, version, status, body, at, done_by, valid_from)
        select incident, 2, 'open', body, at, 'po', 9 from incident_version`)
    }
    expect(statusOf(await revise(id, { ...concluded, version: 1, status: 'closed' }))).toBe('conflict')
    expect(disclosed<Told>(await read(id)).versions).toHaveLength(2)
  })

  test.each([
    'update incident set at = at',
    'delete from incident',
    `update incident_version set body = '{}'`,
    'delete from incident_version',
    'update incident_version set valid_to = 1 where valid_to is not null',
  ])('never changes: %s', async (sql) => {
    await revise(id, { ...concluded, version: 1, status: 'closed' })
    expect(() => desk.records.db.exec(sql)).toThrow('append-only')
  })
})

describe('the register', () => {
  test('is searched by state and by the day of becoming aware', async () => {
    const early = await opened({ ...register, aware: { from: '2026-11-04' } })
    const late = await opened()
    await revise(early, { ...concluded, aware: { from: '2026-11-04' }, version: 1, status: 'closed' })
    expect(await idsOf()).toEqual([late, early])
    expect(await idsOf({ status: 'open' })).toEqual([late])
    expect(await idsOf({ status: 'closed' })).toEqual([early])
    expect(await idsOf({ from: '2026-11-04', to: '2026-11-04' })).toEqual([early])
    expect(await idsOf({ from: '2026-11-05' })).toEqual([late])
    expect(expressions(await list({ from: 'hier' }))).toEqual(['from'])
  })

  test('is paged without missing or repeating one, and one file holds it whole', async () => {
    const total = limits.defaultPageRows * 2
    for (let i = 0; i < total; i++) await opened()
    const first = disclosed<Page>(await list())
    const _cursor = new URL(first.next ?? '').searchParams.get('_cursor') ?? ''
    const second = disclosed<Page>(await list({ _cursor }))
    expect(second.next).toBeNull()
    expect(new Set([...first.incidents, ...second.incidents].map(({ id }) => id)).size).toBe(total)
    expect(expressions(await list({ _cursor }, callers.officer))).toEqual(['_cursor'])
    expect(expressions(await list({ _cursor, format: 'csv' }))).toEqual(['_cursor'])
    const { lines } = await fileOf(await list({ format: 'csv' }))
    expect(new Set(lines).size).toBe(total + 1)
  })

  test('as a file has every field of the regulation, and names the patients of its lines in the log', async () => {
    const id = await opened({ ...register, from: { question: await questioned() } })
    await revise(id, { ...serious, version: 1, status: 'closed' })
    const result = await list({ format: 'csv' })
    const { lines, patients } = await fileOf(result)
    expect(lines[0]).toBe(
      'id,organisation,status,version,opened,changed,origin,information,information_unknown,circumstances,occurred_from,occurred_to,occurred_approximate,aware_from,aware_to,persons,persons_approximate,serious_injury,risk_elements,notice_minister,notice_commission,notice_persons,public_notice,public_notice_reason,measures',
    )
    expect(lines[1]).toContain(`${id},ciusss,closed,2,`)
    expect(lines[1]).toContain('2026-11-20,2026-11-21,2026-11-21,,,')
    expect(patients).toEqual([[], ['person-a']])
    expect(result.ok && result.value.note).toMatchObject({ incidents: '1', status: 'all' })
    expect((await fileOf(await list({ format: 'csv' }, callers.otherOfficer))).lines).toHaveLength(1)
  })

  test('as a file holds no formula, whatever was written', async () => {
    await opened({
      ...register,
      circumstances: '=HYPERLINK("http://evil.example";"x")\n+1; @SUM(A1)',
      information: '-2+3+cmd|calc, "guillemets"',
    })
    const { text } = await fileOf(await list({ format: 'csv' }))
    expect(text).toContain(`"'-2+3+cmd|calc, ""guillemets"""`)
    expect(text).toContain(`"'=HYPERLINK(""http://evil.example"";""x"")\n'+1; @SUM(A1)"`)
  })

  test('past what one file holds asks for a period', async () => {
    desk.records.db.exec(`
      with recursive n (i) as (select 1 union all select i + 1 from n where i <= ${limits.maxIncidentExportRows})
      insert into incident select 'i' || i, 'ciusss', '', '', '', '2026-01-01T00:00:00.000Z', 'po', 0 from n;
      insert into incident_version (incident, version, status, body, at, done_by, valid_from)
        select id, 1, 'open', '${JSON.stringify({ ...register, notices: {} })}', at, 'po', 0 from incident`)
    expect(statusOf(await list({ format: 'csv' }))).toBe('too-costly')
    expect(statusOf(await list({ format: 'csv', to: '2026-01-01' }))).toBe(200)
  })
})
