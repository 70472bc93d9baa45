/** `GET /fhir/{Type}/{id}/_history/{version}`: one version, the current one or an earlier. */
import * as z from 'zod'
import { grantsFor } from '../access/scope.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { err, ok, type Result } from '../result.ts'
import { answerDeleted, answerWith } from './document-answer.ts'
import { filtersFor, stateOf, stateStatements, subjectOf } from './document-state.ts'
import { judgeVersions, reasonOf } from './versions.ts'
import { versionStatement } from './versions-sql.ts'

const param = z.object({ type: z.string(), id: z.string(), version: z.string() })
const query = z.strictObject({})

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const readVersion: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'vread',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/:id{[A-Za-z0-9.-]{1,64}}/_history/:version{[A-Za-z0-9.-]{1,64}}',
  action: 'vread',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 'r' }),
  param,
  query,
  conditions: ['If-None-Match', 'If-Modified-Since'],
  handle: vread,
}

async function vread(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type, id } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  // An id of another form is looked for all the same: no document has version 0.
  const version = /^[1-9]\d{0,14}$/.test(ctx.param.version) ? Number(ctx.param.version) : 0
  const loaded = await ctx.load((asker) => {
    const { records, local } = stateStatements(ctx.param, filtersFor(ctx, asker, type))
    const earlier = filtersFor(ctx, asker, type, 'columns')
    return {
      subject: subjectOf(ctx.param),
      records: [...records, versionStatement(ctx.param, version, earlier.records)],
      local: [...local, versionStatement(ctx.param, version, earlier.local)],
    }
  })
  if (!loaded.ok) return loaded
  const { caller, records, local, isLocalMissing } = loaded.value
  const grants = grantsFor(ctx.scopes, caller.kind, { type, interaction: 'r' })
  const situation = { ...loaded.value, grants }
  const state = stateOf(loaded.value, situation, ctx.param)
  if (state.kind === 'hidden') return err(state.refusal)
  if (state.row.version === version)
    return ok((state.kind === 'deleted' ? answerDeleted : answerWith)(ctx, state.row, state.judged))
  const judged = judgeVersions(loaded.value, situation, state, { records: records[2], local: local[2] })
  const [row] = judged.rows
  if (row) {
    const reason = reasonOf(loaded.value, situation, state, [row])
    return ok((row.isDeletion ? answerDeleted : answerWith)(ctx, row, { ...judged, ...reason }))
  }
  if (isLocalMissing) return err({ reason: 'store-unavailable', detail: 'local' })
  return err({
    reason: 'not-found',
    what: `version ${ctx.param.version} of ${type}/${id}`,
    ...(state.row.person === '' ? {} : { patient: state.row.person }),
  })
}
