/** The facts of a request, as its batch would read them from a test registry. */
import type { Placement, Presented } from '../../../src/access/caller.ts'
import { factStatements, readFacts } from '../../../src/access/facts.ts'
import type { Sight } from '../../../src/access/sight.ts'
import { readStanding, type Standing, standingStatements } from '../../../src/access/standing.ts'
import type { SubjectOf } from '../../../src/access/subject.ts'
import { moment, type Registry } from './registry.ts'

/** What an isolate that asked a moment ago remembers of the caller. */
export const standingIn = (registry: Registry, presented: Presented): Standing =>
  readStanding(standingStatements(presented).map(registry.run), presented, moment)

export interface Asking {
  /** What is remembered; by default, what the registry says. */
  readonly placement?: Placement | null
  readonly sight?: Sight | null
  readonly of?: SubjectOf
  /** Milliseconds since 1970. */
  readonly now?: number
}

export function factsOf(registry: Registry, presented: Presented | null, asking: Asking = {}) {
  const standing = presented ? standingIn(registry, presented) : { placement: null, sight: null }
  const { placement, sight, of, now = moment } = { ...standing, ...asking }
  const professional = sight?.professional ?? null
  const about = of ? { of, facility: placement?.facility ?? null, professional, now } : null
  const rows = factStatements({ presented, about }).map(registry.run)
  return readFacts(rows, { presented, placement, sight, about }, now)
}

export const forbidden = (cause: string) => ({ ok: false, error: { reason: 'forbidden', cause } })
export const unauthenticated = (cause: string) => ({ ok: false, error: { reason: 'unauthenticated', cause } })
