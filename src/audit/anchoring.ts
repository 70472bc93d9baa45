/** Gives the newest checkpoint to *records* from time to time, whose replicas remember it for the log. */
import { limits } from '../limits.ts'
import type { AnchorStore } from './anchor-store.ts'
import { withDeadline } from './deadline.ts'
import type { SignedCheckpoint } from './outside-store.ts'
import { Pause } from './pause.ts'

export interface AnchoringOptions {
  readonly log: string
  readonly anchors: AnchorStore
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

export class Anchoring {
  readonly #options: AnchoringOptions
  readonly #pause: Pause
  /** Not remembered there yet. */
  #newest: SignedCheckpoint | null = null
  #running: Promise<void> | null = null

  constructor(options: AnchoringOptions) {
    this.#options = options
    this.#pause = new Pause(options.now)
  }

  get isSettled(): boolean {
    return this.#newest === null && this.#running === null
  }

  offer(checkpoint: SignedCheckpoint): Promise<void> {
    this.#newest = checkpoint
    return this.run()
  }

  /** To be called from time to time: the last checkpoint before a quiet time is remembered too. */
  run(): Promise<void> {
    if (!this.#newest || this.#pause.leftMs > 0) return Promise.resolve()
    this.#running ??= this.#put(this.#newest).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #put(checkpoint: SignedCheckpoint): Promise<void> {
    const { log, anchors, onFault } = this.#options
    this.#pause.begin(limits.anchorEveryMs)
    this.#newest = null
    try {
      await withDeadline(anchors.put(log, checkpoint), limits.writeDeadlineMs, 'records')
    } catch (error) {
      this.#newest ??= checkpoint
      onFault(error)
    }
  }
}
