/** Of a log's configuration: its signers and its witnesses. */
import { sha256 } from '../audit/commitment.ts'
import { type LogSigner, logSigner } from '../audit/log-signer.ts'
import { parsePolicy } from '../audit/tlog/policy.ts'
import type { Witness } from '../audit/witness-client.ts'
import type { LogConfig } from '../config.ts'

/** One for each of the operator's secrets, the current one first. */
export function signersOf({ seeds, origin }: LogConfig, log: string): [LogSigner, ...LogSigner[]] {
  const [first, ...rest] = seeds.map((seed) => logSigner(seed, log, `${origin}/audit/logs/${log}`))
  if (!first) throw new Error('LOG_SEEDS names no secret')
  return [first, ...rest]
}

/** Those of the policy that have an address. @throws Error when it is no policy. */
export function witnessesOf({ policy }: LogConfig): Witness[] {
  if (policy === null) return []
  return parsePolicy(sha256, policy).witnesses.flatMap(({ name, key, url }) =>
    url === null ? [] : [{ name, keys: [key], url }],
  )
}
