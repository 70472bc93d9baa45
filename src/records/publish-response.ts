/** What a publisher is told: one response entry per entry of its bundle, in order (FHIR R4, batch/transaction). */
import { etagOf } from '../fhir/not-modified.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import type { RecordsOutcome } from './documents.ts'
import type { Finished } from './documents-local.ts'
import { documentKey } from './documents-rows.ts'
import type { LatestVersion } from './documents-sql.ts'
import { versionedReference } from './page.ts'
import type { EntryOutcome, Plan } from './plan.ts'
import type { PlannedDocument } from './plan-document.ts'
import { unknownPerson } from './plan-issues.ts'

/** A planned document as it now stands. */
export interface Written {
  readonly latest: LatestVersion
  readonly state: 'created' | 'updated' | 'unchanged'
}

/**
 * One per document.
 *
 * @param plan without what was refused
 * @param published of this publication: a document that only moved keeps its own
 */
export function writtenDocuments(
  plan: Plan,
  published: string,
  inRecords: RecordsOutcome,
  inLocal: Finished | null,
): readonly Written[] {
  return plan.documents.map((document): Written => {
    const key = documentKey(document)
    const shared = inRecords.latest.get(key)
    const own = inLocal?.latest.get(key)
    const isShared = document.route === 'records'
    const latest = isShared ? shared : (own ?? shared)
    if (!latest) throw new Error(`a document of this publication is in neither database: ${key}`)
    const writeClock = isShared ? inRecords.writeClock : inLocal?.writeClock
    const isNew = latest.clock === writeClock && latest.published === published
    const isFirst = latest.version === 1 || latest.isCreatedAgain
    return { latest, state: isNew ? (isFirst ? 'created' : 'updated') : 'unchanged' }
  })
}

/** Versions that the answer tells of: written, deleted, or there already. */
export const concerned = (plan: Plan, written: readonly Written[]) => [
  ...written.map(({ latest }) => latest),
  ...plan.removals.map((document) => ({ ...document, version: document.version + 1 })),
  ...plan.outcomes.flatMap((outcome) => ('existing' in outcome ? [outcome.existing] : [])),
]

/** @param published of this publication: entries last modified then are its own, the others were unchanged */
export function responseBundle(
  plan: Plan,
  written: readonly Written[],
  published: string,
  language: 'fr' | 'en',
) {
  return {
    resourceType: 'Bundle',
    type: plan.kind === 'batch' ? 'batch-response' : 'transaction-response',
    timestamp: published,
    entry: plan.outcomes.map((outcome, index) => ({
      response: {
        ...entryResponse(outcome, written, published, language),
        ...('document' in outcome ? warningOf(plan.documents[outcome.document], index, language) : {}),
      },
    })),
  }
}

function entryResponse(
  outcome: EntryOutcome,
  written: readonly Written[],
  published: string,
  language: 'fr' | 'en',
) {
  if ('issues' in outcome)
    return { status: statusTexts[outcome.status], outcome: operationOutcome(outcome.issues, language) }
  if ('removed' in outcome)
    return {
      status: '204 No Content',
      ...(outcome.removed
        ? { etag: etagOf({ version: outcome.removed.version + 1 }), lastModified: published }
        : {}),
    }
  if ('existing' in outcome) return versionResponse('200 OK', outcome.existing)
  const document = written[outcome.document]
  if (!document) throw new Error(`an entry of this publication names no document: ${outcome.document}`)
  const { latest, state } = document
  return versionResponse(state === 'created' ? '201 Created' : '200 OK', latest)
}

function versionResponse(
  status: string,
  document: Pick<LatestVersion, 'type' | 'id' | 'version' | 'published'>,
) {
  return {
    status,
    location: versionedReference(document),
    etag: etagOf(document),
    lastModified: document.published,
  }
}

function warningOf(document: PlannedDocument | undefined, index: number, language: 'fr' | 'en') {
  const warning = document && unknownPersonOf(document, index)
  return warning ? { outcome: operationOutcome([warning], language, 'warning') } : {}
}

/** What was kept, but not as its sender may think. @param index of the entry, which may share its document */
export const unknownPersonOf = (document: PlannedDocument, index = document.index): Issue | null =>
  document.unknownPerson === null ? null : unknownPerson(index, document.unknownPerson)

const statusTexts = {
  400: '400 Bad Request',
  403: '403 Forbidden',
  404: '404 Not Found',
  409: '409 Conflict',
  412: '412 Precondition Failed',
} as const
