/** The register of refusals and restrictions, `/fhir/Consent`: mounted before the document operations of `/fhir`. */
import type { AnyOperation } from '../disclosure/operation.ts'
import { consentHistoryOperation, readConsentOperation, searchConsentOperation } from './consent-read.ts'
import { createConsentOperation, updateConsentOperation } from './consent-write.ts'

export const consentOperations: readonly AnyOperation[] = [
  createConsentOperation,
  searchConsentOperation,
  consentHistoryOperation,
  readConsentOperation,
  updateConsentOperation,
]
