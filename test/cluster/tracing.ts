/** Faults below SQLite: `strace` answers system calls of a running process in place of the kernel. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

/** Attaches to `pid`, threads and children included; resolves once it is attached, null when that is not permitted. */
async function attach(pid: number, expression: readonly string[]): Promise<ChildProcess | null> {
  const tracer = spawn('strace', ['-f', ...expression, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const attached = await new Promise<boolean>((resolve) => {
    let told = ''
    tracer.stderr?.on('data', (chunk: Buffer) => {
      told += chunk
      if (told.includes('attached')) resolve(true)
    })
    tracer.once('exit', () => resolve(false))
    tracer.once('error', () => resolve(false))
  })
  return attached ? tracer : null
}

async function detach(tracer: ChildProcess): Promise<void> {
  if (tracer.exitCode !== null) return
  const ended = new Promise((resolve) => tracer.once('exit', resolve))
  tracer.kill('SIGINT')
  await ended
}

/** Whether there is an strace here that may attach to a process that is not its child. */
export async function canTrace(): Promise<boolean> {
  if (spawnSync('strace', ['-V']).status !== 0) return false
  const sleeper = spawn('sleep', ['30'], { stdio: 'ignore', detached: true })
  try {
    const tracer = await attach(sleeper.pid ?? 0, ['-e', 'trace=none'])
    if (tracer) await detach(tracer)
    return tracer !== null
  } finally {
    sleeper.kill('SIGKILL')
  }
}

export interface FailingDisk {
  /** Calls that failed so far. */
  readonly failed: number
  /** The disk is sound again. */
  end(): Promise<void>
}

/**
 * From the `first` fsync of each thread of `pid` on, one in `every` fails with EIO: nothing is known of what was written.
 * @throws Error when strace cannot attach.
 */
export async function failFsyncs(pid: number, first: number, every: number): Promise<FailingDisk> {
  const calls = 'fsync,fdatasync'
  const when = `error=EIO:when=${first}+${every}`
  const tracer = await attach(pid, ['-e', `trace=${calls}`, '-e', `inject=${calls}:${when}`])
  if (!tracer) throw new Error(`strace cannot attach to ${pid}`)
  let failed = 0
  tracer.stderr?.on('data', (chunk: Buffer) => {
    failed += chunk.toString().split('(INJECTED)').length - 1
  })
  return {
    get failed() {
      return failed
    },
    end: () => detach(tracer),
  }
}
