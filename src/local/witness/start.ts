/**
 * Starting a witness on a folder:
 *
 *     ed25519.key, ml-dsa-44.key   its private keys, mode 0600, written once
 *     witness.sqlite               its name, the keys of the logs it watches, what it cosigned last
 *
 * A first start makes the database, then the keys, then writes the identity; only then is anything signed. So keys without a
 * database, or an identity without its keys, are a loss, never a start that was broken off.
 */
import { existsSync, mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sha256 } from '../../audit/commitment.ts'
import { FormatError } from '../../audit/tlog/errors.ts'
import { keyTypes, verifierKey } from '../../audit/tlog/note.ts'
import { ClusterFailure, messageOf } from '../failure.ts'
import { hasKeys, makeKeys, readKeys, type WitnessKeys } from './keys.ts'
import { fetchLogKeys, keysByOrigin, pinNamed, pinOnTrust } from './logs.ts'
import { witnessServer } from './server.ts'
import { openStore, type WitnessStore } from './store.ts'

export interface WitnessOptions {
  /** Folder of its keys and its memory; made at the first start. */
  readonly home: string
  /** The name of its keys: a URL without scheme, by custom. It can never change. */
  readonly name: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default: any free one. */
  readonly port?: number
  /** Address at which logs reach it, where a proxy stands before it. */
  readonly publicUrl?: string
  /** Verifier keys of logs to watch, beside those pinned before. */
  readonly logs?: readonly string[]
  /** Address of a record whose list of logs is taken on trust where a log is not known yet. */
  readonly logsFrom?: string
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number
  /** For receiving one request. */
  readonly requestMs?: number
  readonly onMessage?: (line: string) => void
  /** Nothing can be stored any more: the witness signs nothing until it is started again. */
  readonly onStorageFailure?: (error: unknown) => void
}

export interface Witness {
  /** Without a slash at the end. */
  readonly url: string
  /** Ed25519, then ML-DSA-44. */
  readonly vkeys: readonly [string, string]
  stop(): Promise<void>
}

/** Its verifier keys, Ed25519 and ML-DSA-44; made when this is its first start. @throws ClusterFailure as `startWitness` */
export function witnessKeys(home: string, name: string): Witness['vkeys'] {
  checkName(name)
  const { store, keys } = openWitness(home, name)
  store.close()
  return keys.vkeys
}

/** @throws ClusterFailure with what the operator can put right. Resolves when it answers. */
export async function startWitness(options: WitnessOptions): Promise<Witness> {
  checkName(options.name)
  const { store, keys } = openWitness(options.home, options.name)
  try {
    const { onMessage = () => {} } = options
    await pinLogs(store, options, onMessage)
    const server = witnessServer(
      {
        identity: { name: options.name, vkeys: keys.vkeys },
        store,
        cosigner: keys,
        logs: keysByOrigin(store),
        now: options.now ?? Date.now,
        onStorageFailure: options.onStorageFailure ?? (() => {}),
      },
      options.requestMs,
    )
    const host = options.host ?? '127.0.0.1'
    const port = await listen(server, host, options.port ?? 0)
    return {
      url:
        options.publicUrl?.replace(/\/+$/, '') ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
      vkeys: keys.vkeys,
      stop: async () => {
        await new Promise((resolve) => {
          server.close(resolve)
          server.closeAllConnections()
        })
        store.close()
      },
    }
  } catch (error) {
    store.close()
    throw error
  }
}

/** Lines for a tlog-policy file. Two keys of one witness are one witness: the group counts once, whichever signed. */
export const policyLines = (
  name: string,
  { vkeys, url }: Pick<Witness, 'vkeys' | 'url'>,
): readonly string[] => [
  `witness ${name}/ed25519 ${vkeys[0]} ${url}`,
  `witness ${name}/ml-dsa-44 ${vkeys[1]} ${url}`,
  `group ${name} any ${name}/ed25519 ${name}/ml-dsa-44`,
]

/** A name is signed with a length of one byte (C2SP tlog-cosignature). */
function checkName(name: string): void {
  try {
    verifierKey(sha256, name, keyTypes.ed25519Cosignature, new Uint8Array(32))
  } catch (error) {
    if (error instanceof FormatError) throw new ClusterFailure(`The name cannot be one: ${error.message}`)
    throw error
  }
  if (Buffer.byteLength(name) > 255) throw new ClusterFailure('The name is longer than 255 bytes.')
}

function openWitness(home: string, name: string): { store: WitnessStore; keys: WitnessKeys } {
  const state = join(home, 'witness.sqlite')
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ClusterFailure(`The folder ${home} cannot be made: ${messageOf(error)}.`)
  }
  if (!existsSync(state) && hasKeys(home)) {
    throw new ClusterFailure(
      `${home} has keys but no ${state}: this witness has lost its memory and must not sign again. See docs/witness.md.`,
    )
  }
  const store = openStore(state)
  try {
    const known = store.identity()
    if (known === null) makeKeys(home)
    else if (known.name !== name) throw new ClusterFailure(`The witness in ${home} is called ${known.name}.`)
    const keys = readKeys(home, name)
    if (known === null) store.setIdentity({ name, vkeys: keys.vkeys })
    else if (known.vkeys.join() !== keys.vkeys.join()) {
      throw new ClusterFailure(
        `The keys in ${home} are not those of this witness: restore them from a backup.`,
      )
    }
    return { store, keys }
  } catch (error) {
    store.close()
    throw error
  }
}

async function pinLogs(
  store: WitnessStore,
  { logs = [], logsFrom }: WitnessOptions,
  onMessage: (line: string) => void,
): Promise<void> {
  pinNamed(store, logs)
  if (logsFrom !== undefined) {
    try {
      pinOnTrust(store, await fetchLogKeys(logsFrom), onMessage)
    } catch (error) {
      // What is pinned can be witnessed without the record's list.
      if (!(error instanceof ClusterFailure) || store.logKeys().length === 0) throw error
      onMessage(error.message)
    }
  }
  if (store.logKeys().length === 0) {
    throw new ClusterFailure(
      'There is no log to watch: name one with --log VKEY, or a record with --logs-from URL.',
    )
  }
}

async function listen(server: ReturnType<typeof witnessServer>, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host, exclusive: true }, resolve)
    })
  } catch (error) {
    throw new ClusterFailure(`The witness cannot listen on ${host} port ${port}: ${messageOf(error)}.`)
  }
  return (server.address() as AddressInfo).port
}
