/** DESIGN §4: what is unknown and what is forbidden cost the same: statements, requests and appends, counted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { AuditLogRpc } from '../../src/audit/client.ts'
import { Sequencer } from '../../src/audit/sequencer.ts'
import type { Ports } from '../../src/disclosure/ports.ts'
import type { Reader, Statement } from '../../src/store/ports.ts'
import { SqliteLogStore } from '../unit/audit/support.ts'
import { locations, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { portsOf } from './in-process.ts'
import { startTestCluster, type TestCluster } from './support.ts'

describe('an outsider', () => {
  let t: TestCluster
  let shared: readonly string[]
  let local: readonly string[]
  let unknown: string

  beforeAll(async () => {
    t = await startTestCluster()
    const system = await t.cluster.token('system-hopital-mont-royal')
    const publish = async (bundle: unknown) => {
      const response = await t.post('/fhir', system, bundle)
      expect(response.status).toBe(200)
      return locations(await response.json())
    }
    const [one, two] = [samplePatient(1), samplePatient(2)]
    shared = await publish(
      transaction(
        patientResource(one),
        observation(one, { n: 1, date: '2024-01-01', category: 'vital-signs' }),
      ),
    )
    // A person of whom another facility has unshared documents only.
    local = await publish(
      transaction(
        { ...patientResource(two), meta: { security: [restricted] } },
        observation(two, { n: 1, date: '2024-01-01', confidentiality: 'R' }),
      ),
    )
    unknown = 'a'.repeat(26)
  })

  afterAll(async () => {
    await t?.end()
  })

  /** What one request asks of databases and log. */
  async function costOf(path: string, token: string) {
    const cost = { requests: [] as string[], appends: 0, entries: 0 }
    const counting = (name: string, reader: Reader): Reader => ({
      read: (statements: readonly Statement[], deadlineMs?: number) => {
        cost.requests.push(`${name}: ${statements.map(({ sql }) => sql).join(';')}`)
        return reader.read(statements, deadlineMs)
      },
    })
    const sequencers = new Map<string, Sequencer>()
    const of = (log: string): Sequencer => {
      const known = sequencers.get(log) ?? new Sequencer({ log, store: new SqliteLogStore(), now: Date.now })
      sequencers.set(log, known)
      return known
    }
    const log: AuditLogRpc = {
      append: (name, request) => {
        cost.appends++
        cost.entries += request.entries.length
        return of(name).append(request)
      },
      appendFailure: (name, address, reason, request) => of(name).appendFailure(address, reason, request),
      status: async (name) => ({ ...of(name).status(), fault: null }),
      drained: async () => true,
      openIntents: async () => [],
    }
    const ports = portsOf(t.cluster, log)
    const counted: Ports = {
      ...ports,
      replica: counting('replica', ports.replica),
      locals: new Map(
        [...ports.locals].map(([name, { region, reader, writer }]) => [
          name,
          { region, writer, reader: counting(`local ${name}`, reader) },
        ]),
      ),
    }
    const response = await createApp(counted).request(`${t.cluster.url}${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const body = await response.text()
    return { status: response.status, body, ...cost, requests: cost.requests.sort() }
  }

  test('reading by id: unknown, another facility’s local document, a domain the role lacks', async () => {
    const dietitian = await t.cluster.token('lavoie')
    const elsewhere = await t.cluster.token('gagnon')
    for (const [forbidden, token] of [
      [local[1], elsewhere],
      [local[0], elsewhere],
      [shared[1], dietitian],
    ] as const) {
      const answer = await costOf(`/fhir/${forbidden}`, token)
      expect(answer).toEqual(await costOf(`/fhir/${forbidden?.split('/')[0]}/${unknown}`, token))
      expect(answer).toMatchObject({ status: 404, appends: 1, entries: 1 })
      // One request per database, nothing else.
      expect(answer.requests).toHaveLength(2)
    }
  })

  test('searching: an unknown person, one with unshared documents elsewhere, one whose documents the role may not see', async () => {
    const search = (patient: string | undefined) => `/fhir/Observation?patient=${patient}`
    const withoutSelf = (body: string, patient: string | undefined) => body.replaceAll(patient as string, '')
    for (const [forbidden, name] of [
      [local[0], 'gagnon'],
      [shared[0], 'lavoie'],
    ] as const) {
      const token = await t.cluster.token(name)
      const answer = await costOf(search(forbidden), token)
      const reference = await costOf(search(`Patient/${unknown}`), token)
      expect({ ...answer, body: withoutSelf(answer.body, forbidden) }).toEqual({
        ...reference,
        body: withoutSelf(reference.body, `Patient/${unknown}`),
      })
      expect(answer).toMatchObject({ status: 200, appends: 1, entries: 1 })
      expect(answer.requests).toHaveLength(2)
    }
  })

  test('a warm read that finds something asks no more of the databases than one that finds nothing', async () => {
    const token = await t.cluster.token('tremblay')
    const found = await costOf(`/fhir/${shared[1]}`, token)
    const nothing = await costOf(`/fhir/Observation/${unknown}`, token)
    expect(found.status).toBe(200)
    expect(found.requests).toEqual(nothing.requests)
    expect([found.appends, found.entries]).toEqual([1, 1])
  })
})

const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }
