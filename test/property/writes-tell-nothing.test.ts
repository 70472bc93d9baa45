/**
 * Writing tells nothing of other facilities' documents: in every way to write, what is another facility's is answered in the
 * same words, by the same headers, as what nobody has ever published, and stays as it is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../src/app.ts'
import { serverId } from '../../src/records/identity.ts'
import type { Caller } from './caller.ts'
import { type Cluster, startCluster } from './cluster.ts'
import type { World } from './world.ts'

const empty: World = {
  types: [],
  matrix: [],
  clearances: [],
  held: [],
  lifted: [],
  sources: [],
  relationships: [],
  rules: [],
  emergencies: [],
  documents: [],
}
const systemOf = (facility: 'hospital' | 'pharmacy'): Caller => ({
  kind: 'system',
  professional: 'tremblay',
  facility,
  role: null,
  purpose: 'TREAT',
  scopes: null,
  context: null,
})
const idKey = new Uint8Array(32).fill(7)
const identified = (value: string) => ({ identifier: [{ system: 'urn:accession', value }] })
const code = { code: { text: 'x' } }
/** Of every domain that needs no person, with what R4 requires. */
const required: Readonly<Record<string, object>> = {
  Patient: {},
  Practitioner: {},
  PractitionerRole: {},
  Organization: { name: 'x' },
  Location: {},
  Medication: {},
  Device: {},
  Basic: code,
  Substance: code,
  Observation: { status: 'final', ...code },
  Encounter: { status: 'finished', class: { code: 'AMB' } },
  Condition: { subject: { display: 'x' } },
}
const types = Object.keys(required)

interface Way {
  readonly method: string
  readonly status: number
  /** Of a document by its id, and of one by its identifier. */
  readonly path: (type: string, id: string, identifier: string) => string
  readonly headers?: (identifier: string) => Record<string, string>
  readonly body?: (type: string, id: string, identifier: string) => unknown
}

const resource = (type: string, id: string) => ({ resourceType: type, id, ...required[type] })
/** Known by its content: another one for each. */
const nameless =
  (language: string): NonNullable<Way['body']> =>
  (type, _id, identifier) => ({
    resourceType: type,
    language,
    ...required[type],
    implicitRules: `urn:${identifier}`,
  })
const instance: Way['path'] = (type, id) => `/fhir/${type}/${id}`
const condition: Way['path'] = (type, _id, identifier) =>
  `/fhir/${type}?identifier=urn:accession|${identifier}`
const patched = [{ op: 'add', path: '/language', value: 'en' }]
const ifMatch = () => ({ 'If-Match': 'W/"1"' })

/** By operation: every way in which a write may look at what is stored. */
const ways: Readonly<Record<string, readonly Way[]>> = {
  create: [
    {
      method: 'POST',
      status: 201,
      path: (type) => `/fhir/${type}`,
      headers: (identifier) => ({ 'If-None-Exist': `identifier=urn:accession|${identifier}` }),
      body: nameless('en'),
    },
  ],
  update: [
    { method: 'PUT', status: 404, path: instance, body: resource },
    { method: 'PUT', status: 412, path: instance, headers: ifMatch, body: resource },
  ],
  'update-conditional': [{ method: 'PUT', status: 201, path: condition, body: nameless('fr') }],
  delete: [
    { method: 'DELETE', status: 204, path: instance },
    { method: 'DELETE', status: 412, path: instance, headers: ifMatch },
  ],
  'delete-conditional': [{ method: 'DELETE', status: 204, path: condition }],
  patch: [
    {
      method: 'PATCH',
      status: 404,
      path: instance,
      headers: () => ({ 'Content-Type': 'application/json-patch+json' }),
      body: () => patched,
    },
  ],
}

test('every way to write one resource is tried', () => {
  const writing = operations.filter(
    ({ method, path, callers }) =>
      method !== 'GET' && path.startsWith('/fhir/') && callers.includes('facility-system'),
  )
  expect(writing.map(({ name }) => name).filter((name) => name !== 'search-type-post')).toEqual(
    expect.arrayContaining(Object.keys(ways)),
  )
  expect(Object.keys(ways)).toEqual(
    expect.arrayContaining(writing.filter(({ action }) => action !== 'search').map(({ name }) => name)),
  )
})

describe.each([0, 1])('with documents that are shared (%s)', (shared) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = startCluster(empty)
    const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*', valid_from: 0 }
    cluster.records.insert('sharing_rule', { position: 1, ...any, shared })
    const entry = types.map((resourceType) => ({
      resource: { resourceType, ...required[resourceType], ...identified('theirs') },
      request: { method: 'PUT', url: `${resourceType}/theirs` },
    }))
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
    const headers = { 'Content-Type': 'application/fhir+json' }
    const { response } = await cluster.send(systemOf('pharmacy'), '/fhir', { method: 'POST', body, headers })
    expect(response.status).toBe(200)
  })
  afterAll(() => cluster.close())

  const theirs = () =>
    [cluster.records, ...cluster.locals.values()].flatMap(({ db }) =>
      db
        .prepare(`select type, id, version, body from document where facility = 'pharmacy' order by type, id`)
        .all(),
    )

  test.each(Object.entries(ways))('%s', async (_, all) => {
    const before = theirs()
    expect(before).toHaveLength(types.length)
    for (const way of all)
      for (const type of types) {
        const ask = async (id: string, identifier: string) => {
          const body = way.body?.(type, id, identifier)
          const { response } = await cluster.send(systemOf('hospital'), way.path(type, id, identifier), {
            method: way.method,
            headers: { 'Content-Type': 'application/fhir+json', ...way.headers?.(identifier) },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          })
          const text = await response.text()
          // Where it was created: the next one begins anew.
          for (const { db } of [cluster.records, ...cluster.locals.values()])
            db.exec(`delete from lookup where (type, id) in (select type, id from document where facility = 'hospital');
              delete from document where facility = 'hospital'`)
          return {
            status: response.status,
            headers: [...response.headers.keys()].sort(),
            body: text
              .replaceAll(/"[a-z2-7]{26}"/g, '"ID"')
              .replaceAll(`urn:${identifier}`, 'urn:')
              .replaceAll(/"lastUpdated":"[^"]*"/g, ''),
          }
        }
        const known = await ask(serverId(idKey, 'pharmacy', type, 'theirs'), 'theirs')
        const unknown = await ask(serverId(idKey, 'pharmacy', type, 'never'), 'never')
        expect({ type, ...known }).toEqual({ type, ...unknown })
        // A Patient stays, whoever's it is.
        const isKept = type === 'Patient' && way.method === 'DELETE'
        expect([type, known.status]).toEqual([type, isKept ? 409 : way.status])
      }
    expect(theirs()).toEqual(before)
  })
})
