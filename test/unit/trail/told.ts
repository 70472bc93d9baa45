/** An entry as it is read from its text: a physician reads one result of a patient. */
import type { ToldEntry } from '../../../src/audit/csv-columns.ts'
import type { Access } from '../../../src/audit/port.ts'

export const told = (access: Partial<Access>): ToldEntry => ({
  log: 'montreal',
  index: '7',
  time: '2026-11-22T09:06:00.123Z',
  access: {
    requestId: '00000000-0000-4000-8000-000000000001',
    clientRequestId: null,
    phase: 'access',
    part: 1,
    parts: 1,
    action: 'read',
    operation: 'read',
    who: {
      issuer: 'https://issuer.example',
      subject: 'tremblay',
      client: 'emr',
      practitioner: 'etienne-tremblay',
      name: 'Étienne Tremblay',
      role: 'physician',
      facility: 'hopital-mont-royal',
      organisation: 'ciusss-mont-royal',
      token: 'secret-jti',
      address: '192.0.2.7',
    },
    purpose: 'TREAT',
    breakGlassReason: null,
    patient: 'p1',
    resources: ['Observation/o1/_history/1'],
    query: {
      method: 'GET',
      path: '/fhir/Observation/o1',
      text: '/fhir/Observation/o1?secret-query',
      sha256: 'ab',
    },
    decision: { outcome: 'permit', reason: 'shared-domain', detail: null },
    policyVersion: 'ab.12',
    staleness: null,
    status: 200,
    note: { basis: 'encounter' },
    ...access,
  },
})
