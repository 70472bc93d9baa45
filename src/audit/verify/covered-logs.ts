/** The logs of an export's header, each with what its keys vouch for: steps 2 and 3 of `docs/audit-log.md` §5. */
import { err, ok, type Result } from '../../result.ts'
import { completeSubtrees } from '../tlog/proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import type { Header, HeaderLog } from './header.ts'
import { type Finding, finding } from './report.ts'
import { checkSignatures } from './signed-text.ts'
import {
  type Head,
  isListCurrent,
  type LogList,
  parseHead,
  parseList,
  statementOrigin,
} from './statements.ts'
import {
  knownFault,
  type LogKeys,
  nameFault,
  originFault,
  readCheckpoint,
  readKeys,
  type Trust,
  type TrustedCheckpoint,
} from './trust.ts'

export interface CoveredLog {
  readonly header: HeaderLog
  readonly keys: LogKeys
  /** Null: the log is empty. */
  readonly checkpoint: TrustedCheckpoint | null
  /** Of the chain that is exported; null: none is. */
  readonly head: Head | null
  /** Sizes of the known checkpoints it agrees with. */
  readonly known: readonly string[]
}

/** @param place `line <n>` of the header */
export function coverLogs(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
  place: string,
): Result<readonly CoveredLog[], Finding> {
  const covered: CoveredLog[] = []
  for (const log of header.logs) {
    const one = coverLog(crypto, trust, header, log, place)
    if (!one.ok) return one
    covered.push(one.value)
  }
  const fault = listFault(crypto, header, covered)
  return fault === null ? ok(covered) : err(fault)
}

function coverLog(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
  log: HeaderLog,
  place: string,
): Result<CoveredLog, Finding> {
  const keys = readKeys(crypto, trust, log)
  if (!keys.ok) return keys
  const misnamed = nameFault(log)
  if (misnamed !== null) return err(misnamed)
  const checkpoint = readLogCheckpoint(crypto, trust, header, log, keys.value, place)
  if (!checkpoint.ok) return checkpoint
  const head = readHead(crypto, header, log, keys.value, place)
  if (!head.ok) return head
  const known: string[] = []
  for (const checkpointKnown of trust.known.filter(({ origin }) => origin === log.origin)) {
    const path = log.known?.size === String(checkpointKnown.size) ? log.known.proof : null
    const fault = knownFault(crypto, log.log, keys.value, checkpointKnown, checkpoint.value, path)
    if (fault !== null) return err(fault)
    known.push(String(checkpointKnown.size))
  }
  return ok({ header: log, keys: keys.value, checkpoint: checkpoint.value, head: head.value, known })
}

function readLogCheckpoint(
  crypto: VerifierCrypto,
  trust: Trust,
  header: Header,
  log: HeaderLog,
  keys: LogKeys,
  place: string,
): Result<TrustedCheckpoint | null, Finding> {
  if (log.checkpoint === null) return ok(null)
  const checkpoint = readCheckpoint(crypto, trust, log, keys, log.checkpoint, place)
  if (!checkpoint.ok) return checkpoint
  const { size } = checkpoint.value
  if (size < BigInt(log.size))
    return err(
      finding(
        'checkpoint-older',
        log.log,
        `The checkpoint has ${size} entries, fewer than the ${log.size} of the log when the export began.`,
      ),
    )
  if (header.completeness === 'range') {
    const before = completeSubtrees(0n, BigInt(log.first)).length
    const after = completeSubtrees(BigInt(log.end), size).length
    if (log.before.length !== before || log.after.length !== after)
      return err(
        finding(
          'header',
          log.log,
          `There are ${log.before.length} hashes before and ${log.after.length} after the part, not ${before} and ${after}.`,
        ),
      )
  }
  return checkpoint
}

function readHead(
  crypto: VerifierCrypto,
  header: Header,
  log: HeaderLog,
  keys: LogKeys,
  place: string,
): Result<Head | null, Finding> {
  if (log.head === null || header.chain === null) return ok(null)
  const fault = originFault(log, statementOrigin(log.head.text), 'the head of the chain')
  if (fault !== null) return err(fault)
  const what = `the head of the chain in ${log.log}`
  const signatures = checkSignatures(crypto, log.head, keys.ed25519, keys.all, what)
  if (!signatures.ok) return err(finding(signatures.error.code, log.log, signatures.error.sentence))
  const head = parseHead(log.head.text)
  if (!head.ok) return err(finding('format', place, head.error))
  const { kind, key } = header.chain
  const { size } = log
  if (head.value.kind === kind && head.value.key === keyHash(crypto, key) && head.value.size === size)
    return ok(head.value)
  return err(
    finding(
      'chain-key',
      log.log,
      `The head is of another chain than the ${kind}'s, or of the log's first ${head.value.size} entries, not ${size}.`,
    ),
  )
}

const keyHash = (crypto: VerifierCrypto, key: string): string =>
  Array.from(crypto.sha256(new TextEncoder().encode(key)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

function listFault(crypto: VerifierCrypto, header: Header, covered: readonly CoveredLog[]): Finding | null {
  const { list } = header
  if (list === null)
    return header.chain === null
      ? null
      : finding('list', 'file', 'The list of logs is missing: nothing shows that no log was left out.')
  const origin = statementOrigin(list.text)
  const signer = covered.find((log) => log.header.origin === origin)
  if (signer === undefined)
    return finding(
      'list-signature',
      'file',
      `The list of logs is of ${origin ?? 'no log'}, which is not covered.`,
    )
  const signatures = checkSignatures(crypto, list, signer.keys.ed25519, signer.keys.all, 'the list of logs')
  if (!signatures.ok) return finding('list-signature', 'file', signatures.error.sentence)
  const parsed = parseList(list.text)
  if (!parsed.ok) return finding('list', 'file', `The list of logs is malformed. ${parsed.error}`)
  return listContradiction(header, parsed.value, signer, covered)
}

function listContradiction(
  header: Header,
  list: LogList,
  signer: CoveredLog,
  covered: readonly CoveredLog[],
): Finding | null {
  const { log, size } = signer.header
  if (!isListCurrent(list.size, size))
    return finding(
      'list',
      log,
      `The list was signed at ${list.size} entries, before the ${size} of the export.`,
    )
  for (const { header: own } of covered) {
    const listed = list.logs.find((candidate) => candidate.log === own.log)
    if (listed === undefined) continue
    const keys = [listed.vkey, ...(listed.mldsa44Vkey === null ? [] : [listed.mldsa44Vkey])]
    if (own.keys.length !== keys.length || own.keys.some((key) => !keys.includes(key)))
      return finding('list', own.log, 'The list of logs names other keys of this log than the header.')
  }
  const names = new Set(covered.map(({ header: own }) => own.log))
  const left = header.chain === null ? undefined : list.logs.find((listed) => !names.has(listed.log))
  if (left !== undefined)
    return finding('list-log', left.log, 'This log is in the list of logs and the export leaves it out.')
  const foreign = covered.find(({ header: own }) => !list.logs.some((listed) => listed.log === own.log))
  return foreign === undefined
    ? null
    : finding('list-log', foreign.header.log, 'The export covers this log, which is not in the list of logs.')
}
