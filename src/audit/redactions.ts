/** Redaction (`docs/audit-log.md` §4): the entry that allows it, and the one statement by which a body goes. */
import type { Row, Rows, Statement } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import { leafOf } from './commitment.ts'
import { type Held, type PruneOrder, type PruneState, prune } from './pruning.ts'
import { sameBytes } from './tlog/hash.ts'

/** Redacted entries are named by decimal strings; no two entries of one log may redact the same. */
export const redactionKey = (log: string, index: number): string => `redact/${log}/${index}`

/**
 * What a row of `ledger_body` must be to redact the entry that it names, the index apart: a permitted intent, and of this
 * very log, since a successor takes over entries as they are.
 */
export const isRedaction = (row: string): string =>
  `${row}.action = 'redaction' and ${row}.outcome = 'permit' and ${row}.entry ->> '$.access.phase' = 'intent'
      and coalesce(${row}.entry ->> '$.access.note.redacts-log', ${row}.log) = ${row}.log`

/**
 * Index of the entry by which `:index` of `:log` is redacted; null: by none. `:redacts` is the index as text: numbers are
 * bound as floats. The planner, without statistics, would walk the whole log.
 */
const redactionOfIndex = `(
  select min(redaction.idx) from ledger_body as redaction indexed by ledger_body_redacts
    where redaction.log = :log and redaction.redacts = :redacts and redaction.idx > :index
      and ${isRedaction('redaction')})`

/** `<log>/<index>` of an entry by which the body at this index went, if it went by one; what both are, in SQL. */
export const pruningOf = (log: string, idx: string): string => `(
  select pruning.log || '/' || pruning.idx from ledger_body as pruning indexed by ledger_body_prunes
    where pruning.prunes_log = ${log} and pruning.prunes_to > ${idx}
    order by pruning.prunes_before desc limit 1)`

const argsOf = (log: string, index: number) => ({ log, index, redacts: String(index) })

/** What the ledger holds at one index. */
export interface LedgerPlace {
  /** Null: no body is there. */
  readonly body: {
    readonly entry: string
    readonly action: string
    readonly practitioner: string | null
    /** It is what the leaf commits to. */
    readonly opensLeaf: boolean
  } | null
  /** The ledger has entries of this log. */
  readonly isLogKnown: boolean
  /** The log takes no entry any more, so no redaction either. */
  readonly isRetired: boolean
  /** Index of the entry by which it is redacted, whether the body is gone yet or not; null: by none. */
  readonly redaction: number | null
  /** Entries that the newest checkpoint of the log covers. */
  readonly published: number
}

export const placeStatement = (log: string, index: number): Statement => ({
  sql: `select entry, salt, leaf, action, practitioner, ${redactionOfIndex} as redaction,
               coalesce((select max(size) from checkpoint where log = :log), 0) as published,
               exists (select 1 from ledger_leaf where log = :log) as known,
               exists (select 1 from log_retired where log = :log) as retired
          from (select 1)
          left join ledger_body as body on body.log = :log and body.idx = :index
          left join ledger_leaf as leaf on leaf.log = :log and leaf.idx = :index`,
  args: argsOf(log, index),
})

/** @param row of `placeStatement` */
export function ledgerPlace(row: Row | undefined): LedgerPlace {
  const {
    entry,
    salt,
    leaf,
    action,
    practitioner,
    redaction = null,
    published = 0,
    known,
    retired,
  } = row ?? {}
  return {
    body:
      typeof entry === 'string'
        ? {
            entry,
            action: String(action),
            practitioner: practitioner as string | null,
            opensLeaf: leaf !== null && sameBytes(leafOf(bytes(salt), entry), bytes(leaf)),
          }
        : null,
    isLogKnown: Number(known) === 1,
    isRetired: Number(retired) === 1,
    redaction: redaction === null ? null : Number(redaction),
    published: Number(published),
  }
}

/**
 * What a redaction entry says in its note of the entry that it redacts: its index and its place in either chain, so that
 * the chains can be followed through the gap; and its log.
 */
export function redactionNote(log: string, index: number, entry: string): Readonly<Record<string, string>> {
  const { chains } = JSON.parse(entry) as Pick<StoredChains, 'chains'>
  return {
    redacts: String(index),
    'redacts-log': log,
    'redacts-organisation': placeText(chains.organisation),
    'redacts-patient': placeText(chains.patient),
  }
}

interface StoredPlace {
  readonly count: string
  readonly previous: string | null
}

interface StoredChains {
  readonly chains: { readonly organisation: StoredPlace | null; readonly patient: StoredPlace | null }
}

const placeText = (place: StoredPlace | null): string =>
  place === null ? '-' : `${place.count}@${place.previous ?? '-'}`

/** The only way by which anything leaves the ledger. */
export interface Redactions {
  /**
   * Removes the body at `index`, where a redaction entry in the ledger allows it; safe to repeat. Resolves to the index of
   * that entry once the body is gone; null: the ledger holds no such entry yet, and the body stays. Rejects with
   * `StoreError`: `constraint` when the entry names other places than the body has, `unavailable` when it may be gone or not.
   */
  remove(log: string, index: number): Promise<number | null>
  /** Removes what a pruning entry in the ledger lets go, some of it at a time. Rejects with `StoreError`. */
  prune(order: PruneOrder, held: () => Promise<Held>): Promise<PruneState>
}

/** @param apply applies statements in one transaction; rejects when they did not, or may not have, taken effect. */
export function redactions(
  apply: (statements: readonly Statement[]) => Promise<readonly Rows[]>,
): Redactions {
  return {
    prune: (order, held) => prune(apply, order, held),
    remove: async (log, index) => {
      const args = argsOf(log, index)
      const [, rows] = await apply([
        {
          sql: `delete from ledger_body where log = :log and idx = :index and ${redactionOfIndex} is not null`,
          args,
        },
        { sql: `select ${redactionOfIndex} as redaction`, args },
      ])
      const redaction = rows?.[0]?.redaction ?? null
      return redaction === null ? null : Number(redaction)
    },
  }
}
