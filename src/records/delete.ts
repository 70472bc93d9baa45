/**
 * `DELETE /fhir/{Type}/{id}` and `DELETE /fhir/{Type}?…`: the facility's own document goes, its versions stay. What is not
 * there, or is another facility's, is answered as what is gone already.
 */
import type * as z from 'zod'
import type { Disclosure, Operation } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { DeleteEntry } from '../fhir/bundle.ts'
import { ok, type Result } from '../result.ts'
import {
  beginWrite,
  conditionQuery,
  instanceParam,
  instancePath,
  isWrittenAlone,
  noQuery,
  readAddressed,
  readIfMatch,
  typeParam,
  typePath,
  writeOne,
} from './single-write.ts'
import type { WriteContext } from './write-bundle.ts'

const shared = {
  method: 'DELETE',
  action: 'delete',
  callers: ['facility-system'],
  conditions: ['If-Match'],
  serves: isWrittenAlone,
} as const

export const deleteResource: Operation<z.infer<typeof instanceParam>, z.infer<typeof noQuery>> = {
  ...shared,
  name: 'delete',
  path: instancePath,
  scope: ({ type }) => ({ type, interaction: 'd' }),
  param: instanceParam,
  query: noQuery,
  handle: (ctx) => remove(ctx, ctx.param.type, () => ok({ id: ctx.param.id })),
}

export const deleteMatching: Operation<z.infer<typeof typeParam>, z.infer<typeof conditionQuery>> = {
  ...shared,
  name: 'delete-conditional',
  path: typePath,
  scope: ({ type }) => ({ type, interaction: 'd' }),
  param: typeParam,
  query: conditionQuery,
  handle: (ctx) => remove(ctx, ctx.param.type, () => readAddressed(ctx)),
}

async function remove(
  ctx: WriteContext,
  type: string,
  named: () => Result<DeleteEntry['deletes']['by'], Refusal>,
): Promise<Result<Disclosure, Refusal>> {
  const publishing = await beginWrite(ctx, type)
  if (!publishing.ok) return publishing
  const [by, ifMatch] = [named(), readIfMatch(ctx)]
  if (!by.ok) return by
  if (!ifMatch.ok) return ifMatch
  const entry = { index: 0, deletes: { type, by: by.value }, ...ifMatch.value }
  return await writeOne(publishing.value, type, entry)
}
