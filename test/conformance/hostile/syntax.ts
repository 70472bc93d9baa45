/** Hostile tokens that are refused by how they are written, before anybody looks for a key. */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { limits } from '../../../src/limits.ts'
import { encode } from '../../unit/access/tokens.ts'
import type { Forge } from './forge.ts'
import type { HostileToken } from './hostile-token.ts'

type Make = (forge: Forge) => Promise<string> | string
type Case = readonly [name: string, cause: HostileToken['cause'], make: Make]

const rows = (rule: string, cases: readonly Case[]): HostileToken[] =>
  cases.map(([name, cause, make]) => ({
    rule,
    name,
    cause,
    by: 'authenticator',
    status: 401,
    make: async (forge) => ({ authorization: `Bearer ${await make(forge)}` }),
  }))

/** A good token with one part written in another way. */
const withPart =
  (at: 0 | 1 | 2, change: (part: string) => string): Make =>
  async (forge) => {
    const parts = (await forge.token()).split('.')
    parts[at] = change(parts[at] ?? '')
    return parts.join('.')
  }

const alg =
  (value: unknown): Make =>
  (forge) =>
    forge.token({}, { alg: value })
const unsigned =
  (value: string): Make =>
  (forge) =>
    `${encode(forge.headerText({ alg: value }))}.${encode(forge.payloadText())}.`

const hmac =
  (secretOf: (forge: Forge) => string, name = 'HS256'): Make =>
  (forge) =>
    new SignJWT(forge.claims())
      .setProtectedHeader({ alg: name, kid: 'rs256', typ: 'at+jwt' })
      .sign(new TextEncoder().encode(secretOf(forge).padEnd(64, '=')))

const pem = ({ keys }: Forge): string =>
  String(
    createPublicKey({ key: keys.rs256.publicJwk as JsonWebKey, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    }),
  )

const kid =
  (value: unknown): Make =>
  (forge) =>
    forge.token({}, { kid: value })
const badUtf8 = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)

