/** A file of the trail as it comes: an answer may take as long as the log is large. */
import { limits } from '../../limits.ts'
import { DownloadFailure, FinalFailure } from './download-failure.ts'
import { causeOf, type Target } from './publisher.ts'

export interface AnswerStream {
  readonly body: ReadableStream<Uint8Array>
  readonly headers: Headers
}

/** Of refusals those that may be otherwise the next time: too many requests, and what the server cannot help. */
const isPassing = (status: number): boolean => status === 429 || status >= 500

/**
 * `GET <path>`, once the answer has begun.
 *
 * @param path with its query
 * @throws FinalFailure when it is refused
 * @throws DownloadFailure when it does not begin in time
 */
export async function answerStream(target: Target, path: string): Promise<AnswerStream> {
  const token = await target.token()
  // A deadline for the answer to begin; the stream itself may take longer.
  const begin = new AbortController()
  const timer = setTimeout(() => begin.abort(new Error('no answer in time')), limits.commandDeadlineMs)
  try {
    const response = await fetch(`${target.url}${path}`, {
      headers: {
        Authorization: `Bearer ${token}`,
        'Accept-Language': target.language,
        'Accept-Encoding': codingFor(target.url),
      },
      signal: begin.signal,
    })
    const { status, body, headers } = response
    if (status === 200 && body !== null) return { body, headers }
    const Failure = isPassing(status) ? DownloadFailure : FinalFailure
    throw new Failure(`${target.url} answered ${status}: ${(await response.text()).slice(0, 1000)}`)
  } catch (cause) {
    if (cause instanceof DownloadFailure) throw cause
    throw new DownloadFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** On one machine compressing costs more than it saves. */
const codingFor = (url: string): string =>
  ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname) ? 'identity' : 'gzip'
