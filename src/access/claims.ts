/** What a token claims, out of RFC 9068 and the IHE IUA extension (ITI TF-2 3.71.4.1.2.2.1.1): strict in type. */
import type { Presented } from './caller.ts'

/** v3-ActReason, by URL and by OID: a code of another system is no purpose of use. */
const purposeSystems = ['http://terminology.hl7.org/CodeSystem/v3-ActReason', 'urn:oid:2.16.840.1.113883.5.8']

type Claims = Readonly<Record<string, unknown>>

interface Coding {
  /** The empty string when the claim names none. */
  readonly system: string
  readonly code: string
}

/** Claims of a token nobody has verified yet: what its role means depends on the registry's row of its issuer. */
export interface Claimed extends Omit<Presented, 'issuerRow' | 'role'> {
  readonly role: Coding | null
}

/**
 * Null when a claim has another type than its specification gives it. An IUA claim may be absent, and may be wrapped in
 * an array of one.
 *
 * - Several roles are refused: the caller must not act in one that another of the token's roles was meant to exclude.
 * - Several purposes, or one of another code system, are none.
 * - A role keeps its code system until the issuer's is known: `presentedRole`.
 */
export function readClaims(claims: Claims): Claimed | null {
  const { iss, sub, client_id, aud, jti, exp, scope = '', extensions = {}, cnf } = claims
  if (!isName(iss) || !isName(sub) || !isName(client_id) || !isName(jti)) return null
  if (!isName(aud) && !(Array.isArray(aud) && aud.every(isName))) return null
  if (typeof exp !== 'number' || typeof scope !== 'string' || !isObject(extensions)) return null
  const keyThumbprint = cnf === undefined ? null : thumbprintOf(cnf)
  if (keyThumbprint === undefined) return null
  const { ihe_iua = {} } = extensions
  if (!isObject(ihe_iua)) return null
  const name = readName(ihe_iua.subject_name)
  const facilityUri = readName(ihe_iua.subject_organization_id)
  const roles = readCodings(ihe_iua.subject_role)
  const purposes = readCodings(ihe_iua.purpose_of_use)
  if (name === undefined || facilityUri === undefined || !roles || !purposes || roles.length > 1) return null
  const [purpose, ...otherPurposes] = purposes
  const isPurpose = otherPurposes.length === 0 && purposeSystems.includes(purpose?.system ?? '')
  return {
    issuer: iss,
    subject: sub,
    clientId: client_id,
    jti,
    expiresAt: exp,
    name,
    role: roles[0] ?? null,
    facilityUri,
    purpose: purpose && isPurpose ? purpose.code : null,
    scopes: scope.split(' ').filter((value) => value !== ''),
    keyThumbprint,
  }
}

/** Undefined for a confirmation of another kind (RFC 7800 §3.1): a token bound to what nobody checks is not taken. */
function thumbprintOf(cnf: unknown): string | undefined {
  if (!isObject(cnf) || Object.keys(cnf).length !== 1) return undefined
  return typeof cnf.jkt === 'string' && /^[A-Za-z0-9_-]{43}$/.test(cnf.jkt) ? cnf.jkt : undefined
}

/**
 * The role as the registry names it; `system` is that of the issuer's row, null: not checked. A code of another system
 * is no role, yet it is not dropped either: without a role the caller would act in the only one he holds.
 */
export function presentedRole({ role }: Claimed, system: string | null): string | null {
  if (role === null || system === null || role.system === system) return role?.code ?? null
  return `${role.system}|${role.code}`
}

/** Undefined when it is no text; null when absent. */
function readName(claim: unknown): string | null | undefined {
  if (claim === undefined || claim === null) return null
  const value = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim
  return isName(value) ? value : undefined
}

/** Null when it is no coding and no array of codings. */
function readCodings(claim: unknown): readonly Coding[] | null {
  if (claim === undefined || claim === null) return []
  const codings: unknown[] = Array.isArray(claim) ? claim : [claim]
  const read = codings.map((coding) => {
    if (!isObject(coding)) return null
    const { system = '', code } = coding
    return isName(code) && typeof system === 'string' ? { system, code } : null
  })
  return read.every((coding) => coding !== null) ? read : null
}

/** NUL ends a text for some of those who read it later, not for others. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('\0')

const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
