/** What `dossier audit prune` sends and says, against a server that answers as told. */
import { describe, expect, it } from 'vitest'
import { pruneCommand } from '../../../src/cli/audit-prune.ts'
import { runCommand, useHome } from './commands.ts'

useHome()

async function run(status: number, answer: unknown, more: readonly string[] = []) {
  let received = ''
  const args = ['montreal-2', '--reason', 'délai écoulé', '--basis', 'LRSSS, art. 24', ...more]
  const ran = await runCommand(pruneCommand(), args, async (request, response) => {
    received = `${request.method} ${request.url} ${(await request.toArray()).join('')}`
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  })
  return { received, ...ran }
}

describe('dossier audit prune', () => {
  it('sends reason and basis, and says up to where it is done', async () => {
    const { received, said } = await run(200, { changed: true, log: 'montreal-2', to: '1204' })
    expect(received).toBe('POST /audit/pruning/montreal-2 {"reason":"délai écoulé","basis":"LRSSS, art. 24"}')
    expect(said).toBe('What the entries of montreal-2 below 1204 say is gone, but for what is held.\n')
  })

  it('sends the time before which entries go', async () => {
    const { received } = await run(200, { changed: true, log: 'montreal-2', to: '7' }, [
      '--before',
      '2019-01-01T00:00:00-05:00',
    ])
    expect(received).toContain('"before":"2019-01-01T00:00:00-05:00"')
  })

  it('says when nothing more is as old', async () => {
    const { said } = await run(200, { changed: false, log: 'montreal-2', to: '1204' })
    expect(said).toBe('Nothing more of montreal-2 is older than that.\n')
  })

  it.each([
    [400, 'before: the retention policy keeps 2557 days.'],
    [503, 'It is decided and in the log; not all is gone yet, and the rest goes on by itself.'],
  ])('says why it is not done, or not yet: %i', async (status, title) => {
    const { said, failure } = await run(status, { title })
    expect([said, failure]).toEqual(['', expect.stringContaining(`${status}: ${title}`)])
  })
})
