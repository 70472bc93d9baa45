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
}

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
