/** The five sqld of a local cluster: how they are started, asked, made durable, and brought to the current schema. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@libsql/client/web'
import { migrate } from 'drizzle-orm/libsql/migrator'
import { drizzle } from 'drizzle-orm/libsql/web'
import { limits } from '../limits.ts'
import { projectRoot } from './binaries.ts'
import type { ClusterDatabase } from './cluster.ts'
import { ClusterFailure, messageOf } from './failure.ts'
import type { Secrets } from './home.ts'
import { databaseToken, publicPem } from './keys.ts'
import { regions } from './sample/directory.ts'
import type { ProcessSpec } from './supervisor.ts'

export type DatabaseName =
  | 'records-primary'
  | 'records-replica'
  | `local-${(typeof regions)[number]['name']}`
  | 'audit'

/** In the order of starting: a replica that starts before its primary answers no query. */
export const databaseNames: readonly DatabaseName[] = [
  'records-primary',
  'audit',
  ...regions.map(({ name }) => `local-${name}` as const),
  'records-replica',
]

/** Folder under `drizzle/` with a database's schema; the replica's comes from its primary. */
const schemas: Readonly<Record<DatabaseName, string | null>> = {
  'records-primary': 'records',
  'records-replica': null,
  'local-montreal': 'local',
  'local-quebec': 'local',
  audit: 'audit',
}

/** Names of the listeners that want a port. */
export const databaseListeners: readonly string[] = [
  ...databaseNames,
  ...databaseNames.filter((name) => schemas[name] !== null).map((name) => `${name}-admin`),
  'records-primary-replication',
]

export interface DatabaseContext {
  readonly home: string
  readonly sqld: string
  readonly ports: Readonly<Record<string, number>>
  readonly secrets: Secrets
}

export async function openDatabase(context: DatabaseContext, name: DatabaseName): Promise<ClusterDatabase> {
  const key = keyOf(context, name)
  return {
    url: `http://127.0.0.1:${context.ports[name]}`,
    readToken: await databaseToken(key, 'ro'),
    writeToken: await databaseToken(key, 'rw'),
  }
}

function keyOf({ secrets, home }: DatabaseContext, name: DatabaseName): Secrets['identity'][number] {
  const key = secrets.databases[name]
  if (key === undefined)
    throw new ClusterFailure(`The state folder ${home} holds no key of the database ${name}.`)
  return key
}

/**
 * Everything listens on loopback only: the replication port checks nobody, so that whoever can log in to the machine can
 * read the records through it.
 */
export async function databaseProcess(
  context: DatabaseContext,
  name: DatabaseName,
  database: ClusterDatabase,
): Promise<ProcessSpec> {
  const { home, sqld, ports, secrets } = context
  const at = (listener: string): string => `127.0.0.1:${ports[listener]}`
  const keyFile = join(home, 'databases', `${name}.pem`)
  writeFileSync(keyFile, await publicPem(keyOf(context, name)))
  const isReplica = schemas[name] === null
  return {
    name,
    label: `The database ${join(home, 'databases', name)}`,
    command: sqld,
    args: [
      '--no-welcome',
      ...['--db-path', join(home, 'databases', name)],
      ...['--http-listen-addr', at(name)],
      ...['--auth-jwt-key-file', keyFile],
      ...(isReplica ? ['--primary-grpc-url', `http://${at('records-primary-replication')}`] : []),
      ...(name === 'records-primary' ? ['--grpc-listen-addr', at('records-primary-replication')] : []),
      ...(isReplica ? [] : ['--admin-listen-addr', at(`${name}-admin`)]),
    ],
    // Not as an argument: every user of the machine sees those.
    env: { RUST_LOG: 'warn', ...(isReplica ? {} : { LIBSQL_ADMIN_AUTH_KEY: secrets.adminKey }) },
    logFile: join(home, 'logs', `${name}.log`),
    isReady: () => answers(database),
    ...(isReplica
      ? {}
      : { onReady: () => makeDurable(`http://${at(`${name}-admin`)}`, secrets.adminKey, name) }),
  }
}

/** A real query: `/health` says yes while a replica still waits for its primary, and for a file that is no database. */
async function answers({ url, readToken }: ClusterDatabase): Promise<boolean> {
  const response = await fetch(`${url}/v2/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${readToken}` },
    body: JSON.stringify({
      requests: [{ type: 'execute', stmt: { sql: 'select count(*) from sqlite_schema' } }, { type: 'close' }],
    }),
    signal: AbortSignal.timeout(limits.readDeadlineMs),
  })
  const answer = (await response.json()) as { results?: { type: string; error?: { message: string } }[] }
  const [first] = answer.results ?? []
  if (first?.type === 'error') throw new ClusterFailure(first.error?.message ?? 'unknown')
  return first?.type === 'ok'
}

/**
 * sqld's own default may lose acknowledged commits at a power cut. A POST replaces the whole configuration, so that what
 * is there is sent back with it.
 */
async function makeDurable(admin: string, adminKey: string, name: string): Promise<void> {
  const config = `${admin}/v1/namespaces/default/config`
  const ask = (init: RequestInit): Promise<Response> =>
    fetch(config, {
      ...init,
      headers: { authorization: `Basic ${adminKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(limits.writeDeadlineMs),
    })
  const current = (await (await ask({})).json()) as Record<string, unknown>
  if (current.durability_mode === 'strong') return
  const changed = await ask({
    method: 'POST',
    body: JSON.stringify({ ...current, durability_mode: 'strong' }),
  })
  if (!changed.ok) throw new ClusterFailure(`${name} refused strong durability (${changed.status}).`)
}

/**
 * Applies the migrations that a database has not seen yet, in one transaction.
 *
 * @throws ClusterFailure when the database cannot be read, or refuses one.
 */
export async function migrateDatabase(
  name: DatabaseName,
  database: ClusterDatabase,
  home: string,
): Promise<void> {
  const folder = schemas[name]
  if (folder === null) return
  const client = createClient({
    url: database.url,
    authToken: database.writeToken,
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(limits.writeDeadlineMs) }),
  })
  try {
    await migrate(drizzle({ client }), { migrationsFolder: join(projectRoot, 'drizzle', folder) })
  } catch (error) {
    throw new ClusterFailure(
      `The database ${name} in ${join(home, 'databases', name)} cannot be brought to the current schema: ${messageOf(error)}`,
    )
  } finally {
    client.close()
  }
}
