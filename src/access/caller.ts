/** Who is calling: what a verified token claims, and what the registry makes of it. */

/** Claims of a token whose signature verified. Nothing here is a right: the registry decides in the request's own batch. */
export interface Presented {
  readonly issuer: string
  /** Row number of the issuer's registry row whose keys verified the signature; rows are never updated in place. */
  readonly issuerRow: number
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

export type Caller =
  | {
      readonly kind: 'provider'
      readonly professional: string
      readonly name: string
      readonly role: string
      readonly purpose: string
      readonly facility: Facility
      /** Clinical domains the role matrix opens for this role, facility type and purpose. */
      readonly domains: ReadonlySet<string>
    }
  | {
      readonly kind: 'facility-system'
      readonly client: string
      readonly name: string
      readonly facility: Facility
    }
  | { readonly kind: 'privacy-officer'; readonly professional: string; readonly name: string }

export type CallerKind = Caller['kind']

/** The facts of one read batch that a decision rests on. */
export interface Facts {
  readonly clock: { readonly epoch: string; readonly n: number }
  /** Milliseconds since 1970, as last written at the primary. */
  readonly heartbeatAt: number
  readonly caller: Caller
}
