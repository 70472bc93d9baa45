import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { limits } from '../../../../src/limits.ts'
import {
  PublishFailure,
  publicationOf,
  publish,
  retryAfterMs,
} from '../../../../src/local/client/publisher.ts'

/** A server that answers as told, in turn, and remembers what it was sent: injects the faults of a cluster. */
let server: Server | undefined
afterEach(() => server?.close())

const english = { language: 'en' } as const

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly retryAfter?: string
}

async function serve(
  ...answers: Answer[]
): Promise<{ url: string; received: { token: string; body: string }[] }> {
  const received: { token: string; body: string }[] = []
  server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await request.toArray()).join('')
    received.push({ token: request.headers.authorization ?? '', body })
    const answer = answers[Math.min(received.length, answers.length) - 1] ?? { status: 500 }
    response.writeHead(
      answer.status,
      answer.retryAfter === undefined ? {} : { 'Retry-After': answer.retryAfter },
    )
    response.end(JSON.stringify(answer.body ?? {}))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

const done = {
  status: 200,
  body: {
    resourceType: 'Bundle',
    type: 'transaction-response',
    entry: [{ response: { status: '201 Created', location: 'Patient/a/_history/1' } }],
  },
}
const created = { effects: [{ type: 'Patient', effect: 'created' }], rejects: [] }

describe('publishing', () => {
  it('sends the text as it is, with a token', async () => {
    const { url, received } = await serve(done)
    expect(await publish({ ...english, url, token: async () => 'abc' }, '{ "value": 1.10 }')).toEqual(created)
    expect(received).toEqual([{ token: 'Bearer abc', body: '{ "value": 1.10 }' }])
  })

  it('sends again while the cluster is busy, asking for the token each time', async () => {
    const busy = { status: 503, retryAfter: '0' }
    const { url, received } = await serve(busy, { status: 429, retryAfter: '0' }, done)
    let tokens = 0
    expect(await publish({ ...english, url, token: async () => `t${++tokens}` }, '{}')).toEqual(created)
    expect(received.map(({ token }) => token)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3'])
  })

  it('gives up on a cluster that stays busy', async () => {
    const { url, received } = await serve({ status: 503, retryAfter: '0' })
    await expect(publish({ ...english, url, token: async () => '' }, '{}')).rejects.toThrow(
      `answered 503 after ${limits.maxPublishAttempts} attempts`,
    )
    expect(received).toHaveLength(limits.maxPublishAttempts)
  })

  it.each([400, 409, 413, 415, 422])(
    'reports a bundle answered with %i and does not send it again',
    async (status) => {
      const issue = [
        { code: 'required', details: { text: 'missing' }, expression: ['Bundle.entry[0]', 'Bundle.type'] },
      ]
      const { url, received } = await serve({ status, body: { resourceType: 'OperationOutcome', issue } })
      expect(await publish({ ...english, url, token: async () => '' }, '{}')).toEqual({
        effects: [],
        rejects: [{ entry: null, reason: 'missing (Bundle.entry[0], Bundle.type)' }],
      })
      expect(received).toHaveLength(1)
    },
  )

  it.each([401, 403, 500])('stops at %i: it would be the same for every bundle', async (status) => {
    const { url, received } = await serve({ status })
    await expect(publish({ ...english, url, token: async () => '' }, '{}')).rejects.toThrow(PublishFailure)
    expect(received).toHaveLength(1)
  })

  it('says why there is no token', async () => {
    const token = () => Promise.reject(new Error('the provider is away'))
    await expect(publish({ ...english, url: 'http://127.0.0.1:9', token }, '{}')).rejects.toThrow(
      new PublishFailure('there is no token to publish with: the provider is away'),
    )
  })

  it('says which cluster does not answer', async () => {
    const { url } = await serve(done)
    await new Promise((resolve) => server?.close(resolve))
    await expect(publish({ ...english, url, token: async () => '' }, '{}')).rejects.toThrow(
      `${url} does not answer: `,
    )
  })
})

describe('a French user', () => {
  const target = (url: string) => ({ url, token: async () => '', language: 'fr' }) as const

  it('is answered in French by the cluster', async () => {
    let asked: string | undefined
    server = createServer((request, response) => {
      asked = request.headers['accept-language']
      response.end(JSON.stringify(done.body))
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    await publish(target(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), '{}')
    expect(asked).toBe('fr')
  })

  it('is told of failures in French, with nothing of the other language in between', async () => {
    const issue = [{ details: { text: 'Accès non autorisé.' } }]
    const refused = await serve({ status: 403, body: { issue } })
    await expect(publish(target(refused.url), '{}')).rejects.toThrow(
      new PublishFailure(`${refused.url} a répondu 403 : Accès non autorisé.`),
    )
    const silent = await serve({ status: 400, body: {} })
    expect((await publish(target(silent.url), '{}')).rejects).toEqual([
      { entry: null, reason: 'code 400, sans motif' },
    ])
  })
})

describe('the answer', () => {
  it('tells created, updated and unchanged apart, and the entries of a batch that failed', () => {
    const entry = (status: string, lastModified: string) => ({
      response: { status, location: 'http://x/fhir/Observation/a/_history/2', lastModified },
    })
    const answer = {
      timestamp: '2026-11-22T10:00:00.000Z',
      entry: [
        entry('201 Created', '2026-11-22T10:00:00.000Z'),
        entry('200 OK', '2026-11-22T10:00:00.000Z'),
        entry('200 OK', '2026-11-21T10:00:00.000Z'),
        { response: { status: '409 Conflict', outcome: { issue: [{ code: 'conflict' }] } } },
      ],
    }
    expect(publicationOf(JSON.stringify(answer), '2030-01-01T00:00:00.000Z', 'en')).toEqual({
      effects: [
        { type: 'Observation', effect: 'created' },
        { type: 'Observation', effect: 'updated' },
        { type: 'Observation', effect: 'unchanged' },
      ],
      rejects: [{ entry: 3, reason: 'conflict' }],
    })
  })

  it('is judged by the time of sending where it does not tell its own', () => {
    const response = {
      status: '200 OK',
      location: 'Patient/a/_history/2',
      lastModified: '2026-11-22T10:00:00.000Z',
    }
    const effectSince = (sentAt: string) =>
      publicationOf(JSON.stringify({ entry: [{ response }] }), sentAt, 'en').effects[0]?.effect
    expect(effectSince('2026-11-22T09:59:59.999Z')).toBe('updated')
    expect(effectSince('2026-11-22T10:00:00.001Z')).toBe('unchanged')
  })
})

it('waits as long as it is told, within the bound', () => {
  expect(retryAfterMs('3')).toBe(3000)
  expect(retryAfterMs('86400')).toBe(limits.maxRetryAfterSeconds * 1000)
  expect(retryAfterMs('Sun, 22 Nov 2026 10:00:00 GMT')).toBe(limits.retryAfterSeconds * 1000)
  expect(retryAfterMs(null)).toBe(limits.retryAfterSeconds * 1000)
})
