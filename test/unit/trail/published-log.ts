/** A synthetic log as it stands in the audit database once it is published: entries, tiles, a checkpoint. */
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../../../src/audit/commitment.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { TileEdge } from '../../../src/audit/tlog/tile.ts'
import { ledgerOf } from '../audit/support.ts'
import type { SampleLog } from '../audit/verify/sample-log.ts'

/** From nothing, or from the sizes published before. */
export class PublishedLog {
  readonly sample: SampleLog
  readonly #database: DatabaseSync
  #edge = TileEdge.empty()

  constructor(database: DatabaseSync, sample: SampleLog) {
    this.sample = sample
    this.#database = database
    const [key, mlDsa44] = sample.keys
    database
      .prepare('insert into log (log, origin, vkey, mldsa44_vkey) values (?, ?, ?, ?)')
      .run(sample.name, sample.origin, key.vkey, mlDsa44.vkey)
  }

  /** Everything the sample has, by one checkpoint. */
  async publish(): Promise<void> {
    const { name, size, entries } = this.sample
    const from = Number(this.#edge.size)
    const added = entries.slice(from)
    await ledgerOf(this.#database).append(
      name,
      added.map(({ text, salt, leaf }, i) => ({ index: from + i, entry: text, salt, leaf })),
    )
    const grown = this.#edge.append(
      sha256,
      added.map(({ leaf }) => leafHash(sha256, leaf)),
    )
    this.#edge = grown.edge
    const insert = this.#database.prepare('insert into tile (log, level, idx, hashes) values (?, ?, ?, ?)')
    for (const { tile, bytes } of grown.tiles) insert.run(name, tile.level, tile.index, bytes)
    this.#database
      .prepare('insert into checkpoint (log, size, time, note) values (?, ?, ?, ?)')
      .run(name, size, size * 3_600_000, this.sample.checkpoint(size))
  }
}
