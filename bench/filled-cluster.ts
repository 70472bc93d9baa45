/** A cluster of its own, in a folder that goes with it, whose audit database has made-up logs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, startCluster } from '../src/local/cluster.ts'
import { fillLog } from './filled-log.ts'
import { stepsOf } from './steps.ts'

/**
 * @param logs entries of each log, by its name
 * @param use gets the cluster, and the folder, in which it may leave files
 */
export async function withFilledCluster<T>(
  logs: Readonly<Record<string, number>>,
  use: (cluster: Cluster, folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dossier-bench-'))
  try {
    const cluster = await startCluster({ home: join(folder, 'home'), port: 0 })
    try {
      for (const [log, entries] of Object.entries(logs)) await fill(cluster, log, entries)
      return await use(cluster, folder)
    } finally {
      await cluster.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(cluster: Cluster, log: string, entries: number): Promise<void> {
  const bar = stepsOf(entries, `${entries} entries of log ${log} into the audit database`)
  await fillLog(cluster.databases.audit, log, entries, bar.reach)
  bar.end()
}
