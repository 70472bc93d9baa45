/**
 * The app of every shell: mounts the operations of all features behind the disclosure gate. The only file that knows
 * them all, and with `disclosure/` the only one that knows the framework.
 */
import { zValidator } from '@hono/zod-validator'
import { type Context, Hono } from 'hono'
import { languageDetector } from 'hono/language'
import * as z from 'zod'
import { callerKinds } from './access/caller.ts'
import { addressHelp } from './disclosure/address-help.ts'
import { cors } from './disclosure/cors.ts'
import { type Described, Exchange } from './disclosure/exchange.ts'
import { amongPaths, gate } from './disclosure/gate.ts'
import { type Fault, parameterIssues } from './disclosure/input-issues.ts'
import { createLoad } from './disclosure/load.ts'
import type { AnyOperation } from './disclosure/operation.ts'
import type { Defer, Ports } from './disclosure/ports.ts'
import { createCallerRates, type RateKind } from './disclosure/rate-limit.ts'
import type { Refusal } from './disclosure/refusal.ts'
import { refuseWithoutReceipt } from './disclosure/release.ts'
import { isFhir } from './disclosure/representation.ts'
import { formParameters } from './fhir/interactions.ts'
import { resourceTypes } from './fhir/types.ts'
import { careOperations } from './governance/care-operations.ts'
import { consentOperations } from './governance/consent-operations.ts'
import { explainOperation } from './governance/explain.ts'
import { endHold, holdEntries } from './governance/holds.ts'
import { logSuccession } from './governance/log-succession.ts'
import { me } from './governance/me.ts'
import { pruneLog } from './governance/pruning.ts'
import { questionOperations } from './governance/question-operations.ts'
import { redact } from './governance/redaction.ts'
import { registryOperations } from './governance/registry.ts'
import { reviewOperations } from './governance/review-operations.ts'
import { publicDocuments } from './public-documents.ts'
import { publicPaths, publicRoutes } from './public-routes.ts'
import { createResource } from './records/create.ts'
import { deleteMatching, deleteResource } from './records/delete.ts'
import { readHistory } from './records/history.ts'
import { patchResource } from './records/patch.ts'
import { publishBundle } from './records/publish.ts'
import { readDocument } from './records/read.ts'
import { searchType, searchTypeByPost } from './records/search.ts'
import { readTypeHistory } from './records/type-history.ts'
import { updateMatching, updateResource } from './records/update.ts'
import { readVersion } from './records/vread.ts'
import { accounting } from './trail/accounting.ts'
import { readAuditEvent } from './trail/audit-event-read.ts'
import { searchAuditEvents } from './trail/audit-event-search.ts'
import { entryProof } from './trail/entry-proof.ts'
import { auditExport } from './trail/export.ts'
import { auditReview } from './trail/review/operation.ts'
import { yearlyReport } from './trail/yearly-report.ts'

/** Every operation there is. `satisfies` would lose the inputs; each checks its own. */
export const operations: readonly AnyOperation[] = [
  auditExport,
  redact,
  pruneLog,
  holdEntries,
  endHold,
  entryProof,
  auditReview,
  ...reviewOperations,
  accounting,
  yearlyReport,
  logSuccession,
  ...registryOperations,
  ...careOperations,
  ...questionOperations,
  explainOperation((wanted) => operations.find(({ name }) => name === wanted)),
  me,
  publishBundle,
  // Before the document operations: the register and the log, not what facilities publish, answer under these types.
  ...consentOperations,
  searchAuditEvents,
  readAuditEvent,
  searchType,
  searchTypeByPost,
  createResource,
  updateMatching,
  deleteMatching,
  readDocument,
  readVersion,
  readHistory,
  readTypeHistory,
  updateResource,
  patchResource,
  deleteResource,
]

type Env = { Variables: { exchange: Exchange; language: string } }

