/** The register of refusals and restrictions, `/fhir/Consent`: mounted before the document operations of `/fhir`. */
import type { Operation } from '../disclosure/operation.ts'
import { consentHistoryOperation, readConsentOperation, searchConsentOperation } from './consent-read.ts'
import { createConsentOperation, updateConsentOperation } from './consent-write.ts'

// biome-ignore lint/suspicious/noExplicitAny: operations over different inputs; whoever mounts them never looks inside.
export const consentOperations: readonly Operation<any, any>[] = [
  createConsentOperation,
  searchConsentOperation,
  consentHistoryOperation,
  readConsentOperation,
  updateConsentOperation,
]
