/** What a person refuses or restricts, and the rules that the policy reads of it. */
import { limits } from '../limits.ts'

export type ActorKind = 'professional' | 'role' | 'facility' | 'organisation'
export type WhatKind = 'domain' | 'type' | 'document'

export interface Actor {
  readonly kind: ActorKind
  /** Registry id, or the code of the role. */
  readonly id: string
}

export interface What {
  readonly kind: WhatKind
  /** Domain, resource type, or `Type/id`. */
  readonly id: string
}

/** Every actor is denied every thing. */
export interface Restriction {
  /** Empty: whoever it is. */
  readonly actors: readonly Actor[]
  /** All of one kind; empty: everything. */
  readonly what: readonly What[]
}

export type Scope =
  | { readonly kind: 'refusal-total' }
  /** Everything to the end of a day, `YYYY-MM-DD` in UTC as the dates of documents are (R4: a Period includes its end). */
  | { readonly kind: 'refusal-before'; readonly day: string }
  | { readonly kind: 'restriction'; readonly restrictions: readonly Restriction[] }

/** A row of `consent_rule`, without its consent. */
export interface Rule {
  readonly kind: Scope['kind']
  readonly before: string
  readonly actorKind: ActorKind | 'any'
  readonly actor: string
  readonly whatKind: WhatKind | 'any'
  readonly what: string
}

const everything = { before: '', actorKind: 'any', actor: '', whatKind: 'any', what: '' } as const

export function rulesOf(scope: Scope): readonly Rule[] {
  switch (scope.kind) {
    case 'refusal-total':
      return [{ ...everything, kind: scope.kind }]
    case 'refusal-before':
      return [{ ...everything, kind: scope.kind, before: dayAfter(scope.day) }]
    case 'restriction':
      return scope.restrictions.flatMap(({ actors, what }) =>
        orAny(actors).flatMap((actor) =>
          orAny(what).map((thing) => ({
            ...everything,
            kind: scope.kind,
            actorKind: actor.kind,
            actor: actor.id,
            whatKind: thing.kind,
            what: thing.id,
          })),
        ),
      )
  }
}

/** First instant that the refusal leaves alone. */
const dayAfter = (day: string): string =>
  new Date(Date.parse(`${day}T00:00:00.000Z`) + 24 * 60 * 60_000).toISOString()

/** Whether `rulesOf` stays within `limits.maxConsentRules`, told without making them. */
export const isBounded = (scope: Scope): boolean =>
  scope.kind !== 'restriction' ||
  scope.restrictions.reduce(
    (sum, { actors, what }) => sum + Math.max(1, actors.length) * Math.max(1, what.length),
    0,
  ) <= limits.maxConsentRules

const orAny = <T>(named: readonly T[]): readonly (T | { readonly kind: 'any'; readonly id: '' })[] =>
  named.length > 0 ? named : [{ kind: 'any', id: '' }]
