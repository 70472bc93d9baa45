/** DESIGN §11: a clear error, nothing lost, nothing leaked; every refusal in the audit log. */
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Cluster, startCluster } from '../../src/local/cluster.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { marker, observation, patientResource, samplePatient, transaction, uuid } from './bundles.ts'
import { entriesOf, ledgerOf, type ParsedReceipt, parseReceipt, readLedger } from './ledger.ts'
import { temporaryHome } from './support.ts'

interface Outcome {
  readonly resourceType: string
  readonly issue: readonly {
    readonly code: string
    readonly details: { readonly text: string }
    readonly expression?: readonly string[]
  }[]
}

describe('bad input', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let system: string
  const receipts: { receipt: ParsedReceipt; reason: RegExp }[] = []

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    system = await cluster.token('system-hopital-mont-royal')
  })

  afterAll(async () => {
    await cluster?.stop()
    home.remove()
  })

  const documents = async (): Promise<number> => {
    const counts = await Promise.all(
      [cluster.databases.primary, ...Object.values(cluster.databases.local)].map(
        async ({ url, readToken }) => {
          const [rows] = await hranaReader({ url, token: readToken }).read([
            { sql: 'select count(*) as n from document' },
          ])
          return Number(rows?.[0]?.n)
        },
      ),
    )
    return counts.reduce((sum, n) => sum + n, 0)
  }

  const post = (body: BodyInit, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${system}`,
        'Content-Type': 'application/fhir+json',
        'Accept-Language': 'en',
        ...headers,
      },
      body,
    })

  /** Refused with this status, an OperationOutcome and a receipt; nothing written. */
  const refuses = async (response: Response, status: number, reason: RegExp): Promise<Outcome> => {
    const text = await response.text()
    expect([response.status, text.slice(0, 300)]).toEqual([status, text.slice(0, 300)])
    const outcome = JSON.parse(text) as Outcome
    expect(outcome.resourceType).toBe('OperationOutcome')
    expect(outcome.issue.length).toBeGreaterThan(0)
    receipts.push({ receipt: parseReceipt(response.headers.get('dossier-receipt')), reason })
    return outcome
  }

  const expressions = ({ issue }: Outcome): readonly string[] =>
    issue.flatMap(({ expression }) => expression ?? [])

  const patient = samplePatient(1)
  const good = (n: number) => observation(patient, { n, date: '2024-01-01' })
  const bundle = (...resources: readonly Readonly<Record<string, unknown>>[]) =>
    JSON.stringify(transaction(patientResource(patient), ...resources))

  test('malformed JSON', async () => {
    await refuses(await post('{"resourceType":"Bundle",'), 400, /^invalid$/)
  })

  test('duplicate members', async () => {
    await refuses(
      await post('{"resourceType":"Bundle","type":"batch","type":"transaction","entry":[]}'),
      400,
      /^invalid$/,
    )
  })

  test('nesting without end', async () => {
    await refuses(await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 400, /^invalid$/)
  })

  test('bytes that are not UTF-8', async () => {
    await refuses(await post(Buffer.from([0x22, 0xff, 0xfe, 0x22])), 400, /^invalid$/)
  })

  test.each(['text/plain', 'application/xml', 'application/fhir+xml', 'multipart/form-data'])(
    'content type %s',
    async (type) => {
      const outcome = await refuses(
        await post('{}', { 'Content-Type': type }),
        415,
        /^unsupported-media-type$/,
      )
      expect(outcome.issue[0]?.details.text).toContain('application/fhir+json')
    },
  )

  test('a body of 30 MB, declared', async () => {
    await refuses(await post('x'.repeat(30_000_000)), 413, /^body-too-large$/)
  })

  test('a body of 30 MB, streamed without a length', async () => {
    const requestId = `streamed-${crypto.randomUUID()}`
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= 30_000_000) controller.close()
        else {
          controller.enqueue(new Uint8Array(1_000_000).fill(0x20))
          sent += 1_000_000
        }
      },
    })
    const response = await fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${system}`,
        'Content-Type': 'application/fhir+json',
        'X-Request-Id': requestId,
      },
      body,
      duplex: 'half',
    } as RequestInit).catch(() => null)
    // The server may cut the connection once it has answered; its answer is in the log all the same.
    if (response) await refuses(response, 413, /^body-too-large$/)
    const refusals = async () =>
      (await readLedger(cluster.databases.audit, 'montreal'))
        .filter(({ text }) => text.includes(requestId))
        .map(({ access: { status, decision } }) => [status, decision.reason])
    await expect.poll(refusals, { timeout: 20_000, interval: 50 }).toEqual([[413, 'body-too-large']])
    expect(await documents()).toBe(0)
  })

  test.each([
    ['an unknown type', { resourceType: 'Medikation', id: uuid(1) }],
    ['no resourceType', { id: uuid(1), status: 'final' }],
    ['a resourceType that is no text', { resourceType: 7 }],
  ])('a resource with %s, named by its entry', async (_name, resource) => {
    const outcome = await refuses(await post(bundle(resource as Record<string, unknown>)), 400, /^invalid$/)
    expect(expressions(outcome).some((expression) => expression.startsWith('Bundle.entry[1]'))).toBe(true)
  })

  test('a transaction with one bad entry writes none of them, and names the bad one', async () => {
    const outcome = await refuses(
      await post(bundle(good(1), { resourceType: 'Nonsense' }, good(2))),
      400,
      /^invalid$/,
    )
    expect(expressions(outcome).some((expression) => expression.startsWith('Bundle.entry[2]'))).toBe(true)
    expect(await documents()).toBe(0)
  })

  test.each([
    ['fr', 'Un code de observation-status est requis ici. Vouliez-vous dire « final » ?'],
    ['en', 'A code of observation-status is required here. Did you mean "final"?'],
  ])('a resource that is not one of R4, each element named, in %s', async (language, text) => {
    const wrong = { ...good(1), status: 'finale', code: { text: 'x', coding: {} } }
    const outcome = await refuses(
      await post(bundle(good(2), wrong), { 'Accept-Language': language }),
      400,
      /^invalid$/,
    )
    expect(expressions(outcome)).toEqual([
      'Bundle.entry[2].resource.status',
      'Bundle.entry[2].resource.code.coding',
    ])
    expect(outcome.issue[0]).toMatchObject({ code: 'code-invalid', details: { text } })
    expect(await documents()).toBe(0)
  })

  test('an unresolved urn: reference', async () => {
    const dangling = { ...good(1), subject: { reference: `urn:uuid:${uuid(999)}` } }
    const outcome = await refuses(await post(bundle(dangling)), 400, /^invalid$/)
    expect(expressions(outcome)).toEqual(['Bundle.entry[1].resource.subject.reference'])
  })

  test('two entries with one key and different content', async () => {
    const outcome = await refuses(
      await post(bundle(good(1), { ...good(1), valueString: 'other' })),
      409,
      /^conflict$/,
    )
    expect(expressions(outcome).length).toBeGreaterThan(0)
  })

  test('an empty object, a bare array, a number, a searchset', async () => {
    for (const body of [
      '{}',
      '[]',
      '42',
      '{"resourceType":"Bundle","type":"searchset"}',
      '{"resourceType":"Patient"}',
    ])
      await refuses(await post(body), 400, /^invalid$/)
  })

  test('more entries than a bundle may have', async () => {
    const entry = { resource: { resourceType: 'Basic' }, request: { method: 'POST', url: 'Basic' } }
    const many = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: Array(limits.maxBundleEntries + 1).fill(entry),
    }
    const outcome = await refuses(await post(JSON.stringify(many)), 422, /^too-costly$/)
    expect(outcome.issue).toMatchObject([
      { code: 'too-costly', details: { text: expect.stringMatching(/5001 entries/) } },
    ])
  })

  test('after all of it nothing has been written', async () => {
    expect(await documents()).toBe(0)
  })

  test('what is legal is kept: cycles, a dangling reference, an equal entry twice', async () => {
    const a = { ...good(1), hasMember: [{ reference: `urn:uuid:${good(2).id}` }] }
    const b = {
      ...good(2),
      hasMember: [{ reference: `urn:uuid:${good(1).id}` }],
      encounter: { reference: 'Encounter/not-yet' },
    }
    const response = await post(bundle(a, b, b))
    expect([response.status, response.status === 200 ? '' : await response.text()]).toEqual([200, ''])
    expect(await documents()).toBe(3)
  })

  test('a batch writes its good entries and says of each what became of it', async () => {
    const batch = {
      ...transaction(good(3) as Record<string, unknown>, { resourceType: 'Nonsense' }),
      type: 'batch',
    }
    batch.entry[0] = {
      ...batch.entry[0],
      resource: { ...good(3), subject: { reference: `Patient/${patient.uuid}` } },
    } as never
    const response = await post(JSON.stringify(batch))
    expect(response.status).toBe(200)
    const answer = (await response.json()) as {
      type: string
      entry: { response: { status: string; outcome?: Outcome } }[]
    }
    expect(answer.type).toBe('batch-response')
    expect(answer.entry.map(({ response: { status } }) => status.slice(0, 3))).toEqual(['201', '400'])
    expect(answer.entry[1]?.response.outcome?.resourceType).toBe('OperationOutcome')
  })

  describe('tokens', () => {
    const claims = () => ({
      sub: 'tremblay',
      client_id: 'dossier-cli',
      jti: crypto.randomUUID(),
      scope: 'openid',
      extensions: {
        ihe_iua: {
          subject_organization_id: 'https://dossier.example/facility/hopital-mont-royal',
          subject_role: [{ code: 'physician' }],
          purpose_of_use: [{ code: 'TREAT' }],
        },
      },
    })

    const sign = async (change: (jwt: SignJWT) => SignJWT): Promise<string> => {
      const { privateKey } = await generateKeyPair('ES256')
      const jwt = new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'forged' })
        .setIssuer(cluster.issuer)
        .setAudience(cluster.audience)
        .setIssuedAt()
        .setExpirationTime('5m')
      return await change(jwt).sign(privateKey)
    }

    const forged: Readonly<Record<string, () => Promise<string>>> = {
      'no token': async () => '',
      'not a token': async () => 'abc',
      unsigned: async () =>
        new UnsecuredJWT(claims())
          .setIssuer(cluster.issuer)
          .setAudience(cluster.audience)
          .setIssuedAt()
          .setExpirationTime('5m')
          .encode(),
      'signed by a stranger': () => sign((jwt) => jwt),
      expired: () => sign((jwt) => jwt.setIssuedAt(1_000).setExpirationTime(2_000)),
      'of another audience': () => sign((jwt) => jwt.setAudience('https://elsewhere.example')),
      'of another issuer': () => sign((jwt) => jwt.setIssuer('https://elsewhere.example')),
      'a good token with its last character changed': async () => {
        const token = await cluster.token('tremblay')
        return `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`
      },
      'a good token with a space in it': async () => (await cluster.token('tremblay')).replace('.', '. '),
    }

    test.each(Object.keys(forged))('%s: 401, the same body for all', async (name) => {
      const token = await (forged[name] as () => Promise<string>)()
      const response = await fetch(`${cluster.url}/fhir/Observation?patient=x`, {
        headers: { 'Accept-Language': 'en', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      })
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
      const outcome = await refuses(response, 401, /^[a-z-]+$/)
      expect(outcome.issue).toEqual([
        { severity: 'error', code: 'login', details: { text: 'A valid access token is required.' } },
      ])
    })
  })

  test('a wrong path, method or parameter is refused in the language asked for, with a receipt', async () => {
    const token = await cluster.token('tremblay')
    const get = (path: string, language: string, method = 'GET') =>
      fetch(`${cluster.url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Accept-Language': language },
      })
    const english = await refuses(
      await get('/fhir/Observation?patient=x&shoe-size=9', 'en'),
      400,
      /^invalid$/,
    )
    expect(english.issue[0]?.details.text).toContain('Unknown search parameter')
    const french = await refuses(
      await get('/fhir/Observation?patient=x&shoe-size=9', 'fr-CA,en;q=0.5'),
      400,
      /^invalid$/,
    )
    expect(french.issue[0]?.details.text).toContain('Paramètre de recherche inconnu')
    await refuses(await get('/fhir/Observations?patient=x', 'en'), 404, /^no-such-path$/)
    await refuses(await get('/fhir', 'en', 'PUT'), 405, /^method-not-allowed$/)
    await refuses(await get('/fhir/Observation/x', 'en', 'PATCH'), 403, /^operation-not-for-caller$/)
    await refuses(await get('/fhir/AuditEvent', 'en', 'POST'), 405, /^method-not-allowed$/)
    const elsewhere = await get('/nowhere', 'en')
    expect(elsewhere.status).toBe(404)
    expect(elsewhere.headers.get('content-type')).toContain('application/problem+json')
  })

  test('every refusal above is in the audit log with its reason, and says nothing of health', async () => {
    const logs = await ledgerOf(
      cluster.databases.audit,
      receipts.map(({ receipt }) => receipt),
    )
    for (const { receipt, reason } of receipts) {
      const [entry] = entriesOf(receipt, logs.get(receipt.log) ?? [])
      expect(entry?.access.decision.outcome).toBe('deny')
      expect(entry?.access.decision.reason).toMatch(reason)
      expect(entry?.text).not.toContain(marker)
    }
    expect(receipts.length).toBeGreaterThan(25)
  })
})
