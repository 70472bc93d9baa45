/** What every answer and every entry say of how the request was served, beside what the operation says. */
import type { Caller, Presented } from '../access/caller.ts'
import type { Clock } from '../access/facts.ts'
import { narrowing } from '../access/scope.ts'
import type { Staleness } from './load.ts'

/** As far as the request has come. */
export interface Standing {
  readonly clock: Clock | null
  readonly staleness: Staleness | null
  readonly caller: Caller | null
  readonly presented: Presented | null
  readonly isLocalMissing: boolean
}

export const headersOf = (
  requestId: string,
  { clock, staleness, isLocalMissing }: Standing,
): Record<string, string> => ({
  'X-Request-Id': requestId,
  ...(clock ? { 'Dossier-Clock': `${clock.epoch}.${clock.n}` } : {}),
  ...(isLocalMissing ? { 'Dossier-Incomplete': 'local' } : {}),
  ...(staleness ? { 'Dossier-Stale': `${staleness.seconds}${staleness.degraded ? '; degraded' : ''}` } : {}),
})

/** Of the entry. @param note the operation's own */
export function noteOf(
  { caller, presented, isLocalMissing }: Standing,
  note: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> | null {
  // What the token was narrowed to is needed to explain the decision later.
  const scopes = caller ? narrowing(presented?.scopes ?? [], caller.kind) : null
  const context = presented?.patient ?? null
  const all = {
    ...note,
    ...(scopes === null ? {} : { scopes }),
    ...(scopes === null || context === null ? {} : { context }),
    ...(isLocalMissing ? { missing: 'local' } : {}),
  }
  return Object.keys(all).length > 0 ? all : null
}
