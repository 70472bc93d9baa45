import { beforeEach, describe, expect, test } from 'vitest'
import { attest } from '../../../src/governance/attest.ts'
import { breakGlass } from '../../../src/governance/break-glass.ts'
import {
  callers,
  clinic,
  type Desk,
  disclosed,
  expressions,
  noon,
  openDesk,
  provider,
  statusOf,
} from './support.ts'

const body = { patient: 'Patient/a-hopital', reason: 'Suivi en clinique externe' }
const emergency = provider({ purpose: 'ETREAT' })
let desk: Desk
beforeEach(() => {
  desk = openDesk()
})

const count = (table: string): number => desk.records.rows(`select * from ${table}`).length
const refuseAll = (source: string): void =>
  desk.records.db.exec(`insert into consent_rule (consent, source_record, kind, valid_from)
    values ('c', '${source}', 'refusal-total', 0)`)

describe('an attestation', () => {
  test('opens a relationship for the hours of the policy, tells the patient and asks for a review', async () => {
    const result = await desk.ask(attest, callers.provider, { body, now: noon })
    expect(statusOf(result)).toBe(201)
    const until = '2026-11-29T17:00:00.000Z'
    expect(disclosed(result)).toEqual({
      relationship: expect.stringMatching(/^attestation\/[0-9a-f]{32}$/),
      until,
    })
    expect(desk.records.rows('select * from relationship')).toEqual([
      expect.objectContaining({
        kind: 'attestation',
        source_record: 'a-hopital',
        facility: 'hopital',
        professional: 'dr-roy',
        starts: noon,
        ends: Date.parse(until),
        reason: body.reason,
        valid_from: 1,
        valid_to: null,
      }),
    ])
    expect(desk.records.rows('select * from review_item')).toEqual([
      expect.objectContaining({ kind: 'attestation', professional: 'dr-roy', organisation: 'ciusss' }),
    ])
    const [notice] = desk.records.rows('select * from notice')
    expect(notice).toMatchObject({ kind: 'attestation', source_record: 'a-hopital' })
    expect(JSON.parse(String(notice?.facts))).toMatchObject({ name: 'Dre Roy', reason: body.reason, until })
    if (result.ok)
      expect(result.value).toMatchObject({
        disclosed: [{ patient: 'person-a', resources: [] }],
        headers: { 'Dossier-Clock': expect.stringMatching(/^[0-9a-f]{8}\.1$/) },
      })
  })

  test('is told to the audit log before the record is written, and its key names the patient', async () => {
    await desk.ask(attest, callers.provider, { body })
    expect(desk.intents).toEqual([{ patient: 'person-a', reason: body.reason }])
    expect(desk.records.rows('select persons from write_key')).toEqual([{ persons: '["person-a"]' }])
  })

  test('repeated while in force is the same one, also by another source record of the person', async () => {
    const first = disclosed(await desk.ask(attest, callers.provider, { body }))
    const again = await desk.ask(attest, callers.provider, {
      body: { ...body, patient: 'Patient/a-clinique' },
    })
    expect(statusOf(again)).toBe(200)
    expect(disclosed(again)).toEqual(first)
    expect([count('relationship'), count('notice'), count('review_item')]).toEqual([1, 1, 1])
  })

  test('is made anew after it has run out, by another professional, or at another facility', async () => {
    await desk.ask(attest, callers.provider, { body, now: noon })
    const week = 168 * 60 * 60_000
    expect(statusOf(await desk.ask(attest, callers.provider, { body, now: noon + week }))).toBe(201)
    expect(statusOf(await desk.ask(attest, provider({ professional: 'inf-cote' }), { body }))).toBe(201)
    expect(statusOf(await desk.ask(attest, provider({ facility: clinic }), { body }))).toBe(201)
  })

  test('whose answer was lost on the way to us answers as it was stored', async () => {
    desk.records.failNext = 'repeated'
    const result = await desk.ask(attest, callers.provider, { body })
    expect(statusOf(result)).toBe(201)
    expect(disclosed(result).relationship).toBe(
      desk.records.rows('select source from relationship')[0]?.source,
    )
  })

  test('about nobody is refused as a missing relationship is, and writes nothing', async () => {
    const nobody = await desk.ask(attest, callers.provider, { body: { ...body, patient: 'Patient/nobody' } })
    expect(nobody).toEqual({ ok: false, error: { reason: 'forbidden', cause: 'relationship-required' } })
    expect([desk.intents, count('relationship')]).toEqual([[], 0])
  })

  test('answers the same while the patient refuses everything', async () => {
    refuseAll('a-clinique')
    expect(statusOf(await desk.ask(attest, callers.provider, { body }))).toBe(201)
  })

  test.each(['TREAT', 'ETREAT', 'BTG'])('is made for %s', async (purpose) => {
    expect(statusOf(await desk.ask(attest, provider({ purpose }), { body }))).toBe(201)
  })

  test('is made for no other purpose, and not where the policy gives it no time', async () => {
    expect(statusOf(await desk.ask(attest, provider({ purpose: 'HOPERAT' }), { body }))).toBe(
      'purpose-not-permitted',
    )
    desk.settings = { ...desk.settings, attestationHours: 0 }
    expect(statusOf(await desk.ask(attest, callers.provider, { body }))).toBe('relationship-required')
    expect(count('relationship')).toBe(0)
  })

  test.each([
    [{ patient: 'Patient/a-hopital' }, ['reason'], 'reason is required.'],
    [{ ...body, reason: ' short ' }, ['reason'], 'reason is under 10 characters.'],
    [{ ...body, reason: 'x'.repeat(251) }, ['reason'], 'reason is past 250 characters.'],
    [{ ...body, patient: 'a-hopital' }, ['patient'], 'patient does not have the required form.'],
    [{ ...body, facility: 'clinique' }, ['facility'], 'facility: unknown member.'],
    [[], [undefined], 'The body must be of type object.'],
  ])('with %j is refused in both languages', async (wrong, where, en) => {
    const result = await desk.ask(attest, callers.provider, { body: wrong })
    expect(expressions(result)).toEqual(where)
    if (!result.ok && result.error.reason === 'invalid')
      expect(result.error.issues[0]?.text).toEqual({ fr: expect.stringMatching(/\.$/), en })
    expect(desk.intents).toEqual([])
  })
})

