/** Real resources that tests publish where they are present: files, and what publishing keeps of them. */
import { readdirSync } from 'node:fs'
import { isObject } from '../src/fhir/json.ts'

/** In the order of their names, whatever the machine's language. */
export const jsonFiles = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((name) => `${folder}/${name}`)

/** Without what the server must change: id, version and time, and the texts of references. */
export function comparable(value: unknown): unknown {
  const { id: _id, meta, ...members } = value as Record<string, unknown>
  const { versionId: _version, lastUpdated: _updated, ...kept } = isObject(meta) ? meta : {}
  return anonymous(Object.keys(kept).length > 0 ? { ...members, meta: kept } : members)
}
function anonymous(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymous)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === 'reference' && typeof member === 'string'
        ? member.startsWith('#')
          ? member
          : 'rewritten'
        : anonymous(member),
    ]),
  )
}
