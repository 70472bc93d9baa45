/** `GET /fhir/{Type}/{id}`: the current version. Unknown and not permitted are the same 404. */
import { z } from 'zod'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { resourceTypes } from '../fhir/types.ts'
import { err, ok, type Result } from '../result.ts'
import { disclosedOf, judge, merge, pageColumns, pageRow } from './page.ts'

const param = z.object({ type: z.string(), id: z.string() })
const query = z.strictObject({
  _format: z.enum(['json', 'application/json', 'application/fhir+json']).optional(),
})

export const readDocument: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'read',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/:id{[A-Za-z0-9.-]{1,64}}',
  action: 'read',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 'r' }),
  param,
  query,
  handle: read,
}

async function read(
  ctx: OperationContext<z.infer<typeof param>, z.infer<typeof query>>,
): Promise<Result<Disclosure, Refusal>> {
  const { type, id } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  const byId = (filter: string) =>
    `select ${pageColumns} from document as d where d.type = :type and d.id = :id and ${filter}`
  const loaded = await ctx.load(({ presented, facility }) => ({
    records: [{ sql: byId(visible('d')), args: { ...visibleArgs(presented), type, id } }],
    local: [{ sql: byId(visibleLocal('d')), args: { ...visibleLocalArgs(facility), type, id } }],
  }))
  if (!loaded.ok) return loaded
  const { records, local, caller, isLocalMissing } = loaded.value
  const found = [
    ...records.map((rows) => rows.map((row) => pageRow(row, true))),
    ...local.map((rows) => rows.map((row) => pageRow(row, false))),
  ]
  const judged = judge(caller, merge(found, 1).rows)
  const [row] = judged.rows
  // It may be where nobody could look: that is not the same as not being there.
  if (!row && isLocalMissing) return err({ reason: 'store-unavailable', detail: 'local' })
  if (!row) return err({ reason: 'not-found', what: `${type}/${id}` })
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    headers: { ETag: `W/"${row.version}"`, 'Last-Modified': new Date(row.published).toUTCString() },
    body: row.body,
    disclosed: disclosedOf([row]),
    reason: judged.reason,
    mismatches: judged.mismatches,
  })
}
