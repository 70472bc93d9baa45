/** Fetching the monthly review of accesses. */
import { limits } from '../../limits.ts'
import { causeOf, type Target } from './publisher.ts'
import { RegistryFailure } from './registry-client.ts'

export interface ReviewedFinding {
  readonly id: string
  readonly rule: string
  readonly professional: { readonly id: string; readonly name: string }
  readonly patient: { readonly person: string; readonly reference: string | null } | null
  readonly numbers: Readonly<Record<string, number | string>>
  /** `log/index`, the first of `entryCount`. */
  readonly entries: readonly string[]
  readonly entryCount: number
  readonly decisions: readonly { readonly month: string; readonly decision: string }[]
}

export interface ReviewDocument {
  readonly month: string
  readonly findings: readonly ReviewedFinding[]
  readonly summary: Readonly<Record<string, number | boolean>>
}

/**
 * @param onProgress called as bytes arrive, with their number so far
 * @throws RegistryFailure when the review is refused, or breaks off
 */
export async function fetchReview(
  target: Target,
  query: URLSearchParams,
  onProgress: (bytes: number) => void,
): Promise<ReviewDocument> {
  const token = await target.token()
  // A deadline for the answer to begin; the review may take as long as the month is large.
  const begin = new AbortController()
  const timer = setTimeout(() => begin.abort(new Error('no answer in time')), limits.commandDeadlineMs)
  const response = await fetch(`${target.url}/audit/review?${query}`, {
    headers: { Authorization: `Bearer ${token}`, 'Accept-Language': target.language },
    redirect: 'manual',
    signal: begin.signal,
  })
    .catch((cause: unknown) => {
      throw new RegistryFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
    })
    .finally(() => clearTimeout(timer))
  const text = await receive(response, onProgress)
  if (response.status !== 200)
    throw new RegistryFailure(`${target.url} answered ${response.status}: ${text.slice(0, 1000)}`)
  return JSON.parse(text) as ReviewDocument
}

/** The summary comes last: without it the review broke off. */
async function receive(response: Response, onProgress: (bytes: number) => void): Promise<string> {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length
      text += decoder.decode(chunk, { stream: true })
      onProgress(bytes)
    }
  } catch (cause) {
    throw new RegistryFailure(`the review broke off after ${bytes} bytes: ${causeOf(cause)}`, { cause })
  }
  return text
}
