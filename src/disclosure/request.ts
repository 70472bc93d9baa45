/** Reading a request's body within bounds. */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Refusal } from './refusal.ts'

/**
 * The body as text, of one of the accepted media types (parameters ignored; FHIR JSON is UTF-8). Reads at most
 * `limits.maxBodyBytes`; a declared longer length is not read at all.
 */
export async function readBody(
  request: Request,
  accepted: readonly string[],
): Promise<Result<string, Refusal>> {
  const got = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (!accepted.includes(got)) return err({ reason: 'unsupported-media-type', got, accepted })
  const tooLarge = err({ reason: 'body-too-large' as const, maxBytes: limits.maxBodyBytes })
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBodyBytes) return tooLarge
  if (!request.body) return ok('')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > limits.maxBodyBytes) return tooLarge
      text += decoder.decode(chunk, { stream: true })
    }
    return ok(text + decoder.decode())
  } catch {
    const text = { fr: 'Le corps n’est pas en UTF-8.', en: 'The body is not UTF-8.' }
    return err({ reason: 'invalid', issues: [{ code: 'structure', text }] })
  }
}
