/** Free ports of the loopback interface. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { limits } from '../limits.ts'
import { ClusterFailure } from './failure.ts'

/** Whether this process could listen there now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** As `isFree`, with a moment's patience: the children of a cluster that crashed may still be dying. */
export async function becomesFree(port: number): Promise<boolean> {
  const deadline = Date.now() + limits.portReleaseMs
  for (;;) {
    if (await isFree(port)) return true
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, limits.childProbeEveryMs))
  }
}

/**
 * A free port that is not in `taken`, below the range from which systems take the ports of outgoing connections: a port
 * remembered from the last start would otherwise now and then belong to somebody's browser.
 */
export async function findFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < limits.maxPortAttempts; attempt++) {
    const port = randomInt(18_000, 32_000)
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw new ClusterFailure('No free port was found between 18000 and 32000 on 127.0.0.1.')
}
