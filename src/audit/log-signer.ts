/** The keys of a log and what it signs with them: checkpoints, heads of chains, lists of logs (`docs/audit-log.md` §2, §3). */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { sha256 } from './commitment.ts'
import type { ListedLog } from './port.ts'
import { formatCheckpoint } from './tlog/checkpoint.ts'
import { formatNote, formatVerifierKey, keyTypes, type VerifierKey, verifierKey } from './tlog/note.ts'
import { cosignatureMessage, packCosignature } from './tlog/signature.ts'

/** Who a log is, in public. */
export interface LogIdentity {
  readonly log: string
  /** `<prefix>/audit/logs/<log>`. */
  readonly origin: string
  readonly vkey: string
  readonly mldsa44Vkey: string
}

export interface SignedHead {
  readonly size: number
  readonly kind: 'organisation' | 'patient'
  readonly key: string
  readonly count: number
  /** Index of the newest entry; null: the chain is empty. */
  readonly last: number | null
}

export interface LogSigner {
  readonly identity: LogIdentity
  /** @param timeMs milliseconds since 1970, told by the ML-DSA-44 line in seconds. */
  signCheckpoint(size: number, root: Uint8Array, timeMs: number): string
  signHead(head: SignedHead): string
  /** @param size entries in this log. */
  signList(size: number, logs: readonly ListedLog[]): string
}

/**
 * Derives both keys of a log from the operator's secret, so that a successor has keys of its own without another secret to
 * keep. Whoever has `seed` has the keys of all logs.
 *
 * @param seed 32 bytes.
 */
export function logSigner(seed: Uint8Array, log: string, origin: string): LogSigner {
  const ed25519 = ed25519Key(derive(seed, 'ed25519', origin))
  const mldsa44 = ml_dsa44.keygen(derive(seed, 'ml-dsa-44', origin))
  const key = verifierKey(sha256, origin, keyTypes.ed25519, rawPublicKey(ed25519))
  const mldsa44Key = verifierKey(sha256, origin, keyTypes.mlDsa44Cosignature, mldsa44.publicKey)
  const signText = (text: string): string => formatNote(text, [ed25519Signature(text)])
  const ed25519Signature = (text: string) => named(key, sign(null, Buffer.from(text), ed25519))
  return {
    identity: {
      log,
      origin,
      vkey: formatVerifierKey(key),
      mldsa44Vkey: formatVerifierKey(mldsa44Key),
    },
    signCheckpoint: (size, root, timeMs) => {
      const text = formatCheckpoint({ origin, size: BigInt(size), root, extensions: [] })
      const timestamp = BigInt(Math.floor(timeMs / 1000))
      const message = cosignatureMessage(keyTypes.mlDsa44Cosignature, origin, text, timestamp)
      // Deterministic: signed once more after a crash it is the same note.
      const signature = ml_dsa44.sign(message, mldsa44.secretKey, { extraEntropy: false })
      return formatNote(text, [
        ed25519Signature(text),
        named(mldsa44Key, packCosignature(timestamp, signature)),
      ])
    },
    signHead: (head) => signText(headText(origin, head)),
    signList: (size, logs) => signText(listText(origin, size, logs)),
  }
}

const named = ({ name, keyId }: VerifierKey, signature: Uint8Array) => ({ name, keyId, signature })

const derive = (seed: Uint8Array, use: string, origin: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), `dossier log key/v1\n${use}\n${origin}`, 32))

/** PKCS #8 (RFC 8410) around a raw private key. */
const ed25519Key = (seed: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })

/** The last 32 bytes of the SPKI form (RFC 8410). */
const rawPublicKey = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))

function headText(origin: string, { size, kind, key, count, last }: SignedHead): string {
  const digest = Buffer.from(sha256(Buffer.from(key))).toString('hex')
  return `dossier-head/v1\n${origin}\nsize ${size}\nchain ${kind}\nkey ${digest}\ncount ${count}\nlast ${last ?? '-'}\n`
}

function listText(origin: string, size: number, logs: readonly ListedLog[]): string {
  const lines = [...logs]
    .sort((a, b) => (a.log < b.log ? -1 : 1))
    .map(
      ({ log, vkey, mldsa44Vkey, predecessor, isRetired }) =>
        `log ${log} ${vkey} ${mldsa44Vkey ?? '-'} ${predecessor ?? '-'} ${isRetired ? 'retired' : 'active'}\n`,
    )
  return `dossier-logs/v1\n${origin}\nsize ${size}\n${lines.join('')}`
}
