/**
 * Who acts for a person under 14: registered and ended by a privacy officer of the whole record or an operator. To be known
 * at an organisation takes no more than a `Patient` that it publishes: its own officer may look, not change.
 */
import * as z from 'zod'
import { isOfAge, todayInQuebec } from '../access/age.ts'
import type { Caller } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Loaded, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import type { Statement } from '../store/ports.ts'
import { firstRow, texts } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { jsonBody, readFields } from './body.ts'
import { noInput, patientField, patientId } from './fields.ts'
import { decideKeeper, organisationsOf } from './keeper.ts'
import { addNotice } from './notice-rows.ts'
import { invalid } from './refusals.ts'

const pair = z.strictObject({ guardian: patientField, patient: patientField })
const ofPatient = z.strictObject({ patient: patientField })

const shared = {
  callers: ['privacy-officer', 'operator'],
  param: noInput,
} as const

export const registerGuardianship: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...shared,
  name: 'guardianship-register',
  method: 'POST',
  path: '/access/guardianships',
  action: 'policy',
  scope: () => ({ type: '*', interaction: 'u' }),
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [pair],
  handle: (ctx) => change(ctx, 'register'),
}

export const endGuardianship: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...shared,
  name: 'guardianship-end',
  method: 'POST',
  path: '/access/guardianships/end',
  action: 'policy',
  scope: () => ({ type: '*', interaction: 'u' }),
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [pair],
  handle: (ctx) => change(ctx, 'end'),
}

export const listGuardianships: Operation<z.infer<typeof noInput>, z.infer<typeof ofPatient>> = {
  ...shared,
  name: 'guardianship-list',
  method: 'GET',
  path: '/access/guardianships',
  action: 'operation',
  scope: () => ({ type: '*', interaction: 'r' }),
  query: ofPatient,
  handle: list,
}

const isKeeper = (caller: Caller): caller is Extract<Caller, { kind: 'privacy-officer' | 'operator' }> =>
  caller.kind === 'privacy-officer' || caller.kind === 'operator'

/** Rows of `person` and `birth_date`, of all source records of the person. */
const personAndBirths = (source: string): Statement => ({
  sql: `
    select distinct s.person, coalesce(k.birth_date, '') as birth_date from source_record as mine
    cross join source_record as s on s.person = mine.person
    left join person_key as k on k.source_record = s.id
    where mine.id = :source`,
  args: { source },
})

async function change(
  ctx: OperationContext<unknown, unknown>,
  what: 'register' | 'end',
): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, pair)
  if (!fields.ok) return fields
  const guardian = patientId(fields.value.guardian)
  const ward = patientId(fields.value.patient)
  const loaded = await ctx.load(() => ({
    subject: { by: 'patient', id: ward },
    records: [
      organisationsOf(ward),
      personAndBirths(ward),
      personAndBirths(guardian),
      current(guardian, ward),
    ],
  }))
  if (!loaded.ok) return loaded
  const found = decide(loaded.value)
  if (!found.ok) return found
  const { caller, persons } = found.value
  if (caller.kind === 'privacy-officer' && caller.organisation !== null)
    return forbidden('not-own-organisation', persons[0])
  if (what === 'register') {
    const old = checkAges(loaded.value, ctx.now)
    if (!old.ok) return old
  } else if (!firstRow(loaded.value.records[3])) return err({ reason: 'not-found', what: 'guardianship' })

  const intended = await ctx.intend({ patient: persons[0], guardian: persons[1], change: what })
  if (!intended.ok) return intended
  const args = { guardian, ward }
  const at = new Date(ctx.now).toISOString()
  const notice = {
    kind: 'guardianship',
    change: what === 'end' ? 'ended' : 'registered',
    name: caller.name,
  } as const
  const isChanged = {
    sql: `exists (select 1 from guardianship where source_record in (
        select id from source_record where person = (select person from source_record where id = :ward))
      and (select n from clock) in (valid_from, valid_to))`,
    args: { ward },
  }
  const { clock, writeClock, rows } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: [ward, guardian],
    statements: [
      what === 'end'
        ? {
            sql: `update guardianship set valid_to = (select n from clock) where row in (${currentRows})`,
            args,
          }
        : {
            sql: `
              insert into guardianship (guardian, source_record, recorded_by, valid_from)
              select :guardian, :ward, :by, n from clock where not exists (${currentRows})`,
            args: { ...args, by: caller.professional },
          },
      addNotice(newId(), ward, at, { ...notice, of: 'ward' }, isChanged),
      addNotice(newId(), guardian, at, { ...notice, of: 'guardian' }, isChanged),
    ],
    outcome: [current(guardian, ward)],
  })
  const stored = firstRow(rows[0])
  const isNew = stored !== null && Number(stored.valid_from) === writeClock
  const body = { ...fields.value, status: what === 'end' ? 'ended' : 'active' }
  return ok(answer(isNew ? 201 : 200, body, persons, caller.kind, clock))
}

/** Between the two persons, whatever source records it was registered by. */
const currentRows = `
  select g.row from guardianship as g
  where g.source_record in (
      select id from source_record where person = (select person from source_record where id = :ward))
    and g.guardian in (
      select id from source_record where person = (select person from source_record where id = :guardian))
    and g.valid_to is null`

const current = (guardian: string, ward: string): Statement => ({
  sql: `select row, valid_from from guardianship where row in (${currentRows})`,
  args: { guardian, ward },
})

/** The two persons, ward first. */
function decide({ caller, subjects, records }: Loaded) {
  if (!isKeeper(caller)) return forbidden('operation-not-for-caller')
  const ward = decideKeeper(caller, subjects[0]?.person ?? null, texts(records[0], 'organisation'))
  if (!ward.ok) return ward
  const guardian = firstRow(records[2])?.person
  if (typeof guardian !== 'string') return forbidden('person-unknown')
  return ok({ caller, persons: [ward.value, guardian] as const })
}

/** A ward is under 14 and a guardian is not; whose age is unknown is neither. */
function checkAges({ records }: Loaded, now: number): Result<void, Refusal> {
  const today = todayInQuebec(now)
  if (firstRow(records[1])?.person === firstRow(records[2])?.person)
    return invalid('guardian', 'Nul n’est son propre tuteur.', 'Nobody is their own guardian.')
  if (isOfAge(texts(records[1], 'birth_date'), today) !== false) return forbidden('age')
  if (isOfAge(texts(records[2], 'birth_date'), today) !== true) return forbidden('age')
  return ok(undefined)
}

async function list(
  ctx: OperationContext<unknown, z.infer<typeof ofPatient>>,
): Promise<Result<Disclosure, Refusal>> {
  const ward = patientId(ctx.query.patient)
  const loaded = await ctx.load(() => ({
    subject: { by: 'patient', id: ward },
    records: [
      organisationsOf(ward),
      {
        sql: `
          select g.guardian, g.source_record, s.person from guardianship as g
          cross join source_record as s on s.id = g.guardian
          where g.valid_to is null and g.source_record in (
            select id from source_record where person = (select person from source_record where id = :ward))
          order by g.row limit ${limits.defaultPageRows}`,
        args: { ward },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, subjects, records } = loaded.value
  if (!isKeeper(caller)) return forbidden('operation-not-for-caller')
  const person = decideKeeper(caller, subjects[0]?.person ?? null, texts(records[0], 'organisation'))
  if (!person.ok) return person
  const rows = records[1] ?? []
  const guardianships = rows.map((row) => ({
    guardian: `Patient/${row.guardian}`,
    patient: `Patient/${row.source_record}`,
  }))
  return ok(answer(200, { guardianships }, [person.value, ...texts(rows, 'person')], caller.kind))
}
