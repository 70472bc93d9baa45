import { describe, expect, it } from 'vitest'
import { readCompactJws } from '../../../src/access/compact-jws.ts'
import { limits } from '../../../src/limits.ts'
import { encode } from './tokens.ts'

const header = '{"alg":"ES256","kid":"k","typ":"at+jwt"}'
const payload = '{"iss":"i","sub":"s"}'
const token = (h: string = header, p: string = payload, signature = 'c2ln'): string =>
  `${encode(h)}.${encode(p)}.${signature}`

describe('the syntax gate', () => {
  it('reads header and claims', () => {
    expect(readCompactJws(token())).toEqual({
      ok: true,
      value: { header: { alg: 'ES256', kid: 'k', typ: 'at+jwt' }, claims: { iss: 'i', sub: 's' } },
    })
  })

  it('accepts one name in two objects, and text with quotes, commas and braces in it', () => {
    const nested = '{"a":{"b":1,"c":[{"b":2},{"b":3}]},"b":"\\"{,b:\\\\","d":["x","x"],"é":"😀"}'
    expect(readCompactJws(token(header, nested))).toMatchObject({
      ok: true,
      value: { claims: JSON.parse(nested) },
    })
  })

  it.each([
    ['nothing', ''],
    ['two parts', token().split('.').slice(0, 2).join('.')],
    ['four parts', `${token()}.x`],
    ['five parts, an encrypted token', `${token()}.x.x`],
    ['no header', `.${encode(payload)}.c2ln`],
    ['no payload', `${encode(header)}..c2ln`],
    ['padding', `${token()}==`],
    ['padding within', token().replace('.', '=.')],
    ['a space', ` ${token()}`],
    ['a line break', token().replace('.', '\n.')],
    ['the alphabet of plain base64', token(header, payload, 'ab+/')],
    ['letters outside ASCII', token(header, payload, 'abcé')],
    ['an impossible length', token(header, payload, 'c2lnA')],
    ['two unused bits set', token(header, payload, 'c2n')],
    ['four unused bits set', token(header, payload, 'cz')],
    ['unused bits in the header', `${encode(header).replace(/Q$/, 'R')}.${encode(payload)}.c2ln`],
    ['a member named twice in the header', token('{"alg":"ES256","alg":"none","kid":"k"}')],
    ['a member named twice in the payload', token(header, '{"sub":"a","sub":"b"}')],
    ['a member named twice, once escaped', token(header, '{"sub":"a","s\\u0075b":"b"}')],
    ['a member named twice within', token(header, '{"extensions":{"ihe_iua":[{"a":1,"a":1}]}}')],
    ['half a surrogate pair', token(header, '{"sub":"\\ud800"}')],
    ['half a surrogate pair in a name', token(header, '{"\\udc00":"x"}')],
    ['a payload that is no JSON', token(header, 'sub=a')],
    ['a payload that is an array', token(header, '["a"]')],
    ['a payload that is null', token(header, 'null')],
    ['a payload that is a token', token(header, token())],
    ['a byte order mark', token(header, `\ufeff${payload}`)],
    ['bytes that are not UTF-8', `${encode(header)}.${encode(Uint8Array.of(0x22, 0xff, 0x22))}.c2ln`],
    [
      'a UTF-8 text in two bytes more than it needs',
      `${encode(header)}.${encode(Uint8Array.of(0xc1, 0xa2))}.c2ln`,
    ],
    ['no alg', token('{"kid":"k"}')],
    ['an alg that is no text', token('{"alg":["ES256"],"kid":"k"}')],
    ['no kid', token('{"alg":"ES256"}')],
    ['a kid that is no text', token('{"alg":"ES256","kid":1}')],
    ['a typ that is no text', token('{"alg":"ES256","kid":"k","typ":["at+jwt"]}')],
    ['a nested token', token('{"alg":"ES256","kid":"k","cty":"JWT"}')],
    ...['crit', 'b64', 'zip', 'enc', 'jku', 'jwk', 'x5u', 'x5c'].map((name): [string, string] => [
      `header parameter ${name}`,
      token(`{"alg":"ES256","kid":"k","${name}":null}`),
    ]),
  ])('refuses %s', (_, hostile) => {
    expect(readCompactJws(hostile).ok).toBe(false)
  })

  it('refuses a token past the limit and accepts one at it', () => {
    const room = limits.maxTokenBytes - token(header, payload, '').length
    const atLimit = token(header, payload, 'A'.repeat(room - (room % 4)))
    expect(readCompactJws(atLimit).ok).toBe(true)
    expect(readCompactJws(atLimit + 'A'.repeat(8)).ok).toBe(false)
    expect(readCompactJws('A'.repeat(1024 * 1024)).ok).toBe(false)
  })

  it('survives deep nesting', () => {
    const deep = '['.repeat(2_000) + ']'.repeat(2_000)
    expect(readCompactJws(token(header, `{"a":${deep}}`)).ok).toBe(true)
  })
})
