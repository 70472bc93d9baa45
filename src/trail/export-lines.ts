/** The lines of an export, log by log: pages of the ledger, what was redacted, and proofs. One page at a time. */
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import type { Block, Gap, Line, OpenEntry, RedactedEntry } from './export-format.ts'
import { entryOf, openEntry, readPage, redactedEntry } from './export-rows.ts'
import type { Tree } from './export-tree.ts'
import {
  type ChainKind,
  type EntryFilter,
  entriesAtStatement,
  pageStatement,
  pruningStatement,
  pruningsStatement,
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

/**
 * Every index of the part, blocks after their last line; after it the redaction entries that are named and not in the part,
 * and around it the pruning entries that are not in it: they may have pruned it, or a log before it.
 */
export async function* rangeLines(ledger: Reader, part: Part, tree: Tree): AsyncGenerator<readonly Line[]> {
  const { log, first, end } = part
  const pending = new PendingRedactions(part)
  const prunings = await pruningsOf(ledger, part)
  yield* provedAt(
    ledger,
    log,
    tree,
    prunings.filter((index) => index < first),
  )
  for (let from = first; from < end; ) {
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
  const after = [...pending.take(part.covered), ...prunings.filter((index) => index >= end)]
  yield* provedAt(
    ledger,
    log,
    tree,
    [...new Set(after)].sort((a, b) => a - b),
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

async function pruningsOf(ledger: Reader, { log, covered }: Part): Promise<readonly number[]> {
  return (await readPage(ledger, pruningsStatement(log, covered))).map(({ idx }) => Number(idx))
}

/** An entry that the file cannot prove, since it is past the checkpoint. */
function checkPruning({ log, covered }: Part, index: number | string, pruned: string): void {
  const [by, at] = pruned.split('/')
  if (by === log && Number(at) >= covered)
    throw new Error(`entry ${index} was pruned while it was being exported`)
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
  entries: AsyncIterable<readonly (Entry | Gap)[]>,
): AsyncGenerator<readonly Line[]> {
  for await (const found of entries) for (const page of pages(found)) yield await proved(tree, page)
}

async function proved(tree: Tree, entries: readonly (Entry | Gap)[]): Promise<readonly Line[]> {
  const paths = await tree.inclusion(entries.flatMap((entry) => (entry.kind === 'gap' ? [] : [entry.index])))
  let at = 0
  return entries.map((entry) =>
    entry.kind === 'gap' ? entry : { ...entry, proof: paths[at++] as readonly Uint8Array[] },
  )
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
): AsyncGenerator<readonly (Entry | Gap)[]> {
  const { kind, key, count, last } = chain
  // The count of the next member.
  let next = 1
  for await (const page of matching(ledger, part, { [kind]: key }, rows)) {
    const found: (Entry | Gap)[] = []
    for (const entry of page) {
      const place = placeOf(entry, kind)
      if (place) found.push(...(await goneMembers(ledger, part, chain, place, next)))
      found.push(entry)
      next = place ? place.count + 1 : next
    }
    yield found
  }
  yield await goneMembers(ledger, part, chain, { count: count + 1, previous: last }, next)
}

/**
 * The members from number `next` up to the one at `place`, none of them open: from the newest back those that were redacted;
 * where one was pruned its place is not known any more, and it stands for all before it.
 */
async function goneMembers(
  ledger: Reader,
  part: Part,
  { kind, key, isOnly }: ChainPart,
  { count, previous }: Place,
  next: number,
): Promise<readonly (Entry | Gap)[]> {
  const missing = count - next
  if (previous === null || missing <= 0) return []
  const most = Math.min(missing, limits.maxChainGap)
  const rows = await readPage(ledger, redactedMembersStatement(part.log, kind, previous, most))
  const chain = isOnly ? null : key
  const redacted = rows.map((row) => redactedEntry(row, chain))
  if (rows.length === missing) return redacted
  if (rows.length === limits.maxChainGap)
    throw new Error(`${missing} redacted entries of one chain in a row are more than an export follows`)
  const [oldest] = rows
  const [number, last] = oldest ? String(oldest.place).split('@') : [String(count), previous]
  if (last === undefined || last === '-') return redacted
  const [found] = await readPage(ledger, pruningStatement(part.log, last))
  if (typeof found?.pruned !== 'string') return redacted
  checkPruning(part, last, found.pruned)
  return [
    { kind: 'gap', count: Number(number) - 1, index: Number(last), pruned: found.pruned, chain },
    ...redacted,
  ]
}

interface Place {
  readonly count: number
  readonly previous: string | null
}

/** An entry's place in the chain; null where it has none. */
function placeOf({ entry }: OpenEntry, kind: ChainKind): Place | null {
  const { chains } = JSON.parse(entry) as {
    readonly chains: Readonly<Record<ChainKind, { readonly count: string; previous: string | null } | null>>
  }
  const place = chains[kind]
  return place && { count: Number(place.count), previous: place.previous }
}

/** Among the entries, at their indices, the redaction entries that they name, and the pruning entries that there are. */
async function* withRedactions(
  ledger: Reader,
  part: Part,
  entries: AsyncIterable<readonly (Entry | Gap)[]>,
): AsyncGenerator<readonly (Entry | Gap)[]> {
  const pending = new PendingRedactions(part)
  for (const index of await pruningsOf(ledger, part)) pending.addEntry(index)
  for await (const page of entries) {
    for (const entry of page) {
      if (entry.kind === 'redacted') pending.add(entry)
      else if (entry.kind === 'open') pending.delete(entry.index)
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
    this.addEntry(redacted)
  }

  /** One that is to be told, whoever names it. */
  addEntry(index: number): void {
    this.#indices.add(index)
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
