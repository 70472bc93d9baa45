/** Registering people: nobody gets by a login what another person holds, and who was suspended stays so. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  current,
  everything,
  issuer,
  manager,
  type Office,
  openOffice,
  operator,
} from './registry-support.ts'

const odile = operator('odile')
const marie = manager('marie')
const luc = { issuer, subject: 'login-luc', name: 'Luc Roy' }
const path = '/access/professionals'

let office: Office
beforeEach(() => {
  office = openOffice()
})

const registeredAs = (subject: string): unknown =>
  current(office.registry, 'professional').find((row) => row.subject === subject)?.id

const fourEyes = { reason: 'forbidden', cause: 'four-eyes' }

describe('registering a professional', () => {
  it.each([odile, marie])('gives the login an id of its own ($kind)', async (caller) => {
    const { body, note } = await office.done(caller, path, luc)
    const id = registeredAs('login-luc')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(body).toEqual({ changed: true, professional: { ...luc, id } })
    expect(note).toEqual({
      change: 'professional',
      issuer,
      subject: 'login-luc',
      professional: id,
      changed: 'true',
    })
  })

  it('asked for again as it is changes nothing, with or without the id it got', async () => {
    await office.done(marie, path, { ...luc, id: 'luc-roy' })
    const before = everything(office.registry)
    for (const body of [luc, { ...luc, id: 'luc-roy' }])
      expect(await office.done(marie, path, body)).toMatchObject({
        body: { changed: false, professional: { id: 'luc-roy' } },
      })
    expect(everything(office.registry)).toEqual(before)
  })

  it('with another name is an operator’s correction: a new row of the same person', async () => {
    await office.done(marie, path, { ...luc, id: 'luc-roy' })
    expect(await office.refused(marie, path, { ...luc, name: 'Luc Leroy' })).toMatchObject({
      reason: 'conflict',
      issues: [{ expression: 'name' }],
    })
    await office.done(odile, path, { ...luc, name: 'Luc Leroy' })
    expect(
      office.registry.rows(
        `select id, name, valid_to is null as holds from professional where subject = 'login-luc'`,
      ),
    ).toEqual([
      { id: 'luc-roy', name: 'Luc Roy', holds: 0 },
      { id: 'luc-roy', name: 'Luc Leroy', holds: 1 },
    ])
  })

  it('under another id while it is registered is refused', async () => {
    await office.done(odile, path, { ...luc, id: 'luc-roy' })
    expect(await office.refused(odile, path, { ...luc, id: 'luc-two' })).toMatchObject({
      reason: 'conflict',
      issues: [{ expression: 'id' }],
    })
    expect(registeredAs('login-luc')).toBe('luc-roy')
  })

  it('a second login of a person is an operator’s to give, not a manager’s', async () => {
    const second = { ...luc, id: 'anne' }
    expect(await office.refused(marie, path, second)).toMatchObject({ reason: 'conflict' })
    expect(registeredAs('login-luc')).toBeUndefined()
    await office.done(odile, path, second)
    expect(registeredAs('login-luc')).toBe('anne')
  })

  it.each(['omar', 'marc', 'paul'])(
    'a second login of somebody who holds an office (%s) is refused to operators too',
    async (id) => {
      expect(await office.refused(odile, path, { ...luc, id })).toMatchObject({ reason: 'conflict' })
      expect(registeredAs('login-luc')).toBeUndefined()
    },
  )

  it('who has two logins is given no office, and gets no second login back after', async () => {
    await office.done(odile, path, { ...luc, id: 'anne' })
    const seat = { professional: 'anne', role: 'privacy-officer' }
    expect(await office.refused(odile, '/access/roles', seat)).toMatchObject({
      reason: 'conflict',
      issues: [{ expression: 'professional' }],
    })
    await office.done(odile, `${path}/end`, { professional: 'anne' })
    await office.done(odile, path, { issuer, subject: 'login-anne', name: 'anne Tremblay' })
    await office.done(odile, '/access/roles', seat)
    expect(await office.refused(odile, path, { ...luc, id: 'anne' })).toMatchObject({ reason: 'conflict' })
    expect(await office.refused(odile, path, luc)).toMatchObject({ reason: 'conflict' })
    expect(registeredAs('login-luc')).toBeUndefined()
    // Another name is still hers.
    await office.done(odile, path, { issuer, subject: 'login-anne', name: 'Anne Roy' })
    expect(registeredAs('login-anne')).toBe('anne')
  })

  it('of oneself is refused: by id, and by login', async () => {
    expect(await office.refused(odile, path, { ...luc, id: 'odile' })).toEqual(fourEyes)
    expect(await office.refused(odile, path, { issuer, subject: 'login-odile', name: 'Other' })).toEqual(
      fourEyes,
    )
    expect(await office.refused(marie, path, { issuer, subject: 'login-marie', name: 'Other' })).toEqual(
      fourEyes,
    )
  })

  it('of oneself is refused by a former login too', async () => {
    office.registry.rows(
      `insert into professional (id, issuer, subject, name, valid_from, valid_to) values ('odile', ?, 'old', 'O', 0, 0)`,
      issuer,
    )
    expect(await office.refused(odile, path, { issuer, subject: 'old', name: 'O' })).toEqual(fourEyes)
    expect(registeredAs('old')).toBeUndefined()
  })

  it('needs an issuer that is trusted, and that vouches for the manager’s organisation', async () => {
    const elsewhere = { ...luc, issuer: 'https://gmf.example' }
    expect(await office.refused(marie, path, elsewhere)).toMatchObject({ issues: [{ expression: 'issuer' }] })
    office.registry.rows(
      `insert into issuer (issuer, audience, algorithms, jwks, organisation, valid_from)
       values ('https://gmf.example', 'a', '[]', '{"keys":[]}', 'gmf', 0)`,
    )
    expect(await office.refused(marie, path, elsewhere)).toEqual({
      reason: 'forbidden',
      cause: 'not-own-organisation',
    })
    await office.done(manager('maude'), path, elsewhere)
  })

  it.each<[string, object, string]>([
    ['no name', { ...luc, name: undefined }, 'name'],
    ['a name of spaces', { ...luc, name: '  ' }, 'name'],
    ['an id with a slash', { ...luc, id: 'a/b' }, 'id'],
    ['a subject that is a number', { ...luc, subject: 7 }, 'subject'],
    ['a role beside it', { ...luc, role: 'operator' }, 'role'],
  ])('with %s is refused', async (_, body, expression) => {
    expect(await office.refused(odile, path, body)).toMatchObject({
      reason: 'invalid',
      issues: [{ expression }],
    })
  })
})

describe('suspending a professional', () => {
  it('ends every login, and leaves the roles for the lists', async () => {
    await office.done(odile, path, { ...luc, id: 'anne' })
    // The login registered last had ended before: the one that holds is what counts.
    await office.registry.apply([{ sql: `update professional set valid_to = 1 where subject = 'login-luc'` }])
    expect(await office.done(odile, `${path}/end`, { professional: 'anne' })).toMatchObject({
      body: { changed: true },
      note: { change: 'professional-ended', professional: 'anne' },
    })
    expect(registeredAs('login-anne')).toBeUndefined()
    const { body } = await office.done(marie, '/access/roles')
    expect(body.roles).toContainEqual(
      expect.objectContaining({ professional: 'anne', role: 'physician', registered: false }),
    )
    expect(await office.done(odile, `${path}/end`, { professional: 'anne' })).toMatchObject({
      body: { changed: false },
    })
    expect(await office.refused(odile, `${path}/end`, { professional: 'nobody' })).toMatchObject({
      reason: 'not-found',
    })
  })

  it('is undone by an operator alone, under the same id', async () => {
    await office.done(odile, `${path}/end`, { professional: 'anne' })
    const anne = { issuer, subject: 'login-anne', name: 'anne Tremblay' }
    for (const id of [undefined, 'anne', 'anne-again'])
      expect(await office.refused(marie, path, { ...anne, id })).toMatchObject({ reason: 'conflict' })
    expect(registeredAs('login-anne')).toBeUndefined()
    await office.done(odile, path, anne)
    expect(registeredAs('login-anne')).toBe('anne')
  })

  it('stops another operator at once, but is not done to oneself', async () => {
    await office.done(odile, `${path}/end`, { professional: 'omar' })
    expect(registeredAs('login-omar')).toBeUndefined()
    expect(await office.refused(odile, `${path}/end`, { professional: 'odile' })).toEqual(fourEyes)
    // Whoever was suspended as an operator resumes as one: the same login, not a further one.
    await office.done(odile, path, { issuer, subject: 'login-omar', name: 'omar Tremblay' })
    expect(registeredAs('login-omar')).toBe('omar')
  })
})

describe('the list of professionals', () => {
  const ids = async (caller: typeof odile, query = '') =>
    ((await office.done(caller, `${path}${query}`)).body.professionals as { id: string }[]).map(
      ({ id }) => id,
    )

  it('is, to a manager, of the own facility', async () => {
    expect(await ids(marie)).toEqual(['marie', 'marc', 'anne'])
    expect(await ids(marie, '?facility=hopital')).toEqual(['marie', 'marc', 'anne'])
    expect(await office.refused(marie, `${path}?facility=clinique`)).toEqual({
      reason: 'forbidden',
      cause: 'not-own-organisation',
    })
  })

  it('is, to an operator, of everybody or of one facility', async () => {
    expect(await ids(odile)).toHaveLength(7)
    expect(await ids(odile, '?facility=clinique')).toEqual(['maude'])
  })
})
