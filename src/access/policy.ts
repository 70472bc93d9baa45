/**
 * Who may see what: pure and total. The policy is the authority; the row filter (`visible.ts`) is an index on it, and
 * every row that a statement lets through is decided here again.
 */
import { ok, type Result } from '../result.ts'
import type { Caller, CallerKind, Provider } from './caller.ts'
import { confidentialities } from './policy-data.ts'
import { forbidden, type PolicyRefusal } from './refusal.ts'
import { allowsRow, type Grant, grantsFor, type ScopedRow, type ScopeNeed, type Scopes } from './scope.ts'
import type { ConsentRule, LiftableKind, Relationship, Settings, Subject } from './subject.ts'

/** Of a document, what a decision rests on. */
export interface DecidedDocument {
  readonly type: string
  readonly id: string
  readonly domain: string
  /** Facility that published it. */
  readonly facility: string
  /** Server id of the `Patient` it is about; the empty string: about nobody. */
  readonly sourceRecord: string
  /** v3-Confidentiality code; the empty string: unlabelled, which is N. */
  readonly confidentiality: string
  /** Date of service, UTC; the empty string: none. */
  readonly dateLo: string
  /** Of its first version that is known, UTC; decides only where `dateLo` is empty. */
  readonly firstPublished: string
}

export interface DecidedRow extends DecidedDocument {
  /** From *records* (shared) or from the local database. */
  readonly shared: boolean
  /** Its codings, where a scope asks for them; not read, they are none, and such a scope allows nothing. */
  readonly codings: Omit<ScopedRow, 'isInContext'>
}

export const noCodings: DecidedRow['codings'] = { categories: [], codes: [], statuses: [] }

/** What one batch says beside the caller. */
export interface Situation {
  readonly subjects: readonly Subject[]
  readonly settings: Settings
  /** Of the token for the interaction at hand; null: its scopes do not narrow it. */
  readonly grants: readonly Grant[] | null
}

export type PermitReason = 'shared-domain' | 'own-facility' | 'break-glass'
type DenyReason = PolicyRefusal['cause']

/** Why a provider may look at a person at all. */
export type Basis = Relationship['kind'] | 'break-glass'

export type Decision =
  | { readonly outcome: 'permit'; readonly reason: PermitReason; readonly basis: Basis | null }
  | { readonly outcome: 'deny'; readonly reason: DenyReason }

export type SubjectDecision =
  | { readonly outcome: 'permit'; readonly basis: Basis }
  | { readonly outcome: 'deny'; readonly reason: 'relationship-required' | 'refused' }

/** Domains open to every provider: who the patient is, and who and where the others are. */
export const openDomains: readonly string[] = ['identity', 'directory']

/**
 * Types of which a facility's published resources stay its own: the record's audit trail and consent register are the
 * ledger and the register, never what a facility says.
 */
export const ownFacilityTypes: readonly string[] = ['AuditEvent', 'Consent']

/** Purposes of use in which an emergency is declared, and counts (v3-ActReason: break the glass, emergency treatment). */
export const emergencyPurposes: readonly string[] = ['BTG', 'ETREAT']

/** Whether this kind of caller uses this operation at all, and its token may; `kinds` are those of `Operation.callers`. */
export function decideOperation(
  caller: Caller,
  kinds: readonly CallerKind[],
  scopes: Scopes,
  need: ScopeNeed | null,
): Result<void, PolicyRefusal> {
  if (!kinds.includes(caller.kind)) return forbidden('operation-not-for-caller')
  if (need && grantsFor(scopes, caller.kind, need)?.length === 0) return forbidden('scope-insufficient')
  return ok(undefined)
}

/**
 * Whether the provider may ask about this person: a search or an operation that names a patient. `subject` null: nobody
 * has this id, which is told as a missing relationship.
 */
export function decideSubject(
  caller: Provider,
  subject: Subject | null,
  settings: Settings,
): SubjectDecision {
  const basis = subject && basisOf(caller, subject, settings)
  if (!basis) return { outcome: 'deny', reason: 'relationship-required' }
  const refused = subject.rules.some(({ kind }) => kind === 'refusal-total')
  if (refused && !lifts(caller, subject, settings, 'refusal-total'))
    return { outcome: 'deny', reason: 'refused' }
  return { outcome: 'permit', basis: refused ? 'break-glass' : basis }
}

/**
 * In the order of P-9.0001, s. 20: authorisation (role, domain, facility type and purpose), what is shared, care
 * relationship, refusal, restriction, confidentiality; then what the token was narrowed to.
 */
export function decideRow(caller: Caller, situation: Situation, row: DecidedRow): Decision {
  switch (caller.kind) {
    case 'facility-system':
      if (row.facility !== caller.facility.id) return deny('not-own-facility')
      return allowsRow(situation.grants, scoped(row, false))
        ? { outcome: 'permit', reason: 'own-facility', basis: null }
        : deny('scope-insufficient')
    case 'provider':
      return decideForProvider(caller, situation, row)
    case 'access-manager':
    case 'privacy-officer':
    case 'operator':
    case 'patient':
    case 'guardian':
      return deny('operation-not-for-caller')
  }
}

