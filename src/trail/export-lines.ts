/** The lines of an export, log by log: pages of the ledger, what was redacted, and proofs. One page at a time. */
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import type { Block, Line, OpenEntry, RedactedEntry } from './export-format.ts'
import { entryOf, openEntry, readPage, redactedEntry } from './export-rows.ts'
import type { Tree } from './export-tree.ts'
import {
  type ChainKind,
  type EntryFilter,
  entriesAtStatement,
  pageStatement,
  rangeStatement,
  redactedMembersStatement,
} from './ledger-sql.ts'
import { mergedPages } from './merged-pages.ts'

/** A log, as far as it is exported. */
export interface Part {
  readonly log: string
  /** The indices searched: `first` up to and without `end`. */
  readonly first: number
  readonly end: number
  /** What the export's checkpoint covers. */
  readonly covered: number
}

/** A chain and, of this log, what its signed head says. */
export interface ChainPart {
  readonly kind: ChainKind
  readonly key: string
  /** The export is of no other: lines need not say of which they are. */
  readonly isOnly: boolean
  readonly count: number
  /** Index of the newest entry; null where there is none. */
  readonly last: string | null
}

type Entry = OpenEntry | RedactedEntry

/** Every index of the part, blocks after their last line, then the redaction entries that are named and not in the part. */
export async function* rangeLines(ledger: Reader, part: Part, tree: Tree): AsyncGenerator<readonly Line[]> {
  const { log, first, end } = part
  const pending = new PendingRedactions(part)
  for (let from = first; from < end; ) {
    const rows = await readPage(ledger, rangeStatement(log, from, end))
    const last = rows.at(-1)
    if (!last) break
    const indices = rows.map(({ idx }) => Number(idx))
    const blocks = await blocksAfter(tree, first, indices)
    yield rows.flatMap((row, i) => {
      const entry = entryOf(row)
      if (entry?.kind === 'redacted' && entry.redacted >= end) pending.add(entry)
      const line = entry ? [{ ...entry, proof: null }] : []
      const block = blocks.get(indices[i] as number)
      return block ? [...line, block] : line
    })
    from = Number(last.idx) + 1
  }
  for (const indices of pages(pending.take(part.covered)))
    yield await proved(tree, await openEntries(ledger, log, indices))
}

/** What matches any of the filters, of which no entry matches two; each line with its proof. */
export const matchingLines = (
  ledger: Reader,
  part: Part,
  tree: Tree,
  filters: readonly EntryFilter[],
): AsyncGenerator<readonly Line[]> =>
  provedLines(tree, mergedPages(filters.map((filter) => matching(ledger, part, filter, rowsOf(filters)))))

/** Chains from their first entry to the one their head names, open or redacted, among them the redaction entries. */
export const chainLines = (
  ledger: Reader,
  part: Part,
  tree: Tree,
  chains: readonly ChainPart[],
): AsyncGenerator<readonly Line[]> => {
  const streams = chains.map((chain) => members(ledger, part, chain, rowsOf(chains)))
  return provedLines(tree, withRedactions(ledger, part, mergedPages(streams)))
}

/** Entries read at once of each of several streams, so that all of them hold no more than one alone would. */
const rowsOf = (streams: readonly unknown[]): number => Math.ceil(limits.exportProofRows / streams.length)

