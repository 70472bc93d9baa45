/** Step 1 of a request: whose signature is it. What the bearer may do is read later, in the request's own batch. */
import { errors, jwtVerify } from 'jose'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Reader, Row, Statement } from '../store/ports.ts'
import type { Placement, Presented } from './caller.ts'
import { facilityRow, isClient } from './caller-sql.ts'
import { type Claimed, presentedRole, readClaims } from './claims.ts'
import { readCompactJws, type UnverifiedJws } from './compact-jws.ts'
import { type OneTimeKey, verifyProof } from './dpop.ts'
import type { TrustedIssuer } from './issuer-keys.ts'
import { IssuerList } from './issuer-list.ts'
import { Memory } from './memory.ts'
import type { TokenRefusal } from './refusal.ts'

export interface Authenticated {
  readonly presented: Presented
  /** Null: the registry places this caller at no facility. */
  readonly placement: Placement | null
  /** To be used up by the request's first append; null: the token is bound to no key. */
  readonly proof: OneTimeKey | null
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

/** Whom a token, its proof aside, is of. */
type Verified = Omit<Authenticated, 'proof'>

export interface Authenticator {
  /**
   * Rejects with `StoreError` when the registry had to be read and could not be.
   */
  authenticate(credentials: Credentials, nowMs: number): Promise<Result<Authenticated, TokenRefusal>>
  /** The registry has moved on from what this rests on: the next call reads it again. */
  forget(presented: Presented): void
}

type Cause = TokenRefusal['cause']

/** RFC 9068 §2.2; each is refused by name when absent. `scope` may be: rights come from the registry. */
const requiredClaims = ['iss', 'sub', 'client_id', 'aud', 'exp', 'iat', 'jti'] as const

/** RFC 9068 §2.1, and what SMART servers write. Other tokens of an issuer (ID tokens) differ in their audience. */
const tokenTypes = ['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt']

/** All of them at once: an invented name costs no read of its own. */
const issuersSql = `select row, issuer, audience, algorithms, jwks, role_system
from issuer where valid_to is null order by row limit ${limits.maxRememberedIssuers}`

const placementSql = `select f.row, f.id, f.region, f.log
from client as c join facility as f on f.row = ${facilityRow('c')} where ${isClient('c')}`

/**
 * One per isolate. It remembers, within bounds, only that a signature verified by a registry row, the issuers' keys, and
 * where a caller's facility lives: hints that `readFacts` confirms in every request. It never keeps a promise: on Workers
 * one request must not wait for another's.
 */
export function createAuthenticator(registry: Reader): Authenticator {
  // By SHA-256 of the token. An entry counts only while the row that verified it is the issuer's listed one.
  const tokens = new Memory<string, Presented>(limits.maxRememberedTokens)
  // The registry's current issuers as last read; null: to be read again. Replaced as a whole, never updated.
  let remembered: IssuerList | null = null
  const placements = new Memory<string, { readonly placement: Placement | null }>(
    limits.maxRememberedPlacements,
  )

  /** The claimed placement rides along, so that a cold isolate reads once; it counts only if the token verifies. */
  const readIssuers = async (claimed: Claimed, nowMs: number) => {
    const [issuerRows = [], placementRows] = await registry.read([
      { sql: issuersSql },
      placementStatement(claimed),
    ])
    const issuers = new IssuerList(issuerRows, nowMs, remembered)
    remembered = issuers
    return { issuers, placement: placementOf(placementRows?.[0]) }
  }

  /** Refusals that newer registry rows could turn are given only by rows read a moment ago. */
  const verify = async (
    token: string,
    key: string,
    jws: UnverifiedJws,
    claimed: Claimed,
    nowMs: number,
  ): Promise<Result<Verified, TokenRefusal>> => {
    const known = remembered
    const first = known ? await verifyBy(known, token, jws, claimed, nowMs) : null
    if (first?.ok) return await admit(key, claimed, first.value, undefined)
    if (known && first && (!dependsOnRow.has(first.error.cause) || known.isRecent(nowMs))) return first
    const { issuers, placement } = await readIssuers(claimed, nowMs)
    const second = await verifyBy(issuers, token, jws, claimed, nowMs)
    return second.ok ? await admit(key, claimed, second.value, placement) : second
  }

  const admit = async (
    key: string,
    claimed: Claimed,
    { row, roleSystem }: TrustedIssuer,
    placement: Placement | null | undefined,
  ): Promise<Result<Verified, TokenRefusal>> => {
    const presented = { ...claimed, issuerRow: row, role: presentedRole(claimed, roleSystem) }
    if (placement !== undefined) placements.set(placementKey(claimed), { placement })
    tokens.set(key, presented)
    return ok({ presented, placement: await placementFor(claimed) })
  }

  const placementFor = async (claimed: Placed): Promise<Placement | null> => {
    const known = placements.get(placementKey(claimed))
    if (known) return known.placement
    const [rows] = await registry.read([placementStatement(claimed)])
    const placement = placementOf(rows?.[0])
    placements.set(placementKey(claimed), { placement })
    return placement
  }

  const verifyToken = async (token: string, nowMs: number): Promise<Result<Verified, TokenRefusal>> => {
    if (token.length > limits.maxTokenBytes) return refused('malformed')
    const key = await digest(token)
    const verified = tokens.get(key)
    if (verified && remembered?.rowOf(verified.issuer) === verified.issuerRow) {
      if (nowMs >= (verified.expiresAt + limits.clockToleranceSeconds) * 1_000) return refused('expired')
      return ok({ presented: verified, placement: await placementFor(verified) })
    }
    const jws = readCompactJws(token)
    if (!jws.ok) return refused('malformed')
    if (!tokenTypes.includes(jws.value.header.typ?.toLowerCase() ?? '')) return refused('wrong-type')
    const { claims } = jws.value
    if (!requiredClaims.every((claim) => Object.hasOwn(claims, claim))) return refused('claim-missing')
    const claimed = readClaims(claims)
    return claimed ? await verify(token, key, jws.value, claimed, nowMs) : refused('malformed')
  }

  return {
    authenticate: async ({ authorization, ...shown }, nowMs) => {
      const [, scheme, token] = authorization?.match(/^(bearer|dpop) +(.*)$/is) ?? []
      if (scheme === undefined || token === undefined) return refused('missing')
      const verified = await verifyToken(token, nowMs)
      if (!verified.ok) return verified
      const { keyThumbprint } = verified.value.presented
      const isBearer = scheme.toLowerCase() === 'bearer'
      if (isBearer !== (keyThumbprint === null) || (isBearer && shown.dpop !== null))
        return refused('wrong-scheme')
      if (keyThumbprint === null) return ok({ ...verified.value, proof: null })
      if (shown.dpop === null) return refused('proof-missing')
      const { dpop, method, url } = shown
      const proof = await verifyProof({ proof: dpop, method, url, token, keyThumbprint }, nowMs)
      return proof.ok ? ok({ ...verified.value, proof: proof.value }) : refused(proof.error)
    },
    forget: (presented) => {
      remembered = null
      placements.delete(placementKey(presented))
    },
  }
}

/** What another registry row, with other keys, algorithms or audience, might have accepted. */
const dependsOnRow: ReadonlySet<Cause> = new Set([
  'unknown-issuer',
  'unknown-key',
  'algorithm-not-allowed',
  'bad-signature',
  'wrong-audience',
])

/** The issuer's registry row by whose keys the token holds. */
async function verifyBy(
  issuers: IssuerList,
  token: string,
  jws: UnverifiedJws,
  { issuer }: Claimed,
  nowMs: number,
): Promise<Result<TrustedIssuer, TokenRefusal>> {
  const trusted = await issuers.trusted(issuer)
  if (!trusted) return refused('unknown-issuer')
  const cause = await verifySignature(token, jws, trusted, nowMs)
  return cause === null ? ok(trusted) : refused(cause)
}

/** Null when the token holds; its issuer's row says which keys, algorithms and audience, never the token. */
async function verifySignature(
  token: string,
  { header, claims }: UnverifiedJws,
  { issuer, audience, algorithms, keys }: TrustedIssuer,
  nowMs: number,
): Promise<Cause | null> {
  if (!algorithms.includes(header.alg)) return 'algorithm-not-allowed'
  const key = keys.get(header.kid)?.get(header.alg)
  if (!key) return 'unknown-key'
  try {
    await jwtVerify(token, key, {
      algorithms: [header.alg],
      issuer,
      audience,
      requiredClaims: [...requiredClaims],
      clockTolerance: limits.clockToleranceSeconds,
      currentDate: new Date(nowMs),
    })
  } catch (error) {
    return causeOf(error)
  }
  const { iat, exp } = claims
  if (!Number.isFinite(iat) || !Number.isFinite(exp)) return 'malformed'
  if (Number(iat) > nowMs / 1_000 + limits.clockToleranceSeconds) return 'not-yet-valid'
  return Number(exp) - Number(iat) > limits.maxTokenLifetimeSeconds ? 'lifetime-too-long' : null
}

/** @throws the error itself when it is none of jose's own: a defect, not a bad token. */
function causeOf(error: unknown): Cause {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature'
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'wrong-audience'
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'not-yet-valid'
    return 'malformed'
  }
  if (error instanceof errors.JOSEError) return 'malformed'
  throw error
}

/** What a caller's placement depends on. */
type Placed = Pick<Presented, 'issuer' | 'clientId' | 'facilityUri'>

const placementStatement = ({ issuer, clientId, facilityUri }: Placed): Statement => ({
  sql: placementSql,
  args: { caller_issuer: issuer, caller_client: clientId, caller_facility_uri: facilityUri },
})

const placementKey = ({ issuer, clientId, facilityUri }: Placed): string =>
  JSON.stringify([issuer, clientId, facilityUri])

const placementOf = (row: Row | undefined): Placement | null =>
  row
    ? { row: Number(row.row), facility: String(row.id), region: String(row.region), log: String(row.log) }
    : null

async function digest(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return String.fromCharCode(...new Uint8Array(bytes))
}

const refused = (cause: Cause): Result<never, TokenRefusal> => err({ reason: 'unauthenticated', cause })
