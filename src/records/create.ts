/** `POST /fhir/{Type}`, with `If-None-Exist` or without: a facility's system publishes one resource. */
import type * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { parseCondition } from '../fhir/condition.ts'
import { err, ok, type Result } from '../result.ts'
import {
  answered,
  formatQuery,
  isWrittenAlone,
  readSent,
  refusedType,
  resourceBodies,
  typeParam,
  typePath,
} from './single-write.ts'
import { beginPublishing, writeBundle } from './write-bundle.ts'

type Context = OperationContext<z.infer<typeof typeParam>, z.infer<typeof formatQuery>>

export const createResource: Operation<z.infer<typeof typeParam>, z.infer<typeof formatQuery>> = {
  name: 'create',
  method: 'POST',
  path: typePath,
  action: 'create',
  callers: ['facility-system'],
  scope: ({ type }) => ({ type, interaction: 'c' }),
  param: typeParam,
  query: formatQuery,
  bodyTypes: resourceBodies,
  conditions: ['If-None-Exist'],
  serves: isWrittenAlone,
  handle: create,
}

async function create(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  const refused = refusedType(type, ctx)
  if (refused) return err(refused)
  const publishing = await beginPublishing(ctx)
  if (!publishing.ok) return publishing
  const resource = await readSent(ctx, type, null)
  if (!resource.ok) return resource
  const condition =
    ctx.ifNoneExist === null ? null : parseCondition(ctx.ifNoneExist.replace(/^\?/, ''), 'If-None-Exist')
  if (condition && !condition.ok) return err({ reason: 'invalid', issues: condition.error })
  const entry = {
    index: 0,
    fullUrl: null,
    resource: resource.value,
    putId: null,
    ...(condition ? { ifNoneExist: condition.value } : {}),
  }
  const sent = { kind: 'transaction', entries: [ok(entry)] } as const
  return answered(ctx, type, await writeBundle(publishing.value, sent, {}))
}
