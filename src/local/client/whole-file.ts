/** A file that appears under its name only when it is whole and on the disk, readable by its owner only. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { DownloadFailure } from './download-failure.ts'
import { causeOf } from './publisher.ts'

/**
 * Writes all of `out`, or leaves nothing behind: a part must not be taken for the whole.
 *
 * @throws DownloadFailure; what `write` throws of that kind goes through
 */
export async function writeWhole<T>(out: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const target = await targetOf(out)
  const partial = `${target}.${randomUUID()}.partial`
  let file: FileHandle | null = null
  try {
    file = await open(partial, 'wx+', 0o600)
    const result = await write(file)
    await file.sync()
    await rename(partial, target)
    return result
  } catch (cause) {
    await rm(partial, { force: true })
    if (cause instanceof DownloadFailure) throw cause
    throw new DownloadFailure(`${out} could not be written: ${causeOf(cause)}`, { cause })
  } finally {
    await file?.close()
  }
}

/** Where the file itself is to be: behind a link, and in nobody else's place. */
export async function targetOf(out: string): Promise<string> {
  const existing = await stat(out).catch(() => null)
  if (existing === null) return out
  if (!existing.isFile()) throw new DownloadFailure(`${out} is not a file: name another one`)
  return await realpath(out)
}
