/** The proof of one entry: a tlog-proof file with the opening of the entry's commitment. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { leafHash } from '../tlog/hash.ts'
import { verifyInclusion } from '../tlog/proof.ts'
import { parseTlogProof } from '../tlog/tlog-proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import { canonicalText, isObject, readEntryFrame } from './entry-frame.ts'
import { nameOfOrigin } from './header.ts'
import { entryPlace, type Finding, finding, type VerifiedLog } from './report.ts'
import { normalProof, parseSignedCheckpoint, type SignedCheckpoint, sentenceOf } from './signed-text.ts'
import { parseJson } from './strict-json.ts'
import {
  judgeCheckpoint,
  knownFault,
  readKeys,
  type Trust,
  type TrustedCheckpoint,
  trustedKeys,
  uncoveredFault,
} from './trust.ts'

const saltBytes = 32

export interface VerifiedProof {
  readonly log: VerifiedLog
  readonly notChecked: readonly string[]
}

export function verifyProof(
  crypto: VerifierCrypto,
  trust: Trust,
  text: string,
): Result<VerifiedProof, Finding> {
  const proof = parseProof(normalProof(text))
  if (typeof proof === 'string') return err(finding('format', 'file', proof))
  const { origin } = proof.checkpoint
  const name = nameOfOrigin(origin)
  if (name === null) return err(finding('origin', 'file', `The origin ${origin} is not that of a log.`))
  const log = { log: name, origin, keys: trustedKeys(trust, origin) }
  if (log.keys.length === 0)
    return err(
      finding('key', name, 'No key of this log is trusted: a proof has none, a policy must name it.'),
    )
  const keys = readKeys(crypto, trust, log)
  if (!keys.ok) return keys
  const checkpoint = judgeCheckpoint(crypto, trust, log, keys.value, proof.checkpoint)
  if (!checkpoint.ok) return checkpoint
  for (const known of trust.known.filter((candidate) => candidate.origin === origin)) {
    const forked = knownFault(crypto, name, keys.value, known, checkpoint.value, null)
    if (forked !== null) return err(forked)
  }
  const fault = uncoveredFault(trust, new Set([origin])) ?? entryFault(crypto, name, proof, checkpoint.value)
  if (fault !== null) return err(fault)
  const known = trust.known.map(({ size }) => String(size))
  return ok({
    log: verifiedLog(log, proof, checkpoint.value, known),
    notChecked: checkpoint.value.notChecked,
  })
}

interface ParsedProof {
  readonly index: bigint
  readonly path: readonly Uint8Array[]
  readonly salt: Uint8Array
  readonly entry: object
  /** Canonical text of the entry. */
  readonly text: string
  readonly checkpoint: SignedCheckpoint
}

/** A text says what is wrong. */
function parseProof(file: string): ParsedProof | string {
  try {
    const { extra, index, path, checkpoint } = parseTlogProof(file)
    if (extra === null || extra.length < saltBytes) return 'It has no salt and entry in its extra line.'
    const entry = parseJson(decodeUtf8(extra.subarray(saltBytes)))
    const text = isObject(entry) ? canonicalText(entry) : null
    if (!isObject(entry) || text === null) return 'The entry in its extra line is no JSON object.'
    return {
      index,
      path,
      salt: extra.slice(0, saltBytes),
      entry,
      text,
      checkpoint: parseSignedCheckpoint(checkpoint, 'the checkpoint'),
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return sentenceOf(error)
  }
}

/** What is not UTF-8 is no JSON either. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return ''
  }
}

function entryFault(
  crypto: VerifierCrypto,
  log: string,
  { index, path, salt, entry, text }: ParsedProof,
  { size, root }: TrustedCheckpoint,
): Finding | null {
  const place = entryPlace(log, index)
  const { log: told } = entry as { readonly log?: unknown }
  if (typeof told === 'string' && told !== log)
    return finding('log', place, `The entry is of the log ${told.slice(0, 60)}.`)
  const frame = readEntryFrame(entry)
  if (!frame.ok)
    return finding('entry', place, `The entry is not of the form it should have: ${frame.error}.`)
  const leaf = new Uint8Array([1, ...crypto.hmacSha256(salt, new TextEncoder().encode(text))])
  const claim = { leafHash: leafHash(crypto.sha256, leaf), index, size, path, root }
  if (!verifyInclusion(crypto.sha256, claim))
    return finding(
      'inclusion',
      place,
      `Salt, entry and path of ${path.length} hashes do not lead to the root of the checkpoint of ${size} entries.`,
    )
  return frame.value.index === String(index)
    ? null
    : finding('entry', place, `The entry says that its index is ${frame.value.index}.`)
}

const verifiedLog = (
  { log, origin }: { readonly log: string; readonly origin: string },
  proof: ParsedProof,
  checkpoint: TrustedCheckpoint,
  known: readonly string[],
): VerifiedLog => ({
  log,
  origin,
  checkpointSize: String(checkpoint.size),
  first: String(proof.index),
  end: String(proof.index + 1n),
  entries: 1,
  redacted: 0,
  pruned: 0,
  current: true,
  keys: checkpoint.keys,
  witnesses: checkpoint.witnesses,
  known,
})
