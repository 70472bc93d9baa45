/** Planned documents that what is stored contradicts. */
import type { Issue } from '../fhir/outcome.ts'
import type { LatestVersion } from './documents-sql.ts'
import type { EntryOutcome, Plan } from './plan.ts'
import type { PlannedDocument } from './plan-document.ts'
import { noSuchDocument, noSuchPerson, otherPerson, otherVersion, statusOf } from './plan-issues.ts'
import type { SourceRecordRow } from './source-records.ts'

/**
 * Null when nothing stands against writing it. Another facility's document is told as if there were none. One about
 * nobody may come to be about someone, never the reverse.
 *
 * @param stored what a database holds of it
 */
export function contradiction(
  { index, sourceRecord }: PlannedDocument,
  facility: string,
  stored: readonly LatestVersion[],
): Issue | null {
  if (stored.some((latest) => latest.facility !== facility)) return noSuchDocument(index)
  const isOther = (latest: LatestVersion) =>
    latest.sourceRecord !== '' && latest.sourceRecord !== sourceRecord
  return stored.some(isOther) ? otherPerson(index) : null
}

/** Source records that documents of the plan may name: those it brings in, and those that *records* has. */
export const nameable = ({ sourceRecords }: Plan, stored: readonly SourceRecordRow[]): ReadonlySet<string> =>
  new Set([
    ...sourceRecords.filter(({ isDerived }) => isDerived).map(({ id }) => id),
    ...stored.map(({ id }) => id),
  ])

/**
 * As `contradiction`, with all that both databases hold of it: then a `PUT` to a server id needs a document, and the
 * person a source record, too.
 */
export function refusal(
  document: PlannedDocument,
  facility: string,
  stored: readonly LatestVersion[],
  sourceRecords: ReadonlySet<string>,
): Issue | null {
  const { index, mustExist, sourceRecord, personPath } = document
  if (mustExist && stored.length === 0) return noSuchDocument(index)
  if (sourceRecord !== '' && !sourceRecords.has(sourceRecord)) return noSuchPerson(index, personPath)
  return contradiction(document, facility, stored)
}

/** Null when the version that a write names is still the current one. */
export function otherVersionThan(
  { index, expected }: PlannedDocument,
  stored: readonly LatestVersion[],
): Issue | null {
  const current = stored.find(({ isCurrent }) => isCurrent)?.version ?? null
  return expected === null || expected === current ? null : otherVersion(index, current)
}

/** The plan without the documents at these positions; their entries tell why (`batch`). */
export function withoutRefused(plan: Plan, refused: ReadonlyMap<number, Issue>): Plan {
  if (refused.size === 0) return plan
  const moved = new Map<number, number>()
  const documents = plan.documents.filter((_, position) => {
    if (refused.has(position)) return false
    moved.set(position, moved.size)
    return true
  })
  const named = new Set(documents.map(({ sourceRecord }) => sourceRecord))
  const outcomes = plan.outcomes.map((outcome): EntryOutcome => {
    if (!('document' in outcome)) return outcome
    const issue = refused.get(outcome.document)
    if (issue) return { issues: [issue], status: issue.code === 'not-found' ? 404 : statusOf([issue]) }
    return { document: moved.get(outcome.document) ?? -1 }
  })
  const isRefused = (index: number): boolean => 'issues' in (outcomes[index] ?? {})
  return {
    ...plan,
    documents,
    conditions: plan.conditions.filter(({ index }) => !isRefused(index)),
    sourceRecords: plan.sourceRecords.filter(({ id }) => named.has(id)),
    outcomes,
  }
}
