/**
 * A log of made-up accesses as it stands in the audit database once it is published: leaves, bodies, tiles, a checkpoint,
 * all made by the log's own functions. Nobody serves it: it is exported as far as its checkpoint goes.
 */
import { randomBytes } from 'node:crypto'
import { entryText, leafOf, saltBytes, sha256 } from '../src/audit/commitment.ts'
import { type LogSigner, logSigner } from '../src/audit/log-signer.ts'
import type { ChainHead, StoredEntry } from '../src/audit/log-state.ts'
import { outsideStore } from '../src/audit/outside-store.ts'
import { leafHash } from '../src/audit/tlog/hash.ts'
import { TileEdge } from '../src/audit/tlog/tile.ts'
import { limits } from '../src/limits.ts'
import type { ClusterDatabase } from '../src/local/cluster.ts'
import { hranaWriter } from '../src/store/hrana.ts'
import { madeUpEntries } from './made-up-accesses.ts'

/** Entries sent at once: about 3 MB, of the 5 MB that sqld takes. */
const batchEntries = 2_000

/** Milliseconds since 1970. */
export interface Period {
  readonly from: number
  readonly to: number
}

const lastMonths: Period = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 301) }

/** When the access at `index` was, of so many: ISO 8601, UTC. */
export const timeOf = (index: number, total: number, { from, to }: Period = lastMonths): string =>
  new Date(from + Math.floor((index / total) * (to - from))).toISOString()

export interface Filling {
  readonly period?: Period
  /** That of the record's own logs, where one of them is to be filled. */
  readonly seed?: Uint8Array
  readonly prefix?: string
}

/** @param onBatch called with the entries that are in the database by then */
export async function fillLog(
  audit: ClusterDatabase,
  log: string,
  entries: number,
  onBatch: (done: number) => void = () => {},
  { period = lastMonths, seed = randomBytes(32), prefix = 'bench.invalid' }: Filling = {},
): Promise<void> {
  const store = outsideStore(hranaWriter({ url: audit.url, token: audit.writeToken }), limits.drainDeadlineMs)
  const signer = logSigner(seed, log, `${prefix}/audit/logs/${log}`)
  await store.register(signer.identity, null)
  const maker = new EntryMaker(log, entries, period)
  let edge = TileEdge.empty()
  for (let from = 0; from < entries; ) {
    const blockEnd = Math.min(from + limits.maxPublishEntries, entries)
    const hashes: Uint8Array[] = []
    while (from < blockEnd) {
      const batch = maker.make(from, Math.min(from + batchEntries, blockEnd))
      await store.append(log, batch)
      for (const { leaf } of batch) hashes.push(leafHash(sha256, leaf))
      from += batch.length
      onBatch(from)
    }
    const grown = edge.append(sha256, hashes)
    await store.putTiles(log, grown.tiles)
    edge = grown.edge
  }
  await store.putCheckpoint(log, checkpointOf(signer, edge, entries, period.to))
}

function checkpointOf(signer: LogSigner, edge: TileEdge, size: number, time: number) {
  return { size, time, note: signer.signCheckpoint(size, edge.root(sha256), time) }
}

/** Entries one after the other, with their places in the chains. */
class EntryMaker {
  readonly #drafts = madeUpEntries()
  readonly #heads = new Map<string, ChainHead>()
  readonly #log: string
  readonly #total: number
  readonly #period: Period

  constructor(log: string, total: number, period: Period) {
    this.#log = log
    this.#total = total
    this.#period = period
  }

  make(from: number, end: number): StoredEntry[] {
    return Array.from({ length: end - from }, (_, i) => this.#make(from + i))
  }

  #make(index: number): StoredEntry {
    const { value: draft } = this.#drafts.next()
    const entry = entryText(draft.access, {
      log: this.#log,
      index,
      time: timeOf(index, this.#total, this.#period),
      organisation: this.#follow('o', draft.organisation, index),
      patient: this.#follow('p', draft.patient, index),
    })
    const salt = randomBytes(saltBytes)
    return { index, entry, salt, leaf: leafOf(salt, entry) }
  }

  /** The chain's newest entry so far, and this one after it; null: in no chain. */
  #follow(kind: 'o' | 'p', key: string | null, index: number): ChainHead | undefined | null {
    if (key === null) return null
    const head = this.#heads.get(kind + key)
    this.#heads.set(kind + key, { previous: index, count: (head?.count ?? 0) + 1 })
    return head
  }
}
