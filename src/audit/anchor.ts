/**
 * Before a log signs anything after a start, somebody else must say how far it had come: storage that was rolled back, by a
 * backup or by a fault, looks whole from inside, and what it signs next would contradict what it signed before.
 */
import { limits } from '../limits.ts'
import { msUntil, withDeadline } from './deadline.ts'
import { isLasting, LastingFault } from './lasting-fault.ts'
import type { OutsideView, SignedCheckpoint } from './outside-store.ts'
import { sameBytes } from './tlog/hash.ts'

/** What a log found in its own storage when it started. */
export interface OwnView {
  /** Entries. */
  readonly size: number
  /** Entries that its storage says the audit database has acknowledged. */
  readonly drained: number
  /** Of the newest checkpoint it signed; 0: none. */
  readonly signed: number
  /** Those it still holds. */
  readonly checkpoints: readonly SignedCheckpoint[]
  /** The leaf at this index, null where its storage has forgotten it. */
  leafAt(index: number): Uint8Array | null
}

export type Judgement =
  /** Not ahead of the log, and nothing contradicts. */
  | { readonly is: 'behind' }
  /** Somebody remembers what this log does not, or otherwise: it must not go on. */
  | { readonly is: 'ahead'; readonly reason: string }
  /** The log remembers more than it was told to forget: they have lost what they acknowledged. */
  | { readonly is: 'lost'; readonly reason: string }

export function judge(own: OwnView, { entries, checkpoint }: OutsideView, who: string): Judgement {
  const outside = entries?.size ?? 0
  if (outside > own.size)
    return ahead(`${who} holds ${outside} entries of this log, its own storage ${own.size}`)
  if (entries && outside > 0) {
    const leaf = own.leafAt(outside - 1)
    if (leaf && !sameBytes(leaf, entries.lastLeaf)) return ahead(`${who} holds another entry ${outside - 1}`)
  }
  if (checkpoint && checkpoint.size > own.signed)
    return ahead(
      `${who} holds a checkpoint of size ${checkpoint.size}, the log signed none past ${own.signed}`,
    )
  const same = own.checkpoints.find(({ size }) => size === checkpoint?.size)
  if (checkpoint?.note && same && same.note !== checkpoint.note)
    return ahead(`${who} holds another checkpoint of size ${same.size}`)
  if (entries !== null && outside < own.drained)
    return { is: 'lost', reason: `${who} has acknowledged ${own.drained} entries and holds ${outside}` }
  return { is: 'behind' }
}

const ahead = (reason: string): Judgement => ({ is: 'ahead', reason })

export interface AnchorSource {
  /** As a fault names it, e.g. `the audit database`. */
  readonly who: string
  /** Rejects when it cannot be asked; null: it has nothing to say of this log. */
  view(): Promise<OutsideView | null>
}

export interface AnchorOptions {
  readonly own: OwnView
  /**
   * The first must be heard: without it nothing can be published. The others are waited for, `limits.anchorPatienceMs`
   * from the first question on: who failed once may be the only one to know better.
   */
  readonly sources: readonly [AnchorSource, ...AnchorSource[]]
  readonly now: () => number
  readonly onAhead: (reason: string) => Promise<void>
  /** Once, when the log is anchored and before it is told so: rejects to be asked again. */
  readonly onAnchored: () => Promise<void>
  readonly onFault: (error: unknown) => void
}

export class Anchor {
  readonly #options: AnchorOptions
  #isAnchored = false
  #running: Promise<boolean> | null = null
  #retryAt = 0
  /** Until then all are waited for; null: nobody was asked yet. */
  #patientUntil: number | null = null
  #fault: string | null = null

  constructor(options: AnchorOptions) {
    this.#options = options
  }

  get isAnchored(): boolean {
    return this.#isAnchored
  }

  /** Why the log cannot be anchored before somebody has looked; null: it can, or is. */
  get fault(): string | null {
    return this.#fault
  }

  /** True once anchored. */
  async run(): Promise<boolean> {
    if (this.#isAnchored) return true
    if (msUntil(this.#retryAt, this.#options.now(), limits.anchorRetryMs) > 0) return false
    this.#running ??= this.#ask().finally(() => {
      this.#running = null
    })
    return await this.#running
  }

  async #ask(): Promise<boolean> {
    const { sources, own, now, onAhead, onAnchored, onFault } = this.#options
    this.#patientUntil ??= now() + limits.anchorPatienceMs
    try {
      const views = await Promise.allSettled(
        sources.map(({ who, view }) => withDeadline(view(), limits.anchorDeadlineMs, who)),
      )
      for (const [i, view] of views.entries()) {
        if (view.status === 'rejected' || !view.value) continue
        const judgement = judge(own, view.value, sources[i]?.who ?? '')
        if (judgement.is === 'ahead') {
          await onAhead(judgement.reason)
          return false
        }
        if (judgement.is === 'lost') throw new LastingFault(judgement.reason)
      }
      const isPatient = msUntil(this.#patientUntil, now(), limits.anchorPatienceMs) > 0
      const silent = views.find(({ status }, i) => status === 'rejected' && (i === 0 || isPatient))
      if (silent?.status === 'rejected') throw silent.reason
      await withDeadline(onAnchored(), limits.anchorDeadlineMs, 'the audit database')
      this.#isAnchored = true
      this.#fault = null
      return true
    } catch (error) {
      this.#retryAt = now() + limits.anchorRetryMs
      if (isLasting(error)) this.#fault = error.message
      onFault(error)
      return false
    }
  }
}
