/** Step 1 of a request: whose signature is it. What the bearer may do is read later, in the request's own batch. */
import { errors, jwtVerify } from 'jose'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Reader } from '../store/ports.ts'
import type { Placement, Presented } from './caller.ts'
import { type Claimed, presentedRole, readClaims } from './claims.ts'
import { headerFault, readJws, readKeyId, typeFault } from './compact-jws.ts'
import { verifyProof } from './dpop.ts'
import { algorithmFault, keyOf, type TrustedIssuer } from './issuer-keys.ts'
import { IssuerList } from './issuer-list.ts'
import { Memory } from './memory.ts'
import { type OneTimeKey, oneTimeToken } from './one-time-key.ts'
import { requiredClaims, type TokenCause, type TokenRefusal } from './refusal.ts'
import type { Sight } from './sight.ts'
import { readStanding, type Standing, standingKey, standingStatements } from './standing.ts'

export interface Authenticated {
  readonly presented: Presented
  /** Null: the registry places this caller at no facility. */
  readonly placement: Placement | null
  /** What the registry lets this caller see; null: no documents. */
  readonly sight: Sight | null
  /** To be used up by the request's first append: its proof, and its token where that is good for one request. */
  readonly once: readonly OneTimeKey[]
}

/** What a request shows of its caller. */
export interface Credentials {
  /** The request header, null without one. */
  readonly authorization: string | null
  /** The request header, null without one. */
  readonly dpop: string | null
  readonly method: string
  /** At the public address: a proof names it. */
  readonly url: URL
}

/** A token whose signature verified, by the row it verified by. */
interface Verified {
  readonly presented: Presented
  readonly by: TrustedIssuer
}

/** A token as it reads, before anything of it is believed. */
interface Unverified {
  readonly token: string
  readonly alg: string
  readonly kid: string
  readonly claimed: Claimed
}

export interface Authenticator {
  /**
   * Rejects with `StoreError` when the registry had to be read and could not be.
   */
  authenticate(credentials: Credentials, nowMs: number): Promise<Result<Authenticated, TokenRefusal>>
  /** The registry has moved on from what this rests on: the next call reads it again. */
  forget(presented: Presented): void
  /** What a batch has said of this caller since. */
  remember(presented: Presented, standing: Standing): void
}

/** RFC 9068 §2.1, and what SMART servers write. Other tokens of an issuer (ID tokens) differ in their audience. */
const tokenTypes = ['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt']

/** All of them at once: an invented name costs no read of its own. */
const issuersSql = `select row, issuer, audience, algorithms, jwks, role_system, requires_dpop, one_time
from issuer where valid_to is null order by row limit ${limits.maxRememberedIssuers}`

/** Whom the registry trusts no more: told apart in the log from whom it never knew. */
const endedIssuersSql = `select distinct issuer from issuer as ended
where not exists (select 1 from issuer where issuer = ended.issuer and valid_to is null)
limit ${limits.maxRememberedIssuers}`

/**
 * One per isolate. It remembers, within bounds, only that a signature verified by a registry row, the issuers' keys, and
 * where a caller's facility lives and what he may see: hints that `readFacts` confirms in every request. It never keeps a promise: on Workers
 * one request must not wait for another's.
 */
export function createAuthenticator(registry: Reader): Authenticator {
  // By SHA-256 of the token. An entry counts only while the row that verified it is the issuer's listed one.
  const tokens = new Memory<string, Verified>(limits.maxRememberedTokens)
  // The registry's current issuers as last read; null: to be read again. Replaced as a whole, never updated.
  let remembered: IssuerList | null = null
  const standings = new Memory<string, Standing>(limits.maxRememberedStandings)

  /** The claimed standing rides along, so that a cold isolate reads once; it counts only if the token verifies. */
  const readIssuers = async (claimed: Claimed, nowMs: number) => {
    const asked = { ...claimed, role: presentedRole(claimed, null) }
    const [issuerRows = [], endedRows = [], ...rows] = await registry.read([
      { sql: issuersSql },
      { sql: endedIssuersSql },
      ...standingStatements(asked),
    ])
    const issuers = new IssuerList(issuerRows, endedRows, nowMs, remembered)
    remembered = issuers
    return { issuers, key: standingKey(asked), standing: readStanding(rows, asked, nowMs) }
  }

  /** Refusals that newer registry rows could turn are given only by rows read a moment ago. */
  const verify = async (jws: Unverified, nowMs: number): Promise<Result<Verified, TokenRefusal>> => {
    const known = remembered
    const first = known ? await verifyBy(known, jws, nowMs) : null
    if (first?.ok) return first
    if (known && first && (!dependsOnRow(first.error) || known.isRecent(nowMs))) return refused(first.error)
    const { issuers, key, standing } = await readIssuers(jws.claimed, nowMs)
    const second = await verifyBy(issuers, jws, nowMs)
    if (!second.ok) return refused(second.error)
    standings.set(key, standing)
    return second
  }

  const standingFor = async (presented: Presented, nowMs: number): Promise<Standing> => {
    const known = standings.get(standingKey(presented))
    if (known) return known
    const standing = readStanding(await registry.read(standingStatements(presented)), presented, nowMs)
    standings.set(standingKey(presented), standing)
    return standing
  }

  const verifyToken = async (token: string, nowMs: number): Promise<Result<Verified, TokenRefusal>> => {
    if (token.length > limits.maxTokenBytes) return refused('jws-too-long')
    const key = await digest(token)
    const verified = tokens.get(key)
    if (verified && remembered?.rowOf(verified.presented.issuer) === verified.by.row) {
      const { expiresAt } = verified.presented
      if (nowMs >= (expiresAt + limits.clockToleranceSeconds) * 1_000) return refused('expired')
      return ok(verified)
    }
    const jws = readToken(token)
    if (!jws.ok) return refused(jws.error)
    const result = await verify(jws.value, nowMs)
    if (result.ok) tokens.set(key, result.value)
    return result
  }

  return {
    authenticate: async ({ authorization, dpop, method, url }, nowMs) => {
      const [, scheme, token] = authorization?.match(/^(bearer|dpop) +(.*)$/is) ?? []
      if (scheme === undefined || token === undefined) return refused('missing')
      const verified = await verifyToken(token, nowMs)
      if (!verified.ok) return verified
      const { presented, by } = verified.value
      const { issuer, jti, expiresAt, keyThumbprint } = presented
      const isBearer = scheme.toLowerCase() === 'bearer'
      if (isBearer !== (keyThumbprint === null) || (isBearer && dpop !== null)) return refused('wrong-scheme')
      const once: OneTimeKey[] = []
      if (keyThumbprint !== null) {
        if (dpop === null) return refused('proof-missing')
        const proof = await verifyProof({ proof: dpop, method, url, token, keyThumbprint }, nowMs)
        if (!proof.ok) return refused(proof.error)
        once.push(proof.value)
      }
      if (by.isOneTime) once.push(await oneTimeToken(issuer, jti, expiresAt))
      return ok({ presented, ...(await standingFor(presented, nowMs)), once })
    },
    remember: (presented, standing) => standings.set(standingKey(presented), standing),
    forget: (presented) => {
      remembered = null
      standings.delete(standingKey(presented))
    },
  }
}

