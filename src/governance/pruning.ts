/**
 * `POST /audit/pruning/{log}`: what entries older than the retention policy say goes for good. As for a redaction the
 * pruning entry is durable before any body goes; whoever asks again, or the schedule, finishes what was begun.
 */
import { z } from 'zod'
import { forbidden } from '../access/refusal.ts'
import { type PruneOrder, prunablePart, prunableStatement, pruningNote } from '../audit/pruning.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { isOfLine } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import { answer } from './answer.ts'
import { jsonBody, readChange } from './body.ts'
import { logName, noInput, reasonField } from './fields.ts'
import { readHolds } from './holds.ts'
import { retainedFrom, retentionStatement } from './prune-due.ts'
import { invalid } from './refusals.ts'

const param = z.strictObject({ log: logName })

const body = z.strictObject({
  reason: reasonField,
  /** The legal basis. */
  basis: reasonField,
  /** Only what is older than this; default: all that the policy lets go. */
  before: z.iso.datetime({ offset: true }).optional(),
})

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof noInput>>

export const pruneLog: Operation<z.infer<typeof param>, z.infer<typeof noInput>> = {
  name: 'prune',
  method: 'POST',
  path: '/audit/pruning/:log',
  action: 'redaction',
  callers: ['privacy-officer'],
  scope: () => ({ type: 'AuditEvent', interaction: 'd' }),
  log: ({ log }) => log,
  param,
  query: noInput,
  bodyTypes: jsonBody,
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({
    records: [retentionStatement],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  if (caller.organisation !== null) return forbidden('not-own-organisation')
  const fields = await readChange(ctx, body)
  if (!fields.ok) return fields
  const { before: asked, reason, basis } = fields.value
  const days = Number(records[0]?.[0]?.value ?? limits.maxAuditRetentionDays)
  const latest = retainedFrom(ctx.now, days)
  const beforeMs = asked === undefined ? latest : Date.parse(asked)
  if (beforeMs > latest)
    return invalid(
      'before',
      `before : la politique de conservation garde ${days} jours.`,
      `before: the retention policy keeps ${days} days.`,
    )
  return await pruneBefore(ctx, new Date(beforeMs).toISOString(), { reason, basis })
}

async function pruneBefore(
  ctx: Context,
  before: string,
  why: Readonly<Record<string, string>>,
): Promise<Result<Disclosure, Refusal>> {
  const { log } = ctx.param
  // A log is asked only where the ledger knows it: a name that nobody has would begin one.
  const isServed = ctx.logs.some((served) => isOfLine(served, log))
  if (!isServed || !(await readPart(ctx, before)).isLogKnown)
    return err({ reason: 'not-found', what: `log ${log}` })
  // Also a pruning entry whose receipt was lost on its way is in the ledger now.
  const drained = await ctx.drainedLog(log)
  if (!drained.ok) return drained
  const { to, ordered } = await readPart(ctx, before)
  if (to <= (ordered?.to ?? 0))
    return ok(answer(200, { changed: false, log, to: String(ordered?.to ?? 0) }, [], 'privacy-officer'))
  const order: PruneOrder = { log, to, before }
  const intended = await ctx.intend({ ...pruningNote(order), ...why }, `prune/${log}/${to}`)
  if (!intended.ok) return intended
  const held = await drainedLine(ctx)
  if (!held.ok) return held
  const state = await ctx.redactions.prune(order, await readHolds(intended.value.records))
  if (state !== 'done')
    return err({ reason: 'store-unavailable', detail: `the pruning of ${log} goes on by itself` })
  const told = { log, to: String(to), before }
  return ok({
    ...answer(200, { changed: true, ...told }, [], 'privacy-officer'),
    note: { pruned: log, to: told.to, before },
  })
}

/** A retired log takes no entry: the pruning entry is in its successor, or in that one's. */
async function drainedLine(ctx: Context): Promise<Result<null, Refusal>> {
  for (let log: string | null = ctx.param.log; log !== null; ) {
    const drained = await ctx.drainedLog(log)
    if (!drained.ok) return drained
    const status: Awaited<ReturnType<Context['auditLogs']['status']>> = await ctx.auditLogs.status(log)
    if (!status.ok) return status
    log = status.value.successor
  }
  return ok(null)
}

const readPart = async ({ ledger, param: { log } }: Context, before: string) => {
  const [rows] = await ledger.read([prunableStatement(log, before)])
  return prunablePart(log, rows?.[0])
}
