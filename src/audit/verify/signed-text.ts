/** Signed notes of a log as files hold them, and what is wrong with their signatures. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { formatVerifierKey, keyTypes, type NoteSignature, parseNote, type VerifierKey } from '../tlog/note.ts'
import { checkSignature } from '../tlog/signature.ts'
import type { VerifierCrypto } from './crypto.ts'
import type { Code } from './report.ts'

/** A note, perhaps one that has lost all its signatures. */
export interface SignedText {
  /** Ends in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/**
 * @param what how the note is called in the error
 * @throws FormatError
 */
export function parseSignedText(note: string, what: string): SignedText {
  if (!note.includes('\n\n—')) return { text: `${note.trimEnd()}\n`, signatures: [] }
  try {
    return parseNote(note)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`Of ${what}, ${error.message}`)
  }
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
  note: SignedText,
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
  for (const line of note.signatures) {
    const key = known.find((candidate) => isBy(line, candidate))
    if (key === undefined) {
      notChecked.push(`A signature by ${line.name} on ${what}: its key is not known.`)
      continue
    }
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
  const lines = new Set<string>()
  for (const { name, keyId } of note.signatures) {
    if (lines.has(`${name} ${keyId}`))
      return fault('signature-duplicate', `${capital(what)} has two signatures by one key of ${name}.`)
    lines.add(`${name} ${keyId}`)
  }
  return ok({ verified, notChecked })
}

const isBy = (line: NoteSignature, key: VerifierKey): boolean =>
  line.name === key.name && line.keyId === key.keyId

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
