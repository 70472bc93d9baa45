/** `GET /audit/export` as a privacy officer has it: filters, both files, and names that a spreadsheet would run. */
import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leafOf, sha256 } from '../../src/audit/commitment.ts'
import { parseCheckpoint } from '../../src/audit/tlog/checkpoint.ts'
import { leafHash } from '../../src/audit/tlog/hash.ts'
import { verifyConsistency, verifyInclusion } from '../../src/audit/tlog/proof.ts'
import { decodeEntries } from '../../src/audit/tlog/tile.ts'
import { parseTlogProof } from '../../src/audit/tlog/tlog-proof.ts'
import { portableCrypto } from '../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../src/audit/verify/verify.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import { encounter, locations, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import {
  checkedCheckpoint,
  type Header,
  hasRoot,
  isIncluded,
  isOpening,
  signedText,
} from './export-checks.ts'
import { entriesOf, type LedgerEntry, ledgerOf, type ParsedReceipt, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const name = '=HYPERLINK("http://x.example";"Dr; Zoé"),\t+1'
const requestId = '@SUM(1;-2)'

interface Line {
  readonly entry: Pick<LedgerEntry, 'access'> & { readonly index: string; log: string; time: string }
  readonly leaf: string
  readonly salt: string
  readonly proof?: readonly string[]
}

/** What an export by one filter promises, beside what it holds. */
const chains: Readonly<Record<string, string>> = {
  patient: 'patient-chain',
  organisation: 'organisation-chain',
}
const promises: Readonly<Record<string, string>> = { ...chains, log: 'range' }

describe('the audit export', () => {
  let running: TestCluster
  let officer: string
  let receipt: ParsedReceipt
  let whole: { readonly header: Header; readonly lines: readonly Line[]; readonly texts: readonly string[] }

  const ndjson = async (filters = ''): Promise<typeof whole & { receipt: ParsedReceipt }> => {
    const response = await running.get(`/audit/export${filters}`, officer)
    expect([filters, response.status]).toEqual([filters, 200])
    expect(response.headers.get('content-type')).toContain('ndjson')
    const file = await response.text()
    expect([filters, await verify(portableCrypto, { file: new Blob([file]).stream() })]).toMatchObject([
      filters,
      { ok: true },
    ])
    const [header = '', ...texts] = file.trimEnd().split('\n')
    return {
      header: JSON.parse(header) as Header,
      lines: texts.map((text) => JSON.parse(text) as Line),
      texts,
      receipt: parseReceipt(response.headers.get('dossier-receipt')),
    }
  }
  const indices = (lines: readonly Line[]) => lines.map(({ entry }) => `${entry.log}/${entry.index}`)
  const ranges = (logs: readonly { log: string; first: string; end: string }[]) =>
    logs.flatMap(({ log, first, end }) =>
      Array.from({ length: Number(end) - Number(first) }, (_, i) => `${log}/${Number(first) + i}`),
    )

  beforeAll(async () => {
    running = await startTestCluster()
    const { primary, replica } = running.cluster.databases
    // A registry row is replaced, never changed.
    await hranaWriter({ url: primary.url, token: primary.writeToken }).write('rename', [
      {
        sql: `update professional set valid_to = (select n from clock)
               where id = 'etienne-tremblay' and valid_to is null`,
      },
      {
        sql: `insert into professional (id, issuer, subject, name, valid_from)
              select id, issuer, subject, ?, valid_to from professional where id = 'etienne-tremblay'`,
        args: [name],
      },
    ])
    const reader = hranaReader({ url: replica.url, token: replica.readToken })
    const renamed = { sql: 'select 1 from professional where name = ?', args: [name] }
    while ((await reader.read([renamed]))[0]?.length !== 1) await new Promise((next) => setImmediate(next))

    const person = samplePatient(1)
    const system = await running.cluster.token('system-hopital-mont-royal')
    const bundle = transaction(
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
      encounter(person, { n: 1 }),
    )
    const published = await running.post('/fhir', system, bundle)
    const clock = { 'dossier-clock': published.headers.get('dossier-clock') ?? '' }
    const [patient] = locations(await published.json())
    const provider = await running.cluster.token('tremblay')
    const search = `/fhir/Observation?patient=${patient}`
    const read = await running.get(search, provider, { ...clock, 'x-request-id': requestId })
    expect([published.status, read.status]).toEqual([200, 200])
    receipt = parseReceipt(read.headers.get('dossier-receipt'))
    // Of the other region's log, and refusals.
    await running.get(search, await running.cluster.token('gagnon'), clock)
    await running.get('/fhir/Observation?nonsense=1', provider)
    await running.get(search, 'forged')
    officer = await running.cluster.token('bouchard')
    whole = await ndjson()
  })

  afterAll(async () => {
    await running?.end()
  })

  test('holds exactly the indices its header names, each entry opening its leaf and each receipt its entries', () => {
    const { header, lines, texts } = whole
    expect(header).toMatchObject({ format: 'dossier-export/1', completeness: 'range' })
    expect(
      header.logs.map(({ log, first, size, end, current }) => [log, first, end === size, current]),
    ).toEqual([
      ['montreal', '0', true, true],
      ['quebec', '0', true, true],
    ])
    expect(lines.length).toBeGreaterThanOrEqual(6)
    expect(indices(lines)).toEqual(ranges(header.logs))
    for (const [i, { leaf, salt }] of lines.entries()) {
      const text = texts[i]?.slice('{"entry":'.length, texts[i]?.lastIndexOf(',"leaf":')) ?? ''
      expect(isOpening(text, leaf, salt)).toBe(true)
    }
    const at = indices(lines).indexOf(`${receipt.log}/${receipt.first}`)
    const hash = createHash('sha256')
      .update(Buffer.concat([Buffer.from([0]), Buffer.from(lines[at]?.leaf ?? '', 'base64url')]))
      .digest('base64url')
    expect([receipt.count, hash]).toEqual([1, receipt.hash])
    expect(lines[at]?.entry.access.who.name).toBe(name)
  })

  test('proves by the signed roots that nothing is left out, changed or added', () => {
    const { header, lines } = whole
    for (const part of header.logs) {
      const leaves = lines.filter(({ entry }) => entry.log === part.log).map(({ leaf }) => leaf)
      expect(hasRoot(part, leaves)).toBe(true)
      expect(hasRoot(part, leaves.slice(1))).toBe(false)
    }
    const signer = header.logs.find(({ origin }) => header.list?.split('\n')[1] === origin)
    const list = signedText(header.list ?? '', [signer?.keys[0] ?? ''])
    expect(list.match(/^log \S+/gm)).toEqual(['log montreal', 'log quebec'])
  })

  test.each<[string, (line: Line) => string | null | undefined]>([
    ['patient', ({ entry }) => entry.access.patient],
    ['practitioner', ({ entry }) => entry.access.who.practitioner],
    ['organisation', ({ entry }) => entry.access.who.organisation],
    ['action', ({ entry }) => entry.access.action],
    ['outcome', ({ entry }) => entry.access.decision.outcome],
    ['log', ({ entry }) => entry.log],
  ])('by %s holds all that matches and nothing else', async (filter, of) => {
    const values = new Set(whole.lines.flatMap((line) => of(line) ?? []))
    expect(values.size).toBeGreaterThan(0)
    for (const value of values) {
      const part = await ndjson(`?${filter}=${encodeURIComponent(value)}`)
      expect(part.header.filters[filter]).toBe(value)
      expect(part.header.completeness).toBe(promises[filter] ?? 'none')
      for (const { entry, leaf, proof } of filter === 'log' ? [] : part.lines) {
        const of = part.header.logs.find(({ log }) => log === entry.log)
        expect(of && isIncluded(of, entry.index, leaf, proof ?? [])).toBe(true)
      }
      for (const { log, heads, keys, size } of filter in chains ? part.header.logs : []) {
        const chain = part.lines.filter(({ entry }) => entry.log === log)
        const text = signedText(heads[0] ?? '', [keys[0] ?? ''])
        expect(text).toContain(`\nsize ${size}\n`)
        expect(text).toContain(`\ncount ${chain.length}\nlast ${chain.at(-1)?.entry.index ?? '-'}\n`)
      }
      expect(part.lines.map(of)).toEqual(part.lines.map(() => value))
      // Exports meanwhile have entries of their own, after those of the first.
      const known = new Set(indices(whole.lines))
      expect(indices(part.lines).filter((index) => known.has(index))).toEqual(
        indices(whole.lines.filter((line) => of(line) === value)),
      )
    }
  })

  test('of a period is the range of indices its header says', async () => {
    const from = whole.lines[2]?.entry.time ?? ''
    const to = whole.lines.filter(({ entry }) => entry.log === 'montreal').at(-1)?.entry.time ?? ''
    const part = await ndjson(`?from=${from}&to=${to}`)
    expect(indices(part.lines)).toEqual(ranges(part.header.logs))
    const within = whole.lines.filter(({ entry }) => entry.time >= from && entry.time < to)
    expect(indices(part.lines)).toEqual(indices(within))
    expect(within.length).toBeGreaterThan(0)
  })

  test('names each patient in a chunk’s entry, and itself first', async () => {
    const { receipt: own, lines } = await ndjson()
    const { log } = own
    const patients = new Set(lines.flatMap(({ entry }) => entry.access.patient ?? []))
    const last = { ...own, first: own.first + patients.size }
    const entries = (await ledgerOf(running.cluster.databases.audit, [last])).get(log) ?? []
    const [begin] = entriesOf(own, entries)
    expect(begin?.access).toMatchObject({ action: 'export', phase: 'access', patient: null })
    const chunks = entries.filter(
      ({ access }) => access.phase === 'chunk' && access.requestId === begin?.access.requestId,
    )
    expect(new Set(chunks.map(({ access }) => access.patient))).toEqual(patients)
    expect(patients.size).toBeGreaterThan(0)
  })

  test('shows that a log continues a checkpoint that anyone has kept, and is covered by what anyone can fetch', async () => {
    const [part] = whole.header.logs
    const kept = part && checkedCheckpoint(part)
    const { header } = await ndjson(`?log=montreal&known=montreal:${kept?.size}`)
    const [later] = header.logs
    const stated = later && checkedCheckpoint(later)
    const { known } = later as unknown as { known: { size: string; proof: string[] } }
    expect(
      verifyConsistency(sha256, {
        from: BigInt(known.size),
        to: stated?.size ?? 0n,
        path: known.proof.map((hash) => new Uint8Array(Buffer.from(hash, 'base64url'))),
        fromRoot: kept?.root ?? new Uint8Array(),
        toRoot: stated?.root ?? new Uint8Array(),
      }),
    ).toBe(true)
    const published = await running.get('/audit/logs/montreal/checkpoint', null)
    expect(published.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const { size } = parseCheckpoint(signedText(await published.text(), later?.keys ?? []))
    expect(size).toBeGreaterThanOrEqual(stated?.size ?? 0n)
    const width = Number(kept?.size)
    const bundle = await running.get(`/audit/logs/montreal/tile/entries/000.p/${width}`, null)
    const leaves = decodeEntries(new Uint8Array(await bundle.arrayBuffer()), width)
    expect(leaves.map((leaf) => Buffer.from(leaf).toString('base64url'))).toEqual(
      whole.lines.slice(0, width).map(({ leaf }) => leaf),
    )
    const tile = await running.get(`/audit/logs/montreal/tile/0/000.p/${width}`, null)
    expect(Buffer.from(await tile.arrayBuffer())).toEqual(
      Buffer.concat(leaves.map((leaf) => leafHash(sha256, leaf))),
    )
    const list = await (await running.get('/audit/logs', null)).json()
    expect(list).toMatchObject({ logs: [{ log: 'montreal', vkey: later?.keys[0] }, { log: 'quebec' }] })
    expect(
      (await running.get(`/audit/logs/montreal/tile/0/000.p/${width}`, null)).headers.get('cache-control'),
    ).toMatch(/immutable/)
  })

  test('of one entry is a proof, also just after its access, for the officer', async () => {
    const read = await running.get('/fhir/Location?patient=nobody', await running.cluster.token('tremblay'))
    const { log, first } = parseReceipt(read.headers.get('dossier-receipt'))
    const path = `/audit/proof/${log}/${first}`
    const answer = await running.get(path, officer, { Prefer: 'wait=5' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    const proof = parseTlogProof(await answer.text())
    const { size, root } = parseCheckpoint(
      signedText(proof.checkpoint, whole.header.logs.find((part) => part.log === log)?.keys ?? []),
    )
    const [salt, text] = [proof.extra?.slice(0, 32), new TextDecoder().decode(proof.extra?.slice(32))]
    expect(JSON.parse(text)).toMatchObject({
      log,
      index: String(first),
      access: { operation: 'search-type' },
    })
    const leaf = leafHash(sha256, leafOf(salt as Uint8Array, text))
    expect(
      verifyInclusion(sha256, { leafHash: leaf, index: BigInt(first), size, path: proof.path, root }),
    ).toBe(true)
    const own = parseReceipt(answer.headers.get('dossier-receipt'))
    const audit = await ledgerOf(running.cluster.databases.audit, [own])
    const [entry] = entriesOf(own, audit.get(own.log) ?? [])
    expect(entry?.access).toMatchObject({ action: 'audit-read', note: { entry: `${log}/${first}` } })
    const beyond = await running.get(`/audit/proof/${log}/999999`, officer)
    expect([beyond.status, beyond.headers.get('dossier-receipt')]).toEqual([
      404,
      expect.stringContaining('/'),
    ])
    expect((await running.get(path, await running.cluster.token('tremblay'))).status).toBe(403)
  })

  test('as CSV holds the indices its own entry names, and runs nothing in a spreadsheet', async () => {
    const response = await running.get('/audit/export?format=csv', officer)
    expect(response.headers.get('content-type')).toContain('text/csv')
    const own = parseReceipt(response.headers.get('dossier-receipt'))
    const [columns = [], ...records] = parseCsv(await response.text())
    expect(new Set(records.map((record) => record.length))).toEqual(new Set([columns.length]))
    const column = (record: readonly string[], of: string) => record[columns.indexOf(of)] ?? ''
    const audit = await ledgerOf(running.cluster.databases.audit, [own])
    const [begin] = entriesOf(own, audit.get(own.log) ?? [])
    const told = Object.entries(begin?.access.note ?? {}).flatMap(([member, range]) => {
      const [, log] = member.match(/^log:(.+)$/) ?? []
      const [, first, end] = range.match(/^\[(\d+),(\d+)\)/) ?? []
      return log && first && end ? [{ log, first, end }] : []
    })
    expect(told).toHaveLength(2)
    expect(records.map((record) => `${column(record, 'log')}/${column(record, 'index')}`)).toEqual(
      ranges(told),
    )
    expect(new Set(records.map((record) => column(record, 'name')))).toContain(
      `'=HYPERLINK("http://x.example";"Dr; Zoé"),\t'+1`,
    )
    expect(new Set(records.map((record) => column(record, 'client_request_id')))).toContain("'@SUM(1;'-2)")
    for (const field of records.flat()) expect(field).not.toMatch(/(?:^|[;\t\r\n])[=+\-@]/)
  })

  test('in gzip is the same file, for whoever takes it', async () => {
    const take = async (coding: string): Promise<readonly [string | null, number, string]> => {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { authorization: `Bearer ${officer}`, 'accept-encoding': coding }
        const until = whole.header.logs.map(({ log, size }) => `until=${log}:${size}`).join('&')
        request(`${running.cluster.url}/audit/export?format=csv&${until}`, { headers }, resolve)
          .once('error', reject)
          .end()
      })
      const bytes = Buffer.concat(await answer.toArray())
      const told = answer.headers['content-encoding'] ?? null
      return [told, bytes.length, (told === 'gzip' ? gunzipSync(bytes) : bytes).toString()]
    }
    const [[plain, length, text], [coded, less, same]] = [await take('identity'), await take('gzip')]
    expect([plain, coded, same]).toEqual([null, 'gzip', text])
    expect(less).toBeLessThan(length)
  })

  test('that broke off goes on, and the parts are one file that verifies', async () => {
    const response = await running.get('/audit/export', officer)
    const cursor = response.headers.get('dossier-export-cursor') ?? ''
    const text = await response.text()
    const lines = text.split('\n')
    const at = lines.findIndex((line, i) => i > 3 && line.startsWith('{"entry"'))
    const { log, index } = (JSON.parse(lines[at] ?? '') as Line).entry
    const rest = await running.get(
      `/audit/export?_cursor=${encodeURIComponent(cursor)}&after=${log}/${index}`,
      officer,
    )
    expect(rest.status).toBe(200)
    expect(`${lines.slice(0, at + 1).join('\n')}\n${await rest.text()}`).toBe(text)
    const own = parseReceipt(rest.headers.get('dossier-receipt'))
    const audit = await ledgerOf(running.cluster.databases.audit, [own])
    expect(entriesOf(own, audit.get(own.log) ?? [])[0]?.access).toMatchObject({
      action: 'export',
      note: { after: `${log}/${index}` },
    })
    const someone = await running.cluster.token('tremblay')
    const refused = await running.get(`/audit/export?_cursor=${cursor}&after=${log}/${index}`, someone)
    expect(refused.status).toBe(403)
  })

  test('of a chain covers a log that has ended, and its successor', async () => {
    const operator = await running.cluster.token('lapointe', { scope: 'user/*.cruds' })
    const ended = await fetch(`${running.cluster.url}/audit/succession/quebec`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${operator}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ reason: 'Rotation annuelle des clés' }),
    })
    expect([ended.status, await ended.text()]).toEqual([200, expect.anything()])
    const value = whole.lines.find(({ entry }) => entry.log === 'quebec')?.entry.access.who.organisation
    const { header, lines } = await ndjson(`?organisation=${value}`)
    expect(header.completeness).toBe('organisation-chain')
    const told = header.logs.map(({ log, current, heads }) => [log, current, heads.length])
    expect(told).toEqual([
      ['montreal', true, 1],
      ['quebec', true, 1],
      ['quebec-2', true, 1],
    ])
    expect(header.list).toMatch(/^log quebec \S+ \S+ - retired\nlog quebec-2 \S+ \S+ quebec active$/m)
    expect(lines.length).toBeGreaterThan(0)
  })
})

/** RFC 4180, read by another hand than the one that wrote it. */
function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(record)
    record = []
  }
  return records
}
