/** A file of the trail as it comes: an answer may take as long as the log is large. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import { limits } from '../../limits.ts'
import { DownloadFailure, RefusedFailure } from './download-failure.ts'
import { causeOf, type Target } from './publisher.ts'

export interface AnswerStream {
  readonly body: ReadableStream<Uint8Array>
  readonly headers: Headers
}

/** Of refusals those that may be otherwise the next time: a login that ended, too many requests, what the server cannot help. */
const isPassing = (status: number): boolean => status === 401 || status === 429 || status >= 500

/** The beginning of what the server says, without what a terminal would obey. */
const shown = (text: string): string =>
  text
    .slice(0, 1000)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trimEnd()

/**
 * `GET <path>`, once the answer has begun. Not by `fetch`, which takes gzip that was cut short for all there is.
 *
 * @param path with its query
 * @throws RefusedFailure when it is refused
 * @throws DownloadFailure when it does not begin in time
 */
export async function answerStream(target: Target, path: string): Promise<AnswerStream> {
  const token = await target.token()
  // A deadline for the answer to begin; the stream itself may take longer.
  const begin = new AbortController()
  const timer = setTimeout(() => begin.abort(new Error('no answer in time')), limits.commandDeadlineMs)
  try {
    const response = await answerOf(`${target.url}${path}`, begin.signal, {
      Authorization: `Bearer ${token}`,
      'Accept-Language': target.language,
      'Accept-Encoding': codingFor(target.url),
    })
    const { statusCode: status = 0, headers } = response
    const body = decoded(response)
    if (status === 200)
      return {
        body: Readable.toWeb(body),
        headers: new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      }
    const Failure = isPassing(status) ? DownloadFailure : RefusedFailure
    throw new Failure(`${target.url} answered ${status}: ${shown(await text(body))}`)
  } catch (cause) {
    if (cause instanceof DownloadFailure) throw cause
    throw new DownloadFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

async function answerOf(
  url: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest
    const asked = send(url, { headers, signal, timeout: limits.answerIdleMs }, resolve)
    asked.on('timeout', () => asked.destroy(new Error('nothing comes any more')))
    asked.on('error', reject)
    asked.end()
  })
}

/** An end before that of the gzip file is an error. */
function decoded(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response
  return pipeline(response, createGunzip(), () => {
    // Whoever reads is told.
  })
}

/** On one machine compressing costs more than it saves. */
const codingFor = (url: string): string =>
  ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname) ? 'identity' : 'gzip'
