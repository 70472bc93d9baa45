/** What officers and managers set for the monthly review: its rules, the watch list, which `Patient` a professional is. */
import { beforeEach, describe, expect, test } from 'vitest'
import { endOwnPerson, registerOwnPerson } from '../../../src/governance/professional-person.ts'
import { changeReviewRule } from '../../../src/governance/review-rules.ts'
import { listWatched, unwatchRecord, watchRecord } from '../../../src/governance/watch-list.ts'
import { limits } from '../../../src/limits.ts'
import { callers, type Desk, disclosed, expressions, openDesk, statusOf } from './support.ts'

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})
type Who = Parameters<Desk['ask']>[1]

describe('a rule', () => {
  const set = (body: object, caller: Who = callers.officer) => desk.ask(changeReviewRule, caller, { body })
  const volume = { rule: 'volume', enabled: true, thresholds: { factor: 4, minGroup: 8, minPatients: 50 } }
  const rows = () =>
    desk.records.rows(
      `select thresholds, enabled, valid_to from review_rule where name = 'volume' order by row`,
    )

  test('is changed by ending what held, and told to the log', async () => {
    expect(disclosed(await set(volume))).toMatchObject({ changed: true })
    expect(rows()).toEqual([
      { thresholds: '{"factor":6,"minGroup":10,"minPatients":100}', enabled: 1, valid_to: 1 },
      { thresholds: '{"factor":4,"minGroup":8,"minPatients":50}', enabled: 1, valid_to: null },
    ])
    expect(desk.intents).toEqual([
      {
        change: 'review-rule',
        rule: 'volume',
        enabled: 'true',
        thresholds: '{"factor":4,"minGroup":8,"minPatients":50}',
      },
    ])
    expect(disclosed(await set(volume))).toMatchObject({ changed: false })
  })

  test('has the thresholds of that rule, all of them and no other', async () => {
    expect(expressions(await set({ ...volume, thresholds: { factor: 4, minGroup: 8 } }))).toEqual([
      'minPatients',
    ])
    expect(expressions(await set({ ...volume, thresholds: { ...volume.thresholds, x: 1 } }))).toEqual(['x'])
    expect(expressions(await set({ ...volume, rule: 'nonsense' }))).toEqual(['rule'])
    expect(rows()).toHaveLength(1)
  })

  test('is the officer’s of the whole record', async () => {
    expect(statusOf(await set(volume, callers.ownOfficer))).toBe('not-own-organisation')
    expect(statusOf(await set(volume, callers.operator))).toBe('operation-not-for-caller')
  })
})

describe('the watch list', () => {
  const patient = 'Patient/a-hopital'
  const body = { patient, reason: 'Ministre en exercice', ends: '2027-06-01T00:00:00Z' }
  const watch = (over: object = {}, caller: Who = callers.officer) =>
    desk.ask(watchRecord, caller, { body: { ...body, ...over } })

  test('tells whom it watches, why and until when; each is named in the log', async () => {
    expect(statusOf(await watch({ starts: '2026-12-01T00:00:00Z' }))).toBe(201)
    const list = await desk.ask(listWatched, callers.officer)
    expect(disclosed(list)).toEqual({
      watched: [
        {
          patient,
          reason: body.reason,
          starts: '2026-12-01T00:00:00.000Z',
          ends: '2027-06-01T00:00:00.000Z',
          by: 'po',
        },
      ],
    })
    expect(list.ok && list.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    expect(desk.intents).toEqual([{ change: 'watched', patient: 'person-a', reason: body.reason }])
  })

  test('is ended by any record of the person, once', async () => {
    await watch()
    const end = () => desk.ask(unwatchRecord, callers.officer, { body: { patient: 'Patient/a-clinique' } })
    expect(disclosed(await end())).toMatchObject({ changed: true })
    expect(disclosed(await end())).toMatchObject({ changed: false })
    expect(disclosed(await desk.ask(listWatched, callers.officer))).toEqual({ watched: [] })
    expect(
      statusOf(await desk.ask(unwatchRecord, callers.officer, { body: { patient: 'Patient/b-clinique' } })),
    ).toBe('not-found')
  })

  test('watches nobody twice, nobody unknown, for a time that ends, and is bounded', async () => {
    await watch()
    expect(statusOf(await watch())).toBe('conflict')
    expect(statusOf(await watch({ patient: 'Patient/nobody' }))).toBe('not-found')
    expect(expressions(await watch({ patient: 'Patient/b-clinique', ends: '2026-01-01T00:00:00Z' }))).toEqual(
      ['ends'],
    )
    expect(expressions(await watch({ patient: 'Patient/b-clinique', ends: '2029-01-01T00:00:00Z' }))).toEqual(
      ['ends'],
    )
    const insert = desk.records.db.prepare(
      `insert into watch_list (source_record, reason, starts, ends, recorded_by, valid_from) values (?, '', 0, 1, '', 0)`,
    )
    for (let i = 1; i < limits.maxWatchedRecords; i++) insert.run(`w${i}`)
    expect(statusOf(await watch({ patient: 'Patient/b-clinique' }))).toBe('conflict')
  })

  test('is nobody else’s to see', async () => {
    expect(statusOf(await watch({}, callers.ownOfficer))).toBe('not-own-organisation')
    expect(statusOf(await desk.ask(listWatched, callers.ownOfficer))).toBe('not-own-organisation')
    expect(statusOf(await desk.ask(listWatched, callers.operator))).toBe('operation-not-for-caller')
  })
})

describe('which patient a professional is', () => {
  const set = (caller: Who, over: object = {}) =>
    desk.ask(registerOwnPerson, caller, {
      body: { professional: 'dr-roy', patient: 'Patient/a-hopital', ...over },
    })
  const rows = () =>
    desk.records.rows('select professional, source_record, valid_to from professional_person order by row')

  test('is said by the manager of the facility or an officer, and ended, never changed', async () => {
    expect(statusOf(await set(callers.manager))).toBe(200)
    expect(statusOf(await set(callers.ownOfficer, { patient: 'Patient/a-clinique' }))).toBe(200)
    expect(
      statusOf(await desk.ask(endOwnPerson, callers.officer, { body: { professional: 'dr-roy' } })),
    ).toBe(200)
    expect(rows()).toEqual([
      { professional: 'dr-roy', source_record: 'a-hopital', valid_to: 2 },
      { professional: 'dr-roy', source_record: 'a-clinique', valid_to: 3 },
    ])
    expect(desk.intents[0]).toEqual({
      change: 'professional-person',
      professional: 'dr-roy',
      patient: 'person-a',
    })
    expect(
      statusOf(await desk.ask(endOwnPerson, callers.officer, { body: { professional: 'dr-roy' } })),
    ).toBe('not-found')
  })

  test('is not said of oneself, of those of another place, or of whom nobody knows', async () => {
    expect(statusOf(await set(callers.manager, { professional: 'gestion' }))).toBe('four-eyes')
    expect(statusOf(await set(callers.otherOfficer))).toBe('not-own-organisation')
    expect(statusOf(await set(callers.officer, { patient: 'Patient/nobody' }))).toBe('not-found')
    expect(expressions(await set(callers.officer, { professional: 'nobody' }))).toEqual(['professional'])
    expect(statusOf(await set(callers.provider))).toBe('operation-not-for-caller')
    expect(rows()).toEqual([])
  })
})
