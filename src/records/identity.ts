/** Who a published resource is: its source key, and the server id derived from it. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { BundleEntry } from '../fhir/bundle.ts'
import { identifiersOf } from '../fhir/codings.ts'

/** RFC 4648 base32, lower case: no character of it is special in a URL or a FHIR id. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const bodyBytes = 11
const checkBytes = 5

/**
 * The server id of (facility, type, source key): 26 characters for 16 bytes, 11 of HMAC-SHA-256(id key,
 * `facility|type|source key`) and 5 of HMAC-SHA-256(id key, `type|` those 11), so that an id can be told from any other
 * text without a look-up. Facility ids hold no `|`.
 *
 * @param idKey 32 bytes
 */
export function serverId(idKey: Uint8Array, facility: string, type: string, sourceKey: string): string {
  const body = hmac(sha256, idKey, utf8ToBytes(`${facility}|${type}|${sourceKey}`)).subarray(0, bodyBytes)
  return toBase32(concatBytes(body, check(idKey, type, body)))
}

/** Whether `id` is one that `serverId` gave for a resource of this type. */
export function isServerId(idKey: Uint8Array, type: string, id: string): boolean {
  const bytes = fromBase32(id)
  if (!bytes) return false
  const expected = check(idKey, type, bytes.subarray(0, bodyBytes))
  return expected.every((byte, i) => byte === bytes[bodyBytes + i])
}

/** Of a source record, until it is joined with others: the id of the person it is about. */
export const initialPerson = (idKey: Uint8Array, facility: string, sourceRecord: string): string =>
  serverId(idKey, facility, 'Person', sourceRecord)

/** Server ids of one facility's sources, remembered for the length of a bundle: most references repeat. */
export function serverIds(idKey: Uint8Array, facility: string) {
  const derived = new Map<string, string>()
  const own = new Set<string>()
  const checked = new Map<string, boolean>()
  return {
    derive: (type: string, sourceKey: string): string => {
      const key = `${type}|${sourceKey}`
      const id = derived.get(key) ?? serverId(idKey, facility, type, sourceKey)
      derived.set(key, id)
      own.add(id)
      return id
    },
    /** Whether `derive` has given this id: it is then one of this facility's own. */
    wasDerived: (id: string): boolean => own.has(id),
    isServerId: (type: string, id: string): boolean => {
      if (id.length !== 26) return false
      const key = `${type}|${id}`
      const is = checked.get(key) ?? isServerId(idKey, type, id)
      checked.set(key, is)
      return is
    },
  }
}

export type ServerIds = ReturnType<typeof serverIds>

/**
 * The source key an entry brings itself, first that applies: the id of its `PUT`; an identifier whose system the
 * facility names as identifying documents (in the facility's order of systems); its id if that is a UUID or an OID. Null:
 * it is known by its content only (`identity-content.ts`).
 */
export function ownSourceKey(
  entry: Pick<BundleEntry, 'putId' | 'resource'>,
  identitySystems: readonly string[],
): string | null {
  if (entry.putId !== null) return entry.putId
  const identifiers = identifiersOf(entry.resource)
  for (const system of identitySystems) {
    const values = identifiers.filter((identifier) => identifier.system === system && identifier.value !== '')
    const least = values.map(({ value }) => value).sort()[0]
    if (least !== undefined) return `${system}|${least}`
  }
  const { id } = entry.resource
  return typeof id === 'string' && isGloballyUnique(id) ? id : null
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const oid = /^[0-2](\.(0|[1-9]\d*))+$/

/** A UUID or an OID. */
export const isGloballyUnique = (id: string): boolean => uuid.test(id) || oid.test(id)

const check = (idKey: Uint8Array, type: string, body: Uint8Array): Uint8Array =>
  hmac(sha256, idKey, concatBytes(utf8ToBytes(`${type}|`), body)).subarray(0, checkBytes)

function toBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(held << (5 - bits)) & 31] : text
}

/** 16 bytes; null for anything that `toBase32` would not have written. */
function fromBase32(text: string): Uint8Array | null {
  if (!/^[a-z2-7]{25}[aeimquy4]$/.test(text)) return null
  const bytes = new Uint8Array(bodyBytes + checkBytes)
  let bits = 0
  let held = 0
  let at = 0
  for (const character of text) {
    held = ((held << 5) | alphabet.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >> bits) & 255
  }
  return bytes
}
