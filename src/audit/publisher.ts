/**
 * Makes the log public at a fixed cadence, in this order, each step durable before the next: entries in the audit database
 * (`drain.ts`) → tiles there → checkpoint signed and stored here, in one commit → checkpoint there, where anyone sees it →
 * witnesses. Whatever step fails is done again with the same bytes: a checkpoint depends on stored entries alone.
 */
import { limits } from '../limits.ts'
import { sha256 } from './commitment.ts'
import { msUntil, withDeadline } from './deadline.ts'
import { isLasting, LastingFault } from './lasting-fault.ts'
import type { LogSigner } from './log-signer.ts'
import { forgetCovered, loadState, saveState } from './log-state.ts'
import type { LogSql, LogStore } from './log-store.ts'
import type { OutsideStore, SignedCheckpoint } from './outside-store.ts'
import {
  forgetCheckpoints,
  loadPublication,
  savePublication,
  storeCheckpoint,
  storedCheckpoints,
  storedLeaves,
} from './publication-state.ts'
import { leafHash, sameBytes } from './tlog/hash.ts'
import type { TileEdge } from './tlog/tile.ts'
import { frontierRoot } from './tlog/tree.ts'
import { Waiters } from './waiters.ts'

export interface PublisherOptions {
  readonly log: string
  readonly store: LogStore
  readonly outside: OutsideStore
  readonly signer: LogSigner
  /** Entries below it are in the audit database. */
  readonly drained: () => number
  /** False: nothing may be signed (not anchored yet, halted). Asked again right before each signature. */
  readonly mayPublish: () => boolean
  readonly now: () => number
  readonly everyMs: number
  /** Each newest checkpoint, once the audit database has it. */
  readonly onPublished: (checkpoint: SignedCheckpoint) => void
  /** What is stored contradicts itself: the log must not go on. */
  readonly onContradiction: (reason: string) => Promise<void>
  readonly onFault: (error: unknown) => void
}

