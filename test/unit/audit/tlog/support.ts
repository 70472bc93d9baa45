/** What the tests of the log formats share: hashes, signatures, and a tree taken word for word from the RFC. */
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import type { HashReader, Subtree } from '../../../../src/audit/tlog/proof.ts'
import type { SignatureFunctions } from '../../../../src/audit/tlog/signature.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The Certificate Transparency reference leaves (transparency-dev/merkle, testonly/constants.go). */
export const referenceLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((leaf) => leafHash(sha256, fromHex(leaf)))

/** So many different leaf hashes, the same each time. */
export const leaves = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => leafHash(sha256, Buffer.from(`leaf ${i}`)))

const node = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(Buffer.concat([Buffer.from([1]), left, right]))

/** The largest power of two below a number of leaves. */
const splitOf = (count: number): number => {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/** RFC 6962 §2.1, recursion for recursion; it remembers roots so that a test can ask for thousands. */
export class NaiveTree {
  readonly #leaves: readonly Uint8Array[]
  readonly #roots = new Map<string, Uint8Array>()

  constructor(leafHashes: readonly Uint8Array[]) {
    this.#leaves = leafHashes
  }

  /** MTH(D[start:end]). */
  root(start: number, end: number): Uint8Array {
    if (start === end) return sha256(new Uint8Array(0))
    if (end === start + 1) return this.#leaves[start] as Uint8Array
    const known = this.#roots.get(`${start}:${end}`)
    if (known !== undefined) return known
    const split = start + splitOf(end - start)
    const root = node(this.root(start, split), this.root(split, end))
    this.#roots.set(`${start}:${end}`, root)
    return root
  }

  /** PATH(index, D[start:end]), index counted from start. */
  path(index: number, start: number, end: number): Uint8Array[] {
    const count = end - start
    if (count === 1) return []
    const split = splitOf(count)
    return index < split
      ? [...this.path(index, start, start + split), this.root(start + split, end)]
      : [...this.path(index - split, start + split, end), this.root(start, start + split)]
  }

  /** PROOF(from, D[0:to]). */
  consistency(from: number, to: number): Uint8Array[] {
    return from === 0 || from === to ? [] : this.#subproof(from, 0, to, true)
  }

  #subproof(from: number, start: number, end: number, isWhole: boolean): Uint8Array[] {
    const count = end - start
    if (from === count) return isWhole ? [] : [this.root(start, end)]
    const split = splitOf(count)
    return from <= split
      ? [...this.#subproof(from, start, start + split, isWhole), this.root(start + split, end)]
      : [...this.#subproof(from - split, start + split, end, false), this.root(start, start + split)]
  }

  /** A reader of this tree that counts how often it was asked. */
  reader(): { read: HashReader; calls: () => number } {
    let calls = 0
    const hashOf = ({ level, index }: Subtree): Uint8Array =>
      this.root(Number(index) * 2 ** level, (Number(index) + 1) * 2 ** level)
    const read: HashReader = async (subtrees) => {
      calls += 1
      return subtrees.map(hashOf)
    }
    return { read, calls: () => calls }
  }
}

export const signatures: SignatureFunctions = {
  // RFC 8032 and nothing looser: by ZIP 215 a public key of zeros would have signed everything.
  ed25519: (publicKey, message, signature) =>
    ed25519.verify(signature, message, publicKey, { zip215: false }),
  mlDsa44: (publicKey, message, signature) => ml_dsa44.verify(signature, message, publicKey),
}

/**
 * A note made elsewhere and accepted by Go's `x/mod/sumdb/note` and `transparency-dev/formats`: the reference leaves,
 * Ed25519 seeds of 32 bytes 0x01 for the log and 0x02 for the witness, cosigned at 1700000000.
 */
export const crossChecked = {
  logKey: 'audit.example/eu1+eac35a01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c',
  witnessKey: 'witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU',
  timestamp: 1700000000n,
  text: 'audit.example/eu1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n',
  note: `audit.example/eu1
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— audit.example/eu1 6sNaAdXrMRw2dFKeQmaNaZ1fCCx+RoMiIQfT7Pns/TgdDp1hs9oTKNH9hb7C9eB9oVwwOvzMeDIiEXng3uWtZ/9uGg0=
— witness.example/w1 3xwKNQAAAABlU/EA94TpzU+MqcVQY8pZjfOwO+KiZ1Zvg3ZRDBgF18UJ7ynZrxF+jeZW5avqwRzf1brbn357ZZlGwfNxa86mzgWeCw==
`,
}

/** Signature lines that are well formed and worth nothing. */
export const signatureLines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `— key${i} ${base64(Buffer.from([0, 0, 0, i, 1]))}\n`).join('')
