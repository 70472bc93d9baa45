/** Under which key a caller is counted: bounded in length, whatever claims and headers say. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { limits } from '../limits.ts'

/** A digest, not a beginning: two callers must not be counted as one, and a cut text keeps the whole one in memory. */
export const boundedKey = (text: string): string =>
  text.length <= limits.maxRateKeyLength ? text : bytesToHex(sha256(utf8ToBytes(text)))

/** @param name of somebody or of a client, as the issuer has it */
export const nameKey = (issuer: string, name: string): string => boundedKey(JSON.stringify([issuer, name]))

/**
 * An IPv6 address counts as its /64, of which whoever has one address has all (RFC 6177); an IPv4 address written in
 * IPv6 (RFC 4291 §2.5.5.2) as itself. Anything else counts as it is written.
 */
export function addressKey(address: string): string {
  const groups = ipv6Groups(address.replace(/^\[(.*)\]$/, '$1'))
  if (!groups) return boundedKey(address)
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an IPv6 address; null when it is none. */
function ipv6Groups(text: string): readonly number[] | null {
  // Anything more would let a text reach past the brackets.
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':') || !URL.canParse(`http://[${text}]`)) return null
  // The URL writes an address in one way only (RFC 5952), without dots.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const numbers = (part: string) => part.split(':').flatMap((group) => (group ? [parseInt(group, 16)] : []))
  if (tail === undefined) return numbers(head)
  const [left, right] = [numbers(head), numbers(tail)]
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}
