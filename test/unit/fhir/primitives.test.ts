/** Formats of R4's primitive types, at their edges. */
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../src/fhir/json.ts'
import { expectedOf, primitiveFault } from '../../../src/fhir/primitives.ts'

/** As a client writes it in JSON: numbers keep their text. */
const fault = (type: string, json: string) => {
  const parsed = parseJson(json)
  if (!parsed.ok) throw new Error(`no JSON: ${json}`)
  return primitiveFault(type, parsed.value)
}

describe('a primitive', () => {
  test.each([
    ['boolean', 'true'],
    ['decimal', '1.10'],
    ['decimal', '-0.5e-3'],
    ['decimal', '12345678901234567890.123'],
    ['integer', '-2147483648'],
    ['unsignedInt', '0'],
    ['positiveInt', '2147483647'],
    ['date', '"2024"'],
    ['date', '"2024-12"'],
    ['date', '"2024-02-29"'],
    ['dateTime', '"2024-02-29T23:59:60Z"'],
    ['dateTime', '"2024-01-01T00:00:00.123456789-05:00"'],
    ['dateTime', '"2024-01-01T00:00:00+14:00"'],
    ['instant', '"2024-01-01T00:00:00Z"'],
    ['time', '"23:59:59.5"'],
    ['id', '"a.B-9"'],
    ['code', '"a b"'],
    ['uri', '"urn:oid:1.2"'],
    ['uri', '"é"'],
    ['oid', '"urn:oid:2.16.840.1.113883"'],
    ['uuid', '"urn:uuid:C757873D-EC9A-4326-A141-556F43239520"'],
    ['base64Binary', '"AAAA\\r\\n AAA="'],
    ['string', '"\\u00a0"'],
    ['string', '"a\\nb\\tc"'],
    ['markdown', '"# a"'],
    ['xhtml', '"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">x</div>"'],
  ])('%s may be %s', (type, json) => {
    expect(fault(type, json)).toBeNull()
  })

  test.each([
    ['boolean', '"true"', 'type'],
    ['decimal', '"1.1"', 'type'],
    ['integer', '"1"', 'type'],
    ['integer', '1.0', 'format'],
    ['integer', '1e3', 'format'],
    ['integer', '2147483648', 'format'],
    ['unsignedInt', '-1', 'format'],
    ['positiveInt', '0', 'format'],
    ['string', '7', 'type'],
    ['string', '1.10', 'type'],
    ['string', '""', 'empty'],
    ['string', '" \\n "', 'format'],
    ['string', '"a\\u0007"', 'format'],
    ['date', '"2024-02-30"', 'format'],
    ['date', '"2023-02-29"', 'format'],
    ['date', '"0000"', 'format'],
    ['date', '"2024-1-1"', 'format'],
    ['date', '"2024-01-01T00:00:00Z"', 'format'],
    ['date', '"2024-01-01 "', 'format'],
    ['dateTime', '"2024-01-01T00:00"', 'format'],
    ['dateTime', '"2024-01-01T00:00:00"', 'format'],
    ['dateTime', '"2024-01-01T24:00:00Z"', 'format'],
    ['dateTime', '"2024-01-01T00:00:00+14:01"', 'format'],
    ['dateTime', '"2024-04-31T00:00:00Z"', 'format'],
    ['instant', '"2024-01-01"', 'format'],
    ['time', '"24:00:00"', 'format'],
    ['time', '"12:00"', 'format'],
    ['id', '"a_b"', 'format'],
    ['id', `"${'a'.repeat(65)}"`, 'format'],
    ['code', '" a"', 'format'],
    ['code', '"a "', 'format'],
    ['code', '"a  b"', 'format'],
    ['uri', '"a b"', 'format'],
    ['url', '"http://a b"', 'format'],
    ['canonical', '"a\\tb"', 'format'],
    ['oid', '"1.2.3"', 'format'],
    ['oid', '"urn:oid:3.1"', 'format'],
    ['oid', '"urn:oid:1.02"', 'format'],
    ['uuid', '"c757873d-ec9a-4326-a141-556f43239520"', 'format'],
    ['base64Binary', '"AAA"', 'format'],
    ['base64Binary', '"A=AA"', 'format'],
    ['base64Binary', '"AAA*"', 'format'],
    ['base64Binary', '"\\n"', 'format'],
    ['xhtml', '"<p>x</p>"', 'format'],
    ['xhtml', '"<divine/>"', 'format'],
  ])('%s may not be %s: %s', (type, json, why) => {
    expect(fault(type, json)).toBe(why)
  })

  test('of a megabyte is judged in time that grows with its length', () => {
    const blanks = ' '.repeat(1_000_000)
    expect(primitiveFault('base64Binary', `${blanks}*`)).toBe('format')
    expect(primitiveFault('code', `a${blanks}`)).toBe('format')
    expect(primitiveFault('string', blanks)).toBe('format')
    expect(primitiveFault('xhtml', `${blanks}<p>`)).toBe('format')
  })

  test('has its form said in both languages', () => {
    for (const type of ['boolean', 'date', 'instant', 'code', 'base64Binary', 'markdown']) {
      const { fr, en } = expectedOf(type)
      expect([fr, en].every((text) => text.length > 3)).toBe(true)
      expect(fr).not.toBe(en)
    }
  })
})
