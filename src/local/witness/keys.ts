/** The two keys of a witness, each in a file of its own that nobody else can read. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { sha256 } from '../../audit/commitment.ts'
import { decodeBase64, encodeBase64 } from '../../audit/tlog/base64.ts'
import { formatVerifierKey, keyTypes, type VerifierKey, verifierKey } from '../../audit/tlog/note.ts'
import { cosignatureMessage, packCosignature } from '../../audit/tlog/signature.ts'
import { ClusterFailure, messageOf } from '../failure.ts'
import type { Cosigner } from './store.ts'

const files = { ed25519: 'ed25519.key', mldsa44: 'ml-dsa-44.key' } as const

const seedBytes = 32

export interface WitnessKeys extends Cosigner {
  /** Ed25519, then ML-DSA-44. */
  readonly vkeys: readonly [string, string]
}

export const hasKeys = (home: string): boolean =>
  Object.values(files).some((file) => existsSync(join(home, file)))

/** Both files are on the disk when this returns. One that is there already stays: a first start may have been broken off. */
export function makeKeys(home: string): void {
  for (const file of Object.values(files)) {
    if (!existsSync(join(home, file))) writeSecret(join(home, file), encodeBase64(randomBytes(seedBytes)))
  }
}

/**
 * @param name of the witness, which both keys bear
 * @throws ClusterFailure when a file is missing or damaged, or others may read it
 */
export function readKeys(home: string, name: string): WitnessKeys {
  const edSeed = readSeed(join(home, files.ed25519))
  const mldsa = ml_dsa44.keygen(readSeed(join(home, files.mldsa44)))
  const edKey = verifierKey(sha256, name, keyTypes.ed25519Cosignature, ed25519.getPublicKey(edSeed))
  const mldsaKey = verifierKey(sha256, name, keyTypes.mlDsa44Cosignature, mldsa.publicKey)
  const cosignature = (
    key: VerifierKey,
    sign: (message: Uint8Array) => Uint8Array,
    text: string,
    time: bigint,
  ) => ({
    name,
    keyId: key.keyId,
    signature: packCosignature(time, sign(cosignatureMessage(key.type, name, text, time))),
  })
  return {
    vkeys: [formatVerifierKey(edKey), formatVerifierKey(mldsaKey)],
    sign: (text, time) => [
      cosignature(edKey, (message) => ed25519.sign(message, edSeed), text, BigInt(time)),
      cosignature(mldsaKey, (message) => ml_dsa44.sign(message, mldsa.secretKey), text, BigInt(time)),
    ],
    isOwn: (line) => line.name === name && (line.keyId === edKey.keyId || line.keyId === mldsaKey.keyId),
  }
}

function readSeed(path: string): Uint8Array {
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new ClusterFailure(`Others may read ${path}: chmod 600 it, and ask who has read it.`)
    }
    const seed = decodeBase64(readFileSync(path, 'utf8').trim())
    if (seed.length === seedBytes) return seed
  } catch (error) {
    if (error instanceof ClusterFailure) throw error
    throw new ClusterFailure(`The key ${path} cannot be read: ${messageOf(error)}`)
  }
  throw new ClusterFailure(`The key ${path} is damaged: restore it from a backup.`)
}

/** Through a temporary name, so that a crash leaves no half of a key. */
function writeSecret(path: string, text: string): void {
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', 0o600)
  writeFileSync(file, `${text}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, path)
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
