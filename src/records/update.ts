/**
 * `PUT /fhir/{Type}/{id}`, an update that creates what is not there, and `PUT /fhir/{Type}?…`, of what meets a condition. Of
 * the facility's own documents only.
 */
import type * as z from 'zod'
import type { Disclosure, Operation } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { Condition } from '../fhir/condition.ts'
import type { Result } from '../result.ts'
import {
  beginWrite,
  conditionQuery,
  instanceParam,
  instancePath,
  isWrittenAlone,
  noQuery,
  readAddressed,
  readIfMatch,
  readSent,
  resourceBodies,
  typeParam,
  typePath,
  writeOne,
} from './single-write.ts'
import type { WriteContext } from './write-bundle.ts'

const shared = {
  method: 'PUT',
  action: 'update',
  callers: ['facility-system'],
  bodyTypes: resourceBodies,
  conditions: ['If-Match'],
  serves: isWrittenAlone,
} as const

export const updateResource: Operation<z.infer<typeof instanceParam>, z.infer<typeof noQuery>> = {
  ...shared,
  name: 'update',
  path: instancePath,
  scope: ({ type }) => ({ type, interaction: 'u' }),
  param: instanceParam,
  query: noQuery,
  handle: (ctx) => update(ctx, ctx.param.type, ctx.param.id),
}

export const updateMatching: Operation<z.infer<typeof typeParam>, z.infer<typeof conditionQuery>> = {
  ...shared,
  name: 'update-conditional',
  path: typePath,
  scope: ({ type }) => ({ type, interaction: 'u' }),
  param: typeParam,
  query: conditionQuery,
  handle: (ctx) => update(ctx, ctx.param.type, null),
}

/** @param putId null: the address has a condition instead */
async function update(
  ctx: WriteContext,
  type: string,
  putId: string | null,
): Promise<Result<Disclosure, Refusal>> {
  const publishing = await beginWrite(ctx, type)
  if (!publishing.ok) return publishing
  const ifMatch = readIfMatch(ctx)
  if (!ifMatch.ok) return ifMatch
  let condition: { readonly updates?: Condition } = {}
  if (putId === null) {
    const addressed = readAddressed(ctx)
    if (!addressed.ok) return addressed
    condition = { updates: addressed.value }
  }
  const resource = await readSent(ctx, type, putId)
  if (!resource.ok) return resource
  const entry = { index: 0, fullUrl: null, resource: resource.value, putId, ...condition, ...ifMatch.value }
  return await writeOne(publishing.value, type, entry)
}
