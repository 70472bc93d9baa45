/**
 * Somebody who looks at the checkpoints of a log all the while and forgets none: what he has seen must be one history. From
 * the formats, not from the code under test.
 */
import { createPublicKey, verify } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { hranaReader } from '../../src/store/hrana.ts'
import { type LedgerEntry, treeHash } from './ledger.ts'

export interface WatchedCluster {
  readonly url: string
  readonly databases: { readonly audit: { readonly url: string; readonly readToken: string } }
}

export class CheckpointWatch {
  readonly #cluster: WatchedCluster
  readonly #log: string
  /** Texts with their first signature line, as they were seen; later lines come and go with witnesses. */
  readonly #seen = new Set<string>()
  #isOver = false
  readonly #watching: Promise<void>

  constructor(cluster: WatchedCluster, log: string) {
    this.#cluster = cluster
    this.#log = log
    this.#watching = this.#watch()
  }

  /** Different checkpoints seen. */
  get count(): number {
    return this.#seen.size
  }

  /** Ends watching, with one last look at all that are stored. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#watching
    const { url, readToken } = this.#cluster.databases.audit
    const [rows = []] = await hranaReader({ url, token: readToken }).read([
      { sql: 'select note from checkpoint where log = ?', args: [this.#log] },
    ])
    for (const { note } of rows) this.#keep(String(note))
  }

  /** What contradicts the log as it is now: bad signatures, other roots, two checkpoints of one size. */
  async contradictions(entries: readonly LedgerEntry[]): Promise<string[]> {
    const { logs } = (await (await fetch(`${this.#cluster.url}/audit/logs`)).json()) as {
      logs: { log: string; origin: string; vkey: string }[]
    }
    const known = logs.find(({ log }) => log === this.#log)
    if (!known) return [`${this.#log} is not listed`]
    // `<name>+<key id>+<base64 of type and key>`; base64 may hold a plus.
    const raw = Buffer.from(known.vkey.split('+').slice(2).join('+'), 'base64').subarray(1)
    const key = createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
      format: 'der',
      type: 'spki',
    })
    const sizes = new Map<number, string>()
    const wrong: string[] = []
    for (const note of this.#seen) {
      const [text = '', line = ''] = note.split('\n\n')
      const [origin, size, root] = text.split('\n') as [string, string, string]
      const n = Number(size)
      const signature = Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4)
      if (!verify(null, Buffer.from(`${text}\n`), key, signature))
        wrong.push(`the checkpoint of ${n} is not signed`)
      if (origin !== known.origin) wrong.push(`the checkpoint of ${n} is of ${origin}`)
      if (n > entries.length)
        wrong.push(`there is a checkpoint of ${n}, and there are ${entries.length} entries`)
      else if (treeHash(entries.slice(0, n).map(({ leafHash }) => leafHash)).toString('base64') !== root)
        wrong.push(`the checkpoint of ${n} is of another tree`)
      if (sizes.has(n)) wrong.push(`there are two checkpoints of ${n}`)
      sizes.set(n, root)
    }
    return wrong
  }

  /** Size of the newest one that anyone can have; 0: none, or nobody answers. */
  async newest(): Promise<number> {
    try {
      const response = await fetch(`${this.#cluster.url}/audit/logs/${this.#log}/checkpoint`)
      const note = await response.text()
      if (response.status !== 200) return 0
      this.#keep(note)
      return Number(note.split('\n')[1])
    } catch {
      // The Worker is down: that is what the test is about.
      return 0
    }
  }

  /** Resolves when a checkpoint covers so many entries; the test's own bound ends the wait. */
  async covers(size: number): Promise<void> {
    while ((await this.newest()) < size) await sleep(50)
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await this.newest()
      await sleep(50)
    }
  }

  #keep(note: string): void {
    const [text = '', lines = ''] = note.split('\n\n')
    this.#seen.add(`${text}\n\n${lines.split('\n')[0]}`)
  }
}
