/** `GET /fhir/{Type}/{id}`: the current version. Unknown and not permitted are the same 404. */
import { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import { type DecidedDocument, decideRow, noCodings, type Situation } from '../access/policy.ts'
import { grantsFor, scopeFilter } from '../access/scope.ts'
import { type Viewer, visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows, SqlValue } from '../store/ports.ts'
import { disclosedOf, judge, merge, pageRow, rowColumns } from './page.ts'

const param = z.object({ type: z.string(), id: z.string() })
const query = z.strictObject({})

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const readDocument: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'read',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/:id{[A-Za-z0-9.-]{1,64}}',
  action: 'read',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 'r' }),
  param,
  query,
  handle: read,
}

async function read(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type, id } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  const loaded = await ctx.load((asker) => ({
    local: [byId(ctx, asker, visibleLocal('d'), visibleLocalArgs(asker.facility))],
    subject: (local) => ({ by: 'document', type, id, sourceRecord: sourceRecordIn(local) }),
    records: [byId(ctx, asker, visible('d', asker), visibleArgs(asker))],
  }))
  if (!loaded.ok) return loaded
  const { records, local, caller, isLocalMissing, subjects, settings, document } = loaded.value
  const situation = {
    subjects,
    settings,
    grants: grantsFor(ctx.scopes, caller.kind, { type, interaction: 'r' }),
  }
  const found = [
    ...records.map((rows) => rows.map((row) => pageRow(row, true))),
    ...local.map((rows) => rows.map((row) => pageRow(row, false))),
  ]
  const judged = judge(caller, situation, merge(found, 1).rows)
  const [row] = judged.rows
  if (!row) {
    const [hidden] = local.flat().map((one) => pageRow(one, false))
    const why = whyHidden(caller, situation, document, hidden ?? null)
    // It may be where nobody could look: the same answer for what is withheld, which must not be told from what is unknown.
    if (isLocalMissing)
      return err({ reason: 'store-unavailable', detail: why.cause ? `local; ${why.cause}` : 'local' })
    return err({ reason: 'not-found', what: `${type}/${id}`, ...why })
  }
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    headers: { ETag: `W/"${row.version}"`, 'Last-Modified': new Date(row.published).toUTCString() },
    body: row.body,
    disclosed: disclosedOf([row]),
    reason: judged.reason,
    breakGlassReason: judged.breakGlassReason,
    mismatches: judged.mismatches,
    ...(judged.basis === null ? {} : { note: { basis: judged.basis } }),
  })
}

function byId({ param: { type, id }, scopes }: Context, viewer: Viewer, filter: string, filterArgs: Args) {
  const args: Record<string, SqlValue> = { ...filterArgs, type, id }
  const grants = grantsFor(scopes, viewer.sight?.kind ?? 'provider', { type, interaction: 'r' })
  const narrowed = scopeFilter(grants, 'd', args)
  if (narrowed.includes(':scope_context')) args.scope_context = viewer.presented.patient
  return {
    sql: `select ${rowColumns('d')}, body from document as d where d.type = :type and d.id = :id and ${filter} and ${narrowed}`,
    args,
  }
}

type Args = Readonly<Record<string, SqlValue>>

const sourceRecordIn = (local: readonly Rows[]): string => String(local[0]?.[0]?.source_record ?? '')

/** What the audit log is told of a document that is there and was withheld; the wire says the same as of one that is not. */
function whyHidden(
  caller: Caller,
  situation: Situation,
  shared: DecidedDocument | null,
  local: (DecidedDocument & { readonly shared: boolean }) | null,
): Pick<Extract<Refusal, { reason: 'not-found' }>, 'cause' | 'patient'> {
  const row = local ?? (shared && { ...shared, shared: true })
  if (!row) return {}
  const decision = decideRow(caller, situation, { ...row, codings: noCodings })
  const [subject] = situation.subjects
  return {
    ...(decision.outcome === 'deny' ? { cause: decision.reason } : {}),
    ...(subject ? { patient: subject.person } : {}),
  }
}
