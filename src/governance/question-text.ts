/** What is said beside an answer that does not do all that was asked, in the reader's language. Pure. */
import type { Outcome } from './question-terms.ts'

/**
 * The way on from a correction that was refused, wholly or in part: the Commission d'accès à l'information reviews it,
 * where that is asked for within 30 days (A-2.1, s. 135; P-39.1, s. 43). Null: all was done.
 */
export function recourse(outcome: Outcome | '', language: 'fr' | 'en'): string | null {
  if (outcome !== 'refused' && outcome !== 'partly-accepted') return null
  return language === 'fr'
    ? 'Vous pouvez demander à la Commission d’accès à l’information du Québec (cai.gouv.qc.ca) de réviser cette décision, dans les 30 jours qui suivent la réponse.'
    : 'You may ask the Commission d’accès à l’information du Québec (cai.gouv.qc.ca) to review this decision, within 30 days of the answer.'
}
