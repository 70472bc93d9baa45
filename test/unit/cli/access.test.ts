/** What `dossier access` sends and says, against a server that answers as told. */
import { describe, expect, it } from 'vitest'
import { accessCommand } from '../../../src/cli/access.ts'
import { outcomeOf, tableOf, textOf } from '../../../src/cli/access-command.ts'
import { inHome, runCommand, useHome } from './commands.ts'

interface Received {
  readonly method: string
  readonly url: string
  readonly authorization: string
  readonly language: string
  readonly body: unknown
}

interface Reply {
  readonly status?: number
  readonly body: unknown
}

useHome()

/** Runs `dossier access …` against a server that gives these replies in turn. */
async function run(args: readonly string[], ...replies: Reply[]) {
  const received: Received[] = []
  const { said, failure, url } = await runCommand(accessCommand(), args, async (request, response) => {
    const text = (await request.toArray()).join('')
    received.push({
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      language: request.headers['accept-language'] ?? '',
      body: text === '' ? null : JSON.parse(text),
    })
    const { status = 200, body } = replies[received.length - 1] ?? { status: 500, body: {} }
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  })
  return { received, out: said, failure, url }
}

describe('dossier access', () => {
  it('prints a list as a table, page after page', async () => {
    const role = { name: 'Anne', registered: true, role: 'nurse', organisation: null, grantedBy: 'marie' }
    const { received, out, failure } = await run(
      ['roles', 'list', '--due', '2026-11-22'],
      { body: { roles: [{ ...role, professional: 'anne', facility: 'h', certifiedAt: null }], next: ',7' } },
      {
        body: {
          roles: [
            {
              ...role,
              professional: 'luc',
              facility: null,
              certifiedAt: '2025-01-02T03:04:05.000Z',
              registered: false,
            },
          ],
          next: null,
        },
      },
    )
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /access/roles?due=2026-11-22',
      'GET /access/roles?due=2026-11-22&after=%2C7',
    ])
    expect(received[0]).toMatchObject({ authorization: 'Bearer abc', language: 'en' })
    expect(out).toBe(
      [
        'PROFESSIONAL  NAME              ROLE   WHERE             GRANTED BY  CONFIRMED',
        'anne          Anne              nurse  h                 marie       never',
        'luc           Anne (suspended)  nurse  the whole record  marie       2025-01-02',
        '',
      ].join('\n'),
    )
    expect(failure).toBeNull()
  })

  it.each<[readonly string[], string, unknown]>([
    [
      ['clients', 'add', 'app', '--issuer', 'https://i', '--name', 'App'],
      '/access/clients',
      { issuer: 'https://i', clientId: 'app', name: 'App' },
    ],
    [
      [
        'clients',
        'add',
        'app',
        '--issuer',
        'https://i',
        '--name',
        'App',
        '--origin',
        'https://a',
        'https://b',
      ],
      '/access/clients',
      { issuer: 'https://i', clientId: 'app', name: 'App', origins: ['https://a', 'https://b'] },
    ],
    [
      [
        'issuers',
        'add',
        'https://i',
        '--audience',
        'a',
        '--algorithm',
        'ES256',
        'RS256',
        '--jwks-url',
        'https://i/k',
        '--dpop',
      ],
      '/access/issuers',
      {
        issuer: 'https://i',
        audience: 'a',
        algorithms: ['ES256', 'RS256'],
        jwksUrl: 'https://i/k',
        requiresDpop: true,
      },
    ],
    [['roles', 'grant', 'luc', 'nurse'], '/access/roles', { professional: 'luc', role: 'nurse' }],
    [
      ['roles', 'certify', 'luc', 'nurse', '--facility', 'h'],
      '/access/roles/certify',
      { professional: 'luc', role: 'nurse', facility: 'h' },
    ],
    [['requests', 'reject', 'r-1'], '/access/role-requests/r-1', { decision: 'rejected' }],
    [
      ['revoke', 'token', '--issuer', 'https://i', '--jti', 'j'],
      '/access/revocations',
      { token: { issuer: 'https://i', jti: 'j' } },
    ],
    [
      ['revoke', 'key', '--issuer', 'https://i', '--kid', 'k'],
      '/access/revocations',
      { key: { issuer: 'https://i', kid: 'k' } },
    ],
    [
      ['policy', 'set', 'break-glass:refusal-total', '1'],
      '/access/policy/settings',
      { name: 'break-glass:refusal-total', value: 1 },
    ],
    [
      ['policy', 'close', 'nurse', '*', 'TREAT', 'imaging'],
      '/access/policy/role-domains/end',
      { role: 'nurse', facilityType: '*', purpose: 'TREAT', domain: 'imaging' },
    ],
  ])('%j sends one change', async (args, path, body) => {
    const { received, out, failure } = await run(args, { body: { changed: true } })
    expect(received).toMatchObject([{ method: 'POST', url: path, body }])
    expect(received[0]?.body).toEqual(body)
    expect(out).toBe('Done.\n')
    expect(failure).toBeNull()
  })

  it('a refusal is one sentence', async () => {
    const { failure, url } = await run(['policy', 'set', 'break-glass-hours', '99'], {
      status: 400,
      body: { status: 400, title: 'value: 1 to 72 for break-glass-hours.', errors: [] },
    })
    expect(failure).toBe(`${url} answered 400: value: 1 to 72 for break-glass-hours.`)
  })

  it('keys that cannot be read are one sentence, and nothing is sent', async () => {
    const { received, failure } = await run([
      'issuers',
      'add',
      'https://i',
      '--audience',
      'a',
      '--algorithm',
      'ES256',
      '--jwks',
      inHome('none'),
    ])
    expect(failure).toMatch(/^The keys cannot be read from .*none: .*$/)
    expect(received).toEqual([])
  })
})

describe('what a change answers', () => {
  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ changed: true }, 'Done.'],
    [{ changed: false }, 'Nothing to change: it is so already.'],
    [{ changed: true, request: { id: 'r' } }, 'Asked for: somebody else must approve request r.'],
    [{ changed: false, request: { id: 'r', requestedBy: 'm' } }, 'Asked for already, by m: request r.'],
    [{ changed: true, request: { id: 'r', decision: 'approved' } }, 'Done.'],
  ])('%j is %s', (answer, sentence) => {
    expect(outcomeOf(answer)).toBe(sentence)
  })
})

describe('a cell of a table', () => {
  it('shows what is not there, several, and switches; a terminal obeys nothing in it', () => {
    expect([null, '', [], ['a', 'b'], true, 0].map(textOf)).toEqual(['-', '-', '-', 'a b', 'yes', '0'])
    expect(textOf('a\u001b[2Jb')).toBe('a [2Jb')
    expect(tableOf([['T', ({ t }) => t]], [])).toBe('T')
  })
})
