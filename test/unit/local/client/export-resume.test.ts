/** An export whose answers break off: gone on with by itself, and by a later run. */
import { existsSync, statSync } from 'node:fs'
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { exportAudit, resumeExport } from '../../../../src/local/client/audit-export.ts'
import type { ExportFormat } from '../../../../src/trail/export-format.ts'
import {
  auditEvents,
  csv,
  csvRows,
  events,
  ndjson,
  rangeExport,
  type SampleExport,
  sampleLog,
} from '../../audit/verify/sample-files.ts'

vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }))

/** How one request is answered: bytes until the connection is cut (infinite: never), or a refusal. */
type Answer = number | { readonly status: number }

let sample: SampleExport
let whole: string
let folder: string
let out: string
let server: Server | undefined
/** Paths, in order. */
let asked: string[]

beforeAll(async () => {
  sample = await rangeExport([{ log: sampleLog('east', 400, true), end: 390 }])
  whole = ndjson(sample)
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dossier-resume-'))
  out = join(folder, 'log')
})

afterEach(async () => {
  server?.close()
  await rm(folder, { recursive: true })
})

/** The rest of the file after an entry, as the server has it. */
function restAfter(place: string): string {
  const lines = whole.split('\n').slice(0, -1)
  const at = lines.findIndex((line) => {
    const { entry, index, log } = JSON.parse(line)
    return place === (entry ? `${entry.log}/${entry.index}` : `${log}/${index}`)
  })
  if (at === -1) throw new Error(`no entry ${place}`)
  return lines
    .slice(at + 1)
    .map((line) => `${line}\n`)
    .join('')
}

/** Of what has come, however the client names it. */
function sizeOfPart(): number {
  const [partial] = ['log.proof.ndjson.partial', 'log.partial'].filter((name) =>
    existsSync(join(folder, name)),
  )
  return partial === undefined ? 0 : statSync(join(folder, partial)).size
}

/** What a client has not read yet when the connection is cut is lost: it is given the time. */
function cutAt(response: ServerResponse, size: number): void {
  if (sizeOfPart() >= size) response.destroy()
  else setImmediate(() => cutAt(response, size))
}

