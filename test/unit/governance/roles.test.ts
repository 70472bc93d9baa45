/** Roles: who grants and ends which, what two persons must agree on, and the yearly confirmation. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { limits } from '../../../src/limits.ts'
import {
  type Answered,
  current,
  everything,
  issuer,
  manager,
  now,
  type Office,
  openOffice,
  operator,
} from './registry-support.ts'

const odile = operator('odile')
const omar = operator('omar')
const marie = manager('marie')
const marc = manager('marc')
const maude = manager('maude')
const path = '/access/roles'

let office: Office
beforeEach(() => {
  office = openOffice()
  for (const id of ['luc', 'lea'])
    office.registry.rows(
      `insert into professional (id, issuer, subject, name, valid_from) values (?, ?, ?, ?, 0)`,
      id,
      issuer,
      `login-${id}`,
      `${id} Roy`,
    )
})

const forbidden = (cause: string) => ({ reason: 'forbidden', cause })
const rolesOf = (professional: string) =>
  current(office.registry, 'professional_role')
    .filter((row) => row.professional === professional)
    .map(({ role, facility, organisation }) => `${role}@${facility || organisation || '*'}`)
const openRequests = () => current(office.registry, 'role_request')

describe('granting a role', () => {
  it('a manager grants a clinical role of the own facility at once; who and when is kept', async () => {
    const { status, body, note } = await office.done(marie, path, { professional: 'luc', role: 'nurse' })
    const at = new Date(now).toISOString()
    expect(status).toBe(200)
    expect(body).toEqual({
      changed: true,
      role: {
        professional: 'luc',
        role: 'nurse',
        facility: 'hopital',
        organisation: null,
        held: true,
        grantedBy: 'marie',
        certifiedAt: at,
      },
    })
    expect(note).toEqual({
      change: 'role',
      professional: 'luc',
      role: 'nurse',
      facility: 'hopital',
      changed: 'true',
    })
    expect(
      office.registry.rows(
        'select granted_by, certified_at from professional_role where professional = ?',
        'luc',
      ),
    ).toEqual([{ granted_by: 'marie', certified_at: at }])
  })

  it('granted again by somebody else it changes nothing', async () => {
    await office.done(marie, path, { professional: 'luc', role: 'nurse' })
    const before = everything(office.registry)
    expect(await office.done(marc, path, { professional: 'luc', role: 'nurse' })).toMatchObject({
      status: 200,
      body: { changed: false, role: { held: true, grantedBy: 'marie' } },
    })
    expect(everything(office.registry)).toEqual(before)
  })

  it('an operator appoints managers and privacy officers, of one organisation or of all', async () => {
    await office.done(odile, path, { professional: 'luc', role: 'access-manager', facility: 'clinique' })
    await office.done(odile, path, { professional: 'lea', role: 'privacy-officer', organisation: 'gmf' })
    await office.done(odile, path, { professional: 'lea', role: 'privacy-officer' })
    expect(rolesOf('luc')).toEqual(['access-manager@clinique'])
    expect(rolesOf('lea')).toEqual(['privacy-officer@gmf', 'privacy-officer@*'])
  })

  it.each<[string, Caller, object, string]>([
    [
      'a manager at another facility',
      marie,
      { professional: 'luc', role: 'nurse', facility: 'clinique' },
      'not-own-organisation',
    ],
    [
      'a manager who makes an operator',
      marie,
      { professional: 'luc', role: 'operator' },
      'operation-not-for-caller',
    ],
    [
      'a manager who makes a privacy officer',
      marie,
      { professional: 'luc', role: 'privacy-officer' },
      'operation-not-for-caller',
    ],
    [
      'an operator who makes a nurse',
      odile,
      { professional: 'luc', role: 'nurse', facility: 'hopital' },
      'operation-not-for-caller',
    ],
    [
      'an operator who makes himself a physician',
      odile,
      { professional: 'odile', role: 'physician', facility: 'hopital' },
      'operation-not-for-caller',
    ],
  ])('%s is refused', async (_, caller, body, cause) => {
    const before = everything(office.registry)
    expect(await office.refused(caller, path, body)).toEqual(forbidden(cause))
    expect(everything(office.registry)).toEqual(before)
    expect(office.intents).toEqual([])
  })

  it.each<[string, Caller, object, string]>([
    ['nobody registered', marie, { professional: 'nobody', role: 'nurse' }, 'professional'],
    ['a role the matrix does not know', marie, { professional: 'luc', role: 'wizard' }, 'role'],
    ['the role of a patient', marie, { professional: 'luc', role: 'patient' }, 'role'],
    ['any role', marie, { professional: 'luc', role: '*' }, 'role'],
    ['a manager of nowhere', odile, { professional: 'luc', role: 'access-manager' }, 'facility'],
    [
      'a manager of an unknown facility',
      odile,
      { professional: 'luc', role: 'access-manager', facility: 'nowhere' },
      'facility',
    ],
    [
      'an officer of an unknown organisation',
      odile,
      { professional: 'luc', role: 'privacy-officer', organisation: 'nowhere' },
      'organisation',
    ],
    [
      'an officer at a facility',
      odile,
      { professional: 'luc', role: 'privacy-officer', facility: 'hopital' },
      'facility',
    ],
    [
      'a nurse of an organisation',
      marie,
      { professional: 'luc', role: 'nurse', organisation: 'gmf' },
      'organisation',
    ],
    ['nobody named', marie, { role: 'nurse' }, 'professional'],
  ])('to %s is refused, and says where', async (_, caller, body, expression) => {
    const before = everything(office.registry)
    expect(await office.refused(caller, path, body)).toMatchObject({
      reason: 'invalid',
      issues: [{ expression }],
    })
    expect(everything(office.registry)).toEqual(before)
  })
})

describe('ending a role', () => {
  const anne = { professional: 'anne', role: 'physician', facility: 'hopital' }

  it.each([marie, odile])('is done at once ($kind); again it changes nothing', async (caller) => {
    expect(await office.done(caller, `${path}/end`, anne)).toMatchObject({
      body: { changed: true, role: { held: false } },
      note: { change: 'role-ended', professional: 'anne' },
    })
    expect(rolesOf('anne')).toEqual([])
    const before = everything(office.registry)
    expect(await office.done(caller, `${path}/end`, anne)).toMatchObject({
      status: 200,
      body: { changed: false },
    })
    expect(everything(office.registry)).toEqual(before)
  })

  it('of another facility is not a manager’s', async () => {
    expect(await office.refused(maude, `${path}/end`, anne)).toEqual(forbidden('not-own-organisation'))
    expect(rolesOf('anne')).toEqual(['physician@hopital'])
  })

  it('that nobody ever held is not found', async () => {
    expect(await office.refused(marie, `${path}/end`, { ...anne, role: 'nurse' })).toMatchObject({
      reason: 'not-found',
    })
  })

  it('an operator ends a manager, and another operator, at once', async () => {
    await office.done(odile, `${path}/end`, {
      professional: 'marc',
      role: 'access-manager',
      facility: 'hopital',
    })
    await office.done(odile, `${path}/end`, { professional: 'omar', role: 'operator' })
    expect([...rolesOf('marc'), ...rolesOf('omar')]).toEqual([])
  })

  it('granted again after its end it is a new row; the one before stays ended', async () => {
    await office.done(marie, `${path}/end`, anne)
    await office.done(marie, path, anne)
    const rows = office.registry.rows(
      `select granted_by, valid_from, valid_to from professional_role where professional = 'anne' order by row`,
    )
    expect(rows).toEqual([
      { granted_by: '', valid_from: 0, valid_to: 1 },
      { granted_by: 'marie', valid_from: 2, valid_to: null },
    ])
  })
})

describe('four eyes', () => {
  const requestOf = (answered: Answered): string => {
    expect(answered).toMatchObject({ status: 202, body: { changed: true } })
    return (answered.body.request as { id: string }).id
  }
  const decide = (caller: Caller, id: string, decision = 'approved') =>
    office.ask(caller, `/access/role-requests/${id}`, { decision })
  const refusedBy = (cause: string) => ({ ok: false, error: forbidden(cause) })
  const done = { ok: true, value: { status: 200, body: { changed: true } } }

  const self: readonly (readonly [string, Caller, string, object, string])[] = [
    ['a clinical role for oneself', marie, path, { professional: 'marie', role: 'nurse' }, 'nurse@hopital'],
    [
      'a further manager',
      marie,
      path,
      { professional: 'luc', role: 'access-manager' },
      'access-manager@hopital',
    ],
    [
      'the end of one’s own role',
      marie,
      `${path}/end`,
      { professional: 'marie', role: 'access-manager' },
      '',
    ],
    [
      'the end of another manager',
      marie,
      `${path}/end`,
      { professional: 'marc', role: 'access-manager' },
      '',
    ],
  ]

  it.each(self)('%s waits, and is done when another one agrees', async (_, caller, at, body, after) => {
    const { professional } = body as { professional: string }
    const before = rolesOf(professional)
    const id = requestOf(await office.done(caller, at, body))
    expect(rolesOf(professional)).toEqual(before)
    expect(await decide(marie, id)).toEqual(refusedBy('four-eyes'))
    expect(await decide(maude, id)).toEqual(refusedBy('not-own-organisation'))
    expect(openRequests()).toHaveLength(1)
    // Of marc’s own end it is an operator who decides.
    const decider = professional === 'marc' ? odile : marc
    expect(await decide(decider, id)).toMatchObject(done)
    expect(openRequests()).toEqual([])
    expect(rolesOf(professional)).toEqual(
      after === '' ? before.filter((role) => role !== 'access-manager@hopital') : [...before, after],
    )
    expect(
      office.registry.rows('select decision, decided_by, decided_at from role_request where id = ?', id),
    ).toEqual([
      {
        decision: 'approved',
        decided_by: professional === 'marc' ? 'odile' : 'marc',
        decided_at: new Date(now).toISOString(),
      },
    ])
  })

  it('whom it is about does not decide, whoever asked', async () => {
    const id = requestOf(
      await office.done(marie, `${path}/end`, { professional: 'marc', role: 'access-manager' }),
    )
    expect(await decide(marc, id)).toEqual(refusedBy('four-eyes'))
    expect(await decide(marc, id, 'rejected')).toEqual(refusedBy('four-eyes'))
    expect(rolesOf('marc')).toEqual(['access-manager@hopital'])
  })

  it('a further operator needs a second operator, no manager', async () => {
    const id = requestOf(await office.done(odile, path, { professional: 'luc', role: 'operator' }))
    expect(await decide(odile, id)).toEqual(refusedBy('four-eyes'))
    expect(await decide(marie, id)).toEqual(refusedBy('not-own-organisation'))
    expect(rolesOf('luc')).toEqual([])
    expect(await decide(omar, id)).toMatchObject(done)
    expect(rolesOf('luc')).toEqual(['operator@*'])
  })

  it('an operator makes himself nothing, and ends himself, only with another one', async () => {
    const officer = requestOf(
      await office.done(odile, path, { professional: 'odile', role: 'privacy-officer' }),
    )
    const end = requestOf(
      await office.done(odile, `${path}/end`, { professional: 'odile', role: 'operator' }),
    )
    expect(rolesOf('odile')).toEqual(['operator@*'])
    for (const id of [officer, end]) {
      expect(await decide(odile, id)).toEqual(refusedBy('four-eyes'))
      expect(await decide(omar, id)).toMatchObject(done)
    }
    expect(rolesOf('odile')).toEqual(['privacy-officer@*'])
  })

  it('who granted it is who agreed', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    await decide(marc, id)
    expect(
      office.registry.rows(`select granted_by from professional_role where professional = 'luc'`),
    ).toEqual([{ granted_by: 'marc' }])
    expect(office.intents.at(-1)).toEqual({
      change: 'role-decided',
      request: id,
      decision: 'approved',
      action: 'grant',
      professional: 'luc',
      role: 'access-manager',
      requestedBy: 'marie',
      facility: 'hopital',
    })
  })

  it('a rejected request does nothing, and may be asked again', async () => {
    const asked = { professional: 'luc', role: 'access-manager' }
    const id = requestOf(await office.done(marie, path, asked))
    expect(await decide(marc, id, 'rejected')).toMatchObject(done)
    expect(rolesOf('luc')).toEqual([])
    const again = requestOf(await office.done(marie, path, asked))
    expect(again).not.toBe(id)
  })

  it('asked twice, also by another, it is one request', async () => {
    const asked = { professional: 'luc', role: 'access-manager' }
    const id = requestOf(await office.done(marie, path, asked))
    const before = everything(office.registry)
    for (const caller of [marie, marc])
      expect(await office.done(caller, path, asked)).toMatchObject({
        status: 202,
        body: { changed: false, request: { id, requestedBy: 'marie' } },
      })
    expect(everything(office.registry)).toEqual(before)
  })

  it('what is so already needs no request', async () => {
    expect(await office.done(marie, path, { professional: 'marc', role: 'access-manager' })).toMatchObject({
      status: 200,
      body: { changed: false },
    })
    expect(openRequests()).toEqual([])
  })

  it('of two who decide at once one does, the other is told; decided again the same way nothing changes', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    const answers = await Promise.all([decide(marc, id), decide(odile, id, 'rejected')])
    const [winner, loser] = answers[0]?.ok ? [marc, odile] : [odile, marc]
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    expect(answers.find(({ ok }) => !ok)).toMatchObject({ error: { reason: 'conflict' } })
    expect(rolesOf('luc')).toEqual(winner === marc ? ['access-manager@hopital'] : [])
    const before = everything(office.registry)
    const same = winner === marc ? 'approved' : 'rejected'
    expect(await decide(winner, id, same)).toMatchObject({ ok: true, value: { body: { changed: false } } })
    expect(await decide(loser, id, same)).toMatchObject({ error: { reason: 'conflict' } })
    expect(everything(office.registry)).toEqual(before)
  })

  it('two who approve at once grant one role', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    const answers = await Promise.all([decide(marc, id), decide(odile, id)])
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    expect(rolesOf('luc')).toEqual(['access-manager@hopital'])
  })

  it('an approval of what can no longer be granted changes nothing; it can be rejected', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    await office.done(odile, '/access/professionals/end', { professional: 'luc' })
    const before = everything(office.registry)
    expect(await decide(marc, id)).toMatchObject({
      error: { reason: 'conflict', issues: [{ expression: 'decision' }] },
    })
    expect(everything(office.registry)).toEqual(before)
    expect(await decide(marc, id, 'rejected')).toMatchObject(done)
  })

  it('an unknown request is not found, and a word that decides nothing is refused', async () => {
    const nowhere = crypto.randomUUID()
    expect(await decide(marc, nowhere)).toMatchObject({ error: { reason: 'not-found' } })
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    expect(await decide(marc, id, 'maybe')).toMatchObject({
      error: { reason: 'invalid', issues: [{ expression: 'decision' }] },
    })
  })

  it('a decision whose answer was lost is told as done when sent again under its key', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    office.registry.failNext = 'repeated'
    expect(await decide(marc, id)).toMatchObject(done)
  })

  it('managers see the open requests of their facility, operators all', async () => {
    const id = requestOf(await office.done(marie, path, { professional: 'luc', role: 'access-manager' }))
    const other = requestOf(await office.done(odile, path, { professional: 'lea', role: 'operator' }))
    const ids = async (caller: Caller, query = '') =>
      ((await office.done(caller, `/access/role-requests${query}`)).body.requests as { id: string }[]).map(
        (request) => request.id,
      )
    expect(await ids(marc)).toEqual([id])
    expect(await ids(maude)).toEqual([])
    expect(await ids(omar)).toEqual([id, other])
    expect(await ids(omar, '?facility=hopital')).toEqual([id])
    expect(await office.refused(maude, '/access/role-requests?facility=hopital')).toEqual(
      forbidden('not-own-organisation'),
    )
    await decide(marc, id)
    expect(await ids(omar)).toEqual([other])
  })
})

describe('the yearly confirmation', () => {
  const anne = { professional: 'anne', role: 'physician' }
  const listed = async (caller: Caller, query = '') =>
    ((await office.done(caller, `${path}${query}`)).body.roles as { professional: string }[]).map(
      ({ professional }) => professional,
    )

  it('lists the roles of the facility, those confirmed longest ago first', async () => {
    office.now = now - 400 * 86_400_000
    await office.done(marie, path, { professional: 'lea', role: 'nurse' })
    office.now = now
    await office.done(marie, path, { professional: 'luc', role: 'nurse' })
    expect(await listed(marie)).toEqual(['marie', 'marc', 'anne', 'lea', 'luc'])
    expect(await listed(marie, '?due=2026-11-22')).toEqual(['marie', 'marc', 'anne', 'lea'])
    const { body } = await office.done(marie, path)
    expect((body.roles as unknown[])[3]).toEqual({
      professional: 'lea',
      name: 'lea Roy',
      registered: true,
      role: 'nurse',
      facility: 'hopital',
      organisation: null,
      grantedBy: 'marie',
      certifiedAt: '2025-10-18T09:00:00.000Z',
    })
  })

  it('a role confirmed on a day is due when a year has passed, not on that day of the next', async () => {
    office.now = Date.UTC(2025, 10, 22, 23, 59)
    await office.done(marie, path, { professional: 'luc', role: 'nurse' })
    expect(await listed(marie, '?due=2026-11-22')).not.toContain('luc')
    expect(await listed(marie, '?due=2026-11-23')).toContain('luc')
    expect(await listed(marie, '?due=2028-02-29')).toContain('luc')
  })

  it('certifying begins a new row with who granted it, once a day', async () => {
    await office.done(marc, path, { professional: 'luc', role: 'nurse' })
    office.now = now + 86_400_000
    const luc = { professional: 'luc', role: 'nurse' }
    expect(await office.done(marie, `${path}/certify`, luc)).toMatchObject({
      body: {
        changed: true,
        role: { held: true, grantedBy: 'marc', certifiedAt: '2026-11-23T09:00:00.000Z' },
      },
      note: { change: 'role-certified', professional: 'luc' },
    })
    expect(
      office.registry.rows(
        `select granted_by, certified_at, valid_from, valid_to from professional_role where professional = 'luc' order by row`,
      ),
    ).toEqual([
      { granted_by: 'marc', certified_at: '2026-11-22T09:00:00.000Z', valid_from: 1, valid_to: 2 },
      { granted_by: 'marc', certified_at: '2026-11-23T09:00:00.000Z', valid_from: 2, valid_to: null },
    ])
    const before = everything(office.registry)
    expect(await office.done(marc, `${path}/certify`, luc)).toMatchObject({ body: { changed: false } })
    expect(everything(office.registry)).toEqual(before)
  })

  it('takes a role off the list of what is due', async () => {
    await office.done(marie, `${path}/certify`, anne)
    await office.done(marie, `${path}/certify`, { professional: 'marc', role: 'access-manager' })
    expect(await listed(marie, '?due=2026-11-22')).toEqual(['marie'])
  })

  it('nobody certifies himself, nor at another facility, nor what is not held', async () => {
    const own = { professional: 'marie', role: 'access-manager' }
    expect(await office.refused(marie, `${path}/certify`, own)).toEqual(forbidden('four-eyes'))
    expect(
      await office.refused(odile, `${path}/certify`, { professional: 'odile', role: 'operator' }),
    ).toEqual(forbidden('four-eyes'))
    expect(await office.refused(maude, `${path}/certify`, { ...anne, facility: 'hopital' })).toEqual(
      forbidden('not-own-organisation'),
    )
    await office.done(marie, `${path}/end`, anne)
    expect(await office.refused(marie, `${path}/certify`, anne)).toMatchObject({ reason: 'not-found' })
    expect(rolesOf('anne')).toEqual([])
  })

  it('is of the own facility for managers; operators see the offices of the record, or one facility', async () => {
    expect(await office.refused(marie, `${path}?facility=clinique`)).toEqual(
      forbidden('not-own-organisation'),
    )
    expect(await listed(odile)).toEqual(['odile', 'omar', 'paul'])
    expect(await listed(odile, '?facility=clinique')).toEqual(['maude'])
  })

  it('comes in pages without gaps, also where many were confirmed at the same moment', async () => {
    const everybody: string[] = []
    for (let n = 0; n < 2 * limits.registryPageRows + 50; n++) {
      const id = `n${n}`
      everybody.push(id)
      office.registry.rows(
        `insert into professional_role (professional, role, facility, certified_at, valid_from) values (?, 'nurse', 'clinique', ?, 0)`,
        id,
        `2026-01-0${1 + (n % 2)}T00:00:00.000Z`,
      )
    }
    const found: string[] = []
    let query: string | null = ''
    while (query !== null) {
      const { body }: Answered = await office.done(maude, `${path}${query}`)
      found.push(...(body.roles as { professional: string }[]).map(({ professional }) => professional))
      query = body.next === null ? null : `?after=${encodeURIComponent(String(body.next))}`
    }
    expect(found).toHaveLength(everybody.length + 1)
    expect(new Set(found)).toEqual(new Set(['maude', ...everybody]))
  })
})
