/** `/access/facilities`: where care is given, whose it is, which region keeps its log. Operators change them. */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { after, code, identifier, logName, name, registryId } from './fields.ts'
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

const body = z.strictObject({
  id: registryId,
  /** What tokens name it by (IUA `subject_organization_id`). */
  uri: identifier,
  name,
  organisation: registryId,
  type: code,
  region: logName,
  log: logName,
  /** Identifier systems that identify a document of this facility. */
  identitySystems: z.array(identifier).max(limits.maxRegistryListLength).default([]),
})
type Body = z.infer<typeof body>
const named = z.strictObject({ id: registryId })
const listQuery = z.strictObject({ after })
type Changing = OperationContext<object, object>

export const listFacilities: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-facilities',
  path: '/access/facilities',
  callers: ['operator', 'access-manager', 'privacy-officer'],
  query: listQuery,
  handle: list,
}

export const registerFacility: Operation<object, object> = {
  ...changeShape,
  name: 'register-facility',
  path: '/access/facilities',
  callers: ['operator'],
  bodies: [body],
  handle: register,
}

export const endFacility: Operation<object, object> = {
  ...registerFacility,
  name: 'end-facility',
  path: '/access/facilities/end',
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
          select row, id, uri, name, organisation, type, region, log, identity_systems from facility
          where valid_to is null and row > :after order by row limit :limit`,
        args: { after: ctx.query.after, limit: limits.registryPageRows + 1 },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { items, next } = pageOf(loaded.value.records[0] ?? [], limits.registryPageRows, shownFacility)
  return ok(listed(loaded.value.caller, { facilities: items, next }))
}

const shownFacility = ({ row: _, identity_systems, ...facility }: Row) => ({
  ...facility,
  identitySystems: JSON.parse(String(identity_systems)) as unknown,
})

const isOrganisationKnown =
  'exists (select 1 from organisation where id = :organisation and valid_to is null)'
const isUriFree = 'not exists (select 1 from facility where uri = :uri and id <> :id and valid_to is null)'

/**
 * A region has one log and a log one region. The pair is known when a facility ever had it, or when the log is served
 * here and neither is any other's.
 */
const isPlaceKnown = `(
  exists (select 1 from facility where region = :region and log = :log)
  or :log in (select value from json_each(:served))
    and not exists (select 1 from facility where region = :region or log = :log))`

async function register(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const { id, organisation, region, log } = asked
  const note = { change: 'facility', facility: id, organisation, region, log }
  const applied = await applyChange(ctx, { note, ...replaceFacility(asked, ctx.logs) })
  if (!applied.ok) return applied
  const { row } = applied.value
  if (!isBegun(applied.value)) {
    if (!boolean(row.is_organisation_known)) return unknown('organisation')
    if (!boolean(row.is_place_known)) return unknown('log')
    if (!boolean(row.is_uri_free))
      return conflict('uri', 'Un autre établissement a cette adresse.', 'Another facility has this address.')
  }
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { facility: asked },
    }),
  )
}

function replaceFacility(facility: Body, served: readonly string[]) {
  const { id, uri, organisation, region, log } = facility
  const logs = { served: JSON.stringify(served) }
  return {
    statements: replaceRow(
      'facility',
      { id },
      {
        uri,
        name: facility.name,
        organisation,
        type: facility.type,
        region,
        log,
        identity_systems: JSON.stringify([...new Set(facility.identitySystems)]),
      },
      `${isOrganisationKnown} and ${isUriFree} and ${isPlaceKnown}`,
      logs,
    ),
    outcome: {
      sql: `
        select f.valid_from, f.valid_to, ${isOrganisationKnown} as is_organisation_known,
          ${isUriFree} as is_uri_free, ${isPlaceKnown} as is_place_known
        from clock left join facility as f on f.id = :id and f.valid_to is null`,
      args: { id, uri, organisation, region, log, ...logs },
    },
  }
}

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, named)
  if (!read.ok) return read
  const { caller, asked } = read.value
  return await endRegistered(ctx, {
    caller,
    table: 'facility',
    key: asked,
    note: { change: 'facility-ended', facility: asked.id },
    named: 'id',
    body: { facility: asked },
  })
}
