/** `GET /fhir/{Type}/{id}`: the current version. Unknown and not permitted are the same 404. */
import * as z from 'zod'
import { grantsFor } from '../access/scope.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { err, ok, type Result } from '../result.ts'
import { answerDeleted, answerWith } from './document-answer.ts'
import { filtersFor, stateOf, stateStatements, subjectOf } from './document-state.ts'

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
  conditions: ['If-None-Match', 'If-Modified-Since'],
  handle: read,
}

async function read(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  const loaded = await ctx.load((asker) => ({
    subject: subjectOf(ctx.param),
    ...stateStatements(ctx.param, filtersFor(ctx, asker, type)),
  }))
  if (!loaded.ok) return loaded
  const { caller } = loaded.value
  const grants = grantsFor(ctx.scopes, caller.kind, { type, interaction: 'r' })
  const state = stateOf(loaded.value, { ...loaded.value, grants }, ctx.param)
  if (state.kind === 'hidden') return err(state.refusal)
  return ok((state.kind === 'deleted' ? answerDeleted : answerWith)(ctx, state.row, state.judged))
}
