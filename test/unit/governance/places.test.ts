/** Clients, organisations and facilities: registered, replaced, ended; never changed in place. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  callers,
  current,
  everything,
  issuer,
  manager,
  type Office,
  openOffice,
  operator,
} from './registry-support.ts'

const odile = operator('odile')
let office: Office
beforeEach(() => {
  office = openOffice()
})

const app = { issuer, clientId: 'app', name: 'App', facility: null, origins: [] }
const hospital = {
  id: 'nouvel-hopital',
  uri: 'https://record.example/facility/nouvel-hopital',
  name: 'Nouvel hôpital',
  organisation: 'ciusss',
  type: 'hospital',
  region: 'montreal',
  log: 'montreal',
  identitySystems: ['https://record.example/mrn'],
}

describe.each<[string, string, string, object, object, object]>([
  [
    'a client with origins',
    '/access/clients',
    'client',
    { ...app, origins: ['http://localhost:8080', 'https://app.example'] },
    { origins: ['https://app.example'] },
    { issuer, clientId: 'app' },
  ],
  ['a client', '/access/clients', 'client', app, { name: 'App, renamed' }, { issuer, clientId: 'app' }],
  [
    'an organisation',
    '/access/organisations',
    'organisation',
    { id: 'chu', name: 'CHU' },
    { name: 'CHU, renamed' },
    { id: 'chu' },
  ],
  ['a facility', '/access/facilities', 'facility', hospital, { type: 'clinic' }, { id: hospital.id }],
])('%s', (_, path, table, asked, change, key) => {
  const last = () => office.registry.rows(`select * from ${table} order by row desc limit 1`)[0]

  it('is registered, and listed as it was asked for', async () => {
    const { body, note } = await office.done(odile, path, asked)
    expect(body).toEqual({ changed: true, [table]: asked })
    expect(note).toEqual({ ...office.intents[0], changed: 'true' })
    const list = await office.done(odile, path)
    expect(Object.values(list.body)[0]).toContainEqual(asked)
    expect(list.body.next).toBeNull()
  })

  it('asked for again as it is changes nothing', async () => {
    await office.done(odile, path, asked)
    const before = everything(office.registry)
    expect(await office.done(odile, path, asked)).toMatchObject({ status: 200, body: { changed: false } })
    expect(everything(office.registry)).toEqual(before)
  })

  it('changed is a new row, and the row before says what it said', async () => {
    await office.done(odile, path, asked)
    const before = last()
    await office.done(odile, path, { ...asked, ...change })
    const after = last()
    expect(after).toMatchObject({ valid_from: 2, valid_to: null })
    expect(after?.row).not.toBe(before?.row)
    expect(office.registry.rows(`select * from ${table} where row = ?`, before?.row as number)).toEqual([
      { ...before, valid_to: 2 },
    ])
  })

  it('ends once, may begin again, and one that never was is not found', async () => {
    expect(await office.refused(odile, `${path}/end`, key)).toMatchObject({ reason: 'not-found' })
    await office.done(odile, path, asked)
    expect(await office.done(odile, `${path}/end`, key)).toMatchObject({ body: { changed: true } })
    expect(last()?.valid_to).not.toBeNull()
    const before = everything(office.registry)
    expect(await office.done(odile, `${path}/end`, key)).toMatchObject({ body: { changed: false } })
    expect(everything(office.registry)).toEqual(before)
    expect(await office.done(odile, path, asked)).toMatchObject({ body: { changed: true } })
  })
})

describe('what a place or a client rests on', () => {
  it.each<[string, string, object, object]>([
    [
      'a client of an issuer nobody registered',
      '/access/clients',
      { ...app, issuer: 'https://never.example' },
      { reason: 'invalid', issues: [{ code: 'not-found', expression: 'issuer' }] },
    ],
    [
      'a system of a facility nobody registered',
      '/access/clients',
      { ...app, facility: 'nowhere' },
      { reason: 'invalid', issues: [{ expression: 'facility' }] },
    ],
    ...[
      'http://app.example',
      'https://app.example/',
      'https://app.example/launch',
      'https://*.example',
      'https://App.example',
      'https://app.example:443',
      'null',
      '*',
      `https://${'a'.repeat(100)}.example`,
    ].map((origin): [string, string, object, object] => [
      `a client with ${origin} as its origin`,
      '/access/clients',
      { ...app, origins: [origin] },
      { reason: 'invalid', issues: [{ expression: 'origins[0]' }] },
    ]),
    [
      'a facility of an organisation nobody registered',
      '/access/facilities',
      { ...hospital, organisation: 'nowhere' },
      { reason: 'invalid', issues: [{ expression: 'organisation' }] },
    ],
    [
      'a facility at another one’s address',
      '/access/facilities',
      { ...hospital, uri: 'https://record.example/facility/hopital' },
      { reason: 'conflict', issues: [{ expression: 'uri' }] },
    ],
    [
      'a facility with a log nobody serves',
      '/access/facilities',
      { ...hospital, region: 'abitibi', log: 'abitibi' },
      { reason: 'invalid', issues: [{ expression: 'log' }] },
    ],
    [
      'a facility with the log of another region',
      '/access/facilities',
      { ...hospital, region: 'quebec', log: 'montreal' },
      { reason: 'invalid', issues: [{ expression: 'log' }] },
    ],
    [
      'a facility with a second log in its region',
      '/access/facilities',
      { ...hospital, log: 'quebec' },
      { reason: 'invalid', issues: [{ expression: 'log' }] },
    ],
    [
      'a log that is no name',
      '/access/facilities',
      { ...hospital, log: '../montreal' },
      { reason: 'invalid', issues: [{ expression: 'log' }] },
    ],
    [
      'an id that is none',
      '/access/organisations',
      { id: 'a b', name: 'A B' },
      { reason: 'invalid', issues: [{ expression: 'id' }] },
    ],
    [
      'an organisation that still has facilities',
      '/access/organisations/end',
      { id: 'ciusss' },
      { reason: 'conflict', issues: [{ expression: 'id' }] },
    ],
  ])('%s is refused, and nothing changes', async (_, path, body, refusal) => {
    const before = everything(office.registry)
    expect(await office.refused(odile, path, body)).toMatchObject(refusal)
    expect(everything(office.registry)).toEqual(before)
  })

  it('a served log may begin a region of its own', async () => {
    await office.done(odile, '/access/facilities', { ...hospital, region: 'estrie', log: 'estrie' })
    expect(current(office.registry, 'facility').at(-1)).toMatchObject({ region: 'estrie', log: 'estrie' })
  })

  it('managers and privacy officers see where facilities are', async () => {
    for (const caller of [manager('maude'), callers['privacy-officer']]) {
      const { body } = await office.done(caller, '/access/facilities')
      expect((body.facilities as { id: string }[]).map(({ id }) => id)).toEqual(['hopital', 'clinique'])
    }
  })
})

describe('a long list', () => {
  it('comes in pages, each naming where the next begins, with nothing twice and nothing missing', async () => {
    const names: string[] = []
    for (let n = 0; n < 450; n++) {
      names.push(`o${n}`)
      office.registry.rows(`insert into organisation (id, name, valid_from) values (?, 'O', 0)`, `o${n}`)
    }
    const found: string[] = []
    let after: string | null = '0'
    for (let page = 0; after !== null; page++) {
      expect(page).toBeLessThan(4)
      const { body }: { body: Readonly<Record<string, unknown>> } = await office.done(
        odile,
        `/access/organisations?after=${after}`,
      )
      found.push(...(body.organisations as { id: string }[]).map(({ id }) => id))
      after = body.next as string | null
    }
    expect(found).toEqual(['ciusss', 'gmf', ...names])
  })
})
