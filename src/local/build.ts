/** `npm run build`: the bundle that Cloudflare would get, for `workerd serve`. Skipped when nothing it is made of changed. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { limits } from '../limits.ts'
import { projectRoot } from './binaries.ts'
import { generateDefinitions } from './definitions/generate.ts'
import { ClusterFailure, messageOf } from './failure.ts'

const dist = join(projectRoot, 'dist')

/**
 * Makes `dist/<hash of the sources>` with `index.js` and its data modules, and returns its path. Two builds at once do
 * not disturb each other: each works in a folder of its own and renames it.
 *
 * @throws ClusterFailure with the bundler's message when the sources do not build.
 */
export async function build(): Promise<string> {
  await generateDefinitions()
  const bundle = join(dist, hashSources())
  if (isClaimed(bundle)) return bundle
  const temporary = `${bundle}.${process.pid}.tmp`
  const wrangler = join(
    dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
    'bin',
    'wrangler.js',
  )
  try {
    await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', temporary], {
      cwd: projectRoot,
      env: {
        ...process.env,
        // Its banner asks the network for a newer version, and leaves the answer in the temporary folder.
        WRANGLER_HIDE_BANNER: 'true',
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_WRITE_LOGS: 'false',
        NO_COLOR: '1',
        FORCE_COLOR: '0',
      },
    })
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw new ClusterFailure(`The Worker does not build: ${bundlerErrors(error)}`)
  }
  if (isClaimed(bundle)) rmSync(temporary, { recursive: true })
  else renameSync(temporary, bundle)
  removeStale(dist, basename(bundle), Date.now())
  return bundle
}

/** Whether the bundle is there; if so it counts as young again, so that a build of other sources leaves it alone. */
function isClaimed(bundle: string): boolean {
  const now = new Date()
  try {
    utimesSync(bundle, now, now)
    return true
  } catch {
    return false
  }
}

/**
 * Removes what earlier builds left: other versions, and the unfinished folders of builds that were killed. A young folder
 * stays: another start may be copying it, or another build be writing it.
 *
 * @param folder `dist`
 * @param current name in it of the bundle just made
 */
export function removeStale(folder: string, current: string, nowMs: number): void {
  for (const name of readdirSync(folder)) {
    if (name === current) continue
    const path = join(folder, name)
    const madeAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs
    if (nowMs - madeAtMs > limits.bundleKeptMs) rmSync(path, { recursive: true, force: true })
  }
}

/** `message (file:line:column)` of each error that the bundler names, without its drawings. */
function bundlerErrors(error: unknown): string {
  const text = stripVTControlCharacters((error as { stderr?: string }).stderr ?? '')
  const named = [...text.matchAll(/\[ERROR\] (.+)\n\s+(\S+:\d+:\d+):/g)].map(
    ([, what, where]) => `${what} (${where})`,
  )
  return named.length > 0 ? named.join('; ') : text.trim() || messageOf(error)
}

/** Folders under `src/` that never get into the bundle. */
const outside = ['cli', 'local', 'edge-node']

/** Sixteen hexadecimal digits over everything that a bundle depends on. */
function hashSources(): string {
  const hash = createHash('sha256')
  const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !outside.some((folder) => file.startsWith(join(projectRoot, 'src', folder, '/'))))
  for (const file of [
    ...sources,
    ...['package-lock.json', 'wrangler.toml', 'tsconfig.json'].map(atRoot),
  ].sort()) {
    const bytes = readFileSync(file)
    hash.update(`${relative(projectRoot, file)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex').slice(0, 16)
}

const atRoot = (name: string): string => join(projectRoot, name)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(relative(process.cwd(), await build()))
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 1
  }
}
