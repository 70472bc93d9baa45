/** Step 1 of a request: whose signature is it. What the bearer may do is read later, in the request's own batch. */
import { err, type Result } from '../result.ts'
import type { Reader } from '../store/ports.ts'
import type { Placement, Presented } from './caller.ts'
import type { TokenRefusal } from './refusal.ts'

export interface Authenticated {
  readonly presented: Presented
  /** Null: the registry places this caller at no facility. */
  readonly placement: Placement | null
}

export interface Authenticator {
  /**
   * `authorization` is the request header, null without one. Rejects with `StoreError` when the registry had to be read
   * and could not be.
   */
  authenticate(authorization: string | null, nowMs: number): Promise<Result<Authenticated, TokenRefusal>>
  /** The registry has moved on from what this rests on: the next call reads it again. */
  forget(presented: Presented): void
}

export function createAuthenticator(_registry: Reader): Authenticator {
  return {
    authenticate: async () => err({ reason: 'unauthenticated', cause: 'missing' }),
    forget: () => undefined,
  }
}
