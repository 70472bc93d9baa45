/** What an exception becomes: exceptions are for I/O edges and defects, the core answers with refusals. */
import { limits } from '../limits.ts'
import { StoreError } from '../store/ports.ts'
import type { Refusal } from './refusal.ts'

/** Where it happened, without the message: that may quote what nobody should read on a console. */
const framesOf = (error: unknown): string =>
  error instanceof Error
    ? (error.stack ?? '')
        .split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, limits.maxLoggedFrames)
        .join('')
    : ''

export function faultOf(error: unknown): Refusal {
  const detail = error instanceof Error ? error.message : String(error)
  // `aborted`: settled, while it was under way, as not committed; sent again it is a new write.
  return error instanceof StoreError && (error.code === 'unavailable' || error.code === 'aborted')
    ? { reason: 'store-unavailable', detail }
    : { reason: 'internal', detail, at: framesOf(error) }
}
