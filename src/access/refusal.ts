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
    | 'key-revoked'
    | 'token-revoked'
    /** The patient has not proved strongly enough who they are (RFC 9470). */
    | 'assurance-too-low'
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
  /** Person id, where one is concerned: for the audit entry alone. */
  readonly patient?: string
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
    /** The token's SMART scopes do not allow it. */
    | 'scope-insufficient'
    /** The issuer vouches for another organisation only. */
    | 'issuer-not-for-organisation'
    /** The caller does not care for this patient, or nobody has this id: the same. */
    | 'relationship-required'
    /** The patient refused everything … */
    | 'refused'
    /** … or everything before a date. */
    | 'refused-before'
    /** The patient restricted it. */
    | 'restricted'
    /** Labelled more confidential than the role may read. */
    | 'confidentiality'
    /** No single person of the record answers to the token's patient identifier. */
    | 'person-unknown'
    /** Under 14, a guardian acts; from 14 on, nobody else does. */
    | 'age'
    /** No guardianship of that person is registered. */
    | 'guardianship-missing'
    /** An officer or manager of another organisation or facility. */
    | 'not-own-organisation'
    /** Somebody else must do it. */
    | 'four-eyes'
    /** No emergency opens this, or the token states none. */
    | 'break-glass-not-permitted'
}

export type AccessRefusal = TokenRefusal | PolicyRefusal
