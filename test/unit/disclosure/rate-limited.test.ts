/** The limits as the app applies them: to whom, when, and what a refused caller and the log are told. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Authenticated } from '../../../src/access/authenticate.ts'
import { createApp, operations } from '../../../src/app.ts'
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import type { AppendRequest } from '../../../src/audit/port.ts'
import type { Rate, Rates } from '../../../src/config.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { takeUnlogged, unreceiptedCounts } from '../../../src/disclosure/release.ts'
import { err, ok } from '../../../src/result.ts'
import { StoreError } from '../../../src/store/ports.ts'

const wide: Rate = { perSecond: 0.001, burst: 10_000 }
/** Slow enough that no test is long enough for another one. */
const few: Rate = { perSecond: 0.001, burst: 3 }

interface Side {
  readonly rates?: Partial<Rates>
  readonly clientAddressHeader?: string
}

/** `Bearer <subject>` or `DPoP <subject>` is good, but for the subject `nobody`; databases do not answer. */
function start({ rates = {}, clientAddressHeader }: Side) {
  const appends: AppendRequest[] = []
  let loads = 0
  const take: AuditLogRpc['append'] = async (log, request) => {
    appends.push(request)
    return ok({
      log,
      hash: 'aGFzaA',
      time: '2026-11-22T09:06:00.123Z',
      first: String(appends.length),
      count: request.entries.length,
    })
  }
  const rpc: Pick<AuditLogRpc, 'append' | 'appendFailure'> = {
    append: take,
    appendFailure: (log, _address, _reason, request) => take(log, request),
  }
  const authenticated = (scheme: string, subject: string): Authenticated =>
    ({
      presented: {
        issuer: 'i',
        subject,
        clientId: 'viewer',
        jti: 'j',
        name: null,
        role: null,
        purpose: null,
        scopes: [],
      },
      placement: null,
      once: scheme === 'DPoP' ? [{ key: `dpop:${subject}`, untilMs: Date.now() + 60_000 }] : [],
    }) as unknown as Authenticated
  const away = {
    read: async () => {
      loads++
      throw new StoreError('unavailable', 'away')
    },
  }
  const ports = {
    config: {
      regions: [{ name: 'test', log: 'qc-test' }],
      publicUrl: null,
      clientAddressHeader: clientAddressHeader ?? null,
      idKey: new Uint8Array(32),
      cursorKey: new Uint8Array(32),
      rates: { address: wide, client: wide, professional: wide, identity: wide, ...rates },
    },
    authenticator: {
      authenticate: async ({ authorization }: { authorization: string | null }) => {
        const [scheme = '', subject = 'nobody'] = authorization?.split(' ') ?? []
        if (subject === 'nobody') return err({ reason: 'unauthenticated', cause: 'bad-signature' })
        return ok(authenticated(scheme, subject))
      },
      forget: () => {},
    },
    replica: away,
    primary: away,
    locals: new Map(),
    ledger: away,
    logs: auditLogs(() => rpc as AuditLogRpc),
    peerAddress: (request: Request) => request.headers.get('test-peer'),
  } as unknown as Ports
  const app = createApp(ports)
  const get = async (authorization: string, path = '/fhir/Observation/x', headers = {}) =>
    await app.request(`https://record.example${path}`, { headers: { authorization, ...headers } })
  const statuses = async (times: number, ...request: Parameters<typeof get>) => {
    const found: number[] = []
    for (let n = 0; n < times; n++) found.push((await get(...request)).status)
    return found
  }
  return { get, statuses, appends, loads: () => loads }
}

const lookUp =
  '/fhir/Patient?identifier=urn%3Aoid%3A2.16.124.10.101.1.60.100%7CTREM80010112&birthdate=1980-01-01'

