/** Several streams of entries, each in the order of its log, as one. */

/**
 * No entry may be in two of the streams. One page of each is held at a time.
 *
 * @param streams pages of entries, indices ascending
 */
export async function* mergedPages<T extends { readonly index: number }>(
  streams: readonly AsyncIterable<readonly T[]>[],
): AsyncGenerator<readonly T[]> {
  const heads = streams.map((stream) => new StreamHead(stream))
  try {
    for (;;) {
      await Promise.all(heads.map((head) => head.fill()))
      // As far as every stream is known, nothing can come between.
      const end = Math.min(...heads.map((head) => head.end))
      if (end === Number.POSITIVE_INFINITY) return
      yield heads.flatMap((head) => head.take(end)).sort((a, b) => a.index - b.index)
    }
  } finally {
    await Promise.all(heads.map((head) => head.close()))
  }
}

/** The next page of one stream. */
class StreamHead<T extends { readonly index: number }> {
  readonly #pages: AsyncIterator<readonly T[]>
  #page: readonly T[] = []
  #isOver = false

  constructor(stream: AsyncIterable<readonly T[]>) {
    this.#pages = stream[Symbol.asyncIterator]()
  }

  /** Index of the last entry at hand; infinite where the stream is over. */
  get end(): number {
    return this.#page.at(-1)?.index ?? Number.POSITIVE_INFINITY
  }

  async fill(): Promise<void> {
    while (this.#page.length === 0 && !this.#isOver) {
      const next = await this.#pages.next()
      if (next.done) this.#isOver = true
      else this.#page = next.value
    }
  }

  /** Up to the entry at this index, inclusive. */
  take(end: number): readonly T[] {
    const taken = this.#page.filter(({ index }) => index <= end)
    this.#page = this.#page.slice(taken.length)
    return taken
  }

  async close(): Promise<void> {
    await this.#pages.return?.()
  }
}
