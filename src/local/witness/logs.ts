/** Which logs a witness watches, by which keys: named by its operator, or taken on trust from a record's list at first use. */
import * as z from 'zod'
import { sha256 } from '../../audit/commitment.ts'
import { FormatError } from '../../audit/tlog/errors.ts'
import { keyTypes, parseVerifierKey, type VerifierKey } from '../../audit/tlog/note.ts'
import { boundedBody } from '../../bounded-body.ts'
import { limits } from '../../limits.ts'
import { ClusterFailure, messageOf } from '../failure.ts'
import type { LogKey, WitnessStore } from './store.ts'

const logKeyTypes: readonly number[] = [keyTypes.ed25519, keyTypes.mlDsa44Cosignature]

/** Of a cosigned message (C2SP tlog-cosignature): one byte tells its length. */
const maxOriginBytes = 255

/** A log's key is named after the log's origin (C2SP tlog-policy). */
export function readLogKey(vkey: string): LogKey {
  try {
    const key = parseVerifierKey(sha256, vkey)
    if (!logKeyTypes.includes(key.type)) throw new FormatError(`keys of type ${key.type} sign no logs.`)
    if (Buffer.byteLength(key.name) > maxOriginBytes) throw new FormatError('the origin is too long.')
    return { origin: key.name, vkey }
  } catch (error) {
    if (error instanceof FormatError) throw new ClusterFailure(`This is no key of a log: ${error.message}`)
    throw error
  }
}

/**
 * Pins what the operator names. A known log may get a further key this way, since a person vouches for it.
 *
 * @throws ClusterFailure past `limits.maxWitnessLogs`
 */
export function pinNamed(store: WitnessStore, vkeys: readonly string[]): void {
  for (const key of vkeys.map(readLogKey)) pin(store, key)
}

/**
 * Pins the logs of a record's list that are not known yet, and says which. Other keys for a known log are not taken: first
 * use is over.
 *
 * @param list keys as `fetchLogKeys` reads them
 */
export function pinOnTrust(
  store: WitnessStore,
  list: readonly LogKey[],
  onMessage: (line: string) => void,
): void {
  const known = store.logKeys()
  for (const key of list) {
    if (known.some(({ vkey }) => vkey === key.vkey)) continue
    if (known.some(({ origin }) => origin === key.origin)) {
      onMessage(`not taken, since ${key.origin} is pinned to other keys: ${key.vkey}`)
      continue
    }
    pin(store, key)
    onMessage(`taken on trust, for first use: ${key.vkey}`)
  }
}

function pin(store: WitnessStore, key: LogKey): void {
  const origins = new Set([...store.logKeys().map(({ origin }) => origin), key.origin])
  if (origins.size > limits.maxWitnessLogs) {
    throw new ClusterFailure(`A witness watches at most ${limits.maxWitnessLogs} logs.`)
  }
  store.pin(key)
}

/** The pinned keys by origin. */
export function keysByOrigin(store: WitnessStore): ReadonlyMap<string, readonly VerifierKey[]> {
  const keys = new Map<string, VerifierKey[]>()
  for (const { origin, vkey } of store.logKeys()) {
    keys.set(origin, [...(keys.get(origin) ?? []), parseVerifierKey(sha256, vkey)])
  }
  return keys
}

const listSchema = z.object({
  logs: z.array(z.object({ vkey: z.string(), mldsa44Vkey: z.string().nullish() })),
})

/**
 * The keys in `<url>/audit/logs`.
 *
 * @throws ClusterFailure
 */
export async function fetchLogKeys(url: string): Promise<readonly LogKey[]> {
  const list = `${url.replace(/\/+$/, '')}/audit/logs`
  try {
    const response = await fetch(list, {
      redirect: 'error',
      signal: AbortSignal.timeout(limits.logListDeadlineMs),
    })
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    const body = await boundedBody(response, limits.maxLogListBytes)
    if (body === null) throw new Error(`it is longer than ${limits.maxLogListBytes} bytes`)
    const { logs } = listSchema.parse(JSON.parse(new TextDecoder().decode(body)))
    return logs.flatMap(({ vkey, mldsa44Vkey }) =>
      [vkey, ...(mldsa44Vkey ? [mldsa44Vkey] : [])].map(readLogKey),
    )
  } catch (error) {
    throw new ClusterFailure(`The list of logs ${list} cannot be read: ${messageOf(error)}`)
  }
}
