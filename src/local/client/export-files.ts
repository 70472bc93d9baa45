/**
 * The files of an export while it is received. What has come of one that broke off stays, with what is needed to go on with
 * it; under their own names they appear only when they are whole.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import type { ExportFormat } from '../../trail/export-format.ts'
import { DownloadFailure, FinalFailure } from './download-failure.ts'
import { causeOf } from './publisher.ts'
import { targetOf } from './whole-file.ts'

/** What another run needs, beside the files. */
const kept = z.strictObject({ format: z.enum(['ndjson', 'csv', 'fhir']), cursor: z.string().min(1) })

type Kept = Readonly<z.infer<typeof kept>>

/** The export that proves the CSV or AuditEvents at `out`. */
export const proofFileOf = (out: string): string => `${out}.proof.ndjson`

const partialOf = (target: string): string => `${target}.partial`

/** Read at once from the end of a file, to find its last entry. */
const tailBytes = 1 << 20

export class ExportFiles {
  readonly format: ExportFormat
  /** NDJSON, as the server sends it. */
  readonly file: FileHandle
  /** What is made of it in another format; null: nothing. */
  readonly beside: FileHandle | null
  /** Null: the server says that it cannot be gone on with. */
  cursor: string | null
  /** An earlier run began it. */
  readonly isReopened: boolean
  readonly #out: string
  /** NDJSON first. */
  readonly #targets: readonly string[]

  private constructor(
    out: string,
    targets: readonly string[],
    [file, beside]: readonly FileHandle[],
    { format, cursor }: { readonly format: ExportFormat; readonly cursor: string | null },
  ) {
    this.isReopened = cursor !== null
    this.#out = out
    this.#targets = targets
    this.file = file as FileHandle
    this.beside = beside ?? null
    this.format = format
    this.cursor = cursor
  }

  /** @throws DownloadFailure where a file cannot be made, or a part of another export is there */
  static async begin(out: string, format: ExportFormat): Promise<ExportFiles> {
    const targets = await targetsOf(out, format)
    const files = await openAll(targets, async (partial) => await open(partial, 'ax+', ownerOnly))
    // Left by one that ended in an unlucky moment: it is of another export.
    await rm(keptFileOf(out), { force: true })
    return new ExportFiles(out, targets, files, { format, cursor: null })
  }

  /** What an earlier run left; the file beside is to be made anew. @throws DownloadFailure where it left nothing */
  static async reopen(out: string): Promise<ExportFiles> {
    const kept = await readKept(out)
    const targets = await targetsOf(out, kept.format)
    const files = await openAll(targets, async (partial, i) =>
      i === 0 ? await openOwn(partial) : await openAnew(partial),
    )
    return new ExportFiles(out, targets, files, kept)
  }

