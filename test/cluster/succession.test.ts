/** `dossier audit succeed` on a running cluster: accesses go on in the successor, and an export tells of both logs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hranaReader } from '../../src/store/hrana.ts'
import { encounter, locations, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

describe('the succession of a log', () => {
  let t: TestCluster
  let patient: string
  let token: string

  beforeAll(async () => {
    t = await startTestCluster()
    const person = samplePatient(1)
    const system = await t.cluster.token('system-hopital-mont-royal')
    const bundle = transaction(
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
      encounter(person, { n: 1 }),
    )
    const published = await t.post('/fhir', system, bundle)
    patient = locations(await published.json())[0] as string
    token = await t.cluster.token('tremblay')
  })

  afterAll(async () => {
    await t?.end()
  })

  const read = () => t.get(`/fhir/Observation?patient=${patient}`, token)
  const succeed = async (log: string, who = 'lapointe') =>
    await fetch(`${t.cluster.url}/audit/succession/${log}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await t.cluster.token(who, { scope: 'user/*.cruds' })}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ reason: 'Rotation annuelle des clés' }),
    })

  test('is for operators only, and of logs that are served here', async () => {
    expect((await succeed('montreal', 'tremblay')).status).toBe(403)
    expect((await succeed('laval')).status).toBe(404)
    expect(parseReceipt((await read()).headers.get('dossier-receipt')).log).toBe('montreal')
  })

  test('ends the log, commits to its last checkpoint, and takes what comes after', async () => {
    const before = parseReceipt((await read()).headers.get('dossier-receipt'))
    const done = await succeed('montreal')
    expect([done.status, await done.json()]).toEqual([
      200,
      { log: 'montreal', successor: 'montreal-2', salvaged: 0 },
    ])
    const after = parseReceipt((await read()).headers.get('dossier-receipt'))
    expect([before.log, after.log]).toEqual(['montreal', 'montreal-2'])
    const [first] = (await ledgerOf(t.cluster.databases.audit, [after])).get('montreal-2') ?? []
    const { url, readToken } = t.cluster.databases.audit
    const [[checkpoint] = []] = await hranaReader({ url, token: readToken }).read([
      { sql: "select size, note from checkpoint where log = 'montreal' order by size desc limit 1" },
    ])
    expect(first?.access).toMatchObject({
      action: 'succession',
      who: { practitioner: expect.any(String) },
      note: {
        predecessor: 'montreal',
        reason: 'Rotation annuelle des clés',
        'checkpoint-size': String(checkpoint?.size),
        'checkpoint-root': String(checkpoint?.note).split('\n')[2],
      },
    })
    expect(Number(checkpoint?.size)).toBeGreaterThan(before.first)
    expect((await t.get('/readyz', token)).status).toBe(200)
  })

  test('hides no entry: what the successor has just taken is explained at once', async () => {
    const officer = await t.cluster.token('bouchard')
    for (let n = 0; n < 5; n++) {
      const receipt = (await read()).headers.get('dossier-receipt') ?? ''
      const explained = await t.get(`/access/explain?receipt=${encodeURIComponent(receipt)}`, officer)
      expect([parseReceipt(receipt).log, explained.status]).toEqual(['montreal-2', 200])
    }
  })

  test('survives a restart of the Worker, and can be followed by another', async () => {
    await t.cluster.processes.worker.crash()
    await t.cluster.processes.worker.start()
    expect(parseReceipt((await read()).headers.get('dossier-receipt')).log).toBe('montreal-2')
    const again = await succeed('montreal')
    expect(await again.json()).toMatchObject({ successor: 'montreal-2', salvaged: 0 })
    expect(await (await succeed('montreal-2')).json()).toMatchObject({ successor: 'montreal-3' })
    const last = parseReceipt((await read()).headers.get('dossier-receipt'))
    expect(last.log).toBe('montreal-3')
    const logs = await ledgerOf(t.cluster.databases.audit, [last])
    expect(entriesOf(last, logs.get('montreal-3') ?? [])[0]?.access.operation).toBe('search-type')
  })

  test('shows in the public list and in an export, which covers all of them', async () => {
    const list = (await (await t.get('/audit/logs', token)).json()) as {
      logs: { log: string; predecessor: string | null; successor: string | null }[]
    }
    expect(list.logs.filter(({ log }) => log.startsWith('montreal'))).toMatchObject([
      { log: 'montreal', predecessor: null, successor: 'montreal-2' },
      { log: 'montreal-2', predecessor: 'montreal', successor: 'montreal-3' },
      { log: 'montreal-3', predecessor: 'montreal-2', successor: null },
    ])
    const officer = await t.cluster.token('bouchard')
    const id = patient.replace(/^Patient\//, '').replace(/\/_history\/1$/, '')
    const file = await t.get('/audit/export', officer)
    const [header = ''] = (await file.text()).split('\n')
    expect(id).not.toBe('')
    expect((JSON.parse(header) as { logs: { log: string }[] }).logs.map(({ log }) => log)).toEqual([
      'montreal',
      'montreal-2',
      'montreal-3',
      'quebec',
    ])
  })
})
