/**
 * The made-up accesses of a log of the benchmark, always the same: clinical reading for the most part, and beside it what
 * else a log holds, so that every form of an entry is exported and verified.
 */
import {
  type AccessBase,
  buildEntries,
  countedAccess,
  type EntrySubject,
  nobody,
} from '../src/audit/entry.ts'
import type { Action, EntryDraft, Phase, Who } from '../src/audit/port.ts'
import { limits } from '../src/limits.ts'
import { organisations } from '../src/local/sample/directory.ts'

/**
 * People come for a visit: so many accesses in a row are about so many patients, by so many of the professionals. A chart is
 * opened twenty times in a visit.
 */
const visit = { accesses: 2_000, patients: 100, professionals: 120 }

const facilities = 24
const professionals = 1_200
const roles = ['physician', 'nurse', 'pharmacist', 'archivist'] as const
const types = ['Observation', 'MedicationRequest', 'DiagnosticReport', 'AllergyIntolerance'] as const

const permit = { outcome: 'permit', reason: 'shared-domain', detail: null } as const
const emergency = 'Patient inconscient, allergies à connaître sans délai; « urgent », dit-on'

/** An access, and of whom it tells. */
interface Told {
  readonly base: AccessBase
  readonly subjects: readonly EntrySubject[]
}

type Kind = (n: number) => readonly Told[]

/** Entries without end: those of one access after those of another. */
export function* madeUpEntries(): Generator<EntryDraft, never> {
  for (let n = 0; ; n++) {
    for (const { base, subjects } of kindOf(n)(n)) {
      const drafts = buildEntries(base, subjects, base.who.organisation)
      if (!drafts.ok) throw new Error(`no entries of access ${n}`)
      yield* drafts.value
    }
  }
}

/** One in so many, so rarely that it weighs nothing. */
const longEvery = 4_001

/** In a hundred accesses one stands after the other so many times, and searches are the rest. */
const shares: readonly (readonly [number, Kind])[] = [
  [24, read],
  [8, published],
  [4, denied],
  [3, failedLogin],
  [3, operation],
  [2, notFound],
  [2, auditRead],
  [2, history],
  [1, declaredEmergency],
  [1, emergencyRead],
  [1, exported],
  [1, counted],
  [1, failed],
]

const kinds: readonly Kind[] = shares.flatMap(([share, kind]) => Array.from({ length: share }, () => kind))

/** Steps of 37 go through all of a hundred, so that kinds alternate. */
function kindOf(n: number): Kind {
  if (n % longEvery === longEvery - 1) return longRead
  return kinds[(n * 37) % 100] ?? search
}

function search(n: number): readonly Told[] {
  return [
    {
      base: byProvider(n, 'search', 'search-type'),
      subjects: [{ patient: patientOf(n), resources: found(n, n % 8) }],
    },
  ]
}

function read(n: number): readonly Told[] {
  return [
    { base: byProvider(n, 'read', 'read'), subjects: [{ patient: patientOf(n), resources: found(n, 1) }] },
  ]
}

/** More resources than an entry may name: it has continuations. */
function longRead(n: number): readonly Told[] {
  const resources = found(n, 2 * limits.maxEntryReferences + 1)
  return [
    {
      base: byProvider(n, 'operation', 'patient-everything'),
      subjects: [{ patient: patientOf(n), resources }],
    },
  ]
}

function history(n: number): readonly Told[] {
  return [
    {
      base: byProvider(n, 'history', 'history-instance'),
      subjects: [{ patient: patientOf(n), resources: found(n, 3) }],
    },
  ]
}

/** Of the directory: about no patient, and no basis is needed. */
function operation(n: number): readonly Told[] {
  return [{ base: { ...byProvider(n, 'operation', 'validate'), note: null }, subjects: [] }]
}

function denied(n: number): readonly Told[] {
  const decision = { outcome: 'deny', reason: 'relationship-required', detail: null } as const
  const base = { ...byProvider(n, 'search', 'search-type'), decision, status: 403, note: null }
  return [{ base, subjects: [{ patient: patientOf(n), resources: [] }] }]
}

/** What was asked for is no identifier, and would be a formula in a spreadsheet. */
function notFound(n: number): readonly Told[] {
  const decision = {
    outcome: 'deny',
    reason: 'not-found',
    detail: `=Patient/"${idOf(n, 0)}", which nobody has`,
  } as const
  const base = { ...byProvider(n, 'read', 'read'), decision, status: 404, note: null }
  return [{ base: { ...base, clientRequestId: `+${n};@sum` }, subjects: [] }]
}

function failed(n: number): readonly Told[] {
  const decision = {
    outcome: 'error',
    reason: 'store-unavailable',
    detail: 'the replica does not answer',
  } as const
  const base = { ...byProvider(n, 'search', 'search-type'), decision, status: 503, note: null }
  return [{ base: { ...base, staleness: { seconds: 7, degraded: true } }, subjects: [] }]
}

function failedLogin(n: number): readonly Told[] {
  const decision = { outcome: 'deny', reason: 'unauthenticated', detail: 'expired' } as const
  const base = { ...byProvider(n, 'authenticate', 'search-type'), decision, status: 401, note: null }
  const who = { ...nobody, address: '198.51.100.23' }
  return [{ base: { ...base, who, purpose: null, policyVersion: null }, subjects: [] }]
}