export const syntaxTokens: readonly HostileToken[] = [
  {
    rule: 'RFC 6750 §2.1',
    name: 'that is not there',
    cause: 'missing',
    by: 'authenticator',
    status: 401,
    make: async () => ({ authorization: null }),
  },
  {
    rule: 'RFC 6750 §2.1',
    name: 'that is a password',
    cause: 'missing',
    by: 'authenticator',
    status: 401,
    make: async () => ({ authorization: 'Basic dGVzdDp0ZXN0' }),
  },
  ...rows('RFC 7515 §3.1, §7', [
    ['longer than the limit', 'jws-too-long', (f) => f.token({ note: 'x'.repeat(limits.maxTokenBytes) })],
    [
      'in flattened JSON',
      'jws-json-serialisation',
      async (f) => {
        const [protectedHeader, payload, signature] = (await f.token()).split('.')
        return JSON.stringify({ protected: protectedHeader, payload, signature })
      },
    ],
    [
      'in general JSON',
      'jws-json-serialisation',
      async (f) => {
        const [protectedHeader, payload, signature] = (await f.token()).split('.')
        return JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] })
      },
    ],
    ['with a space in it', 'jws-white-space', withPart(1, (part) => ` ${part}`)],
    ['followed by another', 'jws-white-space', async (f) => `${await f.token()}, Bearer ${await f.token()}`],
    ['with padding', 'jws-padding', withPart(2, (part) => `${part}==`)],
    ['in the alphabet of plain base64', 'jws-alphabet', withPart(2, (part) => `+/${part.slice(2)}`)],
    ['with letters beyond ASCII', 'jws-alphabet', withPart(2, (part) => `é${part.slice(1)}`)],
    ['that is encrypted', 'jws-encrypted', async (f) => `${await f.token()}.AAAA.AAAA`],
    ['with a fourth part', 'jws-not-three-parts', async (f) => `${await f.token()}.AAAA`],
    ['without a third part', 'jws-not-three-parts', async (f) => (await f.token()).replace(/\.[^.]*$/, '')],
    ['with an empty header', 'jws-empty-part', withPart(0, () => '')],
    ['with an empty payload', 'jws-empty-part', withPart(1, () => '')],
    ['of an impossible length', 'jws-length', withPart(2, (part) => `${part.slice(0, 84)}A`)],
    ['with unused bits set', 'jws-trailing-bits', withPart(2, (part) => `${part.slice(0, 85)}B`)],
  ]),
  ...rows('RFC 7515 §4, RFC 8725 §3.7', [
    ['whose header is no UTF-8', 'header-not-utf-8', (f) => f.text(badUtf8, f.payloadText())],
    ['whose header is no JSON', 'header-not-json', (f) => f.text('alg=ES256', f.payloadText())],
    [
      'whose header begins with a byte order mark',
      'header-not-json',
      (f) => f.text(`\ufeff${f.headerText()}`, f.payloadText()),
    ],
    ['whose header is a list', 'header-not-object', (f) => f.text(`[${f.headerText()}]`, f.payloadText())],
    [
      'with two algorithms',
      'header-duplicate-member',
      (f) => f.text(f.headerText().replace('{', '{"alg":"none",'), f.payloadText()),
    ],
    [
      'whose header holds half a surrogate pair',
      'header-not-unicode',
      (f) => f.text(f.headerText().replace('{', '{"x":"\\ud800",'), f.payloadText()),
    ],
    ['whose payload is no UTF-8', 'payload-not-utf-8', (f) => f.text(f.headerText(), badUtf8)],
    [
      'whose payload is another token',
      'payload-not-json',
      async (f) => f.text(f.headerText(), await f.token()),
    ],
    ['whose payload is a text', 'payload-not-object', (f) => f.text(f.headerText(), '"sub"')],
    [
      'with two subjects',
      'payload-duplicate-member',
      (f) => f.text(f.headerText(), f.payloadText().replace('{', '{"sub":"other",')),
    ],
    [
      'with two subjects, one escaped',
      'payload-duplicate-member',
      (f) => f.text(f.headerText(), f.payloadText().replace('{', '{"s\\u0075b":"other",')),
    ],
    [
      'whose payload holds half a surrogate pair',
      'payload-not-unicode',
      (f) => f.text(f.headerText(), f.payloadText().replace('{', '{"x":"\\udc00",')),
    ],
  ]),
  ...rows('RFC 8725 §3.10, RFC 7515 §4.1', [
    ['with critical extensions', 'header-crit', (f) => f.token({}, { crit: ['exp'], exp: 1 })],
    ['with an unencoded payload', 'header-b64', (f) => f.token({}, { b64: false })],
    ['that is compressed', 'header-zip', (f) => f.token({}, { zip: 'DEF' })],
    ['that says it is encrypted', 'header-enc', (f) => f.token({}, { enc: 'A256GCM' })],
    ['that says it wraps another', 'header-nested', (f) => f.token({}, { cty: 'JWT' })],
    [
      'that says where its keys are',
      'header-jku',
      (f) => f.token({}, { jku: 'https://attacker.example/jwks' }, f.keys.stranger),
    ],
    [
      'that says where its certificate is',
      'header-x5u',
      (f) => f.token({}, { x5u: 'https://attacker.example/pem' }, f.keys.stranger),
    ],
    ['that brings its certificate', 'header-x5c', (f) => f.token({}, { x5c: ['MIIB'] }, f.keys.stranger)],
    [
      'that brings its key',
      'header-jwk',
      (f) => f.token({}, { jwk: f.keys.stranger.publicJwk }, f.keys.stranger),
    ],
  ]),
  ...rows('RFC 8725 §3.1, §3.2', [
    ['without an algorithm', 'algorithm-missing', alg(undefined)],
    ['of two algorithms in a list', 'algorithm-wrong-type', alg(['ES256', 'none'])],
    ...['none', 'None', 'NONE', 'nOnE'].map(
      (name): Case => [`of alg ${name}, unsigned`, 'algorithm-none', unsigned(name)],
    ),
    ['of alg none, signed', 'algorithm-none', alg('none')],
    [
      'of HS256, keyed with the public key as JWK',
      'algorithm-symmetric',
      hmac(({ keys }) => JSON.stringify(keys.rs256.publicJwk)),
    ],
    ['of HS256, keyed with the public key as PEM', 'algorithm-symmetric', hmac(pem)],
    [
      'of HS512, keyed with the modulus',
      'algorithm-symmetric',
      hmac(({ keys }) => String(keys.rs256.publicJwk.n), 'HS512'),
    ],
    ['of a curve for coins', 'algorithm-unknown', alg('ES256K')],
    ['of an algorithm for encrypting', 'algorithm-unknown', alg('RSA-OAEP')],
    ['of an algorithm in small letters', 'algorithm-unknown', alg('es256')],
    ['of an algorithm that every object has', 'algorithm-unknown', alg('constructor')],
  ]),
  ...rows('RFC 8725 §3.11, RFC 9068 §2.1', [
    ['without a type', 'type-missing', (f) => f.token({}, { typ: undefined })],
    ['that is an ID token by its type', 'type-wrong', (f) => f.token({}, { typ: 'id+jwt' })],
    ['that is a proof by its type', 'type-wrong', (f) => f.token({}, { typ: 'dpop+jwt' })],
    ['whose type is no text', 'type-wrong', (f) => f.token({}, { typ: ['at+jwt'] })],
  ]),
  ...rows('RFC 8725 §3.10, RFC 7515 §4.1.4', [
    ['without a key id', 'kid-missing', kid(undefined)],
    ['whose key id is a number', 'kid-wrong-type', kid(1)],
    ['whose key id is empty', 'kid-empty', kid('')],
    ['whose key id is endless', 'kid-too-long', kid('k'.repeat(limits.maxKeyIdLength + 1))],
    ['whose key id ends early', 'kid-not-printable', kid('k1\0')],
    ['whose key id is a path', 'kid-path', kid('../../../../dev/null')],
    ['whose key id is an absolute path', 'kid-path', kid('/proc/self/environ')],
    ['whose key id is a URL', 'kid-url', kid('https://attacker.example/key')],
    ['whose key id is SQL', 'kid-unfit', kid(`' union select '{"keys":[]}' --`)],
    ['whose key id is a command', 'kid-unfit', kid('k1; cat /etc/passwd')],
    ['of an unknown key', 'key-unknown', (f) => f.token({}, {}, f.keys.stranger)],
    ['whose key id every object has', 'key-unknown', kid('__proto__')],
  ]),
  ...rows('RFC 8725 §3.3', [['without its signature', 'signature-missing', withPart(2, () => '')]]),
]
