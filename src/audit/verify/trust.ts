/** What a verdict rests on: keys, a policy's quorum, checkpoints known from elsewhere. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { sameBytes } from '../tlog/hash.ts'
import { formatVerifierKey, keyTypes, parseVerifierKey, type VerifierKey } from '../tlog/note.ts'
import { type Policy, parsePolicy } from '../tlog/policy.ts'
import { verifyConsistency } from '../tlog/proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import { nameOfOrigin } from './header.ts'
import { type Finding, finding, type Source } from './report.ts'
import {
  checkSignatures,
  keyLabel,
  normalNote,
  parseSignedCheckpoint,
  type SignedCheckpoint,
  sentenceOf,
  withName,
} from './signed-text.ts'

/** A checkpoint kept from earlier, or had from a witness. */
export interface KnownCheckpoint extends SignedCheckpoint {
  readonly source: Source
}

export interface Trust {
  /** Null: the keys that the file names are used. */
  readonly policy: Policy | null
  readonly known: readonly KnownCheckpoint[]
}

/** @param known texts of signed checkpoints */
export function readTrust(
  crypto: VerifierCrypto,
  policy: string | null,
  known: readonly string[],
): Result<Trust, Finding> {
  const checkpoints: KnownCheckpoint[] = []
  let source: Source = 'policy'
  try {
    const parsed =
      policy === null ? null : withName('the policy', () => parsePolicy(crypto.sha256, normalPolicy(policy)))
    for (const [i, text] of known.entries()) {
      source = i
      checkpoints.push({ ...parseSignedCheckpoint(normalNote(text), 'the known checkpoint'), source })
    }
    return ok({ policy: parsed, known: checkpoints })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const [line = 'file'] =
      source === 'policy' ? (/line \d+(?= of the policy)/.exec(error.message) ?? []) : []
    return err(finding('format', line, sentenceOf(error), source))
  }
}

/** As it was before an editor changed its line ends. */
const normalPolicy = (text: string): string => {
  const lines = text.replaceAll('\r\n', '\n')
  return lines.endsWith('\n') ? lines : `${lines}\n`
}

export interface LogKeys {
  readonly ed25519: VerifierKey
  /** That one and those beside it. */
  readonly all: readonly VerifierKey[]
}

/** The keys of a log, if they are named after its origin and, with a policy, trusted. */
export function readKeys(
  crypto: VerifierCrypto,
  trust: Trust,
  log: { readonly log: string; readonly origin: string; readonly keys: readonly string[] },
): Result<LogKeys, Finding> {
  const fail = (sentence: string) => err(finding('key', log.log, sentence))
  const keys: VerifierKey[] = []
  for (const vkey of log.keys) {
    const key = parseKey(crypto, vkey)
    if (typeof key === 'string') return fail(`A key of the log is malformed: ${key}`)
    if (key.name !== log.origin)
      return fail(`The key ${keyLabel(key)} is named after ${key.name}, not after the origin ${log.origin}.`)
    keys.push(key)
  }
  const [ed25519, ...more] = keys.filter(({ type }) => type === keyTypes.ed25519)
  const [mlDsa44, ...others] = keys.filter(({ type }) => type === keyTypes.mlDsa44Cosignature)
  if (ed25519 === undefined) return fail('The log has no Ed25519 key.')
  if (keys.length > (mlDsa44 === undefined ? 1 : 2) || more.length + others.length > 0)
    return fail('The log has other keys than one of Ed25519 and perhaps one of ML-DSA-44.')
  const second = mlDsa44 === undefined ? [] : [mlDsa44]
  if (trust.policy === null) return ok({ ed25519, all: [ed25519, ...second] })
  const trusted = trust.policy.logs.map(({ key }) => key).filter(({ name }) => name === log.origin)
  const isTrusted = (key: VerifierKey): boolean =>
    trusted.some((one) => formatVerifierKey(one) === formatVerifierKey(key))
  // A policy may name only the first key: then the second counts for nothing.
  const judged = second.filter(({ type }) => trusted.some((one) => one.type === type))
  const foreign = [ed25519, ...judged].find((key) => !isTrusted(key))
  return foreign === undefined
    ? ok({ ed25519, all: [ed25519, ...judged] })
    : fail(`The policy does not name the key ${keyLabel(foreign)} as one of this log.`)
}

/** A text says what is wrong. */
function parseKey(crypto: VerifierCrypto, vkey: string): VerifierKey | string {
  try {
    return parseVerifierKey(crypto.sha256, vkey)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return error.message
  }
}

