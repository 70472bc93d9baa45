/** The `CapabilityStatement`, made of the tables that drive reading and searching: it cannot disagree with them. */
import { auditEventParameters } from './audit-event-parameters.ts'
import { isSearched, searchParametersOf } from './search-parameters.ts'
import { resourceTypes } from './types.ts'

/** JSON text. `origin` is scheme and host as the caller wrote them. */
export function capabilityStatement(origin: string): string {
  return JSON.stringify({
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-22',
    kind: 'instance',
    software: { name: 'Dossier' },
    implementation: { description: 'Dossier', url: `${origin}/fhir` },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        security: {
          cors: false,
          description: 'A JWT access token of a trusted issuer on every request (RFC 9068, IHE IUA).',
        },
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        resource: [...resourceTypes].map(capabilityOf),
      },
    ],
  })
}

function capabilityOf(type: string) {
  const offered =
    type === 'AuditEvent' ? auditEventParameters : isSearched(type) ? searchParametersOf(type) : []
  const searchParam = offered.map(({ name, type }) => ({ name, type }))
  return {
    type,
    versioning: 'versioned',
    interaction: [{ code: 'read' }, ...(searchParam.length > 0 ? [{ code: 'search-type' }] : [])],
    ...(searchParam.length > 0 ? { searchParam } : {}),
  }
}
