/** What `dossier import` reads: files in the order in which they are published, each as one bundle. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'

/** Types of Bundle that publish; the others are answers, histories, documents and messages. */
const publishedTypes = ['transaction', 'batch', 'collection'] as const

/**
 * Files as named, folders as the `*.json` in them by byte order of their names: the last published content of a resource
 * is the current one, so the order must not depend on the machine's language.
 *
 * @throws Error naming a path that does not exist, or a folder without such files
 */
export async function collectFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = []
  for (const path of paths) {
    if (!(await statOf(path)).isDirectory()) {
      files.push(path)
      continue
    }
    const entries = await readdir(path, { withFileTypes: true })
    const names = entries
      .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.json'))
      .map(({ name }) => name)
    if (names.length === 0) throw new Error(`${path} holds no .json files`)
    files.push(...names.sort(byteOrder).map((name) => join(path, name)))
  }
  return files
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch {
    throw new Error(`${path} does not exist or cannot be read`)
  }
}

/** Order of the UTF-8 bytes, which is not that of UTF-16 code units. */
export const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The text of a bundle to be published, or why the file is not one. */
export async function readBundleFile(path: string): Promise<Result<string, string>> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > limits.maxBodyBytes) return err(tooLarge(size))
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(await readFile(path))
  } catch (error) {
    return err(error instanceof TypeError ? 'not UTF-8 text' : `cannot be read: ${(error as Error).message}`)
  }
  return bundleOf(text)
}

/**
 * A bundle is passed on as it is written; a single resource becomes a collection of one.
 */
export function bundleOf(text: string): Result<string, string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return err(`not JSON: ${(error as Error).message}`)
  }
  if (!isObject(value) || typeof value.resourceType !== 'string')
    return err('not a FHIR resource: no resourceType')
  if (value.resourceType !== 'Bundle') {
    const wrapped = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${text}}]}`
    const bytes = Buffer.byteLength(wrapped)
    return bytes > limits.maxBodyBytes ? err(tooLarge(bytes)) : ok(wrapped)
  }
  if (!publishedTypes.some((type) => type === value.type)) {
    return err(`a Bundle of type "${value.type}": only ${publishedTypes.join(', ')} are published`)
  }
  const entries = Array.isArray(value.entry) ? value.entry.length : 0
  if (entries > limits.maxBundleEntries) {
    return err(`${entries} entries: a bundle has at most ${limits.maxBundleEntries}`)
  }
  return ok(text)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mebibyte = 1024 * 1024
const tooLarge = (bytes: number): string =>
  `${(bytes / mebibyte).toFixed(1)} MiB: a bundle has at most ${limits.maxBodyBytes / mebibyte} MiB`
