/**
 * `POST /access/break-glass`: an emergency, declared for one patient and a time. What it lifts is the policy's to say
 * (`policy_setting`, `break-glass:…`). The patient is told, a privacy officer looks at it.
 */
import type * as z from 'zod'
import type { Provider } from '../access/caller.ts'
import { emergencyPurposes } from '../access/policy.ts'
import { forbidden, type PolicyRefusal } from '../access/refusal.ts'
import type { Settings, Subject } from '../access/subject.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { firstRow } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { jsonBody } from './body.ts'
import { aboutPatient, noInput } from './fields.ts'
import { accessFacts, addNotice, addReviewItem } from './notice-rows.ts'
import { hoursAfter, readStatement } from './provider-statement.ts'

export const breakGlass: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  name: 'break-glass',
  method: 'POST',
  path: '/access/break-glass',
  action: 'break-glass',
  callers: ['provider'],
  rate: () => 'identity',
  scope: () => ({ type: '*', interaction: 'u' }),
  param: noInput,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [aboutPatient],
  handle,
}

async function handle(ctx: OperationContext<unknown, unknown>): Promise<Result<Disclosure, Refusal>> {
  const stated = await readStatement(ctx)
  if (!stated.ok) return stated
  const { caller, settings, source, reason } = stated.value
  const subject = decideBreakGlass(caller, stated.value.subject, settings)
  if (!subject.ok) return err({ ...subject.error, breakGlassReason: reason })

  const intended = await ctx.intend({ patient: subject.value.person, reason })
  if (!intended.ok) return intended
  const id = newId()
  const at = new Date(ctx.now).toISOString()
  const ends = hoursAfter(ctx.now, settings.breakGlassHours)
  const until = new Date(ends).toISOString()
  const { clock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [source],
    statements: [
      {
        sql: `
          insert into break_glass (id, source_record, facility, professional, purpose, reason, starts, ends, valid_from)
          select :id, :source, :facility, :professional, :purpose, :reason, :starts, :ends, n from clock`,
        args: {
          id,
          source,
          facility: caller.facility.id,
          professional: caller.professional,
          purpose: caller.purpose,
          reason,
          starts: ctx.now,
          ends,
        },
      },
      addNotice(id, source, at, accessFacts('break-glass', caller, reason, until)),
      addReviewItem({ id, kind: 'break-glass', sourceRecord: source, at, reason }, caller),
    ],
    outcome: [{ sql: 'select id, ends from break_glass where id = :id', args: { id } }],
  })
  const window = { id: firstRow(rows[0])?.id, until }
  return ok({
    ...answer(201, window, [subject.value.person], 'break-glass', clock),
    breakGlassReason: reason,
  })
}

/** Pure. `subject` null: nobody has this id. */
export function decideBreakGlass(
  { purpose }: Provider,
  subject: Subject | null,
  { lifted, breakGlassHours }: Settings,
): Result<Subject, PolicyRefusal> {
  if (!emergencyPurposes.includes(purpose) || lifted.size === 0 || breakGlassHours <= 0)
    return forbidden('break-glass-not-permitted', subject?.person)
  if (!subject) return forbidden('relationship-required')
  const refusesAll = subject.rules.some(({ kind }) => kind === 'refusal-total')
  if (refusesAll && !lifted.has('refusal-total')) return forbidden('refused', subject.person)
  return ok(subject)
}
