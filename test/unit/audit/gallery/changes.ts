/** Ways to change one thing of a sample, and what a case of the gallery is. */

import canonicalize from 'canonicalize'
import { base64url } from '../../../../src/audit/base64url.ts'
import { leafOf, sha256 } from '../../../../src/audit/commitment.ts'
import { ndjson, type SampleExport, type SampleHeaderLog, type SampleSite } from '../verify/sample-files.ts'
import { bytesOf } from '../verify/sample-keys.ts'
import { type Kind, kinds, policy } from './samples.ts'
import type { Subject } from './verifiers.ts'

/** What both verifiers must say. */
export type Expected =
  | 'verified'
  | readonly [code: string, place: string, source?: 'proof' | 'policy' | number]

export interface Case {
  readonly name: string
  /** What it was made of. */
  readonly kind: Kind
  readonly subject: Subject
  readonly expected: Expected
}

// --- exports ---

/** A case that changes an export. The policy and what is known are those of the untampered one. */
export function exportCase(
  kind: Kind,
  sample: SampleExport,
  name: string,
  expected: Expected,
  change: (file: SampleExport) => void,
): Case {
  const file = structuredClone(sample)
  change(file)
  return textCase(kind, name, expected, ndjson(file))
}

/** A case of any content in the place of the file. */
export const textCase = (kind: Kind, name: string, expected: Expected, file: Subject['file']): Case => ({
  name,
  kind,
  subject: { ...kinds[kind], file },
  expected,
})

/** Header of one log. */
export function headerOf(file: SampleExport, log: string): SampleHeaderLog {
  const found = file.header.logs.find((one) => one.log === log)
  if (found === undefined) throw new Error(`the sample has no log ${log}`)
  return found
}

interface PlaceJson {
  count: string
  previous: string | null
}

/** An entry, to be changed at will. */
export interface EntryJson {
  access: {
    action: string
    phase: string
    status: number
    note: Record<string, string> | null
    patient: string | null
    who: Record<string, string | null>
  }
  chains: { organisation: PlaceJson | null; patient: PlaceJson | null }
  index: unknown
  log: unknown
  time: string
  v: unknown
  zz?: number
}

/** A line, to be changed at will: members of all kinds of line. */
export interface LineJson {
  entry: EntryJson
  index?: string
  leaf: string
  log?: string
  chain?: string | null | undefined
  redacted?: string
  pruned?: string
  count?: string
  last?: string
  salt: string
  proof?: string[] | undefined
  hash: string
}

export const parseLine = (line: string | undefined): LineJson => JSON.parse(line as string) as LineJson

/** Where the line of an entry is. */
export function lineAt(file: SampleExport, log: string, index: number): number {
  const at = file.lines.findIndex((line) => {
    const { entry, ...rest } = JSON.parse(line) as Partial<LineJson>
    return (entry?.log ?? rest.log) === log && (entry?.index ?? rest.index) === String(index)
  })
  if (at === -1) throw new Error(`the sample has no entry ${log}/${index}`)
  return at
}

/** Changes the line of an entry, which stays as it is in all else. */
export function changeLine(
  file: SampleExport,
  log: string,
  index: number,
  change: (line: LineJson) => void,
): void {
  const at = lineAt(file, log, index)
  const line = parseLine(file.lines[at])
  change(line)
  file.lines[at] = JSON.stringify(line)
}

/** Changes an entry and makes its leaf fit. */
export function changeCommitted(
  file: SampleExport,
  log: string,
  index: number,
  change: (entry: EntryJson) => void,
): void {
  changeLine(file, log, index, (line) => {
    change(line.entry)
    const salt = Buffer.from(line.salt, 'base64url')
    line.leaf = base64url(leafOf(salt, canonicalize(line.entry) as string))
  })
}

/** An open entry made a redacted one, with what is there to hide it. */
export function hide(file: SampleExport, index: number, by: string): void {
  const at = lineAt(file, 'montreal', index)
  const line = parseLine(file.lines[at])
  file.lines[at] = JSON.stringify({
    index: String(index),
    leaf: line.leaf,
    log: 'montreal',
    ...(line.proof === undefined ? {} : { proof: line.proof }),
    redacted: by,
  })
}

/** Another text of the same length in base64url. */
export const otherHash = (seed: string): string => base64url(sha256(bytesOf(seed)))

/** The first bit of what base64url stands for. */
export function flipped(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  return base64url(bytes)
}

// --- values ---

/** Every member and item of a value that is neither an object nor an array. */
export function leafPaths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => leafPaths(member, [...path, name]))
}

/** Puts another value of the same type there. */
export function editAt(root: object, path: readonly string[]): void {
  const last = path.at(-1) as string
  type Members = Record<string, unknown>
  const parent = path.slice(0, -1).reduce((value, name) => value[name] as Members, root as Members)
  parent[last] = edited(parent[last])
}

function edited(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return 'x'
  if (/^[0-9]+$/.test(value)) return String(BigInt(value) + 1n)
  return /Z$/.test(value) ? value.replace(/.Z$/, '9Z') : `${value}x`
}

// --- notes ---

/** The lines of a signed note, changed. */
export const editNote = (note: string | null, change: (lines: string[]) => void): string => {
  const lines = (note as string).split('\n')
  change(lines)
  return lines.join('\n')
}

// --- sites ---

/** A case that changes what logs publish. */
export function siteCase(name: string, expected: Expected, change: (site: SampleSite) => void): Case {
  const site: SampleSite = new Map(
    [...kinds.site.file].map(([path, bytes]) => [path, Uint8Array.from(bytes)]),
  )
  change(site)
  return textCase('site', name, expected, site)
}

export const policyOf = (change: (lines: string[]) => void): string => {
  const lines = policy.split('\n')
  change(lines)
  return lines.join('\n')
}
