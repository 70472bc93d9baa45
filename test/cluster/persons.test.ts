/** Who a publication is about, over HTTP into the real databases. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hranaReader } from '../../src/store/hrana.ts'
import type { Rows, SqlValue } from '../../src/store/ports.ts'
import { encounter, locations, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { startTestCluster, type TestCluster } from './support.ts'

interface Answer {
  readonly status: number
  readonly body: {
    readonly issue?: readonly { readonly code: string; readonly expression?: readonly string[] }[]
    readonly entry?: readonly {
      readonly response: {
        readonly status: string
        readonly outcome?: { readonly issue: readonly { readonly severity: string }[] }
      }
    }[]
  }
}

describe('who a publication is about', () => {
  let running: TestCluster
  let montRoyal: string
  let capDiamant: string
  let professional: string

  beforeAll(async () => {
    running = await startTestCluster()
    montRoyal = await running.cluster.token('system-hopital-mont-royal')
    capDiamant = await running.cluster.token('system-hopital-cap-diamant')
    professional = await running.cluster.token('tremblay')
  })
  afterAll(() => running?.end())

  const rows = async (sql: string, ...args: SqlValue[]): Promise<Rows> => {
    const { url, readToken } = running.cluster.databases.primary
    const [found = []] = await hranaReader({ url, token: readToken }).read([{ sql, args }], 10_000)
    return found
  }
  const post = async (token: string, bundle: unknown): Promise<Answer> => {
    const response = await running.post('/fhir', token, bundle)
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
  const publish = async (token: string, bundle: unknown): Promise<readonly string[]> => {
    const { status, body } = await post(token, bundle)
    expect({ status, body }).toMatchObject({ status: 200 })
    return locations(body)
  }
  const bundle = (type: string, resource: Readonly<Record<string, unknown>>, url?: string) => ({
    resourceType: 'Bundle',
    type,
    entry: [
      { resource, request: url ? { method: 'PUT', url } : { method: 'POST', url: resource.resourceType } },
    ],
  })
  const idOf = (reference = ''): string => reference.split('/')[1] ?? ''
  const identity = () =>
    Promise.all([
      rows('select id, facility, person from source_record order by id'),
      rows('select source_record, system, value from person_key order by 1, 2, 3'),
      rows('select source_record, other, reason from link_review order by 1, 2'),
    ])
  /** A server id of Mont-Royal's patient that nothing is published about. */
  const ghost = async (n: number): Promise<string> => {
    const person = samplePatient(60)
    const resource = {
      ...observation(person, { n, date: '2024-01-01' }),
      performer: [{ reference: `Patient/ghost-${n}` }],
    }
    const [, location] = await publish(
      montRoyal,
      transaction(patientResource(person), resource, encounter(person, { n: 1 })),
    )
    const read = () => running.get(`/fhir/${location}`, professional)
    // Reads ask the replica, which may not have it yet.
    await expect.poll(async () => (await read()).status).toBe(200)
    const body = (await (await read()).json()) as { performer: { reference: string }[] }
    return body.performer[0]?.reference ?? ''
  }

  test('a joined record whose identity is corrected stays, and waits for review', async () => {
    const [one, other] = [samplePatient(61), samplePatient(62)]
    const [first] = await publish(montRoyal, transaction(patientResource(one)))
    const [second] = await publish(capDiamant, transaction(patientResource(one)))
    const persons = () =>
      rows('select distinct person from source_record where id in (?, ?)', idOf(first), idOf(second))
    expect(await persons()).toHaveLength(1)
    await publish(capDiamant, transaction({ ...patientResource(other), id: one.uuid }))
    expect(await persons()).toHaveLength(1)
    expect(await rows('select other, reason from link_review where source_record = ?', idOf(second))).toEqual(
      [{ other: idOf(first), reason: 'identity-changed' }],
    )
  })

  test('another facility’s unpublished patient cannot be claimed by its server id', async () => {
    const reference = await ghost(1)
    const person = samplePatient(63)
    const claim = { ...observation(person, { n: 1, date: '2024-01-01' }), subject: { reference } }
    const before = await identity()
    expect(await post(capDiamant, bundle('transaction', claim))).toMatchObject({
      status: 404,
      body: { issue: [{ code: 'not-found', expression: ['Bundle.entry[0].resource.subject.reference'] }] },
    })
    expect((await post(capDiamant, bundle('batch', claim))).body.entry?.[0]?.response.status).toBe(
      '404 Not Found',
    )
    expect(await identity()).toEqual(before)
    await publish(
      montRoyal,
      bundle('transaction', { ...patientResource(person), id: 'ghost-1' }, 'Patient/ghost-1'),
    )
    expect(await rows('select value from person_key where source_record = ?', idOf(reference))).toEqual([
      { value: person.nam },
    ])
  })

  test('a refused batch entry leaves no identity behind', async () => {
    const person = samplePatient(64)
    await publish(capDiamant, transaction(patientResource(person)))
    const reference = await ghost(2)
    const before = await identity()
    const refused = bundle('batch', { ...patientResource(person), id: idOf(reference) }, reference)
    expect((await post(montRoyal, refused)).body.entry?.[0]?.response.status).toBe('404 Not Found')
    expect(await identity()).toEqual(before)
  })

  test('a contained resource about another patient is refused', async () => {
    const [one, other] = [samplePatient(65), samplePatient(66)]
    const [, about] = await publish(
      montRoyal,
      transaction(patientResource(other), observation(other, { n: 1, date: '2024-01-01' })),
    )
    const [inner] = await rows('select source_record from document where id = ?', idOf(about))
    const contained = [
      {
        resourceType: 'Observation',
        id: 'c',
        status: 'final',
        subject: { reference: `Patient/${inner?.source_record}` },
      },
    ]
    const resource = { ...observation(one, { n: 1, date: '2024-01-01' }), contained }
    expect(await post(montRoyal, transaction(patientResource(one), resource))).toMatchObject({
      status: 409,
      body: { issue: [{ code: 'conflict', expression: ['Bundle.entry[1].resource.contained[0].subject'] }] },
    })
  })

  test('a document that names nobody the record knows is kept, and its sender is told', async () => {
    const resource = {
      ...observation(samplePatient(67), { n: 1, date: '2024-01-01' }),
      subject: { display: 'Zoé' },
    }
    const { status, body } = await post(montRoyal, bundle('transaction', resource))
    expect(status).toBe(200)
    expect(body.entry?.[0]?.response).toMatchObject({
      status: '201 Created',
      outcome: { issue: [{ severity: 'warning', code: 'not-found' }] },
    })
  })

  test.each([
    ['shared', 'N'],
    ['local', 'R'],
  ])(
    'what was filed under nobody is corrected by naming its person, then %s',
    async (route, confidentiality) => {
      const person = samplePatient(route === 'shared' ? 68 : 69)
      const named = observation(person, { n: 1, date: '2024-01-01', confidentiality })
      const stored = async (database: 'records' | 'local', table: string) => {
        const { primary, local } = running.cluster.databases
        const { url, readToken } = database === 'records' ? primary : (local.montreal ?? primary)
        const sql = `select version from ${table} where type = 'Observation' and id = ?`
        const [found = []] = await hranaReader({ url, token: readToken }).read(
          [{ sql, args: [idOf(location)] }],
          10_000,
        )
        return found.map(({ version }) => Number(version))
      }
      const [location] = await publish(
        montRoyal,
        transaction({ ...named, subject: { display: person.family } }),
      )
      expect(await stored('local', 'document')).toEqual([1])

      const { status, body } = await post(montRoyal, transaction(patientResource(person), named))
      expect({ status, body }).toMatchObject({ status: 200 })
      expect(body.entry?.[1]?.response).toMatchObject({ status: '200 OK', etag: 'W/"2"' })
      const isShared = route === 'shared'
      expect(await stored('records', 'document')).toEqual(isShared ? [2] : [])
      expect(await stored('local', 'document')).toEqual(isShared ? [] : [2])
      expect(await stored('local', 'document_version')).toEqual([1])

      const patient = locations(body)[0]
      const found = async () => {
        const response = await running.get(`/fhir/Observation?patient=${idOf(patient)}`, montRoyal)
        const page = (await response.json()) as { entry?: { resource: { id: string } }[] }
        return (page.entry ?? []).map(({ resource }) => resource.id)
      }
      // Searches ask the replica.
      await expect.poll(found).toEqual([idOf(location)])
    },
  )
})
