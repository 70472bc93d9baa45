/** What `dossier audit review` asks, shows and sends, against a server that answers as told. */
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { reviewCommand } from '../../../src/cli/audit-review.ts'
import { runCommand, useHome } from './commands.ts'

useHome()

const finding = (id: string, more: object = {}) => ({
  id,
  rule: 'watch-list',
  professional: { id: 'dr-roy', name: 'Dre Roy' },
  patient: { person: 'person-a', reference: 'Patient/a' },
  numbers: { accesses: 2, reason: 'ministre' },
  entries: ['montreal/7', 'montreal/8'],
  entryCount: 2,
  decisions: [],
  ...more,
})
const documentOf = (findings: readonly object[], summary: object = {}) =>
  JSON.stringify({
    month: '2026-10',
    findings,
    summary: { findings: findings.length, accesses: 40, professionals: 3, muted: 0, ...summary },
  })

async function run(review: string | ((response: ServerResponse) => void), ...words: readonly string[]) {
  const received: string[] = []
  const args = ['--month', '2026-10', ...words]
  const ran = await runCommand(reviewCommand(), args, async (request, response) => {
    received.push(`${request.method} ${request.url} ${(await request.toArray()).join('')}`.trim())
    if (request.method === 'POST') response.end(JSON.stringify({ id: 'aaa1', decision: 'justified' }))
    else if (typeof review === 'string') response.end(review)
    else review(response)
  })
  return { received, ...ran }
}

describe('dossier audit review', () => {
  it('shows who, whom, how often, where the evidence is and what was decided before', async () => {
    const decided = finding('bbb2', {
      patient: null,
      decisions: [{ month: '2026-09', decision: 'referred' }],
    })
    const { received, said } = await run(
      documentOf([finding('aaa1'), decided], { muted: 4 }),
      '--rule',
      'watch-list',
      'volume',
    )
    expect(received).toEqual(['GET /audit/review?month=2026-10&rule=watch-list&rule=volume'])
    const lines = said.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))
    expect(lines).toEqual([
      'FINDING | RULE | PROFESSIONAL | PATIENT | ENTRIES | FIRST | NUMBERS | DECIDED',
      'aaa1 | watch-list | Dre Roy (dr-roy) | Patient/a | 2 | montreal/7 | accesses=2 reason=ministre | -',
      'bbb2 | watch-list | Dre Roy (dr-roy) | - | 2 | montreal/7 | accesses=2 reason=ministre | referred (2026-09)',
      '',
      '2026-10: 2 findings in 40 accesses of 3 professionals; 4 found justified before and muted',
      '',
    ])
  })

  it('says that there is nothing, and what was not looked at', async () => {
    const { said } = await run(documentOf([], { unreadAccesses: 9, isFactsCut: true }))
    expect(said).toBe(
      '2026-10: 0 findings in 40 accesses of 3 professionals; 9 accesses not looked at: too many of one professional; not every fact was looked at: too many\n',
    )
  })

  it('prints the document as it is', async () => {
    const document = documentOf([finding('aaa1')])
    expect(JSON.parse((await run(document, '--json')).said)).toEqual(JSON.parse(document))
  })

  it('decides about the finding whose id begins so', async () => {
    const { received, said } = await run(
      documentOf([finding('aaa1'), finding('bbb2')]),
      ...['--decide', 'aaa', '--as', 'justified', '--muted-until', '2026-12-31'],
    )
    expect(received[1]).toBe(
      'POST /audit/review/findings {"month":"2026-10","rule":"watch-list","professional":"dr-roy","person":"person-a","decision":"justified","mutedUntil":"2026-12-31"}',
    )
    expect(said).toBe('aaa1: justified.\n')
  })

  it('decides about none where several ids begin so, or none', async () => {
    const both = documentOf([finding('aaa1'), finding('aaa2')])
    const { received, failure } = await run(both, '--decide', 'aaa', '--as', 'justified')
    expect([received.length, failure]).toEqual([1, '2 findings of 2026-10 with an id that begins with aaa.'])
    expect((await run(both, '--decide', 'x', '--as', 'justified')).failure).toMatch(/^No finding of 2026-10/)
    expect((await run(both, '--decide', 'aaa1')).failure).toMatch(/^Say what is decided/)
  })

  it('fails when the review is refused, or breaks off', async () => {
    const refused = await run((response) => response.writeHead(403).end('{"title":"Forbidden"}'))
    expect(refused.failure).toMatch(/answered 403: .*Forbidden/)
    const broken = await run((response) => {
      response.write('{"month":"2026-10","findings":[\n', () => response.destroy())
    })
    expect([broken.failure, broken.said]).toEqual([expect.stringMatching(/broke off after 32 bytes/), ''])
  })
})
