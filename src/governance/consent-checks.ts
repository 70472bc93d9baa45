/** What is wrong with a well-formed consent, given who records it and what the registry knows. Pure. */
import { parseDate } from '../fhir/date.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import type { ConsentContent } from './consent-resource.ts'
import { type Actor, rulesOf, type Scope } from './consent-scope.ts'
import type { Capacity } from './consent-terms.ts'
import { type Issues, required, wrong } from './element-reading.ts'

export interface Known {
  readonly capacity: Capacity
  readonly now: number
  /** Source records of the person, and of the guardians registered for them. */
  readonly ofPerson: readonly string[]
  readonly ofGuardians: readonly string[]
  /** Positions in `actorsOf`. */
  readonly unknownActors: readonly number[]
  /** Rules in force but for those of the consent that is replaced. */
  readonly otherRules: number
}

export function checkConsent(content: ConsentContent, known: Known): readonly Issue[] {
  const issues: Issues = []
  // The register has to say how it was expressed: whoever was told, knows.
  if (known.capacity === 'privacy-officer' && content.means === null) required(issues, 'Consent.extension')
  const said = content.dateTime === null ? null : parseDate(content.dateTime)
  if (said && said.lo > new Date(known.now + limits.maxClockSkewMs).toISOString())
    wrong(issues, 'Consent.dateTime', 'est dans l’avenir', 'is in the future')
  if (content.performer !== null && !mayAgree(content.performer, known))
    wrong(
      issues,
      'Consent.performer[0]',
      'n’est ni la personne ni qui peut consentir pour elle',
      'is neither the person nor one who may agree for them',
    )
  for (const position of known.unknownActors) {
    const at = actorPath(content.scope, position)
    wrong(issues, at, 'inconnu du registre', 'not known to the registry')
  }
  if (content.status === 'active' && known.otherRules + rulesOf(content.scope).length > limits.maxPersonRules)
    issues.push(tooMany('Consent.provision', limits.maxPersonRules, 'règles en vigueur', 'rules in force'))
  return issues
}

/** From 14 on nobody agrees for a person; a guardian agrees for the ward, the officer records either. */
function mayAgree(performer: string, { capacity, ofPerson, ofGuardians }: Known): boolean {
  const isPerson = ofPerson.includes(performer)
  const isGuardian = ofGuardians.includes(performer)
  if (capacity === 'patient') return isPerson
  return capacity === 'guardian' ? isGuardian : isPerson || isGuardian
}

export const tooMany = (expression: string, max: number, fr: string, en: string): Issue => ({
  code: 'too-costly',
  expression,
  text: { fr: `${max} ${fr} au plus pour une personne.`, en: `${max} ${en} at most for one person.` },
})

/** Every actor that a scope names, in order. */
export const actorsOf = (scope: Scope): readonly Actor[] =>
  scope.kind === 'restriction' ? scope.restrictions.flatMap(({ actors }) => actors) : []

function actorPath(scope: Scope, position: number): string {
  let left = position
  const restrictions = scope.kind === 'restriction' ? scope.restrictions : []
  for (const [i, { actors }] of restrictions.entries()) {
    if (left < actors.length) return `Consent.provision.provision[${i}].actor[${left}]`
    left -= actors.length
  }
  return 'Consent.provision'
}
