/** What each action of the log is as an AuditEvent: type, subtype, code of the action, and the BALP profile it is meant for. */
import type { Access, Action } from '../audit/port.ts'
import { type AuditEvent, type Coding, dcm, restful, terms } from './audit-event-types.ts'

export interface EventKind {
  readonly type: Coding
  /** Before the name of the operation. */
  readonly subtype: readonly Coding[]
  readonly action: AuditEvent['action']
  /** Types of the agents that are the client and this record. */
  readonly client: Coding
  readonly server: Coding
  /** Whether the user gave information (a write) or received it. */
  readonly user: 'author' | 'recipient'
  /** The object that was acted upon, or the request that was made. */
  readonly object: 'data' | 'query'
  /** Of BALP, where a patient is concerned with `Patient` before it; null: none fits. */
  readonly profile: 'Read' | 'Query' | 'Create' | 'Update' | 'Delete' | 'PrivacyDisclosure.Source' | null
}

const rest = (subtype: readonly Coding[]): Pick<EventKind, 'type' | 'subtype'> => ({
  type: terms.rest,
  subtype,
})

/** The client receives what it reads. */
const towardsClient = { client: terms.destination, server: terms.source, user: 'recipient' } as const
/** Queries and writes flow to the server. */
const towardsServer = { client: terms.source, server: terms.destination, user: 'author' } as const

const read = (...interactions: readonly string[]): EventKind => ({
  ...rest(interactions.map((interaction) => restful(interaction))),
  action: 'R',
  ...towardsClient,
  object: 'data',
  profile: 'Read',
})

const query = (subtype: readonly Coding[], profile: EventKind['profile']): EventKind => ({
  ...rest(subtype),
  action: 'E',
  ...towardsServer,
  user: 'recipient',
  object: 'query',
  profile,
})

const create = (subtype: readonly Coding[]): EventKind => ({
  ...rest(subtype),
  action: 'C',
  ...towardsServer,
  object: 'data',
  profile: 'Create',
})

const update: EventKind = {
  ...rest([restful('update')]),
  action: 'U',
  ...towardsServer,
  object: 'data',
  profile: 'Update',
}

/** DICOM PS3.15 A.5: security relevant, no interaction of FHIR. */
const security = (type: Coding, subtype: Coding, action: AuditEvent['action']): EventKind => ({
  type,
  subtype: [subtype],
  action,
  ...towardsServer,
  user: 'recipient',
  object: 'query',
  profile: null,
})

const alert = dcm('110113', 'Security Alert')

const kinds: Readonly<Record<Action, EventKind>> = {
  read: read('read'),
  vread: read('vread'),
  // BALP's Read is of `read` or `vread`.
  history: read('read', 'history-instance'),
  search: query([restful('search-type')], 'Query'),
  'audit-read': query([restful('search-type'), dcm('110101', 'Audit Log Used')], 'Query'),
  operation: query([restful('operation')], null),
  create: create([restful('create')]),
  publish: create([restful('create'), restful('transaction')]),
  update,
  policy: update,
  delete: {
    ...rest([restful('delete')]),
    action: 'D',
    client: terms.application,
    server: terms.custodian,
    user: 'author',
    object: 'data',
    profile: 'Delete',
  },
  export: {
    type: dcm('110106', 'Export'),
    subtype: [terms.disclose],
    action: 'R',
    ...towardsClient,
    object: 'query',
    profile: 'PrivacyDisclosure.Source',
  },
  authenticate: security(dcm('110114', 'User Authentication'), dcm('110122', 'Login'), 'E'),
  'break-glass': security(alert, dcm('110127', 'Emergency Override Started'), 'E'),
  redaction: security(alert, dcm('110132', 'Use of Restricted Function'), 'D'),
  succession: security(alert, dcm('110129', 'Security Configuration'), 'U'),
}

/** An entry of a later version may name an action that this one does not know. */
export const kindOf = ({ action }: Access): EventKind =>
  Object.hasOwn(kinds, action) ? kinds[action] : kinds.operation

/** Denials for what was sent, whoever sent it: no decision on a right. */
export const inputReasons: ReadonlySet<string> = new Set([
  'invalid',
  'conflict',
  'precondition-failed',
  'not-found',
  'redacted',
  'no-such-path',
  'method-not-allowed',
  'not-acceptable',
  'unsupported-media-type',
  'body-too-large',
  'body-timeout',
  'too-costly',
])

/** Null: what was intended has no outcome yet. */
export function outcomeOf({ phase, decision }: Access): '0' | '4' | '8' | '12' | null {
  if (phase === 'intent') return null
  if (decision.outcome === 'permit') return '0'
  if (decision.outcome === 'deny') return inputReasons.has(decision.reason) ? '4' : '8'
  return '12'
}
