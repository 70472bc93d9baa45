/** Keys for simulations: Ed25519 is real, the ML-DSA-44 half is a hash, which nothing here verifies. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { sha256 } from '../../src/audit/commitment.ts'
import type { LogSigner } from '../../src/audit/log-signer.ts'
import {
  formatNote,
  formatVerifierKey,
  keyTypes,
  type NoteSignature,
  verifierKey,
} from '../../src/audit/tlog/note.ts'

export interface SimulatedSigner extends LogSigner {
  readonly publicKey: KeyObject
}

export function simulatedSigner(log: string, origin: string): SimulatedSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const key = verifierKey(sha256, origin, keyTypes.ed25519, new Uint8Array(raw))
  const signature = (text: string): NoteSignature => ({
    name: origin,
    keyId: key.keyId,
    signature: new Uint8Array(sign(null, Buffer.from(text), privateKey)),
  })
  const statement = (lines: readonly (string | number)[]): string => {
    const text = `${lines.join('\n')}\n`
    return formatNote(text, [signature(text)])
  }
  return {
    publicKey,
    identity: { log, origin, vkey: formatVerifierKey(key), mldsa44Vkey: `${origin}+00000000+AA==` },
    signCheckpoint: (size, root, timeMs) => {
      const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
      return formatNote(text, [signature(text), digestLine(origin, `${timeMs}\n${text}`)])
    },
    signHead: ({ size, kind, key, count, last }) =>
      statement([
        'dossier-head/v1',
        origin,
        `size ${size}`,
        `chain ${kind}`,
        `key ${key}`,
        `count ${count}`,
        `last ${last ?? '-'}`,
      ]),
    signList: (size, logs) =>
      statement([
        'dossier-logs/v1',
        origin,
        `size ${size}`,
        ...logs.map((each) => `log ${each.log} ${each.isRetired}`),
      ]),
  }
}

/** Stands for a signature over `text`. */
export const digestLine = (name: string, text: string): NoteSignature => ({
  name,
  keyId: 1,
  signature: new Uint8Array(createHash('sha256').update(text).digest()),
})
