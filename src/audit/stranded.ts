/** Of a log that ends: the entries that only its own storage holds. */
import { limits } from '../limits.ts'
import { base64url } from './base64url.ts'
import { accessOf, sha256 } from './commitment.ts'
import type { DrainSource } from './drain.ts'
import type { StoredEntry } from './log-state.ts'
import type { OutsideStore } from './outside-store.ts'
import type { StrandedEntry, StrandedPage } from './succession.ts'
import { leafHash, sameBytes } from './tlog/hash.ts'

/** Entries from `from` on that the audit database does not hold as they are here. Rejects when it cannot be asked. */
export async function strandedEntries(
  source: DrainSource,
  outside: OutsideStore,
  from: number,
): Promise<StrandedPage> {
  const entries = source.entriesFrom(from).slice(0, limits.maxSalvagedEntries)
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) return { entries: [], next: null }
  const held = await outside.readLeaves(source.log, first.index, last.index + 1)
  const stranded = entries.filter(({ index, leaf }) => {
    const other = held[index - first.index]
    return !other || !sameBytes(other, leaf)
  })
  return { entries: stranded.map(toldOf), next: last.index + 1 }
}

function toldOf({ index, entry, leaf }: StoredEntry): StrandedEntry {
  const { time } = JSON.parse(entry) as { time: string }
  return { index, time, leafHash: base64url(leafHash(sha256, leaf)), access: accessOf(entry) }
}
