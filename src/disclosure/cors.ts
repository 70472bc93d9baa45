/**
 * Which pages of which origins may read an answer (the Fetch standard, §3.2): those of the client that asks, as the
 * registry has them. It opens nothing: whoever has a token gets the same answer without a browser. Never `*` where a
 * caller is known, never credentials: tokens come in a header, there are no cookies.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { createClientOrigins, type RegisteredClient } from '../access/client-origins.ts'
import type { Ports } from './ports.ts'
import type { CallerRates } from './rate-limit.ts'
import { answerPreflight, refuseWithoutReceipt } from './release.ts'
import { callerAddress } from './request.ts'

/** Headers of answers that pages may read, beside those that any may. */
const exposed = [
  'Content-Location',
  'Dossier-Clock',
  'Dossier-Incomplete',
  'Dossier-Receipt',
  'Dossier-Stale',
  'ETag',
  'Last-Modified',
  'Location',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ')

/**
 * @param isPublic paths that any page may read, or none: they say so themselves
 * @param clientOf whose token verified; null: nobody's
 */
export function cors(
  ports: Pick<Ports, 'replica' | 'config' | 'peerAddress'>,
  rates: Pick<CallerRates, 'admitAddress'>,
  isPublic: (path: string) => boolean,
  clientOf: (c: Context) => RegisteredClient | null,
): MiddlewareHandler {
  const readOrigins = createClientOrigins(ports.replica)
  return async (c, next) => {
    const origin = c.req.header('origin')
    if (origin !== undefined && isPreflight(c)) {
      c.res = await preflight(c, origin)
      return
    }
    await next()
    if (isPublic(c.req.path)) return
    c.res.headers.append('Vary', 'Origin')
    if (origin === undefined || !(await mayRead(c, origin))) return
    c.res.headers.set('Access-Control-Allow-Origin', origin)
    c.res.headers.set('Access-Control-Expose-Headers', exposed)
  }

  /** Anybody may ask, without a token: counted by address, answered from what the isolate remembers. */
  async function preflight(c: Context, origin: string): Promise<Response> {
    const wait = rates.admitAddress(callerAddress(c.req.raw, ports), Date.now())
    if (wait > 0) return refuseWithoutReceipt('rate-limited', wait)
    try {
      const origins = await readOrigins(Date.now())
      return answerPreflight(origins.has(origin) ? origin : null)
    } catch {
      return answerPreflight(null)
    }
  }

  async function mayRead(c: Context, origin: string): Promise<boolean> {
    try {
      const origins = await readOrigins(Date.now())
      const client = clientOf(c)
      // What is wrong with a token is read by the page that sent it, and says nothing else.
      return client === null || c.res.status === 401 ? origins.has(origin) : origins.isOf(origin, client)
    } catch {
      return false
    }
  }
}

const isPreflight = (c: Context): boolean =>
  c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined
