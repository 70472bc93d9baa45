/**
 * One change of the trust registry: told to the audit log, written in one batch, told again with what came of it. What
 * must hold stands in the statements themselves, so that two who change the same thing at once cannot both be right.
 */
import type * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import type { Disclosure, OperationContext, Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { writeBatch } from '../records/write-batch.ts'
import { ok, type Result } from '../result.ts'
import type { Row, Rows, SqlValue, Statement } from '../store/ports.ts'
import { readChange } from './body.ts'
import { neverRegistered } from './refusals.ts'

export type Note = Readonly<Record<string, string>>
type Arguments = Readonly<Record<string, SqlValue>>

export interface Change {
  /** Ids of what is changed: never a secret, never a key. */
  readonly note: Note
  /** They change nothing where what must hold does not. Inside them `(select n from clock)` is this write. */
  readonly statements: readonly Statement[]
  /** Selects one row: what is registered after them, and what must hold. */
  readonly outcome: Statement
}

/** What the registry says after the batch. */
export interface Applied {
  /** `Dossier-Clock` of the write. */
  readonly clock: string
  /** A row with this `valid_from` or `valid_to` was begun or ended by this very write. */
  readonly writeClock: number
  readonly row: Row
}

type Context = Pick<OperationContext<unknown, unknown>, 'load' | 'body' | 'bodies' | 'intend' | 'requestId'>

/** Who asks for which change; the body is read once the caller's rights are known. */
export async function readAsked<T>(
  ctx: Context,
  schema: z.ZodType<T>,
): Promise<Result<{ readonly caller: Caller; readonly asked: T }, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const read = await readChange(ctx, schema)
  return read.ok ? ok({ caller: loaded.value.caller, asked: read.value }) : read
}

/** Rejects with `StoreError`. The request id is the key of the batch: sent twice, it is applied once. */
export async function applyChange(ctx: Context, change: Change): Promise<Result<Applied, Refusal>> {
  const intended = await ctx.intend(change.note)
  return intended.ok ? ok(await writeChange(ctx.requestId, intended.value, change)) : intended
}

/** As `applyChange`, of a change that is intended already. */
export async function writeChange(
  key: string,
  { records }: Writers,
  { statements, outcome }: Pick<Change, 'statements' | 'outcome'>,
): Promise<Applied> {
  const { clock, writeClock, rows } = await writeBatch(records, { key, statements, outcome: [outcome] })
  return { clock, writeClock, row: rows[0]?.[0] ?? {} }
}

export interface Answer {
  readonly caller: Caller
  readonly applied: Applied
  readonly changed: boolean
  readonly note: Note
  readonly body: Readonly<Record<string, unknown>>
  /** Default 200; 202 when somebody else must confirm it first. */
  readonly status?: number
}

export const changed = ({ caller, applied, changed, note, body, status = 200 }: Answer): Disclosure => ({
  status,
  contentType: 'application/json; charset=utf-8',
  headers: { 'Dossier-Clock': applied.clock },
  body: JSON.stringify({ changed, ...body }),
  disclosed: [],
  reason: caller.kind,
  note: { ...note, changed: String(changed) },
})

export const listed = (
  caller: Caller,
  body: Readonly<Record<string, unknown>>,
  note: Note = {},
): Disclosure => ({
  status: 200,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
  disclosed: [],
  reason: caller.kind,
  ...(Object.keys(note).length === 0 ? {} : { note }),
})

export type RegistryTable =
  | 'organisation'
  | 'facility'
  | 'issuer'
  | 'professional'
  | 'client'
  | 'role_domain'
  | 'policy_setting'
  | 'review_rule'
  | 'professional_person'
  | 'watch_list'
  | 'audit_hold'

/**
 * The current row of `key` ends where it says otherwise, and a new one begins; both only where `condition` (over
 * `conditionArgs`) holds.
 *
 * @param key column → value; one row of them is current at most
 * @param values every other column → value
 */
export function replaceRow(
  table: RegistryTable,
  key: Arguments,
  values: Arguments,
  condition = 'true',
  conditionArgs: Arguments = {},
): readonly Statement[] {
  const args = { ...key, ...values, ...conditionArgs }
  const columns = Object.keys({ ...key, ...values })
  const names = Object.keys(values)
  return [
    {
      sql: `
        update ${table} set valid_to = (select n from clock)
        where ${matching(key)} and valid_to is null and (${condition})
          and (${names.join(', ')}) is not (${names.map((column) => `:${column}`).join(', ')})`,
      args,
    },
    {
      sql: `
        insert into ${table} (${columns.join(', ')}, valid_from)
        select ${columns.map((column) => `:${column}`).join(', ')}, (select n from clock)
        where (${condition}) and not exists (select 1 from ${table} where ${matching(key)} and valid_to is null)`,
      args,
    },
  ]
}

/** @param key column → value */
export const endRow = (
  table: RegistryTable,
  key: Arguments,
  condition = 'true',
  conditionArgs: Arguments = {},
): Statement => ({
  sql: `
    update ${table} set valid_to = (select n from clock)
    where ${matching(key)} and valid_to is null and (${condition})`,
  args: { ...key, ...conditionArgs },
})

/** Of the row that was current last: when it began and ended; no row: the registry never had one for `key`. */
const lastRow = (table: RegistryTable, key: Arguments): Statement => ({
  sql: `
    select row, valid_from, valid_to from ${table} where ${matching(key)}
    order by valid_to is null desc, valid_to desc limit 1`,
  args: key,
})

export interface Ending {
  readonly caller: Caller
  readonly table: RegistryTable
  readonly key: Arguments
  readonly note: Note
  /** Member of the body that names what is ended. */
  readonly named: string
  readonly body: Readonly<Record<string, unknown>>
}

/** Ends what is current; what has ended before stays as it is, what never was is not found. */
export async function endRegistered(ctx: Context, ending: Ending): Promise<Result<Disclosure, Refusal>> {
  const { caller, table, key, note, named, body } = ending
  const applied = await applyChange(ctx, {
    note,
    statements: [endRow(table, key)],
    outcome: lastRow(table, key),
  })
  if (!applied.ok) return applied
  if (applied.value.row.row === undefined) return neverRegistered(named)
  return ok(changed({ caller, applied: applied.value, changed: isEnded(applied.value), note, body }))
}

/** Begun by this write. */
export const isBegun = ({ row, writeClock }: Applied): boolean =>
  row.valid_from != null && row.valid_to == null && Number(row.valid_from) === writeClock

/** Ended by this write. */
export const isEnded = ({ row, writeClock }: Applied): boolean =>
  row.valid_to != null && Number(row.valid_to) === writeClock

const matching = (key: Arguments): string =>
  Object.keys(key)
    .map((column) => `${column} = :${column}`)
    .join(' and ')

/** A page of at most `limit` of `rows` (which hold one more where there are more), and where the next begins. */
export function pageOf<T>(
  rows: Rows,
  limit: number,
  read: (row: Row) => T,
  cursor: (row: Row) => string = ({ row }) => String(row),
): { readonly items: readonly T[]; readonly next: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(read), next: rows.length > limit && last ? cursor(last) : null }
}
