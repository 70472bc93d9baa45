/**
 * What a caller may see, as far as it does not depend on the patient: the values that the row filter binds. An isolate
 * remembers it between requests; `readFacts` confirms it from the facts of the request's own batch, or everything is asked
 * again. So the page's statement need not join the registry, and is planned in a fraction of the time.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Caller } from './caller.ts'
import { emergencyPurposes, openDomains, rankOf } from './policy.ts'
import type { Settings } from './subject.ts'

export interface Sight {
  readonly kind: 'provider' | 'facility-system'
  readonly facility: string
  readonly organisation: string
  /** Empty for a facility system, like the rest. */
  readonly professional: string
  readonly role: string
  /** Each between spaces. */
  readonly domains: string
  /** Ranks of v3-Confidentiality. */
  readonly own: number
  readonly elsewhere: number
  /** Kinds of denial that an emergency lifts for this caller's purpose, each between spaces. */
  readonly lifted: string
}

/** Null for callers who read no documents. */
export function sightOf(caller: Caller, settings: Settings): Sight | null {
  if (caller.kind === 'facility-system')
    return {
      kind: caller.kind,
      facility: caller.facility.id,
      organisation: caller.facility.organisation,
      professional: '',
      role: '',
      domains: '',
      own: 0,
      elsewhere: 0,
      lifted: '',
    }
  if (caller.kind !== 'provider') return null
  return {
    kind: caller.kind,
    facility: caller.facility.id,
    organisation: caller.facility.organisation,
    professional: caller.professional,
    role: caller.role,
    domains: spaced([...caller.domains, ...openDomains]),
    own: rankOf(caller.clearance.own),
    elsewhere: rankOf(caller.clearance.elsewhere),
    lifted: emergencyPurposes.includes(caller.purpose) ? spaced([...settings.lifted]) : '',
  }
}

const spaced = (names: readonly string[]): string => ` ${[...new Set(names)].sort().join(' ')} `

export const isSameSight = (a: Sight | null, b: Sight | null): boolean =>
  JSON.stringify(a) === JSON.stringify(b)

/** Named arguments of the row filter; null, which sees nothing, for everybody else. */
export const sightArgs = (sight: Sight | null) =>
  ({
    caller_facility: sight?.facility ?? null,
    caller_organisation: sight?.organisation ?? null,
    caller_professional: sight?.professional ?? null,
    caller_role: sight?.role ?? null,
    domains: sight?.domains ?? null,
    own_rank: sight?.own ?? null,
    elsewhere_rank: sight?.elsewhere ?? null,
    lifted: sight?.lifted ?? null,
  }) satisfies Record<string, SqlValue>
