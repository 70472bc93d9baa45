/** Content coding of streamed answers (RFC 9110 §8.4): gzip where the client takes it, else as they are. */
import type { Released } from './release.ts'

/** Whether `Accept-Encoding` has gzip, or any coding, with a weight that is not 0 (RFC 9110 §12.5.3). */
function takesGzip({ headers }: Request): boolean {
  const weights = new Map(
    (headers.get('accept-encoding') ?? '').split(',').map((item) => {
      const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
      return [coding, Number(weight)] as const
    }),
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
