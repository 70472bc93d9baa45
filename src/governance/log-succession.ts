/** `POST /audit/succession/{log}`: an operator ends a log and begins its successor, saying why. */
import * as z from 'zod'
import { checkpointsStatement, publishedCheckpoint } from '../audit/public-store.ts'
import { succeedLog } from '../audit/succession.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { isOfLine, successorOf } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import { answer } from './answer.ts'
import { readFields } from './body.ts'
import { logName, type noInput, reasonField } from './fields.ts'
import { changeShape } from './operation-shape.ts'

const param = z.object({ log: logName })
const fields = z.strictObject({ reason: reasonField })

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof noInput>>

export const logSuccession: Operation<z.infer<typeof param>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'log-succession',
  path: '/audit/succession/:log',
  action: 'succession',
  callers: ['operator'],
  param,
  bodies: [fields],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const asked = await readFields(ctx, fields)
  if (!asked.ok) return asked
  const { log } = ctx.param
  const notFound = err({ reason: 'not-found', what: `log ${log}` } as const)
  const line = ctx.logs.find((served) => isOfLine(served, log))
  if (line === undefined) return notFound
  const order = {
    log,
    successor: successorOf(line, log),
    base: ctx.describe({ reason: asked.value.reason }),
    newestCheckpoints: async () => {
      const [rows = []] = await ctx.ledger.read([checkpointsStatement(log, limits.maxCheckpointsTried)])
      return rows.map(publishedCheckpoint)
    },
  }
  try {
    const done = await succeedLog(ctx.auditLogs.succession, order)
    if (!done.ok) return done.error.reason === 'not-begun' ? notFound : err(done.error)
    const { successor, salvaged } = done.value
    return ok({
      ...answer(200, { log, successor, salvaged }, [], 'operator'),
      note: { log, successor, salvaged: String(salvaged), reason: asked.value.reason },
    })
  } catch (error) {
    // Part of it may be done: ordered again it goes on from there.
    return err({
      reason: 'store-unavailable',
      detail: error instanceof Error ? error.message : String(error),
    })
  }
}
