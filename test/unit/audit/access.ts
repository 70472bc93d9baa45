import type { AccessBase } from '../../../src/audit/entry.ts'

/** An ordinary search; tests change what they are about. */
export const base: AccessBase = {
  requestId: '00000000-0000-4000-8000-000000000000',
  clientRequestId: null,
  phase: 'access',
  action: 'search',
  operation: 'search-type',
  who: {
    issuer: 'https://issuer.example',
    subject: 'subject-1',
    client: 'client-1',
    practitioner: 'professional-1',
    name: 'Dre Anne Tremblay',
    role: 'physician',
    facility: 'facility-1',
    organisation: 'organisation-1',
    token: 'jti-1',
    address: '192.0.2.1',
  },
  purpose: 'TREAT',
  breakGlassReason: null,
  query: {
    method: 'GET',
    path: '/fhir/Observation',
    text: '/fhir/Observation?patient=p1',
    sha256: '0'.repeat(64),
  },
  decision: { outcome: 'permit', reason: 'shared', detail: null },
  policyVersion: 'abcd.1',
  staleness: null,
  status: 200,
  note: null,
}
