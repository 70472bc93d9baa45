/** Everything that varies in the sample data comes from here: the same seed gives the same record, on every machine. */
import { createHash } from 'node:crypto'

export interface Draw {
  /** A whole number, both ends included. */
  int(low: number, high: number): number
  /** A number in [low, high). */
  number(low: number, high: number): number
  pick<T>(items: readonly [T, ...T[]]): T
}

/**
 * A stream of draws of its own per name, so that adding content for one patient leaves every other one as it was.
 * mulberry32 (Tommy Ettinger, public domain): its 32 bits of state are plenty for a few thousand draws.
 */
export function draw(seed: string, name: string): Draw {
  let state = createHash('sha256').update(`${seed}|${name}`).digest().readInt32LE()
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    int: (low, high) => low + Math.floor(next() * (high - low + 1)),
    number: (low, high) => low + next() * (high - low),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
  }
}

/** UUID made of its name: the first 16 bytes of SHA-256 marked as version 8 (RFC 9562 §5.8). */
export function namedUuid(seed: string, name: string): string {
  const bytes = createHash('sha256').update(`uuid|${seed}|${name}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
