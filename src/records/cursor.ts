/**
 * Cursors: a position in a page order, encrypted (AES-256-GCM) and bound by its additional data to caller, query and
 * patient, so that it can neither be read, nor used by another, nor for another question. Stable: it names the last row
 * shown, not an offset.
 */
import { base64url, fromBase64url } from '../audit/base64url.ts'
import { limits } from '../limits.ts'

/** The last row shown: its sort keys and its id. */
export interface Position {
  readonly keys: readonly (string | number | null)[]
  readonly id: string
}

const nonceBytes = 12

/** Texts that come back from outside: read and made by this record alone. */
export interface SealedTexts {
  /** Base64url text. `binding` is whatever must be the same when it comes back. */
  seal(text: string, binding: string): Promise<string>
  /** Null when forged, damaged, or bound to something else. */
  open(sealed: string, binding: string): Promise<string | null>
}

export interface Cursors {
  /** Base64url text. `binding` is whatever must be the same when the cursor comes back. */
  seal(position: Position, binding: string): Promise<string>
  /** Null when forged, damaged, or bound to something else. */
  open(cursor: string, binding: string): Promise<Position | null>
}

/** @param key 32 bytes */
export function sealedTexts(key: Uint8Array): SealedTexts {
  const imported = () =>
    crypto.subtle.importKey('raw', key as Uint8Array<ArrayBuffer>, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const algorithm = (iv: Uint8Array<ArrayBuffer>, binding: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(binding),
  })
  return {
    seal: async (text, binding) => {
      const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const plain = new TextEncoder().encode(text)
      const sealed = new Uint8Array(
        await crypto.subtle.encrypt(algorithm(nonce, binding), await imported(), plain),
      )
      return base64url(Uint8Array.from([...nonce, ...sealed]))
    },
    open: async (sealed, binding) => {
      const bytes = fromBase64url(sealed)
      if (!bytes || bytes.length <= nonceBytes) return null
      try {
        const nonce = bytes.slice(0, nonceBytes)
        const plain = await crypto.subtle.decrypt(
          algorithm(nonce, binding),
          await imported(),
          bytes.slice(nonceBytes),
        )
        return new TextDecoder().decode(plain)
      } catch {
        return null
      }
    },
  }
}

/** @param key 32 bytes */
export function createCursors(key: Uint8Array): Cursors {
  const texts = sealedTexts(key)
  return {
    seal: ({ keys, id }, binding) => texts.seal(JSON.stringify([id, ...keys]), binding),
    open: async (cursor, binding) => {
      const text = cursor.length <= limits.maxCursorLength ? await texts.open(cursor, binding) : null
      if (text === null) return null
      const [id, ...keys] = JSON.parse(text) as [string, ...Position['keys']]
      return { keys, id }
    },
  }
}
