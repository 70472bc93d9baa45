/**
 * Ends the children of a cluster whose own process died without ending them (SIGKILL, a crash): none of the native
 * programs notices that by itself. Reads `+pid` and `-pid` lines from standard input, which the cluster holds open; at its
 * end, whatever the cause, every process still listed is killed.
 */
import { createInterface } from 'node:readline'

const pids = new Set<number>()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) pids.add(pid)
  else pids.delete(pid)
})
lines.on('close', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
  process.exit(0)
})
