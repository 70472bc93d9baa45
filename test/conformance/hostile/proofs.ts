/** Good tokens, bound to a key, whose proof (RFC 9449) is hostile. */
import { exportJWK } from 'jose'
import { limits } from '../../../src/limits.ts'
import { signText } from '../../unit/access/tokens.ts'
import type { Forge, Shown } from './forge.ts'
import type { HostileToken } from './hostile-token.ts'

type Case = readonly [name: string, cause: HostileToken['cause'], make: (forge: Forge) => Promise<Shown>]
type Changes = Readonly<Record<string, unknown>>

const rows = (rule: string, cases: readonly Case[]): HostileToken[] =>
  cases.map(([name, cause, make]) => ({ rule, name, cause, by: 'authenticator', status: 401, make }))

const header =
  (changes: Changes) =>
  (forge: Forge): Promise<Shown> =>
    forge.proved({}, changes)

const claims =
  (changes: Changes) =>
  (forge: Forge): Promise<Shown> =>
    forge.proved(changes)

/** A good proof, written in another way. */
const rewritten =
  (change: (proof: string) => string) =>
  async (forge: Forge): Promise<Shown> => {
    const shown = await forge.proved()
    return { ...shown, dpop: change(shown.dpop ?? '') }
  }

/** Well signed, whatever header and payload say. */
const written =
  (texts: (header: string, payload: string) => readonly [string, string]) =>
  async (forge: Forge): Promise<Shown> => {
    const token = await forge.boundToken()
    const [head, payload] = texts(forge.proofHeader(), forge.proofClaims(token))
    return { authorization: `DPoP ${token}`, dpop: await signText(forge.keys.holder, head, payload) }
  }

export const proofTokens: readonly HostileToken[] = [
  ...rows('RFC 9449 §4.3', [
    ['without its proof', 'proof-missing', async (f) => ({ authorization: `DPoP ${await f.boundToken()}` })],
    [
      'that is not bound, with a proof',
      'wrong-scheme',
      async (f) => ({
        authorization: `Bearer ${await f.token()}`,
        dpop: (await f.proved()).dpop ?? '',
      }),
    ],
    ['with two proofs', 'proof-several', rewritten((proof) => `${proof}, ${proof}`)],
    ['with an endless proof', 'proof-jws-too-long', claims({ note: 'x'.repeat(limits.maxProofBytes) })],
    ['with a proof that has padding', 'proof-jws-padding', rewritten((proof) => `${proof}=`)],
    [
      'with a proof of two parts',
      'proof-jws-not-three-parts',
      rewritten((proof) => proof.replace(/\.[^.]*$/, '')),
    ],
    [
      'with a proof for two methods',
      'proof-payload-duplicate-member',
      written((head, payload) => [head, payload.replace('{', '{"htm":"POST",')]),
    ],
    [
      'with a proof of two keys',
      'proof-header-duplicate-member',
      written((head, payload) => [head.replace('{', '{"jwk":{},'), payload]),
    ],
    ['with a proof that is a token by its type', 'proof-type-wrong', header({ typ: 'at+jwt' })],
    ['with a proof without a type', 'proof-type-missing', header({ typ: undefined })],
    ['with a proof of alg none', 'proof-algorithm-none', header({ alg: 'none' })],
    ['with a proof of HS256', 'proof-algorithm-symmetric', header({ alg: 'HS256' })],
    ['with a proof of an unknown algorithm', 'proof-algorithm-unknown', header({ alg: 'ES256K' })],
    ['with a proof without an algorithm', 'proof-algorithm-missing', header({ alg: undefined })],
    ['with a proof with critical extensions', 'proof-header-crit', header({ crit: ['htm'] })],
    [
      'with a proof that says where its key is',
      'proof-header-jku',
      header({ jku: 'https://attacker.example/jwks' }),
    ],
    ['with a proof without a key', 'proof-key-missing', header({ jwk: undefined })],
    ['with a proof whose key is a text', 'proof-key-not-object', header({ jwk: 'key' })],
    [
      'with a proof that shows its private key',
      'proof-key-private',
      async (f) => f.proved({}, { jwk: await exportJWK(f.keys.holder.privateKey) }),
    ],
    ['with a proof of RS256 by an EC key', 'proof-key-of-another-algorithm', header({ alg: 'RS256' })],
    ['with a proof of ES384 by a key of P-256', 'proof-key-wrong-curve', header({ alg: 'ES384' })],
    [
      'with a proof whose key is damaged',
      'proof-key-damaged',
      header({ jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } }),
    ],
    ['with an unsigned proof', 'proof-signature-missing', rewritten((proof) => proof.replace(/[^.]*$/, ''))],
    [
      'with a proof signed by another key than it shows',
      'proof-signature-wrong',
      async (f) => {
        const token = await f.boundToken()
        const dpop = await signText(f.keys.thief, f.proofHeader(), f.proofClaims(token))
        return { authorization: `DPoP ${token}`, dpop }
      },
    ],
    ['with a proof by the thief’s own key', 'proof-wrong-key', (f) => f.proved({}, {}, f.keys.thief)],
    ...(['jti', 'htm', 'htu', 'iat', 'ath'] as const).map(
      (name): Case => [
        `with a proof without ${name}`,
        `proof-${name}-missing`,
        claims({ [name]: undefined }),
      ],
    ),
    ['with a proof whose jti is a number', 'proof-jti-wrong-type', claims({ jti: 1 })],
    ['with a proof whose iat is a text', 'proof-iat-wrong-type', claims({ iat: '1900000000' })],
    ['with a proof for another method', 'proof-wrong-method', claims({ htm: 'POST' })],
    [
      'with a proof for another address',
      'proof-wrong-url',
      (f) => f.proved({ htu: `${f.place.address}/other` }),
    ],
    ['with a proof for another token', 'proof-wrong-token', claims({ ath: 'A'.repeat(43) })],
    [
      'with a stale proof',
      'proof-stale',
      (f) => f.proved({ iat: f.place.nowSeconds() - limits.maxProofSkewSeconds - 2 }),
    ],
    [
      'with a proof of the future',
      'proof-not-yet-valid',
      (f) => f.proved({ iat: f.place.nowSeconds() + limits.maxProofSkewSeconds + 30 }),
    ],
  ]),
  {
    rule: 'RFC 9449 §11.1',
    name: 'with a proof that was used',
    cause: 'proof-replayed',
    by: 'log',
    status: 401,
    make: (f) => f.proved(),
  },
]
