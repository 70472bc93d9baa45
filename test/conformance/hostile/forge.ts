/** What hostile tokens are made of: real keys of real issuers, registered as they should be, and everything beside them. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SqlValue, Statement } from '../../../src/store/ports.ts'
import { claimsOf, headerOf, makeKey, signText, type TestKey } from '../../unit/access/tokens.ts'

type Changes = Readonly<Record<string, unknown>>

/** How a request shows its caller. */
export interface Shown {
  readonly authorization: string | null
  /** Default: no such header. */
  readonly dpop?: string
}

export interface Place {
  /** Also the beginning of the names of the other issuers. */
  readonly issuer: string
  readonly audience: string
  /** URI of a registered facility, at which physicians may act for treatment. */
  readonly facilityUri: string
  /** Its registry id. */
  readonly facility: string
  /** Code system of the roles. */
  readonly roleSystem: string
  /** The address that every token is shown at, by GET; without a query. */
  readonly address: string
  readonly nowSeconds: () => number
}

/** Key ids are those of the registered key sets; `stranger` and `thief` are nobody's, `holder` is the caller's own. */
const algorithms = {
  k1: 'ES256',
  es384: 'ES384',
  es512: 'ES512',
  rs256: 'RS256',
  ps256: 'PS256',
  eddsa: 'EdDSA',
  revoked: 'ES256',
  encryption: 'ES256',
  stranger: 'ES256',
  holder: 'ES256',
  thief: 'ES256',
} as const

type KeyName = keyof typeof algorithms

/** Keys by which a good token may be signed. */
export const goodKeys = ['k1', 'es384', 'es512', 'rs256', 'ps256', 'eddsa'] as const satisfies KeyName[]

/** What the issuer's row lists: `none` and HS256 too, since a registry's mistake must not open a door. */
const listed = ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'HS256', 'none']

export class Forge {
  readonly place: Place
  readonly keys: Readonly<Record<KeyName, TestKey>>
  /** RFC 7638, of `holder`. */
  readonly thumbprint: string
  readonly #revoked: string
  readonly #weak: JWK

  private constructor(
    place: Place,
    keys: Readonly<Record<KeyName, TestKey>>,
    thumbprint: string,
    revoked: string,
  ) {
    this.place = place
    this.keys = keys
    this.thumbprint = thumbprint
    this.#revoked = revoked
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    this.#weak = { ...(publicKey.export({ format: 'jwk' }) as JWK), kid: 'weak' }
  }

  static async at(place: Place): Promise<Forge> {
    const made = Object.entries(algorithms).map(async ([kid, alg]) => [kid, await makeKey(kid, alg)] as const)
    const keys = Object.fromEntries(await Promise.all(made)) as Record<KeyName, TestKey>
    const thumbprintOf = ({ publicJwk }: TestKey) => calculateJwkThumbprint(publicJwk)
    return new Forge(place, keys, await thumbprintOf(keys.holder), await thumbprintOf(keys.revoked))
  }

  /** Of another registry row: `bound` demands proofs, `once` gives tokens for one request, `ended` is trusted no more. */
  issuer(name: 'bound' | 'once' | 'ended'): string {
    return `${this.place.issuer}/${name}`
  }

