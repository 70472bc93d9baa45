/** What the record says of itself to anybody, browsers of any origin included: constant for a build and its configuration. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Context, Hono } from 'hono'
import { createDiscovery, type Discovery } from './access/authorization-server.ts'
import { Memory } from './access/memory.ts'
import { openApi } from './disclosure/openapi.ts'
import type { AnyOperation } from './disclosure/operation.ts'
import type { Ports } from './disclosure/ports.ts'
import { releasePublic } from './disclosure/release.ts'
import { publicAddress } from './disclosure/request.ts'
import { capabilityStatement } from './fhir/capability.ts'
import { smartConfiguration } from './fhir/smart-configuration.ts'
import { limits } from './limits.ts'

export const publicDocumentPaths = [
  '/fhir/metadata',
  '/fhir/.well-known/smart-configuration',
  '/.well-known/smart-configuration',
  '/openapi.json',
] as const

type Language = 'fr' | 'en'

export function publicDocuments(
  // biome-ignore lint/suspicious/noExplicitAny: any app, whatever its variables.
  app: Hono<any>,
  ports: Pick<Ports, 'config'>,
  operations: readonly AnyOperation[],
): void {
  const discover = createDiscovery(ports.config.authorizationServer)
  // By what they depend on but the address, which whoever asks may choose: nobody has them made anew by asking.
  const remembered = new Memory<string, Template>(limits.maxRememberedDocuments)
  const templateOf = (key: readonly unknown[], make: () => unknown): Template => {
    const name = JSON.stringify(key)
    const known = remembered.get(name)
    if (known) return known
    const text = JSON.stringify(make())
    const made = { text, digest: digestOf(text) }
    remembered.set(name, made)
    return made
  }
  const originOf = (c: Context): string => publicAddress(c.req.raw, ports.config.publicUrl).origin
  const languageOf = (c: Context): Language => (c.get('language') === 'en' ? 'en' : 'fr')

  // `mode` and `_format` change nothing (R4 §3.1.0.8): there is one statement, in JSON.
  app.get('/fhir/metadata', async (c) => {
    const oauth = endpointsOf(await discover(Date.now()))
    const language = languageOf(c)
    const template = templateOf(['metadata', language, oauth], () =>
      capabilityStatement({ origin: anywhere, language, operations, oauth }),
    )
    return told(c, documentAt(template, originOf(c)), {
      'Content-Type': 'application/fhir+json; charset=utf-8',
      'Content-Language': language,
    })
  })

  for (const path of ['/fhir/.well-known/smart-configuration', '/.well-known/smart-configuration'])
    app.get(path, async (c) => {
      const discovery = await discover(Date.now())
      if (discovery.state !== 'known') return unconfigured(discovery.state, languageOf(c))
      const template = templateOf(['smart', discovery.server], () => smartConfiguration(discovery.server))
      return told(c, documentAt(template, originOf(c)), { 'Content-Type': 'application/json; charset=utf-8' })
    })

  app.get('/openapi.json', (c) => {
    const language = languageOf(c)
    const template = templateOf(['openapi', language], () => openApi(anywhere, language, operations))
    return told(c, documentAt(template, originOf(c)), {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Language': language,
    })
  })
}

/** Stands for the address of the record until somebody asks. */
const anywhere = 'https://address.invalid'

/** A document at no address yet. */
interface Template {
  readonly text: string
  readonly digest: string
}

/** A host may hold quotes, and what a replacement would take for a pattern. */
const documentAt = ({ text, digest }: Template, origin: string): PublicDocument => ({
  body: text.replaceAll(anywhere, () => JSON.stringify(origin).slice(1, -1)),
  etag: `"${digestOf(`${digest} ${origin}`)}"`,
})

const digestOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text))).slice(0, 32)

interface PublicDocument {
  readonly body: string
  readonly etag: string
}

const anyOrigin = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag, Retry-After' }

function told(
  c: Context,
  { body, etag }: PublicDocument,
  headers: Readonly<Record<string, string>>,
): Response {
  const shared = {
    ...anyOrigin,
    ETag: etag,
    Vary: 'Accept-Language',
    'Cache-Control': `public, max-age=${limits.publicDocumentSeconds}`,
  }
  const known = (c.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known.includes(etag) || known.includes('*'))
    return releasePublic(null, { status: 304, headers: shared })
  return releasePublic(body, { headers: { ...shared, ...headers } })
}

function endpointsOf(discovery: Discovery) {
  if (discovery.state !== 'known') return null
  const { authorization_endpoint: authorize = null, token_endpoint: token } = discovery.server
  return { authorize, token }
}

const problems = {
  none: {
    status: 404,
    fr: 'Aucun serveur d’autorisation n’est configuré.',
    en: 'No authorization server is configured.',
  },
  unavailable: {
    status: 503,
    fr: 'Le serveur d’autorisation ne répond pas. Réessayez sous peu.',
    en: 'The authorization server does not answer. Try again shortly.',
  },
} as const

function unconfigured(state: keyof typeof problems, language: Language): Response {
  const { status, [language]: title } = problems[state]
  return releasePublic(JSON.stringify({ status, title }), {
    status,
    headers: {
      ...anyOrigin,
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Content-Language': language,
      'Cache-Control': 'no-store',
      ...(status === 503 ? { 'Retry-After': String(limits.retryAfterSeconds) } : {}),
    },
  })
}
