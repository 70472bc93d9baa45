/**
 * What the operator's authorization server says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2). Dossier issues no
 * tokens: this is told to clients that look for where to get one. Whose tokens count, the registry alone says.
 */
import * as z from 'zod'
import { boundedBody } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { isSecureUrl } from '../secure-url.ts'

const url = z.string().max(limits.maxRegistryUriLength).refine(isSecureUrl)
const list = z.array(z.string().max(limits.maxRegistryUriLength)).max(limits.maxDiscoveryListLength)

/** Members that a SMART client needs, by the names of the standard; anything else is passed over. */
const metadata = z.object({
  issuer: url,
  token_endpoint: url,
  authorization_endpoint: url.optional(),
  jwks_uri: url.optional(),
  registration_endpoint: url.optional(),
  introspection_endpoint: url.optional(),
  revocation_endpoint: url.optional(),
  scopes_supported: list.optional(),
  response_types_supported: list.optional(),
  grant_types_supported: list.optional(),
  token_endpoint_auth_methods_supported: list.optional(),
  token_endpoint_auth_signing_alg_values_supported: list.optional(),
  code_challenge_methods_supported: list.optional(),
})

export type AuthorizationServer = z.infer<typeof metadata>

/** What is known of the server: that there is none, that it does not answer, or what it says. */
export type Discovery =
  | { readonly state: 'none' }
  | { readonly state: 'unavailable' }
  | { readonly state: 'known'; readonly server: AuthorizationServer }

/**
 * One per isolate. What it has found it asks for again after `limits.discoveryFreshMs`, and tells until then and while
 * the server is away.
 *
 * @param issuer as its tokens name it; null: the operator has named none
 */
export function createDiscovery(issuer: string | null): (nowMs: number) => Promise<Discovery> {
  if (!issuer) return async () => ({ state: 'none' })
  let known: AuthorizationServer | null = null
  let askedAtMs = Number.NEGATIVE_INFINITY
  return async (nowMs) => {
    const isFresh = nowMs - askedAtMs < (known ? limits.discoveryFreshMs : limits.discoveryRetryMs)
    if (!isFresh || nowMs < askedAtMs) {
      // Also of an answer that does not come: those who ask meanwhile do not ask again.
      askedAtMs = nowMs
      known = (await fetchMetadata(issuer).catch(() => null)) ?? known
    }
    return known ? { state: 'known', server: known } : { state: 'unavailable' }
  }
}

/** Null: no document, or that of another issuer (RFC 8414 §3.3). Rejects when it does not answer in time. */
async function fetchMetadata(issuer: string): Promise<AuthorizationServer | null> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(limits.discoveryDeadlineMs),
    redirect: 'manual',
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    return null
  }
  const body = await boundedBody(response, limits.maxDiscoveryBytes)
  if (body === null) return null
  const read = metadata.safeParse(
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body)),
  )
  return read.success && read.data.issuer === issuer ? read.data : null
}
