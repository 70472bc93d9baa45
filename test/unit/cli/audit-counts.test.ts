/** What `dossier audit accounting` and `report` ask and write, against a server that answers as told. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { auditCommand } from '../../../src/cli/audit.ts'

let folder: string
let server: Server | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dossier-counts-'))
  writeFileSync(join(folder, 'token'), 'abc\n')
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  server?.closeAllConnections()
  server?.close()
  rmSync(folder, { recursive: true })
})

async function run(words: readonly string[], answer: (response: ServerResponse) => void) {
  let received = ''
  server = createServer((request, response) => {
    received = `${request.method} ${request.url}`
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('DOSSIER_HOME', folder)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const out = join(folder, 'counts')
  const failure = await auditCommand()
    .parseAsync([...words, '--out', out, '--url', url, '--token-file', join(folder, 'token')], {
      from: 'user',
    })
    .then(
      () => null,
      (error: Error) => error.message,
    )
  return { received, out, failure, said: write.mock.calls.map(([text]) => text).join('') }
}

describe('dossier audit', () => {
  it('accounting asks for an organisation and a period, with patients only when told to', async () => {
    const period = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-02-01T00:00:00Z']
    const asked = ['accounting', '--organisation', 'north', ...period]
    const plain = await run(asked, (response) => response.end('{}\n'))
    const query = 'from=2026-01-01T00%3A00%3A00Z&to=2026-02-01T00%3A00%3A00Z'
    expect(plain.received).toBe(`GET /audit/accounting?${query}&format=json&organisation=north`)
    server?.close()
    const detailed = await run([...asked, '--patients', '--format', 'csv'], (response) => response.end('x\n'))
    expect(detailed.received).toBe(
      `GET /audit/accounting?${query}&detail=patients&format=csv&organisation=north`,
    )
  })

  it('report writes the file of a year', async () => {
    const { received, out, said } = await run(['report', '--year', '2026'], (response) =>
      response.end('{"lines":[\n\n]}\n'),
    )
    expect(received).toBe('GET /audit/report?year=2026&format=json')
    expect(readFileSync(out, 'utf8')).toBe('{"lines":[\n\n]}\n')
    expect(said).toBe(`15 bytes in ${out}\n`)
  })

  it('says why a count was refused, and leaves nothing of one that broke off', async () => {
    const refused = await run(['report', '--year', '2026'], (response) =>
      response.writeHead(403).end('not yours'),
    )
    expect(refused.failure).toMatch(/answered 403: not yours/)
    server?.close()
    const broken = await run(['report', '--year', '2026'], (response) => {
      response.write('{"lines":[\n', () => response.destroy())
    })
    expect(broken.failure).toMatch(/broke off after \d+ bytes/)
    expect(readdirSync(folder)).toEqual(['token'])
  })
})
