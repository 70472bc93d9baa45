/** The disk under the log fails now and then, under load: what a log says it holds it holds, and nothing it signed is false. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
import { replicated, startTestCluster, type TestCluster } from './support.ts'
import { canTrace, failFsyncs } from './tracing.ts'

const reads = 600
const clients = 16

describe.skipIf(!(await canTrace()))('a disk that fails under load', () => {
  let t: TestCluster
  let patient: string
  let token: string

  beforeAll(async () => {
    t = await startTestCluster()
    const person = samplePatient(1)
    const bundle = transaction(
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
      encounter(person, { n: 1 }),
    )
    const published = await t.post('/fhir', await t.cluster.token('system-hopital-mont-royal'), bundle)
    patient = locations(await published.json())[0] as string
    token = await t.cluster.token('tremblay')
    await replicated(t.cluster)
  })

  afterAll(async () => {
    await t?.end()
  })

  test('loses nothing that was acknowledged, and the log goes on', { timeout: 180_000 }, async () => {
    const watch = new CheckpointWatch(t.cluster, 'montreal')
    const receipts: ParsedReceipt[] = []
    let refused = 0
    const read = async (): Promise<boolean> => {
      const response = await t.get(`/fhir/Observation?patient=${patient}`, token)
      const body = await response.text()
      const receipt = response.headers.get('dossier-receipt')
      if (receipt !== null) receipts.push(parseReceipt(receipt))
      if (response.status === 200) {
        expect([receipt !== null, body.includes(marker)]).toEqual([true, true])
        return true
      }
      expect([response.status, body.includes(marker)]).toEqual([503, false])
      refused++
      return false
    }
    const disk = await failFsyncs(t.cluster.processes.worker.pid() as number, 5, 20)
    let left = reads
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (left-- > 0) await read()
      }),
    )
    await disk.end()
    // Without a single fault or refusal nothing was tested.
    expect(Math.min(disk.failed, refused)).toBeGreaterThan(0)

    while (!(await read()));
    const logs = await ledgerOf(t.cluster.databases.audit, receipts)
    for (const receipt of receipts) entriesOf(receipt, logs.get(receipt.log) ?? [])
    const named = receipts.map(({ log, first }) => `${log}/${first}`)
    expect(new Set(named).size).toBe(named.length)
    await watch.covers((logs.get('montreal') ?? []).length)
    await watch.end()
    expect(await watch.contradictions(await readLedger(t.cluster.databases.audit, 'montreal'))).toEqual([])
    expect((await t.get('/readyz', null)).status).toBe(200)
    console.info(
      `${disk.failed} fsyncs failed, ${refused} reads refused; ${receipts.length} receipts and ${watch.count} checkpoints checked`,
    )
  })
})
