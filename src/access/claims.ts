/** What a token claims, out of RFC 9068 and the IHE IUA extension (ITI TF-2 3.71.4.1.2.2.1.1): strict in type and length. */
import { idPattern } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Presented } from './caller.ts'
import { type ClaimCause, type IuaClaim, requiredClaims, type TextClaim } from './refusal.ts'

/** v3-ActReason, by URL and by OID: a code of another system is no purpose of use. */
const purposeSystems = ['http://terminology.hl7.org/CodeSystem/v3-ActReason', 'urn:oid:2.16.840.1.113883.5.8']

type Claims = Readonly<Record<string, unknown>>

interface Coding {
  /** The empty string when the claim names none. */
  readonly system: string
  readonly code: string
}

/** Claims of a token nobody has verified yet: what its role means depends on the registry's row of its issuer. */
export interface Claimed extends Omit<Presented, 'issuerRow' | 'signedBy' | 'role'> {
  readonly role: Coding | null
  /** Seconds since 1970. */
  readonly issuedAt: number
}

/**
 * Refuses a token without a claim it must have, and one whose claim has another type than its specification gives it or
 * is longer than a log entry shows. An IUA claim may be absent, and may be wrapped in an array of one.
 *
 * - Several roles are refused: the caller must not act in one that another of the token's roles was meant to exclude.
 * - Several purposes, or one of another code system, are none; BTG beside TREAT or ETREAT is BTG (IUA: break-glass).
 * - A role keeps its code system until the issuer's is known: `presentedRole`.
 */
export function readClaims(claims: Claims): Result<Claimed, ClaimCause> {
  const missing = requiredClaims.find((name) => !Object.hasOwn(claims, name))
  if (missing) return err(`${missing}-missing` as const)
  const reading = new Reading()
  const { iss, sub, client_id, aud, jti, exp, iat, nbf, scope = '', patient, birthdate, acr, cnf } = claims
  const audiences = Array.isArray(aud) ? aud : [aud]
  for (const audience of audiences) reading.text('aud', audience)
  if (nbf !== undefined) reading.instant('nbf', nbf)
  const iua = reading.iua(claims.extensions)
  const roles = reading.codings('subject_role', iua.subject_role)
  if (roles.length > 1) reading.refuse('subject_role-several')
  const claimed: Claimed = {
    issuer: reading.text('iss', iss),
    subject: reading.text('sub', sub),
    clientId: reading.text('client_id', client_id),
    jti: reading.text('jti', jti),
    expiresAt: reading.instant('exp', exp),
    issuedAt: reading.instant('iat', iat),
    name: reading.one('subject_name', iua.subject_name),
    role: roles[0] ?? null,
    facilityUri: reading.one('subject_organization_id', iua.subject_organization_id),
    purpose: purposeOf(reading.codings('purpose_of_use', iua.purpose_of_use)),
    scopes: reading.scopes(scope),
    keyThumbprint: cnf === undefined ? null : reading.thumbprint(cnf),
    patient: patient === undefined ? null : reading.fhirId('patient', patient),
    personId: reading.one('person_id', iua.person_id),
    birthDate: birthdate === undefined ? null : wholeDate(reading.text('birthdate', birthdate)),
    assurance: acr === undefined ? null : reading.text('acr', acr),
  }
  return reading.fault === null ? ok(claimed) : err(reading.fault)
}

/**
 * The role as the registry names it; `system` is that of the issuer's row, null: not checked. A code of another system
 * is no role, yet it is not dropped either: without a role the caller would act in the only one he holds.
 */
export function presentedRole({ role }: Pick<Claimed, 'role'>, system: string | null): string | null {
  if (role === null || system === null || role.system === system) return role?.code ?? null
  return `${role.system}|${role.code}`
}

/** Reads claims one by one; what does not fit leaves an empty value and, the first time, its cause. */
class Reading {
  fault: ClaimCause | null = null

  refuse(cause: ClaimCause): void {
    this.fault ??= cause
  }

  text(name: TextClaim, value: unknown, maxBytes: number = limits.maxClaimBytes): string {
    if (!isName(value)) this.refuse(`${name}-wrong-type`)
    else if (isLonger(value, maxBytes)) this.refuse(`${name}-too-long`)
    else return value
    return ''
  }

  /** Null when absent. */
  one(name: IuaClaim, claim: unknown): string | null {
    if (claim === undefined || claim === null) return null
    return this.text(name, Array.isArray(claim) && claim.length === 1 ? claim[0] : claim)
  }

  codings(name: IuaClaim, claim: unknown): readonly Coding[] {
    if (claim === undefined || claim === null) return []
    const codings: unknown[] = Array.isArray(claim) ? claim : [claim]
    return codings.map((coding) => {
      const { system = '', code } = isObject(coding) ? coding : {}
      return { system: system === '' ? '' : this.text(name, system), code: this.text(name, code) }
    })
  }

  /** Seconds since 1970, whole or not (RFC 7519 §2). */
  instant(name: 'exp' | 'iat' | 'nbf', value: unknown): number {
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.refuse(`${name}-wrong-type`)
    return 0
  }

  scopes(scope: unknown): readonly string[] {
    if (scope === '') return []
    const values = this.text('scope', scope, limits.maxScopeBytes).split(' ')
    return values.filter((value) => value !== '')
  }

  iua(extensions: unknown = {}): Claims {
    if (!isObject(extensions)) this.refuse('extensions-wrong-type')
    const { ihe_iua = {} } = isObject(extensions) ? extensions : {}
    if (isObject(ihe_iua)) return ihe_iua
    this.refuse('ihe_iua-wrong-type')
    return {}
  }

  /** A confirmation of another kind (RFC 7800 §3.1) is refused: a token bound to what nobody checks is not taken. */
  thumbprint(cnf: unknown): string {
    const jkt = isObject(cnf) && Object.keys(cnf).length === 1 ? cnf.jkt : null
    if (typeof jkt === 'string' && /^[A-Za-z0-9_-]{43}$/.test(jkt)) return jkt
    this.refuse('cnf-wrong-type')
    return ''
  }

  fhirId(name: 'patient', claim: unknown): string {
    const id = this.text(name, claim)
    if (!idPattern.test(id)) this.refuse(`${name}-wrong-type`)
    return id
  }
}

function purposeOf(purposes: readonly Coding[]): string | null {
  if (!purposes.every(({ system }) => purposeSystems.includes(system))) return null
  const codes = purposes.map(({ code }) => code)
  if (codes.length === 2 && codes.includes('BTG') && (codes.includes('TREAT') || codes.includes('ETREAT')))
    return 'BTG'
  return codes.length === 1 ? (codes[0] ?? null) : null
}

/** OpenID lets a birthdate be a year, or hide it (`0000-05-17`): neither tells a person apart. */
const wholeDate = (text: string): string | null => (/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text) ? text : null)

/** As the JSON text of an audit entry; no character takes more than six bytes there. */
const isLonger = (text: string, maxBytes: number): boolean =>
  text.length * 6 + 2 > maxBytes && new TextEncoder().encode(JSON.stringify(text)).length > maxBytes

/** NUL ends a text for some of those who read it later, not for others. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('\0')

const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
