/** The lines of an export, log by log: pages of the ledger, what was redacted, and proofs. One page at a time. */
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import type { Block, Gap, Line, OpenEntry, RedactedEntry } from './export-format.ts'
import { entryOf, openEntry, readPage, redactedEntry } from './export-rows.ts'
import type { Tree } from './export-tree.ts'
import {
  type EntryFilter,
  entriesAtStatement,
  pageStatement,
  pruningsStatement,
  rangeStatement,
  redactedBetweenStatement,
} from './ledger-sql.ts'
import { mergedPages } from './merged-pages.ts'
import { checkPruning, PendingRedactions } from './pending-redactions.ts'

/** A log, as far as it is exported. */
export interface Part {
  readonly log: string
  /** The indices searched: `first` up to and without `end`. */
  readonly first: number
  readonly end: number
  /** What the export's checkpoint covers. */
  readonly covered: number
  /** The same of every log of the export, by name. */
  readonly coverage: ReadonlyMap<string, number>
  /** Index of the entry after which the lines go on; null: all are told. */
  readonly after: number | null
}

export type Entry = OpenEntry | RedactedEntry

/**
 * Every index of the part, blocks after their last line; after it the redaction entries that are named and not in the part,
 * and around it the pruning entries that are not in it: they may have pruned it, or a log before it.
 */
export async function* rangeLines(ledger: Reader, part: Part, tree: Tree): AsyncGenerator<readonly Line[]> {
  const { log, first, end } = part
  const after = part.after ?? -1
  const pending = new PendingRedactions(part)
  const prunings = await pruningsOf(ledger, part)
  yield* provedAt(
    ledger,
    log,
    tree,
    prunings.filter((index) => index < first && index > after),
  )
  if (after >= first) {
    for (const row of await readPage(
      ledger,
      redactedBetweenStatement(log, first, Math.min(after + 1, end), end),
    ))
      pending.add(redactedEntry(row))
    if (after < end) yield [...(await blocksAfter(tree, first, [after])).values()]
  }
  for (let from = Math.max(first, after + 1); from < end; ) {
    const rows = await readPage(ledger, rangeStatement(log, from, end))
    const last = rows.at(-1)
    if (!last) break
    const indices = rows.map(({ idx }) => Number(idx))
    const blocks = await blocksAfter(tree, first, indices)
    yield rows.flatMap((row, i) => {
      const entry = entryOf(row)
      if (entry?.kind === 'redacted' && entry.redacted >= end) pending.add(entry)
      if (entry?.kind === 'pruned') checkPruning(part, entry.index, entry.pruned)
      const line: Line[] = entry ? [entry.kind === 'pruned' ? entry : { ...entry, proof: null }] : []
      const block = blocks.get(indices[i] as number)
      return block ? [...line, block] : line
    })
    from = Number(last.idx) + 1
  }
  const beyond = [...pending.take(part.covered), ...prunings.filter((index) => index >= end)]
  yield* provedAt(
    ledger,
    log,
    tree,
    [...new Set(beyond)].filter((index) => index > after).sort((a, b) => a - b),
  )
}

async function* provedAt(
  ledger: Reader,
  log: string,
  tree: Tree,
  indices: readonly number[],
): AsyncGenerator<readonly Line[]> {
  for (const page of pages(indices)) yield await proved(tree, await openEntries(ledger, log, page))
}

export async function pruningsOf(ledger: Reader, { log, covered }: Part): Promise<readonly number[]> {
  return (await readPage(ledger, pruningsStatement(log, covered))).map(({ idx }) => Number(idx))
}

/** What matches any of the filters, of which no entry matches two; each line with its proof. */
export const matchingLines = (
  ledger: Reader,
  part: Part,
  tree: Tree,
  filters: readonly EntryFilter[],
): AsyncGenerator<readonly Line[]> => {
  const rest = { ...part, first: Math.max(part.first, (part.after ?? -1) + 1) }
  return provedLines(
    tree,
    mergedPages(filters.map((filter) => matching(ledger, rest, filter, rowsOf(filters)))),
  )
}

/** Entries read at once of each of several streams, so that all of them hold no more than one alone would. */
export const rowsOf = (streams: readonly unknown[]): number =>
  Math.ceil(limits.exportProofRows / streams.length)

export async function* provedLines(
  tree: Tree,
  entries: AsyncIterable<readonly (Entry | Gap)[]>,
): AsyncGenerator<readonly Line[]> {
  for await (const found of entries) {
    // Whoever waits no more must be able to say so between two pages, also where all of them are passed over.
    if (found.length === 0) yield []
    for (const page of pages(found)) yield await proved(tree, page)
  }
}

async function proved(tree: Tree, entries: readonly (Entry | Gap)[]): Promise<readonly Line[]> {
  const paths = await tree.inclusion(entries.flatMap((entry) => (entry.kind === 'gap' ? [] : [entry.index])))
  let at = 0
  return entries.map((entry) =>
    entry.kind === 'gap' ? entry : { ...entry, proof: paths[at++] as readonly Uint8Array[] },
  )
}

export async function* matching(
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

export async function openEntries(
  ledger: Reader,
  log: string,
  indices: readonly number[],
): Promise<readonly OpenEntry[]> {
  return (await readPage(ledger, entriesAtStatement(log, indices))).map(openEntry)
}

export function* pages<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += limits.exportProofRows)
    yield list.slice(from, from + limits.exportProofRows)
}
