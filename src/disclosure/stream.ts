/** The bytes of a streamed export, each chunk behind the entries of the patients first met in it. */
import type { AccessBase } from '../audit/entry.ts'
import type { DisclosureStream } from './operation.ts'
import type { Known, Recorder } from './recorder.ts'

/**
 * A log that refuses ends the stream with an error.
 *
 * @param base of the export's own entry
 * @param log where the export is appended; null: the caller's
 */
export function receiptedStream(
  recorder: Recorder,
  known: Known,
  base: AccessBase,
  log: string | null,
  { exportId, chunks }: DisclosureStream,
): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]()
  let sequence = 0
  let isCancelled = false
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      let next = await source.next()
      // What brings nothing shows that there is more to come: unless nobody waits for it.
      while (!next.done && next.value.bytes.length === 0 && !isCancelled) next = await source.next()
      if (isCancelled) return
      if (next.done) return controller.close()
      const { patients, bytes } = next.value
      if (patients.length > 0) {
        const subjects = patients.map((patient) => ({ patient, resources: [] }))
        const chunk = { ...base, phase: 'chunk' as const, note: { ...base.note, export: exportId } }
        const appended = await recorder.append(chunk, known, subjects, { sequence: ++sequence, log })
        if (!appended.ok) throw new Error('the audit log refused a chunk of this export')
      }
      controller.enqueue(bytes)
    },
    cancel: async () => {
      isCancelled = true
      await source.return?.()
    },
  })
}
