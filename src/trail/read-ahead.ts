/** Overlapping two waits: the next page is read while whoever takes this one is busy with it. */

/** One page is held beyond the one taken. An error is told when its page is due. */
export async function* readAhead<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  const source = pages[Symbol.asyncIterator]()
  try {
    for (let next = source.next(); ; ) {
      const { done, value } = await next
      if (done) return
      next = source.next()
      next.catch(() => {})
      yield value
    }
  } finally {
    await source.return?.()
  }
}
