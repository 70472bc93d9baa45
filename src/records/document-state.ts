/**
 * Where a document asked for by its id stands for this caller: current, deleted, or not there. Whoever may not see the
 * current version, or would not have seen the last one, learns nothing of any: the same refusal as of an unknown id.
 */
import type { Caller } from '../access/caller.ts'
import { type DecidedDocument, decideRow, noCodings, type Situation } from '../access/policy.ts'
import { grantsFor, scopeFilter } from '../access/scope.ts'
import type { SubjectOf } from '../access/subject.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import type { Asker, Loaded, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { Row, Rows, SqlValue, Statement } from '../store/ports.ts'
import { emergencyOf, type Judged, judge, merge, type PageRow, pageRow } from './page.ts'
import { currentStatement, type DocumentId, lastStatement, type RowFilter } from './versions-sql.ts'

type Context = Pick<OperationContext<unknown, unknown>, 'scopes'>

export interface Filters {
  readonly records: RowFilter
  readonly local: RowFilter
}

/** What this caller's rows of one type are filtered by, for reading (SMART `r`); `codings`: as of `scopeFilter`. */
export function filtersFor(
  { scopes }: Context,
  asker: Asker,
  type: string,
  codings: 'all' | 'columns' = 'all',
): Filters {
  const grants = grantsFor(scopes, asker.sight?.kind ?? 'provider', { type, interaction: 'r' })
  const narrowed = (sql: string, filterArgs: Readonly<Record<string, SqlValue>>): RowFilter => {
    const args: Record<string, SqlValue> = { ...filterArgs }
    const scoped = scopeFilter(grants, 'd', args, asker.presented.patient, codings)
    return { sql: `${sql} and ${scoped}`, args }
  }
  return {
    records: narrowed(visible('d', asker), visibleArgs(asker)),
    local: narrowed(visibleLocal('d'), visibleLocalArgs(asker.facility)),
  }
}

/**
 * Of the end of a document *records* tells no more than what decides about it, and the policy does: the row filter would cost
 * its planning at every read.
 */
const undecided: RowFilter = { sql: 'true', args: {} }

/** The first statements of a page about one document; further ones follow them. */
export function stateStatements(
  document: DocumentId,
  filters: Filters,
): { readonly records: readonly Statement[]; readonly local: readonly Statement[] } {
  return {
    records: [currentStatement(document, filters.records), lastStatement(document, undecided)],
    local: [currentStatement(document, filters.local), lastStatement(document, filters.local)],
  }
}

/** Whom the document is about: of an unshared one only the local database knows. */
export const subjectOf =
  ({ type, id }: DocumentId) =>
  ([current = [], last = []]: readonly Rows[]): SubjectOf => ({
    by: 'document',
    type,
    id,
    sourceRecord: String((current[0] ?? last[0])?.source_record ?? ''),
  })

export type DocumentState =
  | { readonly kind: 'current' | 'deleted'; readonly row: PageRow; readonly judged: Judged }
  | { readonly kind: 'hidden'; readonly refusal: Refusal }

/** `loaded`: results of `stateStatements`, and whatever follows. */
export function stateOf(loaded: Loaded, situation: Situation, { type, id }: DocumentId): DocumentState {
  const { caller, records, local, document, isLocalMissing } = loaded
  const found = [...rowsOf(records[0], true), ...rowsOf(local[0], false)]
  const judged = judge(caller, situation, merge([found], 1).rows)
  const [row] = judged.rows
  if (row) return { kind: 'current', row, judged }
  const hidden = local[0]?.[0] ? pageRow(local[0][0], false) : null
  if (!isLocalMissing && document === null && hidden === null) {
    const deleted = deletedState(loaded, situation)
    if (deleted) return deleted
  }
  const why = whyHidden(caller, situation, document, hidden)
  // It may be where nobody could look: the same answer for what is withheld, which must not be told from what is unknown.
  const refusal: Refusal = isLocalMissing
    ? { reason: 'store-unavailable', detail: why.cause ? `local; ${why.cause}` : 'local' }
    : { reason: 'not-found', what: `${type}/${id}`, ...why }
  return { kind: 'hidden', refusal }
}

const rowsOf = (rows: Rows = [], shared: boolean): readonly PageRow[] =>
  rows.map((row: Row) => pageRow(row, shared))

/** To whoever could have read the last version. */
function deletedState(
  { caller, records, local, subjects }: Loaded,
  situation: Situation,
): DocumentState | null {
  const ends = [...endsIn(records[1], true), ...endsIn(local[1], false)]
  const [last] = ends.sort((a, b) => b.version - a.version)
  if (!last) return null
  const decision = decideRow(caller, situation, { ...last, codings: noCodings })
  if (decision.outcome === 'deny') return null
  const { reason, basis } = decision
  const person = subjects.find(({ sourceRecords }) => sourceRecords.includes(last.sourceRecord))?.person ?? ''
  const row = { ...last, person }
  const breakGlassReason = reason === 'break-glass' ? emergencyOf(caller, situation) : null
  return { kind: 'deleted', row, judged: { rows: [row], mismatches: [], reason, basis, breakGlassReason } }
}

const endsIn = (rows: Rows = [], shared: boolean): readonly PageRow[] =>
  rowsOf(
    rows.filter(({ deleted }) => Number(deleted) === 1),
    shared,
  )

/** What the audit log is told of a document that is there and was withheld; the wire says the same as of one that is not. */
function whyHidden(
  caller: Caller,
  situation: Situation,
  shared: DecidedDocument | null,
  local: DecidedDocument | null,
): Pick<Extract<Refusal, { reason: 'not-found' }>, 'cause' | 'patient'> {
  const row = local ? { ...local, shared: false } : shared && { ...shared, shared: true }
  if (!row) return {}
  const decision = decideRow(caller, situation, { ...row, codings: noCodings })
  const [subject] = situation.subjects
  return {
    ...(decision.outcome === 'deny' ? { cause: decision.reason } : {}),
    ...(subject ? { patient: subject.person } : {}),
  }
}
