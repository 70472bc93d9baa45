/** Every reason for which a request is refused. The audit entry says it exactly; `wire.ts` says little of it. */
import type { AccessRefusal, PolicyRefusal } from '../access/refusal.ts'
import type { AppendRefusal } from '../audit/port.ts'
import type { Issue } from '../fhir/outcome.ts'

export type InputRefusal =
  /** Something the client sent is wrong; each issue says what and where. */
  | { readonly reason: 'invalid'; readonly issues: readonly Issue[] }
  | { readonly reason: 'unsupported-media-type'; readonly got: string; readonly accepted: readonly string[] }
  /** None of the formats that the client takes is offered. */
  | { readonly reason: 'not-acceptable'; readonly offered: string }
  | { readonly reason: 'body-too-large'; readonly maxBytes: number }
  /** `meant`: the address that is offered and may be meant. */
  | { readonly reason: 'no-such-path'; readonly path: string; readonly meant?: string }
  | { readonly reason: 'method-not-allowed'; readonly allow: string }
  /**
   * Unknown, or not for this caller: the same answer. `cause` and `patient` (person id) are for the audit entry, where they
   * are known.
   */
  | {
      readonly reason: 'not-found'
      readonly what: string
      readonly issues?: readonly Issue[]
      readonly cause?: PolicyRefusal['cause'] | 'redacted' | 'pruned'
      readonly patient?: string
    }
  /** The body did not come in time. */
  | { readonly reason: 'body-timeout' }
  /** The write contradicts what is stored, or itself. Nothing was written. */
  | { readonly reason: 'conflict'; readonly issues: readonly Issue[] }
  /** `If-Match` names another version than the current one, or another condition does not hold. Nothing was written. */
  | { readonly reason: 'precondition-failed'; readonly what: string; readonly issues?: readonly Issue[] }
  /** More than one access may be about, or one bundle may hold. */
  | {
      readonly reason: 'too-costly'
      readonly of: 'patients' | 'persons' | 'linked' | 'logs' | 'entries'
      readonly got: number
      readonly max: number
    }

export type FaultRefusal =
  /** More of one kind of work is under way than one isolate takes on. */
  | { readonly reason: 'overload'; readonly detail: string }
  /** A database did not answer within its deadline. */
  | { readonly reason: 'store-unavailable'; readonly detail: string; readonly issues?: readonly Issue[] }
  /** A defect of ours. `detail` is for the audit entry, `at` (stack frames without the message) for the console. */
  | { readonly reason: 'internal'; readonly detail: string; readonly at?: string }

export type Refusal = InputRefusal | FaultRefusal | AccessRefusal | AppendRefusal

/** Refusals about what was sent: told only to callers who have rights here. */
export const isInput = ({ reason }: Refusal): boolean =>
  reason === 'invalid' ||
  reason === 'conflict' ||
  reason === 'precondition-failed' ||
  reason === 'not-found' ||
  reason === 'no-such-path' ||
  reason === 'method-not-allowed' ||
  reason === 'unsupported-media-type' ||
  reason === 'not-acceptable' ||
  reason === 'body-too-large' ||
  reason === 'body-timeout' ||
  reason === 'too-costly'

export const isAccess = ({ reason }: Refusal): boolean =>
  reason === 'forbidden' || reason === 'unauthenticated'

/** A one-time name of an intent that another request has. */
export const intendedBefore: Refusal = {
  reason: 'conflict',
  issues: [
    {
      code: 'conflict',
      tag: 'intended-before',
      text: {
        fr: 'Une autre requête a déjà commencé ceci : renvoyez la vôtre pour en connaître l’issue.',
        en: 'Another request has begun this already: send yours again to learn what came of it.',
      },
    },
  ],
}
