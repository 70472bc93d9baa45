/** Rows a patient is told of, and rows a privacy officer looks at: written in the batch of what they are about. */
import type { Provider } from '../access/caller.ts'
import type { Statement } from '../store/ports.ts'
import type { Capacity } from './consent-terms.ts'
import type { Outcome, QuestionKind } from './question-terms.ts'

/** Said in the reader's language by `notice-text.ts`. Names are those of the time: they stay true when somebody leaves. */
export type NoticeFacts =
  | {
      readonly kind: 'break-glass' | 'attestation'
      readonly professional: string
      readonly name: string
      readonly role: string
      readonly facility: string
      readonly facilityName: string
      readonly reason: string
      /** ISO 8601 UTC. */
      readonly until: string
    }
  | {
      readonly kind: 'consent'
      readonly change: 'recorded' | 'changed' | 'cancelled'
      readonly capacity: Capacity
      readonly name: string
      readonly consent: string
    }
  | {
      readonly kind: 'guardianship'
      readonly change: 'registered' | 'ended'
      /** Of the two, whom the notice is for. */
      readonly of: 'ward' | 'guardian'
      /** Who changed it. */
      readonly name: string
    }
  | {
      readonly kind: 'question'
      readonly question: string
      readonly about: QuestionKind
      /** Of a request for correction; '' : of a question about an access. */
      readonly outcome: Outcome | ''
      /** Who answered. */
      readonly name: string
    }

/** `when`: a condition on the batch's own rows, with its arguments; without it the notice is always written. */
export interface When {
  readonly sql: string
  readonly args: Readonly<Record<string, string>>
}
const always: When = { sql: 'true', args: {} }

export const addNotice = (
  id: string,
  sourceRecord: string,
  at: string,
  { kind, ...facts }: NoticeFacts,
  when: When = always,
): Statement => ({
  sql: `
    insert into notice (id, source_record, kind, at, facts, valid_from)
    select :notice, :source, :kind, :at, :facts, n from clock where ${when.sql}`,
  args: { ...when.args, notice: id, source: sourceRecord, kind, at, facts: JSON.stringify(facts) },
})

export const addReviewItem = (
  item: {
    readonly id: string
    readonly kind: 'break-glass' | 'attestation'
    readonly sourceRecord: string
    readonly at: string
    readonly reason: string
  },
  { professional, facility }: Provider,
  when: When = always,
): Statement => ({
  sql: `
    insert into review_item (id, kind, source_record, professional, facility, organisation, at, reason, valid_from)
    select :item, :kind, :source, :professional, :facility, :organisation, :at, :reason, n from clock
    where ${when.sql}`,
  args: {
    ...when.args,
    item: item.id,
    kind: item.kind,
    source: item.sourceRecord,
    professional,
    facility: facility.id,
    organisation: facility.organisation,
    at: item.at,
    reason: item.reason,
  },
})

/** What a provider's notice says. */
export const accessFacts = (
  kind: 'break-glass' | 'attestation',
  { professional, name, role, facility }: Provider,
  reason: string,
  until: string,
): NoticeFacts => ({
  kind,
  professional,
  name,
  role,
  facility: facility.id,
  facilityName: facility.name,
  reason,
  until,
})
