/** Parts are away: reads go on, audited and marked; nothing is lost when they come back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Cluster, type ClusterDatabase, startCluster } from '../../src/local/cluster.ts'
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

import { entriesOf, ledgerOf, type ParsedReceipt, parseReceipt, readLedger } from './ledger.ts'
import { replicated, temporaryHome } from './support.ts'

describe('an outage', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let patient: string
  let token: string
  let system: string
  /** Request id of the publication that the outage cut short. */
  let interrupted: string
  const receipts: ParsedReceipt[] = []

  const publish = (n: number) =>
    fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${system}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(
        transaction(
          patientResource(samplePatient(1)),
          observation(samplePatient(1), { n, date: '2024-05-05' }),
          encounter(samplePatient(1), { n: 1 }),
        ),
      ),
    })

  const read = async (): Promise<Response> => {
    const response = await fetch(`${cluster.url}/fhir/Observation?patient=${patient}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    if (response.headers.has('dossier-receipt'))
      receipts.push(parseReceipt(response.headers.get('dossier-receipt')))
    return response
  }

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    system = await cluster.token('system-hopital-mont-royal')
    token = await cluster.token('tremblay')
    const published = await publish(1)
    expect(published.status).toBe(200)
    patient = locations(await published.json())[0] as string
    await replicated(cluster)
    expect((await read()).status).toBe(200)
  })

  afterAll(async () => {
    await cluster?.stop()
    home.remove()
  })

  test('with the records primary stopped, reads at the replica answer, audited; once stale they say so', async () => {
    await cluster.processes['records-primary'].kill('SIGKILL')
    const stoppedAt = Date.now()
    const fresh = await read()
    expect(fresh.status).toBe(200)
    expect(await fresh.text()).toContain(marker)

    // Waits for the condition itself: the heartbeat passes the fresh bound.
    let stale = await read()
    while (!stale.headers.has('dossier-stale')) {
      expect(Date.now() - stoppedAt).toBeLessThan(limits.freshMs * 4)
      await stale.text()
      stale = await read()
    }
    expect(stale.status).toBe(200)
    expect(await stale.text()).toContain(marker)
    const [entry] = entriesOf(
      receipts.at(-1) as ParsedReceipt,
      (await ledgerOf(cluster.databases.audit, receipts)).get('montreal') ?? [],
    )
    expect(entry?.access.staleness?.seconds).toBeGreaterThanOrEqual(limits.freshMs / 1_000)
    expect(entry?.access.staleness?.degraded).toBe(false)
  })

  test('publishing meanwhile is refused with Retry-After, audited, and leaves nothing behind', async () => {
    const refused = await publish(2)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe(String(limits.retryAfterSeconds))
    // Whether the primary committed is not known yet: the intent is in the log, its outcome comes when the primary does.
    const receipt = parseReceipt(refused.headers.get('dossier-receipt'))
    interrupted = refused.headers.get('x-request-id') as string
    const [entry] = entriesOf(
      receipt,
      (await ledgerOf(cluster.databases.audit, [receipt])).get(receipt.log) ?? [],
    )
    expect(entry?.access).toMatchObject({
      operation: 'publish',
      requestId: interrupted,
      status: 503,
      decision: { outcome: 'error', reason: 'store-unavailable' },
    })
    expect(entry?.text).not.toContain(marker)
  })

  test('with the audit database stopped too, reads still answer, and readiness still holds', async () => {
    const drained = (await readLedger(cluster.databases.audit, 'montreal')).length
    await cluster.processes.audit.kill('SIGKILL')
    for (let i = 0; i < 20; i++) expect((await read()).status).toBe(200)
    expect(receipts.at(-1)?.first).toBeGreaterThanOrEqual(drained + 19)
    // The log needs no database to accept an entry: what is away delays exports, not reads.
    const ready = await fetch(`${cluster.url}/readyz`)
    expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true }])
  })

  test('when both come back, everything is drained and reads are fresh again', async () => {
    await cluster.processes.audit.start()
    await cluster.processes['records-primary'].start()
    const logs = await ledgerOf(cluster.databases.audit, receipts, 60_000)
    for (const receipt of receipts) entriesOf(receipt, logs.get(receipt.log) ?? [])
    const until = Date.now() + 60_000
    for (let response = await read(); response.headers.has('dossier-stale'); response = await read()) {
      expect(Date.now()).toBeLessThan(until)
      await response.text()
    }
    const published = await publish(3)
    expect(published.status).toBe(200)
  })

  test('the interrupted publication is settled: it never took place, and nothing of it is left', {
    timeout: limits.settleAfterMs * 3,
  }, async () => {
    const outcomes = async () =>
      (await readLedger(cluster.databases.audit, 'montreal'))
        .filter(({ access }) => access.requestId === interrupted && access.phase === 'outcome')
        .map(({ access: { decision } }) => decision.reason)
    await expect
      .poll(outcomes, { timeout: limits.settleAfterMs * 2, interval: 250 })
      .toEqual(['settled-not-committed'])
    const { primary, local } = cluster.databases
    const rowsOf = async ({ url, readToken }: ClusterDatabase, sql: string, args = {}) =>
      (await hranaReader({ url, token: readToken }).read([{ sql, args }]))[0]
    // Of the three that were sent only the first and the third.
    expect(await rowsOf(primary, `select count(*) as n from document where type = 'Observation'`)).toEqual([
      { n: 2 },
    ])
    for (const database of Object.values(local))
      expect(
        await rowsOf(database, 'select write_key from pending where write_key = :interrupted', {
          interrupted,
        }),
      ).toEqual([])
  })
})
