/** Access tokens live minutes, imports and exports longer: the token in hand is renewed before it ends. */
import { decodeJwt } from 'jose'
import { limits } from '../limits.ts'

/**
 * @param obtain a fresh token; asked again only when the last one ends within `limits.tokenRenewalMs`
 * @returns the token to send now. A token that does not say when it ends is kept: the cluster judges it.
 */
export function renewingToken(
  obtain: () => Promise<string>,
  now: () => number = Date.now,
): () => Promise<string> {
  let held: { readonly token: string; readonly endsAtMs: number } | undefined
  return async () => {
    if (held === undefined || held.endsAtMs - now() < limits.tokenRenewalMs) {
      const token = await obtain()
      held = { token, endsAtMs: endOf(token) }
    }
    return held.token
  }
}

function endOf(token: string): number {
  try {
    const { exp } = decodeJwt(token)
    return exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
