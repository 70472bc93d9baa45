/** What a verdict rests on: keys, a policy's quorum, checkpoints known from elsewhere. */
import { err, ok, type Result } from '../../result.ts'
import { type Checkpoint, parseCheckpoint } from '../tlog/checkpoint.ts'
import { FormatError } from '../tlog/errors.ts'
import { sameBytes } from '../tlog/hash.ts'
import { formatVerifierKey, keyTypes, parseVerifierKey, type VerifierKey } from '../tlog/note.ts'
import { type Policy, parsePolicy } from '../tlog/policy.ts'
import { verifyConsistency } from '../tlog/proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import { type Finding, finding, type Source } from './report.ts'
import { checkSignatures, keyLabel, parseSignedText, type SignedText } from './signed-text.ts'

/** A checkpoint kept from earlier, or had from a witness. */
export interface KnownCheckpoint {
  readonly note: SignedText
  readonly origin: string
  readonly size: bigint
  readonly root: Uint8Array
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
    const parsed = policy === null ? null : parsePolicy(crypto.sha256, policy.replaceAll('\r\n', '\n'))
    for (const [i, text] of known.entries()) {
      source = i
      const note = parseSignedText(normalNote(text), 'the known checkpoint')
      const { origin, size, root } = parseCheckpoint(note.text)
      checkpoints.push({ note, origin, size, root, source })
    }
    return ok({ policy: parsed, known: checkpoints })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return err(finding('format', 'file', error.message, source))
  }
}

/** A note, or what ends in one, as it was before an editor or a mail program changed its line ends. */
export const normalNote = (text: string): string => `${text.replaceAll('\r\n', '\n').trim()}\n`

export interface LogKeys {
  readonly ed25519: VerifierKey
  /** That one and those beside it. */
  readonly all: readonly VerifierKey[]
}

/** The keys of a log, if they are named after its origin and, with a policy, trusted. */
export function readKeys(
  crypto: VerifierCrypto,
  { policy }: Trust,
  log: { readonly log: string; readonly origin: string; readonly keys: readonly string[] },
): Result<LogKeys, Finding> {
  const fail = (sentence: string) => err(finding('key', log.log, sentence))
  const keys: VerifierKey[] = []
  for (const vkey of log.keys) {
    const key = parseKey(crypto, vkey)
    if (typeof key === 'string') return fail(`A key of the log is malformed: ${key}`)
    if (key.name !== log.origin)
      return fail(`The key ${keyLabel(key)} is named after ${key.name}, not after the origin ${log.origin}.`)
    const trusted = policy?.logs.some((known) => formatVerifierKey(known.key) === vkey) ?? true
    if (!trusted) return fail(`The policy does not name the key ${keyLabel(key)} as one of this log.`)
    keys.push(key)
  }
  const [ed25519, another] = keys.filter(({ type }) => type === keyTypes.ed25519)
  const others = keys.filter(({ type }) => type === keyTypes.mlDsa44Cosignature)
  if (ed25519 === undefined) return fail('The log has no Ed25519 key.')
  if (another !== undefined || others.length > 1 || others.length + 1 !== keys.length)
    return fail('The log has other keys than one of Ed25519 and perhaps one of ML-DSA-44.')
  return ok({ ed25519, all: keys })
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

/**
 * `origin`, `signature-*`, `quorum` of a checkpoint; and `format`, of one that the log signed though it is none.
 * @param place where `format` is told
 */
export function readCheckpoint(
  crypto: VerifierCrypto,
  trust: Trust,
  log: { readonly log: string; readonly origin: string },
  keys: LogKeys,
  note: SignedText,
  place: string,
): Result<TrustedCheckpoint, Finding> {
  const fault = originFault(log, note.text.split('\n')[0], 'the checkpoint')
  if (fault !== null) return err(fault)
  const witnesses = trust.policy?.witnesses ?? []
  const known = [...keys.all, ...witnesses.map(({ key }) => key)]
  const signatures = checkSignatures(crypto, note, keys.ed25519, known, `the checkpoint of ${log.log}`)
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
  const checkpoint = parsed(note.text)
  if (typeof checkpoint === 'string') return err(finding('format', place, checkpoint))
  const signed = keys.all.filter((key) => verified.includes(key)).map(keyLabel)
  return ok({
    size: checkpoint.size,
    root: checkpoint.root,
    keys: signed,
    witnesses: names,
    notChecked,
  })
}

/** A text says what is wrong. */
function parsed(text: string): Checkpoint | string {
  try {
    return parseCheckpoint(text)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return `The log signed what is no checkpoint: ${error.message}`
  }
}

/** `origin`: of a note that states its origin in a line. */
export function originFault(
  log: { readonly log: string; readonly origin: string },
  origin: string | undefined,
  what: string,
): Finding | null {
  if (origin === log.origin) return null
  return finding('origin', log.log, `The origin of ${what} is ${origin ?? 'missing'}, not ${log.origin}.`)
}

/** `origin`: of a log whose own origin does not end in its name. */
export const nameFault = ({
  log,
  origin,
}: {
  readonly log: string
  readonly origin: string
}): Finding | null =>
  origin.endsWith(`/audit/logs/${log}`)
    ? null
    : finding('origin', log, `The origin ${origin} is not that of a log of this name.`)

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

/** Sentences about known checkpoints of logs that are not there. */
export const unusedKnown = (trust: Trust, origins: ReadonlySet<string>): string[] =>
  trust.known
    .filter(({ origin }) => !origins.has(origin))
    .map(
      ({ origin, size }) => `The known checkpoint of ${origin} with ${size} entries: that log is not there.`,
    )