describe('the app', () => {
  beforeEach(() => {
    takeUnlogged()
  })

  test('refuses a professional past his share before anything is loaded or appended, and nobody else', async () => {
    const { statuses, appends, loads } = start({ rates: { professional: few } })
    expect(await statuses(5, 'Bearer tremblay')).toEqual([503, 503, 503, 429, 429])
    expect([loads() > 0, appends.length]).toEqual([true, 3])
    const loaded = loads()
    await statuses(3, 'Bearer tremblay')
    expect([loads(), appends.length]).toEqual([loaded, 3])
    expect(await statuses(1, 'Bearer gagnon')).toEqual([503])
  })

  test('refuses the professionals of a client past its share', async () => {
    const { statuses } = start({ rates: { client: few } })
    expect(await statuses(2, 'Bearer tremblay')).toEqual([503, 503])
    expect(await statuses(2, 'Bearer gagnon')).toEqual([503, 429])
  })

  test('answers 429 with one constant body, without receipt or data, and whole seconds to wait', async () => {
    const { get, statuses } = start({ rates: { professional: few } })
    await statuses(3, 'Bearer tremblay')
    const answers = await Promise.all([
      get('Bearer tremblay', '/fhir/Observation/x'),
      get('Bearer tremblay', lookUp),
      get('Bearer tremblay', '/nowhere/Tremblay'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 429])
    const bodies = new Set(await Promise.all(answers.map((answer) => answer.text())))
    expect(bodies).toEqual(
      new Set([
        JSON.stringify({
          resourceType: 'OperationOutcome',
          issue: [
            {
              severity: 'error',
              code: 'transient',
              details: { text: 'Trop de requêtes. / Too many requests.' },
            },
          ],
        }),
      ]),
    )
    for (const { headers } of answers) {
      expect(headers.get('dossier-receipt')).toBeNull()
      // One request in 1,000 seconds.
      expect(headers.get('retry-after')).toMatch(/^(999|1000)$/)
    }
  })

  test('counts what fails: bad input and unknown paths like any other request', async () => {
    const { statuses } = start({ rates: { professional: few } })
    await statuses(1, 'Bearer tremblay', '/fhir/Observation?nonsense=1')
    await statuses(1, 'Bearer tremblay', '/nowhere')
    await statuses(1, 'Bearer tremblay', '/fhir/Observation/x')
    expect(await statuses(1, 'Bearer tremblay')).toEqual([429])
  })

  test('counts an address before it authenticates, whoever asks from there', async () => {
    const { statuses, appends } = start({ rates: { address: few } })
    const from = (peer: string) => ['/fhir/Observation/x', { 'test-peer': peer }] as const
    expect(await statuses(3, 'Bearer nobody', ...from('192.0.2.1'))).toEqual([401, 401, 401])
    expect(await statuses(1, 'Bearer nobody', ...from('192.0.2.1'))).toEqual([429])
    expect(await statuses(1, 'Bearer tremblay', ...from('192.0.2.1'))).toEqual([429])
    expect(appends).toHaveLength(3)
    expect(await statuses(1, 'Bearer tremblay', ...from('192.0.2.2'))).toEqual([503])
  })

  test('believes the header that the operator names, and no other', async () => {
    const { statuses } = start({ rates: { address: few }, clientAddressHeader: 'x-real-ip' })
    const headers = { 'x-real-ip': '192.0.2.1', 'x-forwarded-for': '198.51.100.1', 'test-peer': '127.0.0.1' }
    await statuses(3, 'Bearer tremblay', '/fhir/Observation/x', headers)
    const elsewhere = { ...headers, 'x-forwarded-for': '198.51.100.2' }
    expect(await statuses(1, 'Bearer tremblay', '/fhir/Observation/x', elsewhere)).toEqual([429])
    const other = { ...headers, 'x-real-ip': '192.0.2.2' }
    expect(await statuses(1, 'Bearer tremblay', '/fhir/Observation/x', other)).toEqual([503])
  })

  test('counts no name of a token that did not verify: nobody uses up another’s share', async () => {
    const { statuses } = start({ rates: { professional: few, client: few } })
    expect(await statuses(20, 'Bearer nobody')).toEqual(Array(20).fill(401))
    expect(await statuses(3, 'Bearer tremblay')).toEqual([503, 503, 503])
  })

  test('is stricter about who exists, and goes on serving the same professional’s other requests', async () => {
    const { statuses } = start({ rates: { identity: few } })
    expect(await statuses(5, 'Bearer tremblay', lookUp)).toEqual([503, 503, 503, 429, 429])
    expect(await statuses(2, 'Bearer tremblay', '/fhir/Observation/x')).toEqual([503, 503])
    expect(await statuses(1, 'Bearer gagnon', lookUp)).toEqual([503])
  })

  test('looks through every spelling of a look-up that the routes accept', async () => {
    const { statuses } = start({ rates: { identity: few } })
    await statuses(3, 'Bearer tremblay', lookUp)
    for (const path of [lookUp.replace('Patient', '%50atient'), `${lookUp}&_count=1`])
      expect([path, await statuses(1, 'Bearer tremblay', path)]).toEqual([path, [429]])
  })

  test('leaves the proof of a refused request unused', async () => {
    const { statuses, appends } = start({ rates: { professional: few } })
    expect(await statuses(4, 'DPoP tremblay')).toEqual([503, 503, 503, 429])
    expect(appends.map(({ once }) => once.length)).toEqual([1, 1, 1])
  })

  test('counts the refused for metrics, and tells the log of them in one entry', async () => {
    const { statuses, appends } = start({ rates: { professional: few } })
    const before = unreceiptedCounts.get('rate-limited') ?? 0
    await statuses(7, 'Bearer tremblay')
    expect((unreceiptedCounts.get('rate-limited') ?? 0) - before).toBe(4)
    const counted = () =>
      appends
        .flatMap(({ entries }) => entries.map(({ access }) => JSON.parse(access)))
        .filter(({ operation }) => operation === 'refused-without-receipt')
    expect(counted()).toEqual([])
    await statuses(2, 'Bearer gagnon')
    expect(counted().map(({ note }) => note)).toEqual([{ 'rate-limited': '4' }])
  })
})

test('every operation that can tell that a person exists counts as identity', () => {
  const telling = operations.filter(({ name }) =>
    ['search-type', 'match', 'attest', 'break-glass'].includes(name),
  )
  expect(telling.map(({ name }) => name)).toContain('search-type')
  for (const { name, rate } of telling)
    expect([name, rate?.({ type: 'Patient' })]).toEqual([name, 'identity'])
})
