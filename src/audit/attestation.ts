/** What a log signs of itself: where chains stand and which logs there are, all as of one size. */
import { limits } from '../limits.ts'
import { isListable } from './listed-log.ts'
import type { LogSigner } from './log-signer.ts'
import { loadState, readChainHeads } from './log-state.ts'
import type { LogSql } from './log-store.ts'
import type { Attestation, AttestRequest, ListedLog } from './port.ts'
import { loadPublication, mergeListedLogs, type Publication } from './publication-state.ts'

/** Why nothing is signed for this request; null: it may be. */
export function attestFault({ chains, list }: AttestRequest): string | null {
  if (chains.length > limits.maxAttestedChains) return 'the attestation breaks a limit'
  const foreign = list.find((each) => !isListable(each))
  return foreign === undefined
    ? null
    : `${JSON.stringify(foreign.log)} is not listed as a log of this record can be`
}

/** To be called inside a commit, so that what is signed is durable before it leaves. */
export function signAttestation(
  sql: LogSql,
  signer: LogSigner,
  { chains, list }: AttestRequest,
): Attestation {
  const { log } = signer.identity
  const size = Number(loadState(sql, log).frontier.size)
  const names = chains.map(({ kind, key }) => `${kind === 'patient' ? 'p' : 'o'}${key}`)
  const heads = readChainHeads(sql, names)
  return {
    log,
    size: String(size),
    heads: chains.map(({ kind, key }, i) => {
      const { count = 0, previous: last = null } = heads.get(names[i] as string) ?? {}
      return signer.signHead({ size, kind, key, count, last })
    }),
    list: signer.signList(size, mergeListedLogs(sql, [ownLine(signer, loadPublication(sql)), ...list])),
  }
}

function ownLine({ identity }: LogSigner, { predecessor, successor }: Publication): ListedLog {
  const { log, vkey, mldsa44Vkey } = identity
  return { log, vkey, mldsa44Vkey, predecessor, isRetired: successor !== null }
}
