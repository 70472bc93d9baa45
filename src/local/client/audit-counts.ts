/** Fetching a file of counts: an accounting, a yearly report. */
import { answerStream } from './answer-stream.ts'
import { DownloadFailure } from './download-failure.ts'
import { causeOf, type Target } from './publisher.ts'
import { writeWhole } from './whole-file.ts'

export interface Received {
  readonly bytes: number
  /** Lines of text: one for each line of the count, and of JSON one for each page of the log that was counted. */
  readonly lines: number
}

/**
 * Streams `GET <path>` to `out`.
 *
 * @param onProgress called as bytes arrive
 * @throws DownloadFailure when it is refused or breaks off
 */
export async function fetchCounts(
  target: Target,
  path: string,
  out: string,
  onProgress: (soFar: Received) => void = () => {},
): Promise<Received> {
  return await writeWhole(out, async (file) => {
    const { body } = await answerStream(target, path)
    let bytes = 0
    let lines = 0
    const chunks = body.getReader()
    try {
      for (;;) {
        const { done, value } = await chunks.read().catch((cause: unknown) => {
          throw new DownloadFailure(`the count broke off after ${bytes} bytes: ${causeOf(cause)}`, { cause })
        })
        if (done) return { bytes, lines }
        await file.appendFile(value)
        bytes += value.length
        for (const byte of value) if (byte === 10) lines += 1
        onProgress({ bytes, lines })
      }
    } finally {
      // Else a server that sends on and on would keep the command from ending.
      await chunks.cancel().catch(() => {})
    }
  })
}
