/**
 * DESIGN §4: with the audit log refusing, hanging or throwing, no route returns a byte of health data. Every operation
 * there is, over the real databases and real tokens; only the log is faulty.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, operations } from '../../src/app.ts'
import type { AuditLogRpc } from '../../src/audit/client.ts'
import { type Cluster, startCluster } from '../../src/local/cluster.ts'
import { publicPaths } from '../../src/public-routes.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import {
  encounter,
  locations,
  marker,
  observation,
  patientResource,
  samplePatient,
  transaction,
} from './bundles.ts'

import { portsOf } from './in-process.ts'
import { replicated, temporaryHome } from './support.ts'

const faults: Readonly<Record<string, () => Promise<never>>> = {
  refuses: async () => ({ ok: false, error: { reason: 'log-unavailable', detail: 'refused' } }) as never,
  'is overloaded': async () => ({ ok: false, error: { reason: 'log-overload' } }) as never,
  hangs: () => new Promise<never>(() => {}),
  throws: async () => {
    throw new Error(`killed while holding ${marker}`)
  },
}

describe('the route walk', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let ids: readonly string[]
  const tokens: Record<string, string> = {}

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    tokens.provider = await cluster.token('tremblay')
    tokens.system = await cluster.token('system-hopital-mont-royal')
    tokens.officer = await cluster.token('bouchard')
    const person = samplePatient(1)
    const published = await fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokens.system}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(
        transaction(
          patientResource(person),
          observation(person, { n: 1, date: '2024-01-01' }),
          encounter(person, { n: 1 }),
        ),
      ),
    })
    expect(published.status).toBe(200)
    ids = locations(await published.json())
    await replicated(cluster)
  })

  afterAll(async () => {
    await cluster?.stop()
    home.remove()
  })

  /** A request per operation that a healthy log answers with health data (or, for a write, that changes something). */
  const examples = (): Readonly<Record<string, () => Request>> => {
    const [patient, observed] = ids as readonly [string, string]
    const get = (path: string, who: string) =>
      new Request(`${cluster.url}${path}`, { headers: { Authorization: `Bearer ${tokens[who]}` } })
    return {
      'search-type': () => get(`/fhir/Observation?patient=${patient}`, 'provider'),
      read: () => get(`/fhir/${observed}`, 'provider'),
      'audit-export': () => get('/audit/export', 'officer'),
      publish: () =>
        new Request(`${cluster.url}/fhir`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${tokens.system}`, 'Content-Type': 'application/fhir+json' },
          body: JSON.stringify(
            transaction(
              patientResource(samplePatient(1)),
              observation(samplePatient(1), { n: 1, date: '2024-01-01', value: `${marker} changed` }),
            ),
          ),
        }),
    }
  }

  const faulty = (fault: () => Promise<never>): AuditLogRpc => ({
    append: fault,
    appendFailure: fault,
    status: fault,
    drained: fault,
    openIntents: fault,
  })

  const stored = async (): Promise<string> =>
    JSON.stringify(
      await hranaReader({
        url: cluster.databases.primary.url,
        token: cluster.databases.primary.readToken,
      }).read([
        { sql: 'select n from clock' },
        { sql: 'select type, id, version from document order by type, id' },
      ]),
    )

  test('every operation has an example here, and with a healthy log each discloses or changes something', async () => {
    expect(Object.keys(examples()).sort()).toEqual(operations.map(({ name }) => name).sort())
    for (const [name, request] of Object.entries(examples())) {
      const response = await fetch(request())
      expect([name, response.status]).toEqual([name, 200])
      expect(response.headers.get('dossier-receipt')).not.toBeNull()
      if (name === 'search-type' || name === 'read') expect(await response.text()).toContain(marker)
    }
  })

  describe.each(Object.entries(faults))('with a log that %s', (_name, fault) => {
    test('no operation, and no refusal, returns health data or changes the record', {
      timeout: 60_000,
    }, async () => {
      const app = createApp(portsOf(cluster, faulty(fault)))
      const before = await stored()
      const [patient] = ids as readonly [string]
      const requests = [
        ...Object.values(examples()),
        () => new Request(`${cluster.url}/fhir/Observation?patient=${patient}`),
        () =>
          new Request(`${cluster.url}/fhir/Observation?patient=${patient}`, {
            headers: { Authorization: 'Bearer forged' },
          }),
        () =>
          new Request(`${cluster.url}/fhir/${patient}`, {
            method: 'DELETE',
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
        () =>
          new Request(`${cluster.url}/nowhere`, { headers: { Authorization: `Bearer ${tokens.provider}` } }),
        () =>
          new Request(`${cluster.url}/fhir/Observation?patient=${patient}&x=y`, {
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
        () =>
          new Request(`${cluster.url}/fhir/${ids[1]}`, {
            method: 'HEAD',
            headers: { Authorization: `Bearer ${tokens.provider}` },
          }),
      ]
      await Promise.all(
        requests.map(async (request) => {
          const response = await app.fetch(request())
          const headers = JSON.stringify([...response.headers])
          expect(response.status).toBeGreaterThanOrEqual(400)
          expect(response.headers.get('dossier-receipt')).toBeNull()
          const text = await response.text()
          expect(text + headers).not.toContain(marker)
          expect(text).not.toContain((ids[1] as string).split('/')[1])
        }),
      )
      expect(await stored()).toBe(before)
    })

    test('the public list tells no health data either', { timeout: 60_000 }, async () => {
      const app = createApp(portsOf(cluster, faulty(fault)))
      for (const path of publicPaths) {
        const response = await app.request(`${cluster.url}${path}`)
        expect(await response.text()).not.toContain(marker)
      }
    })
  })
})
