/** Fetching the proof of one entry of the audit log into a file. */
import { setTimeout as wait } from 'node:timers/promises'
import { limits } from '../../limits.ts'
import { DownloadFailure } from './download-failure.ts'
import { causeOf, type Target } from './publisher.ts'
import { writeWhole } from './whole-file.ts'

/**
 * Writes `GET /audit/proof/<log>/<index>` to `out`; waits while no checkpoint covers the entry.
 *
 * @throws DownloadFailure when it is refused, or not covered within `limits.commandDeadlineMs`
 */
export async function fetchProof(target: Target, log: string, index: string, out: string): Promise<void> {
  const until = Date.now() + limits.commandDeadlineMs
  for (;;) {
    const response = await request(
      target,
      `/audit/proof/${encodeURIComponent(log)}/${encodeURIComponent(index)}`,
    )
    const text = await response.text()
    if (response.status === 200)
      return await writeWhole(out, async (file) => {
        await file.write(text)
      })
    if (response.status !== 202)
      throw new DownloadFailure(`${target.url} answered ${response.status}: ${text.slice(0, 1000)}`)
    const pauseMs = Number(response.headers.get('retry-after') ?? limits.proofRetrySeconds) * 1_000
    if (Date.now() + pauseMs > until)
      throw new DownloadFailure(`no checkpoint covers ${log}/${index} yet: ask again later`)
    await wait(pauseMs)
  }
}

async function request(target: Target, path: string): Promise<Response> {
  const token = await target.token()
  try {
    return await fetch(`${target.url}${path}`, {
      headers: {
        Authorization: `Bearer ${token}`,
        'Accept-Language': target.language,
        Prefer: `wait=${limits.maxProofWaitSeconds}`,
      },
      signal: AbortSignal.timeout(limits.commandDeadlineMs),
    })
  } catch (cause) {
    throw new DownloadFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  }
}