async function* provedLines(
  tree: Tree,
  entries: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<readonly Line[]> {
  for await (const found of entries) for (const page of pages(found)) yield await proved(tree, page)
}

async function proved(tree: Tree, entries: readonly Entry[]): Promise<readonly Line[]> {
  const paths = await tree.inclusion(entries.map(({ index }) => index))
  return entries.map((entry, i) => ({ ...entry, proof: paths[i] as readonly Uint8Array[] }))
}

async function* matching(
  ledger: Reader,
  { log, first, end }: Part,
  filter: EntryFilter,
  count: number,
): AsyncGenerator<readonly OpenEntry[]> {
  for (let from = first; from < end; ) {
    const rows = await readPage(ledger, pageStatement(log, from, end, filter, count))
    const last = rows.at(-1)
    if (!last) return
    yield rows.map(openEntry)
    from = Number(last.idx) + 1
  }
}

async function* members(
  ledger: Reader,
  part: Part,
  chain: ChainPart,
  rows: number,
): AsyncGenerator<readonly Entry[]> {
  const { kind, key, count, last } = chain
  // The count of the next member.
  let next = 1
  for await (const page of matching(ledger, part, { [kind]: key }, rows)) {
    const found: Entry[] = []
    for (const entry of page) {
      const place = placeOf(entry, kind)
      if (place)
        found.push(...(await redactedMembers(ledger, part, chain, place.previous, place.count - next)))
      found.push(entry)
      next = place ? place.count + 1 : next
    }
    yield found
  }
  yield await redactedMembers(ledger, part, chain, last, count - next + 1)
}

async function redactedMembers(
  ledger: Reader,
  { log }: Part,
  { kind, key, isOnly }: ChainPart,
  previous: string | null,
  count: number,
): Promise<readonly RedactedEntry[]> {
  if (previous === null || count <= 0) return []
  if (count > limits.maxChainGap)
    throw new Error(`${count} redacted entries of one chain in a row are more than an export follows`)
  const rows = await readPage(ledger, redactedMembersStatement(log, kind, previous, count))
  return rows.map((row) => redactedEntry(row, isOnly ? null : key))
}

/** An entry's place in the chain; null where it has none. */
function placeOf({ entry }: OpenEntry, kind: ChainKind): { count: number; previous: string | null } | null {
  const { chains } = JSON.parse(entry) as {
    readonly chains: Readonly<Record<ChainKind, { readonly count: string; previous: string | null } | null>>
  }
  const place = chains[kind]
  return place && { count: Number(place.count), previous: place.previous }
}

/** Among the entries, at their indices, the redaction entries that they name. */
async function* withRedactions(
  ledger: Reader,
  part: Part,
  entries: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<readonly Entry[]> {
  const pending = new PendingRedactions(part)
  for await (const page of entries) {
    for (const entry of page) {
      if (entry.kind === 'redacted') pending.add(entry)
      else pending.delete(entry.index)
    }
    const last = page.at(-1)
    if (!last) continue
    const due: OpenEntry[] = []
    for (const indices of pages(pending.take(last.index)))
      due.push(...(await openEntries(ledger, part.log, indices)))
    yield [...page, ...due].sort((a, b) => a.index - b.index)
  }
  for (const indices of pages(pending.take(part.covered))) yield await openEntries(ledger, part.log, indices)
}

/** Indices of redaction entries that were named and are still to be told. */
class PendingRedactions {
  readonly #indices = new Set<number>()
  readonly #covered: number

  constructor({ covered }: Part) {
    this.#covered = covered
  }

  add({ index, redacted }: RedactedEntry): void {
    if (redacted >= this.#covered) throw redactedMeanwhile(index)
    this.#indices.add(redacted)
    if (this.#indices.size > limits.maxPendingRedactions)
      throw new Error('more redaction entries are to be told than an export remembers')
  }

  delete(index: number): void {
    this.#indices.delete(index)
  }

  /** Those below `end`, ascending; they are forgotten. */
  take(end: number): readonly number[] {
    const taken = [...this.#indices].filter((index) => index < end).sort((a, b) => a - b)
    for (const index of taken) this.#indices.delete(index)
    return taken
  }
}

/** The entry that says so is past the checkpoint, so the file could not prove it: the reader begins again. */
const redactedMeanwhile = (index: number): Error =>
  new Error(`entry ${index} was redacted while it was being exported`)

/** The blocks of 256 that end with one of these indices and begin at or after `first`. */
async function blocksAfter(
  tree: Tree,
  first: number,
  indices: readonly number[],
): Promise<ReadonlyMap<number, Block>> {
  const ends = indices.filter((index) => (index + 1) % blockSize === 0 && index + 1 - blockSize >= first)
  const hashes = await tree.subtrees(
    ends.map((end) => ({ level: blockLevel, index: BigInt(Math.floor(end / blockSize)) })),
  )
  return new Map(
    ends.map((end, i) => [
      end,
      { kind: 'block', from: end + 1 - blockSize, to: end + 1, hash: hashes[i] as Uint8Array },
    ]),
  )
}

/** A block is what one full tile of leaf hashes covers. */
const blockLevel = 8
const blockSize = 2 ** blockLevel

async function openEntries(
  ledger: Reader,
  log: string,
  indices: readonly number[],
): Promise<readonly OpenEntry[]> {
  return (await readPage(ledger, entriesAtStatement(log, indices))).map(openEntry)
}

function* pages<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += limits.exportProofRows)
    yield list.slice(from, from + limits.exportProofRows)
}
