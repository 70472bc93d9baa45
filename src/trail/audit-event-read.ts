/**
 * `GET /fhir/AuditEvent/{log}-{index}`: one AuditEvent of an entry of the ledger. Ids of published documents have no hyphen:
 * those are read as documents, by their own facility.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { texts } from '../store/rows.ts'
import { personIdsStatement } from './person-ids.ts'
import { placeNamesStatements } from './place-names.ts'
import { askedBy, hitOf, isReader, resourcesOf, type TrailHit } from './trail-answer.ts'
import { entriesOfEvents } from './trail-entry.ts'

const param = z.object({ id: z.string().max(64) })
const query = z.strictObject({})

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const readAuditEvent: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'audit-event-read',
  method: 'GET',
  path: '/fhir/AuditEvent/:id{[a-z0-9-]+-[a-z0-9]+}',
  action: 'audit-read',
  callers: ['privacy-officer', 'patient', 'guardian'],
  scope: () => ({ type: 'AuditEvent', interaction: 'r' }),
  param,
  query,
  handle: read,
}

async function read(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const reader = permitted.value.caller
  if (!isReader(reader)) return forbidden('operation-not-for-caller')
  const hit = await find(ctx, askedBy(reader, [], ctx.origin))
  const ids = reader.kind === 'privacy-officer' ? [] : [personIdsStatement(reader.person)]
  const loaded = await ctx.load(() => ({
    records: [...placeNamesStatements(hit === null ? [] : [hit.entry.access]), ...ids],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const own = reader.kind === 'privacy-officer' ? null : texts(records.at(-1), 'person')
  const patient = hit?.entry.access.patient ?? null
  const isOwn = own === null || (patient !== null && own.slice(0, limits.maxPersonIds).includes(patient))
  const [resource] = hit && isOwn ? resourcesOf([hit], reader, records, ctx.language, ctx.origin) : []
  if (caller.kind !== reader.kind || !resource)
    return err({
      reason: 'not-found',
      what: `AuditEvent/${ctx.param.id}`,
      ...(patient === null ? {} : { patient }),
    })
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    ...(reader.kind === 'privacy-officer' ? {} : { headers: { 'Content-Language': ctx.language } }),
    body: resource.json,
    disclosed: [{ patient: 'person' in reader ? reader.person : patient, resources: [] }],
    reason: reader.kind,
  })
}

/** With the one event of the entry's that has this id. */
async function find(ctx: Context, asked: Parameters<typeof hitOf>[1]): Promise<TrailHit | null> {
  const [row] = await entriesOfEvents(ctx.ledger, [ctx.param.id])
  const term = { name: '_id', tokens: [{ system: null, code: ctx.param.id }] }
  return row === undefined ? null : hitOf(row, { ...asked, terms: [term] })
}
