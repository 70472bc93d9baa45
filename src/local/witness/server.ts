/** The HTTP interface of a witness (C2SP tlog-witness); submission and monitoring prefix are one. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { formatSignatureLine, formatVerifierKey, type VerifierKey } from '../../audit/tlog/note.ts'
import { formatStoredSize, storedSizeType } from '../../audit/tlog/witness.ts'
import { limits } from '../../limits.ts'
import { witnessPage } from './page.ts'
import type { Cosigner, Identity, WitnessStore } from './store.ts'
import { type Refusal, readSubmission } from './submission.ts'

export interface WitnessParts {
  readonly identity: Identity
  readonly store: WitnessStore
  readonly cosigner: Cosigner
  /** Trusted keys by origin. */
  readonly logs: ReadonlyMap<string, readonly VerifierKey[]>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** What was asked for could not be stored. Nothing is signed after that until the next start reads what is on the disk. */
  readonly onStorageFailure: (error: unknown) => void
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
  headers,
})

/** @param requestMs for receiving one request; then 408 */
export function witnessServer(parts: WitnessParts, requestMs: number = limits.witnessRequestMs): Server {
  const answer = answerer(parts)
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      keepAliveTimeout: limits.witnessKeepAliveMs,
      connectionsCheckingInterval: Math.min(requestMs, 1_000),
    },
    (request, response) => {
      answer(request)
        .catch(() => plain(500, 'internal error'))
        .then((given) => send(request, response, given))
    },
  )
  server.maxConnections = limits.maxWitnessConnections
  return server
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, headers }: Answer,
): void {
  // What was not read to its end cannot be followed by another request.
  if (!request.complete) {
    response.setHeader('Connection', 'close')
    response.once('finish', () => request.destroy())
  }
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
  response.end(body)
}

function answerer(parts: WitnessParts): (request: IncomingMessage) => Promise<Answer> {
  const origins = new Map([...parts.logs.keys()].map((origin) => [originHash(origin), origin]))
  const addCheckpoint = checkpointAdder(parts)
  return async (request) => {
    const [pathname = ''] = (request.url ?? '').split('?')
    if (pathname === '/add-checkpoint') {
      return request.method === 'POST' ? await addCheckpoint(request) : notAllowed('POST')
    }
    const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname) ?? []
    if (hash === undefined && pathname !== '/') return plain(404, 'not found')
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed('GET, HEAD')
    return hash === undefined ? page(parts) : checkpoint(parts, origins.get(hash))
  }
}

const originHash = (origin: string): string => createHash('sha256').update(origin).digest('hex')

const notAllowed = (methods: string): Answer => plain(405, 'method not allowed', { Allow: methods })

function checkpointAdder(parts: WitnessParts): (request: IncomingMessage) => Promise<Answer> {
  let broken = false
  return async (request) => {
    const body = await readBody(request)
    if (body === null) return plain(413, `a request has at most ${limits.maxWitnessRequestBytes} bytes`)
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    } catch {
      return plain(400, 'the request is not UTF-8')
    }
    const submission = readSubmission(text, (origin) => parts.logs.get(origin) ?? [])
    if (!submission.ok) return refused(submission.error)
    if (broken) return plain(503, 'storage failed')
    try {
      const seconds = Math.floor(parts.now() / 1000)
      const cosigned = parts.store.cosign(submission.value, parts.cosigner, seconds)
      if (!cosigned.ok) return refused(cosigned.error)
      return {
        status: 200,
        type: 'text/plain; charset=utf-8',
        body: cosigned.value.map(formatSignatureLine).join(''),
      }
    } catch (error) {
      broken = true
      parts.onStorageFailure(error)
      return plain(503, 'storage failed')
    }
  }
}

function refused(refusal: Refusal): Answer {
  switch (refusal.kind) {
    case 'malformed':
      return plain(400, refusal.detail)
    case 'unknown-log':
      return plain(404, 'this witness does not watch this log')
    case 'unsigned':
      return plain(403, refusal.detail)
    case 'conflict':
      return { status: 409, type: storedSizeType, body: formatStoredSize(refusal.size) }
    case 'inconsistent':
      return plain(422, refusal.detail)
  }
}

/** Null when it is longer than allowed. Rejects when the client goes away. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Not `for await`: leaving that early would end the connection before the answer.
  return await new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limits.maxWitnessRequestBytes) chunks.push(chunk)
      else {
        request.pause()
        resolve(null)
      }
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

/** What is read here is public and meant to be compared: by anybody, from any page. */
const openToAll = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-cache' } as const

function checkpoint({ store }: WitnessParts, origin: string | undefined): Answer {
  const latest = origin === undefined ? null : store.latest(origin)
  if (latest === null) return plain(404, 'no checkpoint of this log was cosigned here', openToAll)
  return { status: 200, type: 'text/plain; charset=utf-8', body: latest.note, headers: openToAll }
}

function page({ identity, store, logs }: WitnessParts): Answer {
  const watched = Array.from(logs, ([origin, keys]) => ({
    origin,
    vkeys: keys.map(formatVerifierKey),
    path: `${originHash(origin)}/checkpoint`,
    latest: store.latest(origin),
    contradictions: store.contradictions(origin),
  }))
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: witnessPage(identity, watched),
    headers: {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
    },
  }
}
