/** Every token that an attacker, or a careless issuer, is known to make: one refusal, one reason each. */
import { claimTokens, revokedTokens } from './hostile/claims.ts'
import type { HostileToken } from './hostile/hostile-token.ts'
import { proofTokens } from './hostile/proofs.ts'
import { syntaxTokens } from './hostile/syntax.ts'

export const hostileTokens: readonly HostileToken[] = [
  ...syntaxTokens,
  ...claimTokens,
  ...revokedTokens,
  ...proofTokens,
]
