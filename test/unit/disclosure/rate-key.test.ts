import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKey, boundedKey } from '../../../src/disclosure/rate-key.ts'
import { limits } from '../../../src/limits.ts'

describe('the key of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::9', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::7]', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('%s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  test.each([
    '',
    'unknown',
    'fe80::1%eth0',
    '1:2',
    '::1]/[::2',
    ':::',
    'a'.repeat(100_000),
    '10.0.0.1, 10.0.0.2',
  ])('of something else is what it says, however odd', (text) => {
    expect(addressKey(text)).toBe(boundedKey(text))
  })

  test('is of one /64, whatever follows, and of no other', () => {
    const group = fc.integer({ min: 0, max: 0xffff })
    const half = fc.tuple(group, group, group, group)
    const text = (groups: readonly number[]) => groups.map((value) => value.toString(16)).join(':')
    fc.assert(
      fc.property(half, half, half, half, (net, a, b, other) => {
        // Written in IPv6, an IPv4 address is one of its own.
        fc.pre(net.some((value) => value !== 0) && other.some((value) => value !== 0))
        const key = addressKey(text([...net, ...a]))
        expect(addressKey(text([...net, ...b]))).toBe(key)
        expect(addressKey(text([...other, ...a])) === key).toBe(text(net) === text(other))
      }),
    )
  })
})

test('a key is bounded in length, and long ones are told apart', () => {
  const long = 'x'.repeat(limits.maxRateKeyLength)
  expect(boundedKey(long)).toBe(long)
  expect(boundedKey(`${long}1`).length).toBeLessThanOrEqual(limits.maxRateKeyLength)
  expect(boundedKey(`${long}1`)).not.toBe(boundedKey(`${long}2`))
})
