/** The table of hostile tokens against the authenticator alone; `test/cluster` sends it over HTTP. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Authenticator, createAuthenticator } from '../../src/access/authenticate.ts'
import { addFacility, audience, issuer, openRegistry, uriOf } from '../unit/access/registry.ts'
import { nowMs, nowSeconds } from '../unit/access/tokens.ts'
import { Forge, goodKeys, type Shown } from './hostile/forge.ts'
import { hostileTokens } from './hostile-tokens.ts'

const address = 'https://record.example/fhir/Observation'
let forge: Forge
let authenticator: Authenticator

beforeAll(async () => {
  forge = await Forge.at({
    issuer,
    audience,
    facility: 'hospital',
    facilityUri: uriOf('hospital'),
    roleSystem: 'https://record.example/roles',
    address,
    nowSeconds: () => nowSeconds,
  })
})

beforeEach(() => {
  const registry = openRegistry()
  addFacility(registry, 'hospital')
  for (const statement of forge.registration()) registry.run(statement)
  authenticator = createAuthenticator(registry)
})

const authenticate = ({ authorization, dpop }: Shown) =>
  authenticator.authenticate(
    { authorization, dpop: dpop ?? null, method: 'GET', url: new URL(`${address}?x=y`) },
    nowMs,
  )

/** The cause of the refusal, or `accepted`. */
async function verdict(shown: Shown): Promise<string> {
  const result = await authenticate(shown)
  return result.ok ? 'accepted' : result.error.cause
}

describe('the authenticator', () => {
  it.each(goodKeys)('accepts what the hostile ones are made of, signed with %s', async (name) => {
    const token = await forge.token({}, {}, forge.keys[name])
    expect(await verdict({ authorization: `Bearer ${token}` })).toBe('accepted')
  })

  it('accepts the proof that the hostile ones are made of', async () => {
    expect(await verdict(await forge.proved())).toBe('accepted')
  })

  it.each(hostileTokens.filter(({ by }) => by === 'authenticator'))(
    'refuses a token $name: $cause ($rule)',
    async ({ make, cause }) => {
      expect(await verdict(await make(forge))).toBe(cause)
    },
  )

  it.each(hostileTokens.filter(({ by }) => by === 'registry'))(
    'leaves a token $name to the facts of its request',
    async ({ make }) => {
      expect(await verdict(await make(forge))).toBe('accepted')
    },
  )

  it.each(hostileTokens.filter(({ by }) => by === 'log'))(
    'gives a token $name one key each time, for the log to refuse',
    async ({ make }) => {
      const shown = await make(forge)
      const [first, second] = [await authenticate(shown), await authenticate(shown)]
      expect(first).toMatchObject({ ok: true, value: { once: [{ key: expect.any(String) }] } })
      expect(second).toEqual(first)
      expect(await authenticate(await make(forge))).not.toEqual(first)
    },
  )
})

describe('the table', () => {
  it('names every token once, and a hundred rules by a reason of their own', () => {
    expect(new Set(hostileTokens.map(({ name }) => name)).size).toBe(hostileTokens.length)
    expect(new Set(hostileTokens.map(({ cause }) => cause)).size).toBeGreaterThanOrEqual(100)
  })
})
