/** A throw-away cluster for a test file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Cluster,
  type ClusterDatabase,
  type ClusterOptions,
  startCluster,
} from '../../src/local/cluster.ts'
import { hranaReader } from '../../src/store/hrana.ts'

/** Resolves when the replica holds what the primary had committed when this was called; the test's own bound ends the wait. */
export async function replicated({
  databases: { primary, replica },
}: Pick<Cluster, 'databases'>): Promise<void> {
  const clock = async ({ url, readToken }: ClusterDatabase): Promise<number> => {
    const [rows] = await hranaReader({ url, token: readToken }).read([{ sql: 'select n from clock' }])
    return Number(rows?.[0]?.n)
  }
  const written = await clock(primary)
  while ((await clock(replica)) < written) await new Promise((next) => setImmediate(next))
}

/** A state folder under the system's temporary one. */
export function temporaryHome(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'dossier-cluster-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface TestCluster {
  readonly cluster: Cluster
  /** `token` null: none is sent. */
  get(path: string, token: string | null, headers?: Record<string, string>): Promise<Response>
  /** An object is sent as FHIR JSON, text as it is. */
  post(path: string, token: string | null, body: unknown, headers?: Record<string, string>): Promise<Response>
  /** Stops the cluster and removes its state. */
  end(): Promise<void>
}

export async function startTestCluster(options: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  const home = temporaryHome()
  const cluster = await startCluster({ home: home.path, port: 0, ...options })
  const bearer = (token: string | null) => (token === null ? {} : { authorization: `Bearer ${token}` })
  return {
    cluster,
    get: (path, token, headers = {}) =>
      fetch(`${cluster.url}${path}`, { headers: { ...bearer(token), ...headers } }),
    post: (path, token, body, headers = {}) =>
      fetch(`${cluster.url}${path}`, {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': 'application/fhir+json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    end: async () => {
      await cluster.stop()
      home.remove()
    },
  }
}
