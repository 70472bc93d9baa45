import { describe, expect, it } from 'vitest'
import { headerFault, readJws, readKeyId } from '../../../src/access/compact-jws.ts'
import { limits } from '../../../src/limits.ts'
import { encode } from './tokens.ts'

const header = '{"alg":"ES256","kid":"k","typ":"at+jwt"}'
const payload = '{"iss":"i","sub":"s"}'
const token = (h: string = header, p: string = payload, signature = 'c2ln'): string =>
  `${encode(h)}.${encode(p)}.${signature}`

const read = (text: string) => readJws(text, limits.maxTokenBytes)
const faultOf = (text: string): string | null => {
  const result = read(text)
  return result.ok ? null : result.error
}

describe('the syntax gate', () => {
  it('reads header and claims', () => {
    expect(read(token())).toEqual({
      ok: true,
      value: {
        header: { alg: 'ES256', kid: 'k', typ: 'at+jwt' },
        claims: { iss: 'i', sub: 's' },
        isSigned: true,
      },
    })
    expect(read(token(header, payload, ''))).toMatchObject({ ok: true, value: { isSigned: false } })
  })

  it('accepts one name in two objects, and text with quotes, commas and braces in it', () => {
    const nested = '{"a":{"b":1,"c":[{"b":2},{"b":3}]},"b":"\\"{,b:\\\\","d":["x","x"],"é":"😀"}'
    expect(read(token(header, nested))).toMatchObject({ ok: true, value: { claims: JSON.parse(nested) } })
  })

  it.each([
    ['nothing', '', 'jws-not-three-parts'],
    ['two parts', token().split('.').slice(0, 2).join('.'), 'jws-not-three-parts'],
    ['four parts', `${token()}.x`, 'jws-not-three-parts'],
    ['five parts, an encrypted token', `${token()}.x.x`, 'jws-encrypted'],
    ['no header', `.${encode(payload)}.c2ln`, 'jws-empty-part'],
    ['no payload', `${encode(header)}..c2ln`, 'jws-empty-part'],
    ['padding', `${token()}==`, 'jws-padding'],
    ['padding within', token().replace('.', '=.'), 'jws-padding'],
    ['a space', ` ${token()}`, 'jws-white-space'],
    ['a line break', token().replace('.', '\n.'), 'jws-white-space'],
    ['a no-break space', `${token()}\u00a0`, 'jws-white-space'],
    ['JSON after a line break', `\n{"payload":"${encode(payload)}"}`, 'jws-json-serialisation'],
    ['the alphabet of plain base64', token(header, payload, 'ab+/'), 'jws-alphabet'],
    ['letters outside ASCII', token(header, payload, 'abcé'), 'jws-alphabet'],
    ['an impossible length', token(header, payload, 'c2lnA'), 'jws-length'],
    ['two unused bits set', token(header, payload, 'c2n'), 'jws-trailing-bits'],
    ['four unused bits set', token(header, payload, 'cz'), 'jws-trailing-bits'],
    [
      'unused bits in the header',
      `${encode(header).replace(/Q$/, 'R')}.${encode(payload)}.c2ln`,
      'jws-trailing-bits',
    ],
    ['a member named twice in the header', token('{"alg":"a","alg":"b"}'), 'header-duplicate-member'],
    [
      'a member named twice in the payload',
      token(header, '{"sub":"a","sub":"b"}'),
      'payload-duplicate-member',
    ],
    [
      'a member named twice, once escaped',
      token(header, '{"sub":"a","s\\u0075b":"b"}'),
      'payload-duplicate-member',
    ],
    [
      'a member named twice within',
      token(header, '{"extensions":{"ihe_iua":[{"a":1,"a":1}]}}'),
      'payload-duplicate-member',
    ],
    ['half a surrogate pair', token(header, '{"sub":"\\ud800"}'), 'payload-not-unicode'],
    ['half a surrogate pair in a name', token(header, '{"\\udc00":"x"}'), 'payload-not-unicode'],
    ['a payload that is no JSON', token(header, 'sub=a'), 'payload-not-json'],
    ['a payload that is an array', token(header, '["a"]'), 'payload-not-object'],
    ['a payload that is null', token(header, 'null'), 'payload-not-object'],
    ['a payload that is a token', token(header, token()), 'payload-not-json'],
    ['a byte order mark', token(header, `\ufeff${payload}`), 'payload-not-json'],
    [
      'bytes that are not UTF-8',
      `${encode(header)}.${encode(Uint8Array.of(0x22, 0xff, 0x22))}.c2ln`,
      'payload-not-utf-8',
    ],
    [
      'a UTF-8 text in two bytes more than it needs',
      `${encode(header)}.${encode(Uint8Array.of(0xc1, 0xa2))}.c2ln`,
      'payload-not-utf-8',
    ],
  ])('refuses %s', (_, hostile, cause) => {
    expect(faultOf(hostile)).toBe(cause)
  })

  it('refuses a token past the limit and accepts one at it', () => {
    const room = limits.maxTokenBytes - token(header, payload, '').length
    const atLimit = token(header, payload, 'A'.repeat(room - (room % 4)))
    expect(faultOf(atLimit)).toBeNull()
    expect(faultOf(atLimit + 'A'.repeat(8))).toBe('jws-too-long')
    expect(faultOf('A'.repeat(1024 * 1024))).toBe('jws-too-long')
  })

  it('survives deep nesting', () => {
    const deep = '['.repeat(2_000) + ']'.repeat(2_000)
    expect(read(token(header, `{"a":${deep}}`)).ok).toBe(true)
  })
})

describe('a header', () => {
  it.each(['crit', 'b64', 'zip', 'enc', 'jku', 'jwk', 'x5u', 'x5c'])(
    'may not have %s, whatever its value',
    (name) => {
      for (const value of [null, false, '', []]) expect(headerFault({ [name]: value })).toBe(`header-${name}`)
    },
  )

  it('may not say that it wraps another token', () => {
    expect(headerFault({ cty: 'JWT' })).toBe('header-nested')
    expect(headerFault({ alg: 'ES256', kid: 'k', typ: 'at+jwt', x5t: 'AAAA' })).toBeNull()
  })

  it.each([
    [undefined, 'kid-missing'],
    [1, 'kid-wrong-type'],
    [null, 'kid-wrong-type'],
    ['', 'kid-empty'],
    ['clé', 'kid-not-printable'],
    ['k\n', 'kid-not-printable'],
    ['k'.repeat(limits.maxKeyIdLength + 1), 'kid-too-long'],
  ])('with the key id %j is refused', (kid, cause) => {
    expect(readKeyId({ kid })).toEqual({ ok: false, error: cause })
  })

  it.each(['k', 'https://keys.example/1', 'a/b+c=', 'k'.repeat(limits.maxKeyIdLength)])(
    'with the key id %j is looked up: some issuers name keys so',
    (kid) => {
      expect(readKeyId({ kid })).toEqual({ ok: true, value: kid })
    },
  )
})
