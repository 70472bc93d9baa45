/** A file of the trail as it comes: an answer may take as long as the log is large. */
import { limits } from '../../limits.ts'
import { causeOf, type Target } from './publisher.ts'
import { DownloadFailure } from './whole-file.ts'

/**
 * The body of `GET <path>`, once the answer has begun.
 *
 * @param path with its query
 * @throws DownloadFailure when it is refused, or does not begin in time
 */
export async function answerStream(target: Target, path: string): Promise<ReadableStream<Uint8Array>> {
  const token = await target.token()
  // A deadline for the answer to begin; the stream itself may take longer.
  const begin = new AbortController()
  const timer = setTimeout(() => begin.abort(new Error('no answer in time')), limits.commandDeadlineMs)
  try {
    const response = await fetch(`${target.url}${path}`, {
      headers: { Authorization: `Bearer ${token}`, 'Accept-Language': target.language },
      signal: begin.signal,
    })
    if (response.status === 200 && response.body !== null) return response.body
    throw new DownloadFailure(
      `${target.url} answered ${response.status}: ${(await response.text()).slice(0, 1000)}`,
    )
  } catch (cause) {
    if (cause instanceof DownloadFailure) throw cause
    throw new DownloadFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}
