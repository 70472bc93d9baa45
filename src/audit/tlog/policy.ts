/** Which logs are trusted, and how many of which witnesses must have cosigned (C2SP tlog-policy). */
import { encodeBase64 } from './base64.ts'
import { FormatError, quote } from './errors.ts'
import type { Sha256 } from './hash.ts'
import { splitLines } from './lines.ts'
import { keyTypes, parseVerifierKey, type VerifierKey } from './note.ts'
import { parseSize } from './size.ts'

export interface Policy {
  /** A checkpoint must be signed by one of them, and its origin be the name of that key. */
  readonly logs: readonly { readonly key: VerifierKey; readonly url: string | null }[]
  /** Names mean something within the policy only; the key has its own. */
  readonly witnesses: readonly {
    readonly name: string
    readonly key: VerifierKey
    readonly url: string | null
  }[]
  /** Whether the witnesses of these names, by which a checkpoint is validly cosigned, are enough. */
  isQuorum(witnessNames: ReadonlySet<string>): boolean
  /** False for `quorum none`: no cosignature is asked for. */
  readonly needsQuorum: boolean
}

/** Lines that define something. C2SP tlog-policy asks for room for 32 logs, 32 witnesses and 32 groups. */
export const maxDefinitions = 1024

interface Group {
  readonly name: string
  readonly threshold: bigint
  readonly members: readonly string[]
}

const logTypes: readonly number[] = Object.values(keyTypes)
const witnessTypes: readonly number[] = [keyTypes.ed25519Cosignature, keyTypes.mlDsa44Cosignature]

/** @throws FormatError that names the line */
export function parsePolicy(sha256: Sha256, text: string): Policy {
  checkCharacters(text)
  const reader = new PolicyReader(sha256)
  // A policy cut off within its last line could still be one, of another quorum: every line must end in a newline.
  splitLines(text, 'the policy').forEach((line, i) => {
    const [directive, ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
    if (directive === undefined || directive.startsWith('#')) return
    try {
      reader.read(directive, items)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      throw new FormatError(`line ${i + 1} of the policy: ${error.message}`)
    }
  })
  return reader.policy()
}

/** Definitions as far as they were read. */
class PolicyReader {
  readonly #sha256: Sha256
  readonly #logs: { key: VerifierKey; url: string | null }[] = []
  readonly #witnesses: { name: string; key: VerifierKey; url: string | null }[] = []
  readonly #groups: Group[] = []
  readonly #names = new Set<string>()
  readonly #members = new Set<string>()
  /** Of logs and of witnesses: a log that cosigns its own checkpoints is no witness. */
  readonly #keys = new Set<string>()
  #quorum: string | null = null
  #definitions = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  read(directive: string, items: readonly string[]): void {
    this.#definitions += 1
    if (this.#definitions > maxDefinitions) throw new FormatError(`more than ${maxDefinitions} definitions.`)
    switch (directive) {
      case 'log':
        this.#readLog(items)
        break
      case 'witness':
        this.#readWitness(items)
        break
      case 'group':
        this.#readGroup(items)
        break
      case 'quorum':
        this.#readQuorum(items)
        break
      default:
        throw new FormatError(`${quote(directive)} is not log, witness, group or quorum.`)
    }
  }

  policy(): Policy {
    const quorum = this.#quorum
    if (quorum === null) throw new FormatError('the policy must have a quorum line.')
    const known = new Set(this.#witnesses.map(({ name }) => name))
    const groups = [...this.#groups]
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      needsQuorum: quorum !== 'none',
      isQuorum(witnessNames) {
        // Groups stand in the order of their definition, members before the groups they are in.
        const witnessed = new Set([...witnessNames].filter((name) => known.has(name)))
        for (const { name, threshold, members } of groups) {
          if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name)
        }
        return quorum === 'none' || witnessed.has(quorum)
      },
    }
  }

  #readLog(items: readonly string[]): void {
    const [vkey, url = null] = items
    if (vkey === undefined || items.length > 2) throw new FormatError('a log has a key and perhaps a URL.')
    this.#logs.push({ key: this.#readKey(vkey, logTypes), url })
  }

  #readWitness(items: readonly string[]): void {
    const [name, vkey, url = null] = items
    if (name === undefined || vkey === undefined || items.length > 3)
      throw new FormatError('a witness has a name, a key and perhaps a URL.')
    this.#define(name)
    this.#witnesses.push({ name, key: this.#readKey(vkey, witnessTypes), url })
  }

  #readGroup(items: readonly string[]): void {
    const [name, threshold, ...members] = items
    if (name === undefined || threshold === undefined || members.length === 0)
      throw new FormatError('a group has a name, a threshold and a member or more.')
    for (const member of members) {
      if (!this.#names.has(member))
        throw new FormatError(`the member ${quote(member)} is not defined before.`)
      if (this.#members.has(member))
        throw new FormatError(`the member ${quote(member)} is in a group already.`)
      this.#members.add(member)
    }
    this.#define(name)
    this.#groups.push({ name, threshold: parseThreshold(threshold, members.length), members })
  }

  #readQuorum(items: readonly string[]): void {
    const [name] = items
    if (name === undefined || items.length > 1) throw new FormatError('a quorum has one name.')
    if (this.#quorum !== null) throw new FormatError('there is a quorum line already.')
    if (name !== 'none' && !this.#names.has(name))
      throw new FormatError(`the quorum ${quote(name)} is not defined before.`)
    this.#quorum = name
  }

  /** Witnesses and groups share their names; `none` is taken. */
  #define(name: string): void {
    if (name === 'none') throw new FormatError('the name "none" cannot be defined.')
    if (this.#names.has(name)) throw new FormatError(`the name ${quote(name)} is defined already.`)
    this.#names.add(name)
  }

  /** The same public key under another name or type is still the same key, and would count twice. */
  #readKey(vkey: string, types: readonly number[]): VerifierKey {
    const key = parseVerifierKey(this.#sha256, vkey)
    if (!types.includes(key.type))
      throw new FormatError(`the key ${quote(key.name)} has the type ${key.type}, which does not fit.`)
    const publicKey = encodeBase64(key.publicKey)
    if (this.#keys.has(publicKey))
      throw new FormatError(`the public key of ${quote(key.name)} is there already.`)
    this.#keys.add(publicKey)
    return key
  }
}

function parseThreshold(text: string, members: number): bigint {
  if (text === 'any') return 1n
  if (text === 'all') return BigInt(members)
  const threshold = parseSize(text, 'a threshold')
  if (threshold < 1n || threshold > members)
    throw new FormatError(`a threshold over ${members} members must be from 1 to ${members}, not ${text}.`)
  return threshold
}

/** Of control characters only tab and newline (C2SP tlog-policy, Character set); the string must be UTF-8. */
function checkCharacters(text: string): void {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09 && code !== 0x0a) || code === 0x7f)
      throw new FormatError(
        `line ${text.slice(0, i).split('\n').length} of the policy: the control character 0x${code.toString(16).padStart(2, '0')}.`,
      )
  }
  if (!text.isWellFormed())
    throw new FormatError('the policy has half a surrogate pair, which UTF-8 cannot hold.')
}