/** The strict gate: whatever can be said of a token without knowing its issuer, before any key is chosen. */
function readToken(token: string): Result<Unverified, TokenCause> {
  const jws = readJws(token, limits.maxTokenBytes)
  if (!jws.ok) return jws
  const { header, claims, isSigned } = jws.value
  const fault = headerFault(header) ?? algorithmFault(header.alg) ?? typeFault(header, tokenTypes)
  if (fault !== null) return err(fault)
  const kid = readKeyId(header)
  if (!kid.ok) return kid
  if (!isSigned) return err('signature-missing')
  const claimed = readClaims(claims)
  return claimed.ok ? ok({ token, alg: String(header.alg), kid: kid.value, claimed: claimed.value }) : claimed
}

/** What another registry row, with other keys, algorithms, audience or demands, might have accepted. */
const dependsOnRow = (cause: TokenCause): boolean =>
  /^(issuer|key|kid)-/.test(cause) ||
  ['algorithm-not-of-issuer', 'signature-wrong', 'audience-wrong', 'dpop-required'].includes(cause)

/** The token as its issuer's registry row makes it count. */
async function verifyBy(
  issuers: IssuerList,
  jws: Unverified,
  nowMs: number,
): Promise<Result<Verified, TokenCause>> {
  const { claimed } = jws
  const by = await issuers.trusted(claimed.issuer)
  if (!by) return err(issuers.wasEnded(claimed.issuer) ? 'issuer-revoked' : 'issuer-unknown')
  const signer = await verifySignature(jws, by, nowMs)
  if (!signer.ok) return signer
  if (by.requiresDpop && claimed.keyThumbprint === null) return err('dpop-required')
  const { issuedAt, role, ...presented } = claimed
  return ok({
    presented: {
      ...presented,
      issuerRow: by.row,
      signedBy: signer.value,
      role: presentedRole({ role }, by.roleSystem),
    },
    by,
  })
}

/**
 * Thumbprint of the key by which the token holds; its issuer's row says which keys, algorithms and audience, never the
 * token.
 */
async function verifySignature(
  { token, alg, kid, claimed }: Unverified,
  by: TrustedIssuer,
  nowMs: number,
): Promise<Result<string, TokenCause>> {
  if (!by.algorithms.includes(alg)) return err('algorithm-not-of-issuer')
  const found = keyOf(by, kid, alg)
  if (!found.ok) return found
  const { key, thumbprint } = found.value
  try {
    await jwtVerify(token, key, {
      algorithms: [alg],
      issuer: by.issuer,
      audience: by.audience,
      requiredClaims: [...requiredClaims],
      clockTolerance: limits.clockToleranceSeconds,
      currentDate: new Date(nowMs),
    })
  } catch (error) {
    return err(causeOf(error))
  }
  const { issuedAt, expiresAt } = claimed
  if (issuedAt > nowMs / 1_000 + limits.clockToleranceSeconds) return err('issued-in-future')
  return expiresAt - issuedAt > limits.maxTokenLifetimeSeconds ? err('lifetime-too-long') : ok(thumbprint)
}

/** @throws the error itself when it is none of jose's own: a defect, not a bad token. */
function causeOf(error: unknown): TokenCause {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature-wrong'
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed && error.reason === 'check_failed') {
    if (error.claim === 'aud') return 'audience-wrong'
    if (error.claim === 'nbf') return 'not-yet-valid'
  }
  if (error instanceof errors.JOSEError) return 'not-verifiable'
  throw error
}

async function digest(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return String.fromCharCode(...new Uint8Array(bytes))
}

const refused = (cause: TokenRefusal['cause']): Result<never, TokenRefusal> =>
  err({ reason: 'unauthenticated', cause })
