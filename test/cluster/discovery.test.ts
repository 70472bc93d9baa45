/**
 * How a client that knows the address alone finds its way: what the record says of itself, where tokens come from, which pages
 * may read it, and what a wrong address is answered with. On the real cluster.
 */
import { randomUUID } from 'node:crypto'
import { importJWK, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSecrets } from '../../src/local/home.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { replicated, startTestCluster, type TestCluster } from './support.ts'

const origin = 'https://app.example'
const system = 'system-hopital-mont-royal'

let t: TestCluster
/** Of a physician and of an operator, both carried by the client `dossier-cli`; of a facility's system. */
let physician: string
let operator: string
let receipt: string
beforeAll(async () => {
  t = await startTestCluster()
  physician = await t.cluster.token('tremblay')
  operator = await t.cluster.token('lapointe', { scope: 'user/*.cruds' })
  const registered = await t.post(
    '/access/clients',
    operator,
    { issuer: t.cluster.issuer, clientId: 'dossier-cli', name: 'Command line', origins: [origin] },
    { 'content-type': 'application/json' },
  )
  expect([registered.status, await registered.json()]).toMatchObject([200, { changed: true }])
  receipt = registered.headers.get('dossier-receipt') ?? ''
  await replicated(t.cluster)
})
afterAll(() => t?.end())

const json = async (response: Response) => (await response.json()) as Readonly<Record<string, unknown>>

describe('a client that looks for tokens', () => {
  test('finds where, whatever it says to accept, and reads with one', async () => {
    const answer = await t.get('/fhir/.well-known/smart-configuration', null, { accept: 'text/html' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ])
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const found = await json(answer)
    expect(await json(await t.get('/.well-known/smart-configuration', null))).toEqual(found)
    expect(found).toMatchObject({
      issuer: t.cluster.issuer,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'client_credentials']),
      scopes_supported: expect.arrayContaining(['user/*.cruds', 'system/*.cruds']),
      capabilities: expect.arrayContaining([
        'permission-v2',
        'client-public',
        'client-confidential-asymmetric',
      ]),
    })
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'])
      expect(String(found[name])).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//)
    const keys = await json(await fetch(String(found.jwks_uri)))
    expect(keys.keys).toEqual(expect.arrayContaining([expect.objectContaining({ kty: 'EC' })]))
    const token = await systemToken(String(found.token_endpoint))
    expect(await json(await t.get('/access/me', token))).toMatchObject({ kind: 'facility-system' })
  })

  test('is told the same by the capability statement', async () => {
    const found = await json(await t.get('/fhir/.well-known/smart-configuration', null))
    const [rest] = (await json(await t.get('/fhir/metadata', null))).rest as readonly [
      { security: { extension: readonly [{ extension: readonly { url: string; valueUri: string }[] }] } },
    ]
    expect(rest.security.extension[0].extension).toEqual([
      { url: 'token', valueUri: found.token_endpoint },
      { url: 'authorize', valueUri: found.authorization_endpoint },
    ])
  })

  /** SMART backend services. */
  async function systemToken(endpoint: string): Promise<string> {
    const key = readSecrets(t.cluster.home)?.clients[system] as JWK
    const assertion = await new SignJWT()
      .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: String(key.kid) })
      .setIssuer(system)
      .setSubject(system)
      .setAudience(endpoint)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('5 min')
      .sign(await importJWK(key, 'ES384'))
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'system/*.rs',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    })
    return String((await json(answer)).access_token)
  }
})

