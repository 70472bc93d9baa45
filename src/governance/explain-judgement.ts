/** What the policy says again of a past access, from facts and documents as they were: pure. */
import type { Caller } from '../access/caller.ts'
import {
  type Decision,
  decideOperation,
  decideRow,
  decideSubject,
  type Situation,
  type SubjectDecision,
} from '../access/policy.ts'
import type { AccessRefusal, PolicyRefusal } from '../access/refusal.ts'
import { grantsFor, parseScopes } from '../access/scope.ts'
import type { Access } from '../audit/port.ts'
import type { Operation } from '../disclosure/operation.ts'
import { decideAttestation } from './attest.ts'
import { decideBreakGlass } from './break-glass.ts'
import type { DocumentThen } from './explain-documents.ts'
import type { FactsThen } from './explain-facts.ts'
import { isDenial, type Step, stepOf } from './explain-words.ts'

/** What an operation asks of its callers, by its name; undefined: there is none of that name any more. */
export type Describe = (name: string) => Pick<Operation, 'callers' | 'scope'> | undefined

export interface Judgement {
  /** Why the registry did not let the caller act; null: it did. */
  readonly caller: AccessRefusal['cause'] | null
  /** Why this caller, or this token, had no use of the operation; null: they had. */
  readonly operation: PolicyRefusal['cause'] | null
  /** About the person; null: it was about none, or the operation asks only about documents. */
  readonly subject: SubjectDecision | null
  /** About each document that was disclosed or withheld. */
  readonly documents: readonly (Decision & { readonly reference: string; readonly step: Step })[]
  /** Documents of the entry that *records* did not have then: unshared ones. */
  readonly unjudged: readonly string[]
  /** Whether the entry says the same; null: what was decided cannot be decided again from what is left. */
  readonly agrees: boolean | null
}

const nothing = { caller: null, operation: null, subject: null, documents: [], unjudged: [] } as const

/** Null where the policy decided nothing: an intent, a fault, a token that did not hold, a patient or a guardian. */
export function judgeAgain(
  access: Access,
  facts: FactsThen,
  documents: readonly DocumentThen[],
  describe: Describe,
): Judgement | null {
  const { decision, phase, status } = access
  if (phase === 'intent' || status === 401 || decision.outcome === 'error' || !facts.caller) return null
  const isDeniedFor = (cause: string): boolean => decision.outcome === 'deny' && decision.reason === cause
  if (!facts.caller.ok) {
    const { cause } = facts.caller.error
    return { ...nothing, caller: cause, agrees: isDeniedFor(cause) }
  }
  // What is wrong with the input is found at several places, also before the policy has said all it has to say.
  const isPolicy = decision.outcome === 'permit' || isDenial(decision.reason) || isNotFound(access)
  if (!isPolicy) return { ...nothing, agrees: null }
  const caller = inContext(facts.caller.value, facts, access)
  const scopes = scopesOf(access)
  const operation = describe(access.operation)
  if (operation) {
    const need = operation.scope({ type: typeOf(access) })
    const permitted = decideOperation(caller, operation.callers, scopes, need)
    if (!permitted.ok) {
      const { cause } = permitted.error
      return { ...nothing, operation: cause, agrees: isDeniedFor(cause) }
    }
  }
  if (isAboutDocuments(access)) return judgeDocuments(access, caller, facts, documents)
  return { ...nothing, ...judgeOperation(access, caller, facts) }
}

const isNotFound = (access: Access): boolean =>
  access.decision.reason === 'not-found' && isAboutDocuments(access)

/** Operations that find documents; the others judge by themselves. */
const documentOperations: readonly string[] = [
  'search-type',
  'read',
  'vread',
  'history',
  'history-type',
  'consent-read',
]
const isAboutDocuments = ({ operation }: Access): boolean => documentOperations.includes(operation)

const scopesOf = ({ note }: Access) =>
  parseScopes((note?.scopes ?? '').split(' ').filter((scope) => scope !== ''))

