/** The bytes of a streamed export, each chunk behind the entries of the patients first met in it. */
import type { AccessBase } from '../audit/entry.ts'
import { limits } from '../limits.ts'
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
  let isOver = false
  let idle: ReturnType<typeof setTimeout> | undefined
  const end = (): void => {
    isOver = true
    clearTimeout(idle)
    free()
  }
  const append = async (patients: readonly string[]): Promise<void> => {
    if (patients.length === 0) return
    const subjects = patients.map((patient) => ({ patient, resources: [] }))
    const chunk = { ...base, phase: 'chunk' as const, note: { ...base.note, export: exportId } }
    const appended = await recorder.append(chunk, known, subjects, { sequence: ++sequence, log })
    if (!appended.ok) throw new Error('the audit log refused a chunk of this export')
  }
  /** What brings no bytes shows that there is more to come: unless nobody waits for it. */
  const nextBytes = async (): Promise<Uint8Array | null> => {
    while (!isOver) {
      const next = await source.next()
      if (next.done) return null
      await append(next.value.patients)
      if (next.value.bytes.length > 0) return next.value.bytes
    }
    return null
  }
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      clearTimeout(idle)
      try {
        const bytes = await nextBytes()
        if (isOver) return
        if (bytes === null) {
          end()
          return controller.close()
        }
        controller.enqueue(bytes)
      } catch (error) {
        end()
        throw error
      }
      // A client that stays and reads nothing would keep what others wait for.
      idle = setTimeout(() => {
        end()
        controller.error(new Error(`nobody has read for ${limits.streamIdleMs} ms`))
        void source.return?.()
      }, limits.streamIdleMs)
    },
    cancel: async () => {
      end()
      await source.return?.()
    },
  })
}
