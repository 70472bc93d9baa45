/** The stored text of an entry and what the public leaf reveals of it: nothing. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { ChainHead } from './log-state.ts'

/** Version of both: the first byte of a leaf and the member `v` of an entry. */
const version = 1

export const saltBytes = 32

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** So many bytes that nobody can guess. A port, so that it can fail in tests. */
export type RandomBytes = (count: number) => Uint8Array

export const randomBytesOf: RandomBytes = (count) => randomBytes(count)

/**
 * The public leaf: 0x01 ‖ HMAC-SHA-256(salt, entry as UTF-8), 33 bytes. The random salt hides (who, whom and when are
 * guessable), SHA-256 binds.
 */
export function leafOf(salt: Uint8Array, entry: string): Uint8Array {
  const leaf = new Uint8Array(33)
  leaf[0] = version
  leaf.set(createHmac('sha256', salt).update(entry).digest(), 1)
  return leaf
}

/** The place an entry takes in a chain: after `head`, or the first. */
const place = (head: ChainHead | undefined): string =>
  head ? `{"count":"${head.count + 1}","previous":"${head.previous}"}` : '{"count":"1","previous":null}'

export interface EntryPlace {
  readonly log: string
  readonly index: number
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string
  /** The chain's newest entry so far; undefined: this is the first; null: not in this chain. */
  readonly organisation: ChainHead | undefined | null
  readonly patient: ChainHead | undefined | null
}

/** Splices the app's canonical text into the entry without parsing it; the members are in the order of RFC 8785. */
export function entryText(access: string, { log, index, time, organisation, patient }: EntryPlace): string {
  const chains = `{"organisation":${organisation === null ? null : place(organisation)},"patient":${
    patient === null ? null : place(patient)
  }}`
  return `{"access":${access},"chains":${chains},"index":"${index}","log":"${log}","time":"${time}","v":${version}}`
}

/** The app's part of an entry, as it was spliced in: the places of chains hold no text, so that theirs is the last mention. */
export const accessOf = (entry: string): string =>
  entry.slice('{"access":'.length, entry.lastIndexOf(',"chains":{"organisation":'))

/** Tells a repeated append from another one under the same request id. */
export function digestOf(entries: readonly { readonly access: string }[]): Uint8Array {
  const hash = createHash('sha256')
  for (const { access } of entries) hash.update(access).update('\n')
  return hash.digest()
}
