/** How much memory another process holds (Linux: `/proc/<pid>`, proc(5)). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** False: this system does not tell. */
export const canMeasureMemory = existsSync('/proc/self/status')

const sampleEveryMs = 100

type Field = 'VmRSS' | 'VmHWM'

/** Bytes. */
function memoryOf(pid: number, field: Field): number {
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  ) ?? ['', '0']
  return Number(kib) * 1024
}

/** Bytes that are in memory now. */
export const residentBytes = (pid: number): number => memoryOf(pid, 'VmRSS')

export interface Peak {
  /** The most seen in samples; the kernel's own high-water mark where it could be set back. */
  readonly bytes: number
  readonly samples: number
}

/** Samples until `stop`. */
export function watchMemory(pid: number): { stop(): Peak } {
  const isExact = forgetPeak(pid)
  let bytes = residentBytes(pid)
  let samples = 1
  const timer = setInterval(() => {
    bytes = Math.max(bytes, residentBytes(pid))
    samples += 1
  }, sampleEveryMs)
  return {
    stop: () => {
      clearInterval(timer)
      return { bytes: Math.max(bytes, isExact ? memoryOf(pid, 'VmHWM') : residentBytes(pid)), samples }
    },
  }
}

/** Sets the high-water mark back to what is held now; false: the kernel does not let us. */
function forgetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
    return true
  } catch {
    return false
  }
}
