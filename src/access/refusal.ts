/** Reasons for which a caller is refused. */
import { err, type Result } from '../result.ts'

/** The text of a compact JWS (RFC 7515 §3.1, §7.1, RFC 4648 §5). */
type JwsTextCause = `jws-${
  | 'too-long'
  | 'json-serialisation'
  | 'white-space'
  | 'padding'
  | 'alphabet'
  /** Five parts: a JWE (RFC 7516 §7.1). */
  | 'encrypted'
  | 'not-three-parts'
  | 'empty-part'
  /** No number of bytes is written in so many characters. */
  | 'length'
  /** Unused bits that are not zero: a second text of the same bytes. */
  | 'trailing-bits'}`

export type JwsPart = 'header' | 'payload'

/** Two of one name, or half a surrogate pair: two parsers could read different things. */
export type JsonAmbiguity = 'duplicate-member' | 'not-unicode'

/** The JSON of header and payload. */
type JwsJsonCause = `${JwsPart}-${'not-utf-8' | 'not-json' | 'not-object' | JsonAmbiguity}`

export type JwsCause = JwsTextCause | JwsJsonCause

/**
 * Header parameters that are refused: `crit`, `b64`, `zip` and `enc` change how a token is read, `cty` says that it wraps
 * another; with the others a token names its own key, which only the registry does (RFC 8725 §3.10).
 */
export const refusedHeaders = ['crit', 'b64', 'zip', 'enc', 'cty', 'jku', 'x5u', 'x5c', 'jwk'] as const

export type HeaderCause = `header-${Exclude<(typeof refusedHeaders)[number], 'cty'> | 'nested'}`

/** Refused whatever the registry says (RFC 8725 §3.1, §3.2). */
export type AlgorithmCause = `algorithm-${'missing' | 'wrong-type' | 'none' | 'symmetric' | 'unknown'}`

export type TypeCause = `type-${'missing' | 'wrong'}`

type SignatureCause = `signature-${'missing' | 'wrong'}`

/** The header's `kid`: empty and the like before any look-up, the rest where no key of the issuer has it. */
export type KeyIdCause = `kid-${'missing' | 'wrong-type' | 'empty' | 'too-long' | 'not-printable'}`
export type UnknownKeyCause = 'key-unknown' | `kid-${'path' | 'url' | 'unfit'}`

/** Why a key does not verify signatures of an algorithm. */
export type KeyFault = `key-${
  | 'of-another-algorithm'
  | 'wrong-curve'
  | 'not-for-signatures'
  | 'too-short'
  | 'damaged'}`

/** RFC 9068 §2.2; each is refused by name when absent. `scope` may be: rights come from the registry. */
export const requiredClaims = ['iss', 'sub', 'client_id', 'aud', 'exp', 'iat', 'jti'] as const

/** Claims that are one text (`aud`: or several), and bounded in length. */
export type TextClaim =
  | 'iss'
  | 'sub'
  | 'client_id'
  | 'aud'
  | 'jti'
  | 'scope'
  | 'patient'
  | 'birthdate'
  | 'acr'
  | IuaClaim

/** Members of `extensions.ihe_iua` (ITI TF-2 3.71.4.1.2.2.1.1). */
export type IuaClaim =
  | 'subject_name'
  | 'subject_organization_id'
  | 'subject_role'
  | 'purpose_of_use'
  | 'person_id'

export type ClaimCause =
  | `${(typeof requiredClaims)[number]}-missing`
  | `${TextClaim | 'exp' | 'iat' | 'nbf' | 'extensions' | 'ihe_iua' | 'cnf'}-wrong-type`
  | `${TextClaim}-too-long`
  /** The caller must not act in a role that another of the token's was meant to exclude. */
  | 'subject_role-several'

/** The token itself, or its issuer: 401, the same body for all. */
export type TokenCause =
  | 'missing'
  | JwsCause
  | HeaderCause
  | AlgorithmCause
  | 'algorithm-not-of-issuer'
  | TypeCause
  | KeyIdCause
  | UnknownKeyCause
  | KeyFault
  | SignatureCause
  | ClaimCause
  /** The registry never had it … */
  | 'issuer-unknown'
  /** … or has ended it. */
  | 'issuer-revoked'
  /** The registry trusts this key no more, whatever the issuer's key set lists. */
  | 'key-revoked'
  | 'audience-wrong'
  | 'expired'
  | 'not-yet-valid'
  | 'issued-in-future'
  | 'lifetime-too-long'
  | 'token-revoked'
  /** Told by the log: its issuer's tokens are good for one request. */
  | 'token-used'
  /** Its issuer vouches for bound tokens only. */
  | 'dpop-required'
  /** Authenticated more weakly than its issuer's row demands (RFC 9470): the one cause that the wire tells apart. */
  | 'assurance-too-low'
  /** Refused by the JOSE library alone: the gate before it has a hole. */
  | 'not-verifiable'
  /** A bound token as `Bearer`, an unbound one as `DPoP`, or a proof beside `Bearer` (RFC 9449 §7.1, §7.2). */
  | 'wrong-scheme'

/** The token is bound to a key; its proof (RFC 9449) does not hold. */
export type ProofCause = `proof-${
  | 'missing'
  /** Two headers, which arrive joined by a comma. */
  | 'several'
  | JwsCause
  | Exclude<HeaderCause, 'header-jwk'>
  | AlgorithmCause
  | TypeCause
  | SignatureCause
  | KeyFault
  | `key-${'missing' | 'not-object' | 'private'}`
  | `${'jti' | 'htm' | 'htu' | 'iat' | 'ath'}-missing`
  | `${'jti' | 'iat'}-wrong-type`
  | 'wrong-key'
  | 'wrong-method'
  | 'wrong-url'
  | 'wrong-token'
  | 'stale'
  | 'not-yet-valid'
  /** Told by the log, which has seen it before. */
  | 'replayed'}`

/** What a log tells by refusing a one-time key. */
export type ReplayCause = 'proof-replayed' | 'token-used'

export type TokenRefusal = {
  readonly reason: 'unauthenticated'
  readonly cause: TokenCause | ProofCause
}

/** The token is good; the registry or the policy says no: 403 (404 for a single document). */
export type PolicyRefusal = {
  readonly reason: 'forbidden'
  /** Person id, where one is concerned: for the audit entry alone. */
  readonly patient?: string
  /** What the caller said of an emergency that opened nothing: likewise. */
  readonly breakGlassReason?: string
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

/** @param patient person id, for the audit entry alone */
export const forbidden = (cause: PolicyRefusal['cause'], patient?: string): Result<never, PolicyRefusal> =>
  err({ reason: 'forbidden', cause, ...(patient === undefined ? {} : { patient }) })
