/** Values of an entry as elements of FHIR R4, whose strings are never blank and whose codes have no stray white space. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { CodeableConcept, Reference } from './audit-event-types.ts'

/** Null where there is nothing to read. */
export const told = (text: string | null): string | null => (text !== null && /\S/.test(text) ? text : null)

export const codeable = (system: string, value: string): CodeableConcept =>
  /^\S+( \S+)*$/.test(value) ? { coding: [{ system, code: value }] } : { text: value }

/** A reference by identifier: registry and person ids are no ids of FHIR resources. */
export const identified = (system: string | null, value: string, type?: string): Reference => ({
  ...(type === undefined ? {} : { type }),
  identifier: { ...(system !== null && /^\S+$/.test(system) ? { system } : {}), value },
})

const versioned = /^([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/

/** Of what was disclosed or written; `type` null: it is not named as FHIR names things. */
export function resourceOf(text: string): { readonly what: Reference; readonly type: string | null } {
  const type = versioned.exec(text)?.[1] ?? null
  return {
    what: type === null ? { identifier: { value: text } } : { reference: text, type },
    type,
  }
}

/** With the longest index and `-authz` an id has 64 characters. */
const longestLog = 37

/**
 * `<log>-<index>`, and `<log>-<index>-authz` of the decision. Of a log whose name is longer than 37 characters: its first
 * 20, `-`, and the first 16 hexadecimal digits of its SHA-256.
 */
export const eventId = (log: string, index: string): string =>
  `${log.length > longestLog ? `${log.slice(0, 20)}-${bytesToHex(sha256(utf8ToBytes(log))).slice(0, 16)}` : log}-${index}`
