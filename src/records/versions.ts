/**
 * Earlier versions as rows that the policy decides. One is told only to whoever may see the document as it stands now *and*
 * that version by its own domain, label, date: what was labelled more confidential, restricted or refused since does not
 * come back by its history.
 */
import type { DecidedRow, Situation } from '../access/policy.ts'
import type { Loaded } from '../disclosure/operation.ts'
import type { Rows } from '../store/ports.ts'
import type { DocumentState } from './document-state.ts'
import { type Judged, judge, type PageRow, pageRow } from './page.ts'

export interface VersionRow extends PageRow {
  readonly isDeletion: boolean
  /** All that the columns tell: further codings of an earlier version count for no scope. */
  readonly codings: DecidedRow['codings']
}

export type Known = Exclude<DocumentState, { kind: 'hidden' }>

/**
 * The versions of one document, each once, newest first, that the policy leaves to the caller.
 *
 * @param records results of a statement about versions; so is `local`
 */
export function judgeVersions(
  { caller }: Pick<Loaded, 'caller'>,
  situation: Situation,
  state: Known,
  { records = [], local = [] }: { readonly records: Rows | undefined; readonly local: Rows | undefined },
): Judged<VersionRow> {
  // What is no longer shared, or was deleted, is its facility's own again, in all its versions: the end alone is told.
  const isShared = (version: number): boolean =>
    state.row.shared && (state.kind === 'current' || version === state.row.version)
  const all = [
    ...records.map((row) => versionRow(row, isShared(Number(row.version)), state)),
    ...local.map((row) => versionRow(row, false, state)),
  ]
  const judged = judge(caller, situation, all, ({ codings }) => codings)
  // A document that went to the other database and came back unchanged has the same version in both.
  const unique = new Map<number, VersionRow>()
  for (const row of judged.rows) if (!unique.has(row.version)) unique.set(row.version, row)
  return { ...judged, rows: [...unique.values()].sort((a, b) => b.version - a.version) }
}

/** Why versions are told: an emergency that opens the document, or one of them, is what opens them. */
export function reasonOf(
  { caller }: Pick<Loaded, 'caller'>,
  situation: Situation,
  state: Known,
  told: readonly VersionRow[],
): Pick<Judged, 'reason' | 'basis' | 'breakGlassReason'> {
  const judged = judge(caller, situation, told, ({ codings }) => codings)
  return judged.reason === 'break-glass' ? judged : state.judged
}

const versionRow = (row: Rows[number], shared: boolean, { row: last }: Known): VersionRow => ({
  ...pageRow(row, shared),
  // Also a version that was about nobody is told of the person whose document it became.
  person: last.person,
  isDeletion: Number(row.deleted) === 1,
  codings: {
    categories: row.category === '' ? [] : [String(row.category)],
    codes: row.code === '' ? [] : [String(row.code)],
    statuses: row.status === '' ? [] : [String(row.status)],
  },
})
