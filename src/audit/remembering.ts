/**
 * Brings the newest checkpoint into *records* from time to time, and looks first at what they remember: they may not have
 * answered when the log was anchored, and what they hold is not to be overgrown by another history.
 */
import { limits } from '../limits.ts'
import { judge, type OwnView } from './anchor.ts'
import type { AnchorStore } from './anchor-store.ts'
import { msUntil } from './deadline.ts'
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
  #nextAt = 0

  constructor(options: RememberingOptions) {
    this.#options = options
  }

  /** Of checkpoints offered within `limits.anchorEveryMs` the first goes there. Never rejects. */
  async offer(checkpoint: SignedCheckpoint): Promise<void> {
    const { log, anchors, own, now, onAhead, onFault } = this.#options
    if (msUntil(this.#nextAt, now(), limits.anchorEveryMs) > 0) return
    this.#nextAt = now() + limits.anchorEveryMs
    try {
      const view = await anchors.view(log)
      const judgement = view && judge(own(), view, 'records')
      if (judgement?.is === 'ahead') return await onAhead(judgement.reason)
      await anchors.put(log, checkpoint)
    } catch (error) {
      onFault(error)
    }
  }
}
