/**
 * `POST /access/attestations`: a provider states to be caring for a patient. It opens what a care relationship opens, for
 * a time, and no more: a refusal holds. The patient is told, a privacy officer looks at it.
 */
import type * as z from 'zod'
import type { Provider } from '../access/caller.ts'
import { emergencyPurposes } from '../access/policy.ts'
import { forbidden, type PolicyRefusal } from '../access/refusal.ts'
import type { Settings, Subject } from '../access/subject.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { writeBatch } from '../records/write-batch.ts'
import { ok, type Result } from '../result.ts'
import { firstRow } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { aboutPatient, type noInput } from './fields.ts'
import { sourcesOfPerson } from './keeper.ts'
import { accessFacts, addNotice, addReviewItem } from './notice-rows.ts'
import { changeShape } from './operation-shape.ts'
import { hoursAfter, readStatement } from './provider-statement.ts'

/** v3-ActReason: of those who care for somebody. */
const purposes: readonly string[] = ['TREAT', ...emergencyPurposes]

export const attest: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'attest',
  path: '/access/attestations',
  callers: ['provider'],
  rate: () => 'identity',
  bodies: [aboutPatient],
  handle,
}

async function handle(ctx: OperationContext<unknown, unknown>): Promise<Result<Disclosure, Refusal>> {
  const stated = await readStatement(ctx)
  if (!stated.ok) return stated
  const { caller, settings, source, reason } = stated.value
  const decided = decideAttestation(caller, stated.value.subject, settings)
  if (!decided.ok) return decided
  const subject = decided.value

  const intended = await ctx.intend({ patient: subject.person, reason })
  if (!intended.ok) return intended
  const id = newId()
  const at = new Date(ctx.now).toISOString()
  const ends = hoursAfter(ctx.now, settings.attestationHours)
  const isNew = {
    sql: 'exists (select 1 from relationship where source = :attestation and valid_to is null)',
    args: { attestation: attestationSource(id) },
  }
  const held = { source, facility: caller.facility.id, professional: caller.professional, now: ctx.now }
  const { clock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [source],
    statements: [
      {
        sql: `
          insert into relationship (kind, source_record, facility, professional, starts, ends, source, reason,
            recorded_by, valid_from)
          select 'attestation', :source, :facility, :professional, :now, :ends, :attestation, :reason, :professional, n
          from clock where not exists (${inForce})`,
        args: { ...held, ...isNew.args, ends, reason },
      },
      addNotice(
        id,
        source,
        at,
        accessFacts('attestation', caller, reason, new Date(ends).toISOString()),
        isNew,
      ),
      addReviewItem({ id, kind: 'attestation', sourceRecord: source, at, reason }, caller, isNew),
    ],
    outcome: [{ sql: `${inForce} limit 1`, args: held }],
  })
  const stored = firstRow(rows[0])
  const body = { relationship: stored?.source, until: new Date(Number(stored?.ends)).toISOString() }
  const status = stored?.source === attestationSource(id) ? 201 : 200
  return ok(answer(status, body, [subject.person], 'attestation', clock))
}

/** Pure. `subject` null: nobody has this id. */
export function decideAttestation(
  { purpose }: Provider,
  subject: Subject | null,
  { attestationHours }: Settings,
): Result<Subject, PolicyRefusal> {
  if (!purposes.includes(purpose)) return forbidden('purpose-not-permitted', subject?.person)
  // Of no hours: the policy knows no attestations.
  return subject && attestationHours > 0 ? ok(subject) : forbidden('relationship-required', subject?.person)
}

export const attestationSource = (id: string): string => `attestation/${id}`

/** Attestations of the professional at the facility about the person of `:source` that hold now. */
const inForce = `
  select r.source, r.ends from relationship as r
  where r.source_record in (${sourcesOfPerson}) and r.facility = :facility and r.professional = :professional
    and r.kind = 'attestation' and r.starts <= :now and r.ends > :now and r.valid_to is null`
