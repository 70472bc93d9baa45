/** The logs of an export's header, each with what its keys vouch for: steps 2 and 3 of `docs/audit-log.md` §5. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { completeSubtrees } from '../tlog/proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import { isDecimalLess } from './decimal.ts'
import type { Header, HeaderLog } from './header.ts'
import { type Finding, finding } from './report.ts'
import { checkSignatures, sentenceOf, withName } from './signed-text.ts'
import { type LogList, listOrigin, parseList, type SignedHead } from './statements.ts'
import {
  judgeCheckpoint,
  knownFault,
  type LogKeys,
  originFault,
  readKeys,
  type Trust,
  type TrustedCheckpoint,
  uncoveredFault,
} from './trust.ts'

export interface CoveredLog {
  readonly header: HeaderLog
  readonly keys: LogKeys
  /** Null: the log is empty. */
  readonly checkpoint: TrustedCheckpoint | null
  /** Sizes of the known checkpoints it agrees with. */
  readonly known: readonly string[]
}

export function coverLogs(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
): Result<readonly CoveredLog[], Finding> {
  const covered: CoveredLog[] = []
  for (const log of header.logs) {
    const one = coverLog(crypto, trust, header, log)
    if (!one.ok) return one
    covered.push(one.value)
  }
  const origins = new Set(header.logs.map(({ origin }) => origin))
  const fault = uncoveredFault(trust, origins) ?? listFault(crypto, header, covered)
  return fault === null ? ok(covered) : err(fault)
}

function coverLog(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
  log: HeaderLog,
): Result<CoveredLog, Finding> {
  const keys = readKeys(crypto, trust, log)
  if (!keys.ok) return keys
  const checkpoint = readLogCheckpoint(crypto, trust, header, log, keys.value)
  if (!checkpoint.ok) return checkpoint
  const fault = headsFault(crypto, header, log, keys.value)
  if (fault !== null) return err(fault)
  const known: string[] = []
  for (const checkpointKnown of trust.known.filter(({ origin }) => origin === log.origin)) {
    const path = log.known?.size === String(checkpointKnown.size) ? log.known.proof : null
    const fault = knownFault(crypto, log.log, keys.value, checkpointKnown, checkpoint.value, path)
    if (fault !== null) return err(fault)
    known.push(String(checkpointKnown.size))
  }
  return ok({ header: log, keys: keys.value, checkpoint: checkpoint.value, known })
}

function readLogCheckpoint(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
  log: HeaderLog,
  keys: LogKeys,
): Result<TrustedCheckpoint | null, Finding> {
  const checkpoint =
    log.checkpoint === null ? ok(null) : judgeCheckpoint(crypto, trust, log, keys, log.checkpoint)
  if (!checkpoint.ok) return checkpoint
  const size = checkpoint.value?.size ?? 0n
  if (size < BigInt(log.size))
    return err(
      finding(
        'checkpoint-older',
        log.log,
        `The checkpoint has ${size} entries, fewer than the ${log.size} of the log when the export began.`,
      ),
    )
  const isRange = header.completeness === 'range'
  const before = isRange ? completeSubtrees(0n, BigInt(log.first)).length : 0
  const after = isRange ? completeSubtrees(BigInt(log.end), size).length : 0
  return log.before.length === before && log.after.length === after
    ? checkpoint
    : err(
        finding(
          'header',
          log.log,
          `There are ${log.before.length} hashes before and ${log.after.length} after the part, not ${before} and ${after}.`,
        ),
      )
}

function headsFault(
  crypto: VerifierCrypto,
  { chains }: Header,
  log: HeaderLog,
  keys: LogKeys,
): Finding | null {
  if (chains === null) return null
  for (const [i, head] of log.heads.entries()) {
    const chain = { kind: chains.kind, key: chains.keys[i] as string }
    const fault = headFault(crypto, chain, head, log, keys)
    if (fault !== null) return fault
  }
  return null
}

function headFault(
  crypto: VerifierCrypto,
  chain: { readonly kind: string; readonly key: string },
  head: SignedHead,
  log: HeaderLog,
  keys: LogKeys,
): Finding | null {
  const fault = originFault(log, head.origin, 'the head of the chain')
  if (fault !== null) return fault
  const what = `the head of the chain in ${log.log}`
  const signatures = checkSignatures(crypto, head.note, keys.ed25519, keys.all, what)
  if (!signatures.ok) return finding(signatures.error.code, log.log, signatures.error.sentence)
  if (head.kind !== chain.kind || head.key !== keyHash(crypto, chain.key))
    return finding(
      'chain-key',
      log.log,
      `The head is that of another chain than the one of this ${chain.kind}.`,
    )
  return head.size === log.size
    ? null
    : finding('chain-key', log.log, `The head is as of ${head.size} entries, not as of ${log.size}.`)
}

const keyHash = (crypto: VerifierCrypto, key: string): string =>
  Array.from(crypto.sha256(new TextEncoder().encode(key)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

function listFault(crypto: VerifierCrypto, header: Header, covered: readonly CoveredLog[]): Finding | null {
  const { list } = header
  if (list === null)
    return header.chains === null
      ? null
      : finding('list', 'file', 'The list of logs is missing: nothing shows that no log was left out.')
  const origin = listOrigin(list.text)
  const signer = covered.find((log) => log.header.origin === origin)
  if (signer === undefined)
    return finding(
      'list-signature',
      'file',
      `The list of logs is of ${origin ?? 'no log'}, which is not covered.`,
    )
  const signatures = checkSignatures(crypto, list, signer.keys.ed25519, signer.keys.all, 'the list of logs')
  if (!signatures.ok) return finding('list-signature', 'file', signatures.error.sentence)
  try {
    const parsed = withName('the list of logs', () => parseList(list.text))
    return listContradiction(header, parsed, signer, covered)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return finding('list', 'file', sentenceOf(error))
  }
}

function listContradiction(
  header: Header,
  list: LogList,
  signer: CoveredLog,
  covered: readonly CoveredLog[],
): Finding | null {
  const { log, size } = signer.header
  if (isDecimalLess(list.size, size))
    return finding(
      'list',
      log,
      `The list was signed at ${list.size} entries, before the ${size} of the export.`,
    )
  for (const { header: own } of covered) {
    const listed = list.logs.find((candidate) => candidate.log === own.log)
    if (listed === undefined)
      return finding('list-log', own.log, 'The export covers this log, which is not in the list of logs.')
    const keys = [listed.vkey, ...(listed.mldsa44Vkey === null ? [] : [listed.mldsa44Vkey])]
    if (own.keys.length !== keys.length || own.keys.some((key) => !keys.includes(key)))
      return finding('list', own.log, 'The list of logs names other keys of this log than the header.')
  }
  const names = new Set(covered.map(({ header: own }) => own.log))
  const left = header.chains === null ? undefined : list.logs.find((listed) => !names.has(listed.log))
  return left === undefined
    ? null
    : finding('list-log', left.log, 'This log is in the list of logs and the export leaves it out.')
}
