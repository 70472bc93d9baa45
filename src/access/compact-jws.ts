/**
 * The syntax of a compact JWS (RFC 7515 §3.1, §5.2), strictly: what two parsers could read differently is refused before
 * any key is chosen. JOSE libraries are laxer (spaces, padding, duplicate members).
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { ambiguityOf } from './json-text.ts'
import {
  type HeaderCause,
  type JwsCause,
  type JwsPart,
  type KeyIdCause,
  refusedHeaders,
  type TypeCause,
} from './refusal.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Header and payload as the JSON objects they are, nothing more checked. Untrusted: nothing has verified them. */
export interface JwsObjects {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** An empty signature is that of an unsecured token: whoever reads the algorithm says so. */
  readonly isSigned: boolean
}

/** The syntax alone: of the text, then of header and payload. */
export function readJws(token: string, maxBytes: number): Result<JwsObjects, JwsCause> {
  // Of characters past ASCII, which take more bytes, there are none in what is read further.
  if (token.length > maxBytes) return err('jws-too-long')
  if (token.trimStart().startsWith('{')) return err('jws-json-serialisation')
  if (/\s/.test(token)) return err('jws-white-space')
  if (token.includes('=')) return err('jws-padding')
  if (!/^[A-Za-z0-9_.-]*$/.test(token)) return err('jws-alphabet')
  const parts = token.split('.')
  const [protectedHeader, payload, signature] = parts
  if (parts.length === 5) return err('jws-encrypted')
  if (parts.length !== 3 || protectedHeader === undefined || payload === undefined || signature === undefined)
    return err('jws-not-three-parts')
  if (protectedHeader === '' || payload === '') return err('jws-empty-part')
  for (const part of parts) {
    if (part.length % 4 === 1) return err('jws-length')
    if (hasTrailingBits(part)) return err('jws-trailing-bits')
  }
  const header = readObject('header', protectedHeader)
  if (!header.ok) return header
  const claims = readObject('payload', payload)
  if (!claims.ok) return claims
  return ok({ header: header.value, claims: claims.value, isSigned: signature !== '' })
}

/** The first header parameter that is refused, whatever its value; null: none. */
export function headerFault(header: JsonObject): HeaderCause | null {
  const name = refusedHeaders.find((parameter) => Object.hasOwn(header, parameter))
  if (name === undefined) return null
  return name === 'cty' ? 'header-nested' : `header-${name}`
}

/** Media types are the same in any case (RFC 7515 §4.1.9). */
export function typeFault({ typ }: JsonObject, types: readonly string[]): TypeCause | null {
  if (typ === undefined) return 'type-missing'
  return typeof typ === 'string' && types.includes(typ.toLowerCase()) ? null : 'type-wrong'
}

/** A key id as far as it can be judged without a key: compared only, and told in a log. */
export function readKeyId({ kid }: JsonObject): Result<string, KeyIdCause> {
  if (kid === undefined) return err('kid-missing')
  if (typeof kid !== 'string') return err('kid-wrong-type')
  if (kid === '') return err('kid-empty')
  if (kid.length > limits.maxKeyIdLength) return err('kid-too-long')
  return /^[\x20-\x7e]+$/.test(kid) ? ok(kid) : err('kid-not-printable')
}

function readObject(name: JwsPart, part: string): Result<JsonObject, JwsCause> {
  const text = decodeText(part)
  if (text === null) return err(`${name}-not-utf-8` as const)
  const value = parseJson(text)
  if (value === undefined) return err(`${name}-not-json` as const)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return err(`${name}-not-object` as const)
  const ambiguity = ambiguityOf(text)
  return ambiguity ? err(`${name}-${ambiguity}` as const) : ok(value as JsonObject)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 §3.5: bits of the last character that belong to no byte are zero, or one byte string has several texts. */
function hasTrailingBits(part: string): boolean {
  const unusedBits = part.length % 4 === 2 ? 4 : part.length % 4 === 3 ? 2 : 0
  return (alphabet.indexOf(part.charAt(part.length - 1)) & ((1 << unusedBits) - 1)) !== 0
}

/** Null: the bytes are no UTF-8. */
function decodeText(part: string): string | null {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Undefined: no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
