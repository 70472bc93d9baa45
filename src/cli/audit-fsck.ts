/** `dossier audit fsck`: whether what logs publish holds together, from the checkpoint down to the entries. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { SingleBar } from 'cli-progress'
import { Command } from 'commander'
import { type FsckInput, fsck } from '../audit/verify/fsck.ts'
import { boundedBody } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { retryAfterMs } from '../local/client/publisher.ts'
import { readTrustFiles, showReport, type TrustOptions, withTrustOptions } from './audit-report.ts'
import { nodeCrypto } from './node-crypto.ts'

export function fsckCommand(): Command {
  const command = new Command('fsck')
    .description('check the published tiles of a log, or of all logs of a record')
    .argument('<url|folder>', 'a log (where its checkpoint is), or the record that lists its logs')
  return withTrustOptions(command, 'the keys in the list').action(
    async (place: string, options: TrustOptions) => {
      await showReport({ file: place, ...options }, async () => {
        const trust = await readTrustFiles(options)
        const bar = showLeaves()
        try {
          return await fsck(nodeCrypto, { ...trust, ...filesOf(place), onProgress: bar.update })
        } finally {
          bar.end()
        }
      })
    },
  )
}

/** How to read a log, or many, at a URL or in a folder. */
export function filesOf(place: string): Pick<FsckInput, 'fetchFile' | 'listing'> {
  if (!/^https?:\/\//.test(place))
    return {
      fetchFile: (path) => readIfThere(join(place, path)),
      listing: { path: 'logs.json', folderOf: (log) => log },
    }
  const base = place.replace(/\/+$/, '').replace(/\/audit\/logs$/, '')
  return {
    fetchFile: (path) => fetchIfThere(`${base}/${path}`),
    listing: { path: 'audit/logs', folderOf: (log) => `audit/logs/${log}` },
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/** Waits as long as the record asks for when it is busy. @throws Error on any other answer than the file or its absence */
async function fetchIfThere(url: string): Promise<Uint8Array | null> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(limits.commandDeadlineMs) })
    if (response.ok) {
      const body = await boundedBody(response, limits.maxVerifiedTextLength)
      if (body === null) throw new Error('the answer is too long')
      return body
    }
    await response.body?.cancel()
    // Where a record is asked for what a log has, it may want a token before it says that there is nothing.
    if ([401, 403, 404, 410].includes(response.status)) return null
    const isBusy = response.status === 429 || response.status === 503
    if (!isBusy || attempt === limits.maxPublishAttempts) throw new Error(`the answer is ${response.status}`)
    await setTimeout(retryAfterMs(response.headers.get('retry-after')))
  }
}

/** How many leaves are done, where somebody watches. */
function showLeaves(): { update(done: number, total: number): void; end(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} }
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage}%  {value}/{total} entries',
    hideCursor: true,
    clearOnComplete: true,
  })
  bar.start(0, 0)
  return {
    update: (done, total) => {
      bar.setTotal(total)
      bar.update(done)
    },
    end: () => bar.stop(),
  }
}
