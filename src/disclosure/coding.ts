/** Content coding of answers (RFC 9110 §8.4): gzip where the client takes it, else as they are. */
import type { Released } from './release.ts'
import { weightedList } from './weights.ts'

/** Whether `Accept-Encoding` has gzip, or any coding, with a weight that is not 0 (RFC 9110 §12.5.3). */
export function takesGzip({ headers }: Request): boolean {
  const weights = new Map(
    weightedList(headers.get('accept-encoding')).map(({ name, weight }) => [name, weight]),
  )
  const weight = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  return weight > 0
}

/** A body as this client takes it. An error of it is one of the whole: a part that was sent does not end as a file would. */
export const codedFor = (
  request: Request,
  body: ReadableStream<Uint8Array>,
): Required<Pick<Released, 'body' | 'coding'>> =>
  takesGzip(request)
    ? {
        body: body.pipeThrough(new CompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>),
        coding: 'gzip',
      }
    : { body, coding: 'identity' }
