/** Tree sizes, leaf indices and times: uint64, held as bigint so that nothing breaks past 2^53. */
import { FormatError, quote } from './errors.ts'

/** The largest tree size: 2^64 − 1. */
export const maxSize = 2n ** 64n - 1n

/**
 * The number a canonical decimal stands for: digits only, no leading zero but in `0` itself.
 * @param what how the number is called in the error
 * @throws FormatError also when the number is 2^64 or more
 */
export function parseSize(text: string, what = 'a size'): bigint {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text))
    throw new FormatError(`${what} must be a decimal number without leading zeros, not ${quote(text)}.`)
  const size = BigInt(text)
  if (size > maxSize) throw new FormatError(`${what} must be below 2^64, and ${text} is not.`)
  return size
}

/** Whether a number is a uint64. */
export const isSize = (n: bigint): boolean => n >= 0n && n <= maxSize

/** @throws RangeError when the number is not a uint64: a mistake of the caller, never of a sender. */
export function checkSize(n: bigint, what: string): void {
  if (!isSize(n)) throw new RangeError(`${what} must be from 0 to 2^64 - 1, and ${n} is not.`)
}

/**
 * Eight bytes, most significant first.
 * @throws RangeError when the number is not a uint64
 */
export function uint64Bytes(n: bigint): Uint8Array {
  checkSize(n, 'a number in eight bytes')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, n)
  return bytes
}

/** The number in the first eight bytes, most significant first; `bytes` has at least eight. */
export const readUint64 = (bytes: Uint8Array): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0)
