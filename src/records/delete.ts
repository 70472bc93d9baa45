/**
 * `DELETE /fhir/{Type}/{id}` and `DELETE /fhir/{Type}?…`: the facility's own document goes, its versions stay. What is not
 * there, or is another facility's, is answered as what is gone already.
 */
import type * as z from 'zod'
import type { Disclosure, Operation } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { DeleteEntry } from '../fhir/bundle.ts'
import { err, ok, type Result } from '../result.ts'
import {
  answered,
  conditionQuery,
  formatQuery,
  instanceParam,
  instancePath,
  isWrittenAlone,
  readAddressed,
  readIfMatch,
  refusedType,
  typeParam,
  typePath,
} from './single-write.ts'
import { beginPublishing, type WriteContext, writeBundle } from './write-bundle.ts'

const shared = {
  method: 'DELETE',
  action: 'delete',
  callers: ['facility-system'],
  conditions: ['If-Match'],
  serves: isWrittenAlone,
} as const

export const deleteResource: Operation<z.infer<typeof instanceParam>, z.infer<typeof formatQuery>> = {
  ...shared,
  name: 'delete',
  path: instancePath,
  scope: ({ type }) => ({ type, interaction: 'd' }),
  param: instanceParam,
  query: formatQuery,
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
  const refused = refusedType(type, ctx)
  if (refused) return err(refused)
  const publishing = await beginPublishing(ctx)
  if (!publishing.ok) return publishing
  const [by, ifMatch] = [named(), readIfMatch(ctx)]
  if (!by.ok) return by
  if (!ifMatch.ok) return ifMatch
  const entry = { index: 0, deletes: { type, by: by.value }, ...ifMatch.value }
  const sent = { kind: 'transaction', entries: [ok(entry)] } as const
  return answered(ctx, type, await writeBundle(publishing.value, sent, {}))
}
