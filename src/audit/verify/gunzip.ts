/** Files that may be gzip, told by their first bytes: read as a stream, in constant memory, in browsers too. */

const magic = [0x1f, 0x8b] as const

/** The bytes as they are, or decompressed. Rejects on a gzip file that is damaged, cut short or has bytes after its end. */
export async function* gunzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]()
  try {
    const head = await readHead(iterator)
    const rest = prepend(head, iterator)
    if (head.length < magic.length || magic.some((byte, i) => head[i] !== byte)) {
      yield* rest
      return
    }
    const source = new ReadableStream<BufferSource>({
      pull: async (controller) => {
        const { value, done } = await rest.next()
        if (done) controller.close()
        else controller.enqueue(value as Uint8Array<ArrayBuffer>)
      },
    })
    const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader()
    try {
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return
        yield value
      }
    } finally {
      await reader.cancel().catch(() => {})
    }
  } finally {
    await iterator.return?.()
  }
}

/** As many bytes as tell what it is, or all there are. */
async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array()
  while (head.length < magic.length) {
    const { value, done } = await iterator.next()
    if (done) return head
    head = head.length === 0 ? value : new Uint8Array([...head, ...value])
  }
  return head
}

async function* prepend(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  if (head.length > 0) yield head
  for (;;) {
    const { value, done } = await iterator.next()
    if (done) return
    yield value
  }
}
