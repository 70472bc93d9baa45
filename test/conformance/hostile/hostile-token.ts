import type { PolicyRefusal, TokenRefusal } from '../../../src/access/refusal.ts'
import type { Forge, Shown } from './forge.ts'

export interface HostileToken {
  /** Reads after "refuses a token". */
  readonly name: string
  /** What it breaks. */
  readonly rule: string
  /** Reason in the audit entry. */
  readonly cause: TokenRefusal['cause'] | PolicyRefusal['cause']
  /** Who refuses it: the token alone, the facts of its request's batch, or the log that has seen it before. */
  readonly by: 'authenticator' | 'registry' | 'log'
  readonly status: 401 | 403
  /** What is shown; of `log`, what is shown the second time. */
  readonly make: (forge: Forge) => Promise<Shown>
}
