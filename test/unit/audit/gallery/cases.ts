/** The gallery: one thing changed at a time, and what both verifiers must say of it. */
import { chainCases } from './cases-chains.ts'
import { csvCases } from './cases-csv.ts'
import { entryCases } from './cases-entries.ts'
import { eventCases } from './cases-events.ts'
import { fileCases } from './cases-files.ts'
import { harmlessCases } from './cases-harmless.ts'
import { insiderCases } from './cases-insider.ts'
import { jsonCases } from './cases-json.ts'
import { proofCases } from './cases-proofs.ts'
import { pruningCases } from './cases-pruning.ts'
import { signedCases } from './cases-signed.ts'
import { siteCases } from './cases-sites.ts'
import { statementCases } from './cases-statements.ts'
import { trustCases } from './cases-trust.ts'
import { unionCases } from './cases-union.ts'
import type { Case } from './changes.ts'

export const groups: readonly (readonly [string, readonly Case[]])[] = [
  ['entries', entryCases],
  ['checkpoints', signedCases],
  ['keys and what is known', trustCases],
  ['heads and lists', statementCases],
  ['inclusion', proofCases],
  ['redactions and chains', chainCases],
  ['chains of one person under two ids', unionCases],
  ['prunings', pruningCases],
  ['CSV', csvCases],
  ['AuditEvents', eventCases],
  ['what logs publish', siteCases],
  ['what a file promises', insiderCases],
  ['JSON', jsonCases],
  ['blocks and files', fileCases],
  ['what must not alarm', harmlessCases],
]
