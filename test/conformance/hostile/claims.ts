/** Hostile tokens that are well written: their key, signature, claims or standing is what is wrong. */

import { requiredClaims } from '../../../src/access/refusal.ts'
import { limits } from '../../../src/limits.ts'
import { encode } from '../../unit/access/tokens.ts'
import type { Forge } from './forge.ts'
import type { HostileToken } from './hostile-token.ts'

type Make = (forge: Forge) => Promise<string> | string
type Case = readonly [name: string, cause: HostileToken['cause'], make: Make]

const rows = (rule: string, cases: readonly Case[], scheme = 'Bearer'): HostileToken[] =>
  cases.map(([name, cause, make]) => ({
    rule,
    name,
    cause,
    by: 'authenticator',
    status: 401,
    make: async (forge) => ({ authorization: `${scheme} ${await make(forge)}` }),
  }))

const claim =
  (changes: Readonly<Record<string, unknown>>): Make =>
  (forge) =>
    forge.token(changes)
const iua =
  (changes: Readonly<Record<string, unknown>>): Make =>
  (forge) =>
    forge.token(forge.iua(changes))

const tooLong = 'x'.repeat(limits.maxClaimBytes)

/** RFC 9068 §2.2, RFC 7519 §4.1, RFC 9449 §6.1, OpenID Connect Core §2, SMART launch context. */
const wrongTypes: Readonly<Record<string, unknown>> = {
  iss: ['https://identity.example'],
  sub: { id: 'tremblay' },
  client_id: 1,
  aud: { fhir: true },
  exp: '1900000600',
  iat: null,
  jti: '',
  nbf: true,
  scope: ['user/*.rs'],
  extensions: 'physician',
  cnf: { 'x5t#S256': 'A'.repeat(43) },
  patient: '../Patient',
  birthdate: 19800517,
  acr: ['urn:high'],
}

/** ITI TF-2 3.71.4.1.2.2.1.1. */
const wrongIuaTypes: Readonly<Record<string, unknown>> = {
  subject_name: 1,
  subject_organization_id: ['urn:a', 'urn:b'],
  subject_role: 'physician',
  purpose_of_use: ['TREAT'],
  person_id: { value: '1' },
}

