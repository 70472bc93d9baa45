/** Whom a request is about, and what stands between that person's documents and the caller: facts, not yet a decision. */

import type { SqlValue } from '../store/ports.ts'

/** How the statements of a page find the person. */
export type SubjectOf =
  /** Server id of a `Patient`. */
  | { readonly by: 'patient'; readonly id: string }
  /** Identifier, and whole birth date (null: not known). */
  | {
      readonly by: 'identifier'
      readonly system: string
      readonly value: string
      readonly birthDate: string | null
    }
  /** A document; `sourceRecord` is what the local database says of it ('' : it does not have it). */
  | { readonly by: 'document'; readonly type: string; readonly id: string; readonly sourceRecord: string }
  /**
   * Whomever rows of the page are about: of `sql`, which selects `person`, and of the source records that rows of the local
   * database name.
   */
  | {
      readonly by: 'rows'
      readonly sql: string
      readonly args: Readonly<Record<string, SqlValue>>
      readonly sourceRecords: readonly string[]
    }
  /** Person id, as an entry of the log names it. */
  | { readonly by: 'person'; readonly person: string }

/** A row of `relationship` that holds at the caller's facility now. */
export interface Relationship {
  readonly row: number
  readonly kind: 'encounter' | 'episode' | 'care-team' | 'enrolment' | 'attestation'
  /** The empty string: everybody authorised at the facility. */
  readonly professional: string
}

/** A row of `consent_rule`. */
export interface ConsentRule {
  readonly row: number
  readonly consent: string
  readonly kind: 'refusal-total' | 'refusal-before' | 'restriction'
  /** UTC with milliseconds; of `refusal-before` only. */
  readonly before: string
  readonly actorKind: 'any' | 'professional' | 'role' | 'facility' | 'organisation'
  readonly actor: string
  readonly whatKind: 'any' | 'domain' | 'type' | 'document'
  readonly what: string
}

/** A row of `break_glass` that is open at the caller's facility now. */
export interface BreakGlass {
  readonly row: number
  readonly id: string
  readonly professional: string
  readonly reason: string
}

export interface Subject {
  readonly person: string
  /** Every facility's `Patient` of the person, by server id. */
  readonly sourceRecords: readonly string[]
  readonly relationships: readonly Relationship[]
  readonly rules: readonly ConsentRule[]
  readonly breakGlass: readonly BreakGlass[]
}

/** Rows of `policy_setting`. */
export interface Settings {
  readonly encounterDaysAfter: number
  readonly encounterOpenDays: number
  readonly attestationHours: number
  readonly breakGlassHours: number
  /** Kinds of denial that an emergency lifts. */
  readonly lifted: ReadonlySet<LiftableKind>
}

export type LiftableKind = 'relationship' | 'restriction' | 'refusal-before' | 'refusal-total'
