/**
 * The syntax of a compact JWS (RFC 7515 §3.1, §5.2), strictly: what two parsers could read differently is refused before
 * any key is chosen. JOSE libraries are laxer (spaces, padding, duplicate members).
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { hasAmbiguousText } from './json-text.ts'

/** Untrusted: nothing has verified it. */
export interface UnverifiedJws {
  readonly header: { readonly alg: string; readonly kid: string; readonly typ: string | null }
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Header parameters that are refused: `crit`, `b64` and `zip` change how the token is read; the others let the token name
 * its own key, which only the registry does (RFC 8725 §3.10).
 */
const refusedHeaders = ['crit', 'b64', 'zip', 'enc', 'jku', 'jwk', 'x5u', 'x5c'] as const

/** Header and payload as the JSON objects they are, nothing more checked. */
export interface JwsObjects {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Why not, in words for a log line; the wire says `malformed`. */
export function readCompactJws(token: string): Result<UnverifiedJws, string> {
  if (token.length > limits.maxTokenBytes) return err('longer than limits.maxTokenBytes')
  const read = readJws(token)
  if (!read.ok) return read
  const { header, claims } = read.value
  for (const name of refusedHeaders) if (Object.hasOwn(header, name)) return err(`header parameter ${name}`)
  const { alg, kid, typ = null, cty = null } = header
  if (typeof alg !== 'string' || typeof kid !== 'string') return err('alg and kid must be strings')
  if (typ !== null && typeof typ !== 'string') return err('typ must be a string')
  if (cty !== null) return err('a nested token')
  return ok({ header: { alg, kid, typ }, claims })
}

/** The syntax alone, of a text whose length the caller has bounded. */
export function readJws(token: string): Result<JwsObjects, string> {
  const parts = token.split('.')
  const [protectedHeader, payload, signature] = parts
  if (parts.length !== 3 || !protectedHeader || !payload || signature === undefined)
    return err('not three parts')
  // An empty signature is that of an unsecured token: the algorithm, checked later, says the same.
  if (decode(signature) === null) return err('signature is not canonical base64url')
  const header = readObject(protectedHeader)
  if (!header) return err('header is not one unambiguous JSON object in canonical base64url')
  const claims = readObject(payload)
  if (!claims) return err('payload is not one unambiguous JSON object in canonical base64url')
  return ok({ header, claims })
}

function readObject(part: string): Record<string, unknown> | null {
  const bytes = decode(part)
  if (!bytes) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value) || hasAmbiguousText(text))
      return null
    return value as Record<string, unknown>
  } catch {
    return null
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url without padding (RFC 4648 §5), its unused trailing bits zero (§3.5): one text per byte string. */
function decode(part: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(part) || part.length % 4 === 1) return null
  const unusedBits = part.length % 4 === 2 ? 4 : part.length % 4 === 3 ? 2 : 0
  if (alphabet.indexOf(part.charAt(part.length - 1)) & ((1 << unusedBits) - 1)) return null
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
