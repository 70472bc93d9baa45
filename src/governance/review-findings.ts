/**
 * `POST /audit/review/findings`: what a privacy officer decides about a finding of the monthly review. A finding is not
 * stored: its month, rule, professional and person say which it is. The next review tells the decision with the same pattern.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { ok, type Result } from '../result.ts'
import { boolean, firstRow } from '../store/rows.ts'
import { findingId } from '../trail/review/finding.ts'
import { monthPattern } from '../trail/review/month.ts'
import { ruleNames } from '../trail/review/rules.ts'
import { answer } from './answer.ts'
import { readFields } from './body.ts'
import { entryText, reasonField, registryId } from './fields.ts'
import { changeShape } from './operation-shape.ts'
import { invalid, unknown } from './refusals.ts'

const finding = {
  month: z.string().regex(monthPattern),
  rule: z.enum(ruleNames),
  professional: registryId,
  /** `patient.person` of the finding; absent: it is about no one patient. */
  person: entryText.optional(),
}
const shape = z.discriminatedUnion('decision', [
  z.strictObject({
    ...finding,
    decision: z.literal('justified'),
    note: z.string().trim().max(limits.maxReasonLength).default(''),
    /** The same pattern is not told before this day (UTC). */
    mutedUntil: z.iso.date().optional(),
  }),
  z.strictObject({ ...finding, decision: z.enum(['unjustified', 'referred']), note: reasonField }),
])

export const decideFinding: Operation<object, object> = {
  ...changeShape,
  name: 'review-finding-decide',
  path: '/audit/review/findings',
  callers: ['privacy-officer'],
  bodies: [shape],
  handle: decide,
}

async function decide(ctx: OperationContext<object, object>): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, shape)
  if (!fields.ok) return fields
  const asked = fields.value
  const person = asked.person ?? ''
  const loaded = await ctx.load(() => ({
    records: [{ sql: parties, args: { professional: asked.professional, person } }],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  if (asked.professional === caller.professional) return forbidden('four-eyes')
  const row = firstRow(records[0]) ?? {}
  const organisations = JSON.parse(String(row.organisations)) as readonly string[]
  if (caller.organisation !== null && !organisations.includes(caller.organisation))
    return forbidden('not-own-organisation')
  if (!boolean(row.is_known)) return unknown('professional')
  if (person !== '' && row.source_record === null) return unknown('person')
  const mutedUntil = ('mutedUntil' in asked ? asked.mutedUntil : undefined) ?? ''
  const latest = new Date(ctx.now + limits.maxWatchDays * dayMs).toISOString().slice(0, 10)
  if (mutedUntil > latest)
    return invalid(
      'mutedUntil',
      `mutedUntil : au plus tard le ${latest}.`,
      `mutedUntil: ${latest} at the latest.`,
    )

  const { month, rule, professional, decision, note } = asked
  const id = findingId(month, { rule, professional, patient: person === '' ? null : person })
  const persons = typeof row.person === 'string' ? [row.person] : []
  const intended = await ctx.intend({ finding: id, month, rule, professional, decision })
  if (!intended.ok) return intended
  const at = new Date(ctx.now).toISOString()
  const sourceRecord = String(row.source_record ?? '')
  const { clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: sourceRecord === '' ? [] : [sourceRecord],
    statements: [
      {
        sql: `
          insert into finding_decision (finding, month, rule, professional, source_record, decision, note, muted_until,
            decided_by, decided_at, valid_from)
          select :finding, :month, :rule, :professional, :source, :decision, :note, :muted, :by, :at, n from clock`,
        args: {
          finding: id,
          month,
          rule,
          professional,
          source: sourceRecord,
          decision,
          note,
          muted: mutedUntil,
          by: caller.professional,
          at,
        },
      },
    ],
    outcome: [],
  })
  const told = { id, decision, note, mutedUntil: mutedUntil === '' ? null : mutedUntil, at }
  return ok(answer(200, told, persons, caller.kind, clock))
}

const dayMs = 24 * 60 * 60_000

/** One row: whether there is such a professional, where they had or have a role, and whom the log means by `:person`. */
const parties = `
  select exists (select 1 from professional where id = :professional) as is_known,
    (select json_group_array(distinct coalesce(f.organisation, r.organisation)) from professional as p
      cross join professional_role as r on r.professional = p.id and r.valid_to is null
      left join facility as f on f.id = r.facility and f.valid_to is null
      where p.id = :professional) as organisations,
    m.id as source_record, m.person
  from (select 1) left join (
    select s.id, s.person from source_record as s where s.person = :person
    union
    select s.id, s.person from source_record_version as v cross join source_record as s on s.id = v.id
      where v.person = :person
    order by 1 limit 1) as m`
