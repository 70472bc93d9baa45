/** Key sets are fetched from a real HTTP server, and only what changed is written. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refreshIssuers } from '../../../src/access/refresh-issuers.ts'
import { limits } from '../../../src/limits.ts'
import type { Writer } from '../../../src/store/ports.ts'
import { openRegistry, type Registry } from './registry.ts'

const a = { kty: 'EC', crv: 'P-256', kid: 'a', x: 'x1', y: 'y1' }
const b = { kty: 'EC', crv: 'P-256', kid: 'b', x: 'x2', y: 'y2' }

let registry: Registry
let primary: Writer
let server: Server | null

beforeEach(() => {
  registry = openRegistry()
  server = null
  primary = {
    read: registry.read,
    write: async (_key, statements) => {
      registry.db.exec('update clock set n = n + 1')
      for (const { sql, args = {} } of statements) {
        const statement = registry.db.prepare(sql)
        if (Array.isArray(args)) statement.run(...args)
        else statement.run(args as Record<string, string>)
      }
      return { replayed: false, rows: [] }
    },
    apply: () => Promise.reject(new Error('not used')),
  } as Partial<Writer> as Writer
})

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** Base address of a server that answers so. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answer =
  (body: () => string, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body())

const register = (jwksUrl: string, keys: readonly unknown[] = [a], issuer = 'https://identity.example') =>
  registry.insert('issuer', {
    issuer,
    audience: 'https://record.example/fhir',
    algorithms: '["ES256"]',
    jwks: JSON.stringify({ keys }),
    jwks_url: jwksUrl,
    valid_from: 1,
  })

const rows = () => registry.run({ sql: 'select row, issuer, jwks, valid_to from issuer order by row' })
const currentKeys = (of = 'https://identity.example') =>
  rows()
    .filter(({ issuer, valid_to }) => issuer === of && valid_to === null)
    .map(({ jwks }) => (JSON.parse(String(jwks)) as { keys: unknown[] }).keys)

describe('the key sets of the registry', () => {
  it('a changed set ends the row and begins a new one', async () => {
    register(await serve(answer(() => JSON.stringify({ keys: [b] }))))
    expect(await refreshIssuers(primary)).toEqual(['https://identity.example'])
    expect(rows().map(({ valid_to }) => valid_to === null)).toEqual([false, true])
    expect(currentKeys()).toEqual([[b]])
  })

  it('the new row keeps what else the old one said', async () => {
    register(await serve(answer(() => JSON.stringify({ keys: [b] }))))
    registry.db.exec(`update issuer set role_system = 'https://record.example/roles', organisation = 'o',
      requires_dpop = 1, one_time = 1, patient_system = 'urn:nam', patient_acr = '["high"]'`)
    await refreshIssuers(primary)
    // All columns there are: one added later must not be lost either.
    const [before, after] = registry
      .run({ sql: 'select * from issuer order by row' })
      .map(({ row, jwks, valid_from, valid_to, ...kept }) => kept)
    expect(before).toMatchObject({ requires_dpop: 1, patient_acr: '["high"]' })
    expect(Object.values(before ?? {})).not.toContain(null)
    expect(after).toEqual(before)
  })

  it('a provider that shuffles its keys and their members changes nothing', async () => {
    let turn = 0
    register(
      await serve(
        answer(() => {
          const { kid, ...members } = a
          return JSON.stringify({ keys: turn++ % 2 ? [{ kid, ...members }, b] : [b, { ...members, kid }] })
        }),
      ),
      [b, a],
    )
    for (let round = 0; round < 4; round++) expect(await refreshIssuers(primary)).toEqual([])
    expect(turn).toBe(4)
    expect(rows()).toHaveLength(1)
  })

  it('keep what a key is for, and nothing private', async () => {
    const fetched = { ...b, d: 'secret', key_ops: ['encrypt'], use: 'enc' }
    register(await serve(answer(() => JSON.stringify({ keys: [fetched] }))))
    await refreshIssuers(primary)
    expect(currentKeys()).toEqual([[{ ...b, key_ops: ['encrypt'], use: 'enc' }]])
  })

  it('are fetched side by side, within the bound', async () => {
    const held: (() => void)[] = []
    let most = 0
    const address = await serve((_, response) => {
      held.push(() => response.end(JSON.stringify({ keys: [b] })))
      most = Math.max(most, held.length)
      // Answers only when as many wait as may: in sequence the first would wait for ever.
      if (held.length === limits.maxJwksFetches) for (const release of held.splice(0)) release()
    })
    const count = limits.maxJwksFetches * 2
    for (let n = 0; n < count; n++) register(`${address}/${n}`, [a], `https://${n}.example`)
    expect(await refreshIssuers(primary)).toHaveLength(count)
    expect(most).toBe(limits.maxJwksFetches)
  })

  it('an endless body is not read to its end', async () => {
    let sent = 0
    let ended: () => void = () => {}
    const closed = new Promise<void>((resolve) => {
      ended = resolve
    })
    register(
      await serve((_, response) => {
        const chunk = ' '.repeat(16 * 1024)
        const more = (): void => {
          do sent += chunk.length
          while (response.write(chunk))
          response.once('drain', more)
        }
        more()
        response.once('close', ended)
      }),
    )
    expect(await refreshIssuers(primary)).toEqual([])
    await closed
    // What the sockets hold comes on top; without a bound it would be gigabytes until the deadline.
    expect(sent).toBeLessThan(limits.maxJwksBytes + 16 * 1024 * 1024)
    expect(currentKeys()).toEqual([[a]])
  })

  it.each<[string, () => string, number]>([
    ['an error', () => JSON.stringify({ keys: [b] }), 500],
    ['no JSON', () => '<html>', 200],
    ['no keys', () => '{"keys":[]}', 200],
    ['a key that is no object', () => '{"keys":[null]}', 200],
  ])('an issuer that answers with %s keeps its keys', async (_, body, status) => {
    register(await serve(answer(body, status)))
    expect(await refreshIssuers(primary)).toEqual([])
    expect(currentKeys()).toEqual([[a]])
  })

  it('a redirection is not followed', async () => {
    const asked: string[] = []
    register(
      await serve((request, response) => {
        asked.push(request.url ?? '')
        response.writeHead(302, { Location: '/elsewhere' }).end()
      }),
    )
    expect(await refreshIssuers(primary)).toEqual([])
    expect(asked).toEqual(['/'])
  })

  it('a row that is damaged does not keep the others from being refreshed', async () => {
    const address = await serve(answer(() => JSON.stringify({ keys: [b] })))
    register(address, [a], 'https://damaged.example')
    registry.db.exec(`update issuer set jwks = '{'`)
    register(address)
    await expect(refreshIssuers(primary)).rejects.toThrow(AggregateError)
    expect(currentKeys()).toEqual([[b]])
  })
})
