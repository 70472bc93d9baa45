/**
 * Brings the newest checkpoint into *records* from time to time, and looks first at what they remember: they may not have
 * answered when the log was anchored, and what they hold is not to be overgrown by another history.
 */
import { limits } from '../limits.ts'
import { judge, type OwnView } from './anchor.ts'
import type { AnchorStore } from './anchor-store.ts'
import { msUntil, withDeadline } from './deadline.ts'
import type { SignedCheckpoint } from './outside-store.ts'

export interface RememberingOptions {
  readonly log: string
  readonly anchors: AnchorStore
  /** As the log is now. */
  readonly own: () => OwnView
  readonly now: () => number
  readonly onAhead: (reason: string) => Promise<void>
  readonly onFault: (error: unknown) => void
}

export class Remembering {
  readonly #options: RememberingOptions
  /** Not there yet. */
  #newest: SignedCheckpoint | null = null
  #running: Promise<void> | null = null
  #nextAt = 0

  constructor(options: RememberingOptions) {
    this.#options = options
  }

  /** Of checkpoints offered within `limits.anchorEveryMs` the first goes there, and the last when that time is over. */
  offer(checkpoint: SignedCheckpoint): Promise<void> {
    this.#newest = checkpoint
    return this.run()
  }

  /** Nothing waits to be remembered. */
  get isSettled(): boolean {
    return this.#newest === null && this.#running === null
  }

  /** To be called from time to time: a log that no longer grows is remembered as it is. Never rejects. */
  run(): Promise<void> {
    if (!this.#newest) return Promise.resolve()
    if (msUntil(this.#nextAt, this.#options.now(), limits.anchorEveryMs) > 0) return Promise.resolve()
    this.#running ??= this.#bring(this.#newest).finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #bring(checkpoint: SignedCheckpoint): Promise<void> {
    const { log, anchors, own, now, onAhead, onFault } = this.#options
    this.#nextAt = now() + limits.anchorEveryMs
    this.#newest = null
    try {
      const view = await withDeadline(anchors.view(log), limits.anchorDeadlineMs, 'records')
      const judgement = view && judge(own(), view, 'records')
      if (judgement?.is === 'ahead') return await onAhead(judgement.reason)
      await withDeadline(anchors.put(log, checkpoint), limits.writeDeadlineMs, 'records')
    } catch (error) {
      this.#newest ??= checkpoint
      onFault(error)
    }
  }
}
