/** The bytes of a streamed export, each chunk behind the entries of the patients first met in it. */
import type { AccessBase } from '../audit/entry.ts'
import type { DisclosureStream } from './operation.ts'
import type { Known, Recorder } from './recorder.ts'
import type { FreeSlot } from './stream-slots.ts'

/**
 * A log that refuses ends the stream with an error.
 *
 * @param base of the export's own entry
 * @param log where the export is appended; null: the caller's
 * @param free when it is over, however it ends
 */
export function receiptedStream(
  recorder: Recorder,
  known: Known,
  base: AccessBase,
  log: string | null,
  { exportId, chunks }: DisclosureStream,
  free: FreeSlot,
): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]()
  let sequence = 0
  let isCancelled = false
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    let next = await source.next()
    // What brings nothing shows that there is more to come: unless nobody waits for it.
    while (!next.done && next.value.bytes.length === 0 && !isCancelled) next = await source.next()
    if (isCancelled) return
    if (next.done) {
      free()
      return controller.close()
    }
    const { patients, bytes } = next.value
    if (patients.length > 0) {
      const subjects = patients.map((patient) => ({ patient, resources: [] }))
      const chunk = { ...base, phase: 'chunk' as const, note: { ...base.note, export: exportId } }
      const appended = await recorder.append(chunk, known, subjects, { sequence: ++sequence, log })
      if (!appended.ok) throw new Error('the audit log refused a chunk of this export')
    }
    controller.enqueue(bytes)
  }
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        await pull(controller)
      } catch (error) {
        free()
        throw error
      }
    },
    cancel: async () => {
      isCancelled = true
      free()
      await source.return?.()
    },
  })
}
