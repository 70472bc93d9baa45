/** Which kind of caller uses which operation: the whole table, so that a right never appears unnoticed. */
import { describe, expect, test } from 'vitest'
import { careOperations } from '../../../src/governance/care-operations.ts'
import { consentOperations } from '../../../src/governance/consent-operations.ts'
import { questionOperations } from '../../../src/governance/question-operations.ts'

const registrants = ['patient', 'guardian', 'privacy-officer']
const readers = [...registrants, 'provider', 'facility-system']

const table: Record<string, readonly [string, string, string, string, readonly string[]]> = {
  'consent-create': ['POST', 'create', 'Consent', 'c', registrants],
  'consent-search': ['GET', 'search', 'Consent', 's', readers],
  'consent-history': ['GET', 'history', 'Consent', 'r', registrants],
  'consent-read': ['GET', 'read', 'Consent', 'r', readers],
  'consent-update': ['PUT', 'update', 'Consent', 'u', registrants],
  attest: ['POST', 'policy', '*', 'u', ['provider']],
  'break-glass': ['POST', 'break-glass', '*', 'u', ['provider']],
  'relationship-register': ['POST', 'policy', '*', 'u', ['access-manager', 'operator']],
  'relationship-end': ['POST', 'policy', '*', 'u', ['access-manager', 'operator']],
  'guardianship-register': ['POST', 'policy', '*', 'u', ['privacy-officer', 'operator']],
  'guardianship-end': ['POST', 'policy', '*', 'u', ['privacy-officer', 'operator']],
  'guardianship-list': ['GET', 'operation', '*', 'r', ['privacy-officer', 'operator']],
  notices: ['GET', 'audit-read', '*', 'r', ['patient', 'guardian']],
  reviews: ['GET', 'operation', '*', 'r', ['privacy-officer']],
  'review-decide': ['POST', 'policy', '*', 'u', ['privacy-officer']],
  'question-ask': ['POST', 'policy', '*', 'u', registrants],
  questions: ['GET', 'audit-read', '*', 'r', registrants],
  'question-read': ['GET', 'audit-read', '*', 'r', registrants],
  'question-act': ['POST', 'policy', '*', 'u', registrants],
  'incident-open': ['POST', 'policy', '*', 'u', ['privacy-officer']],
  'incident-revise': ['POST', 'policy', '*', 'u', ['privacy-officer']],
  incidents: ['GET', 'audit-read', '*', 'r', ['privacy-officer']],
  'incident-read': ['GET', 'audit-read', '*', 'r', ['privacy-officer']],
}
const operations = [...consentOperations, ...careOperations, ...questionOperations]

describe('rights', () => {
  test('every operation is in the table', () => {
    expect(operations.map(({ name }) => name)).toEqual(Object.keys(table))
  })

  test.each(operations)('$name', ({ name, method, action, callers, scope }) => {
    const { type, interaction } = scope({}) ?? {}
    expect([method, action, type, interaction, callers]).toEqual(table[name])
  })
})
