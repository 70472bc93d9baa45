/** Signed notes and the keys that verify them (C2SP signed-note). What is signed, and how, is in `signature.ts`. */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { FormatError, quote } from './errors.ts'
import type { Sha256 } from './hash.ts'
import { checkText, splitLines, utf8Bytes } from './lines.ts'

/** A line of the form `— name base64(key id ‖ signature)`. */
export interface NoteSignature {
  readonly name: string
  /** A uint32. */
  readonly keyId: number
  /** What follows the key id: at least one byte. */
  readonly signature: Uint8Array
}

export interface Note {
  /** Ends in a newline. */
  readonly text: string
  /** From 1 to 64. */
  readonly signatures: readonly NoteSignature[]
}

/** C2SP signed-note asks for a limit of 16 or more. A log key or two and every witness of a large network fit. */
export const maxSignatures = 64

const keyIdBytes = 4

/** @throws FormatError */
export function parseNote(text: string): Note {
  checkText(text, 'the note')
  // The text may have empty lines of its own: the last one separates it from the signatures.
  const split = text.lastIndexOf('\n\n')
  if (split === -1) throw new FormatError('the note has no empty line between its text and its signatures.')
  return { text: text.slice(0, split + 1), signatures: parseSignatureLines(text.slice(split + 2)) }
}

/** @throws FormatError on what `parseNote` would not read back */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  checkText(text, 'the text of the note')
  if (!text.endsWith('\n')) throw new FormatError('the text of the note must end in a newline.')
  checkSignatureCount(signatures.length)
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`
}

/** The signature as it stands in a note, with its newline. */
export function formatSignatureLine(signature: NoteSignature): string {
  checkKeyName(signature.name, 'the key name of a signature')
  if (signature.signature.length === 0) throw new FormatError('a signature must not be empty.')
  const bytes = new Uint8Array([...keyIdToBytes(signature.keyId), ...signature.signature])
  return `— ${signature.name} ${encodeBase64(bytes)}\n`
}

/**
 * One or more signature lines, as a note ends in them and as a witness answers with them.
 * @throws FormatError
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  checkText(text, 'the signatures')
  const lines = splitLines(text, 'the signatures')
  checkSignatureCount(lines.length)
  return lines.map((line, i) => parseSignatureLine(line, `signature line ${i + 1}`))
}

function parseSignatureLine(line: string, what: string): NoteSignature {
  const [dash, name, base64, ...more] = line.split(' ')
  if (dash !== '—' || name === undefined || base64 === undefined || more.length > 0)
    throw new FormatError(`${what} must be an em dash, a name and base64, one space between: ${quote(line)}.`)
  checkKeyName(name, `the key name of ${what}`)
  const bytes = decodeBase64(base64, what)
  if (bytes.length <= keyIdBytes) throw new FormatError(`${what} must hold a key id and a signature.`)
  return { name, keyId: readKeyId(bytes), signature: bytes.slice(keyIdBytes) }
}

function checkSignatureCount(count: number): void {
  if (count === 0 || count > maxSignatures)
    throw new FormatError(`a note has 1 to ${maxSignatures} signatures, not ${count}.`)
}

/** Signature types of C2SP signed-note that are understood here. */
export const keyTypes = { ed25519: 0x01, ed25519Cosignature: 0x04, mlDsa44Cosignature: 0x06 } as const

/** Bytes of the public key, by type. */
const publicKeyBytes: ReadonlyMap<number, number> = new Map([
  [keyTypes.ed25519, 32],
  [keyTypes.ed25519Cosignature, 32],
  [keyTypes.mlDsa44Cosignature, 1312],
])

export interface VerifierKey {
  readonly name: string
  /** The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key), a uint32. */
  readonly keyId: number
  /** One of `keyTypes`, or another byte: a key that is known but cannot be checked. */
  readonly type: number
  readonly publicKey: Uint8Array
}

/**
 * The key with its key id.
 * @throws FormatError when the name cannot be a key name or the public key has not the length of its type
 */
export function verifierKey(sha256: Sha256, name: string, type: number, publicKey: Uint8Array): VerifierKey {
  checkKeyName(name, 'the name of the key')
  if (!Number.isInteger(type) || type < 0 || type > 0xff)
    throw new FormatError(`the type of a key is one byte, not ${type}.`)
  const expected = publicKeyBytes.get(type)
  if (publicKey.length === 0 || (expected !== undefined && publicKey.length !== expected))
    throw new FormatError(
      `the public key ${quote(name)} of type ${type} must have ${expected ?? 'some'} bytes, not ${publicKey.length}.`,
    )
  const id = sha256(new Uint8Array([...utf8Bytes(`${name}\n`), type, ...publicKey]))
  return { name, keyId: readKeyId(id), type, publicKey }
}

/**
 * A key written as `name+key id+base64(type ‖ public key)`.
 * @throws FormatError also when the key id is not the one of the key; so are keys of type 0x02 refused, which count
 * theirs in another way
 */
export function parseVerifierKey(sha256: Sha256, vkey: string): VerifierKey {
  // Base64 may hold a plus of its own: only the first two separate.
  const [, name, id, base64] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(vkey) ?? []
  if (name === undefined || id === undefined || base64 === undefined)
    throw new FormatError(
      `a verifier key is a name, a key id and base64 with a plus between: ${quote(vkey)}.`,
    )
  if (!/^[0-9a-f]{8}$/.test(id))
    throw new FormatError(
      `the key id of ${quote(name)} must be eight lowercase hex digits, not ${quote(id)}.`,
    )
  const [type, ...publicKey] = decodeBase64(base64, `the verifier key ${quote(name)}`)
  if (type === undefined) throw new FormatError(`the verifier key ${quote(name)} has no type.`)
  const key = verifierKey(sha256, name, type, new Uint8Array(publicKey))
  if (key.keyId !== Number.parseInt(id, 16))
    throw new FormatError(`the key id of ${quote(name)} must be ${keyIdHex(key.keyId)}, not ${id}.`)
  return key
}

export const formatVerifierKey = (key: VerifierKey): string =>
  `${key.name}+${keyIdHex(key.keyId)}+${encodeBase64(new Uint8Array([key.type, ...key.publicKey]))}`

const keyIdHex = (keyId: number): string => keyId.toString(16).padStart(8, '0')

/** The uint32 at the beginning, most significant byte first. */
const readKeyId = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, keyIdBytes).getUint32(0)

function keyIdToBytes(keyId: number): Uint8Array {
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 0xffff_ffff)
    throw new FormatError(`a key id is a number of 32 bits, not ${keyId}.`)
  const bytes = new Uint8Array(keyIdBytes)
  new DataView(bytes.buffer).setUint32(0, keyId)
  return bytes
}

function checkKeyName(name: string, what: string): void {
  checkText(name, what)
  if (name === '') throw new FormatError(`${what} must not be empty.`)
  if (/[\p{White_Space}+]/u.test(name))
    throw new FormatError(`${what} must have neither spaces nor a plus: ${quote(name)}.`)
}
