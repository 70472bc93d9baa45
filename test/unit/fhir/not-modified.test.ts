import { describe, expect, test } from 'vitest'
import { etagOf, isNotModified, lastModifiedOf } from '../../../src/fhir/not-modified.ts'

const current = { version: 3, published: '2026-11-25T16:00:00.500Z' }
const asked = (ifNoneMatch: string | null, ifModifiedSince: string | null = null) =>
  isNotModified({ ifNoneMatch, ifModifiedSince }, current)

describe('a conditional read', () => {
  test('without a condition gets what there is', () => {
    expect(asked(null)).toBe(false)
  })

  test.each(['W/"3"', '"3"', '*', 'W/"2", W/"3"', ' "1" ,"3"'])('of a client that has it: %j', (tag) => {
    expect(asked(tag)).toBe(true)
  })

  test.each(['W/"2"', '"33"', '3', '', 'W/"*"', 'w/"3"'])('of a client that has another: %j', (tag) => {
    expect(asked(tag)).toBe(false)
  })

  test('goes by the second in which the version was published', () => {
    expect(asked(null, 'Wed, 25 Nov 2026 16:00:00 GMT')).toBe(true)
    expect(asked(null, 'Wed, 25 Nov 2026 16:00:01 GMT')).toBe(true)
    expect(asked(null, 'Wed, 25 Nov 2026 15:59:59 GMT')).toBe(false)
  })

  test('goes by what it is told', () => {
    expect(asked(etagOf(current))).toBe(true)
    expect(asked(null, lastModifiedOf(current))).toBe(true)
  })

  test('does not heed a date that is none, nor one beside a tag', () => {
    for (const date of ['', 'tomorrow', '2027-01-01', '9999', 'Wed, 25 Nov 2026'])
      expect(asked(null, date)).toBe(false)
    expect(asked('W/"2"', 'Wed, 25 Nov 2026 16:00:01 GMT')).toBe(false)
  })
})
