/**
 * The state folder of a local cluster:
 *
 *     cluster.json   ports, and the issuers this cluster ever had
 *     secrets.json   every key, mode 0600
 *     lock           held by the cluster that runs on it
 *     databases/     one folder per sqld; objects/ the Durable Objects; logs/ what the children say
 *
 * cluster.json and secrets.json are written by `startCluster` alone, each through a temporary name, so that a crash leaves
 * the old file or the new one.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { ClusterFailure, messageOf } from './failure.ts'

const stateSchema = z.object({
  version: z.literal(1),
  url: z.url(),
  audience: z.string(),
  /** By name of listener. */
  ports: z.record(z.string(), z.int().min(1).max(65_535)),
  /** `LOG_ORIGIN`: never changed, also where addresses do. Absent from state of before there were checkpoints. */
  logOrigin: z.string().optional(),
  /** The current one last. A new one comes when somebody else holds the provider's port. */
  issuers: z.array(z.url()).min(1),
})

/** What a command needs to find a cluster, and a second start to find its ports. */
export type ClusterState = z.infer<typeof stateSchema>

const privateJwk = z.looseObject({ kty: z.string(), d: z.string(), kid: z.string() })
const key = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

const secretsSchema = z.object({
  version: z.literal(1),
  idKey: key,
  cursorKey: key,
  metricsToken: key,
  /** Of the databases' admin listeners. */
  adminKey: key,
  /** Signs the identity provider's cookies. */
  cookieKey: key,
  /** Keys of the audit logs come from it. Absent from state of before there were checkpoints. */
  logSeed: key.optional(),
  /** Ed25519, by database. */
  databases: z.record(z.string(), privateJwk),
  /** P-256, of the identity provider; the first signs, all are published. */
  identity: z.array(privateJwk).min(1),
  /** P-384, by client id of a facility system. */
  clients: z.record(z.string(), privateJwk),
})

export type Secrets = z.infer<typeof secretsSchema>

const damaged = (home: string, what: string): ClusterFailure =>
  new ClusterFailure(
    `The state folder ${home} is damaged: ${what}. Restore it from a backup, or move the folder away to start with an empty one.`,
  )

/** Makes the folder and its parts, and takes its lock until `release` or the end of the process. */
export function openHome(home: string): { readonly release: () => void } {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    for (const part of ['databases', 'objects', 'logs']) mkdirSync(join(home, part), { recursive: true })
  } catch (error) {
    throw new ClusterFailure(`The state folder ${home} cannot be made: ${messageOf(error)}.`)
  }
  return takeLock(home)
}

/**
 * Two servers on one database file would destroy it. The lock is SQLite's, since Node offers no file lock of its own and
 * the system drops this one with the process, however it ends.
 */
function takeLock(home: string): { readonly release: () => void } {
  const path = join(home, 'lock')
  try {
    const lock = new DatabaseSync(path)
    lock.exec('begin exclusive')
    return { release: () => lock.isOpen && lock.close() }
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === 5) throw new ClusterFailure(`A cluster already runs on ${home}.`)
    throw damaged(home, `lock cannot be taken (${messageOf(error)})`)
  }
}

/** Whether databases were ever made here: from then on a missing file is damage, not a first start. */
const hasData = (home: string): boolean => {
  try {
    return readdirSync(join(home, 'databases')).length > 0
  } catch {
    return false
  }
}

/**
 * Null before the first start.
 *
 * @throws ClusterFailure when the file is damaged, or missing beside databases.
 */
export const readState = (home: string): ClusterState | null => readJson(home, 'cluster.json', stateSchema)

/** As `readState`. */
export const readSecrets = (home: string): Secrets | null => readJson(home, 'secrets.json', secretsSchema)

function readJson<T>(home: string, name: string, schema: z.ZodType<T>): T | null {
  let text: string
  try {
    text = readFileSync(join(home, name), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT') throw damaged(home, `${name} cannot be read (${code})`)
    if (hasData(home)) throw damaged(home, `${name} is missing but databases/ holds data`)
    return null
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(home, `${name} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    throw damaged(home, `${name} is incomplete at ${parsed.error.issues[0]?.path.join('.') || 'its root'}`)
  }
  return parsed.data
}

export const writeState = (home: string, state: ClusterState): void =>
  writeJson(join(home, 'cluster.json'), state, 0o644)

export const writeSecrets = (home: string, secrets: Secrets): void =>
  writeJson(join(home, 'secrets.json'), secrets, 0o600)

function writeJson(path: string, value: unknown, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
}
