/**
 * Legal holds: `POST /audit/holds` and `/audit/holds/end`, by privacy officers. Entries about a person, or by people of an
 * organisation, stay whatever the retention policy says. What went before does not come back.
 */
import * as z from 'zod'
import type { Held } from '../audit/pruning.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import type { Reader, Rows, Statement } from '../store/ports.ts'
import { reasonField, registryId } from './fields.ts'
import { officerOfRecord } from './keeper.ts'
import { changeShape } from './operation-shape.ts'
import { applyChange, changed, endRegistered, isBegun, readAsked, replaceRow } from './registry-change.ts'

const subject = z.strictObject({ kind: z.enum(['patient', 'organisation']), key: registryId })
const hold = subject.extend({ reason: reasonField })

type Changing = OperationContext<object, object>

export const holdEntries: Operation<object, object> = {
  ...changeShape,
  name: 'hold-entries',
  path: '/audit/holds',
  callers: ['privacy-officer'],
  bodies: [hold],
  handle: begin,
}

export const endHold: Operation<object, object> = {
  ...holdEntries,
  name: 'end-hold',
  path: '/audit/holds/end',
  bodies: [subject],
  handle: end,
}

async function begin(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, hold)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const officer = officerOfRecord(caller)
  if (!officer.ok) return officer
  const { kind, key, reason } = asked
  const note = { change: 'audit-hold', kind, key, reason }
  const room = `(select count(*) from audit_hold where valid_to is null) < ${limits.maxAuditHolds}`
  const applied = await applyChange(ctx, {
    note,
    statements: replaceRow('audit_hold', { kind, key }, { reason }, room),
    outcome: {
      sql: 'select valid_from, valid_to from audit_hold where kind = :kind and key = :key and valid_to is null',
      args: { kind, key },
    },
  })
  if (!applied.ok) return applied
  const isNew = isBegun(applied.value)
  return ok(changed({ caller, applied: applied.value, changed: isNew, note, body: { hold: asked } }))
}

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, subject)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const officer = officerOfRecord(caller)
  if (!officer.ok) return officer
  return await endRegistered(ctx, {
    caller,
    table: 'audit_hold',
    key: asked,
    note: { change: 'audit-hold-ended', ...asked },
    named: 'key',
    body: { hold: asked },
  })
}

/**
 * Every id under which the log may speak of a person, in doubt too many: also one that somebody else has or had, and those of
 * whoever a source record of the person stands for today. Rows `person`, the one asked for among them.
 *
 * @param person an id of today, or of before; or that of a facility's Patient
 */
export const heldIdsStatement = (person: string): Statement => ({
  sql: `with own (id) as materialized (
          select id from source_record where person = :person
          union
          select id from source_record where id = :person
          union
          select id from source_record_version indexed by source_record_version_person where person = :person
        ), today (person) as materialized (
          select s.person from own cross join source_record as s on s.id = own.id
        ), record (id) as materialized (
          select id from own
          union
          select s.id from today cross join source_record as s on s.person = today.person
        )
        select :person as person
        union
        select s.person from record cross join source_record as s on s.id = record.id
        union
        select v.person from record cross join source_record_version as v on v.id = record.id`,
  args: { person },
})

export const holdsStatement: Statement = {
  sql: 'select kind, key from audit_hold where valid_to is null limit ?',
  args: [limits.maxAuditHolds],
}

/** @param holds rows of `holdsStatement` */
const keysOf = (holds: Rows, kind: string): readonly string[] =>
  holds.filter((row) => row.kind === kind).map(({ key }) => String(key))

export const heldIdsStatements = (holds: Rows): readonly Statement[] =>
  keysOf(holds, 'patient').map(heldIdsStatement)

/** @param ids rows of `heldIdsStatements` */
export const heldOf = (holds: Rows, ids: readonly Rows[]): Held => ({
  patients: ids.flatMap((found) => found.map(({ person }) => String(person))),
  organisations: keysOf(holds, 'organisation'),
})

/** What is held now. Rejects with `StoreError`. */
export async function readHolds(records: Reader): Promise<Held> {
  const [holds = []] = await records.read([holdsStatement])
  const statements = heldIdsStatements(holds)
  return heldOf(holds, statements.length === 0 ? [] : await records.read(statements))
}
