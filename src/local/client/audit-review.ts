/** Fetching the monthly review of accesses. */
import { answerStream } from './answer-stream.ts'
import { DownloadFailure } from './download-failure.ts'
import { causeOf, type Target } from './publisher.ts'

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
 * @throws DownloadFailure when the review is refused, or breaks off
 */
export async function fetchReview(
  target: Target,
  query: URLSearchParams,
  onProgress: (bytes: number) => void,
): Promise<ReviewDocument> {
  const { body } = await answerStream(target, `/audit/review?${query}`)
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      text += decoder.decode(chunk, { stream: true })
      onProgress(bytes)
    }
  } catch (cause) {
    throw new DownloadFailure(`the review broke off after ${bytes} bytes: ${causeOf(cause)}`, { cause })
  }
  return JSON.parse(text) as ReviewDocument
}
