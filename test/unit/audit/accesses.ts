/** Accesses of every kind there is, and of texts that people and programs send. */
import type { AccessBase } from '../../../src/audit/entry.ts'
import type { Access, Action, Phase } from '../../../src/audit/port.ts'
import { base } from './access.ts'

export const actions: readonly Action[] = [
  'authenticate',
  'read',
  'vread',
  'history',
  'search',
  'operation',
  'create',
  'update',
  'delete',
  'publish',
  'export',
  'audit-read',
  'policy',
  'break-glass',
  'redaction',
  'succession',
]

const phases: readonly Phase[] = ['access', 'intent', 'outcome', 'chunk']

const decisions: readonly AccessBase['decision'][] = [
  { outcome: 'permit', reason: 'shared-domain', detail: null },
  { outcome: 'deny', reason: 'refused', detail: null },
  { outcome: 'deny', reason: 'not-found', detail: 'Observation/o1' },
  { outcome: 'error', reason: 'store-unavailable', detail: 'local' },
]

const nobody = Object.fromEntries(
  Object.keys(base.who).map((name) => [name, null]),
) as unknown as Access['who']

const odd: readonly Partial<AccessBase>[] = [
  { who: nobody, query: { method: '', path: '', text: '', sha256: '0'.repeat(64) }, policyVersion: null },
  { who: { ...base.who, role: 'privacy-officer', organisation: null } },
  { who: { ...base.who, role: 'patient', practitioner: null, facility: null, organisation: null } },
  { who: { ...base.who, address: '2001:db8::1', token: 'é "#%\u2028/~!*\'()', issuer: 'not a uri' } },
  { who: { ...base.who, address: 'proxy.example', name: ' ', role: 'two  words', client: '\u00a0' } },
  { clientRequestId: 'client "1" é', note: { 10: 'ten', 9: 'nine', Z: '\u{1f600}', é: ' ', part: 'x' } },
  {
    breakGlassReason: 'Urgence : « = »,\n"x"',
    purpose: 'BTG',
    decision: { ...base.decision, reason: 'break-glass' },
  },
  { purpose: 'no code\u00a0at all', decision: { outcome: 'deny', reason: 'restricted', detail: ' ' } },
  { query: { ...base.query, method: 'POST', path: '/fhir/é', text: '/fhir/é?\ud83d\ude00=%00' } },
]

/** Each action in each phase with each decision, then the odd ones. */
export const accessBases: readonly AccessBase[] = [
  ...actions.flatMap((action) =>
    phases.flatMap((phase) =>
      decisions.map((decision) => ({ ...base, action, phase, decision, operation: `${action}-x` })),
    ),
  ),
  ...odd.map((change) => ({ ...base, ...change })),
]

/** What an access is about: a patient or none, with no, one and several resources. */
export const subjectsOf = (i: number): { readonly patient: string | null; readonly resources: string[] } => ({
  patient: i % 4 === 3 ? null : `p${i % 5}`,
  resources: ['Observation/o1/_history/1', 'Patient/p-1', 'no reference', 'Binary/ü'].slice(0, (i * 7) % 5),
})
