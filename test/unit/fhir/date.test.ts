import { describe, expect, test } from 'vitest'
import { noDate, parseDate, parseDateSearch, rangeOf } from '../../../src/fhir/date.ts'

describe('dates as ranges', () => {
  test.each([
    ['2024', '2024-01-01T00:00:00.000Z', '2024-12-31T23:59:59.999Z'],
    ['2024-02', '2024-02-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
    ['2023-02', '2023-02-01T00:00:00.000Z', '2023-02-28T23:59:59.999Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
    ['2024-02-29T22:30:00-05:00', '2024-03-01T03:30:00.000Z', '2024-03-01T03:30:00.999Z'],
    ['2024-02-29T22:30:00.5Z', '2024-02-29T22:30:00.500Z', '2024-02-29T22:30:00.500Z'],
    ['2024-02-29T22:30:00.123456Z', '2024-02-29T22:30:00.123Z', '2024-02-29T22:30:00.123Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z', '2016-12-31T23:59:59.999Z'],
    ['0033', '0033-01-01T00:00:00.000Z', '0033-12-31T23:59:59.999Z'],
  ])('%s', (text, lo, hi) => {
    expect(parseDate(text)).toEqual({ lo, hi })
  })

  test.each([
    '',
    '24',
    '2024-13',
    '2023-02-29',
    '2024-01-01T24:00:00Z',
    '0000',
    '2024-1-1',
    'now',
    '0001-01-01T00:00:00+14:00',
  ])('%s is no date', (text) => {
    expect(parseDate(text)).toBeNull()
  })

  test('a period without an end goes on; one without a start always did', () => {
    expect(rangeOf({ start: '2024-05' })).toEqual({
      lo: '2024-05-01T00:00:00.000Z',
      hi: '9999-12-31T23:59:59.999Z',
    })
    expect(rangeOf({ end: '2024-05' })).toEqual({
      lo: '0001-01-01T00:00:00.000Z',
      hi: '2024-05-31T23:59:59.999Z',
    })
    expect(rangeOf({ start: '2024-05', end: '2024-06' }).hi).toBe('2024-06-30T23:59:59.999Z')
  })

  test('a timing spans its events', () => {
    expect(rangeOf({ event: ['2024-05-02', '2024-05-01'] })).toEqual({
      lo: '2024-05-01T00:00:00.000Z',
      hi: '2024-05-02T23:59:59.999Z',
    })
  })

  test.each([undefined, null, 5, '', {}, [], 'soon'])('%j is no date', (value) => {
    expect(rangeOf(value)).toEqual(noDate)
  })

  test('a search value has a prefix, `eq` when it names none', () => {
    expect(parseDateSearch('ge2024-01')).toMatchObject({ prefix: 'ge', lo: '2024-01-01T00:00:00.000Z' })
    expect(parseDateSearch('2024-01-05')?.prefix).toBe('eq')
    expect(parseDateSearch('xx2024')).toBeNull()
    expect(parseDateSearch('ge')).toBeNull()
  })
})
