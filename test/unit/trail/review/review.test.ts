/** The review as a whole: whom it is about, which month, what is told of what was decided, and that it scans nothing. */
import { beforeEach, describe, expect, test } from 'vitest'
import { decideFinding } from '../../../../src/governance/review-findings.ts'
import { limits } from '../../../../src/limits.ts'
import { auditReview } from '../../../../src/trail/review/operation.ts'
import { callers, disclosed, expressions, statusOf } from '../../governance/support.ts'
import { minuteMs, reviewTime, type Told, World, workday } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

const watch = () =>
  world.sql(`insert into watch_list (source_record, reason, starts, ends, recorded_by, valid_from)
    values ('a-clinique', 'personnalité publique', 0, 9e14, 'po', 1)`)

describe('a review', () => {
  test('of a month with nothing odd finds nothing, and says what it looked at', async () => {
    for (let i = 0; i < 5; i++) world.read()
    world.read({ who: { practitioner: 'dr-x', name: 'Dr X' }, log: 'quebec' })
    const { findings, summary, logs, rules } = await world.review()
    expect(findings).toEqual([])
    expect(summary).toEqual({
      professionals: 2,
      accesses: 6,
      findings: 0,
      muted: 0,
      notYetDue: 0,
      untold: 0,
      unreadAccesses: 0,
      isProfessionalsCut: false,
      isFactsCut: false,
    })
    expect(logs).toEqual([
      { log: 'montreal', first: 0, end: 5, prunedBefore: null },
      { log: 'quebec', first: 0, end: 1, prunedBefore: null },
    ])
    expect(Object.keys(rules)).toHaveLength(10)
  })

  test('of an empty ledger finds nothing', async () => {
    expect((await world.review()).summary).toMatchObject({ professionals: 0, accesses: 0 })
  })

  test('begins and ends at midnight in Québec, whatever the clocks do', async () => {
    watch()
    for (const at of [
      '2026-10-01T03:59:59.999Z',
      '2026-10-01T04:00:00.000Z',
      '2026-11-01T03:59:59.999Z',
      '2026-11-01T04:00:00.000Z',
      // Standard time by then.
      '2026-12-01T04:59:59.999Z',
      '2026-12-01T05:00:00.000Z',
    ])
      world.read({ at: Date.parse(at) })
    const of = async (month: string) => (await world.review('watch-list', { month })).findings[0]?.entries
    expect(await of('2026-09')).toEqual(['montreal/0'])
    expect(await of('2026-10')).toEqual(['montreal/1', 'montreal/2'])
    expect(await of('2026-11')).toEqual(['montreal/3', 'montreal/4'])
    expect(await of('2026-12')).toEqual(['montreal/5'])
  })

  test('looks at what was permitted to professionals who care: refusals, officers and systems are passed over', async () => {
    watch()
    world.read({ more: { decision: { outcome: 'deny', reason: 'relationship-required', detail: null } } })
    world.read({ who: { role: 'privacy-officer' } })
    world.read({ who: { practitioner: null } })
    world.read({ more: { action: 'publish' } })
    expect((await world.review('watch-list')).findings).toEqual([])
  })

  test('of the officer of one organisation is about its own professionals, and what they did for it', async () => {
    watch()
    world.read()
    world.read({ who: { facility: 'clinique', organisation: 'gmf' } })
    world.read({ who: { practitioner: 'dr-x', facility: 'clinique', organisation: 'gmf' } })
    const of = async (caller: (typeof callers)['officer' | 'ownOfficer' | 'otherOfficer']) =>
      (await world.review('watch-list', { caller })).findings.flatMap(({ entries }) => entries)
    expect(await of(callers.ownOfficer)).toEqual(['montreal/0'])
    expect(await of(callers.otherOfficer)).toEqual(['montreal/1', 'montreal/2'])
    expect(await of(callers.officer)).toHaveLength(3)
  })

  test('tells the officer of one organisation that a record is watched, and only the record’s officer why', async () => {
    watch()
    world.read()
    const numbersFor = async (caller: (typeof callers)['officer' | 'ownOfficer']) =>
      (await world.review('watch-list', { caller })).findings.map(({ numbers }) => numbers)
    expect(await numbersFor(callers.ownOfficer)).toEqual([{ accesses: 1 }])
    expect(await numbersFor(callers.officer)).toEqual([{ accesses: 1, reason: 'personnalité publique' }])
  })

  test('is for privacy officers, of a month, by rules there are', async () => {
    const ask = (
      query: Record<string, unknown>,
      caller: Parameters<World['desk']['ask']>[1] = callers.officer,
    ) => world.desk.ask(auditReview, caller, { query, ledger: world.ledger })
    for (const caller of [callers.patient, callers.provider, callers.manager, callers.operator])
      expect(statusOf(await ask({ month: '2026-10' }, caller))).toBe('operation-not-for-caller')
    expect(expressions(await ask({}))).toEqual(['month'])
    expect(expressions(await ask({ month: '2026-13' }))).toEqual(['month'])
    expect(expressions(await ask({ month: '2026-10', rule: 'nonsense' }))).toEqual(['rule'])
    expect((await world.review('volume')).rules).toMatchObject({ volume: { factor: 6 } })
  })

  test('passes over a rule that was switched off', async () => {
    watch()
    world.read()
    world.sql(`update review_rule set enabled = 0 where name = 'watch-list'`)
    expect((await world.review()).findings).toEqual([])
  })

  test('has the same ids whenever it is made, of each finding its own', async () => {
    watch()
    world.read()
    world.read({ who: { practitioner: 'dr-x' } })
    const ids = async (month: string) => (await world.review(null, { month })).findings.map(({ id }) => id)
    const first = await ids('2026-10')
    expect(new Set(first).size).toBe(2)
    world.read()
    expect(await ids('2026-10')).toEqual(first)
  })

  test('goes on past a page of one professional, in every log, and names the first entries of a finding', async () => {
    watch()
    const [east, west] = [limits.reviewPageEntries - 1, 3]
    for (let i = 0; i < east; i++) world.read({ at: workday + i })
    for (let i = 0; i < west; i++) world.read({ at: workday + i, log: 'quebec' })
    world.read({ who: { practitioner: 'inf-cote' } })
    const { findings, summary } = await world.review('watch-list')
    expect(findings.map(({ entryCount, entries }) => [entryCount, entries.length])).toEqual([
      [east + west, limits.maxFindingEntries],
      [1, 1],
    ])
    expect(summary).toMatchObject({ accesses: east + west + 1, unreadAccesses: 0 })
  })

  test('finds no statement that scans: the ledger by named indexes, the record by index or by bound list', async () => {
    watch()
    world.read()
    world.lookUp()
    await world.review()
    const plans = world.plans()
    expect(plans.filter((step) => step.includes('ledger_body_practitioner')).length).toBeGreaterThan(3)
    expect(plans.filter((step) => /^SCAN (?!CONSTANT ROW|who|logs|part)/.test(step))).toEqual([])
    expect(plans.filter((step) => /^SCAN (who|part) (?!VIRTUAL TABLE)/.test(step))).toEqual([])
    const scans = [...world.desk.records.seen].flatMap((sql) =>
      world.desk.records
        .rows(`explain query plan ${sql}`)
        .map(({ detail }) => String(detail))
        .filter((step) =>
          /^SCAN (?!CONSTANT ROW|mine|own|e$|\(subquery|review_rule|\w+ VIRTUAL TABLE)/.test(step),
        )
        .map((step) => `${step}: ${sql}`),
    )
    expect(scans).toEqual([])
  })
})

describe('a decision on a finding', () => {
  const decide = (body: object, caller: Parameters<World['desk']['ask']>[1] = callers.officer) =>
    world.desk.ask(decideFinding, caller, { body, now: reviewTime })
  const named = ({ rule, professional, patient }: Told) => ({
    month: '2026-10',
    rule,
    professional: professional.id,
    ...(patient === null ? {} : { person: patient.person }),
  })
  const note = 'Personne de garde ce jour-là'
  const nextMonth = Date.parse('2026-11-10T15:00:00Z')
  let finding: Told
  beforeEach(async () => {
    watch()
    world.read()
    world.read({ at: nextMonth })
    finding = (await world.review('watch-list')).findings[0] as Told
  })

  test('is told with the same pattern the next time, and with no other', async () => {
    expect(disclosed(await decide({ ...named(finding), decision: 'unjustified', note }))).toMatchObject({
      id: finding.id,
    })
    world.read({ at: nextMonth + minuteMs, who: { practitioner: 'inf-cote' } })
    const { findings } = await world.review('watch-list', { month: '2026-11' })
    expect(findings.map(({ professional, decisions }) => [professional.id, decisions])).toEqual([
      [
        'dr-roy',
        [
          {
            month: '2026-10',
            decision: 'unjustified',
            note,
            mutedUntil: null,
            by: 'po',
            at: new Date(reviewTime).toISOString(),
          },
        ],
      ],
      ['inf-cote', []],
    ])
    expect(world.desk.intents).toEqual([
      {
        finding: finding.id,
        month: '2026-10',
        rule: 'watch-list',
        professional: 'dr-roy',
        decision: 'unjustified',
      },
    ])
  })

  test('follows the person whose source records are joined', async () => {
    await decide({ ...named(finding), decision: 'referred', note })
    world.sql(`update source_record set person = 'person-c', clock = 9 where person = 'person-a'`)
    world.read({ at: nextMonth + minuteMs, patient: 'person-c' })
    const { findings } = await world.review('watch-list', { month: '2026-11' })
    expect(findings.map(({ decisions }) => decisions.length)).toEqual([1, 1])
  })

  test('that justifies mutes the pattern until a day, which the summary says', async () => {
    await decide({ ...named(finding), decision: 'justified', note, mutedUntil: '2026-12-10' })
    const on = (day: string) =>
      world.review('watch-list', { month: '2026-11', now: Date.parse(`${day}T12:00:00Z`) })
    const muted = await on('2026-12-09')
    expect([muted.findings, muted.summary.muted]).toEqual([[], 1])
    expect((await on('2026-12-10')).findings).toHaveLength(1)
    // What was found not justified after all is told again at once.
    await decide({ ...named(finding), decision: 'unjustified', note })
    expect((await on('2026-12-09')).findings).toHaveLength(1)
  })

  test('is never made by the professional concerned, nor about those of another organisation', async () => {
    const body = { ...named(finding), decision: 'justified' }
    const self = { ...callers.officer, professional: 'dr-roy' }
    expect(statusOf(await decide(body, self))).toBe('four-eyes')
    expect(statusOf(await decide(body, callers.otherOfficer))).toBe('not-own-organisation')
    expect(statusOf(await decide(body, callers.ownOfficer))).toBe(200)
    expect(statusOf(await decide(body, callers.patient))).toBe('operation-not-for-caller')
  })

  test('names a professional and a person there are, and words where it does not justify', async () => {
    const body = { ...named(finding), decision: 'justified' }
    expect(expressions(await decide({ ...body, professional: 'nobody' }))).toEqual(['professional'])
    expect(expressions(await decide({ ...body, person: 'nobody' }))).toEqual(['person'])
    expect(expressions(await decide({ ...body, decision: 'referred', note: 'court' }))).toEqual(['note'])
    expect(expressions(await decide({ ...body, mutedUntil: '2028-01-01' }))).toEqual(['mutedUntil'])
    expect(
      expressions(await decide({ ...body, decision: 'referred', note, mutedUntil: '2026-12-01' })),
    ).toEqual(['mutedUntil'])
    expect(world.desk.intents).toEqual([])
  })

  test('stays as it was made', () => {
    world.sql(`insert into finding_decision (finding, month, rule, professional, source_record, decision, note, muted_until,
      decided_by, decided_at, valid_from) values ('f', '2026-10', 'volume', 'dr-roy', '', 'justified', '', '', 'po', '', 1)`)
    expect(() => world.sql(`update finding_decision set decision = 'referred'`)).toThrow('append-only')
    expect(() => world.sql('delete from finding_decision')).toThrow('append-only')
  })
})
