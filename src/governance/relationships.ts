/**
 * Care relationships that somebody registers: a care team or an episode by the access manager of the facility, an
 * enrolment with a family physician by an operator. Those of encounters and attestations come about by themselves.
 */

import * as z from 'zod'
import { administrativeRoles, type Caller } from '../access/caller.ts'
import { forbidden, type PolicyRefusal } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { firstRow } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { readFields } from './body.ts'
import { entryText, type noInput, patientField, patientId } from './fields.ts'
import { sourcesOfPerson } from './keeper.ts'
import { changeShape } from './operation-shape.ts'
import { invalid } from './refusals.ts'

const instant = z.iso.datetime({ offset: true })
const dayMs = 24 * 60 * 60_000

const registration = z.strictObject({
  kind: z.enum(['care-team', 'episode', 'enrolment']),
  patient: patientField,
  /** Left out: everybody authorised at the facility, of an enrolment only. */
  professional: entryText.optional(),
  facility: entryText,
  /** Now, when left out. */
  starts: instant.optional(),
  ends: instant,
})
type Registration = z.infer<typeof registration>

const ending = z.strictObject({ relationship: entryText })

export const registerRelationship: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'relationship-register',
  path: '/access/relationships',
  callers: ['access-manager', 'operator'],
  bodies: [registration],
  handle: register,
}

export const endRelationship: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'relationship-end',
  path: '/access/relationships/end',
  callers: ['access-manager', 'operator'],
  bodies: [ending],
  handle: end,
}

type Context = OperationContext<unknown, unknown>

async function register(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, registration)
  if (!fields.ok) return fields
  const asked = fields.value
  const period = periodOf(asked, ctx.now)
  if (!period.ok) return period
  const source = patientId(asked.patient)
  const loaded = await ctx.load(() => ({
    subject: { by: 'patient', id: source },
    records: [knownParties(asked)],
  }))
  if (!loaded.ok) return loaded
  const { caller, subjects, records } = loaded.value
  const [subject] = subjects
  const allowed = decide(caller, asked)
  if (!allowed.ok) return forbidden(allowed.error.cause, subject?.person)
  if (!subject) return forbidden('relationship-required')
  const parties = firstRow(records[0])
  if (!parties?.facility) return invalid('facility', 'Établissement inconnu.', 'Unknown facility.')
  if (asked.professional !== undefined && !parties.professional)
    return invalid(
      'professional',
      'Cette personne n’a aucun rôle clinique à cet établissement.',
      'This person has no clinical role at this facility.',
    )

  const intended = await ctx.intend({ patient: subject.person, kind: asked.kind, facility: asked.facility })
  if (!intended.ok) return intended
  const row = {
    kind: asked.kind,
    source,
    facility: asked.facility,
    professional: asked.professional ?? '',
    ...period.value,
  }
  const relationship = `registration/${newId()}`
  const { clock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [source],
    statements: [
      {
        sql: `
          insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by,
            valid_from)
          select :kind, :source, :facility, :professional, :starts, :ends, :relationship, :recorded_by, n from clock
          where not exists (${same})`,
        args: { ...row, relationship, recorded_by: 'professional' in caller ? caller.professional : '' },
      },
    ],
    outcome: [{ sql: `${same} limit 1`, args: row }],
  })
  const stored = String(firstRow(rows[0])?.source)
  const body = { relationship: stored, starts: iso(row.starts), ends: iso(row.ends) }
  return ok(answer(stored === relationship ? 201 : 200, body, [subject.person], caller.kind, clock))
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** Registered already, in the same words: it is answered with, not written again. */
const same = `
  select r.source from relationship as r
  where r.source_record in (${sourcesOfPerson}) and r.kind = :kind and r.facility = :facility
    and r.professional = :professional and r.starts = :starts and r.ends = :ends and r.valid_to is null`

const administrative = administrativeRoles.map((role) => `'${role}'`).join(', ')

const knownParties = ({ facility, professional }: Registration) => ({
  sql: `
    select exists (select 1 from facility where id = :facility and valid_to is null) as facility,
      exists (select 1 from professional_role where professional = :professional and facility = :facility
        and role not in (${administrative}) and valid_to is null) as professional`,
  args: { facility, professional: professional ?? '' },
})

function decide(caller: Caller, { kind, facility, professional }: Registration): Result<void, PolicyRefusal> {
  if (caller.kind === 'operator')
    return kind === 'enrolment' ? ok(undefined) : forbidden('operation-not-for-caller')
  if (caller.kind !== 'access-manager' || kind === 'enrolment') return forbidden('operation-not-for-caller')
  if (facility !== caller.facility.id) return forbidden('not-own-organisation')
  // Everybody at the facility would be the manager, too.
  if (professional === undefined || professional === caller.professional) return forbidden('four-eyes')
  return ok(undefined)
}

function periodOf(
  { kind, starts, ends }: Registration,
  now: number,
): Result<{ readonly starts: number; readonly ends: number }, Refusal> {
  const from = starts === undefined ? now : Date.parse(starts)
  const to = Date.parse(ends)
  const days = kind === 'enrolment' ? limits.maxEnrolmentDays : limits.maxCareDays
  if (to <= from || to <= now)
    return invalid(
      'ends',
      'La fin est passée ou précède le début.',
      'It ends before it starts, or has ended.',
    )
  if (to - from > days * dayMs || from > now + days * dayMs)
    return invalid('ends', `Au plus ${days} jours.`, `${days} days at most.`)
  return ok({ starts: from, ends: to })
}

async function end(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, ending)
  if (!fields.ok) return fields
  const { relationship } = fields.value
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select r.kind, r.facility, r.source_record, s.person from relationship as r
          cross join source_record as s on s.id = r.source_record
          where r.source = :relationship and r.valid_to is null`,
        args: { relationship },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const row = firstRow(records[0])
  if (!row || !mayEnd(caller, String(row.kind), String(row.facility)))
    return err({ reason: 'not-found', what: relationship })
  const person = String(row.person)

  const intended = await ctx.intend({ patient: person, relationship })
  if (!intended.ok) return intended
  const { clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [String(row.source_record)],
    statements: [
      {
        sql: `
          update relationship set valid_to = (select n from clock)
          where source = :relationship and valid_to is null`,
        args: { relationship },
      },
    ],
    outcome: [],
  })
  return ok(answer(200, { relationship, ended: iso(ctx.now) }, [person], caller.kind, clock))
}

/** Enrolments are the operator's, the others the facility's own; an encounter ends as it is published. */
function mayEnd(caller: Caller, kind: string, facility: string): boolean {
  if (caller.kind === 'operator') return kind === 'enrolment'
  return (
    caller.kind === 'access-manager' &&
    facility === caller.facility.id &&
    ['care-team', 'episode', 'attestation'].includes(kind)
  )
}