  /** From now on another run can go on. */
  async keep(cursor: string | null): Promise<void> {
    if (cursor === null || cursor === this.cursor) return
    this.cursor = cursor
    const kept: Kept = { format: this.format, cursor }
    const file = keptFileOf(this.#out)
    // Renamed into its place: whole, and never through a link that somebody else put there.
    const made = `${file}.${randomUUID()}`
    await writeFile(made, JSON.stringify(kept), { mode: ownerOnly, flag: 'wx' })
    await rename(made, file)
  }

  /** Cuts the file after its last entry that came whole. @returns `<log>/<index>` of it; null: there is none */
  async cutAfterLastEntry(): Promise<{ readonly place: string; readonly bytes: number } | null> {
    const found = await lastEntry(this.file)
    if (found !== null) await this.file.truncate(found.bytes)
    return found
  }

  /** What has come so far. */
  read(): AsyncIterable<Uint8Array> {
    return this.file.createReadStream({ start: 0, autoClose: false })
  }

  /**
   * Puts the files in their places.
   *
   * @param bytes that came
   * @throws FinalFailure where another run wrote to the same file
   */
  async finish(bytes: number): Promise<void> {
    const { size } = await this.file.stat()
    if (size !== bytes)
      throw new FinalFailure(`${bytes} bytes came and ${size} are there: another run writes to the same file`)
    for (const file of this.#files) await file.sync()
    await this.#close()
    for (const target of this.#targets) await rename(partialOf(target), target)
    await rm(keptFileOf(this.#out), { force: true })
  }

  /** Leaves what another run can go on with, or nothing. @returns whether it left something */
  async abandon(isLost: boolean): Promise<boolean> {
    await this.#close()
    if (!isLost && this.cursor !== null) return true
    for (const target of this.#targets) await rm(partialOf(target), { force: true })
    await rm(keptFileOf(this.#out), { force: true })
    return false
  }

  get #files(): readonly FileHandle[] {
    return [this.file, ...(this.beside ? [this.beside] : [])]
  }

  async #close(): Promise<void> {
    for (const file of this.#files) await file.close()
  }
}

const keptFileOf = (out: string): string => `${out}.resume`

const targetsOf = async (out: string, format: ExportFormat): Promise<readonly string[]> =>
  await Promise.all((format === 'ndjson' ? [out] : [proofFileOf(out), out]).map(targetOf))

async function readKept(out: string): Promise<Kept> {
  try {
    return kept.parse(JSON.parse(await readFile(keptFileOf(out), 'utf8')))
  } catch (cause) {
    throw new DownloadFailure(`there is no part of an export to ${out} to go on with: begin it`, { cause })
  }
}

/** Health data is for whoever asked for it. */
const ownerOnly = 0o600

/** What an earlier run of the same person left: nobody else's file, and none behind a link, is written to. */
async function openOwn(partial: string): Promise<FileHandle> {
  const file = await open(partial, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW)
  const found = await file.stat()
  if (found.isFile() && found.uid === process.getuid?.()) {
    await file.chmod(ownerOnly)
    return file
  }
  await file.close()
  throw new Error('it is not a file of yours')
}

async function openAnew(partial: string): Promise<FileHandle> {
  await rm(partial, { force: true })
  return await open(partial, 'ax+', ownerOnly)
}

/** All of them, or none. What there was stays. */
async function openAll(
  targets: readonly string[],
  openOne: (partial: string, i: number) => Promise<FileHandle>,
): Promise<readonly FileHandle[]> {
  const files: FileHandle[] = []
  try {
    for (const [i, target] of targets.entries()) files.push(await openOne(partialOf(target), i))
    return files
  } catch (cause) {
    for (const [i, file] of files.entries()) {
      const { size } = await file.stat()
      await file.close()
      if (size === 0) await rm(partialOf(targets[i] as string), { force: true })
    }
    const target = targets[files.length] as string
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST'
      ? new DownloadFailure(
          `${partialOf(target)} is there, of an export that broke off or is under way: go on with --resume, or remove it`,
          { cause },
        )
      : new DownloadFailure(`${target} could not be written: ${causeOf(cause)}`, { cause })
  }
}

/** The last line that holds an entry, and where it ends. */
async function lastEntry(
  file: FileHandle,
): Promise<{ readonly place: string; readonly bytes: number } | null> {
  let tail: Buffer = Buffer.alloc(0)
  for (let from = (await file.stat()).size; from > 0; ) {
    const length = Math.min(from, tailBytes)
    from -= length
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, from)
    tail = Buffer.concat([buffer, tail])
    for (let end = tail.lastIndexOf(10); end !== -1; ) {
      const start = end === 0 ? 0 : tail.lastIndexOf(10, end - 1) + 1
      // Of a line that begins before what was read, more is read first.
      if (start === 0 && from > 0) break
      const place = placeOf(tail.toString('utf8', start, end))
      if (place !== null) return { place, bytes: from + end + 1 }
      end = start - 1
    }
  }
  return null
}

/** `<log>/<index>` of a line of an export; null: it holds no entry. */
function placeOf(line: string): string | null {
  const { entry, index, log } = parsed(line)
  if (entry !== undefined) return `${entry.log}/${entry.index}`
  return index === undefined ? null : `${log}/${index}`
}

interface Placed {
  readonly entry?: { readonly log: string; readonly index: string }
  readonly index?: string
  readonly log?: string
}

/** A machine that stopped may have left a line torn. */
function parsed(line: string): Placed {
  try {
    return JSON.parse(line) as Placed
  } catch {
    return {}
  }
}
