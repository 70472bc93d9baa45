/**
 * Cursors: a position in a page order, encrypted (AES-256-GCM) and bound by its additional data to caller, query and
 * patient, so that it can neither be read, nor used by another, nor for another question. Stable: it names the last row
 * shown, not an offset.
 */
import { base64url, fromBase64url } from '../audit/base64url.ts'
import { limits } from '../limits.ts'

export interface Position {
  readonly dateLo: string
  readonly id: string
}

const nonceBytes = 12

export interface Cursors {
  /** Base64url text. `binding` is whatever must be the same when the cursor comes back. */
  seal(position: Position, binding: string): Promise<string>
  /** Null when forged, damaged, or bound to something else. */
  open(cursor: string, binding: string): Promise<Position | null>
}

/** @param key 32 bytes */
export function createCursors(key: Uint8Array): Cursors {
  const imported = () =>
    crypto.subtle.importKey('raw', key as Uint8Array<ArrayBuffer>, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const algorithm = (iv: Uint8Array<ArrayBuffer>, binding: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(binding),
  })
  return {
    seal: async ({ dateLo, id }, binding) => {
      const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const plain = new TextEncoder().encode(JSON.stringify([dateLo, id]))
      const sealed = new Uint8Array(
        await crypto.subtle.encrypt(algorithm(nonce, binding), await imported(), plain),
      )
      return base64url(Uint8Array.from([...nonce, ...sealed]))
    },
    open: async (cursor, binding) => {
      const bytes = cursor.length <= limits.maxCursorLength ? fromBase64url(cursor) : null
      if (!bytes || bytes.length <= nonceBytes) return null
      try {
        const nonce = bytes.slice(0, nonceBytes)
        const plain = await crypto.subtle.decrypt(
          algorithm(nonce, binding),
          await imported(),
          bytes.slice(nonceBytes),
        )
        const [dateLo, id] = JSON.parse(new TextDecoder().decode(plain)) as [string, string]
        return { dateLo, id }
      } catch {
        return null
      }
    },
  }
}