describe('what the record says of itself', () => {
  test.each(['/fhir/metadata', '/fhir/metadata?mode=full&_format=json', '/openapi.json'])(
    '%s is for pages of any origin, in the language asked for, and not sent twice',
    async (path) => {
      const french = await t.get(path, null, { origin: 'https://anybody.example', 'accept-language': 'fr' })
      expect(french.status).toBe(200)
      expect(french.headers.get('access-control-allow-origin')).toBe('*')
      expect(french.headers.get('content-language')).toBe('fr')
      expect(JSON.stringify(await french.json())).toContain('journal')
      const etag = french.headers.get('etag') ?? ''
      const again = await t.get(path, null, { 'accept-language': 'fr', 'if-none-match': etag })
      expect([again.status, await again.text()]).toEqual([304, ''])
      const english = await t.get(path, null, { 'accept-language': 'en', 'if-none-match': etag })
      expect(english.status).toBe(200)
      expect(JSON.stringify(await english.json())).toContain(t.cluster.url)
    },
  )
})

describe('a page of a registered origin', () => {
  const preflight = (from: string) =>
    fetch(`${t.cluster.url}/fhir/Patient`, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })

  test('may ask, and read what its own client is answered', async () => {
    const asked = await preflight(origin)
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization')
    const answer = await t.get('/access/me', physician, { origin })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect(answer.headers.get('access-control-expose-headers')).toContain('Dossier-Receipt')
    expect(answer.headers.get('vary')).toContain('Origin')
  })

  test('may read why it is refused, also before anybody knows its client', async () => {
    const unknown = await t.get('/fhir/Observaton', physician, { origin })
    expect([unknown.status, unknown.headers.get('access-control-allow-origin')]).toEqual([404, origin])
    const forged = await t.get('/access/me', 'forged', { origin })
    expect([forged.status, forged.headers.get('access-control-allow-origin')]).toEqual([401, origin])
  })

  test('may not read what another client is answered, nor may any other page', async () => {
    const other = await t.cluster.token(system)
    for (const [token, from] of [
      [other, origin],
      [physician, 'https://evil.example'],
    ] as const) {
      const answer = await t.get('/access/me', token, { origin: from })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null])
    }
    const asked = await preflight('https://evil.example')
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })

  test('is one because an operator said so, which the log has', async () => {
    const parsed = parseReceipt(receipt)
    const [entry] = entriesOf(
      parsed,
      (await ledgerOf(t.cluster.databases.audit, [parsed])).get(parsed.log) ?? [],
    )
    expect(entry?.access.note).toMatchObject({ change: 'client', client: 'dossier-cli', origins: origin })
  })
})

describe('a wrong address', () => {
  const said = async (path: string, language = 'en', method = 'GET') => {
    const response = await fetch(`${t.cluster.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${physician}`, 'accept-language': language },
    })
    const body = await json(response)
    const [issue] = (body.issue ?? []) as readonly { details: { text: string } }[]
    return [response.status, issue?.details.text ?? body.title, response.headers.get('allow')]
  }

  test('is answered with the right one, to whoever has rights', async () => {
    const nothing = 'There is nothing at this address.'
    expect(await said('/fhir/Observaton?patient=x')).toEqual([
      404,
      `${nothing} Did you mean /fhir/Observation?`,
      null,
    ])
    expect(await said('/fhir/observation', 'fr')).toEqual([
      404,
      'Cette adresse n’existe pas. Vouliez-vous dire /fhir/Observation ?',
      null,
    ])
    expect(await said('/Patient/abc')).toEqual([404, `${nothing} Did you mean /fhir/Patient/abc?`, null])
    expect(await said('/acces/me')).toEqual([404, `${nothing} Did you mean /access/me?`, null])
    expect(await said('/nowhere/at/all')).toEqual([404, nothing, null])
    const refused = await t.get('/fhir/Observaton', 'forged', { 'accept-language': 'en' })
    expect(JSON.stringify(await refused.json())).not.toContain('Observation')
  })

  test('or method, or parameter, likewise', async () => {
    expect(await said('/access/me', 'en', 'DELETE')).toEqual([
      405,
      'This method is not offered here; offered: GET.',
      'GET',
    ])
    expect(await said('/access/me?facilty=x', 'fr')).toEqual([400, 'Paramètre inconnu : « facilty ».', null])
  })
})
