/** The configuration of the local OpenID provider: who may ask for which token, and what is in it. */
import Provider, { type Context, errors, type Token } from 'oidc-provider'
import { limits } from '../../limits.ts'
import type { ClusterState, Secrets } from '../home.ts'
import { publicJwk } from '../keys.ts'
import { clients } from '../sample/directory.ts'
import { grantedScope, isLogin, scopes, tokenClaims } from './claims.ts'

/**
 * Access tokens are RFC 9068 JWTs (`typ: at+jwt`, ES256) for the one resource of this cluster. People log in by
 * authorization code with PKCE; facility systems use client credentials with a signed assertion (SMART backend services,
 * ES384).
 */
export function createProvider(state: ClusterState, secrets: Secrets): Provider {
  const issuer = state.issuers.at(-1) as string
  const resource = (ctx: Context) => ({
    audience: state.audience,
    scope: askedScope(ctx),
    accessTokenFormat: 'jwt',
    accessTokenTTL: limits.providerTokenSeconds,
    jwt: { sign: { alg: 'ES256' } },
  })
  return new Provider(issuer, {
    jwks: { keys: secrets.identity },
    cookies: { keys: [secrets.cookieKey] },
    clients: clients.map((client) =>
      clientMetadata(client.clientId, client.facility !== null, state.url, secrets),
    ),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { clientAuthSigningAlgValues: ['ES384'], idTokenSigningAlgValues: ['ES256'] },
    scopes,
    responseTypes: ['code'],
    ttl: { AccessToken: limits.providerTokenSeconds, ClientCredentials: limits.systemTokenSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => state.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: resource,
      },
    },
    interactions: { url: (_: Context, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    findAccount: (_: Context, login: string) =>
      isLogin(login) ? { accountId: login, claims: () => ({ sub: login }) } : undefined,
    // Nobody is asked what a client may do: every client of this provider is the cluster's own.
    loadExistingGrant: async (ctx: Context) => {
      const { oidc } = ctx
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      })
      grant.addOIDCScope(askedScope(ctx))
      grant.addResourceScope(state.audience, askedScope(ctx))
      await grant.save()
      return grant
    },
    extraTokenClaims: (_: Context, token: Token) => {
      const claims = tokenClaims(token.accountId ?? token.clientId ?? '', token.scope?.split(' ') ?? [])
      if (!claims.ok) throw new errors.InvalidScope(claims.error, token.scope)
      return claims.value
    },
  })
}

/** What this very request may have: the scopes of the record cannot be listed in advance. */
function askedScope({ oidc }: Context): string {
  return grantedScope(oidc.params.scope ?? oidc.entities.AuthorizationCode?.scope ?? '')
}

function clientMetadata(
  clientId: string,
  isSystem: boolean,
  url: string,
  secrets: Secrets,
): Record<string, unknown> {
  const key = secrets.clients[clientId]
  if (isSystem && key !== undefined) {
    return {
      client_id: clientId,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES384',
      jwks: { keys: [publicJwk(key)] },
    }
  }
  return {
    client_id: clientId,
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    // A native application listens on whatever loopback port is free (RFC 8252, 7.3).
    ...(clientId === 'dossier-console'
      ? { redirect_uris: [`${url}/login/callback`] }
      : { application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'] }),
  }
}
