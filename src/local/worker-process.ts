/** The built Worker on `workerd serve`: its configuration, generated into the state folder, and its environment. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Environment } from '../config.ts'
import { limits } from '../limits.ts'
import { projectRoot } from './binaries.ts'
import { ClusterFailure } from './failure.ts'
import type { ProcessSpec } from './supervisor.ts'

export interface WorkerOptions {
  readonly home: string
  readonly workerd: string
  /** Folder that `build` made. */
  readonly bundle: string
  readonly port: number
  readonly environment: Environment
}

/** How workerd embeds a module, by the end of its name; source maps and the rest are not modules. */
const moduleKinds: Readonly<Record<string, string>> = {
  '.js': 'esModule',
  '.mjs': 'esModule',
  '.txt': 'text',
  '.html': 'text',
  '.sql': 'text',
  '.bin': 'data',
  '.json': 'json',
  '.wasm': 'wasm',
}

/**
 * The bundle is copied into the state folder, so that a restart after a crash runs the code that was started, whatever has
 * been built since.
 */
export function workerProcess({ home, workerd, bundle, port, environment }: WorkerOptions): ProcessSpec {
  const folder = join(home, 'worker')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(bundle, folder, { recursive: true })
  const config = join(folder, 'config.capnp')
  writeFileSync(
    config,
    workerdConfig(readdirSync(bundle), readWranglerConfig(), Object.keys(environment), port),
  )
  return {
    name: 'worker',
    label: 'The Worker',
    command: workerd,
    args: ['serve', config, '--directory-path', `objects=${join(home, 'objects')}`],
    env: { ...environment },
    logFile: join(home, 'logs', 'worker.log'),
    isReady: async () => {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`, {
        signal: AbortSignal.timeout(limits.readDeadlineMs),
      })
      await response.arrayBuffer()
      return true
    },
  }
}

export interface WranglerConfig {
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  readonly objects: readonly { readonly binding: string; readonly className: string }[]
}

/** The facts of `wrangler.toml` that workerd needs too; `wrangler` itself reads the rest. */
export function parseWranglerConfig(toml: string): WranglerConfig {
  const [, compatibilityDate] = /^compatibility_date\s*=\s*"([0-9-]+)"/m.exec(toml) ?? []
  if (compatibilityDate === undefined) throw new ClusterFailure('wrangler.toml names no compatibility_date.')
  const [, flags = ''] = /^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(toml) ?? []
  const tables = toml.split(/^\[/m).filter((table) => table.startsWith('[durable_objects.bindings]]'))
  return {
    compatibilityDate,
    compatibilityFlags: [...flags.matchAll(/"([^"]+)"/g)].map(([, flag = '']) => flag),
    objects: tables.map((table) => ({
      binding: /^name\s*=\s*"(\w+)"/m.exec(table)?.[1] ?? '',
      className: /^class_name\s*=\s*"(\w+)"/m.exec(table)?.[1] ?? '',
    })),
  }
}

const readWranglerConfig = (): WranglerConfig =>
  parseWranglerConfig(readFileSync(join(projectRoot, 'wrangler.toml'), 'utf8'))

/** The Worker reaches loopback only: its databases and the identity provider. */
export function workerdConfig(
  files: readonly string[],
  wrangler: WranglerConfig,
  variables: readonly string[],
  port: number,
): string {
  const text = (value: string): string => JSON.stringify(value)
  // The entry comes first.
  const modules = files
    .filter((file) => extname(file) in moduleKinds)
    .sort((a, b) => Number(b === 'index.js') - Number(a === 'index.js') || (a < b ? -1 : 1))
    .map((file) => `(name = ${text(file)}, ${moduleKinds[extname(file)]} = embed ${text(file)})`)
  const bindings = [
    ...wrangler.objects.map(
      ({ binding, className }) => `(name = ${text(binding)}, durableObjectNamespace = ${text(className)})`,
    ),
    ...variables.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ]
  // The key names the folder of the objects' data: changing it would lose them.
  const namespaces = wrangler.objects.map(
    ({ className }) => `(className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true)`,
  )
  const list = (items: readonly string[]): string => `[\n    ${items.join(',\n    ')}\n  ]`
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = ["--max-old-space-size=${limits.workerHeapMiB}"],
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
    (name = "objects", disk = (writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = ${text(wrangler.compatibilityDate)},
  compatibilityFlags = [${wrangler.compatibilityFlags.map(text).join(', ')}],
  modules = ${list(modules)},
  bindings = ${list(bindings)},
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (localDisk = "objects"),
);
`
}
