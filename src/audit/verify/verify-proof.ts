/** The proof of one entry: a tlog-proof file with the opening of the entry's commitment. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { leafHash } from '../tlog/hash.ts'
import { verifyInclusion } from '../tlog/proof.ts'
import { parseTlogProof, type TlogProof } from '../tlog/tlog-proof.ts'
import type { VerifierCrypto } from './crypto.ts'
import { canonicalText, type EntryFrame, isLogName, isObject, readEntryFrame } from './entry-frame.ts'
import { entryPlace, type Finding, finding, type VerifiedLog } from './report.ts'
import { parseSignedText } from './signed-text.ts'
import {
  knownFault,
  nameFault,
  normalNote,
  readCheckpoint,
  readKeys,
  type Trust,
  type TrustedCheckpoint,
  trustedKeys,
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
  const proof = parseProof(normalNote(text))
  if (typeof proof === 'string') return err(finding('format', 'file', proof))
  const origin = proof.checkpoint.slice(0, proof.checkpoint.indexOf('\n'))
  const log = { log: origin.slice(origin.lastIndexOf('/') + 1), origin, keys: trustedKeys(trust, origin) }
  if (!isLogName(log.log)) return err(finding('format', 'file', `The origin ${origin} is not that of a log.`))
  if (log.keys.length === 0)
    return err(
      finding('key', log.log, 'No key of this log is trusted: a proof has none, a policy must name it.'),
    )
  const keys = readKeys(crypto, trust, log)
  if (!keys.ok) return keys
  const misnamed = nameFault(log)
  if (misnamed !== null) return err(misnamed)
  const note = parseSignedText(proof.checkpoint, 'the checkpoint')
  const checkpoint = readCheckpoint(crypto, trust, log, keys.value, note, 'file')
  if (!checkpoint.ok) return checkpoint
  const known = trust.known.filter((candidate) => candidate.origin === origin)
  for (const one of known) {
    const fault = knownFault(crypto, log.log, keys.value, one, checkpoint.value, null)
    if (fault !== null) return err(fault)
  }
  const fault = entryFault(crypto, log.log, proof, checkpoint.value)
  if (fault !== null) return err(fault)
  const sizes = known.map(({ size }) => String(size))
  return ok({
    log: verifiedLog(log, proof, checkpoint.value, sizes),
    notChecked: checkpoint.value.notChecked,
  })
}

/** A text says what is wrong. */
function parseProof(text: string): TlogProof | string {
  try {
    const proof = parseTlogProof(text)
    return proof.extra === null || proof.extra.length < saltBytes
      ? 'It has no salt and entry in its extra line.'
      : proof
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return error.message
  }
}

function entryFault(
  crypto: VerifierCrypto,
  log: string,
  proof: TlogProof,
  { size, root }: TrustedCheckpoint,
): Finding | null {
  const place = entryPlace(log, proof.index)
  const opening = proof.extra as Uint8Array
  const message = opening.subarray(saltBytes)
  const leaf = new Uint8Array([1, ...crypto.hmacSha256(opening.subarray(0, saltBytes), message)])
  const claim = { leafHash: leafHash(crypto.sha256, leaf), index: proof.index, size, path: proof.path, root }
  if (!verifyInclusion(crypto.sha256, claim))
    return finding(
      'inclusion',
      place,
      `Salt, entry and path of ${proof.path.length} hashes do not lead to the root of the checkpoint of ${size} entries.`,
    )
  const frame = readFrame(message)
  if (typeof frame === 'string')
    return finding('entry', place, `The entry is not of the form it should have: ${frame}.`)
  if (frame.log !== log) return finding('log', place, `The entry is of the log ${frame.log}.`)
  return frame.index === String(proof.index)
    ? null
    : finding('entry', place, `The entry says that its index is ${frame.index}.`)
}

/** The bytes are what the leaf commits to: another form of them is another entry. A text says what is wrong. */
function readFrame(message: Uint8Array): EntryFrame | string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)
    const entry: unknown = JSON.parse(text)
    if (!isObject(entry) || canonicalText(entry) !== text) return 'it is not in canonical form'
    const read = readEntryFrame(entry)
    return read.ok ? read.value : read.error
  } catch {
    return 'it is not JSON in UTF-8'
  }
}

const verifiedLog = (
  { log, origin }: { readonly log: string; readonly origin: string },
  proof: TlogProof,
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
  current: true,
  keys: checkpoint.keys,
  witnesses: checkpoint.witnesses,
  known,
})
