/** The closed public list: no health data, neither audited nor receipted. */
import type { Hono } from 'hono'
import type { AuditLogs } from './audit/port.ts'
import { alarmCounts } from './disclosure/alarms.ts'
import type { Ports } from './disclosure/ports.ts'
import type { CallerRates } from './disclosure/rate-limit.ts'
import { releasePublic, unreceiptedCounts } from './disclosure/release.ts'
import { callerAddress, publicAddress } from './disclosure/request.ts'
import { limits } from './limits.ts'
import { publicDocumentPaths } from './public-documents.ts'
import { type Reader, StoreError } from './store/ports.ts'
import { logList, type PublicFile, publicFile } from './trail/public-log.ts'
import { type ScrubStatus, scrubStatus } from './trail/scrub-status.ts'

const json = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' }

export const publicPaths = [
  '/healthz',
  '/readyz',
  '/metrics',
  ...publicDocumentPaths,
  '/audit/logs',
  '/audit/logs/**',
] as const

// biome-ignore lint/suspicious/noExplicitAny: any app, whatever its variables.
export function publicRoutes(app: Hono<any>, ports: Ports, rates: Pick<CallerRates, 'admitAddress'>): void {
  app.get('/healthz', () => releasePublic('{"alive":true}', { headers: json }))

  app.get('/readyz', async () => {
    const checks = await readiness(ports)
    const ready = checks.every(({ ok, isRequired }) => ok || !isRequired)
    const named = Object.fromEntries(
      checks.map(({ name, ok, standing = ok ? 'ok' : 'unavailable' }) => [name, standing]),
    )
    return releasePublic(JSON.stringify({ ready, checks: named }), {
      status: ready ? 200 : 503,
      headers: json,
    })
  })

  app.get('/metrics', async (c) => {
    if (!(await isEqual(c.req.header('authorization') ?? '', `Bearer ${ports.config.metricsToken}`)))
      return releasePublic('{"error":"metrics token required"}', { status: 401, headers: json })
    return releasePublic(metricsText(), {
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    })
  })

  app.get('/audit/logs', (c) =>
    answerLogFile(ports, rates, c.req.raw, (ledger, { origin }) => logList(ledger, origin)),
  )
  app.get('/audit/logs/*', (c) =>
    answerLogFile(ports, rates, c.req.raw, (ledger, { pathname }) => publicFile(ledger, pathname)),
  )
}

/** Errors are constants: what was asked for is not told back. */
const logErrors = {
  404: 'There is nothing at this address.\n',
  429: 'Too many requests.\n',
  503: 'The audit database does not answer. Try again shortly.\n',
} as const

/** Read by verifiers in browsers, too: of any origin. */
const anyOrigin = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' }

function refuseLogFile(status: keyof typeof logErrors, retryAfterSeconds?: number): Response {
  return releasePublic(logErrors[status], {
    status,
    headers: {
      ...anyOrigin,
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    },
  })
}

/** A file of the transparency log; nobody needs a token, everybody is counted by address. */
async function answerLogFile(
  ports: Ports,
  rates: Pick<CallerRates, 'admitAddress'>,
  request: Request,
  read: (ledger: Reader, url: URL) => Promise<PublicFile | null>,
): Promise<Response> {
  const wait = rates.admitAddress(callerAddress(request, ports), Date.now())
  if (wait > 0) return refuseLogFile(429, wait)
  try {
    const file = await read(ports.ledger, publicAddress(request, ports.config.publicUrl))
    if (!file) return refuseLogFile(404)
    const { contentType, maxAgeSeconds, isImmutable, body } = file
    return releasePublic(body, {
      headers: {
        ...anyOrigin,
        'Content-Type': contentType,
        'Cache-Control': `public, max-age=${maxAgeSeconds}${isImmutable ? ', immutable' : ''}`,
      },
    })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unavailable')
      return refuseLogFile(503, limits.retryAfterSeconds)
    throw error
  }
}

/** A real query at the replica and each local database, a real answer of each log. Names, never addresses. */
async function readiness({ replica, locals, logs, config }: Ports): Promise<readonly Check[]> {
  return await Promise.all([
    hasClock(replica).then((ok) => ({ name: 'records replica', ok, isRequired: true })),
    ...config.regions.map(async ({ log }) => ({
      name: `log ${log}`,
      ...(await soundness(logs, log)),
      isRequired: true,
    })),
    ...[...locals].map(async ([region, { reader }]) => ({
      name: `local ${region}`,
      ok: await hasClock(reader),
      isRequired: false,
    })),
  ])
}

/** It, or its successor, answers, takes appends and can go on. Unanchored it does all but sign. */
async function soundness(logs: AuditLogs, log: string): Promise<Pick<Check, 'ok' | 'standing'>> {
  const name = await logs.current(log)
  const status = name.ok ? await logs.status(name.value) : name
  if (!status.ok) return { ok: false }
  const { standing, fault } = status.value
  if (standing === 'halted') return { ok: false, standing }
  if (fault !== null) return { ok: false }
  return standing === 'unanchored' ? { ok: true, standing } : { ok: true }
}

interface Check {
  readonly name: string
  readonly ok: boolean
  /** What it is, where that is more than well or away. */
  readonly standing?: string
  /** Without it nothing is served; without the others pages are marked incomplete. */
  readonly isRequired: boolean
}

async function hasClock(reader: Reader): Promise<boolean> {
  try {
    const [rows] = await reader.read([{ sql: 'select n from clock' }], limits.readDeadlineMs)
    return rows?.length === 1
  } catch {
    return false
  }
}

function metricsText(): string {
  const lines = [
    '# HELP dossier_unreceipted_answers_total Constant answers without a receipt since this isolate started.',
    '# TYPE dossier_unreceipted_answers_total counter',
  ]
  for (const [kind, count] of unreceiptedCounts)
    lines.push(`dossier_unreceipted_answers_total{kind="${kind}"} ${count}`)
  lines.push(
    '# HELP dossier_alarms_total What must never happen, since this isolate started.',
    '# TYPE dossier_alarms_total counter',
  )
  for (const [kind, count] of alarmCounts) lines.push(`dossier_alarms_total{kind="${kind}"} ${count}`)
  lines.push(...scrubLines())
  return `${lines.join('\n')}\n`
}

/** The schema of the audit database is told as log `*`. */
function scrubLines(): readonly string[] {
  const metric = (name: string, type: string, help: string, of: keyof ScrubStatus): readonly string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...Array.from(
      scrubStatus,
      ([log, status]) => `${name}{log="${log.replaceAll(/["\\\n]/g, '_')}"} ${status[of]}`,
    ),
  ]
  return [
    ...metric(
      'dossier_scrub_findings',
      'gauge',
      'Distinct differences between a log and the audit database, ever.',
      'findings',
    ),
    ...metric('dossier_scrub_rounds_total', 'counter', 'Times a whole log was gone through.', 'rounds'),
    ...metric('dossier_scrub_position', 'gauge', 'Index at which the next round begins.', 'position'),
  ]
}

/** Compares digests, so that the time taken says nothing of the token. */
async function isEqual(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all(
    [a, b].map((text) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  )
  const [x, y] = [new Uint8Array(left as ArrayBuffer), new Uint8Array(right as ArrayBuffer)]
  let difference = 0
  for (let i = 0; i < x.length; i++) difference |= (x[i] as number) ^ (y[i] as number)
  return difference === 0
}
