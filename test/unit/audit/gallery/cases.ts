/** The gallery: one thing changed at a time, and what both verifiers must say of it. */
import { csvCases } from './cases-csv.ts'
import { entryCases } from './cases-entries.ts'
import { harmlessCases } from './cases-harmless.ts'
import { insiderCases } from './cases-insider.ts'
import { proofCases } from './cases-proofs.ts'
import { signedCases } from './cases-signed.ts'
import { siteCases } from './cases-sites.ts'
import type { Case } from './changes.ts'

export { mlDsaCases } from './cases-signed.ts'

export const groups: readonly (readonly [string, readonly Case[]])[] = [
  ['entries', entryCases],
  ['what is signed', signedCases],
  ['proofs, redactions and chains', proofCases],
  ['CSV', csvCases],
  ['what logs publish', siteCases],
  ['what an insider would try', insiderCases],
  ['what must not alarm', harmlessCases],
]
