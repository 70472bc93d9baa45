/** How one version of one document is told: whole, as unchanged, or as deleted. */
import type { Disclosure, OperationContext } from '../disclosure/operation.ts'
import { etagOf, isNotModified, lastModifiedOf } from '../fhir/not-modified.ts'
import { operationOutcome } from '../fhir/outcome.ts'
import { disclosedOf, type Judged, type PageRow } from './page.ts'

type Context = Pick<OperationContext<unknown, unknown>, 'ifNoneMatch' | 'ifModifiedSince' | 'language'>

const fhirJson = 'application/fhir+json; charset=utf-8'

const reasonsOf = ({ reason, breakGlassReason, mismatches }: Judged) => ({
  reason,
  breakGlassReason,
  mismatches,
})

const noteOf = ({ basis }: Judged, note: Readonly<Record<string, string>> = {}) => {
  const all = { ...(basis === null ? {} : { basis }), ...note }
  return Object.keys(all).length > 0 ? { note: all } : {}
}

/** That nothing has changed is told of this version, and so audited like reading it. */
export function answerWith(ctx: Context, row: PageRow, judged: Judged): Disclosure {
  const isUnchanged = isNotModified(ctx, row)
  return {
    status: isUnchanged ? 304 : 200,
    contentType: fhirJson,
    headers: { ETag: etagOf(row), 'Last-Modified': lastModifiedOf(row) },
    body: isUnchanged ? '' : row.body,
    disclosed: disclosedOf([row]),
    ...reasonsOf(judged),
    ...noteOf(judged, isUnchanged ? { answer: 'not-modified' } : {}),
  }
}

/** R4 §3.1.0.7: once there and no more. */
export const answerDeleted = ({ language }: Context, row: PageRow, judged: Judged): Disclosure => ({
  status: 410,
  contentType: fhirJson,
  headers: { 'Content-Language': language },
  body: JSON.stringify(
    operationOutcome(
      [{ code: 'deleted', text: { fr: 'Ce document a été supprimé.', en: 'This document was deleted.' } }],
      language,
    ),
  ),
  disclosed: disclosedOf([row]),
  ...reasonsOf(judged),
  ...noteOf(judged, { answer: 'deleted' }),
})
