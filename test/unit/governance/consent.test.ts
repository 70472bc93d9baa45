import { beforeEach, describe, expect, test } from 'vitest'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { toWire } from '../../../src/disclosure/wire.ts'
import {
  consentHistoryOperation,
  readConsentOperation,
  searchConsentOperation,
} from '../../../src/governance/consent-read.ts'
import { createConsentOperation, updateConsentOperation } from '../../../src/governance/consent-write.ts'
import { limits } from '../../../src/limits.ts'
import type { Result } from '../../../src/result.ts'
import { ip, person, restriction, totalRefusal, withMeans } from './consents.ts'
import { callers, type Desk, disclosed, expressions, openDesk, statusOf } from './support.ts'

interface Served {
  readonly id: string
  readonly status: string
  readonly meta: { readonly versionId: string }
  readonly dateTime: string
}
interface Bundle {
  readonly total: number
  readonly entry?: readonly { readonly resource: Served; readonly fullUrl: string }[]
}

let desk: Desk
beforeEach(() => {
  desk = openDesk()
})

const create = (body: unknown = totalRefusal, caller: Parameters<Desk['ask']>[1] = callers.patient) =>
  desk.ask(createConsentOperation, caller, { body })
const created = async (body?: unknown, caller?: Parameters<Desk['ask']>[1]): Promise<Served> =>
  disclosed<Served>(await create(body, caller))
const put = (
  { id }: Pick<Served, 'id'>,
  body: Record<string, unknown>,
  options: { caller?: Parameters<Desk['ask']>[1]; ifMatch?: string } = {},
) =>
  desk.ask(updateConsentOperation, options.caller ?? callers.patient, {
    param: { id },
    body: { id, ...body },
    ...(options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch }),
  })
const currentRules = () =>
  desk.records.rows(
    `select kind, source_record, before_date, actor_kind, actor, what_kind, what from consent_rule
     where valid_to is null order by row`,
  )
const notices = () => desk.records.rows('select source_record, facts from notice')
const inactive = { ...totalRefusal, status: 'inactive' }

describe('recording a refusal', () => {
  test('answers 201 with where it is, its version and what was recorded', async () => {
    const result = await create()
    expect(statusOf(result)).toBe(201)
    const consent = disclosed<Served>(result)
    expect(consent).toMatchObject({
      ...totalRefusal,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      meta: { versionId: '1', lastUpdated: '2026-11-22T17:00:01.000Z' },
    })
    if (result.ok)
      expect(result.value).toMatchObject({
        headers: {
          Location: `http://127.0.0.1:8787/fhir/Consent/${consent.id}/_history/1`,
          ETag: 'W/"1"',
          'Dossier-Clock': expect.stringMatching(/\.1$/),
        },
        disclosed: [{ patient: 'person-a', resources: [`Consent/${consent.id}/_history/1`] }],
        reason: 'patient',
      })
  })

  test('keeps who, when, by what means, in which scope and through which system', async () => {
    const { id } = await created()
    expect(desk.records.rows('select * from consent')).toEqual([
      expect.objectContaining({
        id,
        version: 1,
        source_record: 'a-hopital',
        status: 'active',
        recorded_at: '2026-11-22T17:00:01.000Z',
        recorded_by: 'person-a',
        capacity: 'patient',
        means: 'online',
        system: 'portal',
        valid_from: 1,
        valid_to: null,
      }),
    ])
    expect(currentRules()).toEqual([
      {
        kind: 'refusal-total',
        source_record: 'a-hopital',
        before_date: '',
        actor_kind: 'any',
        actor: '',
        what_kind: 'any',
        what: '',
      },
    ])
    expect(desk.records.rows('select persons from write_key')).toEqual([{ persons: '["person-a"]' }])
    expect(desk.intents).toEqual([{ patient: 'person-a', kind: 'refusal-total' }])
  })

  test('takes the day it is recorded for the date when none is given', async () => {
    const { dateTime: _, ...undated } = totalRefusal
    expect((await created(undated)).dateTime).toBe('2026-11-22T17:00:01.000Z')
  })

  test('with exceptions writes each rule once', async () => {
    const twice = {
      ...restriction.provision,
      provision: [...restriction.provision.provision, ...restriction.provision.provision],
    }
    await created({ ...restriction, provision: twice })
    expect(currentRules()).toHaveLength(5)
  })

  test('said again in the same words is the same refusal, so that one cancellation ends it', async () => {
    const first = await created()
    const again = await create({
      ...totalRefusal,
      patient: { reference: 'Patient/a-clinique' },
      dateTime: '2026-11-21',
    })
    expect(statusOf(again)).toBe(200)
    expect(disclosed<Served>(again).id).toBe(first.id)
    expect(currentRules()).toHaveLength(1)
    await put(first, inactive)
    expect(currentRules()).toEqual([])
    expect(statusOf(await create())).toBe(201)
  })

  test('whose answer was lost on the way to us answers as it was stored', async () => {
    desk.records.failNext = 'repeated'
    const result = await create()
    expect(statusOf(result)).toBe(201)
    expect(disclosed<Served>(result).id).toBe(desk.records.rows('select id from consent')[0]?.id)
  })

  test('already cancelled is refused', async () => {
    expect(expressions(await create(inactive))).toEqual(['Consent.status'])
  })

  test('tells nobody of what they did themselves, and the person of what others did', async () => {
    await created()
    expect(notices()).toEqual([])
    await created({ ...restriction, ...withMeans('telephone') }, callers.officer)
    expect(notices()).toEqual([
      { source_record: 'a-hopital', facts: expect.stringContaining('"capacity":"privacy-officer"') },
    ])
  })

  test('repeated by an officer tells the person once', async () => {
    await created({ ...totalRefusal, ...withMeans('writing') }, callers.officer)
    await created({ ...totalRefusal, ...withMeans('writing') }, callers.officer)
    expect(notices()).toHaveLength(1)
  })
})

