/** Who is calling: what a verified token claims, and what the registry makes of it. */

/** Claims of a token whose signature verified. Nothing here is a right: the registry decides in the request's own batch. */
export interface Presented {
  readonly issuer: string
  /** Row number of the issuer's registry row whose keys verified the signature; rows are never updated in place. */
  readonly issuerRow: number
  /** RFC 7638 thumbprint of the key that verified the signature. */
  readonly signedBy: string
  readonly subject: string
  readonly clientId: string
  readonly jti: string
  /** Seconds since 1970. */
  readonly expiresAt: number
  readonly name: string | null
  /**
   * IUA `subject_role`: the code, one of the caller's registered roles; null without the claim. `system|code`, which is
   * no registered role, when the code is of another system than the issuer's row names.
   */
  readonly role: string | null
  /** IUA `subject_organization_id`: URI of the facility at which the caller acts. */
  readonly facilityUri: string | null
  /** IUA `purpose_of_use` code (v3-ActReason). */
  readonly purpose: string | null
  readonly scopes: readonly string[]
  /** `cnf.jkt`: RFC 7638 thumbprint of the key the token is bound to; null: whoever bears it. */
  readonly keyThumbprint: string | null
  /** SMART launch context (`patient`): server id of the `Patient` the token is about; null without one. */
  readonly patient: string | null
  /** IUA `person_id`: identifier of the person who holds the token, where that is a patient or a guardian. */
  readonly personId: string | null
  /** OpenID `birthdate`, `YYYY-MM-DD`: told apart with `personId`. */
  readonly birthDate: string | null
  /** Authentication context class (RFC 9068 §2.2.1, RFC 9470). */
  readonly assurance: string | null
}

/**
 * Where the caller's facility lives, remembered by the isolate so that the local database can be asked in parallel. Only
 * a hint: the request's batch confirms `row` or the load is repeated.
 */
export interface Placement {
  readonly row: number
  readonly facility: string
  readonly region: string
  readonly log: string
}

export interface Facility {
  readonly row: number
  readonly id: string
  readonly uri: string
  readonly name: string
  readonly organisation: string
  readonly type: string
  readonly region: string
  readonly log: string
  /** Identifier systems that identify a document of this facility. */
  readonly identitySystems: readonly string[]
}

interface Person {
  /** Registry id. */
  readonly professional: string
  readonly name: string
}

export interface Provider extends Person {
  readonly kind: 'provider'
  readonly role: string
  readonly purpose: string
  readonly facility: Facility
  /** Clinical domains the role matrix opens for this role, facility type and purpose. */
  readonly domains: ReadonlySet<string>
  /** The most confidential label the role may read, in the facility's own documents and in others (v3-Confidentiality). */
  readonly clearance: { readonly own: string; readonly elsewhere: string }
  /** Person of the token's launch context; null without one, or when nobody has that id. */
  readonly contextPerson: string | null
}

/** Everybody who may be let act. What each may do is `Operation.callers` and `policy.ts`. */
export type Caller =
  | Provider
  | {
      readonly kind: 'facility-system'
      readonly client: string
      readonly name: string
      readonly facility: Facility
    }
  /** Grants and ends the access of the professionals of one facility. */
  | (Person & { readonly kind: 'access-manager'; readonly facility: Facility })
  /** `organisation` null: of the whole record. */
  | (Person & { readonly kind: 'privacy-officer'; readonly organisation: string | null })
  | (Person & { readonly kind: 'operator' })
  /** Acts for himself: 14 years or older. */
  | {
      readonly kind: 'patient'
      readonly person: string
      readonly name: string
      readonly assurance: string
    }
  /** Acts for a person under 14. */
  | {
      readonly kind: 'guardian'
      readonly person: string
      /** Person id of the guardian. */
      readonly guardian: string
      readonly name: string
      readonly assurance: string
    }

export type CallerKind = Caller['kind']

export const callerKinds: readonly CallerKind[] = [
  'provider',
  'facility-system',
  'access-manager',
  'privacy-officer',
  'operator',
  'patient',
  'guardian',
]

/** Roles of who administers and oversees. */
export const offices: readonly string[] = ['access-manager', 'privacy-officer', 'operator']

/** Roles by which nobody reads a clinical document: the offices, and whom the record is about. */
export const administrativeRoles: readonly string[] = [...offices, 'patient', 'guardian']

export const isAdministrative = (role: string): boolean => administrativeRoles.includes(role)
