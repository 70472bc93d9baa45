/** DESIGN §9: how often one caller may ask, whatever the order and the number of callers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Rates } from '../../../src/config.ts'
import { createCallerRates, RateLimiter } from '../../../src/disclosure/rate-limit.ts'
import { limits } from '../../../src/limits.ts'

const start = Date.UTC(2026, 10, 22, 9, 6)

/** Asks once: 0 when admitted, else the seconds to wait. */
function ask(limiter: RateLimiter, key: string, nowMs: number): number {
  const wait = limiter.wait(key, nowMs)
  if (wait === 0) limiter.take(key, nowMs)
  return wait
}

const askTimes = (limiter: RateLimiter, key: string, nowMs: number, times: number): number =>
  Array.from({ length: times }, () => ask(limiter, key, nowMs)).filter((wait) => wait === 0).length

describe('a bucket', () => {
  test('admits its burst at once, and then nothing', () => {
    const limiter = new RateLimiter({ perSecond: 20, burst: 600 })
    expect(askTimes(limiter, 'a', start, 1_000)).toBe(600)
  })

  test.each([
    { perSecond: 20, intervalMs: 50 },
    { perSecond: 1, intervalMs: 1_000 },
    { perSecond: 0.25, intervalMs: 4_000 },
  ])('of $perSecond a second gives one back after $intervalMs ms, not a moment before', (rate) => {
    const limiter = new RateLimiter({ perSecond: rate.perSecond, burst: 3 })
    askTimes(limiter, 'a', start, 3)
    expect(askTimes(limiter, 'a', start + rate.intervalMs - 1, 1)).toBe(0)
    expect(askTimes(limiter, 'a', start + rate.intervalMs, 2)).toBe(1)
  })

  test('never holds more than its burst, however long nobody asked', () => {
    const limiter = new RateLimiter({ perSecond: 5, burst: 4 })
    askTimes(limiter, 'a', start, 4)
    expect(askTimes(limiter, 'a', start + 24 * 3_600_000, 100)).toBe(4)
  })

  test('a refusal takes nothing: who waits as told is admitted, however often he was refused', () => {
    const limiter = new RateLimiter({ perSecond: 0.4, burst: 2 })
    askTimes(limiter, 'a', start, 2)
    // 2.5 s, said in whole seconds.
    expect(Array.from({ length: 50 }, () => ask(limiter, 'a', start))).toEqual(Array(50).fill(3))
    expect(ask(limiter, 'a', start + 3_000)).toBe(0)
  })

  test('says at least one second, however soon the next request is due', () => {
    const limiter = new RateLimiter({ perSecond: 600, burst: 1 })
    ask(limiter, 'a', start)
    expect(ask(limiter, 'a', start)).toBe(1)
  })

  test('of one key is nothing to another', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 2 })
    askTimes(limiter, 'a', start, 10)
    expect(askTimes(limiter, 'b', start, 10)).toBe(2)
  })

  test('survives a clock that is set back by an hour', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 2 })
    askTimes(limiter, 'a', start, 2)
    const earlier = start - 3_600_000
    expect(ask(limiter, 'a', earlier)).toBe(1)
    expect(askTimes(limiter, 'a', earlier + 1_000, 5)).toBe(1)
  })

  test('whose interval is no whole number of microseconds gives no more than its rate', () => {
    const limiter = new RateLimiter({ perSecond: 3_000, burst: 10 })
    let admitted = 0
    for (let ms = 0; ms < 10_000; ms++) admitted += askTimes(limiter, 'a', start + ms, 5)
    expect(admitted).toBeLessThanOrEqual(30_010)
  })

  test('over any schedule admits at most burst + rate × time, and refuses nobody who keeps to that', () => {
    const schedule = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.nat({ max: 3_000 }) }),
      { maxLength: 200 },
    )
    const rate = fc.record({
      perSecond: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0.01, max: 50, noNaN: true })),
      burst: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(rate, schedule, ({ perSecond, burst }, requests) => {
        const limiter = new RateLimiter({ perSecond, burst })
        const admitted = new Map<string, number[]>()
        const intervalUs = Math.ceil(1_000_000 / perSecond)
        let now = start
        for (const { key, afterMs } of requests) {
          now += afterMs
          const times = admitted.get(key) ?? []
          const wait = ask(limiter, key, now)
          // Refused exactly when, of some stretch that ends now, it would be one too many.
          const oneTooMany = times.some(
            (from, n) => (times.length - n + 1 - burst) * intervalUs > (now - from) * 1_000,
          )
          expect(wait > 0).toBe(oneTooMany)
          if (wait === 0) admitted.set(key, [...times, now])
        }
        // Of every stretch of time, not only from the first request on.
        for (const times of admitted.values())
          for (const [first, from] of times.entries())
            for (const [last, to] of times.entries())
              if (last >= first)
                expect(last - first + 1).toBeLessThanOrEqual(
                  burst + ((to - from) / 1_000) * perSecond * (1 + 1e-9),
                )
      }),
    )
  })
})