export class Publisher {
  readonly #options: PublisherOptions
  readonly #waiters = new Waiters()
  /** Size of the newest checkpoint as of the last durable commit. */
  #signed: number
  /** The audit database has the checkpoint of this size and all before; 0: not known yet. */
  #served = 0
  #running: Promise<void> | null = null
  #isAsked = false
  #nextAt = 0
  #failures = 0
  #fault: string | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#signed = options.store.read((sql) => Number(loadPublication(sql).edge.size))
  }

  /** Entries that the newest stored checkpoint covers. */
  get signed(): number {
    return this.#signed
  }

  /** Entries that the newest checkpoint in the audit database covers, as far as this instance knows. */
  get served(): number {
    return this.#served
  }

  /** Why publishing can never go on by itself; null: it goes on, or will when the audit database answers. */
  get fault(): string | null {
    return this.#fault
  }

  /** To be called whenever something was drained, and from time to time. Resolves when there is nothing to do now. */
  run(): Promise<void> {
    this.#isAsked = true
    this.#running ??= this.#publish()
    return this.#running
  }

  /** True when the audit database has a checkpoint that covers `size`, false when `ms` have passed without. */
  async waitFor(size: number, ms: number): Promise<boolean> {
    if (this.#served >= size) return true
    const waited = this.#waiters.wait(size, ms)
    // Somebody waits: no back-off applies, but the cadence does.
    if (this.#failures > 0) this.#nextAt = 0
    void this.run()
    return await waited
  }

  async #publish(): Promise<void> {
    // Asked while it ends: what was drained meanwhile would wait for the next call.
    while (this.#isAsked) {
      this.#isAsked = false
      await this.#publishAll()
    }
    this.#running = null
  }

  async #publishAll(): Promise<void> {
    const { drained, mayPublish, now } = this.#options
    // `served` 0 also stands for a start: what an earlier instance signed may not have been served.
    while (mayPublish() && (this.#served < drained() || this.#served < this.#signed)) {
      const waitMs = msUntil(this.#nextAt, now(), Math.max(this.#options.everyMs, limits.maxDrainBackoffMs))
      if (waitMs > 0) return this.#later(waitMs)
      try {
        await this.#step()
        this.#failures = 0
        this.#fault = null
        this.#nextAt = now() + this.#options.everyMs
      } catch (error) {
        const backoffMs = Math.min(limits.minDrainBackoffMs * 2 ** this.#failures, limits.maxDrainBackoffMs)
        this.#failures += 1
        if (isLasting(error)) this.#fault = error.message
        this.#nextAt = now() + backoffMs
        this.#options.onFault(error)
      }
    }
  }

  /** The timer of a deadline long past would keep an idle object in memory: there is at most one, and it ends. */
  #later(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.run(), ms)
  }

  async #step(): Promise<void> {
    const { log, outside, store } = this.#options
    const prepared = await this.#prepare()
    const { unserved, halted } = await store.commit((sql) => {
      if (prepared) this.#sign(sql, prepared)
      forgetCheckpoints(sql, this.#served)
      return { unserved: storedCheckpoints(sql), halted: loadPublication(sql).halted }
    })
    this.#signed = unserved.at(-1)?.size ?? this.#signed
    if (halted !== null) await this.#options.onContradiction(halted)
    for (const checkpoint of unserved) {
      if (checkpoint.size <= this.#served) continue
      if (!this.#options.mayPublish()) return
      await this.#call(outside.putCheckpoint(log, checkpoint))
      this.#served = checkpoint.size
      this.#waiters.reached(checkpoint.size)
    }
    const newest = unserved.at(-1)
    if (newest) this.#options.onPublished(newest)
  }

  /** The next edge of the tile tree, its tiles durable outside; null: there is nothing new. */
  async #prepare(): Promise<{ readonly from: number; readonly edge: TileEdge } | null> {
    const { log, outside, store, drained } = this.#options
    const edge = store.read((sql) => loadPublication(sql).edge)
    const from = Number(edge.size)
    const target = Math.min(drained(), from + limits.maxPublishEntries)
    if (target <= from) return null
    const leaves = store.read((sql) => storedLeaves(sql, from, target))
    // A log from before there were checkpoints no longer holds them all.
    const isOwn = leaves.length === target - from
    const grown = grow(edge, isOwn ? leaves : await this.#readLeaves(from, target))
    if (!isOwn && !(await this.#isOfFrontier(grown.edge))) {
      await this.#options.onContradiction(contradiction(grown.edge.size))
      return null
    }
    await this.#call(outside.putTiles(log, grown.tiles))
    return { from, edge: grown.edge }
  }

  async #readLeaves(from: number, end: number): Promise<readonly Uint8Array[]> {
    const { log, outside } = this.#options
    const leaves = await this.#call(outside.readLeaves(log, from, end))
    if (leaves.length !== end - from) throw new LastingFault(`leaves [${from}, ${end}) are not to be had`)
    return leaves
  }

  /** Whether an edge made of what the audit database holds leads to the root that the entries gave, with all after it. */
  async #isOfFrontier(made: TileEdge): Promise<boolean> {
    const { log, store, drained } = this.#options
    let edge = made
    for (let from = Number(edge.size); from < drained(); from = Number(edge.size))
      edge = grow(
        edge,
        await this.#readLeaves(from, Math.min(drained(), from + limits.maxPublishEntries)),
      ).edge
    return store.read((sql) => {
      const { frontier } = loadState(sql, log)
      const rest = storedLeaves(sql, Number(edge.size), Number(frontier.size))
      const whole = grow(edge, rest).edge
      return whole.size === frontier.size && sameBytes(whole.root(sha256), frontierRoot(sha256, frontier))
    })
  }

  /** Inside a commit: signs the edge, unless what is stored says otherwise by now. */
  #sign(sql: LogSql, { from, edge }: { readonly from: number; readonly edge: TileEdge }): void {
    const { log, signer, now, mayPublish } = this.#options
    const before = loadPublication(sql)
    if (before.halted !== null || !mayPublish() || Number(before.edge.size) !== from) return
    const state = loadState(sql, log)
    const { frontier } = state
    const root = edge.root(sha256)
    const isWhole = edge.size === frontier.size
    if (edge.size > frontier.size || (isWhole && !sameBytes(root, frontierRoot(sha256, frontier)))) {
      savePublication(sql, { halted: contradiction(edge.size) })
      return
    }
    if (before.vkey !== null && before.vkey !== signer.identity.vkey)
      throw new LastingFault(
        `the keys of this log have changed: \`dossier audit succeed ${log}\` starts its successor`,
      )
    const time = Math.max(now(), storedCheckpoints(sql).at(-1)?.time ?? 0)
    const size = Number(edge.size)
    storeCheckpoint(sql, { size, time, note: signer.signCheckpoint(size, root, time) })
    savePublication(sql, { edge, vkey: signer.identity.vkey })
    // What is forgotten here must not be asked for again by the drain of the next instance.
    saveState(sql, { ...state, drained: Math.max(state.drained, size) })
    forgetCovered(sql, size)
  }

  #call<T>(work: Promise<T>): Promise<T> {
    return withDeadline(work, limits.drainDeadlineMs, 'the audit database')
  }
}

const grow = (edge: TileEdge, leaves: readonly Uint8Array[]): ReturnType<TileEdge['append']> =>
  edge.append(
    sha256,
    leaves.map((leaf) => leafHash(sha256, leaf)),
  )

const contradiction = (size: bigint): string =>
  `the leaves below ${size} do not give the root that the entries gave`
