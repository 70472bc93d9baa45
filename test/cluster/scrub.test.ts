/** On a real cluster: an officer redacts an entry, the scrub agrees; somebody with the write token tampers, it does not. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSecrets } from '../../src/local/home.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import type { Rows, SqlValue, Statement } from '../../src/store/ports.ts'
import { parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const log = 'montreal'

describe('the audit database of a cluster', () => {
  let running: TestCluster
  let officer: string

  const rows = async (sql: string, ...args: SqlValue[]): Promise<Rows> => {
    const { url, readToken } = running.cluster.databases.audit
    return (await hranaReader({ url, token: readToken }).read([{ sql, args }]))[0] ?? []
  }
  const write = (...statements: readonly Statement[]) => {
    const { url, writeToken } = running.cluster.databases.audit
    return hranaWriter({ url, token: writeToken }).apply(statements)
  }
  const metric = async (name: string, of: string): Promise<number> => {
    const token = readSecrets(running.cluster.home)?.metricsToken ?? ''
    const text = await (await running.get('/metrics', token)).text()
    const line = text.split('\n').find((each) => each.startsWith(`${name}{log="${of}"} `))
    return line === undefined ? Number.NaN : Number(line.split(' ')[1])
  }
  /** The test's own bound ends the wait. */
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await delay(100)
  }
  const findings = (of: string) => metric('dossier_scrub_findings', of)
  /** Resolves when everything that was there has been looked at since. */
  const scrubbed = async (): Promise<void> => {
    const before = (await metric('dossier_scrub_rounds_total', log)) || 0
    await until(async () => (await metric('dossier_scrub_rounds_total', log)) >= before + 2)
  }
  const redact = (index: number, token: string) =>
    running.post(
      `/audit/redaction/${log}/${index}`,
      token,
      JSON.stringify({ reason: 'Entrée au nom d’une autre personne', basis: 'LRSSS, art. 24' }),
      { 'content-type': 'application/json', 'accept-language': 'en' },
    )
  /** Makes an entry and waits until a checkpoint covers it. */
  const publishedEntry = async (): Promise<number> => {
    const token = await running.cluster.token('tremblay')
    const answer = await running.get('/fhir/Observation?nonsense=1', token)
    const { first } = parseReceipt(answer.headers.get('dossier-receipt'))
    await until(async () => {
      const [newest] = await rows('select max(size) as size from checkpoint where log = ?', log)
      return Number(newest?.size) > first
    })
    return first
  }
  const told = () =>
    rows(
      `select entry ->> '$.access.note.finding' as finding, entry ->> '$.access.note.place' as place
         from ledger_body where entry ->> '$.access.operation' = 'scrub' order by finding`,
    )

  beforeAll(async () => {
    running = await startTestCluster()
    officer = await running.cluster.token('bouchard', { scope: 'user/*.cruds' })
  })

  afterAll(() => running?.end())

  test('has the schema of the migrations to the letter, and holds what the logs say but for the one entry that an officer redacts', async () => {
    const index = await publishedEntry()
    const answer = await redact(index, officer)
    expect(answer.status).toBe(200)
    const redaction = parseReceipt(answer.headers.get('dossier-receipt')).first - 1
    expect(await answer.json()).toEqual({
      changed: true,
      log,
      index: String(index),
      redaction: String(redaction),
    })
    expect(await rows('select idx from ledger_body where log = ? and idx = ?', log, index)).toEqual([])
    const again = await redact(index, officer)
    expect([again.status, await again.json()]).toMatchObject([200, { changed: false }])
    await scrubbed()
    expect([await findings('*'), await findings(log)]).toEqual([0, 0])
  })

  test('loses nothing to anybody else, nor twice, nor a redaction', async () => {
    const index = await publishedEntry()
    const narrowed = await running.cluster.token('bouchard', { scope: 'user/AuditEvent.rs' })
    for (const token of [
      narrowed,
      await running.cluster.token('tremblay'),
      await running.cluster.token('lapointe'),
    ])
      expect((await redact(index, token)).status).toBe(403)
    const [redaction] = await rows(
      "select idx from ledger_body where action = 'redaction' and outcome = 'permit' and log = ? order by idx",
      log,
    )
    const refused = await redact(Number(redaction?.idx), officer)
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { errors: [{ code: 'not-redactable' }] },
    ])
    expect((await redact(9_999_999, officer)).status).toBe(404)
    expect(await rows('select idx from ledger_body where log = ? and idx = ?', log, index)).toHaveLength(1)
  })

  test('cannot be tampered with unnoticed: the scrub tells of a dropped trigger and a changed body, once', {
    timeout: 90_000,
  }, async () => {
    const index = await publishedEntry()
    await write(
      { sql: 'drop trigger ledger_body_frozen' },
      { sql: 'update ledger_body set salt = randomblob(32) where log = ? and idx = ?', args: [log, index] },
    )
    await until(async () => (await findings('*')) > 0 && (await findings(log)) > 0)
    const all = [
      { finding: 'body-differs', place: String(index) },
      { finding: 'schema-missing', place: 'trigger ledger_body_frozen' },
    ]
    await until(async () => (await told()).length === all.length)
    expect((await told()).map((row) => ({ ...row }))).toEqual(all)
    expect((await running.get('/readyz', null)).status).toBe(200)

    const { worker } = running.cluster.processes
    await worker.crash()
    await worker.start()
    await running.get('/fhir/metadata', null)
    await until(async () => (await findings(log)) > 0)
    await scrubbed()
    expect([await findings('*'), await findings(log)]).toEqual([1, 1])
    expect(await told()).toHaveLength(all.length)
  })
})