export function createApp(ports: Ports): Hono<Env> {
  const app = new Hono<Env>()
  const read = createLoad(ports)
  const rates = createCallerRates(ports.config.rates)
  app.use('*', gate(publicPaths))
  app.onError((error) => {
    console.error(`unhandled ${error.name}`)
    return refuseWithoutReceipt('internal')
  })
  app.use(
    '*',
    cors(
      ports,
      rates,
      amongPaths(publicPaths),
      (c) => (c.get('exchange') as Exchange | undefined)?.presented ?? null,
    ),
  )
  app.use(
    '*',
    languageDetector({
      supportedLanguages: ['fr', 'en'],
      fallbackLanguage: 'fr',
      order: ['header'],
      caches: false,
    }),
  )
  publicRoutes(app, ports, rates)
  publicDocuments(app, ports, operations)

  const help = addressHelp([...operations.map(({ path }) => path), ...publicPaths])
  const begin =
    (operation: Described, rateOf: RateOf = () => 'general') =>
    async (c: Context<Env>, next: () => Promise<void>) => {
      const exchange = new Exchange(ports, {
        read,
        defer: deferOf(c),
        request: c.req.raw,
        language: c.get('language') === 'en' ? 'en' : 'fr',
        operation,
        rates,
        rate: rateOf(c.req.param()),
        help,
      })
      const refused = await exchange.authenticate()
      if (refused) return refused
      c.set('exchange', exchange)
      return await next()
    }

  const paths = methodsByPath()
  for (const operation of operations) {
    const { method, path, param } = operation
    for (const one of written(path))
      app.on(
        method,
        one,
        begin(operation, (matched) => rateOfPath(operation, matched)),
        zValidator('param', param, refuseInvalid(param)),
        zValidator('query', queryOf(operation), refuseInvalid(operation.query)),
        async (c) => {
          const found = c.req.valid('param')
          const unserved = unservedBy(operation, found, c.req.path)
          if (unserved) return await c.get('exchange').refuse(unserved)
          return await c.get('exchange').run(operation, found, c.req.valid('query'))
        },
      )
    // Right after the last of a path, so that what another path of any type offers is not offered here.
    const known = paths.get(path)
    if (known?.last !== operation) continue
    const { allow } = known
    for (const one of written(path))
      app.all(one, begin(elsewhere), (c) => c.get('exchange').refuse({ reason: 'method-not-allowed', allow }))
  }
  app.all('*', begin(elsewhere), (c) =>
    c.get('exchange').refuse({ reason: 'no-such-path', path: c.req.path }),
  )
  return app
}

/** What an operation is asked, without what is asked about the form of any answer on `/fhir`. */
function queryOf({ path, query }: AnyOperation): AnyOperation['query'] {
  if (!isFhir(path)) return query
  return z.preprocess(
    (all) =>
      Object.fromEntries(Object.entries(all as object).filter(([name]) => !formParameters.includes(name))),
    query,
  )
}

/** The base of FHIR is written with a slash at its end, or without. */
const written = (path: string): string[] => (path === '/fhir' ? [path, `${path}/`] : [path])

/** Any caller may learn that there is nothing here. */
const elsewhere: Described = {
  name: 'elsewhere',
  action: 'operation',
  callers: callerKinds,
  scope: () => null,
}

/** Null: this operation is offered for the type of the address. What the capability statement does not offer is not there. */
function unservedBy(
  { path, serves }: AnyOperation,
  { type }: { readonly type?: unknown },
  asked: string,
): Refusal | null {
  if (typeof type !== 'string' || !resourceTypes.has(type) || serves?.(type) !== false) return null
  const offered = operations.filter((one) => one.path === path && one.serves?.(type) !== false)
  if (offered.length === 0) return { reason: 'no-such-path', path: asked }
  return { reason: 'method-not-allowed', allow: offered.map(({ method }) => method).join(', ') }
}

/** From the parameters of a path as they are matched, not yet validated. */
type RateOf = (path: Readonly<Record<string, string>>) => RateKind

function rateOfPath({ param, rate }: AnyOperation, path: Readonly<Record<string, string>>): RateKind {
  const parsed = param.safeParse(path)
  return parsed.success ? (rate?.(parsed.data) ?? 'general') : 'general'
}

/** What a path offers, and the last operation that it is mounted for. */
function methodsByPath(): ReadonlyMap<string, { readonly allow: string; readonly last: AnyOperation }> {
  const known = new Map<string, { readonly allow: string; readonly last: AnyOperation }>()
  for (const last of operations) {
    const before = known.get(last.path)
    known.set(last.path, { allow: before ? `${before.allow}, ${last.method}` : last.method, last })
  }
  return known
}

interface Checked {
  readonly success: boolean
  readonly error?: { readonly issues: readonly Fault[] }
}

/** Input that does not fit an operation is refused inside the gate: audited, receipted, and only to callers with rights. */
const refuseInvalid =
  (schema: AnyOperation['query']) =>
  async (result: Checked, c: Context): Promise<Response | undefined> => {
    if (result.success) return undefined
    const issues = parameterIssues(schema, result.error?.issues ?? [])
    return await (c.get('exchange') as Exchange).refuse({ reason: 'invalid', issues })
  }

/** Work after the response, where the runtime wants to know of it (Workers); elsewhere the process simply goes on. */
function deferOf(c: Context<Env>): Defer {
  try {
    const context = c.executionCtx
    return (work) => context.waitUntil(work)
  } catch {
    return (work) => {
      work.catch(() => undefined)
    }
  }
}