/** Resource type of the address; the empty string where it names none. */
const typeOf = ({ query }: Access): string => /^\/fhir\/([A-Z][A-Za-z]*)/.exec(query.path)?.[1] ?? ''

/** The token's launch context, by the person that it named then. */
function inContext(caller: Caller, { subject }: FactsThen, { note }: Access): Caller {
  if (caller.kind !== 'provider') return caller
  const isAbout = note?.context !== undefined && subject?.sourceRecords.includes(note.context) === true
  return { ...caller, contextPerson: isAbout ? (subject?.person ?? null) : null }
}

function judgeOperation(
  { operation, decision }: Access,
  caller: Caller,
  { subject, settings }: FactsThen,
): Pick<Judgement, 'operation' | 'agrees'> {
  const decide = { attest: decideAttestation, 'break-glass': decideBreakGlass }[operation]
  if (decide && caller.kind === 'provider') {
    const decided = decide(caller, subject, settings)
    if (decided.ok) return { operation: null, agrees: decision.outcome === 'permit' }
    const { cause } = decided.error
    return {
      operation: cause,
      agrees: decision.outcome === 'deny' && decision.reason === cause,
    }
  }
  // Whose business it is, such an operation finds out from rows of its own.
  return { operation: null, agrees: decision.outcome === 'permit' ? true : null }
}

function judgeDocuments(
  access: Access,
  caller: Caller,
  { subject, settings }: FactsThen,
  documents: readonly DocumentThen[],
): Judgement {
  const scopes = scopesOf(access)
  const interaction = access.operation === 'search-type' ? 's' : 'r'
  const judged = documents.map(({ reference, row }) => {
    const situation: Situation = {
      subjects: subject ? [subject] : [],
      settings,
      grants: grantsFor(scopes, caller.kind, { type: row.type, interaction }),
    }
    const decision = decideRow(caller, situation, row)
    return { reference, ...decision, step: stepOf(decision.reason) }
  })
  const known = new Set(documents.map(({ reference }) => reference))
  const unjudged = access.resources.filter((reference) => !known.has(reference))
  const about =
    caller.kind === 'provider' && isAboutPerson(access) ? decideSubject(caller, subject, settings) : null
  const judgement = { ...nothing, subject: about, documents: judged, unjudged }
  const agrees =
    access.decision.outcome === 'permit' ? agreesToPermit(access, judgement) : agreesToDeny(access, judgement)
  return { ...judgement, agrees }
}

/** A look-up by identifier tells who somebody is, whatever stands between them and the caller. */
function isAboutPerson({ operation, query, patient, resources }: Access): boolean {
  if (operation !== 'search-type') return patient !== null
  const isLookUp = new URLSearchParams(query.text.split('?')[1] ?? '').has('identifier')
  return !isLookUp || (patient !== null && resources.length > 0)
}

type Found = Pick<Judgement, 'subject' | 'documents' | 'unjudged'>

function agreesToPermit(
  { decision, parts }: Access,
  { subject, documents, unjudged }: Found,
): boolean | null {
  if (subject?.outcome === 'deny' || documents.some(({ outcome }) => outcome === 'deny')) return false
  const isEmergency =
    documents.some(({ reason }) => reason === 'break-glass') ||
    (subject?.outcome === 'permit' && subject.basis === 'break-glass')
  const isTold = decision.reason === 'break-glass'
  // What made it one may be in another part of the access, or in what cannot be judged.
  const isWhole = parts === 1 && unjudged.length === 0
  if (isEmergency !== isTold && (isEmergency || isWhole)) return false
  return subject === null && documents.length === 0 && unjudged.length > 0 ? null : true
}

function agreesToDeny({ operation, decision }: Access, { subject, documents }: Found): boolean | null {
  if (operation === 'search-type') return subject?.outcome === 'deny' && subject.reason === decision.reason
  if (documents.length > 0)
    return documents.some(({ outcome, reason }) => outcome === 'deny' && reason === decision.reason)
  // Not in *records*: it was nowhere, or it was withheld in a local database.
  return decision.reason === 'not-found' ? true : null
}
