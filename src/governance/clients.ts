/** `/access/clients`: the software that may carry tokens, and that which speaks for a facility. Operators only. */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import { boolean } from '../store/rows.ts'
import { after, browserOrigin, identifier, name, registryId } from './fields.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { conflict, unknown } from './refusals.ts'
import {
  applyChange,
  changed,
  endRegistered,
  isBegun,
  listed,
  pageOf,
  readAsked,
  replaceRow,
} from './registry-change.ts'

const named = z.strictObject({ issuer: identifier, clientId: identifier })
const body = z.strictObject({
  issuer: identifier,
  clientId: identifier,
  name,
  /** Set: it speaks for that facility. Absent: it carries the tokens of professionals. */
  facility: registryId.nullable().default(null),
  /** Of its pages, where it runs in a browser: only they may read answers there (CORS). */
  origins: z.array(browserOrigin).max(limits.maxClientOrigins).default([]),
})
const listQuery = z.strictObject({ after })
type Changing = OperationContext<object, object>

export const listClients: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-clients',
  path: '/access/clients',
  callers: ['operator'],
  query: listQuery,
  handle: list,
}

export const registerClient: Operation<object, object> = {
  ...changeShape,
  name: 'register-client',
  path: '/access/clients',
  callers: ['operator'],
  bodies: [body],
  handle: register,
}

export const endClient: Operation<object, object> = {
  ...registerClient,
  name: 'end-client',
  path: '/access/clients/end',
  bodies: [named],
  handle: end,
}

async function list(
  ctx: OperationContext<object, z.infer<typeof listQuery>>,
): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select row, issuer, client_id, name, facility, origins from client
          where valid_to is null and row > :after order by row limit :limit`,
        args: { after: ctx.query.after, limit: limits.registryPageRows + 1 },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { items, next } = pageOf(loaded.value.records[0] ?? [], limits.registryPageRows, (row) => ({
    issuer: row.issuer,
    clientId: row.client_id,
    name: row.name,
    facility: row.facility,
    origins: JSON.parse(String(row.origins)) as unknown,
  }))
  return ok(listed(loaded.value.caller, { clients: items, next }))
}

const isIssuerKnown = 'exists (select 1 from issuer where issuer = :issuer and valid_to is null)'
const isFacilityKnown =
  '(:facility is null or exists (select 1 from facility where id = :facility and valid_to is null))'
/** Isolates read the origins of so many: those of one more would silently not count. */
const hasRoom = `(:origins = '[]' or (
  select count(*) from client
  where valid_to is null and origins <> '[]' and (issuer, client_id) is not (:issuer, :client_id)
) < ${limits.maxBrowserClients})`

async function register(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const { issuer, clientId, name, facility } = asked
  const origins = [...new Set(asked.origins)].sort()
  const note = {
    change: 'client',
    issuer,
    client: clientId,
    facility: facility ?? '',
    origins: origins.join(' '),
  }
  const stored = JSON.stringify(origins)
  const applied = await applyChange(ctx, {
    note,
    statements: replaceRow(
      'client',
      { issuer, client_id: clientId },
      { name, facility, origins: stored },
      `${isIssuerKnown} and ${isFacilityKnown} and ${hasRoom}`,
    ),
    outcome: {
      sql: `
        select c.valid_from, c.valid_to, ${isIssuerKnown} as is_issuer_known, ${isFacilityKnown} as is_facility_known, ${hasRoom} as has_room
        from clock left join client as c on c.issuer = :issuer and c.client_id = :client_id and c.valid_to is null`,
      args: { issuer, client_id: clientId, facility, origins: stored },
    },
  })
  if (!applied.ok) return applied
  const { row } = applied.value
  if (!boolean(row.is_issuer_known)) return unknown('issuer')
  if (!boolean(row.is_facility_known)) return unknown('facility')
  if (!boolean(row.has_room))
    return conflict(
      'origins',
      `Le registre compte déjà ${limits.maxBrowserClients} clients qui ont des origines.`,
      `The registry holds ${limits.maxBrowserClients} clients with origins already.`,
    )
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { client: { ...asked, origins } },
    }),
  )
}

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, named)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const { issuer, clientId } = asked
  return await endRegistered(ctx, {
    caller,
    table: 'client',
    key: { issuer, client_id: clientId },
    note: { change: 'client-ended', issuer, client: clientId },
    named: 'clientId',
    body: { client: asked },
  })
}
