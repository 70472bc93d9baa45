/**
 * Brings the newest checkpoint to each witness (C2SP tlog-witness) and their cosignatures to the audit database. Nothing is
 * remembered across a start: a witness says itself which size it knows.
 */
import { limits } from '../limits.ts'
import { sha256 } from './commitment.ts'
import { msUntil, withDeadline } from './deadline.ts'
import type { OutsideStore, OutsideView, SignedCheckpoint } from './outside-store.ts'
import { parseSignedCheckpoint } from './tlog/checkpoint.ts'
import { edgeRoot } from './tlog/fold.ts'
import { formatSignatureLine } from './tlog/note.ts'
import { completeSubtrees, proveConsistency, verifyConsistency } from './tlog/proof.ts'
import { tileHashReader } from './tlog/tile.ts'
import type { Witness, WitnessAnswer, WitnessClient } from './witness-client.ts'

export interface WitnessingOptions {
  readonly log: string
  readonly witness: Witness
  readonly client: WitnessClient
  readonly outside: OutsideStore
  readonly now: () => number
  /** Size of the newest checkpoint that this log signed. */
  readonly signed: () => number
  /** The witness knows a larger tree, or another one: this log contradicts what it signed before. */
  readonly onAhead: (reason: string) => Promise<void>
  readonly onFault: (error: unknown) => void
}

/** One log and one witness. */
export class Witnessing {
  readonly #options: WitnessingOptions
  /** Size the witness is known to have cosigned. */
  #known = 0
  /** Not cosigned yet. */
  #newest: SignedCheckpoint | null = null
  #running: Promise<void> | null = null
  #retryAt = 0
  #failures = 0
  #fault: string | null = null

  constructor(options: WitnessingOptions) {
    this.#options = options
  }

  get who(): string {
    return `witness ${this.#options.witness.name}`
  }

  /** Why the witness did not cosign the last time; null: it did, or was not asked yet. */
  get fault(): string | null {
    return this.#fault
  }

  /** Of checkpoints offered while one is on its way only the newest counts. */
  offer(checkpoint: SignedCheckpoint): Promise<void> {
    this.#newest = checkpoint
    return this.run()
  }

  /** Nothing waits for this witness. */
  get isSettled(): boolean {
    return this.#newest === null && this.#running === null
  }

  /** To be called from time to time: a witness that was away is asked again, though the log does not grow. */
  run(): Promise<void> {
    if (!this.#newest) return Promise.resolve()
    if (msUntil(this.#retryAt, this.#options.now(), limits.maxWitnessBackoffMs) > 0) return Promise.resolve()
    this.#running ??= this.#bringAll()
    return this.#running
  }

  /** What the witness remembers, found out with a checkpoint that is signed already. Rejects when it does not answer. */
  async view(newest: SignedCheckpoint): Promise<OutsideView> {
    const answer = await this.#submit(newest, 0, [])
    const of = (size: number): OutsideView => ({ entries: null, checkpoint: { size, note: null } })
    if (answer.kind === 'conflict') {
      this.#known = Number(answer.size)
      return of(this.#known)
    }
    if (answer.kind === 'cosigned') return of(newest.size)
    throw new Error(`${this.who}: ${toldOf(answer)}`)
  }

  async #bringAll(): Promise<void> {
    let checkpoint = this.#newest
    try {
      for (; checkpoint; checkpoint = this.#newest) {
        this.#newest = null
        await this.#bring(checkpoint)
      }
      this.#failures = 0
      this.#fault = null
    } catch (error) {
      this.#newest ??= checkpoint
      const backoffMs = Math.min(limits.minWitnessBackoffMs * 2 ** this.#failures, limits.maxWitnessBackoffMs)
      this.#failures += 1
      this.#retryAt = this.#options.now() + backoffMs
      this.#fault = error instanceof Error ? error.message : String(error)
      this.#options.onFault(error)
    } finally {
      this.#running = null
    }
  }

  async #bring(checkpoint: SignedCheckpoint): Promise<void> {
    const { log, witness, outside, signed, onAhead } = this.#options
    const { who } = this
    for (let attempt = 1; attempt <= limits.maxWitnessAttempts; attempt++) {
      const from = this.#known
      const answer = await this.#submit(checkpoint, from, await this.#proof(from, checkpoint))
      if (answer.kind === 'cosigned') {
        const lines = answer.lines.map(formatSignatureLine).join('')
        const stored = outside.putCosignature(log, checkpoint.size, witness.name, lines)
        await withDeadline(stored, limits.drainDeadlineMs, 'the audit database')
        this.#known = checkpoint.size
        return
      }
      // Unprocessable: a proof that leads to our tree does not begin at the one it knows. From nothing none is sent.
      if (answer.kind === 'rejected' && answer.status === 422 && from > 0)
        return await onAhead(`${who} holds another tree of size ${from}`)
      if (answer.kind !== 'conflict') throw new Error(`${who}: ${toldOf(answer)}`)
      const size = Number(answer.size)
      if (size > signed()) return await onAhead(`${who} holds a checkpoint of size ${size}`)
      if (size > checkpoint.size) return
      this.#known = size
    }
    throw new Error(`${who}: does not settle on a size`)
  }

  /** Rejects unless the tiles of the audit database, which others can change, lead to what this log signed. */
  async #proof(from: number, { size: to, note }: SignedCheckpoint): Promise<readonly Uint8Array[]> {
    if (from === 0 || from === to) return []
    const { log, outside } = this.#options
    const read = tileHashReader(sha256, BigInt(to), (tiles) =>
      withDeadline(outside.readTiles(log, tiles), limits.drainDeadlineMs, 'the audit database'),
    )
    const [path, edge] = await Promise.all([
      proveConsistency(sha256, read, BigInt(from), BigInt(to)),
      read(completeSubtrees(0n, BigInt(from))),
    ])
    const toRoot = parseSignedCheckpoint(note).checkpoint.root
    const claim = { from: BigInt(from), to: BigInt(to), path, fromRoot: edgeRoot(sha256, edge), toRoot }
    if (!verifyConsistency(sha256, claim))
      throw new Error(`${this.who}: the tiles in the audit database are not those of the checkpoint of ${to}`)
    return path
  }

  #submit({ note }: SignedCheckpoint, known: number, proof: readonly Uint8Array[]): Promise<WitnessAnswer> {
    const { client, witness } = this.#options
    const request = { oldSize: BigInt(known), proof, checkpoint: note }
    return withDeadline(client.submit(witness, request), limits.witnessDeadlineMs, `witness ${witness.name}`)
  }
}

function toldOf(answer: Exclude<WitnessAnswer, { kind: 'cosigned' }>): string {
  switch (answer.kind) {
    case 'conflict':
      return `knows size ${answer.size}`
    case 'unknown-log':
      return 'does not know this log'
    case 'rejected':
      return `refused (${answer.status}): ${answer.detail}`
    case 'unreachable':
      return `cannot be reached: ${answer.detail}`
  }
}
