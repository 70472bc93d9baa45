/** Child processes that are kept running until they are ended on purpose. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { limits } from '../limits.ts'
import { ClusterFailure, messageOf } from './failure.ts'

export interface ProcessSpec {
  readonly name: string
  /** What it is, as the subject of a sentence about why it does not start. */
  readonly label: string
  readonly command: string
  readonly args: readonly string[]
  /** The child's whole environment: nothing of ours leaks into it. */
  readonly env: Readonly<Record<string, string>>
  /** Both of its outputs are appended here. */
  readonly logFile: string
  /** Whether it answers. Must settle by itself; a rejection counts as no. */
  readonly isReady: () => Promise<boolean>
  /** Runs once after each launch when it first answers, e.g. to set what the program forgets. */
  readonly onReady?: () => Promise<void>
}

export interface Supervised {
  pid(): number | undefined
  kill(signal?: NodeJS.Signals): Promise<void>
  crash(): Promise<void>
  /** @throws ClusterFailure when it ends at once, or does not answer within `limits.childReadyMs`. */
  start(): Promise<void>
}

/** The process that outlives ours to end the children; see `guard.ts`. */
export interface Guard {
  watch(pid: number): void
  release(pid: number): void
  stop(): void
}

export function startGuard(): Guard {
  // Detached: a Ctrl-C in the terminal goes to the whole foreground group, and must not reach it.
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  guard.unref()
  return {
    watch: (pid) => guard.stdin.write(`+${pid}\n`),
    release: (pid) => guard.stdin.write(`-${pid}\n`),
    stop: () => guard.stdin.end(),
  }
}

/**
 * A child that dies unexpectedly is started again, at once the first time, then after growing pauses, at most
 * `limits.maxChildRestarts` times in `limits.childRestartWindowMs`; each time `onMessage` says so.
 */
export function supervise(spec: ProcessSpec, guard: Guard, onMessage: (line: string) => void): Supervised {
  let child: ChildProcess | undefined
  /** Whether it should be running; an exit is unexpected only then. */
  let wanted = false
  /** Until it has answered once, an exit is a failure of `start`, not something to repeat. */
  let hasAnswered = false
  let failure: string | undefined
  let restarts: number[] = []
  let pending: NodeJS.Timeout | undefined

  const launch = (): void => {
    rotate(spec.logFile)
    const log = openSync(spec.logFile, 'a')
    const launched = spawn(spec.command, spec.args, {
      env: spec.env,
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    child = launched
    const { pid } = launched
    if (pid !== undefined) guard.watch(pid)
    const ended = (how: string): void => {
      if (child !== launched) return
      if (pid !== undefined) guard.release(pid)
      child = undefined
      if (wanted) unexpected(how)
    }
    launched.once('error', (error) => ended(messageOf(error)))
    launched.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
  }

  const unexpected = (how: string): void => {
    if (!hasAnswered) {
      failure = `${spec.label} does not start (${how}): ${lastLine(spec.logFile)}`
      return
    }
    const now = Date.now()
    restarts = restarts.filter((at) => at > now - limits.childRestartWindowMs)
    if (restarts.length >= limits.maxChildRestarts) {
      failure = `${spec.name} died ${restarts.length + 1} times within a minute (${how}) and stays down; see ${spec.logFile}.`
      onMessage(failure)
      return
    }
    const pauseMs =
      restarts.length === 0
        ? 0
        : Math.min(limits.minChildRestartPauseMs * 2 ** (restarts.length - 1), limits.maxChildRestartPauseMs)
    restarts.push(now)
    onMessage(`${spec.name} died (${how}); starting it again.`)
    pending = setTimeout(() => {
      pending = undefined
      if (!wanted) return
      launch()
      if (spec.onReady) answered().catch((error) => onMessage(messageOf(error)))
    }, pauseMs)
  }

  /** Resolves when the child answers. */
  const answered = async (): Promise<void> => {
    const deadline = Date.now() + limits.childReadyMs
    for (;;) {
      if (failure !== undefined) throw new ClusterFailure(failure)
      if (!wanted) throw new ClusterFailure(`${spec.name} was ended while it was starting.`)
      const asked = child
      if (asked !== undefined && (await spec.isReady().catch(() => false)) && child === asked) break
      if (Date.now() > deadline) {
        throw new ClusterFailure(`${spec.label} does not answer: ${lastLine(spec.logFile)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, limits.childProbeEveryMs))
    }
    hasAnswered = true
    await spec.onReady?.()
  }

  const exited = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const exit = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
    ending.kill(signal)
    const bound = setTimeout(() => ending.kill('SIGKILL'), limits.childStopMs)
    await exit
    clearTimeout(bound)
  }

  return {
    pid: () => child?.pid,
    start: async () => {
      if (child === undefined && pending === undefined) {
        wanted = true
        hasAnswered = false
        failure = undefined
        launch()
      }
      await answered()
    },
    kill: async (signal = 'SIGTERM') => {
      wanted = false
      clearTimeout(pending)
      pending = undefined
      await exited(signal)
    },
    crash: () => exited('SIGKILL'),
  }
}

function rotate(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > limits.maxChildLogBytes) renameSync(file, `${file}.1`)
}

/** The last thing a child said, without terminal colours. */
function lastLine(file: string): string {
  const text = stripVTControlCharacters(readFileSync(file, 'utf8'))
  return text.trim().split('\n').at(-1)?.trim() || `it said nothing (${file}).`
}
