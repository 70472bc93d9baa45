/** The keys of a local cluster, and the tokens its databases accept. */
import { randomBytes } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { limits } from '../limits.ts'
import type { Secrets } from './home.ts'
import { clients } from './sample/directory.ts'

type PrivateJwk = Secrets['identity'][number]

export const secret = (): string => randomBytes(32).toString('base64url')

async function newKey(alg: 'EdDSA' | 'ES256' | 'ES384', use: string): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const kid = `${use}-${randomBytes(6).toString('base64url')}`
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid } as PrivateJwk
}

export const newIdentityKey = (): Promise<PrivateJwk> => newKey('ES256', 'identity')

export async function newSecrets(databases: readonly string[]): Promise<Secrets> {
  const keyed = async (names: readonly string[], alg: 'EdDSA' | 'ES384') =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await newKey(alg, name)] as const)))
  const systems = clients.filter(({ facility }) => facility !== null).map(({ clientId }) => clientId)
  return {
    version: 1,
    idKey: secret(),
    cursorKey: secret(),
    metricsToken: secret(),
    adminKey: secret(),
    cookieKey: secret(),
    logSeed: secret(),
    databases: await keyed(databases, 'EdDSA'),
    identity: [await newIdentityKey()],
    clients: await keyed(systems, 'ES384'),
  }
}

/** The public half, as a JWKS shows it. */
export function publicJwk({ d: _, ...rest }: PrivateJwk): JWK {
  return rest as JWK
}

/** Public key in PEM (SPKI), as sqld reads it. */
export async function publicPem(jwk: PrivateJwk): Promise<string> {
  return exportSPKI((await importJWK(publicJwk(jwk), 'EdDSA', { extractable: true })) as CryptoKey)
}

/** A token of one database, by its key: `ro` may read everything in it (also as a dump), `rw` may write too. */
export async function databaseToken(jwk: PrivateJwk, access: 'ro' | 'rw'): Promise<string> {
  return new SignJWT({ a: access })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuedAt()
    .setExpirationTime(`${limits.databaseTokenDays} days`)
    .sign(await importJWK(jwk as JWK, 'EdDSA'))
}