describe('who records for whom', () => {
  const child = { ...totalRefusal, patient: { reference: 'Patient/child-hopital' } }
  const nobody = { ...totalRefusal, patient: { reference: 'Patient/nobody' } }
  const spoken = { ...totalRefusal, ...withMeans('telephone') }

  test.each([
    ['a patient for themselves', callers.patient, totalRefusal, 201],
    [
      'a patient by another source record',
      callers.patient,
      { ...totalRefusal, patient: { reference: 'Patient/a-clinique' } },
      201,
    ],
    ['a patient for another', callers.stranger, totalRefusal, 'person-unknown'],
    ['a patient for nobody', callers.patient, nobody, 'person-unknown'],
    ['a guardian for the ward', callers.guardian, child, 201],
    ['a guardian for himself or another', callers.guardian, totalRefusal, 'person-unknown'],
    ['an officer of the whole record', callers.officer, spoken, 201],
    ['an officer for nobody', callers.officer, { ...spoken, ...nobody }, 'person-unknown'],
    ['an officer of an organisation that knows the person', callers.ownOfficer, spoken, 201],
    ['an officer of another that does', callers.otherOfficer, spoken, 201],
    [
      'an officer of one that does not',
      callers.otherOfficer,
      { ...child, ...withMeans('telephone') },
      'not-own-organisation',
    ],
    [
      'an officer of an organisation for nobody',
      callers.otherOfficer,
      { ...spoken, ...nobody },
      'not-own-organisation',
    ],
    ['a provider', callers.provider, totalRefusal, 'operation-not-for-caller'],
    ['a facility system', callers.system, totalRefusal, 'operation-not-for-caller'],
    ['an operator', callers.operator, totalRefusal, 'operation-not-for-caller'],
  ])('%s', async (_, caller, body, expected) => {
    expect(statusOf(await create(body, caller))).toBe(expected)
    expect(desk.records.rows('select id from consent')).toHaveLength(expected === 201 ? 1 : 0)
  })

  test('an officer says how it was expressed', async () => {
    expect(expressions(await create(totalRefusal, callers.officer))).toEqual(['Consent.extension'])
  })

  test('whoever agreed is the person, or a registered guardian of a ward', async () => {
    const by = (id: string) => ({ performer: [{ reference: `Patient/${id}` }] })
    expect(statusOf(await create({ ...totalRefusal, ...by('a-clinique') }))).toBe(201)
    expect(expressions(await create({ ...totalRefusal, ...by('b-clinique') }))).toEqual([
      'Consent.performer[0]',
    ])
    expect(expressions(await create({ ...child, ...by('a-hopital') }, callers.guardian))).toEqual([
      'Consent.performer[0]',
    ])
    desk.records.db.exec(`insert into guardianship (guardian, source_record, recorded_by, valid_from)
      values ('a-hopital', 'child-hopital', 'po', 0)`)
    expect(statusOf(await create({ ...child, ...by('a-hopital') }, callers.guardian))).toBe(201)
  })

  test('nothing is dated in the future', async () => {
    expect(expressions(await create({ ...totalRefusal, dateTime: '2026-11-24' }))).toEqual([
      'Consent.dateTime',
    ])
  })
})

