/** Appends that wait for their answer, bounded in number and in bytes. */
import type { AppendAnswer } from './commit.ts'
import type { AppendRequest } from './port.ts'

export interface Pending {
  readonly request: AppendRequest
  readonly bytes: number
  readonly resolve: (answer: AppendAnswer) => void
}

export interface AppendQueueOptions {
  /** Entries that wait for a commit. */
  readonly maxEntries: number
  /** Bytes of all that has no answer yet: what waits, and what the running commit holds. */
  readonly maxBytes: number
}

/** Lost in a crash, whereupon the callers hear `log-unavailable` and may repeat their appends. */
export class AppendQueue {
  readonly #options: AppendQueueOptions
  #waiting: Pending[] = []
  #entries = 0
  #bytes = 0

  constructor(options: AppendQueueOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** @param bytes of the entries, in UTF-8. */
  hasRoomFor({ entries }: AppendRequest, bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#options
    return this.#entries + entries.length <= maxEntries && this.#bytes + bytes <= maxBytes
  }

  /** Resolves once `answer` has been called for it. */
  add(request: AppendRequest, bytes: number): Promise<AppendAnswer> {
    this.#entries += request.entries.length
    this.#bytes += bytes
    return new Promise((resolve) => {
      this.#waiting.push({ request, bytes, resolve })
    })
  }

  /** The oldest, for a commit. Their bytes count until they are answered. */
  take(atMost: number): Pending[] {
    const taken = this.#waiting.slice(0, atMost)
    this.#waiting = this.#waiting.slice(atMost)
    for (const { request } of taken) this.#entries -= request.entries.length
    return taken
  }

  answer({ bytes, resolve }: Pending, answer: AppendAnswer): void {
    this.#bytes -= bytes
    resolve(answer)
  }
}
