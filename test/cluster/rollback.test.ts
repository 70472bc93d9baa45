/** A backup in place of a log's storage: the log does not go on from there, whatever it is told, until it has a successor. */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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

describe('the storage of a log, set back to a backup', () => {
  let t: TestCluster
  let watch: CheckpointWatch
  let patient: string
  let token: string
  let elsewhere: string
  const receipts: ParsedReceipt[] = []

  const read = () => t.get(`/fhir/Observation?patient=${patient}`, token)
  const receiptOf = (response: Response): ParsedReceipt =>
    parseReceipt(response.headers.get('dossier-receipt'))
  const objects = (): string => join(t.cluster.home, 'objects', 'AuditLogObject')
  const filesOf = (folder: string, base: string): string[] =>
    readdirSync(folder).filter((name) => name.startsWith(base))

  /** The file of a log's object, without the ends its companions have. */
  const fileOf = (log: string): string => {
    const found = readdirSync(objects()).find((name) => {
      if (!name.endsWith('.sqlite') || name === 'metadata.sqlite') return false
      const database = new DatabaseSync(join(objects(), name), { readOnly: true })
      try {
        return database.prepare('select log from log_state').get()?.log === log
      } finally {
        database.close()
      }
    })
    if (!found) throw new Error(`${log} has no file`)
    return found
  }

  const readTwice = async (): Promise<void> => {
    for (let n = 0; n < 2; n++) {
      const response = await read()
      expect(response.status).toBe(200)
      receipts.push(receiptOf(response))
    }
    const { count, first } = receipts.at(-1) as ParsedReceipt
    await watch.covers(first + count)
  }

  beforeAll(async () => {
    t = await startTestCluster()
    watch = new CheckpointWatch(t.cluster, 'montreal')
    const person = samplePatient(1)
    const bundle = transaction(
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
      encounter(person, { n: 1 }),
    )
    const published = await t.post('/fhir', await t.cluster.token('system-hopital-mont-royal'), bundle)
    patient = locations(await published.json())[0] as string
    token = await t.cluster.token('tremblay')
    elsewhere = await t.cluster.token('gagnon')
    await replicated(t.cluster)
    await readTwice()

    const { worker } = t.cluster.processes
    const backup = join(t.cluster.home, 'backup')
    mkdirSync(backup)
    await worker.kill()
    const file = fileOf('montreal')
    for (const name of filesOf(objects(), file)) copyFileSync(join(objects(), name), join(backup, name))
    await worker.start()
    await readTwice()
    await worker.kill()
    for (const name of filesOf(objects(), file)) rmSync(join(objects(), name))
    for (const name of filesOf(backup, file)) copyFileSync(join(backup, name), join(objects(), name))
    await worker.start()
  })

  afterAll(async () => {
    await watch?.end()
    await t?.end()
  })

  test('halts the log, and readiness says so', async () => {
    const ready = async () => {
      const response = await t.get('/readyz', null)
      return [response.status, await response.json()]
    }
    await expect
      .poll(ready, { timeout: 20_000 })
      .toEqual([503, { ready: false, checks: expect.objectContaining({ 'log montreal': 'halted' }) }])
  })

  test('is betrayed by no byte: accesses of its facilities are refused', async () => {
    const refused = await read()
    expect(refused.status).toBe(503)
    expect(refused.headers.has('dossier-receipt')).toBe(false)
    expect(await refused.text()).not.toContain(marker)
  })

  test('does not touch the log of another region', async () => {
    const answered = await t.get(`/fhir/Observation?patient=${patient}`, elsewhere)
    expect(receiptOf(answered).log).toBe('quebec')
    const ready = async () => (await (await t.get('/readyz', null)).json()) as unknown
    await expect.poll(ready).toMatchObject({ checks: { 'log montreal': 'halted', 'log quebec': 'ok' } })
  })

  test('is the same after another start', async () => {
    const before = (await readLedger(t.cluster.databases.audit, 'montreal')).length
    await t.cluster.processes.worker.crash()
    await t.cluster.processes.worker.start()
    expect((await read()).status).toBe(503)
    expect((await readLedger(t.cluster.databases.audit, 'montreal')).length).toBe(before)
  })

  test('ends with a successor; what was acknowledged before is still there, and nothing signed is contradicted', async () => {
    const done = await fetch(`${t.cluster.url}/audit/succession/montreal`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await t.cluster.token('lapointe', { scope: 'user/*.cruds' })}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ reason: 'Sauvegarde restaurée par erreur' }),
    })
    expect([done.status, await done.json()]).toMatchObject([
      200,
      { log: 'montreal', successor: 'montreal-2' },
    ])
    const after = await read()
    expect([after.status, receiptOf(after).log]).toEqual([200, 'montreal-2'])
    receipts.push(receiptOf(after))
    const logs = await ledgerOf(t.cluster.databases.audit, receipts)
    for (const receipt of receipts) entriesOf(receipt, logs.get(receipt.log) ?? [])
    expect((await t.get('/readyz', null)).status).toBe(200)
    await watch.end()
    expect(await watch.contradictions(await readLedger(t.cluster.databases.audit, 'montreal'))).toEqual([])
  })
})
