/** What `dossier import` reads: files in the order in which they are published, each as one bundle. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject, parseJson } from '../fhir/json.ts'
import { limits } from '../limits.ts'
import type { Text } from '../local/client/language.ts'
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
export async function readBundleFile(path: string): Promise<Result<string, Text>> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > limits.maxBodyBytes) return err(tooLarge(size))
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(await readFile(path))
  } catch (error) {
    return err(error instanceof TypeError ? notUtf8 : unreadable((error as NodeJS.ErrnoException).code ?? ''))
  }
  return bundleOf(text)
}

/**
 * A bundle is passed on as it is written; a single resource becomes a collection of one.
 */
export function bundleOf(text: string): Result<string, Text> {
  const parsed = parseJson(text)
  if (!parsed.ok) return err(parsed.error.text)
  const { value } = parsed
  if (!isObject(value) || typeof value.resourceType !== 'string') return err(noResource)
  if (value.resourceType !== 'Bundle') {
    const wrapped = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":${text}}]}`
    const bytes = Buffer.byteLength(wrapped)
    return bytes > limits.maxBodyBytes ? err(tooLarge(bytes)) : ok(wrapped)
  }
  if (!publishedTypes.some((type) => type === value.type)) {
    return err(otherType(String(value.type)))
  }
  const entries = Array.isArray(value.entry) ? value.entry.length : 0
  if (entries > limits.maxBundleEntries) {
    return err(tooMany(entries))
  }
  return ok(text)
}

const notUtf8: Text = { fr: 'ce n’est pas du texte UTF-8', en: 'not UTF-8 text' }

/** @param code of the system, e.g. `EACCES` */
const unreadable = (code: string): Text => ({ fr: `illisible (${code})`, en: `cannot be read (${code})` })

const noResource: Text = {
  fr: 'ce n’est pas une ressource FHIR : `resourceType` est absent',
  en: 'not a FHIR resource: no `resourceType`',
}

const otherType = (type: string): Text => ({
  fr: `un Bundle de type "${type}" : seuls ${publishedTypes.join(', ')} se publient`,
  en: `a Bundle of type "${type}": only ${publishedTypes.join(', ')} are published`,
})

const tooMany = (entries: number): Text => ({
  fr: `${entries} entrées : un Bundle en compte au plus ${limits.maxBundleEntries}`,
  en: `${entries} entries: a Bundle has at most ${limits.maxBundleEntries}`,
})

const mebibyte = 1024 * 1024
const tooLarge = (bytes: number): Text => {
  const [size, most] = [bytes / mebibyte, limits.maxBodyBytes / mebibyte]
  return {
    fr: `${size.toFixed(1).replace('.', ',')} Mio : un Bundle en compte au plus ${most}`,
    en: `${size.toFixed(1)} MiB: a Bundle has at most ${most} MiB`,
  }
}
