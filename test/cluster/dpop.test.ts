/** A token that the provider binds to a key (RFC 9449), on the real cluster: read with proofs, each good once. */
import { createHash, randomUUID } from 'node:crypto'
import {
  calculateJwkThumbprint,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSecrets } from '../../src/local/home.ts'
import { locations, marker, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const client = 'system-hopital-mont-royal'

describe('a token bound to a key', () => {
  let t: TestCluster
  let key: CryptoKey
  let jwk: JWK
  let token: string
  let path: string

  beforeAll(async () => {
    t = await startTestCluster()
    const pair = await generateKeyPair('ES256', { extractable: true })
    key = pair.privateKey
    jwk = await exportJWK(pair.publicKey)
    token = await boundToken()
    const person = samplePatient(1)
    const bundle = transaction(patientResource(person), observation(person, { n: 1, date: '2024-05-05' }))
    const published = await send('POST', '/fhir', await proof('POST', '/fhir'), JSON.stringify(bundle))
    expect(published.status).toBe(200)
    path = `/fhir/Observation?patient=${locations(await published.json())[0]}`
  })
  afterAll(() => t.end())

  const signed = (claims: Record<string, string>): Promise<string> =>
    new SignJWT({ jti: randomUUID(), ...claims })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .setIssuedAt()
      .sign(key)

  const proof = (htm: string, at: string): Promise<string> => {
    const { origin, pathname } = new URL(at, t.cluster.url)
    const ath = createHash('sha256').update(token).digest('base64url')
    return signed({ htm, htu: `${origin}${pathname}`, ath })
  }

  const boundToken = async (): Promise<string> => {
    const { issuer, audience, home } = t.cluster
    const secret = readSecrets(home)?.clients[client] as JWK
    const assertion = await new SignJWT()
      .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: secret.kid as string })
      .setIssuer(client)
      .setSubject(client)
      .setAudience(`${issuer}/token`)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('60 s')
      .sign(await importJWK(secret, 'ES384'))
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { DPoP: await signed({ htm: 'POST', htu: `${issuer}/token` }) },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'system/*.cruds',
        resource: audience,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    })
    const issued = (await answer.json()) as { access_token: string; token_type: string }
    expect(issued.token_type).toBe('DPoP')
    expect(decodeJwt(issued.access_token).cnf).toEqual({ jkt: await calculateJwkThumbprint(jwk) })
    return issued.access_token
  }

  const send = (method: string, at: string, dpop: string, body: string | null = null): Promise<Response> =>
    fetch(`${t.cluster.url}${at}`, {
      method,
      headers: { Authorization: `DPoP ${token}`, DPoP: dpop, 'Content-Type': 'application/fhir+json' },
      body,
    })

  /** What the log says of an answer. */
  const reasonOf = async (response: Response): Promise<string | undefined> => {
    const receipt = parseReceipt(response.headers.get('dossier-receipt'))
    const entries = (await ledgerOf(t.cluster.databases.audit, [receipt])).get(receipt.log) ?? []
    return entriesOf(receipt, entries)[0]?.access.decision.reason
  }

  test('reads with a proof of its own for each request', async () => {
    for (let n = 0; n < 2; n++) {
      const answer = await send('GET', path, await proof('GET', path))
      expect(answer.status).toBe(200)
      expect(await answer.text()).toContain(marker)
    }
  })

  test('reads once with one proof, also when all uses come at the same time', async () => {
    const dpop = await proof('GET', path)
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('GET', path, dpop)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(401)])
    for (const answer of answers.filter(({ status }) => status === 401)) {
      expect(await answer.clone().text()).not.toContain(marker)
      expect(await reasonOf(answer)).toBe('proof-replayed')
    }
  })

  test('a proof used by a refused request is used, and a replay learns nothing else', async () => {
    const nowhere = '/fhir/Observation/aaaaaaaaaaaaaaaaaaaaaaaaaa'
    const dpop = await proof('GET', nowhere)
    expect((await send('GET', nowhere, dpop)).status).toBe(404)
    const again = await send('GET', nowhere, dpop)
    expect(again.status).toBe(401)
    expect(await reasonOf(again)).toBe('proof-replayed')
  })

  test('a replayed publication writes nothing', async () => {
    const person = samplePatient(2)
    const bundle = (n: number) =>
      JSON.stringify(transaction(patientResource(person), observation(person, { n, date: '2024-05-05' })))
    const dpop = await proof('POST', '/fhir')
    const first = await send('POST', '/fhir', dpop, bundle(1))
    expect(first.status).toBe(200)
    const [patient] = locations(await first.json())
    const replayed = await send('POST', '/fhir', dpop, bundle(2))
    expect(replayed.status).toBe(401)
    expect(await reasonOf(replayed)).toBe('proof-replayed')
    const search = `/fhir/Observation?patient=${patient}`
    const page = (await (await send('GET', search, await proof('GET', search))).json()) as {
      entry: unknown[]
    }
    expect(page.entry).toHaveLength(1)
  })

  test('is refused as Bearer, and with a proof for another request, with the same answer', async () => {
    const bodies = new Set<string>()
    const refusals = [
      await t.get(path, token),
      await send('GET', path, await proof('POST', path)),
      await send('GET', path, await proof('GET', '/fhir/Patient')),
    ]
    for (const answer of refusals) {
      expect(answer.status).toBe(401)
      bodies.add(await answer.clone().text())
    }
    expect(bodies.size).toBe(1)
    expect(await Promise.all(refusals.map(reasonOf))).toEqual([
      'wrong-scheme',
      'proof-wrong-method',
      'proof-wrong-url',
    ])
  })
})
