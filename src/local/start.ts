/**
 * `npm start`: the whole of Dossier on this machine. `PORT` (8787) is the Worker's, `DOSSIER_HOME` (.dossier) the state
 * folder. Prints `ready <url>` when it serves and `sample data loaded` when that is so; Ctrl-C, SIGTERM and SIGHUP stop
 * every child. What it cannot do is one sentence on stderr and exit code 1.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, startCluster } from './cluster.ts'
import { ClusterFailure, messageOf } from './failure.ts'

/**
 * Its presence says that the sample data were loaded once; what happened to them since is the operator's. The number goes up
 * with what the sample tells: loading it again adds what is new.
 */
const markerName = 'sample-data-loaded-2'

let cluster: Cluster | undefined

async function start(): Promise<void> {
  cluster = await startCluster({
    home: process.env.DOSSIER_HOME || '.dossier',
    port: readPort(),
    onMessage: say,
  })
  say(`ready ${cluster.url}`)
  await loadSampleDataOnce(cluster)
}

async function loadSampleDataOnce(target: Cluster): Promise<void> {
  const marker = join(target.home, markerName)
  if (!existsSync(marker)) {
    const { loadSampleData } = await import('./sample/load.ts')
    await loadSampleData(target, ({ bundles, ofBundles }) => {
      if (process.stdout.isTTY) process.stdout.write(`\rsample data: ${bundles} of ${ofBundles} bundles`)
    })
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
    writeFileSync(marker, `${new Date().toISOString()}\n`)
  }
  say('sample data loaded')
}

function readPort(): number {
  const { PORT = '8787' } = process.env
  const port = Number(PORT)
  if (!/^\d+$/.test(PORT) || port < 1 || port > 65_535) {
    throw new ClusterFailure(`PORT is "${PORT}": it must be a number from 1 to 65535.`)
  }
  return port
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, async () => {
    if (stopping) return
    stopping = true
    await cluster?.stop()
    // Also ends a start under way: the guard ends its children then.
    process.exit(0)
  })
}

try {
  await start()
} catch (error) {
  // A stop during the sample data breaks off their loading, which the next start repeats.
  if (!stopping) {
    process.stderr.write(`${messageOf(error)}\n`)
    await cluster?.stop()
    process.exit(1)
  }
}
