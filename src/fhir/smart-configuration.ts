/**
 * `.well-known/smart-configuration` (SMART App Launch 2.2 §2.2): where a client gets tokens, and which of the guide's
 * capabilities hold. They are read off what the authorization server says of itself and what this record does.
 */

/** Of an authorization server, by the names of RFC 8414. */
export interface AuthorizationMetadata {
  readonly issuer: string
  readonly token_endpoint: string
  readonly authorization_endpoint?: string | undefined
  readonly jwks_uri?: string | undefined
  readonly registration_endpoint?: string | undefined
  readonly introspection_endpoint?: string | undefined
  readonly revocation_endpoint?: string | undefined
  readonly scopes_supported?: readonly string[] | undefined
  readonly response_types_supported?: readonly string[] | undefined
  readonly grant_types_supported?: readonly string[] | undefined
  readonly token_endpoint_auth_methods_supported?: readonly string[] | undefined
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[] | undefined
  readonly code_challenge_methods_supported?: readonly string[] | undefined
}

export const smartConfiguration = (server: AuthorizationMetadata) => ({
  issuer: server.issuer,
  jwks_uri: server.jwks_uri,
  authorization_endpoint: server.authorization_endpoint,
  token_endpoint: server.token_endpoint,
  registration_endpoint: server.registration_endpoint,
  introspection_endpoint: server.introspection_endpoint,
  revocation_endpoint: server.revocation_endpoint,
  // RFC 8414 §2: what it means when the server does not say.
  grant_types_supported: server.grant_types_supported ?? ['authorization_code'],
  response_types_supported: server.response_types_supported,
  scopes_supported: server.scopes_supported,
  token_endpoint_auth_methods_supported: server.token_endpoint_auth_methods_supported ?? [
    'client_secret_basic',
  ],
  token_endpoint_auth_signing_alg_values_supported: server.token_endpoint_auth_signing_alg_values_supported,
  // `plain` must not be told of, whoever takes it.
  code_challenge_methods_supported: (server.code_challenge_methods_supported ?? []).filter(
    (method) => method === 'S256',
  ),
  capabilities: capabilitiesOf(server),
})

function capabilitiesOf(server: AuthorizationMetadata): readonly string[] {
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const grants = server.grant_types_supported ?? ['authorization_code']
  const scopes = server.scopes_supported ?? []
  const hasScope = (pattern: RegExp): boolean => scopes.some((scope) => pattern.test(scope))
  const refreshes = grants.includes('refresh_token')
  const holds: readonly (readonly [string, boolean])[] = [
    // Scopes of both versions are judged by the record itself.
    ['permission-v1', true],
    ['permission-v2', true],
    ['permission-patient', hasScope(/^patient\//)],
    ['permission-user', hasScope(/^user\//)],
    ['permission-offline', refreshes && hasScope(/^offline_access$/)],
    ['permission-online', refreshes && hasScope(/^online_access$/)],
    ['client-public', methods.includes('none')],
    ['client-confidential-symmetric', methods.includes('client_secret_basic')],
    ['client-confidential-asymmetric', methods.includes('private_key_jwt')],
    ['launch-ehr', hasScope(/^launch$/)],
    ['launch-standalone', hasScope(/^launch\/patient$/)],
    ['context-standalone-patient', hasScope(/^launch\/patient$/)],
    ['sso-openid-connect', hasScope(/^openid$/) && hasScope(/^fhirUser$/)],
  ]
  return holds.filter(([, isHeld]) => isHeld).map(([name]) => name)
}