describe('whom a restriction names', () => {
  const naming = (...actor: unknown[]) => ({
    ...totalRefusal,
    provision: {
      type: 'permit',
      provision: [
        { type: 'deny', actor: [person('facility', 'clinique')] },
        { type: 'deny', actor },
      ],
    },
  })

  test('is known to the registry, or nobody would be restricted', async () => {
    const unknown = naming(person('organisation', 'gmf'), person('professional', 'dr-nobody'), {
      role: { coding: [{ system: `${ip}/CodeSystem/role`, code: 'wizard' }] },
    })
    expect(expressions(await create(unknown))).toEqual([
      'Consent.provision.provision[1].actor[1]',
      'Consent.provision.provision[1].actor[2]',
    ])
    expect(statusOf(await create(naming(person('organisation', 'gmf'))))).toBe(201)
  })

  test('stays nameable after leaving, by whoever named them before', async () => {
    const consent = await created(naming(person('professional', 'dr-roy')))
    desk.records.db.exec(`update professional_role set valid_to = 1 where professional = 'dr-roy'`)
    expect(
      statusOf(
        await put(consent, naming(person('professional', 'dr-roy'), person('professional', 'inf-cote'))),
      ),
    ).toBe(200)
    const stranger = {
      ...naming(person('professional', 'dr-roy')),
      patient: { reference: 'Patient/b-clinique' },
    }
    expect(expressions(await create(stranger, callers.stranger))).toEqual([
      'Consent.provision.provision[1].actor[0]',
    ])
  })
})

describe('changing and cancelling', () => {
  test('ends what was and keeps it, in one write', async () => {
    const consent = await created(restriction)
    const result = await put(consent, totalRefusal)
    expect(disclosed<Served>(result)).toMatchObject({ id: consent.id, meta: { versionId: '2' } })
    expect(desk.records.rows('select version, valid_from, valid_to from consent order by version')).toEqual([
      { version: 1, valid_from: 1, valid_to: 2 },
      { version: 2, valid_from: 2, valid_to: null },
    ])
    expect(
      desk.records.rows('select kind, valid_from, valid_to from consent_rule where valid_to = 2'),
    ).toHaveLength(5)
    expect(currentRules()).toEqual([expect.objectContaining({ kind: 'refusal-total' })])
  })

  test('to inactive ends every rule; to active again brings them back', async () => {
    const consent = await created()
    expect(disclosed<Served>(await put(consent, inactive)).status).toBe('inactive')
    expect(currentRules()).toEqual([])
    await put(consent, totalRefusal)
    expect(currentRules()).toHaveLength(1)
  })

  test('what was read can be sent back as it is', async () => {
    const consent = await created(restriction)
    expect(statusOf(await put(consent, { ...consent, status: 'inactive' }))).toBe(200)
    expect(currentRules()).toEqual([])
  })

  test('leaves the other refusals of the person as they are', async () => {
    const consent = await created()
    await created(restriction)
    await put(consent, inactive)
    expect(currentRules()).toHaveLength(5)
  })

  test('by an officer is told to the person', async () => {
    const consent = await created()
    await put(consent, { ...inactive, ...withMeans('in-person') }, { caller: callers.officer })
    expect(notices()).toEqual([
      { source_record: 'a-hopital', facts: expect.stringContaining('"change":"cancelled"') },
    ])
  })

  test.each([
    ['another patient', callers.stranger],
    ['a guardian of another', callers.guardian],
  ])('by %s is as if it were not there', async (_, caller) => {
    const consent = await created()
    const result = await put(consent, inactive, { caller })
    expect(result).toEqual(await put({ id: consent.id }, inactive, { caller }))
    expect(statusOf(result)).toBe('not-found')
    expect(statusOf(await put({ id: 'nothing' }, inactive, { caller }))).toBe('not-found')
    expect(currentRules()).toHaveLength(1)
  })

  test('keeps its id and its patient', async () => {
    const consent = await created()
    expect(expressions(await put(consent, { ...totalRefusal, id: 'other' }))).toEqual(['Consent.id'])
    expect(
      expressions(await put(consent, { ...totalRefusal, patient: { reference: 'Patient/a-clinique' } })),
    ).toEqual(['Consent.patient'])
  })

  test('has an end: a history is one answer', async () => {
    const consent = await created()
    desk.records.db.exec(`update consent set version = ${limits.maxConsentVersions}`)
    expect(expressions(await put(consent, inactive))).toEqual(['Consent'])
  })
})

