/** Every file that a record shows to everybody, by the routes that everybody has. */
import { parseCheckpoint } from '../../src/audit/tlog/checkpoint.ts'
import { parseNote } from '../../src/audit/tlog/note.ts'
import { entriesPath, tilePath, tilesBetween } from '../../src/audit/tlog/tile.ts'
import type { Files } from './identifier-search.ts'

export interface PublishedLog {
  readonly log: string
  readonly origin: string
  readonly url: string
  readonly vkey: string
  readonly mldsa44Vkey: string
}

export interface PublicFiles {
  readonly logs: readonly PublishedLog[]
  /** By path. The name of a file ends in `headers` where it is those of an answer. */
  readonly files: Files
  /** Bundles by path, with the number of leaves in each. */
  readonly bundles: ReadonlyMap<string, number>
}

/** @throws Error where one of them is missing */
export async function fetchPublicFiles(url: string): Promise<PublicFiles> {
  const files = new Map<string, Uint8Array>()
  const bundles = new Map<string, number>()
  const take = async (path: string): Promise<string> => {
    const response = await fetch(`${url}${path}`)
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    files.set(path, bytes)
    files.set(`${path} headers`, Buffer.from(JSON.stringify([...response.headers])))
    return Buffer.from(bytes).toString()
  }
  const { logs } = JSON.parse(await take('/audit/logs')) as { readonly logs: readonly PublishedLog[] }
  for (const { log } of logs) {
    const folder = `/audit/logs/${log}`
    const { size } = parseCheckpoint(parseNote(await take(`${folder}/checkpoint`)).text)
    for (const { level, index, width } of tilesBetween(0n, size)) {
      await take(`${folder}/${tilePath({ level, index, width })}`)
      if (level !== 0) continue
      const bundle = `${folder}/${entriesPath(index, width)}`
      await take(bundle)
      bundles.set(bundle, width)
    }
  }
  return { logs, files, bundles }
}
