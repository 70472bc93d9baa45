/** Which source records are joined to one person, which are left for a person to judge, and what follows them. */
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { serverId } from '../../../src/records/identity.ts'
import { refreshLocalSourceRecords } from '../../../src/records/settle.ts'
import { openDatabase } from '../store/memory-database.ts'
import {
  currentRows,
  idKey,
  openPublisher,
  type Publisher,
  personSystem,
  responses,
} from './publish-support.ts'

let publisher: Publisher
beforeEach(() => {
  publisher = openPublisher()
})

const nam = 'LEVJ80010112'
const patient = (members: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: personSystem, value: nam }],
  name: [{ family: 'Lévesque' }],
  birthDate: '1980-01-01',
  ...members,
})
const put = (id: string, resource: Record<string, unknown>) => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${id}` },
})
const publish = async (facility: string, ...entry: unknown[]) =>
  responses(await publisher.publish({ resourceType: 'Bundle', type: 'transaction', entry }, { facility }))
const about = (id: string, type = 'Observation') => ({
  resourceType: type,
  status: type === 'Claim' ? 'active' : 'final',
  [type === 'Claim' ? 'patient' : 'subject']: { reference: `Patient/${id}` },
})
const source = (facility: string, key = 'p'): string => serverId(idKey, facility, 'Patient', key)
const personOf = (facility: string, key = 'p') =>
  publisher.records.rows('select person from source_record where id = ?', source(facility, key))[0]?.person
const reviews = () =>
  publisher.records.rows('select source_record, other, reason from link_review order by other')

describe('two facilities’ records of a patient', () => {
  test('are joined on an equal identifier, birth date and family name, however it is written', async () => {
    await publish('hopital', put('p', patient()), put('o', about('p')))
    await publish(
      'clinique',
      put('p', patient({ name: [{ family: 'LEVESQUE' }] })),
      put('o', about('p')),
      put('c', about('p', 'Claim')),
    )
    expect(personOf('clinique')).toBe(personOf('hopital'))
    expect(reviews()).toEqual([])
    expect(new Set(currentRows(publisher).map(({ person }) => person)).size).toBe(1)
    // Whose record a document came with never changes.
    expect(new Set(currentRows(publisher).map(({ source_record }) => source_record)).size).toBe(2)
  })

  test('documents published before the patient follow when it is joined, with no new version', async () => {
    await publish('hopital', put('p', patient()))
    await publish('clinique', put('o', about('p')), put('c', about('p', 'Claim')))
    expect(personOf('clinique')).not.toBe(personOf('hopital'))
    await publish('clinique', put('p', patient()))
    await refreshLocalSourceRecords(publisher.records, publisher.local, 0)
    expect(currentRows(publisher).map(({ person, version }) => [person, version])).toEqual(
      Array(4).fill([personOf('hopital'), 1]),
    )
    expect(publisher.records.rows('select count(*) as n from document_version')).toMatchObject([{ n: 0 }])
  })

  test('twice in one bundle are joined, too', async () => {
    await publish(
      'hopital',
      put('p', patient()),
      put('q', patient({ gender: 'female' })),
      put('o', about('q')),
    )
    expect(personOf('hopital', 'q')).toBe(personOf('hopital', 'p'))
    expect(new Set(currentRows(publisher).map(({ person }) => person)).size).toBe(1)
  })

  test.each([
    ['birth date', { birthDate: '1980-01-02' }, 'birth-date-differs'],
    ['unknown birth date', { birthDate: undefined }, 'birth-date-differs'],
    ['partial birth date', { birthDate: '1980' }, 'birth-date-differs'],
    ['family name', { name: [{ family: 'Tremblay' }] }, 'family-differs'],
    ['former family name', { name: [{ family: 'Lévesque', use: 'old' }] }, 'family-differs'],
  ])('with another %s wait for review', async (_, members, reason) => {
    await publish('hopital', put('p', patient()))
    await publish('clinique', put('p', patient(members)))
    expect(personOf('clinique')).not.toBe(personOf('hopital'))
    expect(reviews()).toEqual([{ source_record: source('clinique'), other: source('hopital'), reason }])
  })

  test('with an equal partial birth date are not joined', async () => {
    await publish('hopital', put('p', patient({ birthDate: '1980' })))
    await publish('clinique', put('p', patient({ birthDate: '1980' })))
    expect(personOf('clinique')).not.toBe(personOf('hopital'))
    expect(reviews()).toHaveLength(1)
  })

  test('with an identifier of another system are two persons, and nothing to judge', async () => {
    const identifier = [{ system: 'urn:chart', value: '1' }]
    await publish('hopital', put('p', patient({ identifier })))
    await publish('clinique', put('p', patient({ identifier })))
    expect(personOf('clinique')).not.toBe(personOf('hopital'))
    expect(reviews()).toEqual([])
  })

  test('are not joined when one stands for several persons, or does not stand alone', async () => {
    await publish('hopital', put('p', patient()))
    await publish('clinique', put('p', patient()))
    const both = [
      { system: personSystem, value: nam },
      { system: personSystem, value: 'OTHR80010112' },
    ]
    await publish('hopital', put('r', patient({ identifier: [both[1]] })))
    await publish('labo', put('p', patient({ identifier: both })))
    expect(new Set([personOf('labo'), personOf('hopital'), personOf('hopital', 'r')]).size).toBe(3)
    expect(reviews()).toHaveLength(3)
    // The clinic's record has company: its change of identifier moves nobody.
    const before = publisher.records.rows('select id, person from source_record')
    await publish('clinique', put('p', patient({ identifier: [both[1]] })))
    expect(publisher.records.rows('select id, person from source_record')).toEqual(before)
  })

  test('that share a placeholder wait for review with a bounded number of others', async () => {
    const unknowns = (bundle: number) =>
      Array.from({ length: 40 }, (_, i) =>
        put(`${bundle}-${i}`, patient({ name: [{ family: `Inconnu ${bundle} ${i}` }] })),
      )
    for (const bundle of [1, 2, 3]) await publish('hopital', ...unknowns(bundle))
    const written = publisher.records.rows('select count(*) as n from link_review group by source_record')
    expect(written).toHaveLength(120)
    expect(Math.max(...written.map(({ n }) => Number(n)))).toBe(limits.maxLinkReviews)
  })

  test('are joined to one person up to a bound, which no reader of the person has to look past', async () => {
    await publish('hopital', put('p', patient()))
    for (let i = 0; i <= limits.maxJoinedSourceRecords; i++)
      await publish('clinique', put(`c-${i}`, patient()))
    const joined = publisher.records.rows(
      'select id from source_record where person = ?',
      String(personOf('hopital')),
    )
    expect(joined).toHaveLength(limits.maxJoinedSourceRecords)
    const last = source('clinique', `c-${limits.maxJoinedSourceRecords}`)
    expect(
      publisher.records.rows('select distinct reason from link_review where source_record = ?', last),
    ).toEqual([{ reason: 'several-persons' }])
  })

  test('stay joined, and keys follow the last publication', async () => {
    await publish('hopital', put('p', patient()))
    await publish('clinique', put('p', patient()))
    const person = personOf('clinique')
    await publish('clinique', put('p', patient({ identifier: [{ system: 'urn:chart', value: '1' }] })))
    expect(personOf('clinique')).toBe(person)
    expect(
      publisher.records.rows(
        'select system, value from person_key where source_record = ?',
        source('clinique'),
      ),
    ).toEqual([{ system: 'urn:chart', value: '1' }])
  })

  const otherPerson = {
    identifier: [{ system: personSystem, value: 'TREM75020254' }],
    name: [{ family: 'Tremblay' }],
    birthDate: '1975-02-02',
  }

  test.each([
    ['identifier', { identifier: [{ system: 'urn:chart', value: '1' }] }],
    ['birth date', { birthDate: '1980-01-02' }],
    ['family name', { name: [{ family: 'Roy' }] }],
    ['identity as a whole', otherPerson],
  ])('that no longer match in %s stay joined and wait for review', async (_, members) => {
    await publish('hopital', put('p', patient()))
    await publish('clinique', put('p', patient()))
    const person = personOf('clinique')
    await publish('clinique', put('p', patient({ ...members, gender: 'female' })))
    expect([personOf('clinique'), personOf('hopital')]).toEqual([person, person])
    expect(reviews()).toContainEqual({
      source_record: source('clinique'),
      other: source('hopital'),
      reason: 'identity-changed',
    })
    expect(reviews()).toHaveLength(1)
  })

  test('that still match some record of the person wait for nothing, but the record that is left alone does', async () => {
    const second = { system: personSystem, value: 'OTHR80010112' }
    const both = [{ system: personSystem, value: nam }, second]
    await publish('hopital', put('p', patient({ identifier: both })))
    await publish('clinique', put('p', patient()))
    await publish('labo', put('p', patient({ identifier: [second] })))
    expect(new Set([personOf('labo'), personOf('hopital'), personOf('clinique')]).size).toBe(1)
    await publish('hopital', put('p', patient({ identifier: both, gender: 'female' })))
    expect(reviews()).toEqual([])
    await publish('hopital', put('p', patient({ identifier: [second] })))
    expect(reviews()).toEqual([
      { source_record: source('hopital'), other: source('clinique'), reason: 'identity-changed' },
    ])
  })
})

describe('a server id in the place of a patient’s own', () => {
  const batch = async (facility: string, type: string, ...entry: unknown[]) =>
    publisher.publish({ resourceType: 'Bundle', type, entry }, { facility })
  const identity = () => [
    publisher.records.rows('select id, facility from source_record order by id'),
    publisher.records.rows('select source_record, value from person_key order by source_record'),
    reviews(),
  ]
  const notFound = (at: string) => ({ issue: [{ code: 'not-found', expression: [at] }] })

  test('that nobody has named is refused, and no source record is made of it', async () => {
    const entry = put('o', about(source('hopital', 'ghost')))
    const expression = 'Bundle.entry[0].resource.subject.reference'
    for (const facility of ['clinique', 'hopital']) {
      expect(await batch(facility, 'transaction', entry)).toMatchObject({
        ok: false,
        error: { reason: 'not-found', issues: [{ code: 'not-found', expression }] },
      })
      const [refused, kept] = responses(
        await batch(facility, 'batch', entry, put('k', about('p')), put('c', { ...about('p', 'Claim') })),
      )
      expect(refused).toMatchObject({ status: '404 Not Found', outcome: notFound(expression) })
      expect(kept?.status).toBe('201 Created')
    }
    // So the facility whose id it is can publish it, and is believed.
    await publish('hopital', put('ghost', patient()))
    expect(publisher.records.rows('select value from person_key')).toEqual([{ value: nam }])
    expect((await publish('clinique', entry))[0]?.status).toBe('201 Created')
  })

  test('is refused for unshared documents, too', async () => {
    const entry = put('c', about(source('hopital', 'ghost'), 'Claim'))
    expect(await batch('clinique', 'transaction', entry)).toMatchObject({ ok: false })
    expect(responses(await batch('clinique', 'batch', entry))).toMatchObject([
      {
        status: '404 Not Found',
        outcome: notFound('Bundle.entry[0].resource.patient.reference'),
      },
    ])
    expect(currentRows(publisher)).toEqual([])
  })

  test('is taken from the facility itself once one of its documents has named the patient', async () => {
    await publish('hopital', put('o', about('later')))
    const entry = put('o2', about(source('hopital', 'later')))
    expect((await publish('hopital', entry))[0]?.status).toBe('201 Created')
    // Named by both ids in one bundle, it is the facility's own.
    const both = [put('o3', about(source('hopital', 'new'))), put('o4', about('new'))]
    expect((await publish('hopital', ...both)).map(({ status }) => status)).toEqual(
      Array(2).fill('201 Created'),
    )
  })

  test('of a Patient that was never published leaves nothing of a refused batch entry behind', async () => {
    await publish('clinique', put('p', patient()))
    // One is known from a document, the other from nothing.
    await publish('hopital', put('o', about('ghost')))
    const before = identity()
    for (const key of ['ghost', 'unheard-of']) {
      const [response] = responses(await batch('hopital', 'batch', put(source('hopital', key), patient())))
      expect(response).toMatchObject({
        status: '404 Not Found',
        outcome: notFound('Bundle.entry[0].request.url'),
      })
      expect(identity()).toEqual(before)
    }
  })

  test.each([
    ['shared', []],
    ['unshared', ['identity']],
  ])('of a published, %s Patient changes what is known of the person', async (_, unshared) => {
    publisher = openPublisher(['other', ...unshared])
    await publish('hopital', put('p', patient({ birthDate: '1980-01-02' })))
    await publish('clinique', put('p', patient()))
    for (const type of ['transaction', 'batch'])
      responses(await batch('hopital', type, put(source('hopital'), patient())))
    expect(personOf('hopital')).toBe(personOf('clinique'))
  })
})

describe('the copy in a local database', () => {
  const copies = (database = publisher.local) =>
    database.rows('select id, person from source_record order by id')

  test('holds all source records of the persons with a document there, and of no others', async () => {
    await publish('hopital', put('p', patient()), put('o', about('p')), put('x', about('elsewhere')))
    expect(copies()).toEqual([])
    await publish('clinique', put('p', patient()), put('c', about('p', 'Claim')))
    expect(copies()).toEqual(
      [source('clinique'), source('hopital')].sort().map((id) => ({ id, person: personOf('hopital') })),
    )
  })

  test('of another region follows a link made elsewhere', async () => {
    await publish('clinique', put('c', about('p', 'Claim')))
    const since = Number(publisher.records.rows('select n from clock')[0]?.n)
    // The link is made by a publication that never touches this local database.
    const elsewhere = { ...publisher, local: openDatabase('local') }
    await publish('hopital', put('p', patient()))
    responses(
      await publisher.publish(
        { resourceType: 'Bundle', type: 'transaction', entry: [put('p', patient())] },
        { facility: 'clinique', withoutLocal: true },
      ),
    )
    expect(publisher.local.rows('select person from document')[0]?.person).not.toBe(personOf('hopital'))
    const upTo = await refreshLocalSourceRecords(publisher.records, publisher.local, since)
    expect(publisher.local.rows('select person from document')).toEqual([{ person: personOf('hopital') }])
    expect(copies()).toHaveLength(2)
    expect(upTo).toBe(Number(publisher.records.rows('select n from clock')[0]?.n))
    await refreshLocalSourceRecords(publisher.records, elsewhere.local, 0)
    expect(copies(elsewhere.local)).toEqual([])
  })

  test('is complete after as many rounds as it takes', async () => {
    for (let bundle = 0; bundle < 12; bundle++) {
      const entries = Array.from({ length: 100 }, (_, i) =>
        put(`c${bundle}-${i}`, about(`p${bundle}-${i}`, 'Claim')),
      )
      await publish('clinique', ...entries)
    }
    publisher.local.db.exec('delete from source_record')
    let since = 0
    let rounds = 0
    for (let next = -1; next !== since; rounds++) {
      next = since
      since = await refreshLocalSourceRecords(publisher.records, publisher.local, since)
    }
    expect(copies()).toHaveLength(1_200)
    expect(rounds).toBeLessThan(5)
  })
})