function decideForProvider(
  caller: Provider,
  { subjects, settings, grants }: Situation,
  row: DecidedRow,
): Decision {
  if (!caller.domains.has(row.domain) && !openDomains.includes(row.domain))
    return deny('domain-not-permitted')
  const isOwn = row.facility === caller.facility.id
  const isEverywhere = row.shared && !ownFacilityTypes.includes(row.type)
  if (!isEverywhere && !isOwn) return deny('not-own-facility')

  const subject = subjects.find(({ sourceRecords }) => sourceRecords.includes(row.sourceRecord)) ?? null
  let basis: Basis | null = null
  if (row.sourceRecord !== '') {
    basis = subject && basisOf(caller, subject, settings)
    if (!subject || !basis) return deny('relationship-required')
    for (const [kind, reason] of ruleReasons) {
      if (!subject.rules.some((rule) => rule.kind === kind && forbids(rule, caller, row))) continue
      if (!lifts(caller, subject, settings, kind)) return deny(reason)
      basis = 'break-glass'
    }
  }
  if (rankOf(row.confidentiality) > rankOf(isOwn ? caller.clearance.own : caller.clearance.elsewhere))
    return deny('confidentiality')
  const isInContext = subject !== null && subject.person === caller.contextPerson
  if (!allowsRow(grants, scoped(row, isInContext))) return deny('scope-insufficient')
  if (basis === 'break-glass') return { outcome: 'permit', reason: 'break-glass', basis }
  return { outcome: 'permit', reason: isEverywhere ? 'shared-domain' : 'own-facility', basis }
}

/** Whom the provider may look at, with the rules that stand against some of their documents. */
export const openSubjects = (
  caller: Provider,
  { subjects, settings }: Pick<Situation, 'subjects' | 'settings'>,
): readonly Pick<Subject, 'sourceRecords' | 'rules'>[] =>
  subjects
    .filter((subject) => basisOf(caller, subject, settings) !== null)
    .map((subject) => ({
      sourceRecords: subject.sourceRecords,
      rules: subject.rules.filter(
        (rule) =>
          (rule.kind !== 'restriction' || isActor(rule, caller)) &&
          !lifts(caller, subject, settings, rule.kind),
      ),
    }))

/** A relationship held by the caller; without one, an emergency where it may stand for it. */
function basisOf(caller: Provider, subject: Subject, settings: Settings): Basis | null {
  const held = subject.relationships.find(
    ({ professional }) => professional === '' || professional === caller.professional,
  )
  if (held) return held.kind
  return lifts(caller, subject, settings, 'relationship') ? 'break-glass' : null
}

/** Whether the caller's open emergency about this person lifts that kind of denial. */
function lifts(caller: Provider, subject: Subject, settings: Settings, kind: LiftableKind): boolean {
  return (
    settings.lifted.has(kind) &&
    emergencyPurposes.includes(caller.purpose) &&
    subject.breakGlass.some(({ professional }) => professional === caller.professional)
  )
}

/** In the order in which they are looked at, whatever the order of the rows: the log names the first that stands. */
const ruleReasons: readonly (readonly [ConsentRule['kind'], DenyReason])[] = [
  ['refusal-total', 'refused'],
  ['refusal-before', 'refused-before'],
  ['restriction', 'restricted'],
]

/** Whether a rule of the patient's stands against this caller reading this document. */
function forbids(rule: ConsentRule, caller: Provider, row: DecidedRow): boolean {
  switch (rule.kind) {
    case 'refusal-total':
      return true
    case 'refusal-before':
      // Who the patient is was not collected at a date.
      return row.domain !== 'identity' && (row.dateLo === '' ? row.firstPublished : row.dateLo) < rule.before
    case 'restriction':
      return isActor(rule, caller) && isWhat(rule, row)
  }
}

function isActor({ actorKind, actor }: ConsentRule, caller: Provider): boolean {
  switch (actorKind) {
    case 'any':
      return true
    case 'professional':
      return actor === caller.professional
    case 'role':
      return actor === caller.role
    case 'facility':
      return actor === caller.facility.id
    case 'organisation':
      return actor === caller.facility.organisation
  }
}

function isWhat({ whatKind, what }: ConsentRule, row: DecidedRow): boolean {
  switch (whatKind) {
    case 'any':
      return true
    case 'domain':
      return what === row.domain
    case 'type':
      return what === row.type
    case 'document':
      return what === `${row.type}/${row.id}`
  }
}

/** Of a v3-Confidentiality label, more for more confidential: unlabelled is N, what is no label counts as more than any. */
export const rankOf = (label: string): number => {
  const rank = confidentialities.indexOf(label === '' ? 'N' : label)
  return rank === -1 ? confidentialities.length : rank
}

const scoped = ({ codings }: DecidedRow, isInContext: boolean): ScopedRow => ({ isInContext, ...codings })

const deny = (reason: DenyReason): Decision => ({ outcome: 'deny', reason })
