import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { representationOf } from '../../../src/disclosure/representation.ts'
import { prettyJson } from '../../../src/fhir/json.ts'
import { limits } from '../../../src/limits.ts'

const at = (path: string, headers: Record<string, string> = {}) => {
  const url = new URL(`https://record.example${path}`)
  return representationOf(new Request(url, { headers }), url)
}
const reasonOf = (path: string, headers: Record<string, string> = {}) => at(path, headers).refusal?.reason

const bytesOf = async (body: BodyInit | null): Promise<Uint8Array> =>
  new Uint8Array(await new Response(body).arrayBuffer())

const long = JSON.stringify({ text: 'résultat '.repeat(limits.minCompressedLength) })

describe('the form of an answer on /fhir', () => {
  test.each([
    undefined,
    '',
    '*/*',
    'application/*',
    'application/json',
    'application/fhir+json',
    'application/fhir+json; fhirVersion=4.0',
    'application/fhir+json;charset=utf-8',
    'text/json',
    'application/fhir+xml;q=0.9, application/fhir+json;q=0.1',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'APPLICATION/JSON',
  ])('is JSON for whoever takes it: Accept %j', (accept) => {
    expect(reasonOf('/fhir/Patient/x', accept === undefined ? {} : { Accept: accept })).toBeUndefined()
  })

  test.each([
    'application/fhir+xml',
    'text/html',
    'application/fhir+turtle',
    'application/fhir+json;q=0',
    'application/fhir+json;q=0, */*',
    'application/*;q=0, */*;q=0',
    'application/fhir+json; fhirVersion=3.0',
  ])('is refused to whoever takes no JSON: Accept %j', (accept) => {
    expect(reasonOf('/fhir/Patient/x', { Accept: accept })).toBe('not-acceptable')
  })

  test.each([
    'json',
    'application/json',
    'application/fhir%2Bjson',
    'application/fhir+json',
    'text/json',
    'application/fhir%2Bjson;%20fhirVersion=4.0',
  ])('`_format=%s` is JSON, whatever Accept says', (format) => {
    expect(reasonOf(`/fhir/Patient/x?_format=${format}`, { Accept: 'application/fhir+xml' })).toBeUndefined()
  })

  test.each(['xml', 'application/fhir%2Bxml', 'ttl', '', 'html', 'json&_format=xml'])(
    '`_format=%s` is refused, whatever Accept says',
    (format) => {
      expect(reasonOf(`/fhir/Patient/x?_format=${format}`, { Accept: 'application/json' })).toBe(
        'not-acceptable',
      )
    },
  )

  test('`_pretty` is true or false, once', () => {
    for (const query of ['_pretty=true', '_pretty=false'])
      expect(reasonOf(`/fhir/Patient/x?${query}`)).toBeUndefined()
    for (const query of ['_pretty=1', '_pretty=', '_pretty', '_pretty=true&_pretty=true'])
      expect(reasonOf(`/fhir/Patient/x?${query}`)).toBe('invalid')
  })

  test('is not the business of other paths', () => {
    for (const path of ['/audit/export', '/fhirs', '/'])
      expect(reasonOf(`${path}?_pretty=x&_format=xml`, { Accept: 'text/csv' })).toBeUndefined()
    expect(at('/audit/export?_pretty=true', { 'Accept-Encoding': 'gzip' }).bodyOf(long)).toEqual({
      body: long,
    })
  })

  test('is stored text, untouched, where nothing else is asked for', () => {
    expect(at('/fhir/Patient/x').bodyOf(long)).toEqual({ body: long })
    expect(at('/fhir/Patient/x').bodyOf('')).toEqual({ body: null })
    expect(at('/fhir/Patient/x?_pretty=true', { 'Accept-Encoding': 'gzip' }).bodyOf('')).toEqual({
      body: null,
    })
  })

  test('is compressed where that pays, and says so', async () => {
    const compressed = at('/fhir/Patient/x', { 'Accept-Encoding': 'br;q=1.0, gzip;q=0.8' }).bodyOf(long)
    expect(compressed.coding).toBe('gzip')
    const bytes = await bytesOf(compressed.body)
    expect(gunzipSync(bytes).toString()).toBe(long)
    expect(bytes.length).toBeLessThan(long.length / 10)
    const { coding, body } = at('/fhir/Patient/x', { 'Accept-Encoding': 'gzip' }).bodyOf('{"a":1}')
    expect([coding, body]).toEqual([undefined, '{"a":1}'])
    expect(at('/fhir/Patient/x', { 'Accept-Encoding': 'gzip;q=0, *;q=0' }).bodyOf(long)).toEqual({
      body: long,
    })
  })

  test('is indented when asked for, each value as it was written', () => {
    const text = '{"a":[1.10,0.0e5,-0,12345678901234567890.0],"b":{},"c":"é\\n"}'
    const { body } = at('/fhir/Patient/x?_pretty=true').bodyOf(text)
    expect(body).toBe(
      '{\n  "a": [\n    1.10,\n    0.0e5,\n    -0,\n    12345678901234567890.0\n  ],\n  "b": {},\n  "c": "é\\n"\n}\n',
    )
  })

  test('says the same indented', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(prettyJson(text))).toEqual(JSON.parse(text))
      }),
    )
  })
})