describe('the memory of a limiter', () => {
  test('never holds more than its capacity, and forgets who has not asked for longest', () => {
    const limiter = new RateLimiter({ perSecond: 0.001, burst: 1 }, 3)
    const keys = ['a', 'b', 'c', 'd', 'e']
    for (const key of keys) ask(limiter, key, start)
    // Only those remembered are refused.
    expect(keys.map((key) => limiter.wait(key, start) > 0)).toEqual([false, false, true, true, true])
  })

  test('keeps him who goes on asking although he is refused', () => {
    const limiter = new RateLimiter({ perSecond: 0.001, burst: 1 }, 3)
    ask(limiter, 'greedy', start)
    for (let n = 0; n < 100; n++) {
      ask(limiter, `other ${n}`, start)
      expect(ask(limiter, 'greedy', start)).toBeGreaterThan(0)
    }
  })

  test('is larger than any default burst: to be forgotten costs more requests than it wins', () => {
    const { addressRate, clientRate, professionalRate, identityRate, identityClientFactor } = limits
    for (const { burst } of [addressRate, clientRate, professionalRate])
      expect(limits.maxRateKeys).toBeGreaterThan(burst)
    expect(limits.maxRateKeys).toBeGreaterThan(identityRate.burst * identityClientFactor)
  })
})

describe('the rates of callers', () => {
  const wide = { perSecond: 0.001, burst: 1_000 }
  const rates = (narrow: Partial<Rates>) =>
    createCallerRates({ address: wide, client: wide, professional: wide, identity: wide, ...narrow })
  const small = { perSecond: 0.5, burst: 2 }
  const tremblay = { issuer: 'i', subject: 'tremblay', clientId: 'viewer' }
  const gagnon = { issuer: 'i', subject: 'gagnon', clientId: 'viewer' }
  const system = { issuer: 'i', subject: 'viewer', clientId: 'viewer' }

  test('hold a professional to his share, whatever clients he uses, and nobody else to it', () => {
    const limit = rates({ professional: small })
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(0)
    expect(limit.admitCaller({ ...tremblay, clientId: 'portal' }, 'general', start)).toBe(0)
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(2)
    expect(limit.admitCaller({ ...tremblay, clientId: 'other' }, 'general', start)).toBe(2)
    expect(limit.admitCaller(gagnon, 'general', start)).toBe(0)
    expect(limit.admitCaller({ ...tremblay, issuer: 'j' }, 'general', start)).toBe(0)
  })

  test('hold a client to its share, of all its professionals together', () => {
    const limit = rates({ client: small })
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(0)
    expect(limit.admitCaller(gagnon, 'general', start)).toBe(0)
    expect(limit.admitCaller(system, 'general', start)).toBe(2)
    expect(limit.admitCaller({ ...gagnon, clientId: 'portal' }, 'general', start)).toBe(0)
  })

  test('count a facility system as client only', () => {
    const limit = rates({ professional: small })
    const waits = Array.from({ length: 10 }, () => limit.admitCaller(system, 'general', start))
    expect(waits).toEqual(Array(10).fill(0))
  })

  test('are stricter for identity, and leave the rest of a professional’s work alone', () => {
    const limit = rates({ identity: small })
    const waits = Array.from({ length: 4 }, () => limit.admitCaller(tremblay, 'identity', start))
    expect(waits).toEqual([0, 0, 2, 2])
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(0)
    expect(limit.admitCaller(gagnon, 'identity', start)).toBe(0)
  })

  test('hold the look-ups of one client to ten times those of a professional', () => {
    const limit = rates({ identity: small })
    const lookUp = (n: number) => limit.admitCaller({ ...gagnon, subject: `p${n}` }, 'identity', start)
    const waits = Array.from({ length: 21 }, (_, n) => lookUp(n))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(20)
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(0)
  })

  test('count an identity request as general too', () => {
    const limit = rates({ professional: small })
    limit.admitCaller(tremblay, 'identity', start)
    limit.admitCaller(tremblay, 'identity', start)
    expect(limit.admitCaller(tremblay, 'general', start)).toBe(2)
  })

  test('take nothing of one share when another refuses', () => {
    const limit = rates({ professional: small, client: { perSecond: 0.001, burst: 3 } })
    for (let n = 0; n < 20; n++) limit.admitCaller(tremblay, 'general', start)
    // Two of the client's three are used, however often the professional was refused.
    expect(limit.admitCaller(gagnon, 'general', start)).toBe(0)
    expect(limit.admitCaller(gagnon, 'general', start)).toBeGreaterThan(0)
  })

  test('tell names apart that run together', () => {
    const limit = rates({ professional: { perSecond: 0.001, burst: 1 } })
    expect(limit.admitCaller({ issuer: 'a', subject: 'b","c', clientId: 'x' }, 'general', start)).toBe(0)
    expect(limit.admitCaller({ issuer: 'a","b', subject: 'c', clientId: 'x' }, 'general', start)).toBe(0)
    const long = 'n'.repeat(10_000)
    expect(limit.admitCaller({ issuer: 'a', subject: `${long}1`, clientId: 'x' }, 'general', start)).toBe(0)
    expect(limit.admitCaller({ issuer: 'a', subject: `${long}2`, clientId: 'x' }, 'general', start)).toBe(0)
  })

  test('of addresses are untouched by callers, and count nothing of an unknown address', () => {
    const limit = rates({ address: small })
    for (let n = 0; n < 10; n++) {
      expect(limit.admitAddress(null, start)).toBe(0)
      expect(limit.admitCaller(tremblay, 'general', start)).toBe(0)
    }
    expect([1, 2, 3].map(() => limit.admitAddress('192.0.2.1', start))).toEqual([0, 0, 2])
    expect(limit.admitAddress('192.0.2.2', start)).toBe(0)
  })
})
