/** Which pages may read an answer: the app whole, over the registry's own statement; the caller's documents are away. */
import { beforeEach, describe, expect, test } from 'vitest'
import { clientOriginsSql } from '../../../src/access/client-origins.ts'
import { createApp, operations } from '../../../src/app.ts'
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import type { Rate } from '../../../src/config.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { err, ok } from '../../../src/result.ts'
import { type Statement, StoreError } from '../../../src/store/ports.ts'
import { openDatabase } from '../store/memory-database.ts'

const issuer = 'https://identity.example'
const own = 'https://app.example'
const others = 'https://viewer.example'
const stranger = 'https://evil.example'
const rate: Rate = { perSecond: 0.001, burst: 1_000 }

/** `Bearer <client>` is a good token of that client, but for `nobody`. */
function start(address: Rate = rate) {
  const registry = openDatabase('records')
  for (const [client, origins, ended] of [
    ['app', [own, 'http://localhost:8080'], null],
    ['viewer', [others], null],
    ['former', ['https://former.example'], 1],
    ['system', [], null],
  ] as const)
    registry.db
      .prepare(
        'insert into client (issuer, client_id, name, origins, valid_from, valid_to) values (?, ?, ?, ?, 0, ?)',
      )
      .run(issuer, client, client, JSON.stringify(origins), ended)
  const state = { reads: 0, isAway: false }
  const take: AuditLogRpc['append'] = async (log, request) =>
    ok({ log, hash: 'aGFzaA', time: '2026-11-22T09:06:00.123Z', first: '1', count: request.entries.length })
  const rpc = { append: take, appendFailure: (log: string, _: string, __: string, r: never) => take(log, r) }
  const away = async () => {
    throw new StoreError('unavailable', 'away')
  }
  const read = async (statements: readonly Statement[]) => {
    if (statements[0]?.sql !== clientOriginsSql || state.isAway) return await away()
    state.reads++
    return [registry.rows(clientOriginsSql)]
  }
  const app = createApp({
    config: {
      regions: [{ name: 'test', log: 'qc-test' }],
      publicUrl: null,
      clientAddressHeader: null,
      idKey: new Uint8Array(32),
      cursorKey: new Uint8Array(32),
      rates: { address, client: rate, professional: rate, identity: rate },
    },
    authenticator: {
      authenticate: async ({ authorization }: { authorization: string | null }) => {
        const clientId = authorization?.split(' ')[1] ?? 'nobody'
        if (clientId === 'nobody') return err({ reason: 'unauthenticated', cause: 'bad-signature' })
        const presented = { issuer, subject: 's', clientId, jti: 'j', role: null, purpose: null, scopes: [] }
        return ok({ presented, placement: null, once: [] })
      },
      forget: () => {},
    },
    replica: { read },
    primary: { read: away },
    locals: new Map(),
    ledger: { read: away },
    logs: auditLogs(() => rpc as unknown as AuditLogRpc),
    peerAddress: () => '192.0.2.1',
  } as unknown as Ports)
  const ask = async (path: string, headers: Record<string, string>, method = 'GET') =>
    await app.request(`https://record.example${path}`, { method, headers })
  const preflight = (origin: string, path = '/fhir/Observation', method = 'GET') =>
    ask(path, { origin, 'access-control-request-method': method }, 'OPTIONS')
  return { registry, state, ask, preflight }
}

const allowed = ({ headers }: Response): string | null => headers.get('access-control-allow-origin')
const corsHeaders = ({ headers }: Response): readonly string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'))

describe('a preflight', () => {
  let it: ReturnType<typeof start>
  beforeEach(() => {
    it = start()
  })

  test('of a registered origin says what its pages may send, for any path, and holds no data', async () => {
    for (const { path } of operations) {
      const response = await it.preflight(own, path.replaceAll(/:(\w+)(\{.*?\}(?=\/|$))?/g, 'X'), 'PATCH')
      expect([path, response.status, allowed(response)]).toEqual([path, 204, own])
      expect(response.headers.get('access-control-allow-methods')).toContain('PATCH')
      expect(response.headers.get('access-control-allow-headers')).toContain('Authorization')
      expect(response.headers.get('vary')).toBe('Origin')
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      expect(await response.text()).toBe('')
    }
  })

  test.each([
    stranger,
    'null',
    '*',
    `${own}/`,
    own.toUpperCase(),
    `${own}.evil.example`,
    'http://app.example',
    'https://former.example',
    '__proto__',
  ])('of %s, which nobody has registered, is told nothing', async (origin) => {
    const response = await it.preflight(origin)
    expect([response.status, corsHeaders(response), await response.text()]).toEqual([403, [], ''])
  })

  test('costs no read of its own, however many origins are invented', async () => {
    for (let n = 0; n < 50; n++) await it.preflight(`https://invented-${n}.example`)
    expect(it.state.reads).toBe(1)
  })

  test('is told nothing while the registry does not answer', async () => {
    it.state.isAway = true
    expect(corsHeaders(await it.preflight(own))).toEqual([])
  })

  test('counts for its address', async () => {
    const few = start({ perSecond: 0.001, burst: 2 })
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) statuses.push((await few.preflight(own)).status)
    expect(statuses).toEqual([204, 204, 429])
  })
})

describe('an answer', () => {
  const get = (origin: string | null, client: string, path = '/fhir/Observation?patient=x') =>
    start().ask(path, { authorization: `Bearer ${client}`, ...(origin === null ? {} : { origin }) })

  test('may be read by a page of the origin that its caller’s own client has', async () => {
    const response = await get(own, 'app')
    expect(allowed(response)).toBe(own)
    const exposed = response.headers.get('access-control-expose-headers')
    for (const name of [
      'ETag',
      'Location',
      'Dossier-Receipt',
      'Dossier-Clock',
      'X-Request-Id',
      'Retry-After',
    ])
      expect(exposed).toContain(name)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test.each([
    ['another client’s', others],
    ['nobody’s', stranger],
    ['an ended client’s', 'https://former.example'],
  ])('may not be read by a page of %s origin', async (_, origin) => {
    expect(corsHeaders(await get(origin, 'app'))).toEqual([])
  })

  test('to a client without origins may be read by no page', async () => {
    expect(corsHeaders(await get(own, 'system'))).toEqual([])
  })

  test('that refuses a token may be read by pages of any registered origin, and of no other', async () => {
    for (const [origin, told] of [
      [own, own],
      [others, others],
      [stranger, null],
    ] as const) {
      const response = await get(origin, 'nobody')
      expect([response.status, allowed(response)]).toEqual([401, told])
    }
  })

  test('says that it depends on the origin, also without one', async () => {
    for (const origin of [null, own, stranger])
      expect((await get(origin, 'app')).headers.get('vary')).toContain('Origin')
  })

  test('without an Origin costs no read of the registry’s origins', async () => {
    const it = start()
    await it.ask('/fhir/Observation?patient=x', { authorization: 'Bearer app' })
    expect(it.state.reads).toBe(0)
  })
})

test('the origins are found by index', () => {
  const plan = openDatabase('records').rows(`explain query plan ${clientOriginsSql}`)
  expect(plan.map(({ detail }) => detail)).toEqual(['SCAN client USING INDEX client_with_origins'])
})
