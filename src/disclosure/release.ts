/**
 * The only place where responses are made. A response carries the receipt of its access, or is one of a closed set of
 * constant bodies without data, or belongs to the closed public list. The outermost middleware turns anything else
 * into a 500.
 */
import { isReceipt, type Receipt } from '../audit/receipt.ts'
import { limits } from '../limits.ts'

const minted = new WeakSet<Response>()

/** Made for the closed public list: without a receipt, and without being one of the constant bodies. */
const mintedPublic = new WeakSet<Response>()

/** Whether this module made the response; one of the public list counts on a public path only. */
export const isMinted = (response: Response, isPublicPath: boolean): boolean =>
  minted.has(response) && (isPublicPath || !mintedPublic.has(response))

function mint(body: BodyInit | null, init: ResponseInit): Response {
  const response = new Response(body, init)
  minted.add(response)
  return response
}

/** Health data is for one caller, once. */
const privateHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const

export interface Released {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | ReadableStream<Uint8Array> | null
  /** What was done to the body; absent: nothing, whatever the client takes. */
  readonly coding?: 'gzip' | 'identity'
}

/**
 * Releases bytes against the receipt of their access.
 * @throws TypeError without a genuine receipt: a defect, answered as 500 by the outermost middleware.
 */
export function release(receipt: Receipt, { status, headers, body, coding }: Released): Response {
  if (!isReceipt(receipt)) throw new TypeError('release needs a receipt of the audit log')
  return mint(body, {
    status,
    headers: {
      ...privateHeaders,
      ...headers,
      ...(coding === undefined ? {} : { Vary: 'Accept-Encoding' }),
      ...(coding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
      'Dossier-Receipt': receipt.header,
    },
    // Else workerd would do it again.
    ...(coding === 'gzip' ? { encodeBody: 'manual' } : {}),
  })
}

/** Answers that leave without a receipt: constant bodies, no data. */
export type UnreceiptedKind = 'log-unavailable' | 'overload' | 'rate-limited' | 'unauthenticated' | 'internal'

const unreceipted: Record<UnreceiptedKind, { status: number; retry: boolean; en: string; fr: string }> = {
  'log-unavailable': {
    status: 503,
    retry: true,
    en: 'The audit log does not accept entries, so nothing is released. Try again shortly.',
    fr: 'Le journal des accès n’accepte pas d’écriture : rien n’est communiqué. Réessayez sous peu.',
  },
  overload: {
    status: 503,
    retry: true,
    en: 'Too many requests are under way. Try again shortly.',
    fr: 'Trop de requêtes sont en cours. Réessayez sous peu.',
  },
  'rate-limited': { status: 429, retry: true, en: 'Too many requests.', fr: 'Trop de requêtes.' },
  unauthenticated: {
    status: 401,
    retry: false,
    en: 'A valid access token is required.',
    fr: 'Un jeton d’accès valide est requis.',
  },
  internal: {
    status: 500,
    retry: false,
    en: 'An internal error occurred. Nothing was released.',
    fr: 'Une erreur interne est survenue. Rien n’a été communiqué.',
  },
}

/** Counts per kind since the isolate started, for `/metrics`, and those not yet in the log. */
export const unreceiptedCounts = new Map<UnreceiptedKind, number>()
let unlogged = new Map<UnreceiptedKind, number>()

/** `retryAfterSeconds`: what `Retry-After` says of the kinds that have it. */
export function refuseWithoutReceipt(
  kind: UnreceiptedKind,
  retryAfterSeconds: number = limits.retryAfterSeconds,
): Response {
  unreceiptedCounts.set(kind, (unreceiptedCounts.get(kind) ?? 0) + 1)
  unlogged.set(kind, (unlogged.get(kind) ?? 0) + 1)
  const { status, retry, en, fr } = unreceipted[kind]
  const body = {
    resourceType: 'OperationOutcome',
    issue: [
      { severity: 'error', code: status === 401 ? 'login' : 'transient', details: { text: `${fr} / ${en}` } },
    ],
  }
  return mint(JSON.stringify(body), {
    status,
    headers: {
      ...privateHeaders,
      'Content-Type': 'application/fhir+json; charset=utf-8',
      ...(retry ? { 'Retry-After': String(retryAfterSeconds) } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer, DPoP' } : {}),
    },
  })
}

/** Takes the counts of answers without a receipt that no entry tells yet; `giveBack` when the append failed. */
export function takeUnlogged(): {
  readonly counts: Readonly<Record<string, string>>
  giveBack(): void
} | null {
  if (unlogged.size === 0) return null
  const taken = unlogged
  unlogged = new Map()
  return {
    counts: Object.fromEntries([...taken].map(([kind, count]) => [kind, String(count)])),
    giveBack: () => {
      for (const [kind, count] of taken) unlogged.set(kind, (unlogged.get(kind) ?? 0) + count)
    },
  }
}

/** What pages of a registered origin may send. */
const preflightHeaders = {
  'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers': [
    'Accept',
    'Accept-Language',
    'Authorization',
    'Content-Type',
    'DPoP',
    'Dossier-Clock',
    'If-Match',
    'If-Modified-Since',
    'If-None-Exist',
    'If-None-Match',
    'Prefer',
    'X-Request-Id',
  ].join(', '),
  'Access-Control-Max-Age': String(limits.preflightMaxAgeSeconds),
} as const

/** Of a CORS preflight, on any path: constant but for the origin, a registered one. Null: no page may ask from there. */
export const answerPreflight = (origin: string | null): Response =>
  mint(null, {
    status: origin === null ? 403 : 204,
    headers: {
      ...privateHeaders,
      Vary: 'Origin',
      ...(origin === null ? {} : { 'Access-Control-Allow-Origin': origin, ...preflightHeaders }),
    },
  })

/** A response of the closed public list: no health data, neither audited nor receipted. */
export function releasePublic(
  body: string | Uint8Array<ArrayBuffer> | null,
  init: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const response = mint(body, {
    status: init.status ?? 200,
    headers: { 'X-Content-Type-Options': 'nosniff', ...init.headers },
  })
  mintedPublic.add(response)
  return response
}
