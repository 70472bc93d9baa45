/**
 * The trust registry administered over HTTP on a real cluster: an issuer whose keys the test holds, a client, people and
 * roles come into being, and each of them ends everywhere: at once for who has seen the change, else within the fresh
 * bound.
 */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { accessCommand } from '../../src/cli/access.ts'
import { managerLogin, operatorLogin } from '../../src/cli/access-command.ts'
import { limits } from '../../src/limits.ts'
import { audience, facilities, purposeSystem, roleSystem } from '../../src/local/sample/directory.ts'
import {
  encounter,
  locations,
  marker,
  observation,
  patientResource,
  type SamplePatient,
  samplePatient,
  transaction,
} from './bundles.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

/** One facility of each region, and who manages its access. */
const places = [
  { facility: 'hopital-mont-royal', manager: managerLogin },
  { facility: 'hopital-cap-diamant', manager: 'simard' },
] as const
type Place = (typeof places)[number]

const uriOf = (facility: string): string => facilities.find(({ id }) => id === facility)?.uri ?? ''

interface Changed {
  readonly status: number
  readonly clock: string
  readonly body: Readonly<Record<string, unknown>>
}

describe('the trust registry', () => {
  let t: TestCluster
  const tokens = new Map<string, string>()
  /** Page of the place's own patient. */
  const pages = new Map<string, string>()
  /** Of every change that was done: its receipt and what its note must say. */
  const done: { readonly receipt: string | null; readonly note: Readonly<Record<string, string>> }[] = []

  beforeAll(async () => {
    t = await startTestCluster()
    for (const name of [operatorLogin, 'poirier', ...places.map(({ manager }) => manager)])
      tokens.set(name, await t.cluster.token(name, { scope: 'user/*.cruds' }))
    for (const [n, { facility }] of places.entries()) {
      const person: SamplePatient = samplePatient(n + 1)
      const bundle = transaction(
        patientResource(person),
        encounter(person, { n: 1 }),
        observation(person, { n: 1, date: '2026-01-05' }),
      )
      const published = await t.post('/fhir', await t.cluster.token(`system-${facility}`), bundle)
      expect(published.status).toBe(200)
      const [patient] = locations(await published.json())
      pages.set(facility, `/fhir/Observation?patient=${patient?.split('/')[1]}`)
    }
  })
  afterAll(() => t?.end())
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  const send = (who: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    t.post(path, tokens.get(who) ?? null, body, { 'content-type': 'application/json', ...headers })

  /** Asks for a change that is done, or waits for another to agree. `note`: what the log must say of it. */
  const change = async (
    who: string,
    path: string,
    body: unknown,
    note: Readonly<Record<string, string>>,
  ): Promise<Changed> => {
    const response = await send(who, path, body)
    const answer = (await response.json()) as Changed['body']
    expect({ path, status: response.status, answer }).toMatchObject({
      status: expect.toSatisfy((status: number) => status === 200 || status === 202),
    })
    done.push({ receipt: response.headers.get('dossier-receipt'), note })
    return { status: response.status, clock: response.headers.get('dossier-clock') ?? '', body: answer }
  }

  /** A world of its own: an issuer, a client, and a physician with a role in either region. */
  const newWorld = async () => {
    const name = randomUUID()
    const issuer = `https://${name}.example`
    const professional = `physician-${name}`
    const client = `app-${name}`
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'first' }
    const register = (keys: readonly JWK[]) =>
      change(
        operatorLogin,
        '/access/issuers',
        { issuer, audience, algorithms: ['ES256'], jwks: { keys }, roleSystem },
        { change: 'issuer', issuer, keys: keys.map(({ kid }) => kid).join(' ') },
      )
    await register([jwk])
    await change(
      operatorLogin,
      '/access/clients',
      { issuer, clientId: client, name: 'App of the test' },
      { change: 'client', issuer, client },
    )
    await change(
      places[0].manager,
      '/access/professionals',
      { issuer, subject: 'sub', name: 'Dre Nouvelle', id: professional },
      { change: 'professional', issuer, subject: 'sub', professional },
    )
    for (const { facility, manager } of places)
      await change(
        manager,
        '/access/roles',
        { professional, role: 'physician', facility },
        { change: 'role', professional, role: 'physician', facility },
      )
    const tokenAt = (facility: string, key = privateKey, kid = 'first', jti: string = randomUUID()) =>
      new SignJWT({
        client_id: client,
        scope: 'user/*.rs',
        extensions: {
          ihe_iua: {
            subject_name: 'Dre Nouvelle',
            subject_organization_id: uriOf(facility),
            subject_role: [{ system: roleSystem, code: 'physician' }],
            purpose_of_use: [{ system: purposeSystem, code: 'TREAT' }],
          },
        },
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setSubject('sub')
        .setAudience(audience)
        .setJti(jti)
        .setIssuedAt()
        .setExpirationTime('10 min')
        .sign(key)
    return { issuer, professional, client, jwk, register, tokenAt }
  }

  const statusOf = async ({ facility }: Place, token: string, clock?: string): Promise<number> => {
    const headers = clock === undefined ? {} : { 'dossier-clock': clock }
    const response = await t.get(pages.get(facility) ?? '', token, headers)
    const text = await response.text()
    // What is refused discloses nothing.
    expect(text.includes(marker)).toBe(response.status === 200)
    return response.status
  }

  /** Within the fresh bound, whatever the caller has seen. */
  const settles = (place: Place, token: string, status: number) =>
    expect.poll(() => statusOf(place, token), { timeout: limits.freshMs, interval: 100 }).toBe(status)

  type World = Awaited<ReturnType<typeof newWorld>>
  interface Ending {
    readonly what: string
    /** What a refused read answers when every region knows. */
    readonly status: number
    /** Of the places, those at which it ends access. */
    readonly at: readonly Place[]
    end(world: World, jtis: readonly string[]): Promise<readonly Changed[]>
  }

  const endings: readonly Ending[] = [
    {
      what: 'a key',
      status: 401,
      at: places,
      end: async ({ issuer }) => [
        await change(
          operatorLogin,
          '/access/revocations',
          { key: { issuer, kid: 'first' } },
          { change: 'key-revoked', issuer, kid: 'first' },
        ),
      ],
    },
    {
      what: 'a token',
      status: 401,
      at: places,
      end: async ({ issuer }, jtis) =>
        Promise.all(
          jtis.map((jti) =>
            change(
              operatorLogin,
              '/access/revocations',
              { token: { issuer, jti } },
              { change: 'token-revoked', issuer, jti },
            ),
          ),
        ),
    },
    {
      what: 'a role',
      status: 403,
      at: [places[0]],
      end: async ({ professional }) => [
        await change(
          places[0].manager,
          '/access/roles/end',
          { professional, role: 'physician' },
          { change: 'role-ended', professional, facility: places[0].facility },
        ),
      ],
    },
    {
      what: 'a professional',
      status: 403,
      at: places,
      end: async ({ professional }) => [
        await change(
          operatorLogin,
          '/access/professionals/end',
          { professional },
          { change: 'professional-ended', professional },
        ),
      ],
    },
    {
      what: 'a client',
      status: 403,
      at: places,
      end: async ({ issuer, client }) => [
        await change(
          operatorLogin,
          '/access/clients/end',
          { issuer, clientId: client },
          { change: 'client-ended', issuer, client },
        ),
      ],
    },
    {
      what: 'an issuer',
      status: 401,
      at: places,
      end: async ({ issuer }) => [
        await change(operatorLogin, '/access/issuers/end', { issuer }, { change: 'issuer-ended', issuer }),
      ],
    },
  ]

  test.each(endings)(
    '$what ends everywhere, at once for who has seen the change',
    async ({ status, at, end }) => {
      const world = await newWorld()
      const jtis = places.map(() => randomUUID())
      const held = await Promise.all(
        places.map(({ facility }, n) => world.tokenAt(facility, undefined, undefined, jtis[n])),
      )
      // An isolate may have to hear of the issuer first.
      for (const [n, place] of places.entries()) await settles(place, held[n] ?? '', 200)

      const changes = await end(world, jtis)
      expect(changes.every(({ body }) => body.changed === true)).toBe(true)
      const clock = changes.at(-1)?.clock ?? ''
      for (const [n, place] of places.entries()) {
        if (!at.includes(place)) continue
        // The registry may have moved on under the isolate twice: then the answer is "try again", never the page.
        expect([status, 503]).toContain(await statusOf(place, held[n] ?? '', clock))
        await settles(place, held[n] ?? '', status)
      }
      for (const [n, place] of places.entries())
        if (!at.includes(place)) expect(await statusOf(place, held[n] ?? '', clock)).toBe(200)
    },
  )

  test('a revoked key stays revoked when the issuer lists it again; its next key reads', async () => {
    const world = await newWorld()
    const [place] = places
    const old = await world.tokenAt(place.facility)
    await settles(place, old, 200)
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const next: JWK = { ...(await exportJWK(publicKey)), kid: 'second' }
    await change(
      operatorLogin,
      '/access/revocations',
      { key: { issuer: world.issuer, kid: 'first' } },
      { change: 'key-revoked', issuer: world.issuer },
    )
    await world.register([world.jwk, next])
    await settles(place, await world.tokenAt(place.facility, privateKey, 'second'), 200)
    expect(await statusOf(place, old)).toBe(401)
  })

  test('a second manager confirms what the first may not do alone', async () => {
    const world = await newWorld()
    const seat = { professional: world.professional, role: 'access-manager' }
    const asked = await change(managerLogin, '/access/roles', seat, { change: 'role-requested', ...seat })
    expect(asked.status).toBe(202)
    const { id } = asked.body.request as { id: string }
    const path = `/access/role-requests/${id}`
    const decide = { decision: 'approved' }
    const headers = { 'dossier-clock': asked.clock }
    expect((await send(managerLogin, path, decide, headers)).status).toBe(403)
    expect((await send('simard', path, decide, headers)).status).toBe(403)
    const approved = await send('poirier', path, decide, headers)
    expect(await approved.json()).toMatchObject({ changed: true, request: { decision: 'approved' } })
    done.push({
      receipt: approved.headers.get('dossier-receipt'),
      note: { change: 'role-decided', request: id, decision: 'approved', ...seat },
    })
  })

  test('who has no such office is refused, and so is a token that only reads', async () => {
    const body = { issuer: 'https://evil.example' }
    for (const name of ['tremblay', 'bouchard', 'system-hopital-mont-royal', managerLogin]) {
      const token = await t.cluster.token(name, { scope: name.startsWith('system-') ? '' : 'user/*.cruds' })
      const response = await t.post('/access/issuers/end', token, body, {
        'content-type': 'application/json',
      })
      expect([name, response.status]).toEqual([name, 403])
      expect(response.headers.get('content-type')).toContain('application/problem+json')
    }
    const reading = await t.cluster.token(operatorLogin, { scope: 'user/*.rs' })
    const headers = { 'content-type': 'application/json' }
    expect((await t.post('/access/issuers/end', reading, body, headers)).status).toBe(403)
    expect((await t.get('/access/issuers', reading)).status).toBe(200)
  })

  test('what is wrong with a change is said in the language asked for', async () => {
    const wrong = { name: 'break-glass-hours', value: 1000 }
    for (const [language, title] of [
      ['fr', `value : de 1 à ${limits.maxBreakGlassHours} pour break-glass-hours.`],
      ['en', `value: 1 to ${limits.maxBreakGlassHours} for break-glass-hours.`],
    ] as const) {
      const response = await send(operatorLogin, '/access/policy/settings', wrong, {
        'accept-language': language,
      })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ title, errors: [{ pointer: 'value' }] })
    }
  })

  test('the commands ask the local cluster as its operator and as a manager', async () => {
    vi.stubEnv('DOSSIER_HOME', t.cluster.home)
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const run = async (...args: readonly string[]) => {
      write.mockClear()
      await accessCommand().parseAsync(args, { from: 'user' })
      return write.mock.calls.map(([text]) => String(text)).join('')
    }
    expect(await run('issuers', 'list')).toContain(t.cluster.issuer)
    expect(await run('roles', 'list')).toMatch(/^etienne-tremblay .*physician +hopital-mont-royal/m)
    expect(await run('policy', 'set', 'attestation-hours', '100')).toBe('Done.\n')
    expect(await run('policy', 'set', 'attestation-hours', '100')).toBe(
      'Nothing to change: it is so already.\n',
    )
    expect(await run('policy', 'show')).toMatch(/^attestation-hours +100$/m)
  })

  test('every change is in the ledger with what it changed, before and after', async () => {
    expect(done.length).toBeGreaterThan(endings.length * 5)
    const receipts = done.map(({ receipt }) => parseReceipt(receipt))
    const logs = await ledgerOf(t.cluster.databases.audit, receipts)
    for (const [n, receipt] of receipts.entries()) {
      const log = logs.get(receipt.log) ?? []
      const [outcome] = entriesOf(receipt, log)
      expect(outcome?.access).toMatchObject({
        action: 'policy',
        phase: 'outcome',
        decision: { outcome: 'permit' },
        note: { ...done[n]?.note, changed: 'true' },
      })
      const intent = log.find(
        ({ access }) => access.requestId === outcome?.access.requestId && access.phase === 'intent',
      )
      expect(intent?.access.note).toMatchObject({ change: done[n]?.note.change })
    }
  })
})
