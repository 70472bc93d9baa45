/** What `dossier audit redact` sends and says, against a server that answers as told. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { redactCommand } from '../../../src/cli/audit-redact.ts'

let folder: string
let server: Server | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dossier-redact-'))
  writeFileSync(join(folder, 'token'), 'abc\n')
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  server?.closeAllConnections()
  server?.close()
  rmSync(folder, { recursive: true })
})

async function run(status: number, answer: unknown) {
  let received = ''
  server = createServer(async (request, response) => {
    received = `${request.method} ${request.url} ${(await request.toArray()).join('')}`
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('DOSSIER_HOME', folder)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const words = ['--reason', 'une autre personne', '--basis', 'LRSSS, art. 24']
  const failure = await redactCommand()
    .parseAsync(['montreal', '17', ...words, '--url', url, '--token-file', join(folder, 'token')], {
      from: 'user',
    })
    .then(
      () => null,
      (error: Error) => error.message,
    )
  return { received, said: write.mock.calls.map(([text]) => text).join(''), failure }
}

describe('dossier audit redact', () => {
  it('sends reason and basis, and names the entry that tells of it', async () => {
    const { received, said } = await run(200, {
      changed: true,
      log: 'montreal',
      index: '17',
      redaction: '42',
    })
    expect(received).toBe(
      'POST /audit/redaction/montreal/17 {"reason":"une autre personne","basis":"LRSSS, art. 24"}',
    )
    expect(said).toBe('montreal/17 is redacted by the entry montreal/42.\n')
  })

  it('says when it was done before', async () => {
    const { said } = await run(200, { changed: false, log: 'montreal', index: '17', redaction: '42' })
    expect(said).toBe('montreal/17 was redacted already, by the entry montreal/42.\n')
  })

  it('says why it is refused', async () => {
    const { said, failure } = await run(409, { title: 'No published checkpoint covers this entry yet.' })
    expect([said, failure]).toEqual([
      '',
      expect.stringContaining('409: No published checkpoint covers this entry yet.'),
    ])
  })
})
