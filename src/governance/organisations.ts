/** `/access/organisations`: who answers for facilities. Operators change them. */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import { boolean } from '../store/rows.ts'
import { after, name, registryId } from './fields.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { conflict, neverRegistered } from './refusals.ts'
import {
  applyChange,
  changed,
  endRow,
  isBegun,
  isEnded,
  listed,
  pageOf,
  readAsked,
  replaceRow,
} from './registry-change.ts'

const body = z.strictObject({ id: registryId, name })
const named = z.strictObject({ id: registryId })
const listQuery = z.strictObject({ after })
type Changing = OperationContext<object, object>

export const listOrganisations: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-organisations',
  path: '/access/organisations',
  callers: ['operator', 'access-manager', 'privacy-officer'],
  query: listQuery,
  handle: list,
}

export const registerOrganisation: Operation<object, object> = {
  ...changeShape,
  name: 'register-organisation',
  path: '/access/organisations',
  callers: ['operator'],
  bodies: [body],
  handle: register,
}

export const endOrganisation: Operation<object, object> = {
  ...registerOrganisation,
  name: 'end-organisation',
  path: '/access/organisations/end',
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
          select row, id, name from organisation
          where valid_to is null and row > :after order by row limit :limit`,
        args: { after: ctx.query.after, limit: limits.registryPageRows + 1 },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { items, next } = pageOf(loaded.value.records[0] ?? [], limits.registryPageRows, ({ id, name }) => ({
    id,
    name,
  }))
  return ok(listed(loaded.value.caller, { organisations: items, next }))
}

async function register(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const { id, name } = asked
  const note = { change: 'organisation', organisation: id }
  const applied = await applyChange(ctx, {
    note,
    statements: replaceRow('organisation', { id }, { name }),
    outcome: {
      sql: 'select valid_from, valid_to from organisation where id = :id and valid_to is null',
      args: { id },
    },
  })
  if (!applied.ok) return applied
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { organisation: asked },
    }),
  )
}

const hasFacilities = 'exists (select 1 from facility where organisation = :id and valid_to is null)'

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, named)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const note = { change: 'organisation-ended', organisation: asked.id }
  const applied = await applyChange(ctx, {
    note,
    statements: [endRow('organisation', asked, `not ${hasFacilities}`)],
    outcome: {
      sql: `
        select row, valid_from, valid_to, ${hasFacilities} as has_facilities
        from organisation where id = :id order by row desc limit 1`,
      args: asked,
    },
  })
  if (!applied.ok) return applied
  const { row } = applied.value
  if (row.row === undefined) return neverRegistered('id')
  if (boolean(row.has_facilities))
    return conflict('id', 'Elle a encore des établissements.', 'It still has facilities.')
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isEnded(applied.value),
      note,
      body: { organisation: asked },
    }),
  )
}
