/** What the scrub asks of one bundle: that leaves are those of the tile, and bodies open them or were redacted. */
import { leafOf, sha256 } from '../audit/commitment.ts'
import { leavesStatement, StoredTiles, tilesStatement } from '../audit/public-store.ts'
import { isRedaction } from '../audit/redactions.ts'
import { leafHash, sameBytes } from '../audit/tlog/hash.ts'
import { type Tile, tilePath, tileWidth } from '../audit/tlog/tile.ts'
import { limits } from '../limits.ts'
import type { Reader, Rows, Statement } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import { checkSteps, stepsOf, type TileFinding } from './scrub-tiles.ts'

export type EntryFinding =
  | TileFinding
  | {
      /**
       * Below the newest checkpoint there is no leaf; it is not the one of the tile; there is no body and nothing redacts it;
       * the body is not what the leaf commits to, or names another place.
       */
      readonly kind: 'leaf-missing' | 'leaf-differs' | 'body-missing' | 'body-differs'
      /** Index. */
      readonly place: string
    }

/** Of the entries [first, end) as many as fit `limits.maxPageBytes`, which one entry may pass. */
const bodiesStatement = (log: string, first: number, end: number): Statement => ({
  sql: `select idx, salt, entry from (
          select idx, salt, entry,
                 sum(octet_length(entry)) over (order by idx rows unbounded preceding)
                   - octet_length(entry) as bytes_before
            from ledger_body where log = ? and idx >= ? and idx < ? order by idx)
        where bytes_before < ?`,
  args: [log, first, end, limits.maxPageBytes],
})

/**
 * Of these indices those that an entry redacts, as text. Redactions are few: one walk over them, by whichever index is left
 * (the plus keeps the planner from walking the log). None is named: who drops it must not stop the scrub.
 */
export const redactedStatement = (log: string, indices: readonly number[]): Statement => ({
  sql: `select redacts from ledger_body as r
          where +log = ? and redacts in (select value from json_each(?)) and idx > cast(redacts as integer)
            and ${isRedaction('r')}`,
  args: [log, JSON.stringify(indices.map(String))],
})

/**
 * The index below which bodies of this log may be gone by a pruning entry; null: there is none. By whichever index is left,
 * as above.
 */
export const prunedToStatement = (log: string): Statement => ({
  sql: "select max(prunes_to) as pruned from ledger_body where action = 'redaction' and prunes_log = ?",
  args: [log],
})

/** @param size entries that the newest checkpoint covers: more than `256 · bundle` */
export async function scrubBundle(
  reader: Reader,
  log: string,
  bundle: number,
  size: number,
): Promise<EntryFinding[]> {
  const first = bundle * tileWidth
  const end = Math.min(first + tileWidth, size)
  const tile: Tile = { level: 0, index: BigInt(bundle), width: end - first }
  const steps = tile.width === tileWidth ? stepsOf(bundle) : []
  const [leafRows = [], tileRows = [], bodyRows = []] = await reader.read(
    [
      leavesStatement(log, first, end),
      tilesStatement(log, [tile, ...steps.flatMap((step) => [step.tile, step.above])]),
      bodiesStatement(log, first, end),
    ],
    limits.scrubDeadlineMs,
  )
  const leaves = new Map(leafRows.map(({ idx, leaf }) => [Number(idx), bytes(leaf)]))
  const tiles = new StoredTiles(tileRows)
  return [
    ...checkLeaves(leaves, tiles, tile, first),
    ...checkSteps(tiles, steps),
    ...(await checkBodies(reader, log, { first, end, leaves, bodyRows })),
  ]
}

function checkLeaves(
  leaves: ReadonlyMap<number, Uint8Array>,
  tiles: StoredTiles,
  tile: Tile,
  first: number,
): EntryFinding[] {
  const isTileThere = tiles.hashesOf(tile) !== null
  const findings: EntryFinding[] = []
  // A full one is told by its step.
  if (!isTileThere && tile.width < tileWidth) findings.push({ kind: 'tile-missing', place: tilePath(tile) })
  for (let i = 0; i < tile.width; i++) {
    const place = String(first + i)
    const leaf = leaves.get(first + i)
    const expected = tiles.hashAt(tile, i)
    if (!leaf) findings.push({ kind: 'leaf-missing', place })
    else if (expected && !sameBytes(leafHash(sha256, leaf), expected))
      findings.push({ kind: 'leaf-differs', place })
  }
  return findings
}

interface Bodies {
  readonly first: number
  readonly end: number
  readonly leaves: ReadonlyMap<number, Uint8Array>
  /** The first page. */
  readonly bodyRows: Rows
}

async function checkBodies(
  reader: Reader,
  log: string,
  { first, end, leaves, bodyRows }: Bodies,
): Promise<EntryFinding[]> {
  const findings: EntryFinding[] = []
  const missing = new Set(Array.from({ length: end - first }, (_, i) => first + i))
  for (let page = bodyRows; page.length > 0; ) {
    for (const { idx, salt, entry } of page) {
      const index = Number(idx)
      missing.delete(index)
      const leaf = leaves.get(index)
      const text = String(entry)
      if (leaf && !(sameBytes(leafOf(bytes(salt), text), leaf) && namesPlace(text, log, index)))
        findings.push({ kind: 'body-differs', place: String(index) })
    }
    const next = Number(page.at(-1)?.idx) + 1
    const [rows = []] =
      next < end ? await reader.read([bodiesStatement(log, next, end)], limits.scrubDeadlineMs) : []
    page = rows
  }
  const isExplained = await explained(reader, log, [...missing])
  for (const index of missing)
    if (!isExplained(index)) findings.push({ kind: 'body-missing', place: String(index) })
  return findings
}

/** Which of the bodies that are not there an entry redacted or pruned. */
async function explained(
  reader: Reader,
  log: string,
  missing: readonly number[],
): Promise<(index: number) => boolean> {
  if (missing.length === 0) return () => false
  const [rows = [], pruned = []] = await reader.read(
    [redactedStatement(log, missing), prunedToStatement(log)],
    limits.scrubDeadlineMs,
  )
  const redacted = new Set(rows.map(({ redacts }) => String(redacts)))
  const prunedTo = Number(pruned[0]?.pruned ?? 0)
  return (index) => index < prunedTo || redacted.has(String(index))
}

/** By the frame that the sequencer put around the app's text; inside that text every quote is escaped. */
const namesPlace = (entry: string, log: string, index: number): boolean =>
  entry.includes(`,"index":"${index}","log":"${log}","time":"`)
