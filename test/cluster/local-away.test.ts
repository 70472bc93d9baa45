/** The local database of a region is away: the shared record is not held back, and what is missing is said. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  admission,
  encounter,
  locations,
  observation,
  patientResource,
  samplePatient,
  transaction,
} from './bundles.ts'

import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { replicated, startTestCluster, type TestCluster } from './support.ts'

interface Searchset {
  readonly entry: readonly {
    readonly resource: { readonly resourceType: string; readonly id: string; readonly issue?: unknown }
    readonly search: { readonly mode: string }
  }[]
}

describe('a local database that is away', () => {
  let t: TestCluster
  let ids: readonly string[]
  let token: string
  let system: string
  const person = samplePatient(1)

  beforeAll(async () => {
    t = await startTestCluster()
    system = await t.cluster.token('system-hopital-mont-royal')
    token = await t.cluster.token('tremblay')
    const published = await t.post(
      '/fhir',
      system,
      transaction(
        patientResource(person),
        observation(person, { n: 1, date: '2024-01-01' }),
        observation(person, { n: 2, date: '2024-01-02', confidentiality: 'R' }),
        encounter(person, { n: 1 }),
      ),
    )
    ids = locations(await published.json())
    const admitted = await t.post(
      '/fhir',
      await t.cluster.token('system-hopital-cap-diamant'),
      admission(person),
    )
    expect(admitted.status).toBe(200)
    await replicated(t.cluster)
    await t.cluster.processes['local-montreal'].kill('SIGKILL')
  })

  afterAll(async () => {
    await t?.end()
  })

  test('a search shows what is shared, and says in the page, a header and the log that it is incomplete', async () => {
    const response = await t.get(`/fhir/Observation?patient=${ids[0]}`, token)
    expect(response.status).toBe(200)
    expect(response.headers.get('dossier-incomplete')).toBe('local')
    const { entry } = (await response.json()) as Searchset
    expect(entry.map(({ search }) => search.mode)).toEqual(['outcome', 'match'])
    expect(entry[0]?.resource).toMatchObject({ issue: [{ severity: 'warning', code: 'incomplete' }] })
    const receipt = parseReceipt(response.headers.get('dossier-receipt'))
    const [logged] = entriesOf(
      receipt,
      (await ledgerOf(t.cluster.databases.audit, [receipt])).get('montreal') ?? [],
    )
    expect(logged?.access.note).toEqual({ basis: 'encounter', missing: 'local' })
  })

  test('a shared document reads; one that may be in the missing database is 503, not 404', async () => {
    expect((await t.get(`/fhir/${ids[1]}`, token)).status).toBe(200)
    expect((await t.get(`/fhir/${ids[2]}`, token)).status).toBe(503)
  })

  test('another region notices nothing', async () => {
    const response = await t.get(`/fhir/Observation?patient=${ids[0]}`, await t.cluster.token('gagnon'))
    expect([response.status, response.headers.get('dossier-incomplete')]).toEqual([200, null])
  })

  test('readiness names it and stays ready; a clock that nobody gave is refused', async () => {
    const ready = await t.get('/readyz', null)
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { checks: { 'local montreal': 'unavailable' } },
    ])
    const gagnon = await t.cluster.token('gagnon')
    const clock = (await t.get(`/fhir/${ids[1]}`, gagnon)).headers.get('dossier-clock') as string
    const ahead = `${clock.split('.')[0]}.999999`
    expect((await t.get(`/fhir/${ids[1]}`, gagnon, { 'Dossier-Clock': ahead })).status).toBe(400)
  })

  test('publishing waits for it: nothing half-written, and once it is back everything is there', async () => {
    const bundle = transaction(patientResource(person), observation(person, { n: 3, date: '2024-01-03' }))
    expect((await t.post('/fhir', system, bundle)).status).toBe(503)
    await t.cluster.processes['local-montreal'].start()
    expect((await t.post('/fhir', system, bundle)).status).toBe(200)
    expect((await t.get(`/fhir/${ids[2]}`, token)).status).toBe(200)
  })
})
