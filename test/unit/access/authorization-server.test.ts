/** What is told of the authorization server: what it says of itself, bounded, in time, or nothing. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createDiscovery } from '../../../src/access/authorization-server.ts'
import { smartConfiguration } from '../../../src/fhir/smart-configuration.ts'
import { limits } from '../../../src/limits.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** An issuer on this machine whose document is `answer` of its own address; every request to it is noted. */
async function issuerThat(answer: (issuer: string) => RequestListener) {
  const asked: string[] = []
  let listener: RequestListener = () => {}
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    listener(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  listener = answer(issuer)
  return { issuer, asked }
}

const says =
  (document: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof document === 'string' ? document : JSON.stringify(document))
  }

const documentOf = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/token`,
  authorization_endpoint: `${issuer}/auth`,
  userinfo_endpoint: 'javascript:alert(1)',
})

describe('the authorization server', () => {
  test('is none where none is configured', async () => {
    expect(await createDiscovery(null)(0)).toEqual({ state: 'none' })
  })

  test('is known by its own document, of which what clients do not need is left out', async () => {
    const { issuer, asked } = await issuerThat((of) => says(documentOf(of)))
    const { userinfo_endpoint: _, ...server } = documentOf(issuer)
    expect(await createDiscovery(issuer)(0)).toEqual({ state: 'known', server })
    expect(asked).toEqual(['/.well-known/openid-configuration'])
  })

  test.each<[string, (issuer: string) => RequestListener]>([
    ['of another issuer', () => says(documentOf('https://other.example'))],
    ['without a token endpoint', (issuer) => says({ issuer })],
    [
      'with an endpoint that is not secure',
      (issuer) => says({ ...documentOf(issuer), token_endpoint: 'http://identity.example/token' }),
    ],
    [
      'with a script for an endpoint',
      (issuer) => says({ ...documentOf(issuer), authorization_endpoint: 'javascript:alert(1)' }),
    ],
    ['that is no JSON', () => says('<html>')],
    ['that is not there', (issuer) => says(documentOf(issuer), 404)],
    [
      'that is too long',
      (issuer) => says({ ...documentOf(issuer), filler: 'x'.repeat(limits.maxDiscoveryBytes) }),
    ],
    [
      'that redirects elsewhere',
      () => (_, response) => {
        response.writeHead(302, { location: 'https://other.example' })
        response.end()
      },
    ],
  ])('is not known by a document %s', async (_, answer) => {
    const { issuer } = await issuerThat(answer)
    expect(await createDiscovery(issuer)(0)).toEqual({ state: 'unavailable' })
  })

  test('is asked once for many, again when what it said is old, and told from memory while it is away', async () => {
    let isAway = false
    const { issuer, asked } = await issuerThat(
      (of) => (request, response) => (isAway ? says('away', 503) : says(documentOf(of)))(request, response),
    )
    const discover = createDiscovery(issuer)
    for (let n = 0; n < 10; n++) await discover(n)
    expect(asked.length).toBe(1)
    isAway = true
    expect((await discover(limits.discoveryFreshMs + 1)).state).toBe('known')
    expect(asked.length).toBe(2)
  })

  test('that is away is not asked by everybody', async () => {
    const { issuer, asked } = await issuerThat(() => says('away', 503))
    const discover = createDiscovery(issuer)
    for (let n = 0; n < 10; n++) expect(await discover(n)).toEqual({ state: 'unavailable' })
    expect(asked.length).toBe(1)
    await discover(limits.discoveryRetryMs)
    expect(asked.length).toBe(2)
  })
})

describe('the SMART configuration', () => {
  const server = documentOf('https://identity.example')

  test('tells only what holds', () => {
    expect(smartConfiguration(server).capabilities).toEqual([
      'permission-v1',
      'permission-v2',
      'client-confidential-symmetric',
    ])
    expect(
      smartConfiguration({
        ...server,
        grant_types_supported: ['authorization_code', 'refresh_token'],
        scopes_supported: ['openid', 'fhirUser', 'launch/patient', 'offline_access', 'patient/*.rs'],
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      }).capabilities,
    ).toEqual([
      'permission-v1',
      'permission-v2',
      'permission-patient',
      'permission-offline',
      'client-public',
      'client-confidential-asymmetric',
      'launch-standalone',
      'context-standalone-patient',
      'sso-openid-connect',
    ])
  })

  test('never tells of plain challenges (SMART App Launch 2.2 §2.2)', () => {
    expect(
      smartConfiguration({ ...server, code_challenge_methods_supported: ['plain', 'S256'] })
        .code_challenge_methods_supported,
    ).toEqual(['S256'])
    expect(smartConfiguration(server).code_challenge_methods_supported).toEqual([])
  })
})
