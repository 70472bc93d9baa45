import { describe, expect, test } from 'vitest'
import { readMaxSingleFailures } from '../../src/config.ts'
import { limits } from '../../src/limits.ts'

describe('MAX_SINGLE_FAILURES', () => {
  test('is the limit when it is empty or not there', () => {
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '' })).toBe(limits.maxSingleFailuresPerMinute)
    expect(readMaxSingleFailures({})).toBe(limits.maxSingleFailuresPerMinute)
  })

  test('is a whole number, zero too', () => {
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '0' })).toBe(0)
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '5000' })).toBe(5_000)
  })

  test.each(['-1', '1.5', 'many', '1e9', ' 5'])('is refused by name as %j', (value) => {
    expect(() => readMaxSingleFailures({ MAX_SINGLE_FAILURES: value })).toThrow('MAX_SINGLE_FAILURES')
  })
})