async function serve(answers: readonly Answer[], cursor: string | null = 'sealed') {
  asked = []
  server = createServer((request, response) => {
    const answer = answers[asked.length] ?? { status: 500 }
    const url = new URL(request.url ?? '', 'http://x')
    asked.push(`${url.pathname}${url.search}`)
    if (typeof answer !== 'number') return response.writeHead(answer.status).end('no')
    const after = url.searchParams.get('after')
    if (after !== null && url.searchParams.get('_cursor') !== cursor)
      return response.writeHead(400).end('cursor')
    const bytes = Buffer.from(after === null ? whole : restAfter(after))
    if (cursor !== null) response.setHeader('Dossier-Export-Cursor', cursor)
    if (answer >= bytes.length) return response.end(bytes)
    const before = sizeOfPart()
    response.write(bytes.subarray(0, answer), () => cutAt(response, before + answer))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, token: async () => 'abc', language: 'en' } as const
}

const run = (target: Awaited<ReturnType<typeof serve>>, format: ExportFormat = 'ndjson') =>
  exportAudit(target, { filters: new URLSearchParams({ action: 'read' }), format, out })

const all = Number.POSITIVE_INFINITY
const files = async (): Promise<readonly string[]> => (await readdir(folder)).sort()
const expected = (format: ExportFormat): string =>
  format === 'csv'
    ? csv(csvRows(sample))
    : format === 'fhir'
      ? events(auditEvents(sample)).replaceAll('https://record.example', 'http://record.example')
      : whole

describe('an export that breaks off', () => {
  test.each(['ndjson', 'csv', 'fhir'] as const)('goes on by itself until it is whole: %s', async (format) => {
    const target = await serve([20_000, 1, { status: 503 }, 30_001, 0, all])
    const result = await run(target, format)
    expect(result).toMatchObject({ bytes: Buffer.byteLength(whole) })
    const proof = format === 'ndjson' ? out : `${out}.proof.ndjson`
    expect(await readFile(proof, 'utf8')).toBe(whole)
    expect(await readFile(out, 'utf8')).toBe(expected(format))
    expect(await files()).toEqual(format === 'ndjson' ? ['log'] : ['log', 'log.proof.ndjson'])
    expect(asked).toHaveLength(6)
    expect(asked[1]).toMatch(/^\/audit\/export\?_cursor=sealed&after=east%2F\d+$/)
  })

  test('at any byte goes on to the same file', async () => {
    const bytes = Buffer.from(whole)
    const first = bytes.indexOf('\n', bytes.indexOf('\n') + 1) + 1
    const block = bytes.indexOf('{"block"')
    const afterBlock = bytes.indexOf('\n', block) + 1
    const cuts = [first, first + 1, block - 1, block, block + 5, afterBlock, bytes.length - 1]
    for (const cut of cuts) {
      await run(await serve([cut, all]))
      expect([cut, await readFile(out, 'utf8')]).toEqual([cut, whole])
      server?.close()
    }
  })

  test.each(['ndjson', 'csv', 'fhir'] as const)(
    'and does not come back is left for another run, which goes on: %s',
    async (format) => {
      await writeFile(out, 'older')
      const broken = await serve([50_000, 0, 0, 0, 0, 0, 0, 0, 0])
      await expect(run(broken, format)).rejects.toThrow(/broke off after \d+ bytes.*--resume/)
      expect(asked).toHaveLength(6)
      expect(await readFile(out, 'utf8')).toBe('older')
      expect(await files()).toContain('log.resume')
      server?.close()
      const result = await resumeExport(await serve([10_000, all]), out)
      expect(result).toMatchObject({ format, bytes: Buffer.byteLength(whole) })
      expect(await readFile(out, 'utf8')).toBe(expected(format))
      expect(await files()).toEqual(format === 'ndjson' ? ['log'] : ['log', 'log.proof.ndjson'])
      expect(asked[0]).toMatch(/_cursor=sealed/)
    },
  )

  test('and always within an entry is left in the end: bytes alone bring it no further', async () => {
    const target = await serve([50_000, ...Array.from({ length: 20 }, () => 10)])
    await expect(run(target)).rejects.toThrow(/--resume/)
    expect(asked).toHaveLength(6)
  })

  test('is gone on with where a machine that stopped left a line torn', async () => {
    await expect(run(await serve([50_000]))).rejects.toThrow(/--resume/)
    server?.close()
    await appendFile(join(folder, 'log.partial'), '\0\0\0\n{"entry":')
    await resumeExport(await serve([all]), out)
    expect(await readFile(out, 'utf8')).toBe(whole)
  })

  test('and was left is not written over by a new one, nor asked for', async () => {
    await expect(run(await serve([50_000]))).rejects.toThrow(/--resume/)
    server?.close()
    await expect(run(await serve([all]))).rejects.toThrow(/log.partial is there.*--resume, or remove it/)
    expect(asked).toEqual([])
    expect(await files()).toEqual(['log.partial', 'log.resume'])
  })

  test('and may not go on leaves nothing', async () => {
    await expect(run(await serve([50_000, { status: 400 }]))).rejects.toThrow(/answered 400: no$/)
    expect(await files()).toEqual([])
  })

  test('without a cursor, or before its first entry, leaves nothing', async () => {
    await expect(run(await serve([50_000], null))).rejects.toThrow(/broke off after \d+ bytes: [^;]*$/)
    expect(await files()).toEqual([])
    server?.close()
    await expect(run(await serve([100]))).rejects.toThrow(/before its first entry: begin again$/)
    expect(await files()).toEqual([])
  })

  test('of which there is no part cannot be gone on with', async () => {
    await expect(resumeExport(await serve([all]), out)).rejects.toThrow(
      /no part of an export to .*: begin it/,
    )
    expect(asked).toEqual([])
  })
})
