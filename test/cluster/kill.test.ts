/**
 * The Worker dies under load: every response that a client received has its entry, the log has no gap, and no checkpoint
 * that anyone saw meanwhile contradicts it. `DOSSIER_FULL=1` runs it at full size (10,000 reads), `DOSSIER_KILLS=50` kills
 * so often.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Cluster, startCluster } from '../../src/local/cluster.ts'
import {
  encounter,
  locations,
  marker,
  observation,
  patientResource,
  samplePatient,
  transaction,
} from './bundles.ts'

import { CheckpointWatch } from './checkpoint-watch.ts'
import { entriesOf, ledgerOf, type ParsedReceipt, parseReceipt, readLedger } from './ledger.ts'
import { replicated, temporaryHome } from './support.ts'

const clients = 32
const kills = Number(process.env.DOSSIER_KILLS ?? 5)
const reads = Math.max(process.env.DOSSIER_FULL ? 10_000 : 1_500, kills * 100)

describe('a Worker that is killed', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let patient: string
  let token: string

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    const person = samplePatient(1)
    const published = await fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await cluster.token('system-hopital-mont-royal')}`,
        'Content-Type': 'application/fhir+json',
      },
      body: JSON.stringify(
        transaction(
          patientResource(person),
          ...Array.from({ length: 20 }, (_, n) =>
            observation(person, { n: n + 1, date: `2024-03-${String(n + 1).padStart(2, '0')}` }),
          ),
          encounter(person, { n: 1 }),
        ),
      ),
    })
    expect(published.status).toBe(200)
    patient = locations(await published.json())[0] as string
    token = await cluster.token('tremblay')
    await replicated(cluster)
  })

  afterAll(async () => {
    await cluster?.stop()
    home.remove()
  })

  test(`${reads} reads with ${clients} clients, killed ${kills} times: every answer is in the log`, {
    timeout: 600_000 + kills * 20_000,
  }, async () => {
    const watch = new CheckpointWatch(cluster, 'montreal')
    const receipts: ParsedReceipt[] = []
    let left = reads
    let failures = 0
    let killing: Promise<void> = Promise.resolve()
    let killed = 0
    const killAt = Array.from({ length: kills }, (_, i) => Math.floor((reads * (i + 1)) / (kills + 1)))

    const read = async (): Promise<void> => {
      const response = await fetch(`${cluster.url}/fhir/Observation?patient=${patient}&_count=20`, {
        headers: { Authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(10_000),
      })
      const body = await response.text()
      // Every byte that came has a receipt, or is a constant body without data.
      if (!response.headers.has('dossier-receipt')) {
        expect([response.status, body.includes(marker)]).toEqual([503, false])
        throw new Error('refused without a receipt')
      }
      receipts.push(parseReceipt(response.headers.get('dossier-receipt')))
      if (response.status === 200) expect(body).toContain(marker)
    }

    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (left > 0) {
          const done = reads - --left
          if (done >= (killAt[0] ?? Number.POSITIVE_INFINITY)) {
            killAt.shift()
            killed++
            killing = killing
              // The supervisor leaves a child that dies so often down.
              .then(() =>
                kills > limits.maxChildRestarts
                  ? cluster.processes.worker.kill('SIGKILL')
                  : cluster.processes.worker.crash(),
              )
              .then(() => cluster.processes.worker.start())
          }
          try {
            await read()
          } catch (error) {
            if (error instanceof Error && error.name === 'AssertionError') throw error
            failures++
            // Cut off, or refused for want of the log: the read is done again once the Worker answers.
            left++
            await killing
          }
        }
      }),
    )
    await killing
    expect(killed).toBe(kills)
    expect(receipts.length).toBeGreaterThanOrEqual(reads)

    // A read through the last incarnation drains what the killed ones left behind.
    await read()
    const logs = await ledgerOf(cluster.databases.audit, receipts)
    for (const receipt of receipts) {
      // Recomputes leaf and tree hash from the drained bytes; `readLedger` has checked that no index is missing.
      const [entry] = entriesOf(receipt, logs.get(receipt.log) ?? [])
      expect(entry?.access.operation).toBe('search-type')
    }
    const entries = logs.get('montreal') ?? []
    await watch.covers(entries.length)
    await watch.end()
    const settled = await readLedger(cluster.databases.audit, 'montreal')
    expect(await watch.contradictions(settled)).toEqual([])
    const named = receipts.map(({ log, first }) => `${log}/${first}`)
    expect(new Set(named).size).toBe(named.length)
    console.info(
      `${receipts.length} receipts and ${watch.count} checkpoints checked, ${failures} requests cut off by ${kills} kills`,
    )
  })
})
