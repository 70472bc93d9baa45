/**
 * A patient seen in two regions, whose two source records were joined in between, exports all that is about them: over both
 * logs, under both ids, and neither verifier overlooks an entry that is missing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hranaReader } from '../../src/store/hrana.ts'
import { askTypeScript, hasPython, PythonVerifier, type Verdict } from '../unit/audit/gallery/verifiers.ts'
import { encounter, observation, patientResource, samplePatient } from './bundles.ts'
import { admit, holder, openWard, results, type Ward } from './care.ts'
import type { Header } from './export-checks.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { replicated } from './support.ts'

interface Entry {
  readonly log: string
  readonly index: string
  readonly access: { readonly patient: string; readonly phase: string; readonly action: string }
  readonly chains: { readonly patient: { readonly count: string } }
}

const login = 'theriault'
const logs = ['montreal', 'quebec']

describe('the export of a patient’s own trail', () => {
  let ward: Ward
  let python: PythonVerifier | undefined
  /** Of Montréal's record from the beginning, of Québec's since it was joined; and of Québec's before. */
  let own: string
  let earlier: string
  let stranger: string
  let file: string
  let header: Header
  let entries: readonly Entry[]

  const personOf = async (patient: string): Promise<string> => {
    const id = patient.replace('Patient/', '')
    const [row] = await ward.rows('select person from source_record where id = ?', id)
    return String(row?.person)
  }
  const read = async (by: string, patient: string): Promise<string> => {
    const answer = await ward.get(by, results(patient), { clock: ward.clock() })
    expect([by, answer.status]).toEqual([by, 200])
    return answer.receipt
  }
  const verdicts = async (text: string): Promise<readonly Verdict[]> => [
    await askTypeScript({ file: text }),
    ...(python ? [await python.ask({ file: text })] : []),
  ]
  const exportBy = async (by: string, query = ''): Promise<string> => {
    const answer = await ward.get(by, `/audit/export${query}`, { clock: ward.clock() })
    expect([by, query, answer.status]).toEqual([by, query, 200])
    return answer.text
  }
  const headerOf = (text: string): Header => JSON.parse(text.slice(0, text.indexOf('\n'))) as Header
  const chainOf = (log: string, key: string): readonly Entry[] =>
    entries.filter((entry) => entry.log === log && entry.access.patient === key)

  beforeAll(async () => {
    ward = await openWard()
    if (hasPython) python = new PythonVerifier()
    const person = holder(login)
    // In Québec nobody knows the number at first, so this is a person of its own.
    const unnumbered = { ...patientResource(person), identifier: [{ system: 'urn:chart', value: '7' }] }
    const montreal = (await admit(ward, 'hopital-mont-royal', person)).patient
    const [quebec = ''] = await ward.publish(
      'hopital-cap-diamant',
      unnumbered,
      encounter(person, { n: 2 }),
      observation(person, { n: 3, date: '2024-02-01' }),
    )
    const other = (await admit(ward, 'hopital-cap-diamant', samplePatient(3))).patient
    for (const [by, patient] of [
      ['tremblay', montreal],
      ['gagnon', quebec],
      ['gagnon', other],
      ['gagnon', quebec],
    ] as const)
      await read(by, patient)
    own = await personOf(montreal)
    earlier = await personOf(quebec)
    stranger = await personOf(other)
    expect(new Set([own, earlier, stranger]).size).toBe(3)
    // The number comes in, and joins the two.
    await ward.publish('hopital-cap-diamant', patientResource(person))
    await replicated(ward.test.cluster)
    expect([await personOf(montreal), await personOf(quebec)]).toEqual([own, own])
    await read('tremblay', montreal)
    await read('gagnon', quebec)
    file = await exportBy(login)
    header = headerOf(file)
    entries = file
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => (JSON.parse(line) as { entry: Entry }).entry)
  })
  afterAll(async () => {
    python?.close()
    await ward?.end()
  })

  test('is complete: both verifiers accept it, and each log attests each chain from 1 to n', async () => {
    for (const verdict of await verdicts(file)) expect(verdict).toEqual({ ok: true })
    expect([header.completeness, header.filters.patient, header.chains]).toEqual([
      'patient-chain',
      own,
      [own, earlier],
    ])
    expect(header.logs.map(({ log, current }) => [log, current])).toEqual(logs.map((log) => [log, true]))
    for (const { log, heads } of header.logs)
      for (const [i, key] of header.chains.entries()) {
        const chain = chainOf(log, key)
        expect(chain.map((entry) => entry.chains.patient.count)).toEqual(chain.map((_, n) => String(n + 1)))
        expect(heads[i]).toContain(`\ncount ${chain.length}\nlast ${chain.at(-1)?.index ?? '-'}\n`)
      }
  })

  test('is the union: what was logged before the records were joined and after, in both regions, and of nobody else', async () => {
    expect(chainOf('quebec', earlier).length).toBeGreaterThanOrEqual(3)
    expect(chainOf('quebec', own).length).toBeGreaterThanOrEqual(2)
    expect(chainOf('montreal', own).length).toBeGreaterThanOrEqual(3)
    expect(chainOf('montreal', earlier)).toEqual([])
    // What the audit database says by itself.
    const { url, readToken } = ward.test.cluster.databases.audit
    const [rows = []] = await hranaReader({ url, token: readToken }).read([
      {
        sql: 'select log, idx from ledger_body where patient in (?, ?) order by log, idx',
        args: [own, earlier],
      },
    ])
    const sizes = new Map(header.logs.map(({ log, size }) => [log, Number(size)]))
    const stored = rows.filter(({ log, idx }) => Number(idx) < (sizes.get(String(log)) ?? 0))
    expect(entries.map(({ log, index }) => `${log}/${index}`)).toEqual(
      stored.map(({ log, idx }) => `${log}/${idx}`),
    )
    expect(file).not.toContain(stranger)
  })

  test('shows each entry that was taken out, to both verifiers, where it is', async () => {
    for (const log of logs)
      for (const key of [own, earlier]) {
        const chain = chainOf(log, key)
        for (const [i, { index }] of chain.entries()) {
          const without = file
            .split('\n')
            .filter(
              (line) => !(line.includes(`"index":"${index}","log":"${log}"`) && line.startsWith('{"entry"')),
            )
            .join('\n')
          expect(without.length).toBeLessThan(file.length)
          const next = chain[i + 1]
          const expected = next
            ? { ok: false, code: 'chain-gap', place: `${log}/${next.index}` }
            : { ok: false, code: 'chain-head', place: log }
          for (const verdict of await verdicts(without)) expect(verdict).toMatchObject(expected)
        }
      }
  })

  test('is in the log itself, under each id that it tells of', async () => {
    const answer = await ward.get(login, '/audit/export', { clock: ward.clock() })
    expect(headerOf(answer.text).chains).toEqual([own, earlier])
    const begun = parseReceipt(answer.receipt)
    const { audit } = ward.test.cluster.databases
    const last = { ...begun, first: begun.first + 2 }
    const told = (await ledgerOf(audit, [last])).get(begun.log) ?? []
    const [beginning] = entriesOf(begun, told)
    const chunks = told.filter(
      ({ access }) => access.phase === 'chunk' && access.requestId === beginning?.access.requestId,
    )
    expect(chunks.map(({ access }) => access.patient).sort()).toEqual([own, earlier].sort())
    for (const { access } of chunks)
      expect([access.action, access.decision.reason]).toEqual(['export', 'patient'])
  })

  test('is what the officer has who asks for the person, by the id of today or the one of earlier', async () => {
    for (const id of [own, earlier]) {
      const text = await exportBy('bouchard', `?patient=${id}`)
      for (const verdict of await verdicts(text)) expect(verdict).toEqual({ ok: true })
      expect([headerOf(text).filters.patient, headerOf(text).chains]).toEqual([id, [own, earlier]])
    }
  })

  test('is of nobody else, whatever is asked', async () => {
    const refused = async (query: string) => {
      const answer = await ward.get(login, `/audit/export?${query}`, { clock: ward.clock() })
      const [entry] = await ward.entries(answer)
      return [answer.status, entry?.access.decision.reason]
    }
    expect(await refused(`patient=${stranger}`)).toEqual([403, 'person-unknown'])
    expect(await refused('patient=nobody')).toEqual([403, 'person-unknown'])
    expect(await refused('organisation=chu-cap-diamant')).toEqual([400, 'invalid'])
    expect(await refused('log=quebec')).toEqual([400, 'invalid'])
    const narrowed = await exportBy(login, '?action=publish')
    expect(headerOf(narrowed)).toMatchObject({ completeness: 'none', filters: { patient: own } })
    expect(narrowed).not.toContain(stranger)
  })

  test('goes with proofs of single entries, under an earlier id too', async () => {
    const [before] = chainOf('quebec', earlier)
    const proof = (by: string) =>
      ward.get(by, `/audit/proof/quebec/${before?.index}`, {
        clock: ward.clock(),
        headers: { Prefer: 'wait=5' },
      })
    const answer = await proof(login)
    expect([answer.status, answer.text.split('\n')[0]]).toEqual([200, 'c2sp.org/tlog-proof@v1'])
    await admit(ward, 'hopital-cap-diamant', holder('belisle'))
    expect((await proof('belisle')).status).toBe(404)
  })
})
