/** Where a request was sent, and its body read within bounds: type, encoding, size, time, and what others have under way. */
import type { Credentials } from '../access/authenticate.ts'
import type { Condition } from '../fhir/interactions.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Operation } from './operation.ts'
import type { Ports } from './ports.ts'
import type { Refusal } from './refusal.ts'

/** Owned by this isolate: bodies being received, and their bytes so far. Slow senders must not hold what readers need. */
const underWay = { bodies: 0, bytes: 0 }

/**
 * The body as text, of one of the accepted media types (parameters ignored; FHIR JSON is UTF-8). A declared longer length
 * than `limits.maxBodyBytes` is not read at all.
 */
export async function readBody(
  request: Request,
  accepted: readonly string[],
): Promise<Result<string, Refusal>> {
  const got = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (!accepted.includes(got)) return err({ reason: 'unsupported-media-type', got, accepted })
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    return err({ reason: 'unsupported-media-type', got: `content-encoding ${encoding}`, accepted })
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBodyBytes) return err(tooLarge)
  if (!request.body) return ok('')
  if (underWay.bodies >= limits.maxConcurrentBodies)
    return err({ reason: 'overload', detail: 'bodies being received' })
  const reader = request.body.getReader()
  const received = { bytes: 0 }
  underWay.bodies++
  try {
    const read = await receive(reader, received)
    // What is left unread is not waited for.
    if (!read.ok) reader.cancel().catch(() => undefined)
    return read
  } finally {
    underWay.bodies--
    underWay.bytes -= received.bytes
  }
}

async function receive(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  received: { bytes: number },
): Promise<Result<string, Refusal>> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  const until = Date.now() + limits.bodyDeadlineMs
  let text = ''
  for (;;) {
    const chunk = await nextChunk(reader, Math.min(limits.bodyIdleMs, until - Date.now()))
    if (chunk === 'late') return err({ reason: 'body-timeout' })
    try {
      if (chunk.done) return ok(text + decoder.decode())
      received.bytes += chunk.value.byteLength
      underWay.bytes += chunk.value.byteLength
      if (received.bytes > limits.maxBodyBytes) return err(tooLarge)
      if (underWay.bytes > limits.maxBodyBytesUnderWay)
        return err({ reason: 'overload', detail: 'bytes being received' })
      text += decoder.decode(chunk.value, { stream: true })
    } catch {
      return err({ reason: 'invalid', issues: [{ code: 'structure', text: notUtf8 }] })
    }
  }
}

/** A sender that stalls is given up. */
async function nextChunk(reader: ReadableStreamDefaultReader<Uint8Array>, waitMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), Math.max(0, waitMs))
    })
    return await Promise.race([reader.read(), late])
  } finally {
    clearTimeout(timer)
  }
}

const tooLarge: Refusal = { reason: 'body-too-large', maxBytes: limits.maxBodyBytes }

const notUtf8 = { fr: 'Le corps n’est pas en UTF-8.', en: 'The body is not UTF-8.' }

/** @param url public address of the request */
export const credentialsOf = ({ headers, method }: Request, url: URL): Credentials => ({
  authorization: headers.get('authorization'),
  dpop: headers.get('dpop'),
  method,
  url,
})

/** A conditional header as received; null without it, or where the operation does not heed it. */
export const conditionOf = (
  { headers }: Request,
  { conditions }: Pick<Operation, 'conditions'>,
  name: Condition,
): string | null => (conditions?.includes(name) ? headers.get(name) : null)

/** Whom a request counts for: the peer, or whom the operator's own proxy says it came from; null: nobody knows. */
export function callerAddress(request: Request, ports: Pick<Ports, 'config' | 'peerAddress'>): string | null {
  const { clientAddressHeader } = ports.config
  return clientAddressHeader ? request.headers.get(clientAddressHeader) : ports.peerAddress(request)
}

/** Path and query as received, at the public address: set member by member, since a path may begin with two slashes. */
export function publicAddress(request: Request, publicUrl: string | null): URL {
  const url = new URL(request.url)
  if (publicUrl === null) return url
  const { protocol, host } = new URL(publicUrl)
  url.protocol = protocol
  url.host = host
  return url
}
