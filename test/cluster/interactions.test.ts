/** Writing single resources over HTTP into real databases, by a FHIR client and by plain requests. */
import { Client, type FhirResource } from 'fhir-kit-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hranaReader } from '../../src/store/hrana.ts'
import { encounter, observation, patientResource, samplePatient } from './bundles.ts'
import { openWard, results, type Ward } from './care.ts'
import { replicated } from './support.ts'

const facility = 'hopital-mont-royal'
const system = 'urn:accession'

describe('a facility system', () => {
  let ward: Ward
  let client: Client
  let patient: string
  const person = samplePatient(1)

  beforeAll(async () => {
    ward = await openWard()
    client = new Client({
      baseUrl: `${ward.test.cluster.url}/fhir`,
      bearerToken: await ward.test.cluster.token(`system-${facility}`),
    })
    ;[patient = ''] = await ward.publish(facility, patientResource(person), encounter(person, { n: 1 }))
    await replicated(ward.test.cluster)
  })
  afterAll(() => ward?.end())

  const of = (members: object = {}): FhirResource => {
    const { id: _id, ...resource } = observation(person, { n: 1, date: '2024-01-01' })
    return { ...resource, subject: { reference: patient }, ...members } as unknown as FhirResource
  }
  /** Without a person: unshared. */
  const local = (members: object = {}) =>
    ({ resourceType: 'Basic', code: { text: 'x' }, ...members }) as FhirResource
  const header = (answer: FhirResource, name: string) => Client.httpFor(answer).response?.headers.get(name)
  const statusOf = (answer: FhirResource) => Client.httpFor(answer).response?.status
  const failure = (asked: Promise<FhirResource>): Promise<number | undefined> =>
    asked.then(
      (answer) => statusOf(answer),
      (error: { response?: { status?: number } }) => error.response?.status,
    )
  const idOf = (answer: FhirResource): string => String(answer.id)

  test.each([
    ['shared', 'Observation', of],
    ['unshared', 'Basic', local],
  ])('creates, reads, updates, patches and deletes a %s resource', async (_, resourceType, make) => {
    const created = await client.create({
      resourceType,
      body: make({ identifier: [{ system, value: resourceType }] }),
    })
    const id = idOf(created)
    expect([statusOf(created), header(created, 'etag')]).toEqual([201, 'W/"1"'])
    expect(header(created, 'location')).toBe(`${ward.test.cluster.url}/fhir/${resourceType}/${id}/_history/1`)
    await replicated(ward.test.cluster)
    expect(await client.read({ resourceType, id })).toEqual(created)

    const updated = await client.update({
      resourceType,
      id,
      body: { ...created, language: 'fr' },
      options: { headers: { 'If-Match': 'W/"1"' } },
    })
    expect([statusOf(updated), header(updated, 'etag')]).toEqual([200, 'W/"2"'])
    const stale = client.update({
      resourceType,
      id,
      body: { ...created, language: 'en' },
      options: { headers: { 'If-Match': 'W/"1"' } },
    })
    expect(await failure(stale)).toBe(412)

    const patched = await client.patch({
      resourceType,
      id,
      jsonPatch: [
        { op: 'test', path: '/language', value: 'fr' },
        { op: 'replace', path: '/language', value: 'en' },
      ],
    })
    expect(patched).toMatchObject({ id, language: 'en', meta: { versionId: '3' } })
    const same = await client.patch({
      resourceType,
      id,
      jsonPatch: [{ op: 'test', path: '/language', value: 'en' }],
    })
    expect(header(same, 'etag')).toBe('W/"3"')

    const again = await client.create({
      resourceType,
      body: make({ language: 'de' }),
      options: { headers: { 'If-None-Exist': `identifier=${system}|${resourceType}` } },
    })
    expect([statusOf(again), idOf(again), again.language]).toEqual([200, id, 'en'])

    const where = await client.update({
      resourceType,
      searchParams: { identifier: `${system}|${resourceType}` },
      body: make({ identifier: [{ system, value: resourceType }], language: 'it' }),
    })
    expect([statusOf(where), idOf(where), header(where, 'etag')]).toEqual([200, id, 'W/"4"'])

    expect(await failure(client.delete({ resourceType, id }))).toBe(204)
    expect(await failure(client.delete({ resourceType, id }))).toBe(204)
    await replicated(ward.test.cluster)
    expect([404, 410]).toContain(await failure(client.read({ resourceType, id })))
    const back = await client.update({ resourceType, id, body: make({ id }) })
    expect([statusOf(back), header(back, 'etag')]).toEqual([201, 'W/"6"'])
  })

  test('sends a transaction with every method, and is answered in its order', async () => {
    const gone = await client.create({ resourceType: 'Observation', body: of({ language: 'fr' }) })
    const entry = (method: string, url: string, resource?: unknown, request: object = {}) => ({
      ...(resource ? { resource } : {}),
      request: { method, url, ...request },
    })
    const answer = await client.transaction({
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          entry('PUT', 'Observation/mine', of()),
          entry('DELETE', `Observation/${idOf(gone)}`),
          entry('POST', 'Basic', local({ language: 'fr' }), { ifNoneExist: `identifier=${system}|nothing` }),
          entry(
            'PUT',
            `Basic?identifier=${system}|other`,
            local({ identifier: [{ system, value: 'other' }] }),
          ),
        ],
      } as unknown as FhirResource,
    })
    expect(answer).toMatchObject({
      type: 'transaction-response',
      entry: ['201 Created', '204 No Content', '201 Created', '201 Created'].map((status) => ({
        response: { status },
      })),
    })
    const refused = client.transaction({
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          entry('PUT', 'Observation/mine2', of()),
          entry('PUT', 'Observation/mine', of(), { ifMatch: 'W/"9"' }),
        ],
      } as unknown as FhirResource,
    })
    expect(await failure(refused)).toBe(412)
    const batch = await client.batch({
      body: {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [
          entry('PUT', 'Observation/mine', of(), { ifMatch: 'W/"9"' }),
          entry('DELETE', patient),
          entry('GET', patient),
        ],
      } as unknown as FhirResource,
    })
    expect(batch).toMatchObject({
      entry: ['412 Precondition Failed', '409 Conflict', '400 Bad Request'].map((status) => ({
        response: { status },
      })),
    })
  })

  test.each([
    ['shared', 'Observation', of],
    ['unshared', 'Basic', local],
  ])(
    'that sends twenty updates of one version of a %s resource at once has one accepted',
    async (_, type, make) => {
      await client.update({ resourceType: type, id: 'raced', body: make({ id: 'raced' }) })
      const statuses = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          failure(
            client.update({
              resourceType: type,
              id: 'raced',
              body: make({ id: 'raced', implicitRules: `urn:${n}` }),
              options: { headers: { 'If-Match': 'W/"1"' } },
            }),
          ),
        ),
      )
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.every((status) => status === 200 || status === 409 || status === 412)).toBe(true)
    },
  )

  test.each([
    ['shared', 'Observation', of],
    ['unshared', 'Basic', local],
  ])('that creates a %s resource twenty times at once, if there is none, has one', async (_, type, make) => {
    const identifier = [{ system, value: `once-${type}` }]
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        failure(
          client.create({
            resourceType: type,
            body: make({ identifier, implicitRules: `urn:${n}` }),
            options: { headers: { 'If-None-Exist': `identifier=${system}|once-${type}` } },
          }),
        ),
      ),
    )
    expect(statuses.filter((status) => status === 201)).toHaveLength(1)
    const { databases } = ward.test.cluster
    const rows = await Promise.all(
      [databases.primary, databases.local.montreal].map(async (database) =>
        database
          ? await hranaReader({ url: database.url, token: database.readToken }).read([
              {
                sql: `select 1 from lookup where param = 'identifier' and value = ?`,
                args: [`${system}|once-${type}`],
              },
            ])
          : [],
      ),
    )
    expect(rows.flat(2)).toHaveLength(1)
  })

  test('deletes an encounter, and with it the relationship that it stood for', async () => {
    const other = samplePatient(2)
    const [theirs = '', stay = ''] = await ward.publish(
      facility,
      patientResource(other),
      encounter(other, { n: 1 }),
    )
    await replicated(ward.test.cluster)
    const asked = { clock: ward.clock() }
    expect((await ward.get('tremblay', results(theirs), asked)).status).toBe(200)
    const [resourceType = '', id = ''] = stay.split('/')
    await client.delete({ resourceType, id })
    await replicated(ward.test.cluster)
    expect((await ward.get('tremblay', results(theirs), asked)).status).toBe(403)
  })

  test('of another facility sees nothing of it, and is told what of nothing', async () => {
    const mine = await client.create({
      resourceType: 'Observation',
      body: of({ identifier: [{ system, value: 'mine' }] }),
    })
    const theirs = new Client({
      baseUrl: `${ward.test.cluster.url}/fhir`,
      bearerToken: await ward.test.cluster.token('system-hopital-cap-diamant'),
    })
    const resourceType = 'Observation'
    const id = idOf(mine)
    const never = 'zzzzzzzzzzzzzzzzzzzzzzzzzz'
    for (const [one, body] of [
      [id, of({ id })],
      [never, of({ id: never })],
    ] as const) {
      expect(await failure(theirs.delete({ resourceType, id: one }))).toBe(204)
      expect(await failure(theirs.patch({ resourceType, id: one, jsonPatch: [] }))).toBe(404)
      const named = { headers: { 'If-Match': 'W/"1"' } }
      expect(await failure(theirs.update({ resourceType, id: one, body, options: named }))).toBe(412)
    }
    await replicated(ward.test.cluster)
    expect(await client.read({ resourceType, id })).toEqual(mine)
  })

  test('leaves in the log what it wrote about whom; nobody else may write', async () => {
    const answer = await ward.send(`system-${facility}`, 'PUT', '/fhir/Observation/logged', of())
    expect(answer.status).toBe(201)
    const [entry] = await ward.entries(answer)
    expect(entry?.access).toMatchObject({
      phase: 'outcome',
      action: 'update',
      operation: 'update',
      status: 201,
      resources: [`Observation/${(answer.body as { id: string }).id}/_history/1`],
      note: { state: 'created' },
    })
    expect(entry?.access.patient).not.toBeNull()
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      const path = method === 'POST' ? '/fhir/Observation' : '/fhir/Observation/logged'
      expect((await ward.send('tremblay', method, path, of())).status).toBe(403)
    }
  })

  test('is told what is wrong with a resource, by its element', async () => {
    const answer = await ward.send(`system-${facility}`, 'POST', '/fhir/Observation', {
      ...of(),
      hasMember: [{ reference: 'urn:uuid:00000000-0000-4000-8000-000000000009' }],
    })
    expect([answer.status, answer.body]).toMatchObject([
      400,
      { issue: [{ code: 'not-found', expression: ['Observation.hasMember[0].reference'] }] },
    ])
  })
})
