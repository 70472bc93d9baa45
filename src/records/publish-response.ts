/** What a publisher is told: one response entry per entry of its bundle, in order (FHIR R4, batch/transaction). */
import { operationOutcome } from '../fhir/outcome.ts'
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
    return { latest, state: isNew ? (latest.version === 1 ? 'created' : 'updated') : 'unchanged' }
  })
}

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
        ...entryResponse(outcome, written, language),
        ...('document' in outcome ? warningOf(plan.documents[outcome.document], index, language) : {}),
      },
    })),
  }
}

function entryResponse(outcome: EntryOutcome, written: readonly Written[], language: 'fr' | 'en') {
  if ('issues' in outcome) {
    return { status: statusTexts[outcome.status], outcome: operationOutcome(outcome.issues, language) }
  }
  const document = written[outcome.document]
  if (!document) throw new Error(`an entry of this publication names no document: ${outcome.document}`)
  const { latest, state } = document
  return {
    status: state === 'created' ? '201 Created' : '200 OK',
    location: versionedReference(latest),
    etag: `W/"${latest.version}"`,
    lastModified: latest.published,
  }
}

/** What was kept, but not as its sender may think. */
function warningOf(document: PlannedDocument | undefined, index: number, language: 'fr' | 'en') {
  if (!document || document.unknownPerson === null) return {}
  return { outcome: operationOutcome([unknownPerson(index, document.unknownPerson)], language, 'warning') }
}

const statusTexts = {
  400: '400 Bad Request',
  403: '403 Forbidden',
  404: '404 Not Found',
  409: '409 Conflict',
} as const
