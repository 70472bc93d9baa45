/** A wait that a clock which jumps can only shorten: set back, it would last until the old time comes again. */
export class Pause {
  readonly #now: () => number
  #begunAt = 0
  #ms = 0

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  begin(ms: number): void {
    this.#begunAt = this.#now()
    this.#ms = ms
  }

  end(): void {
    this.#ms = 0
  }

  /** Milliseconds to go, 0: it is over. */
  get leftMs(): number {
    const passed = this.#now() - this.#begunAt
    return passed < 0 ? 0 : Math.max(this.#ms - passed, 0)
  }
}
