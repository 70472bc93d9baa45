/** Which registered client has which origins in a browser: a hint for CORS, remembered by the isolate, never a right. */
import { limits } from '../limits.ts'
import type { Reader, Rows } from '../store/ports.ts'

export interface ClientOrigins {
  /** Some client has it. */
  has(origin: string): boolean
  /** This very client has it. */
  isOf(origin: string, client: RegisteredClient): boolean
}

export interface RegisteredClient {
  readonly issuer: string
  readonly clientId: string
}

/** Every client that runs in browsers, in one statement: an invented origin costs no read of its own. */
export const clientOriginsSql = `select issuer, client_id, origins from client
where valid_to is null and origins <> '[]' order by row limit ${limits.maxBrowserClients}`

/**
 * One per isolate; the returned function reads again what is older than `limits.originsReadEveryMs`, and rejects with
 * `StoreError` when it had to and could not: then no origin is known.
 */
export function createClientOrigins(registry: Reader): (nowMs: number) => Promise<ClientOrigins> {
  // Replaced as a whole. Never a promise: on Workers one request must not wait for another's.
  let remembered: { readonly origins: ClientOrigins; readonly readAtMs: number } | null = null
  return async (nowMs) => {
    const ageMs = remembered === null ? Number.POSITIVE_INFINITY : nowMs - remembered.readAtMs
    // A clock that was set back makes nothing last longer.
    if (remembered !== null && ageMs >= 0 && ageMs < limits.originsReadEveryMs) return remembered.origins
    const [rows = []] = await registry.read([{ sql: clientOriginsSql }])
    remembered = { origins: readOrigins(rows), readAtMs: nowMs }
    return remembered.origins
  }
}

function readOrigins(rows: Rows): ClientOrigins {
  const clients = new Map<string, Set<string>>()
  for (const { issuer, client_id, origins } of rows)
    for (const origin of JSON.parse(String(origins)) as readonly string[]) {
      const known = clients.get(origin) ?? new Set()
      clients.set(origin, known.add(keyOf(String(issuer), String(client_id))))
    }
  return {
    has: (origin) => clients.has(origin),
    isOf: (origin, { issuer, clientId }) => clients.get(origin)?.has(keyOf(issuer, clientId)) ?? false,
  }
}

const keyOf = (issuer: string, clientId: string): string => JSON.stringify([issuer, clientId])