describe('If-Match', () => {
  test.each([
    ['W/"1"', 200],
    ['"1"', 200],
    ['W/"7", W/"1"', 200],
    ['*', 200],
    ['W/"2"', 'precondition-failed'],
    ['nonsense', 'precondition-failed'],
  ])('%s on version 1', async (ifMatch, expected) => {
    const consent = await created()
    expect(statusOf(await put(consent, inactive, { ifMatch }))).toBe(expected)
    expect(currentRules()).toHaveLength(expected === 200 ? 0 : 1)
  })

  test('that does not hold is told as 412', async () => {
    const result = await put(await created(), inactive, { ifMatch: 'W/"2"' })
    expect(result.ok ? null : toWire(result.error).status).toBe(412)
  })

  test('of two who saw the same version, one comes too late and changes nothing', async () => {
    const consent = await created()
    const results = await Promise.all([
      put(consent, restriction, { ifMatch: 'W/"1"' }),
      put(consent, inactive, { ifMatch: 'W/"1"' }),
    ])
    expect(results.map(statusOf).sort()).toEqual([200, 'precondition-failed'])
    expect(desk.records.rows('select version from consent where valid_to is null')).toEqual([{ version: 2 }])
  })

  test('is judged where it is written, not by what a replica said', async () => {
    const consent = await created()
    desk.records.beforeWrite = () =>
      desk.records.db.exec(`
        update consent set valid_to = 9 where id = '${consent.id}';
        insert into consent select null, id, 2, source_record, status, body, recorded_at, recorded_by, capacity, means,
          system, 9, null from consent where id = '${consent.id}'`)
    expect(statusOf(await put(consent, inactive, { ifMatch: 'W/"1"' }))).toBe('precondition-failed')
  })

  test('left out, the later one wins and both are in the history', async () => {
    const consent = await created()
    const results = await Promise.all([put(consent, restriction), put(consent, inactive)])
    expect(results.map((result) => disclosed<Served>(result).meta.versionId)).toEqual(['2', '3'])
    expect(currentRules()).toEqual([])
  })
})

const wireOf = (result: Result<Disclosure, Refusal>) => (result.ok ? result.value : toWire(result.error))

describe('reading the register', () => {
  const search = (patient: string, caller: Parameters<Desk['ask']>[1] = callers.patient) =>
    desk.ask(searchConsentOperation, caller, { query: { patient } })
  const read = (id: string, caller: Parameters<Desk['ask']>[1] = callers.patient) =>
    desk.ask(readConsentOperation, caller, { param: { id } })
  const history = (id: string, caller: Parameters<Desk['ask']>[1] = callers.patient) =>
    desk.ask(consentHistoryOperation, caller, { param: { id } })

  test('lists the consents of all source records of the person, cancelled ones too, newest first', async () => {
    const first = await created()
    const second = await created({ ...restriction, patient: { reference: 'Patient/a-clinique' } })
    await put(first, inactive)
    const bundle = disclosed<Bundle>(await search('Patient/a-hopital'))
    expect(bundle.total).toBe(2)
    expect(bundle.entry?.map(({ resource: { id, status } }) => [id, status])).toEqual([
      [first.id, 'inactive'],
      [second.id, 'active'],
    ])
  })

  test('follows a merge of persons: rows stay, the person changes', async () => {
    const { id } = await created(
      { ...totalRefusal, patient: { reference: 'Patient/b-clinique' } },
      callers.stranger,
    )
    expect(disclosed<Bundle>(await search('a-hopital')).total).toBe(0)
    desk.records.db.exec(`update source_record set person = 'person-a' where id = 'b-clinique'`)
    expect(disclosed<Bundle>(await search('a-hopital')).entry?.[0]?.resource.id).toBe(id)
    expect(statusOf(await read(id))).toBe(200)
    expect(statusOf(await read(id, callers.stranger))).toBe('not-found')
  })

  test('names in the audit what left', async () => {
    const { id } = await created()
    await put({ id }, inactive)
    for (const [result, versions] of [
      [await search('a-hopital'), [2]],
      [await read(id), [2]],
      [await history(id), [2, 1]],
    ] as const)
      expect(result.ok && result.value.disclosed).toEqual([
        { patient: 'person-a', resources: versions.map((version) => `Consent/${id}/_history/${version}`) },
      ])
  })

  test('history tells every version, newest first, with who recorded it', async () => {
    const { id } = await created()
    await put({ id }, { ...inactive, ...withMeans('telephone') }, { caller: callers.officer })
    const text = JSON.stringify(disclosed(await history(id)))
    const entries = disclosed<Bundle>(await history(id)).entry ?? []
    expect(entries.map(({ resource: { status, meta } }) => [status, meta.versionId])).toEqual([
      ['inactive', '2'],
      ['active', '1'],
    ])
    expect(text).toContain('"valueString":"po"')
    expect(text).toContain('"valueCode":"telephone"')
  })

  test.each([
    ['the person', callers.patient, 200, 200],
    ['another person', callers.stranger, 'person-unknown', 'not-found'],
    ['a guardian of another', callers.guardian, 'person-unknown', 'not-found'],
    ['an officer of the record', callers.officer, 200, 200],
    ['an officer of an organisation that knows the person', callers.otherOfficer, 200, 200],
    ['an operator', callers.operator, 'operation-not-for-caller', 'operation-not-for-caller'],
  ])('by %s', async (_, caller, searched, byId) => {
    const { id } = await created()
    expect(statusOf(await search('a-hopital', caller))).toBe(searched)
    expect(statusOf(await read(id, caller))).toBe(byId)
    expect(statusOf(await history(id, caller))).toBe(byId)
    if (searched !== 200 && byId !== 200) {
      // The log is told whose register it was, the caller is not.
      expect(wireOf(await search('nobody', caller))).toEqual(wireOf(await search('a-hopital', caller)))
      expect(statusOf(await read('nothing', caller))).toBe(byId)
    }
  })

  test('is not for an officer of an organisation that does not know the person', async () => {
    const child = { ...totalRefusal, patient: { reference: 'Patient/child-hopital' } }
    const { id } = await created(child, callers.guardian)
    expect(statusOf(await search('child-hopital', callers.otherOfficer))).toBe('not-own-organisation')
    expect(statusOf(await search('nobody', callers.otherOfficer))).toBe('not-own-organisation')
    expect(statusOf(await read(id, callers.otherOfficer))).toBe('not-found')
  })

  test.each([callers.provider, callers.system])(
    '$kind finds nothing of it: by search or by id',
    async (caller) => {
      const { id } = await created()
      const searched = await search('a-hopital', caller)
      expect(searched).toMatchObject({
        ok: false,
        error: { reason: 'invalid', issues: [{ code: 'not-supported' }] },
      })
      expect(statusOf(await read(id, caller))).toBe('not-found')
      expect(statusOf(await history(id, caller))).toBe('operation-not-for-caller')
    },
  )

  test('asks for a patient, and for nothing it does not know', async () => {
    expect(expressions(await desk.ask(searchConsentOperation, callers.patient, {}))).toEqual(['patient'])
    const unknown = { patient: 'a-hopital', status: 'active' }
    expect(expressions(await desk.ask(searchConsentOperation, callers.patient, { query: unknown }))).toEqual([
      '',
    ])
  })
})

describe('bounds', () => {
  test('a person has so many consents, cancelled ones included', async () => {
    const insert = desk.records.db.prepare(`
      insert into consent (id, version, source_record, status, body, recorded_at, recorded_by, capacity, means, system,
        valid_from) values (?, 1, 'a-clinique', 'inactive', '{}', '', '', 'patient', '', '', 0)`)
    for (let i = 0; i < limits.maxPersonConsents; i++) insert.run(`c${i}`)
    expect(expressions(await create())).toEqual(['Consent'])
    expect(
      statusOf(
        await create({ ...totalRefusal, patient: { reference: 'Patient/b-clinique' } }, callers.stranger),
      ),
    ).toBe(201)
  })

  test('and so many rules in force, of which those replaced do not count', async () => {
    const consent = await created(restriction)
    const insert = desk.records.db.prepare(`
      insert into consent_rule (consent, source_record, kind, valid_from) values ('c', 'a-clinique', 'restriction', 0)`)
    for (let i = 0; i < limits.maxPersonRules - 5; i++) insert.run()
    expect(expressions(await create())).toEqual(['Consent.provision'])
    expect(statusOf(await put(consent, totalRefusal))).toBe(200)
  })

  test('malformed JSON is told with its place', async () => {
    const result = await create('{"resourceType": "Consent", }')
    expect(result).toMatchObject({
      ok: false,
      error: {
        reason: 'invalid',
        issues: [{ text: { fr: expect.stringContaining('ligne 1'), en: expect.stringContaining('line 1') } }],
      },
    })
  })
})