describe('breaking the glass', () => {
  test('opens a window for one professional, one facility and one patient, told and to be reviewed', async () => {
    const result = await desk.ask(breakGlass, emergency, { body, now: noon })
    expect(statusOf(result)).toBe(201)
    const { id, until } = disclosed<{ id: string; until: string }>(result)
    expect(until).toBe('2026-11-23T05:00:00.000Z')
    expect(desk.records.rows('select * from break_glass')).toEqual([
      expect.objectContaining({
        id,
        source_record: 'a-hopital',
        facility: 'hopital',
        professional: 'dr-roy',
        purpose: 'ETREAT',
        reason: body.reason,
        starts: noon,
        ends: Date.parse(until),
        valid_to: null,
      }),
    ])
    expect(desk.records.rows('select id, kind, source_record from notice')).toEqual([
      { id, kind: 'break-glass', source_record: 'a-hopital' },
    ])
    expect(desk.records.rows('select id, kind, organisation from review_item')).toEqual([
      { id, kind: 'break-glass', organisation: 'ciusss' },
    ])
  })

  test('is one write, and the entry says why', async () => {
    const result = await desk.ask(breakGlass, emergency, { body })
    expect(desk.records.rows('select persons from write_key')).toEqual([{ persons: '["person-a"]' }])
    expect(result.ok && result.value.breakGlassReason).toBe(body.reason)
    expect(desk.intents).toEqual([{ patient: 'person-a', reason: body.reason }])
  })

  test('needs a token that states an emergency', async () => {
    expect(statusOf(await desk.ask(breakGlass, callers.provider, { body }))).toBe('break-glass-not-permitted')
    expect(statusOf(await desk.ask(breakGlass, provider({ purpose: 'BTG' }), { body }))).toBe(201)
  })

  test('does not lift a total refusal, of whichever source record, unless the policy says so', async () => {
    refuseAll('a-clinique')
    expect(statusOf(await desk.ask(breakGlass, emergency, { body }))).toBe('refused')
    expect([desk.intents, count('break_glass'), count('notice')]).toEqual([[], 0, 0])
    desk.settings = { ...desk.settings, lifted: new Set(['relationship', 'refusal-total']) }
    expect(statusOf(await desk.ask(breakGlass, emergency, { body }))).toBe(201)
  })

  test('is not offered where the policy lifts nothing, or for no time', async () => {
    desk.settings = { ...desk.settings, lifted: new Set() }
    expect(statusOf(await desk.ask(breakGlass, emergency, { body }))).toBe('break-glass-not-permitted')
    desk.settings = { ...desk.settings, lifted: new Set(['relationship']), breakGlassHours: 0 }
    expect(statusOf(await desk.ask(breakGlass, emergency, { body }))).toBe('break-glass-not-permitted')
  })

  test('about nobody is refused as a missing relationship is', async () => {
    const nobody = { ...body, patient: 'Patient/nobody' }
    expect(statusOf(await desk.ask(breakGlass, emergency, { body: nobody }))).toBe('relationship-required')
  })

  test('twice declares two emergencies', async () => {
    await desk.ask(breakGlass, emergency, { body })
    expect(statusOf(await desk.ask(breakGlass, emergency, { body }))).toBe(201)
    expect([count('break_glass'), count('review_item')]).toEqual([2, 2])
  })
})
