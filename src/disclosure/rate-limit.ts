/**
 * How often one caller may ask: token buckets in bounded memory, one set per isolate (a cluster of n isolates admits up
 * to n times as much). Pure in what it is given, the clock included.
 *
 * What is forgotten begins with a full bucket: a full memory lets somebody ask more than his share, it never refuses
 * anybody. So no flood of addresses or names can shut a caller out; and each kind of key has a memory of its own, so
 * that those without a token cannot displace those with one.
 */
import type { Presented } from '../access/caller.ts'
import { Memory } from '../access/memory.ts'
import type { Rate, Rates } from '../config.ts'
import { limits } from '../limits.ts'
import { addressKey, nameKey } from './rate-key.ts'

/** What a request counts as: `identity`, whose answer can tell that a person exists, counts as `general` too. */
export type RateKind = 'general' | 'identity'

const microsecondsPerSecond = 1_000_000

/**
 * The generic cell rate algorithm (ITU-T I.371): of each key, when its bucket will be full again; a key whose bucket is
 * full need not be known. In whole microseconds, so that nothing is lost or won by rounding.
 */
export class RateLimiter {
  readonly #fullAtUs: Memory<string, number>
  readonly #intervalUs: number
  readonly #burstUs: number

  /** @param capacity keys remembered at once */
  constructor({ perSecond, burst }: Rate, capacity: number = limits.maxRateKeys) {
    this.#fullAtUs = new Memory(capacity)
    this.#intervalUs = Math.ceil(microsecondsPerSecond / perSecond)
    this.#burstUs = burst * this.#intervalUs
  }

  /** Whole seconds, at least 1, after which one request of this key is admitted; 0: now. Takes nothing. */
  wait(key: string, nowMs: number): number {
    const nowUs = nowMs * 1_000
    const tooEarlyUs = this.#fullAt(key, nowUs) + this.#intervalUs - this.#burstUs - nowUs
    return tooEarlyUs > 0 ? Math.ceil(tooEarlyUs / microsecondsPerSecond) : 0
  }

  /** Counts a request that `wait` admits. */
  take(key: string, nowMs: number): void {
    this.#fullAtUs.set(key, this.#fullAt(key, nowMs * 1_000) + this.#intervalUs)
  }

  #fullAt(key: string, nowUs: number): number {
    const fullAtUs = Math.max(this.#fullAtUs.get(key) ?? 0, nowUs)
    const emptyUs = nowUs + this.#burstUs
    if (fullAtUs <= emptyUs) return fullAtUs
    // Emptier than empty: the clock was set back. It must not cost the key that hour.
    this.#fullAtUs.set(key, emptyUs)
    return emptyUs
  }
}

/** Each answers with the seconds to wait (`Retry-After`), 0: go on. */
export interface CallerRates {
  /** Before authentication. `address` null: nobody knows it, nothing is counted. */
  admitAddress(address: string | null, nowMs: number): number
  /**
   * After authentication: names of a token that has not verified must not get here. The request is counted by all of its
   * keys or, when one is past its limit, by none.
   */
  admitCaller(presented: Named, kind: RateKind, nowMs: number): number
}

type Named = Pick<Presented, 'issuer' | 'subject' | 'clientId'>

export function createCallerRates({ address, client, professional, identity }: Rates): CallerRates {
  const addresses = new RateLimiter(address)
  const clients = { general: new RateLimiter(client), identity: new RateLimiter(ofClient(identity)) }
  const professionals = { general: new RateLimiter(professional), identity: new RateLimiter(identity) }
  return {
    admitAddress: (from, nowMs) =>
      from === null ? 0 : admit([{ limiter: addresses, key: addressKey(from) }], nowMs),
    admitCaller: ({ issuer, subject, clientId }, kind, nowMs) => {
      const callers = [{ limiters: clients, key: nameKey(issuer, clientId) }]
      // A facility's system acts for itself, not for a professional.
      if (subject !== clientId) callers.push({ limiters: professionals, key: nameKey(issuer, subject) })
      const kinds: readonly RateKind[] = kind === 'identity' ? ['general', 'identity'] : ['general']
      const buckets = callers.flatMap(({ limiters, key }) =>
        kinds.map((of) => ({ limiter: limiters[of], key })),
      )
      return admit(buckets, nowMs)
    },
  }
}

interface Bucket {
  readonly limiter: RateLimiter
  readonly key: string
}

function admit(buckets: readonly Bucket[], nowMs: number): number {
  const wait = Math.max(...buckets.map(({ limiter, key }) => limiter.wait(key, nowMs)))
  if (wait === 0) for (const { limiter, key } of buckets) limiter.take(key, nowMs)
  return wait
}

const ofClient = ({ perSecond, burst }: Rate): Rate => ({
  perSecond: perSecond * limits.identityClientFactor,
  burst: burst * limits.identityClientFactor,
})
