/** Reasons for which a caller is refused. */

/** The token itself, or its issuer: 401, the same body for all. */
export type TokenRefusal = {
  readonly reason: 'unauthenticated'
  readonly cause:
    | 'missing'
    | 'malformed'
    | 'wrong-type'
    | 'unknown-issuer'
    | 'unknown-key'
    | 'algorithm-not-allowed'
    | 'bad-signature'
    | 'expired'
    | 'not-yet-valid'
    | 'wrong-audience'
    | 'claim-missing'
    | 'lifetime-too-long'
    | 'revoked'
    /** A bound token as `Bearer`, an unbound one as `DPoP`, or a proof beside `Bearer` (RFC 9449 §7.1, §7.2). */
    | 'wrong-scheme'
    | ProofCause
}

/** The token is bound to a key; its proof (RFC 9449) does not hold. */
export type ProofCause =
  | 'proof-missing'
  | 'proof-malformed'
  | 'proof-wrong-type'
  | 'proof-algorithm-not-allowed'
  /** No key, a private one, or one that does not fit the algorithm. */
  | 'proof-key-unfit'
  | 'proof-bad-signature'
  | 'proof-claim-missing'
  | 'proof-wrong-key'
  | 'proof-wrong-method'
  | 'proof-wrong-url'
  | 'proof-wrong-token'
  | 'proof-stale'
  | 'proof-not-yet-valid'
  /** Told by the log, which has seen it before. */
  | 'proof-replayed'

/** The token is good; the registry or the policy says no: 403 (404 for a single document). */
export type PolicyRefusal = {
  readonly reason: 'forbidden'
  readonly cause:
    | 'client-unknown'
    | 'professional-unknown'
    | 'facility-unknown'
    | 'role-missing'
    | 'role-not-held'
    | 'purpose-not-permitted'
    /** This kind of caller does not use this operation. */
    | 'operation-not-for-caller'
    /** The role matrix opens no domain, or not this one. */
    | 'domain-not-permitted'
    /** An unshared document of another facility. */
    | 'not-own-facility'
}

export type AccessRefusal = TokenRefusal | PolicyRefusal
