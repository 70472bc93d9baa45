/** What the record says of itself to anybody, over the app. */
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Ports } from '../../src/disclosure/ports.ts'
import { limits } from '../../src/limits.ts'
import { publicDocumentPaths } from '../../src/public-documents.ts'

const wide = { perSecond: 1, burst: 1_000 }

function start(config: object = {}) {
  const app = createApp({
    config: {
      publicUrl: null,
      authorizationServer: null,
      rates: { address: wide, client: wide, professional: wide, identity: wide },
      ...config,
    },
    peerAddress: () => null,
  } as unknown as Ports)
  return async (address: string, headers: Record<string, string> = {}) =>
    await app.request(address, { headers })
}

const documents = publicDocumentPaths.filter((path) => !path.includes('.well-known'))

describe('a public document', () => {
  test.each(documents)(
    '%s names the address it was asked at, or the one that the operator has set',
    async (path) => {
      const at = async (config: object, address: string) =>
        JSON.stringify(await (await start(config)(`${address}${path}`)).json())
      expect(await at({}, 'https://record.example')).toContain('https://record.example')
      const behind = await at({ publicUrl: 'https://dossier.example' }, 'http://10.0.0.1:8787')
      expect(behind).toContain('https://dossier.example')
      expect(behind).not.toContain('10.0.0.1')
    },
  )

  test.each(['https://a"b.example', 'https://a$&b.example'])(
    'is JSON whatever the host: %s',
    async (host) => {
      const body = await (await start()(`${host}/fhir/metadata`)).json()
      expect(body).toMatchObject({ implementation: { url: `${host}/fhir` } })
    },
  )

  test('has an entity tag of its own for each address and language', async () => {
    const ask = start()
    const tags = await Promise.all(
      ['https://one.example', 'https://two.example'].flatMap((address) =>
        ['fr', 'en'].map(async (language) => {
          const { headers } = await ask(`${address}/fhir/metadata`, { 'accept-language': language })
          return headers.get('etag')
        }),
      ),
    )
    expect(new Set(tags).size).toBe(4)
  })

  test('may be kept by others for a while, and differs by language', async () => {
    const { headers } = await start()('https://record.example/fhir/metadata')
    expect(headers.get('cache-control')).toBe(`public, max-age=${limits.publicDocumentSeconds}`)
    expect(headers.get('vary')).toContain('Accept-Language')
  })

  test('about tokens is a problem where no authorization server is configured', async () => {
    const answer = await start()('https://record.example/fhir/.well-known/smart-configuration', {
      'accept-language': 'en',
    })
    expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
      { status: 404, title: 'No authorization server is configured.' },
    ])
  })
})
