/** A real replica of a cluster's *records* that can be made to lag, and a line to the primary that can be cut. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { findSqld } from '../../src/local/binaries.ts'
import type { Cluster } from '../../src/local/cluster.ts'
import { readState } from '../../src/local/home.ts'
import { findFreePort } from '../../src/local/ports.ts'
import { hranaReader } from '../../src/store/hrana.ts'

/** How a line breaks: bytes are held until it heals, or connections are torn down and new ones refused. */
export type Break = 'swallows' | 'cut'

/** A TCP proxy on the loopback interface. */
export interface Line {
  readonly port: number
  break(how: Break): void
  heal(): void
  end(): Promise<void>
}

export async function openLine(target: number): Promise<Line> {
  const sockets = new Set<Socket>()
  let broken: Break | null = null
  const server: Server = createServer((client) => {
    if (broken === 'cut') {
      client.destroy()
      return
    }
    const upstream = dial(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (broken === 'swallows') from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    break: (how) => {
      broken = how
      for (const socket of sockets) how === 'cut' ? socket.destroy() : socket.pause()
    },
    heal: () => {
      broken = null
      for (const socket of sockets) socket.resume()
    },
    end: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface LaggingReplica {
  readonly url: string
  readonly readToken: string
  /** By which it follows the primary. */
  readonly replication: Line
  end(): Promise<void>
}

/** Started like the cluster's own replica (`local/databases.ts`), but for its line; it answers when this resolves. */
export async function startLaggingReplica(cluster: Cluster): Promise<LaggingReplica> {
  const { primary } = cluster.databases
  const replication = await openLine(readState(cluster.home)?.ports['records-primary-replication'] as number)
  const port = await findFreePort(new Set())
  const child: ChildProcess = spawn(
    findSqld(),
    [
      '--no-welcome',
      ...['--db-path', join(cluster.home, 'databases', 'lagging-replica')],
      ...['--http-listen-addr', `127.0.0.1:${port}`],
      ...['--auth-jwt-key-file', join(cluster.home, 'databases', 'records-primary.pem')],
      ...['--primary-grpc-url', `http://127.0.0.1:${replication.port}`],
    ],
    { env: { RUST_LOG: 'warn' }, stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  const reader = hranaReader({ url, token: primary.readToken })
  const answers = () => reader.read([{ sql: 'select n from clock' }]).then(Boolean, () => false)
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`sqld ended with ${child.exitCode}`)
    await new Promise((next) => setImmediate(next))
  }
  return {
    url,
    readToken: primary.readToken,
    replication,
    end: async () => {
      if (child.exitCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await replication.end()
    },
  }
}
