/** Pruning (`docs/audit-log.md` §4): up to where a log may go, and the statement by which its bodies do. */
import { limits } from '../limits.ts'
import type { Row, Rows, Statement } from '../store/ports.ts'

/** Of the entries of `log` below index `to`, those older than `before` (ISO 8601, UTC, milliseconds). */
export interface PruneOrder {
  readonly log: string
  readonly to: number
  readonly before: string
}

/** Whose entries stay: person ids, organisation ids. */
export interface Held {
  readonly patients: readonly string[]
  readonly organisations: readonly string[]
}

/** `not-yet`: the ledger holds no such pruning entry. */
export type PruneState = 'done' | 'more' | 'not-yet'

export interface PrunablePart {
  readonly isLogKnown: boolean
  /** Up to where it may go: published, and older than the time asked for. */
  readonly to: number
  /** The furthest that a pruning entry reaches already; null: there is none. */
  readonly ordered: PruneOrder | null
}

/** Only what a checkpoint has made public goes: until then nobody outside could tell that it was there. */
export const prunableStatement = (log: string, before: string): Statement => ({
  sql: `select exists (select 1 from ledger_leaf where log = :log) as known,
               min(coalesce((select max(size) from checkpoint where log = :log), 0), coalesce((
                 select idx from ledger_body indexed by ledger_body_time
                  where log = :log and time >= :before order by time, idx limit 1), 9007199254740991)) as upto,
               ordered_to, ordered_before
          from (select 1) left join (
            select prunes_to as ordered_to, prunes_before as ordered_before
              from ledger_body indexed by ledger_body_prunes
             where prunes_log = :log order by prunes_to desc limit 1)`,
  args: { log, before },
})

/** @param row of `prunableStatement` */
export function prunablePart(log: string, row: Row | undefined): PrunablePart {
  const { known, upto = 0, ordered_to = null, ordered_before } = row ?? {}
  return {
    isLogKnown: Number(known) === 1,
    to: Number(upto),
    ordered: ordered_to === null ? null : { log, to: Number(ordered_to), before: String(ordered_before) },
  }
}

/** What a pruning entry says in its note. */
export const pruningNote = ({ log, to, before }: PruneOrder): Readonly<Record<string, string>> => ({
  'prunes-log': log,
  'prunes-to': String(to),
  'prunes-before': before,
})

/** Null: the note is that of no pruning entry. */
export function orderOf(note: Readonly<Record<string, string>> | null): PruneOrder | null {
  const { 'prunes-log': log, 'prunes-to': to, 'prunes-before': before } = note ?? {}
  if (log === undefined || to === undefined || before === undefined) return null
  return { log, to: Number(to), before }
}

/**
 * Lets bodies go, at most `limits.pruneBatches` transactions of `limits.pruneBatchEntries`; safe to repeat. Rejects with
 * `StoreError`.
 *
 * @param apply applies statements in one transaction
 * @param held asked before each: a hold that was told to somebody keeps what is there by then
 */
export async function prune(
  apply: (statements: readonly Statement[]) => Promise<readonly Rows[]>,
  order: PruneOrder,
  held: () => Promise<Held>,
): Promise<PruneState> {
  for (let from = 0, batch = 0; batch < limits.pruneBatches; batch++) {
    const statements = [entryStatement(order), batchStatement(order, await held(), from)]
    const [entries, gone = []] = await apply(statements)
    if (entries?.length === 0) return 'not-yet'
    if (gone.length < limits.pruneBatchEntries) return 'done'
    from = Math.max(...gone.map(({ idx }) => Number(idx))) + 1
  }
  return 'more'
}

const entryStatement = ({ log, to, before }: PruneOrder): Statement => ({
  sql: `select idx from ledger_body indexed by ledger_body_prunes
         where prunes_log = ? and prunes_before >= ? and prunes_to >= ? limit 1`,
  args: [log, before, to],
})

/**
 * Bodies of redactions and successions stay, as the ledger's own trigger demands; so do those on hold, and the intent of what
 * is: it names nobody yet.
 */
const mayGo = `log = :log and idx >= :from and idx < :to and time < :before
             and action not in ('redaction', 'succession')
             and (patient is null or patient not in (select value from json_each(:patients)))
             and (organisation is null or organisation not in (select value from json_each(:organisations)))
             and not (patient is null and entry ->> '$.access.phase' = 'intent' and exists (
               select 1 from ledger_body as told indexed by ledger_body_request
                where told.request_id = ledger_body.request_id and (
                  told.patient in (select value from json_each(:patients))
                  or told.organisation in (select value from json_each(:organisations)))))`

const argsOf = ({ log, to, before }: PruneOrder, { patients, organisations }: Held, from: number) => ({
  log,
  from,
  to,
  before,
  patients: JSON.stringify(patients),
  organisations: JSON.stringify(organisations),
})

/** A row: of what the order names, something is there that may go. */
export const prunableBodyStatement = (order: PruneOrder, held: Held): Statement => ({
  sql: `select idx from ledger_body where ${mayGo} order by idx limit 1`,
  args: argsOf(order, held, 0),
})

const batchStatement = (order: PruneOrder, held: Held, from: number): Statement => ({
  sql: `delete from ledger_body where log = :log and idx in (
          select idx from ledger_body
           where ${mayGo}
             and exists (select 1 from ledger_body as pruning indexed by ledger_body_prunes
                          where pruning.prunes_log = :log and pruning.prunes_before >= :before and pruning.prunes_to >= :to)
           order by idx limit :limit)
        returning idx`,
  args: { ...argsOf(order, held, from), limit: limits.pruneBatchEntries },
})