export const claimTokens: readonly HostileToken[] = [
  ...rows('RFC 8725 §3.1, §3.5', [
    [
      'of an algorithm its issuer does not use',
      'algorithm-not-of-issuer',
      (f) => f.token({}, { alg: 'PS512' }, f.keys.ps256),
    ],
    ['of ES256 naming an RSA key', 'key-of-another-algorithm', (f) => f.token({}, { kid: 'rs256' })],
    [
      'of RS256 naming a PS256 key',
      'key-of-another-algorithm',
      (f) => f.token({}, { kid: 'ps256' }, f.keys.rs256),
    ],
    [
      'of PS256 naming an RS256 key',
      'key-of-another-algorithm',
      (f) => f.token({}, { kid: 'rs256' }, f.keys.ps256),
    ],
    [
      'of RS256 naming an EC key',
      'key-of-another-algorithm',
      (f) => f.token({}, { kid: 'k1' }, f.keys.rs256),
    ],
    ['of ES384 naming a key of P-256', 'key-wrong-curve', (f) => f.token({}, { alg: 'ES384' })],
    ['of ES512 naming a key of P-384', 'key-wrong-curve', (f) => f.token({}, { alg: 'ES512' }, f.keys.es384)],
    ['by a key for encrypting', 'key-not-for-signatures', (f) => f.token({}, {}, f.keys.encryption)],
    ['naming an RSA key of 1,024 bits', 'key-too-short', (f) => f.token({}, { kid: 'weak' }, f.keys.ps256)],
    ['naming a damaged key', 'key-damaged', (f) => f.token({}, { kid: 'damaged' })],
  ]),
  ...rows('RFC 8725 §3.3, §3.8', [
    ['by a key of the attacker', 'signature-wrong', (f) => f.token({}, { kid: 'k1' }, f.keys.stranger)],
    [
      'whose claims were changed',
      'signature-wrong',
      async (f) => {
        const [header, , signature] = (await f.token()).split('.')
        return `${header}.${encode(f.payloadText({ sub: 'other' }))}.${signature}`
      },
    ],
    [
      'whose header was changed',
      'signature-wrong',
      async (f) => {
        const [, payload, signature] = (await f.token()).split('.')
        return `${encode(f.headerText({ typ: 'application/at+jwt' }))}.${payload}.${signature}`
      },
    ],
    [
      'whose signature is zeros',
      'signature-wrong',
      async (f) => (await f.token()).replace(/[^.]*$/, encode(Buffer.alloc(64))),
    ],
    [
      'whose signature is twice as long',
      'signature-wrong',
      async (f) => {
        const [header, payload, signature = ''] = (await f.token()).split('.')
        const bytes = Buffer.from(signature, 'base64url')
        return `${header}.${payload}.${encode(Buffer.concat([bytes, bytes]))}`
      },
    ],
    ['of an unknown issuer', 'issuer-unknown', claim({ iss: 'https://stranger.example' })],
    ['of an issuer that ends in a slash', 'issuer-unknown', (f) => f.token({ iss: `${f.place.issuer}/` })],
    ['of an issuer that is SQL', 'issuer-unknown', claim({ iss: `x' or '1'='1` })],
    ['of an issuer trusted no more', 'issuer-revoked', (f) => f.token({ iss: f.issuer('ended') })],
  ]),
  ...rows('RFC 8725 §3.9', [
    ['for another audience', 'audience-wrong', claim({ aud: 'https://other.example/fhir' })],
    ['for a list of others', 'audience-wrong', claim({ aud: ['https://other.example', 'console'] })],
    ['for nobody', 'audience-wrong', claim({ aud: [] })],
  ]),
  ...rows(
    'RFC 9068 §2.2',
    requiredClaims.map((name): Case => [`without ${name}`, `${name}-missing`, claim({ [name]: undefined })]),
  ),
  ...rows(
    'RFC 7519 §4.1, RFC 8725 §3.10',
    Object.entries(wrongTypes).map(
      ([name, value]): Case => [
        `whose ${name} is ${JSON.stringify(value)}`,
        `${name}-wrong-type` as HostileToken['cause'],
        claim({ [name]: value }),
      ],
    ),
  ),
  ...rows('ITI TF-2 3.71', [
    ['whose IUA extension is a list', 'ihe_iua-wrong-type', claim({ extensions: { ihe_iua: [] } })],
    ...Object.entries(wrongIuaTypes).map(
      ([name, value]): Case => [
        `whose ${name} is ${JSON.stringify(value)}`,
        `${name}-wrong-type` as HostileToken['cause'],
        iua({ [name]: value }),
      ],
    ),
    [
      'of two roles',
      'subject_role-several',
      iua({ subject_role: [{ code: 'physician' }, { code: 'nurse' }] }),
    ],
  ]),
  ...rows('limits.maxClaimBytes', [
    ...(['iss', 'sub', 'client_id', 'aud', 'jti', 'patient', 'birthdate', 'acr'] as const).map(
      (name): Case => [`whose ${name} is too long`, `${name}-too-long`, claim({ [name]: tooLong })],
    ),
    ...(['subject_name', 'subject_organization_id', 'person_id'] as const).map(
      (name): Case => [`whose ${name} is too long`, `${name}-too-long`, iua({ [name]: tooLong })],
    ),
    ...(['subject_role', 'purpose_of_use'] as const).map(
      (name): Case => [`whose ${name} is too long`, `${name}-too-long`, iua({ [name]: { code: tooLong } })],
    ),
    ['whose scope is too long', 'scope-too-long', claim({ scope: 'x'.repeat(limits.maxScopeBytes) })],
  ]),
  ...rows('RFC 7519 §4.1.4–4.1.6', [
    [
      'that has expired',
      'expired',
      (f) => {
        const exp = f.place.nowSeconds() - limits.clockToleranceSeconds - 1
        return f.token({ iat: exp - 60, exp })
      },
    ],
    ['that holds later', 'not-yet-valid', (f) => f.token({ nbf: f.place.nowSeconds() + 300 })],
    ['of the future', 'issued-in-future', (f) => f.token({ iat: f.place.nowSeconds() + 300 })],
    [
      'that lives too long',
      'lifetime-too-long',
      (f) => f.token({ exp: f.place.nowSeconds() + limits.maxTokenLifetimeSeconds + 1 }),
    ],
    ['that never ends', 'lifetime-too-long', claim({ exp: Number.MAX_SAFE_INTEGER })],
  ]),
  ...rows('RFC 9449 §7.1, §7.2', [
    ['that is bound, as Bearer', 'wrong-scheme', (f) => f.boundToken()],
    ['that its issuer should have bound', 'dpop-required', (f) => f.token({ iss: f.issuer('bound') })],
  ]),
  ...rows('RFC 9449 §7.1', [['that is not bound, as DPoP', 'wrong-scheme', (f) => f.token()]], 'DPoP'),
]

const registered = (
  name: string,
  cause: HostileToken['cause'],
  status: 401 | 403,
  make: (forge: Forge) => Promise<string>,
): HostileToken => ({
  rule: 'Revocation takes effect in the next request',
  name,
  cause,
  by: 'registry',
  status,
  make: async (forge) => ({ authorization: `Bearer ${await make(forge)}` }),
})

/** Good by themselves; the registry knows better. */
export const revokedTokens: readonly HostileToken[] = [
  registered('by a revoked key', 'key-revoked', 401, (f) => f.token({}, {}, f.keys.revoked)),
  registered('that is revoked', 'token-revoked', 401, (f) => f.token({ jti: 'hostile-revoked' })),
  registered('of an ended client', 'client-unknown', 403, (f) => f.token({ client_id: 'hostile-ended' })),
  registered('of an ended professional', 'professional-unknown', 403, (f) => f.token({ sub: 'ended' })),
  {
    rule: 'Every token of this issuer is good for one request',
    name: 'that was used',
    cause: 'token-used',
    by: 'log',
    status: 401,
    make: async (f) => ({ authorization: `Bearer ${await f.token({ iss: f.issuer('once') })}` }),
  },
]
