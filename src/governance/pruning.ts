/**
 * `POST /audit/pruning/{log}`: what entries older than the retention policy say goes for good. As for a redaction the
 * pruning entry is durable before any body goes; the schedule finishes what was begun, and so does whoever asks again.
 */
import * as z from 'zod'
import {
  type Held,
  type PruneOrder,
  prunableBodyStatement,
  prunablePart,
  prunableStatement,
  pruningNote,
} from '../audit/pruning.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { isOfLine } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import { answer } from './answer.ts'
import { jsonBody, readChange } from './body.ts'
import { grounds, logName, noInput } from './fields.ts'
import { heldIdsStatements, heldOf, holdsStatement, readHolds } from './holds.ts'
import { officerOfRecord } from './keeper.ts'
import { retainedFrom, retentionDays, retentionStatement } from './prune-due.ts'
import { invalid } from './refusals.ts'

const param = z.strictObject({ log: logName })

const body = grounds.extend({
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
  followsLog: true,
  param,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [body],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({ records: [retentionStatement] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const officer = officerOfRecord(caller)
  if (!officer.ok) return officer
  const fields = await readChange(ctx, body)
  if (!fields.ok) return fields
  const { before: asked, reason, basis } = fields.value
  const days = retentionDays(records[0]?.[0]?.value)
  const latest = retainedFrom(ctx.now, days)
  // Times are compared as text, which holds only for years of four digits.
  const beforeMs = asked === undefined ? latest : Math.max(Date.parse(asked), 0)
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
  const drained = await drainedLine(ctx)
  if (!drained.ok) return drained
  const { to, ordered } = await readPart(ctx, before)
  const order: PruneOrder = { log, to, before }
  const known = await holdsKnown(ctx)
  if (!known.ok) return known
  const [rest = []] = await ctx.ledger.read(
    [prunableBodyStatement(order, known.value)],
    limits.exportPageDeadlineMs,
  )
  if (rest.length === 0)
    return ok(answer(200, { changed: false, log, to: String(to) }, [], 'privacy-officer'))
  // Of what an entry reaches already there may be as many as are asked for: it was broken off, or a hold has ended.
  const once = to > (ordered?.to ?? 0) ? `prune/${log}/${to}` : undefined
  const intended = await ctx.intend({ ...pruningNote(order), ...why }, once)
  if (!intended.ok) return intended
  const held = await drainedLine(ctx)
  if (!held.ok) return held
  const { records } = intended.value
  if ((await ctx.redactions.prune(order, () => readHolds(records))) !== 'done') return err(goesOn(log))
  const told = { log, to: String(to), before }
  return ok({
    ...answer(200, { changed: true, ...told }, [], 'privacy-officer'),
    note: { pruned: log, to: told.to, before },
  })
}

/** As a replica has them, so as to tell whether there is anything to decide; what goes in the end the primary says. */
async function holdsKnown(ctx: Context): Promise<Result<Held, Refusal>> {
  const listed = await ctx.load(() => ({ records: [holdsStatement] }))
  if (!listed.ok) return listed
  const holds = listed.value.records[0] ?? []
  const ids = await ctx.load(() => ({ records: heldIdsStatements(holds) }))
  return ids.ok ? ok(heldOf(holds, ids.value.records)) : ids
}

/** Decided, and not all of it done. */
const goesOn = (log: string): Refusal => ({
  reason: 'store-unavailable',
  detail: `the pruning of ${log} goes on by itself`,
  issues: [
    {
      code: 'transient',
      text: {
        fr: 'C’est décidé et inscrit au journal; tout n’est pas encore effacé, et la suite se fait d’elle-même.',
        en: 'It is decided and in the log; not all is gone yet, and the rest goes on by itself.',
      },
    },
  ],
})

/**
 * A retired log takes no entry: the pruning entry is in its successor, or in that one's. Only the last is waited for: one that
 * was closed because its storage was lost never drains.
 */
async function drainedLine(ctx: Context): Promise<Result<null, Refusal>> {
  const current = await ctx.auditLogs.current(ctx.param.log)
  return current.ok ? await ctx.drainedLog(current.value) : current
}

const readPart = async ({ ledger, param: { log } }: Context, before: string) => {
  const [rows] = await ledger.read([prunableStatement(log, before)])
  return prunablePart(log, rows?.[0])
}
