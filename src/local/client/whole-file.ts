/** Files that appear under their names only when they are whole and on the disk, readable by their owner only. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { causeOf } from './publisher.ts'

/** A file could not be had or written. `message` is one sentence. Nothing is left behind. */
export class DownloadFailure extends Error {
  override name = 'DownloadFailure'
}

/** Asking again brings nothing else: the server says no, or what has come is of no use. */
export class FinalFailure extends DownloadFailure {
  override name = 'FinalFailure'
}

/** The server says no: to whoever asks now, of what is asked now. */
export class RefusedFailure extends FinalFailure {
  override name = 'RefusedFailure'
}

/**
 * Writes all of `outs`, or none: a part must not be taken for the whole.
 *
 * @throws DownloadFailure; what `write` throws of that kind goes through
 */
export async function writeWhole<T>(
  outs: readonly string[],
  write: (files: readonly FileHandle[]) => Promise<T>,
): Promise<T> {
  const targets = await Promise.all(outs.map(targetOf))
  const partials = targets.map((target) => `${target}.${randomUUID()}.partial`)
  const files: FileHandle[] = []
  try {
    for (const partial of partials) files.push(await open(partial, 'wx+', 0o600))
    const result = await write(files)
    for (const file of files) await file.sync()
    for (const [i, partial] of partials.entries()) await rename(partial, targets[i] as string)
    return result
  } catch (cause) {
    for (const partial of partials) await rm(partial, { force: true })
    if (cause instanceof DownloadFailure) throw cause
    throw new DownloadFailure(`${outs[0]} could not be written: ${causeOf(cause)}`, { cause })
  } finally {
    for (const file of files) await file.close()
  }
}

/** Where the file itself is to be: behind a link, and in nobody else's place. */
export async function targetOf(out: string): Promise<string> {
  const existing = await stat(out).catch(() => null)
  if (existing === null) return out
  if (!existing.isFile()) throw new DownloadFailure(`${out} is not a file: name another one`)
  return await realpath(out)
}
