/** The lines of chains in one log: their members, open, redacted or gone in a gap, and the entries that say why. */
import { limits } from '../limits.ts'
import type { Reader } from '../store/ports.ts'
import type { Gap, Line, OpenEntry } from './export-format.ts'
import {
  type Entry,
  matching,
  openEntries,
  type Part,
  pages,
  provedLines,
  pruningsOf,
  rowsOf,
} from './export-lines.ts'
import { readPage, redactedEntry } from './export-rows.ts'
import type { Tree } from './export-tree.ts'
import { type ChainKind, pruningStatement, redactedMembersStatement } from './ledger-sql.ts'
import { mergedPages } from './merged-pages.ts'
import { checkPruning, PendingRedactions } from './pending-redactions.ts'

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

/** Chains from their first entry to the one their head names, open or redacted, among them the redaction entries. */
export const chainLines = (
  ledger: Reader,
  part: Part,
  tree: Tree,
  chains: readonly ChainPart[],
): AsyncGenerator<readonly Line[]> => {
  const streams = chains.map((chain) => members(ledger, part, chain, rowsOf(chains)))
  return provedLines(tree, rest(part, withRedactions(ledger, part, mergedPages(streams))))
}

/** Only the members before tell which redaction entries are due: an export that goes on reads all of them again. */
async function* rest(
  { after }: Part,
  lines: AsyncIterable<readonly (Entry | Gap)[]>,
): AsyncGenerator<readonly (Entry | Gap)[]> {
  for await (const page of lines) yield after === null ? page : page.filter(({ index }) => index > after)
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
