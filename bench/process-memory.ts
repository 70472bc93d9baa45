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

/** The most that was in memory since the process began, or since its mark was set back. */
export const peakBytes = (pid: number): number => memoryOf(pid, 'VmHWM')

export interface Watched {
  /** The most seen in samples; the kernel's own high-water mark where it could be set back. */
  readonly peak: number
  /** The most seen in each fifth of the time: what grows with the work is told from what comes and goes. */
  readonly fifths: readonly number[]
}

/** Samples until `stop`. All in bytes. */
export function watchMemory(pid: number): { stop(): Watched } {
  const isExact = forgetPeak(pid)
  const samples = [residentBytes(pid)]
  const timer = setInterval(() => samples.push(residentBytes(pid)), sampleEveryMs)
  return {
    stop: () => {
      clearInterval(timer)
      samples.push(residentBytes(pid))
      const most = Math.max(...samples)
      const fifths = [0, 1, 2, 3, 4].map((i) => {
        const part = samples.slice(
          Math.floor((i * samples.length) / 5),
          Math.ceil(((i + 1) * samples.length) / 5),
        )
        return Math.max(...part)
      })
      return { peak: isExact ? Math.max(most, peakBytes(pid)) : most, fifths }
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
