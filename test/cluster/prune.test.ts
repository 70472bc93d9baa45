/** Pruning a log of eight years whose storage was lost, on a running cluster: by its successor, told by both verifiers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fillLog, timeOf } from '../../bench/filled-log.ts'
import { readSecrets, readState } from '../../src/local/home.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { askTypeScript, hasPython, PythonVerifier } from '../unit/audit/gallery/verifiers.ts'
import { startTestCluster, type TestCluster, temporaryHome } from './support.ts'

const log = 'quebec'
const size = 3_000
/** Eight years up to today: the policy keeps seven of them. */
const period = { from: Date.now() - 8 * 366 * 86_400_000, to: Date.now() - 86_400_000 }
const home = temporaryHome()
const asked = { reason: 'Délai de conservation écoulé', basis: 'Calendrier de conservation, règle 12' }

let t: TestCluster
let python: PythonVerifier | undefined
let officer: string
/** Up to where it went. */
let to: number

const send = async (path: string, token: string, body: object) => {
  const answer = await t.post(path, token, JSON.stringify(body), { 'content-type': 'application/json' })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

const left = async () => {
  const { url, readToken } = t.cluster.databases.audit
  const [rows = []] = await hranaReader({ url, token: readToken }).read([
    { sql: 'select idx, patient from ledger_body where log = ? order by idx', args: [log] },
  ])
  return rows.map(({ idx, patient }) => ({ index: Number(idx), patient }))
}

const exported = async (query: string): Promise<string> => {
  const answer = await t.get(`/audit/export?${query}`, officer)
  expect([query, answer.status]).toEqual([query, 200])
  return await answer.text()
}

const codes = async (file: string) => {
  const verdicts = [await askTypeScript({ file }), ...(python ? [await python.ask({ file })] : [])]
  return verdicts.map((verdict) => (verdict.ok ? 'ok' : `${verdict.code} ${verdict.place}`))
}
const all = (code: string) => (python ? [code, code] : [code])

beforeAll(async () => {
  t = await startTestCluster({ home: home.path })
  if (hasPython) python = new PythonVerifier()
  const seed = Buffer.from(readSecrets(home.path)?.logSeed ?? '', 'base64url')
  await fillLog(t.cluster.databases.audit, log, size, undefined, {
    period,
    seed,
    prefix: readState(home.path)?.logOrigin ?? '',
  })
  officer = await t.cluster.token('bouchard')
})

afterAll(async () => {
  python?.close()
  await t?.end()
  home.remove()
})

describe('the pruning of a retired log', () => {
  test('is ordered in its successor, and lets go what is older than the policy, but for what is on hold', async () => {
    const operator = await t.cluster.token('lapointe', { scope: 'user/*.cruds' })
    const succeed = () => send(`/audit/succession/${log}`, operator, { reason: 'Stockage perdu' })
    // Asked for the first time, the log finds that others remember more than it does, and halts.
    expect((await succeed()).status).toBe(503)
    expect(await succeed()).toMatchObject({ status: 200, json: { successor: 'quebec-2' } })
    const hold = { kind: 'patient', key: 'person7', reason: 'Procès en cours, dossier 500-17' }
    expect((await send('/audit/holds', officer, hold)).status).toBe(200)
    const before = await left()
    const pruned = await send(`/audit/pruning/${log}`, officer, asked)
    expect(pruned).toMatchObject({ status: 200, json: { changed: true, log } })
    to = Number(pruned.json.to)
    expect(to).toBeGreaterThan(size / 10)
    const policy = new Date(Date.now() - 2557 * 86_400_000).toISOString()
    expect(timeOf(to - 1, size, period) < policy && timeOf(to + 1, size, period) > policy).toBe(true)
    expect(await left()).toEqual(before.filter(({ index, patient }) => index >= to || patient === 'person7'))
    expect(await send(`/audit/pruning/${log}`, officer, asked)).toMatchObject({
      status: 200,
      json: { changed: false, log },
    })
  })

  test('is told by exports, which both verifiers take; and one that hides a younger entry they do not', async () => {
    for (const query of [`log=${log}`, 'format=ndjson']) {
      const file = await exported(query)
      expect(file.includes('"pruned":"quebec-2/')).toBe(true)
      expect([query, await codes(file)]).toEqual([query, all('ok')])
      const lines = file.split('\n')
      const at = lines.findIndex((line) => line.includes('"pruned":"'))
      const { pruned } = JSON.parse(lines[at] as string)
      const young = lines.findIndex((line) => line.includes(`"index":"${to + 3}","log":"${log}"`))
      const { leaf } = JSON.parse(lines[young] as string)
      const hidden = JSON.stringify({ index: String(to + 3), leaf, log, pruned })
      const forged = lines.with(young, hidden).join('\n')
      expect([query, await codes(forged)]).toEqual([query, all(`pruning-other ${log}/${to + 3}`)])
    }
  })

  test('leaves a proof of nothing: the officer of the record is told by which entry it went', async () => {
    const gone = await t.get(`/audit/proof/${log}/1`, officer)
    expect([gone.status, await gone.text()]).toEqual([
      404,
      expect.stringContaining('voir l’entrée quebec-2/'),
    ])
    const kept = (await left()).find(({ index, patient }) => patient === 'person7' && index < to)
    const held = await t.get(`/audit/proof/${log}/${kept?.index}`, officer)
    expect(held.status).toBe(200)
    const question = { kind: 'access', entry: `${log}/1`, text: 'Qui a ouvert ce dossier, et pourquoi?' }
    expect((await send('/audit/questions', officer, question)).status).toBe(404)
  })

  test('is nobody’s but of an officer of the whole record', async () => {
    for (const who of ['tremblay', 'lapointe'])
      expect((await send(`/audit/pruning/${log}`, await t.cluster.token(who), asked)).status).toBe(403)
    expect((await send('/audit/pruning/quebec-9', officer, asked)).status).toBe(404)
    expect((await send('/audit/pruning/laval', officer, asked)).status).toBe(404)
  })
})
