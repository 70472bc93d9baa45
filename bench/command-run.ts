/** A command from its start to its end: what it said, how long it took, how much memory (Linux: `/proc/<pid>`, proc(5)). */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { canMeasureMemory, peakBytes } from './process-memory.ts'

export interface CommandRun {
  /** Null: a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly error: string
  /** By the clock. */
  readonly seconds: number
  /** Of all its threads, in user and kernel; to `sampleEveryMs`, since nothing is told of a process that has ended. */
  readonly cpuSeconds: number
  /** Most that was in memory; 0 where the system does not tell. */
  readonly peakBytes: number
}

const sampleEveryMs = 20

/** Clock ticks of `/proc/<pid>/stat` on every Linux that Node runs on. */
const ticksPerSecond = 100

/** @param env beside that of this process */
export async function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const startedAt = performance.now()
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const used = { cpuSeconds: 0, peakBytes: 0 }
  const timer = setInterval(() => Object.assign(used, usedBy(child.pid) ?? used), sampleEveryMs)
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject).once('exit', resolve)
  const told = Promise.all([text(child.stdout), text(child.stderr)])
  try {
    const code = await promise
    const seconds = (performance.now() - startedAt) / 1_000
    const [out, error] = await told
    return { code, out, error, seconds, ...used }
  } finally {
    clearInterval(timer)
  }
}

/** Null: it has ended, or the system does not tell. */
function usedBy(pid: number | undefined): Pick<CommandRun, 'cpuSeconds' | 'peakBytes'> | null {
  if (pid === undefined || !canMeasureMemory) return null
  try {
    const peak = peakBytes(pid)
    return peak === 0 ? null : { cpuSeconds: cpuSecondsOf(pid), peakBytes: peak }
  } catch {
    return null
  }
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in brackets, may hold spaces; utime and stime are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
