/**
 * `GET /access/me`: whom the record takes the bearer of a token to be. A patient learns here by which `Patient` to name
 * themselves, and the persons they are guardian of.
 */
import type * as z from 'zod'
import { type Caller, callerKinds } from '../access/caller.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import { noInput } from './fields.ts'

export const me: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  name: 'me',
  method: 'GET',
  path: '/access/me',
  action: 'operation',
  callers: callerKinds,
  scope: () => null,
  param: noInput,
  query: noInput,
  handle,
}

async function handle(ctx: OperationContext<unknown, unknown>): Promise<Result<Disclosure, Refusal>> {
  const first = await ctx.load(() => ({}))
  if (!first.ok) return first
  const person = personOf(first.value.caller)
  if (person === null) return ok(answer(first.value.caller, [], []))
  const loaded = await ctx.load(() => ({
    records: [
      { sql: 'select id from source_record where person = ? order by id', args: [person] },
      { sql: wardsSql, args: { person } },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const [own = [], wards = []] = records.map((rows) => rows.map(({ id }) => `Patient/${id}`))
  return ok(answer(caller, own, caller.kind === 'patient' ? wards : []))
}

/** One `Patient` of each person that `:person` is registered to be guardian of. */
const wardsSql = `
  select min(ws.id) as id from source_record as gs
  cross join guardianship as g on g.guardian = gs.id and g.valid_to is null
  cross join source_record as ws on ws.id = g.source_record
  where gs.person = :person group by ws.person order by id`

const personOf = (caller: Caller): string | null =>
  caller.kind === 'patient' || caller.kind === 'guardian' ? caller.person : null

function answer(caller: Caller, patients: readonly string[], wards: readonly string[]): Disclosure {
  const person = personOf(caller)
  const told = {
    kind: caller.kind,
    name: caller.name,
    ...('role' in caller ? { role: caller.role, purpose: caller.purpose } : {}),
    ...('facility' in caller ? { facility: { id: caller.facility.id, name: caller.facility.name } } : {}),
    ...('organisation' in caller ? { organisation: caller.organisation } : {}),
    ...('domains' in caller ? { domains: [...caller.domains].sort() } : {}),
    ...(person === null ? {} : { patients, wards }),
  }
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(told),
    disclosed: person === null ? [] : [{ patient: person, resources: [] }],
    reason: caller.kind,
  }
}
