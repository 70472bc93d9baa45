/** `POST /fhir/{Type}`, with `If-None-Exist` or without: a facility's system publishes one resource. */
import type * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { parseCondition } from '../fhir/condition.ts'
import { err, type Result } from '../result.ts'
import {
  beginWrite,
  isWrittenAlone,
  noQuery,
  readSent,
  resourceBodies,
  typeParam,
  typePath,
  writeOne,
} from './single-write.ts'

type Context = OperationContext<z.infer<typeof typeParam>, z.infer<typeof noQuery>>

export const createResource: Operation<z.infer<typeof typeParam>, z.infer<typeof noQuery>> = {
  name: 'create',
  method: 'POST',
  path: typePath,
  action: 'create',
  callers: ['facility-system'],
  scope: ({ type }) => ({ type, interaction: 'c' }),
  param: typeParam,
  query: noQuery,
  bodyTypes: resourceBodies,
  conditions: ['If-None-Exist'],
  serves: isWrittenAlone,
  handle: create,
}

async function create(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  const publishing = await beginWrite(ctx, type)
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
  return await writeOne(publishing.value, type, entry)
}
