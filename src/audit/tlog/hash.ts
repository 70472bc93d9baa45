/** Hashes of a transparency log (RFC 6962 §2.1, with SHA-256 as C2SP tlog-tiles fixes it). */

/** SHA-256 of one byte string, which it does not keep. Synchronous, and injected so that these files run anywhere. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Bytes of a hash. */
export const hashSize = 32

/** SHA-256(0x00 ‖ leaf). */
export function leafHash(sha256: Sha256, leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + leaf.length)
  input.set(leaf, 1)
  return sha256(input)
}

/** SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array =>
  nodeHasher(sha256)(left, right)

/** `nodeHash` for many nodes: laying each out in bytes of its own would cost half as much again as hashing it. */
export function nodeHasher(sha256: Sha256): (left: Uint8Array, right: Uint8Array) => Uint8Array {
  const input = new Uint8Array(1 + 2 * hashSize)
  input[0] = 1
  return (left, right) => {
    input.set(left, 1)
    input.set(right, 1 + hashSize)
    return sha256(input)
  }
}

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot = (sha256: Sha256): Uint8Array => sha256(new Uint8Array(0))

export const isHash = (bytes: Uint8Array): boolean => bytes.length === hashSize

/** Whether two byte strings are the same. Not in constant time: nothing hashed here is secret. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