  /** A good token's; a change of `undefined` removes the member. */
  claims(changes: Changes = {}): Record<string, unknown> {
    const { issuer, audience, facilityUri, roleSystem, nowSeconds } = this.place
    const now = nowSeconds()
    return claimsOf({
      iss: issuer,
      sub: 'hostile-physician',
      client_id: 'hostile-console',
      aud: audience,
      iat: now,
      exp: now + 600,
      jti: crypto.randomUUID(),
      extensions: {
        ihe_iua: {
          subject_organization_id: facilityUri,
          subject_role: [{ system: roleSystem, code: 'physician' }],
          purpose_of_use: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }],
        },
      },
      scope: undefined,
      ...changes,
    })
  }

  /** A good token's extension with these members changed. */
  iua(changes: Changes): { readonly extensions: unknown } {
    const { ihe_iua } = this.claims().extensions as { ihe_iua: Changes }
    return { extensions: { ihe_iua: { ...ihe_iua, ...changes } } }
  }

  token(claims: Changes = {}, header: Changes = {}, key: TestKey = this.keys.k1): Promise<string> {
    return signText(key, JSON.stringify(headerOf(key, header)), JSON.stringify(this.claims(claims)))
  }

  /** Well signed, whatever header and payload say. */
  text(header: string | Uint8Array, payload: string | Uint8Array): Promise<string> {
    return signText(this.keys.k1, header, payload)
  }

  headerText(changes: Changes = {}): string {
    return JSON.stringify(headerOf(this.keys.k1, changes))
  }

  payloadText(changes: Changes = {}): string {
    return JSON.stringify(this.claims(changes))
  }

  /** Bound to the key of `holder`. */
  boundToken(claims: Changes = {}): Promise<string> {
    return this.token({ cnf: { jkt: this.thumbprint }, ...claims })
  }

  proofHeader(changes: Changes = {}, key: TestKey = this.keys.holder): string {
    const { kty, crv, x, y } = key.publicJwk
    const header = { typ: 'dpop+jwt', alg: key.alg, jwk: { kty, crv, x, y }, ...changes }
    return JSON.stringify(header)
  }

  proofClaims(token: string, changes: Changes = {}): string {
    const ath = createHash('sha256').update(token).digest('base64url')
    const { address, nowSeconds } = this.place
    const jti = crypto.randomUUID()
    return JSON.stringify({ jti, htm: 'GET', htu: address, iat: nowSeconds(), ath, ...changes })
  }

  /** A good token and its proof, good but for the changes. */
  async proved(claims: Changes = {}, header: Changes = {}, key: TestKey = this.keys.holder): Promise<Shown> {
    const token = await this.boundToken()
    const dpop = await signText(key, this.proofHeader(header, key), this.proofClaims(token, claims))
    return { authorization: `DPoP ${token}`, dpop }
  }

  /** What the registry must hold for the good ones to be good. `valid_from` is that of the write clock. */
  registration(): readonly Statement[] {
    const { audience, issuer, roleSystem, facility } = this.place
    const keys: JWK[] = goodKeys.map((name) => this.keys[name].publicJwk)
    const { revoked, encryption, k1 } = this.keys
    const jwks = JSON.stringify({
      keys: [
        ...keys,
        revoked.publicJwk,
        { ...encryption.publicJwk, use: 'enc' },
        { ...k1.publicJwk, kid: 'damaged', x: 'AAAA' },
        this.#weak,
      ],
    })
    const ofIssuer = { audience, algorithms: JSON.stringify(listed), jwks, role_system: roleSystem }
    const client = { client_id: 'hostile-console', name: 'Console' }
    const physician = { id: 'hostile-physician', subject: 'hostile-physician', name: 'Dre Tremblay' }
    return [
      insert('issuer', { issuer, ...ofIssuer }),
      insert('issuer', { issuer: this.issuer('bound'), requires_dpop: 1, ...ofIssuer }),
      insert('issuer', { issuer: this.issuer('once'), one_time: 1, ...ofIssuer }),
      insert('issuer', { issuer: this.issuer('ended'), ...ofIssuer, valid_to: 1 }),
      insert('client', { issuer, ...client }),
      insert('client', { issuer: this.issuer('once'), ...client }),
      insert('client', { issuer, client_id: 'hostile-ended', name: 'Ended', valid_to: 1 }),
      insert('professional', { issuer, ...physician }),
      insert('professional', { issuer: this.issuer('once'), ...physician, id: 'hostile-once' }),
      insert('professional', { issuer, id: 'hostile-ended', subject: 'ended', name: 'Ended', valid_to: 1 }),
      ...['hostile-physician', 'hostile-once', 'hostile-ended'].map((professional) =>
        insert('professional_role', { professional, role: 'physician', facility }),
      ),
      insert('revoked_token', { issuer, jti: 'hostile-revoked' }),
      insert('revoked_key', { issuer, thumbprint: this.#revoked }),
    ]
  }
}

function insert(table: string, row: Readonly<Record<string, SqlValue>>): Statement {
  const names = Object.keys(row)
  const values = names.map((name) => `:${name}`)
  return {
    sql: `insert into ${table} (${names.join(', ')}, valid_from) select ${values.join(', ')}, n from clock`,
    args: row,
  }
}
