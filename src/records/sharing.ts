/** The sharing policy: which documents a facility's publications put into the shared record. Data, not code. */
import type { Statement } from '../store/ports.ts'
import { clinicalDomains, type Domain } from './domain.ts'

export type Route = 'records' | 'local'

/** A row of `sharing_rule`; `*` stands for any. */
export interface SharingRule {
  readonly domain: string
  readonly type: string
  /** `system|code`. */
  readonly category: string
  /** `system|code`. */
  readonly code: string
  /** Code of v3-Confidentiality. */
  readonly confidentiality: string
  readonly shared: boolean
}

export interface Routed {
  readonly type: string
  readonly domain: Domain
  /** All codings, as `system|code`: a rule that withholds a code withholds it wherever it stands. */
  readonly categories: readonly string[]
  readonly codes: readonly string[]
  readonly confidentiality: string
  /** Whether resources of its type are about persons at all (a `Medication` is not). */
  readonly canHavePerson: boolean
  /** Whether it is about a person. */
  readonly hasPerson: boolean
}

/** Types that say who saw and who may see: never shared as documents, whatever the rules. */
const neverShared: ReadonlySet<string> = new Set(['AuditEvent', 'Consent'])

/** The first rule that matches decides; none: local. @param rules in the order in which they are tried */
export function route(rules: readonly SharingRule[], document: Routed): Route {
  if (neverShared.has(document.type)) return 'local'
  // Meant to be about somebody, and it does not say whom: nobody's refusal or restriction could ever hold for it.
  if (clinicalDomains.has(document.domain) && document.canHavePerson && !document.hasPerson) return 'local'
  return rules.find((rule) => matches(rule, document))?.shared ? 'records' : 'local'
}

function matches(rule: SharingRule, document: Routed): boolean {
  const is = (wanted: string, values: readonly string[]): boolean => wanted === '*' || values.includes(wanted)
  return (
    is(rule.domain, [document.domain]) &&
    is(rule.type, [document.type]) &&
    is(rule.category, document.categories) &&
    is(rule.code, document.codes) &&
    is(rule.confidentiality, [document.confidentiality])
  )
}

/** The rules in force; read in the batch of the publication they route. */
export const sharingRules: Statement = {
  sql: `select domain, type, category, code, confidentiality, shared
        from sharing_rule where valid_to is null order by position`,
}
