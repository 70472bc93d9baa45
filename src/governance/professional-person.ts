/**
 * `/access/professionals/person`: which `Patient` a professional is. The monthly review goes by it: own record, same address, a
 * colleague's record.
 */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import type { Statement } from '../store/ports.ts'
import { boolean, firstRow } from '../store/rows.ts'
import { answer } from './answer.ts'
import { readFields } from './body.ts'
import { patientField, patientId, registryId } from './fields.ts'
import { changeShape } from './operation-shape.ts'
import { neverRegistered, unknown } from './refusals.ts'
import { endRow, replaceRow } from './registry-change.ts'

const named = z.strictObject({ professional: registryId })
const registration = named.extend({ patient: patientField })

type Context = OperationContext<object, object>

export const registerOwnPerson: Operation<object, object> = {
  ...changeShape,
  name: 'professional-person',
  path: '/access/professionals/person',
  callers: ['access-manager', 'privacy-officer'],
  bodies: [registration],
  handle: register,
}

export const endOwnPerson: Operation<object, object> = {
  ...registerOwnPerson,
  name: 'professional-person-end',
  path: '/access/professionals/person/end',
  bodies: [named],
  handle: end,
}

type Registrar = Extract<Caller, { kind: 'access-manager' | 'privacy-officer' }>

/** Whose business the professional is: of a manager's facility, of an officer's organisation. Never one's own. */
async function askedAbout<T extends { readonly professional: string }>(
  ctx: Context,
  shape: z.ZodType<T>,
  sourceOf: (asked: T) => string | null,
) {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, shape)
  if (!fields.ok) return fields
  const asked = fields.value
  const { professional } = asked
  const loaded = await ctx.load(() => ({
    records: [
      { sql: parties, args: { professional, source: sourceOf(asked) } },
      { sql: places, args: { professional } },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'access-manager' && caller.kind !== 'privacy-officer')
    return forbidden('operation-not-for-caller')
  if (professional === caller.professional) return forbidden('four-eyes')
  const isOwn = (records[1] ?? []).some(({ facility, organisation }) =>
    caller.kind === 'access-manager' ? facility === caller.facility.id : organisation === caller.organisation,
  )
  const isOfRecord = caller.kind === 'privacy-officer' && caller.organisation === null
  if (!isOwn && !isOfRecord) return forbidden('not-own-organisation')
  const row = firstRow(records[0]) ?? {}
  if (!boolean(row.is_known)) return unknown('professional')
  return ok({ caller: caller as Registrar, asked, person: row.person })
}

const parties = `
  select exists (select 1 from professional where id = :professional) as is_known,
    (select person from source_record where id = coalesce(:source, (
      select source_record from professional_person where professional = :professional and valid_to is null))) as person`

const places = `
  select r.facility, f.organisation from professional as p
  cross join professional_role as r on r.professional = p.id and r.valid_to is null
  cross join facility as f on f.id = r.facility and f.valid_to is null
  where p.id = :professional`

async function register(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const about = await askedAbout(ctx, registration, ({ patient }) => patientId(patient))
  if (!about.ok) return about
  const { caller, asked, person } = about.value
  if (typeof person !== 'string') return err({ reason: 'not-found', what: asked.patient })
  const { professional, patient } = asked
  return await write(ctx, caller, person, {
    note: { change: 'professional-person', professional, patient: person },
    source: patientId(patient),
    statements: replaceRow(
      'professional_person',
      { professional },
      { source_record: patientId(patient), recorded_by: caller.professional },
    ),
    body: { professional, patient },
  })
}

async function end(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const about = await askedAbout(ctx, named, () => null)
  if (!about.ok) return about
  const { caller, asked, person } = about.value
  if (typeof person !== 'string') return neverRegistered('professional')
  const { professional } = asked
  return await write(ctx, caller, person, {
    note: { change: 'professional-person-ended', professional, patient: person },
    source: null,
    statements: [endRow('professional_person', { professional })],
    body: { professional },
  })
}

interface Change {
  readonly note: Readonly<Record<string, string>>
  readonly source: string | null
  readonly statements: readonly Statement[]
  readonly body: Readonly<Record<string, string>>
}

async function write(
  ctx: Context,
  caller: Registrar,
  person: string,
  { note, source, statements, body }: Change,
): Promise<Result<Disclosure, Refusal>> {
  const intended = await ctx.intend(note)
  if (!intended.ok) return intended
  const { clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: source === null ? [] : [source],
    statements,
    outcome: [],
  })
  return ok(answer(200, body, [person], caller.kind, clock))
}
