/** Signed notes of a log as files hold them, and what is wrong with their signatures. */
import { err, ok, type Result } from '../../result.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { FormatError } from '../tlog/errors.ts'
import {
  formatVerifierKey,
  keyTypes,
  type Note,
  type NoteSignature,
  parseNote,
  type VerifierKey,
} from '../tlog/note.ts'
import { checkSignature } from '../tlog/signature.ts'
import type { VerifierCrypto } from './crypto.ts'
import type { Code } from './report.ts'

export interface SignedCheckpoint {
  readonly note: Note
  readonly origin: string
  /** From 1. */
  readonly size: bigint
  readonly root: Uint8Array
}

/**
 * A checkpoint of a log of this record, of which none is empty or has extension lines; its signatures are not checked.
 * @param what how it is called in the error
 * @throws FormatError
 */
export function parseSignedCheckpoint(text: string, what: string): SignedCheckpoint {
  return withName(what, () => {
    const note = parseNote(text)
    const { origin, size, root, extensions } = parseCheckpoint(note.text)
    if (extensions.length > 0) throw new FormatError('the checkpoint has lines after its root.')
    if (size === 0n) throw new FormatError('the checkpoint is of an empty log.')
    return { note, origin, size, root }
  })
}

/** The error as a sentence of its own. */
export const sentenceOf = (error: FormatError): string => capital(error.message)

/** Adds to a FormatError what it is about. */
export function withName<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${capital(what)} is malformed: ${error.message}`)
  }
}

/**
 * A signed note as it was before an editor or a mail program changed its line ends and blank lines. Nothing that a log
 * signs has blank lines inside its text.
 */
export function normalNote(text: string): string {
  const { words, signatures } = linesOfNote(text)
  return [...words, '', ...signatures, ''].join('\n')
}

/** The same of a tlog-proof: three lines and the hashes of a path, then a checkpoint. */
export function normalProof(text: string): string {
  const { words, signatures } = linesOfNote(text)
  const origin = words.findIndex((line, i) => i >= 3 && !/^[A-Za-z0-9+/]{43}=$/.test(line))
  const end = origin === -1 ? words.length : origin
  return [...words.slice(0, end), '', ...words.slice(end), '', ...signatures, ''].join('\n')
}

/** Lines that are not blank: those before the first signature, and from it on. */
function linesOfNote(text: string): {
  readonly words: readonly string[]
  readonly signatures: readonly string[]
} {
  const lines = text.split(/\r*\n/).filter((line) => !/^[ \t\r]*$/.test(line))
  const signed = lines.findIndex((line) => line.startsWith('— '))
  const end = signed === -1 ? lines.length : signed
  return { words: lines.slice(0, end), signatures: lines.slice(end) }
}

/** `Ed25519 1047eb58` */
export function keyLabel(key: VerifierKey): string {
  const algorithm = key.type === keyTypes.mlDsa44Cosignature ? 'ML-DSA-44' : 'Ed25519'
  return `${algorithm} ${formatVerifierKey(key).split('+')[1]}`
}

export interface SignatureFault {
  readonly code: Code & ('signature-missing' | 'signature-invalid' | 'signature-duplicate')
  readonly sentence: string
}

export interface CheckedSignatures {
  /** Those that fit. */
  readonly verified: readonly VerifierKey[]
  /** Sentences. */
  readonly notChecked: readonly string[]
}

/**
 * Checks the signature of every known key.
 * @param required one of `known`, without whose signature the text means nothing
 * @param what how the note is called, e.g. `the checkpoint`
 */
export function checkSignatures(
  crypto: VerifierCrypto,
  note: Note,
  required: VerifierKey,
  known: readonly VerifierKey[],
  what: string,
): Result<CheckedSignatures, SignatureFault> {
  const fault = (code: SignatureFault['code'], sentence: string) => err({ code, sentence })
  if (!note.signatures.some((line) => isBy(line, required)))
    return fault(
      'signature-missing',
      `${capital(what)} has no signature by the key ${keyLabel(required)} of the log.`,
    )
  const verified: VerifierKey[] = []
  const notChecked: string[] = []
  const signers: VerifierKey[] = []
  for (const line of note.signatures) {
    const key = known.find((candidate) => isBy(line, candidate))
    if (key === undefined) {
      notChecked.push(`A signature by ${line.name} on ${what}: its key is not known.`)
      continue
    }
    signers.push(key)
    const { status } = checkSignature(crypto.signatures, key, note.text, line.signature)
    if (status === 'invalid')
      return fault(
        'signature-invalid',
        `The signature by ${key.name} (${keyLabel(key)}) does not fit the text of ${what}: ` +
          'the text was changed, or another key signed it.',
      )
    if (status === 'valid') verified.push(key)
    else notChecked.push(`The signature by ${key.name} on ${what}: its type cannot be checked here.`)
  }
  const twice = signers.find((key, i) => signers.indexOf(key) < i)
  return twice === undefined
    ? ok({ verified, notChecked })
    : fault('signature-duplicate', `${capital(what)} has two signatures by the key ${keyLabel(twice)}.`)
}

const isBy = (line: NoteSignature, key: VerifierKey): boolean =>
  line.name === key.name && line.keyId === key.keyId

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
