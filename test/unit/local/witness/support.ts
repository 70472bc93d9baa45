/** Logs as a witness sees them: trees that can fork, checkpoints of any size, and the requests about them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { onTestFinished } from 'vitest'
import { sha256 } from '../../../../src/audit/commitment.ts'
import { formatCheckpoint } from '../../../../src/audit/tlog/checkpoint.ts'
import { edgeLevels, edgeRoot, type Subtree } from '../../../../src/audit/tlog/fold.ts'
import { leafHash, nodeHash } from '../../../../src/audit/tlog/hash.ts'
import {
  formatNote,
  formatVerifierKey,
  keyTypes,
  type NoteSignature,
  verifierKey,
} from '../../../../src/audit/tlog/note.ts'
import { proveConsistency } from '../../../../src/audit/tlog/proof.ts'
import { cosignatureMessage, packCosignature } from '../../../../src/audit/tlog/signature.ts'
import { formatAddCheckpoint } from '../../../../src/audit/tlog/witness.ts'

/** A tree without end: `leafOf` says what each leaf is. */
export interface Tree {
  root(size: bigint): Uint8Array
  proof(from: bigint, to: bigint): Promise<Uint8Array[]>
}

/** Leaves that are all alike from `fork` on, and below it: 2^64 of them cost 64 hashes. */
export function tree(fork?: { readonly at: bigint; readonly leaf: string }): Tree {
  const uniform = (leaf: string) => {
    const levels = [leafHash(sha256, new TextEncoder().encode(leaf))]
    return (level: number): Uint8Array => {
      for (let next = levels.length; next <= level; next += 1) {
        const below = levels[next - 1] as Uint8Array
        levels.push(nodeHash(sha256, below, below))
      }
      return levels[level] as Uint8Array
    }
  }
  const before = uniform('leaf')
  const after = uniform(fork?.leaf ?? 'leaf')
  const at = fork?.at ?? 2n ** 64n
  const hash = ({ level, index }: Subtree): Uint8Array => {
    const width = 1n << BigInt(level)
    if ((index + 1n) * width <= at) return before(level)
    if (index * width >= at) return after(level)
    const below = level - 1
    return nodeHash(
      sha256,
      hash({ level: below, index: index * 2n }),
      hash({ level: below, index: index * 2n + 1n }),
    )
  }
  return {
    root: (size) => {
      let start = 0n
      const edge = edgeLevels(size).map((level) => {
        const index = start >> BigInt(level)
        start += 1n << BigInt(level)
        return hash({ level, index })
      })
      return edgeRoot(sha256, edge)
    },
    proof: (from, to) => proveConsistency(sha256, async (subtrees) => subtrees.map(hash), from, to),
  }
}

export interface TestLog {
  readonly origin: string
  readonly vkey: string
  readonly mldsa44Vkey: string
  /** The text that both keys sign. */
  text(tree: Tree, size: bigint, extensions?: readonly string[]): string
  ed25519Line(text: string): NoteSignature
  mldsa44Line(text: string, time?: bigint): NoteSignature
  /** The signed note, by the Ed25519 key alone: the other takes its time. */
  checkpoint(tree: Tree, size: bigint): string
}

/** @param seed one byte: another one is another log's key */
export function testLog(origin: string, seed: number): TestLog {
  const secret = new Uint8Array(32).fill(seed)
  const mldsa = ml_dsa44.keygen(secret)
  const key = verifierKey(sha256, origin, keyTypes.ed25519, ed25519.getPublicKey(secret))
  const mldsaKey = verifierKey(sha256, origin, keyTypes.mlDsa44Cosignature, mldsa.publicKey)
  const log: TestLog = {
    origin,
    vkey: formatVerifierKey(key),
    mldsa44Vkey: formatVerifierKey(mldsaKey),
    text: (of, size, extensions = []) => formatCheckpoint({ origin, size, root: of.root(size), extensions }),
    ed25519Line: (text) => ({
      name: origin,
      keyId: key.keyId,
      signature: ed25519.sign(new TextEncoder().encode(text), secret),
    }),
    mldsa44Line: (text, time = 1_700_000_000n) => {
      const message = cosignatureMessage(mldsaKey.type, origin, text, time)
      return {
        name: origin,
        keyId: mldsaKey.keyId,
        signature: packCosignature(time, ml_dsa44.sign(message, mldsa.secretKey)),
      }
    },
    checkpoint: (of, size) => {
      const text = log.text(of, size)
      return formatNote(text, [log.ed25519Line(text)])
    },
  }
  return log
}

/** The request of an honest log, from `oldSize` to `size`. */
export const requestOf = async (log: TestLog, of: Tree, oldSize: bigint, size: bigint): Promise<string> =>
  formatAddCheckpoint({
    oldSize,
    proof: oldSize <= size ? await of.proof(oldSize, size) : [],
    checkpoint: log.checkpoint(of, size),
  })

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dossier-witness-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
