/** `/access/role-requests`: what one person asked for and another confirms or rejects (four eyes). */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { jsonBody, readChange } from './body.ts'
import { after, noInput, registryId } from './fields.ts'
import { listShape } from './operation-shape.ts'
import { conflict } from './refusals.ts'
import { applyChange, changed, isEnded, listed, pageOf } from './registry-change.ts'
import { isRegistrar, mayDecide } from './role-rules.ts'
import { type Decision, decideRequest, decisionOutcome, type RoleRequest } from './role-sql.ts'
import { ungrantable } from './roles.ts'

const listQuery = z.strictObject({ facility: registryId.optional(), after })
const param = z.object({ id: z.uuid() })
const body = z.strictObject({ decision: z.enum(['approved', 'rejected']) })
type Deciding = OperationContext<z.infer<typeof param>, object>

/** Open ones. */
export const listRoleRequests: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-role-requests',
  path: '/access/role-requests',
  callers: ['operator', 'access-manager'],
  query: listQuery,
  handle: list,
}

export const decideRoleRequest: Operation<z.infer<typeof param>, object> = {
  name: 'decide-role-request',
  method: 'POST',
  path: '/access/role-requests/:id',
  action: 'policy',
  callers: ['operator', 'access-manager'],
  scope: () => ({ type: '*', interaction: 'u' }),
  param,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [body],
  handle: decide,
}

async function list(
  ctx: OperationContext<object, z.infer<typeof listQuery>>,
): Promise<Result<Disclosure, Refusal>> {
  let facility = ''
  const loaded = await ctx.load((asker) => {
    facility = ctx.query.facility ?? asker.facility ?? ''
    return {
      records: [
        {
          sql: `
            select * from role_request
            where valid_to is null and row > :after and (:facility = '' or facility = :facility)
            order by row limit :limit`,
          args: { after: ctx.query.after, facility, limit: limits.registryPageRows + 1 },
        },
      ],
    }
  })
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind === 'access-manager' && facility !== caller.facility.id)
    return forbidden('not-own-organisation')
  const { items, next } = pageOf(records[0] ?? [], limits.registryPageRows, (row) =>
    shownRequest(requestOf(row)),
  )
  return ok(listed(caller, { requests: items, next }))
}

const requestOf = (row: Row): RoleRequest => ({
  id: String(row.id),
  action: row.action === 'end' ? 'end' : 'grant',
  professional: String(row.professional),
  role: String(row.role),
  facility: String(row.facility),
  organisation: String(row.organisation),
  requestedBy: String(row.requested_by),
  requestedAt: String(row.requested_at),
})

const shownRequest = (request: RoleRequest) => ({
  ...request,
  facility: request.facility || null,
  organisation: request.organisation || null,
})

async function decide(ctx: Deciding): Promise<Result<Disclosure, Refusal>> {
  // What was asked never changes: the nearest replica may say it, whoever decided meanwhile.
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: 'select * from role_request where id = :id order by row desc limit 1',
        args: { id: ctx.param.id },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isRegistrar(caller)) return forbidden('operation-not-for-caller')
  const row = records[0]?.[0]
  if (!row) return err({ reason: 'not-found', what: `role request ${ctx.param.id}` })
  const request = requestOf(row)
  const may = mayDecide(caller, request)
  if (!may.ok) return may
  const read = await readChange(ctx, body)
  if (!read.ok) return read

  const decision: Decision = {
    request,
    decision: read.value.decision,
    by: caller.professional,
    at: new Date(ctx.now).toISOString(),
  }
  const note = noteOf(decision)
  const applied = await applyChange(ctx, {
    note,
    statements: decideRequest(decision),
    outcome: decisionOutcome(request),
  })
  if (!applied.ok) return applied
  const refused = refusalOf(decision, applied.value.row)
  if (refused) return refused
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isEnded(applied.value),
      note,
      body: {
        request: {
          ...shownRequest(request),
          decision: applied.value.row.decision,
          decidedBy: applied.value.row.decided_by,
          decidedAt: applied.value.row.decided_at,
        },
      },
    }),
  )
}

const noteOf = ({ request, decision }: Decision) => ({
  change: 'role-decided',
  request: request.id,
  decision,
  action: request.action,
  professional: request.professional,
  role: request.role,
  requestedBy: request.requestedBy,
  ...(request.facility === '' ? {} : { facility: request.facility }),
  ...(request.organisation === '' ? {} : { organisation: request.organisation }),
})

/** Null: it is decided so, by this caller. */
function refusalOf({ decision, by }: Decision, row: Row): Result<never, Refusal> | null {
  if (row.valid_to === null) {
    // Still open: an approval that rests on nothing any more.
    const missing = ungrantable(row)
    return missing
      ? conflict(
          'decision',
          'Ce qui a été demandé ne peut plus être accordé : rejetez la demande.',
          'What was asked for can no longer be granted: reject the request.',
        )
      : null
  }
  if (row.decision === decision && row.decided_by === by) return null
  return conflict('decision', `Déjà décidé par ${row.decided_by}.`, `Already decided by ${row.decided_by}.`)
}
