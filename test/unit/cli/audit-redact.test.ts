/** What `dossier audit redact` sends and says, against a server that answers as told. */
import { describe, expect, it } from 'vitest'
import { redactCommand } from '../../../src/cli/audit-redact.ts'
import { runCommand, useHome } from './commands.ts'

useHome()

async function run(status: number, answer: unknown) {
  let received = ''
  const args = ['montreal', '17', '--reason', 'une autre personne', '--basis', 'LRSSS, art. 24']
  const ran = await runCommand(redactCommand(), args, async (request, response) => {
    received = `${request.method} ${request.url} ${(await request.toArray()).join('')}`
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  })
  return { received, ...ran }
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
