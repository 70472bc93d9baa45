/** `/audit/review/watched`: records of public interest. Every access to them is told by the monthly review. */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { firstRow, texts } from '../store/rows.ts'
import { answer } from './answer.ts'
import { readFields } from './body.ts'
import { noInput, patientField, patientId, reasonField } from './fields.ts'
import { officerOfRecord, sourcesOfPerson } from './keeper.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { conflict, invalid, neverRegistered } from './refusals.ts'

const watched = z.strictObject({
  patient: patientField,
  reason: reasonField,
  /** Absent: now. */
  starts: z.iso.datetime({ offset: true }).optional(),
  ends: z.iso.datetime({ offset: true }),
})
const ended = z.strictObject({ patient: patientField })

type Context = OperationContext<object, object>

export const listWatched: Operation<object, object> = {
  ...listShape,
  name: 'watched-list',
  path: '/audit/review/watched',
  callers: ['privacy-officer'],
  query: noInput,
  handle: list,
}

export const watchRecord: Operation<object, object> = {
  ...changeShape,
  name: 'watched-add',
  path: '/audit/review/watched',
  callers: ['privacy-officer'],
  bodies: [watched],
  handle: watch,
}

export const unwatchRecord: Operation<object, object> = {
  ...watchRecord,
  name: 'watched-end',
  path: '/audit/review/watched/end',
  bodies: [ended],
  handle: unwatch,
}

async function list(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select w.source_record, s.person, w.reason, w.starts, w.ends, w.recorded_by from watch_list as w
          left join source_record as s on s.id = w.source_record
          where w.valid_to is null order by w.row limit :limit`,
        args: { limit: limits.maxWatchedRecords },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  // Who is of public interest is nobody else's to say or to see.
  const officer = officerOfRecord(caller)
  if (!officer.ok) return officer
  const rows = records[0] ?? []
  const told = rows.map(({ source_record, reason, starts, ends, recorded_by }) => ({
    patient: `Patient/${source_record}`,
    reason,
    starts: iso(Number(starts)),
    ends: iso(Number(ends)),
    by: recorded_by,
  }))
  return ok(
    answer(
      200,
      { watched: told },
      texts(
        rows.filter(({ person }) => person !== null),
        'person',
      ),
      caller.kind,
    ),
  )
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** Caller, person and body of a change; the person is known once the body is read. */
async function askedAbout<T extends { readonly patient: string }>(ctx: Context, shape: z.ZodType<T>) {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const permittedOfficer = officerOfRecord(permitted.value.caller)
  if (!permittedOfficer.ok) return permittedOfficer
  const fields = await readFields(ctx, shape)
  if (!fields.ok) return fields
  const source = patientId(fields.value.patient)
  const loaded = await ctx.load(() => ({
    records: [{ sql: 'select person from source_record where id = :source', args: { source } }],
  }))
  if (!loaded.ok) return loaded
  const officer = officerOfRecord(loaded.value.caller)
  if (!officer.ok) return officer
  const person = firstRow(loaded.value.records[0])?.person
  if (typeof person !== 'string') return err({ reason: 'not-found' as const, what: fields.value.patient })
  return ok({ caller: officer.value, source, person, asked: fields.value })
}

async function watch(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const about = await askedAbout(ctx, watched)
  if (!about.ok) return about
  const { caller, source, person, asked } = about.value
  const starts = asked.starts === undefined ? ctx.now : Date.parse(asked.starts)
  const ends = Date.parse(asked.ends)
  if (ends <= starts || ends - starts > limits.maxWatchDays * 24 * 60 * 60_000)
    return invalid(
      'ends',
      `ends : après starts, ${limits.maxWatchDays} jours au plus.`,
      `ends: after starts, ${limits.maxWatchDays} days at most.`,
    )
  const intended = await ctx.intend({ change: 'watched', patient: person, reason: asked.reason })
  if (!intended.ok) return intended
  const { clock, writeClock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [source],
    statements: [
      {
        sql: `
          insert into watch_list (source_record, reason, starts, ends, recorded_by, valid_from)
          select :source, :reason, :starts, :ends, :by, n from clock
          where not exists (select 1 from watch_list where source_record = :source and valid_to is null)
            and (select count(*) from watch_list where valid_to is null) < :limit`,
        args: {
          source,
          reason: asked.reason,
          starts,
          ends,
          by: caller.professional,
          limit: limits.maxWatchedRecords,
        },
      },
    ],
    outcome: [
      {
        sql: 'select valid_from from watch_list where source_record = :source and valid_to is null',
        args: { source },
      },
    ],
  })
  if (Number(firstRow(rows[0])?.valid_from ?? -1) !== writeClock)
    return conflict(
      'patient',
      `Déjà surveillé, ou la liste compte ${limits.maxWatchedRecords} dossiers : mettez fin à une surveillance d’abord.`,
      `Watched already, or the list has ${limits.maxWatchedRecords} records: end one first.`,
    )
  const told = { patient: asked.patient, starts: iso(starts), ends: iso(ends) }
  return ok(answer(201, { watched: told }, [person], caller.kind, clock))
}

async function unwatch(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const about = await askedAbout(ctx, ended)
  if (!about.ok) return about
  const { caller, source, person, asked } = about.value
  const intended = await ctx.intend({ change: 'watched-ended', patient: person })
  if (!intended.ok) return intended
  const { clock, writeClock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [source],
    statements: [
      {
        sql: `update watch_list set valid_to = (select n from clock)
          where source_record in (${sourcesOfPerson}) and valid_to is null`,
        args: { source },
      },
    ],
    outcome: [
      {
        sql: `select max(valid_to) as ended from watch_list where source_record in (${sourcesOfPerson})`,
        args: { source },
      },
    ],
  })
  const at = firstRow(rows[0])?.ended ?? null
  if (at === null) return neverRegistered('patient')
  return ok(
    answer(200, { changed: Number(at) === writeClock, patient: asked.patient }, [person], caller.kind, clock),
  )
}
