/**
 * Access tokens of the local provider, by its real flows: a person logs in through the form of the login page
 * (authorization code with PKCE), a facility system signs an assertion (client credentials).
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { importJWK, type JWK, SignJWT } from 'jose'
import { limits } from '../limits.ts'
import type { TokenOptions } from './cluster.ts'
import { ClusterFailure, messageOf } from './failure.ts'
import type { Secrets } from './home.ts'
import { usualPurpose } from './identity/claims.ts'
import { clients, holders, professionals } from './sample/directory.ts'

export interface TokenSource {
  readonly issuer: string
  readonly audience: string
  /** Private keys of the facility systems, by client id. */
  readonly clientKeys: Secrets['clients']
}

const redirectUri = 'http://127.0.0.1/callback'
const clientId = 'dossier-cli'

/**
 * `name` is the login of a sample person, or `system-<facility>`.
 *
 * @throws ClusterFailure when nobody is called so, the provider does not answer, or refuses.
 */
export async function obtainToken(
  source: TokenSource,
  name: string,
  options: TokenOptions = {},
): Promise<string> {
  const isSystem = clients.some((client) => client.clientId === name && client.facility !== null)
  const professional = professionals.find(({ login }) => login === name)
  const holder = holders.find(({ login }) => login === name)
  const role = professional?.roles[0].role ?? holder?.roles[0]
  if (!isSystem && role === undefined) {
    throw new ClusterFailure(
      `Nobody in the sample is called "${name}"; "dossier token --list" names everybody.`,
    )
  }
  const usual = isSystem ? 'system/*.cruds' : holder ? 'patient/*.cruds' : 'user/*.cruds'
  const purpose = options.purpose ?? (role === undefined ? undefined : usualPurpose(role))
  const scope = scopeOf(usual, purpose, options)
  const token = await (isSystem ? systemToken(source, name, scope) : personToken(source, name, scope))
  const granted = token.scope.split(' ')
  if (options.purpose !== undefined && !granted.includes(`purpose_of_use=${options.purpose}`)) {
    throw new ClusterFailure(`The identity provider does not know the purpose "${options.purpose}".`)
  }
  // A token that says less than was asked for would be taken for what it is not.
  const dropped = scope.split(' ').find((value) => !granted.includes(value))
  if (dropped !== undefined) {
    throw new ClusterFailure(`The identity provider does not know the scope "${dropped}".`)
  }
  return token.jwt
}

/** A SMART scope is the usual one unless the caller names one (they all have a slash). */
function scopeOf(usual: string, purpose: string | undefined, { scope = '' }: TokenOptions): string {
  const asked = scope.split(' ').filter((value) => value !== '')
  return [
    ...(asked.some((value) => value.includes('/')) ? [] : [usual]),
    ...(purpose === undefined ? [] : [`purpose_of_use=${purpose}`]),
    ...asked,
  ].join(' ')
}

interface Issued {
  readonly jwt: string
  /** What was granted. */
  readonly scope: string
}

async function systemToken(source: TokenSource, name: string, scope: string): Promise<Issued> {
  const key = source.clientKeys[name]
  if (key === undefined) throw new ClusterFailure(`The state folder holds no key of ${name}.`)
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: key.kid })
    .setIssuer(name)
    .setSubject(name)
    .setAudience(`${source.issuer}/token`)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${limits.systemTokenSeconds} s`)
    .sign(await importJWK(key as JWK, 'ES384'))
  return redeem(source, {
    grant_type: 'client_credentials',
    scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  })
}

async function personToken(source: TokenSource, login: string, scope: string): Promise<Issued> {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const code = await authorise(source.issuer, login, {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    resource: source.audience,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return redeem(source, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
}

/** Follows the provider as a browser does, fills in the login form, and returns the code that comes back. */
async function authorise(issuer: string, login: string, parameters: Record<string, string>): Promise<string> {
  const cookies = new Map<string, string>()
  let url = `${issuer}/auth?${new URLSearchParams(parameters)}`
  let form: URLSearchParams | undefined
  for (let step = 0; step < limits.maxLoginSteps; step++) {
    const response = await ask(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })
    form = undefined
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = response.headers.get('location')
    if (location?.startsWith(redirectUri)) return codeOf(new URL(location), parameters.state ?? '')
    if (location !== null) {
      url = new URL(location, url).href
    } else if (response.ok && new URL(url).pathname.startsWith('/interaction/')) {
      form = new URLSearchParams({ login })
    } else {
      throw new ClusterFailure(
        `The identity provider refused the login (${response.status}): ${await refusal(response)}`,
      )
    }
  }
  throw new ClusterFailure(
    `The login at the identity provider did not end within ${limits.maxLoginSteps} steps.`,
  )
}

function codeOf(callback: URL, state: string): string {
  const { searchParams } = callback
  const code = searchParams.get('code')
  if (code === null || searchParams.get('state') !== state) {
    const why = searchParams.get('error_description') ?? searchParams.get('error') ?? 'no code came back'
    throw new ClusterFailure(`The identity provider refused the login: ${why}`)
  }
  return code
}

async function redeem(source: TokenSource, parameters: Record<string, string>): Promise<Issued> {
  const response = await ask(`${source.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...parameters, resource: source.audience }),
  })
  if (!response.ok) {
    throw new ClusterFailure(
      `The identity provider issued no token (${response.status}): ${await refusal(response)}`,
    )
  }
  const { access_token: jwt, scope = '' } = (await response.json()) as {
    access_token: string
    scope?: string
  }
  return { jwt, scope }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(limits.identityDeadlineMs) })
  } catch (error) {
    throw new ClusterFailure(
      `The identity provider at ${new URL(url).origin} does not answer (${messageOf(error)}): is the cluster running?`,
    )
  }
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const body = JSON.parse(text) as { error?: string; error_description?: string }
    return body.error_description ?? body.error ?? text
  } catch {
    return text.slice(0, 200)
  }
}