/** The keys that the policy trusts for this origin, as texts. */
export const trustedKeys = ({ policy }: Trust, origin: string): string[] =>
  (policy?.logs ?? []).filter(({ key }) => key.name === origin).map(({ key }) => formatVerifierKey(key))

export interface TrustedCheckpoint {
  readonly size: bigint
  readonly root: Uint8Array
  /** Labels of the log's keys that signed. */
  readonly keys: readonly string[]
  /** Names of the policy's witnesses that cosigned. */
  readonly witnesses: readonly string[]
  readonly notChecked: readonly string[]
}

/** `origin`, `signature-*`, `quorum` of a checkpoint. */
export function judgeCheckpoint(
  crypto: VerifierCrypto,
  trust: Trust,
  log: { readonly log: string; readonly origin: string },
  keys: LogKeys,
  checkpoint: SignedCheckpoint,
): Result<TrustedCheckpoint, Finding> {
  const fault = originFault(log, checkpoint.origin, 'the checkpoint')
  if (fault !== null) return err(fault)
  const witnesses = trust.policy?.witnesses ?? []
  const known = [...keys.all, ...witnesses.map(({ key }) => key)]
  const what = `the checkpoint of ${log.log}`
  const signatures = checkSignatures(crypto, checkpoint.note, keys.ed25519, known, what)
  if (!signatures.ok) return err(finding(signatures.error.code, log.log, signatures.error.sentence))
  const { verified, notChecked } = signatures.value
  const names = witnesses.filter(({ key }) => verified.includes(key)).map(({ name }) => name)
  if (trust.policy !== null && !trust.policy.isQuorum(new Set(names)))
    return err(
      finding(
        'quorum',
        log.log,
        `The checkpoint is cosigned by ${names.join(', ') || 'no witness of the policy'}, which is not the quorum.`,
      ),
    )
  return ok({
    size: checkpoint.size,
    root: checkpoint.root,
    keys: keys.all.filter((key) => verified.includes(key)).map(keyLabel),
    witnesses: names,
    notChecked,
  })
}

/** `origin`: of a note that states its origin in a line. */
export function originFault(
  log: { readonly log: string; readonly origin: string },
  origin: string,
  what: string,
): Finding | null {
  return origin === log.origin
    ? null
    : finding('origin', log.log, `The origin of ${what} is ${origin}, not ${log.origin}.`)
}

/**
 * `known-*`: whether a log's history begins with what was known of it.
 * @param path consistency proof from the size of the known checkpoint; null: there is none
 */
export function knownFault(
  crypto: VerifierCrypto,
  log: string,
  keys: LogKeys,
  known: KnownCheckpoint,
  checkpoint: { readonly size: bigint; readonly root: Uint8Array } | null,
  path: readonly Uint8Array[] | null,
): Finding | null {
  const signatures = checkSignatures(crypto, known.note, keys.ed25519, keys.all, 'the known checkpoint')
  if (!signatures.ok) return finding(signatures.error.code, log, signatures.error.sentence, known.source)
  if (checkpoint === null || known.size > checkpoint.size)
    return finding(
      'known-unproved',
      log,
      `The known checkpoint has ${known.size} entries, more than the ${checkpoint?.size ?? 0n} of this one.`,
    )
  if (known.size === checkpoint.size)
    return sameBytes(known.root, checkpoint.root)
      ? null
      : finding('known-fork', log, `Two checkpoints of ${known.size} entries have different roots.`)
  if (path === null)
    return finding(
      'known-unproved',
      log,
      `There is no consistency proof from the known ${known.size} entries.`,
    )
  const claim = {
    from: known.size,
    to: checkpoint.size,
    path,
    fromRoot: known.root,
    toRoot: checkpoint.root,
  }
  return verifyConsistency(crypto.sha256, claim)
    ? null
    : finding(
        'known-fork',
        log,
        `The log of ${checkpoint.size} entries is not shown to begin with the known ${known.size}.`,
      )
}

/** `known-unproved`: a known checkpoint of a log that is not there. */
export function uncoveredFault(trust: Trust, origins: ReadonlySet<string>): Finding | null {
  const known = trust.known.find(({ origin }) => !origins.has(origin))
  return known === undefined
    ? null
    : finding(
        'known-unproved',
        nameOfOrigin(known.origin) ?? 'file',
        `The known checkpoint is of ${known.origin}, of which there is nothing here.`,
      )
}
