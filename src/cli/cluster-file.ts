/** How commands find a cluster and a token: what the caller names, else the cluster of this machine. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { TokenOptions } from '../local/cluster.ts'
import { ClusterFailure, messageOf } from '../local/failure.ts'
import { readSecrets, readState } from '../local/home.ts'
import { obtainToken, type TokenSource } from '../local/obtain-token.ts'
import { renewingToken } from './renewing-token.ts'

/** The options that every command which calls a cluster has. */
export interface ClusterOptions {
  readonly url?: string
  readonly tokenFile?: string
}

export interface ReachedCluster {
  /** Without a slash at the end. */
  readonly url: string
  token(): Promise<string>
}

export function clusterCommand(command: Command): Command {
  return command
    .option('--url <url>', 'address of the cluster (default: the local one)')
    .option(
      '--token-file <file>',
      'file with an access token, - for standard input (default: one of the local cluster)',
    )
}

/**
 * `name` is whose token a local cluster is asked for when the caller brings none, `tokenOptions` what it is to say.
 *
 * @throws ClusterFailure when there is neither a token nor a local cluster.
 */
export function reachCluster(
  options: ClusterOptions,
  name: string,
  tokenOptions: TokenOptions = {},
): ReachedCluster {
  const local = readState(localHome())
  const url = options.url === undefined ? (local ?? fail(noCluster)).url : origin(options.url)
  if (options.tokenFile !== undefined) {
    const token = readToken(options.tokenFile)
    return { url, token: async () => token }
  }
  // A local cluster's token means something to that cluster alone, and is not shown to another.
  if (url !== local?.url) {
    throw new ClusterFailure(
      `${url} is not the local cluster: bring a token with --token-file FILE (- reads it).`,
    )
  }
  const source = localTokenSource()
  return { url, token: renewingToken(() => obtainToken(source, name, tokenOptions)) }
}

/** @throws ClusterFailure when no cluster was ever started on the state folder. */
export function localTokenSource(): TokenSource {
  const state = readState(localHome()) ?? fail(noCluster)
  const secrets = readSecrets(localHome()) ?? fail(noCluster)
  return { issuer: state.issuers.at(-1) ?? '', audience: state.audience, clientKeys: secrets.clients }
}

/** State folder of the local cluster. */
const localHome = (): string => resolve(process.env.DOSSIER_HOME || '.dossier')

const noCluster = (): string =>
  `No local cluster in ${localHome()}: start one with npm start, or set DOSSIER_HOME.`

function fail(message: () => string): never {
  throw new ClusterFailure(message())
}

function origin(url: string): string {
  if (!URL.canParse(url)) throw new ClusterFailure(`--url ${url} is not an address.`)
  return url.replace(/\/+$/, '')
}

function readToken(file: string): string {
  let token: string
  try {
    token = readFileSync(file === '-' ? 0 : file, 'utf8').trim()
  } catch (error) {
    throw new ClusterFailure(`The token cannot be read: ${messageOf(error)}`)
  }
  if (token === '')
    throw new ClusterFailure(`There is no token in ${file === '-' ? 'standard input' : file}.`)
  return token
}
