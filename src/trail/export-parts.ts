/** Which indices of each log an export searches, and what its header says of the rest of the log. */
import { base64url } from '../audit/base64url.ts'
import { limits } from '../limits.ts'
import type { Reader, Rows, Statement } from '../store/ports.ts'
import type { ChainPart } from './export-chain.ts'
import type { Completeness, ExportedLog } from './export-format.ts'
import type { Part } from './export-lines.ts'
import type { Chains, FixedLog } from './export-logs.ts'
import { type Tree, treeOf } from './export-tree.ts'
import {
  firstAtStatement,
  firstOwnAtStatement,
  lastBeforeStatement,
  lastOwnBeforeStatement,
} from './ledger-sql.ts'

export interface PlannedPart extends Part {
  /** Null for a log without entries. */
  readonly tree: Tree | null
  /** Of a chain export, in the order of the header; else none. */
  readonly chains: readonly ChainPart[]
}

export interface ExportPart extends PlannedPart {
  readonly header: ExportedLog
}

/** What was asked for beside the filters. */
export interface Wanted {
  readonly completeness: Completeness
  readonly chains: Chains | null
  /** ISO 8601, UTC, milliseconds; null: no bound. */
  readonly from: string | null
  readonly to: string | null
  /** Sizes by log. */
  readonly until: ReadonlyMap<string, number>
  readonly known: ReadonlyMap<string, number>
  /**
   * Ids of whoever has only what is about them: the bounds of a period are those of their entries. By those of all, whoever
   * asks for one short period after the other would learn when others’ entries were made.
   */
  readonly own: readonly string[]
}

export async function exportParts(
  ledger: Reader,
  logs: readonly FixedLog[],
  wanted: Wanted,
): Promise<readonly ExportPart[]> {
  const bounds = await searchedParts(ledger, logs, wanted)
  const coverage = new Map(logs.map(({ log, checkpoint }) => [log, checkpoint?.size ?? 0]))
  return await Promise.all(
    logs.map((log, i) => exportPart(ledger, log, { ...(bounds[i] as Bounds), coverage }, wanted)),
  )
}

interface Bounds {
  readonly first: number
  readonly end: number
}

/**
 * Entries without a body have no time: those at either end of the period, between an entry outside and one inside it, are
 * searched too.
 */
async function searchedParts(
  ledger: Reader,
  logs: readonly FixedLog[],
  { from, to, until, own }: Wanted,
): Promise<readonly Bounds[]> {
  const before = await readEach(
    ledger,
    from === null ? [] : logs.map(({ log }) => lastBefore(log, from, own)),
  )
  const at = await readEach(ledger, to === null ? [] : logs.map(({ log }) => firstAt(log, to, own)))
  return logs.map(({ log, size, isAdded }, i) => {
    if (isAdded) return { first: size, end: size }
    const end = Math.min(Number(at[i]?.[0]?.idx ?? size), until.get(log) ?? size, size)
    return { first: Math.min(Number(before[i]?.[0]?.idx ?? -1) + 1, end), end }
  })
}

const lastBefore = (log: string, time: string, own: readonly string[]): Statement =>
  own.length === 0 ? lastBeforeStatement(log, time) : lastOwnBeforeStatement(log, time, own)

const firstAt = (log: string, time: string, own: readonly string[]): Statement =>
  own.length === 0 ? firstAtStatement(log, time) : firstOwnAtStatement(log, time, own)

const readEach = async (ledger: Reader, statements: readonly Statement[]): Promise<readonly Rows[]> =>
  statements.length === 0 ? [] : await ledger.read(statements, limits.exportPageDeadlineMs)

async function exportPart(
  ledger: Reader,
  { log, origin, keys, size, isCurrent, checkpoint, heads }: FixedLog,
  { first, end, coverage }: Bounds & Pick<Part, 'coverage'>,
  { completeness, chains, known }: Wanted,
): Promise<ExportPart> {
  const covered = checkpoint?.size ?? 0
  const tree = checkpoint && treeOf(ledger, log, covered)
  const isRange = completeness === 'range'
  const told = chains !== null && completeness === `${chains.kind}-chain` ? (heads ?? []) : []
  const from = known.get(log)
  const [before = [], after = [], grown = null] = await Promise.all([
    isRange ? tree?.cover(0, first) : [],
    isRange ? tree?.cover(end, covered) : [],
    from !== undefined && from > 0 && from <= covered ? tree?.consistency(from) : null,
  ])
  return {
    log,
    first,
    end,
    covered,
    coverage,
    after: null,
    tree,
    chains: told.map((head, i) => chainPart(chains as Chains, i, head)),
    header: {
      log,
      origin,
      keys,
      size: String(size),
      first: String(first),
      end: String(end),
      current: isCurrent,
      checkpoint: checkpoint?.note ?? null,
      before: before.map(base64url),
      after: after.map(base64url),
      heads: told,
      known: grown && { size: String(from), proof: grown.map(base64url) },
    },
  }
}

const chainPart = ({ kind, keys }: Chains, i: number, head: string): ChainPart => ({
  kind,
  key: keys[i] as string,
  isOnly: keys.length === 1,
  ...placesIn(head),
})

/** Of a `dossier-head/v1` (`docs/audit-log.md` §3). */
function placesIn(head: string): { readonly count: number; readonly last: string | null } {
  const [, count, last] = /^count (\d+)\nlast (-|\d+)$/m.exec(head) ?? []
  return { count: Number(count ?? 0), last: last === undefined || last === '-' ? null : last }
}
