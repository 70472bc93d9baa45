/** Looks for identifiers in files, in every form a file might hold them by carelessness. */
import { createHash } from 'node:crypto'

/** By name. */
export type Files = ReadonlyMap<string, Uint8Array>

/** Shorter ones stand in random bytes by chance: they are looked for as words of texts, and hashed. */
export const shortestBytes = 6

/** Base64 of bytes that begin at any offset of a group of three, without the digits that others have a share in. */
const base64Cores = (bytes: Buffer): string[] =>
  [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const from = Math.ceil((offset * 4) / 3)
    const until = Math.floor(((offset + bytes.length) * 8) / 6)
    return text.slice(from, until)
  })

const urlSafe = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_')

/** Written out: as text in three encodings, hexadecimal and base64 of each. */
function plainForms(identifier: string): Map<string, Buffer> {
  const utf8 = Buffer.from(identifier)
  const little = Buffer.from(identifier, 'utf16le')
  const forms = new Map([
    ['UTF-8', utf8],
    ['UTF-16 LE', little],
    ['UTF-16 BE', Buffer.from(little).swap16()],
    ['URI', Buffer.from(encodeURIComponent(identifier))],
    ['JSON', Buffer.from(JSON.stringify(identifier).slice(1, -1))],
  ])
  return new Map([...forms].flatMap(([name, bytes]) => [...encodings(name, bytes)]))
}

/** Bytes as they are, and as texts write them. */
function encodings(name: string, bytes: Buffer): Map<string, Buffer> {
  const forms = new Map([
    [name, bytes],
    [`hexadecimal of ${name}`, Buffer.from(bytes.toString('hex'))],
    [`upper-case hexadecimal of ${name}`, Buffer.from(bytes.toString('hex').toUpperCase())],
  ])
  for (const [offset, core] of base64Cores(bytes).entries()) {
    forms.set(`base64 of ${name}, ${offset}`, Buffer.from(core))
    forms.set(`base64url of ${name}, ${offset}`, Buffer.from(urlSafe(core)))
  }
  return forms
}

const algorithms = ['sha256', 'md5', 'sha1', 'sha512'] as const

/** Hashed without a key, alone or with the bytes that leaves and tree hashes put before. */
function hashForms(identifier: string): Map<string, Buffer> {
  const texts = new Map([
    ['', Buffer.from(identifier)],
    [' after 0x00', Buffer.concat([Buffer.of(0), Buffer.from(identifier)])],
    [' after 0x01', Buffer.concat([Buffer.of(1), Buffer.from(identifier)])],
    [', lower case', Buffer.from(identifier.toLowerCase())],
    [', upper case', Buffer.from(identifier.toUpperCase())],
    [', UTF-16', Buffer.from(identifier, 'utf16le')],
    [', with a line feed', Buffer.from(`${identifier}\n`)],
  ])
  return new Map(
    algorithms.flatMap((algorithm) =>
      [...texts].flatMap(([how, bytes]) => [
        ...encodings(`${algorithm}${how}`, createHash(algorithm).update(bytes).digest()),
      ]),
    ),
  )
}

/** Every form that is long enough not to stand somewhere by chance. */
export const formsOf = (identifier: string): Map<string, Buffer> =>
  new Map(
    [...plainForms(identifier), ...hashForms(identifier)].filter(
      ([, bytes]) => bytes.length >= shortestBytes,
    ),
  )

/** Whether nothing but a search for whole words can find it. */
export const isShort = (identifier: string): boolean => Buffer.byteLength(identifier) < shortestBytes

export interface Found {
  readonly identifier: string
  readonly form: string
  readonly file: string
}

export class IdentifierSearch {
  readonly #files: readonly (readonly [string, Buffer])[]
  /** Whether three bytes stand anywhere, one after the other: most forms are ruled out by their first three. */
  readonly #triples = new Uint8Array(1 << 24)
  readonly #words = new Map<string, string>()

  /** @param texts names of those files that are texts */
  constructor(files: Files, texts: (name: string) => boolean) {
    this.#files = [...files].map(([name, bytes]) => [name, Buffer.from(bytes)])
    for (const [name, bytes] of this.#files) {
      for (let i = 0; i + 2 < bytes.length; i += 1) this.#triples[bytes.readUIntBE(i, 3)] = 1
      if (texts(name))
        for (const word of bytes.toString().split(/[^\p{L}\p{N}]+/u)) this.#words.set(word, name)
    }
  }

  find(identifier: string): Found[] {
    const found: Found[] = []
    for (const [form, bytes] of formsOf(identifier)) {
      const file = this.#fileWith(bytes)
      if (file !== undefined) found.push({ identifier, form, file })
    }
    const file = this.#words.get(identifier)
    if (file !== undefined) found.push({ identifier, form: 'word', file })
    return found
  }

  /** Whether it is there written out: for its hashes, which take longest, nobody looks. */
  findsWritten(identifier: string): boolean {
    const forms = [...plainForms(identifier).values()].filter(({ length }) => length >= shortestBytes)
    return this.#words.has(identifier) || forms.some((bytes) => this.#fileWith(bytes) !== undefined)
  }

  #fileWith(bytes: Buffer): string | undefined {
    if (this.#triples[bytes.readUIntBE(0, 3)] === 0) return undefined
    return this.#files.find(([, content]) => content.includes(bytes))?.[0]
  }
}
