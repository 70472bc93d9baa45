/** What is good for one request: a proof, or a token of an issuer whose tokens are. The log refuses it the second time. */
import { base64url } from 'jose'
import { limits } from '../limits.ts'
import type { ReplayCause } from './refusal.ts'

/** Refused by the log until then, from the commit of the request's first append on. */
export interface OneTimeKey {
  readonly key: string
  readonly untilMs: number
}

/** Of one key a `jti` is used once, whatever else the proof says: a signature may be written in more than one way. */
export const oneTimeProof = (thumbprint: string, jti: string, staleMs: number): Promise<OneTimeKey> =>
  oneTime('dpop', [thumbprint, jti], staleMs)

/** `expiresAt`: seconds since 1970. */
export const oneTimeToken = (issuer: string, jti: string, expiresAt: number): Promise<OneTimeKey> =>
  oneTime('jti', [issuer, jti], (expiresAt + limits.clockToleranceSeconds) * 1_000)

/** What the replay of `key` is called. */
export const replayCause = (key: string): ReplayCause =>
  key.startsWith('jti:') ? 'token-used' : 'proof-replayed'

async function oneTime(
  kind: 'dpop' | 'jti',
  names: readonly [string, string],
  uselessFromMs: number,
): Promise<OneTimeKey> {
  const key = `${kind}:${await sha256(JSON.stringify(names))}`
  return { key, untilMs: Math.ceil(uselessFromMs) + limits.oneTimeMemoryMs }
}

/** Base64url, without padding. */
export async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return base64url.encode(new Uint8Array(bytes))
}