function counted(n: number): readonly Told[] {
  const note = {
    address: '198.51.100.23',
    count: String(n % 900),
    minute: '2026-01-01T00:00Z',
    reason: 'signature-wrong',
  }
  return [{ base: countedAccess('failed-authentications', requestIdOf(n), note), subjects: [] }]
}

function declaredEmergency(n: number): readonly Told[] {
  const patient = patientOf(n)
  const base = byProvider(n, 'break-glass', 'break-glass')
  const intent = { ...base, purpose: 'BTG', note: { patient, reason: emergency } }
  return written(
    intent,
    { breakGlassReason: emergency, note: null, decision: { ...permit, reason: 'break-glass' } },
    [{ patient, resources: [] }],
  )
}

function emergencyRead(n: number): readonly Told[] {
  const base = byProvider(n, 'search', 'search-type')
  const decision = { ...permit, reason: 'break-glass' }
  const note = { basis: 'break-glass' }
  return [
    {
      base: { ...base, purpose: 'BTG', breakGlassReason: emergency, decision, note },
      subjects: [{ patient: patientOf(n), resources: found(n, 5) }],
    },
  ]
}

/** By a facility's own system, of two patients: an entry each. */
function published(n: number): readonly Told[] {
  const base = byProvider(n, 'publish', 'publish')
  const who = { ...base.who, practitioner: null, name: null, role: 'facility-system' }
  const note = { bundle: 'transaction', created: '4', updated: '2', unchanged: '0', refused: '0' }
  const intent = { ...base, who, purpose: null, note: null }
  return written(intent, { note, decision: { ...permit, reason: 'own-facility' } }, [
    { patient: patientOf(n), resources: found(n, 4) },
    { patient: patientOf(n + 1), resources: found(n + 1, 2) },
  ])
}

/** The privacy officer looks at what was done with three patients' records. */
function auditRead(n: number): readonly Told[] {
  const subjects = [0, 1, 2].map((i) => ({ patient: patientOf(n + i), resources: [] }))
  return [{ base: byOfficer(n, 'audit-read', 'audit-event-search'), subjects }]
}

function exported(n: number): readonly Told[] {
  const base = byOfficer(n, 'export', 'audit-export')
  const chunk = { ...base, phase: 'chunk' as const, note: { export: requestIdOf(n), format: 'ndjson' } }
  const subjects = [0, 1, 2, 3].map((i) => ({ patient: patientOf(n + i), resources: [] }))
  return [
    { base, subjects: [] },
    { base: chunk, subjects },
  ]
}

/** A write is in the log before it is made, and after. */
function written(
  intent: AccessBase,
  outcome: Partial<AccessBase>,
  subjects: readonly EntrySubject[],
): readonly Told[] {
  const after: Phase = 'outcome'
  return [
    { base: { ...intent, phase: 'intent', status: 0 }, subjects: [] },
    { base: { ...intent, phase: after, status: 201, ...outcome }, subjects },
  ]
}

function byProvider(n: number, action: Action, operation: string): AccessBase {
  const professional = (Math.floor(n / visit.accesses) * 7 + (n % visit.professionals)) % professionals
  const facility = professional % facilities
  const { id: organisation } = organisations[
    facility % organisations.length
  ] as (typeof organisations)[number]
  return {
    ...accessOf(n, action, operation, {
      issuer: 'https://identity.example',
      subject: `subject-${professional}`,
      client: 'ward-app',
      practitioner: `professional-${professional}`,
      name: `Dre Élise Gagnon-Tremblay (${professional})`,
      role: roles[professional % roles.length] as string,
      facility: `facility-${facility}`,
      organisation,
      token: `jti-${n}`,
      address: '192.0.2.17',
    }),
    // Why the provider may look at the person.
    note: { basis: 'attending' },
  }
}

const byOfficer = (n: number, action: Action, operation: string): AccessBase => ({
  ...accessOf(n, action, operation, {
    issuer: 'https://identity.example',
    subject: 'bouchard',
    client: 'officer-app',
    practitioner: 'bouchard',
    name: 'Bouchard, Noël',
    role: 'privacy-officer',
    facility: null,
    organisation: null,
    token: `jti-${n}`,
    address: '192.0.2.80',
  }),
  purpose: 'HOPERAT',
  decision: { outcome: 'permit', reason: 'privacy-officer', detail: null },
})

function accessOf(n: number, action: Action, operation: string, who: Who): AccessBase {
  const path = `/fhir/${typeOf(n)}`
  return {
    requestId: requestIdOf(n),
    clientRequestId: null,
    phase: 'access',
    action,
    operation,
    who,
    purpose: 'TREAT',
    breakGlassReason: null,
    query: {
      method: 'GET',
      path,
      text: `${path}?patient=${idOf(n, 0)}&_count=50&date=ge2024-01-01`,
      sha256: n.toString(16).padStart(64, '0'),
    },
    decision: permit,
    policyVersion: 'abcdef01.1234',
    staleness: null,
    status: 200,
    note: null,
  }
}

const patientOf = (n: number): string =>
  `person${Math.floor(n / visit.accesses) * visit.patients + (n % visit.patients)}`

const typeOf = (n: number): string => types[n % types.length] as string

const found = (n: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${typeOf(n)}/${idOf(n, i)}/_history/1`)

const idOf = (n: number, i: number): string => `${n}x${i}`.padStart(26, 'a')

const requestIdOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
