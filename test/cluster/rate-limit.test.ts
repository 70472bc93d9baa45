/** How often one caller may ask, at a real cluster: who is refused, who is not, and what the log is told. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Rates } from '../../src/config.ts'
import { nam } from './bundles.ts'
import { ledgerOf, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const unknown = `/fhir/Observation/${'a'.repeat(26)}`
const lookUp = `/fhir/Patient?identifier=${encodeURIComponent(`${nam}|NOBO80010199`)}&birthdate=1980-01-01`

const refusal = {
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'error', code: 'transient', details: { text: 'Trop de requêtes. / Too many requests.' } },
  ],
}

const wide = { perSecond: 100, burst: 10_000 }
/** Another request every two seconds: long enough that sending a burst does not take it. */
const few = { perSecond: 0.5, burst: 8 }

/** A cluster of which one limit is narrow. */
function clusterWith(narrow: Partial<Rates>) {
  let running: TestCluster | undefined
  const tokens = new Map<string, string>()
  let refusals = 0
  const get = (path: string, who: string | null) =>
    (running as TestCluster).get(path, who && (tokens.get(who) as string))

  return {
    start: async (...names: readonly string[]) => {
      running = await startTestCluster({
        rateLimits: JSON.stringify({ address: wide, client: wide, professional: wide, ...narrow }),
      })
      for (const name of names) tokens.set(name, await running.cluster.token(name))
    },
    end: async () => await running?.end(),
    get,
    refusals: () => refusals,
    audit: () => (running as TestCluster).cluster.databases.audit,
    status: async (path: string, who: string | null) => (await get(path, who)).status,
    /** Asks until refused; how often that went well, and the refusal. */
    exhaust: async (path: string, who: string | null) => {
      for (let admitted = 0; admitted < few.burst * 10; admitted++) {
        const response = await get(path, who)
        if (response.status !== 429) continue
        refusals++
        return { admitted, refused: response }
      }
      throw new Error('never refused')
    },
  }
}

const waitAsTold = (response: Response): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Number(response.headers.get('retry-after')) * 1_000))

describe('the limit of a professional', () => {
  const t = clusterWith({ professional: few })
  beforeAll(() => t.start('tremblay', 'gagnon', 'system-hopital-mont-royal'))
  afterAll(t.end)

  test('refuses him alone past his burst, with a constant answer and the time to wait, after which he is served', async () => {
    const { admitted, refused } = await t.exhaust(unknown, 'tremblay')
    expect(admitted).toBeGreaterThanOrEqual(few.burst)
    expect(await refused.json()).toEqual(refusal)
    expect(refused.headers.get('dossier-receipt')).toBeNull()
    expect(refused.headers.get('retry-after')).toMatch(/^[12]$/)
    expect(await t.status(unknown, 'gagnon')).toBe(404)
    await waitAsTold(refused)
    expect(await t.status(unknown, 'tremblay')).toBe(404)
  })

  test('is none for a facility’s system, which acts for no professional', async () => {
    const statuses = new Set<number>()
    for (let n = 0; n < few.burst * 2; n++) statuses.add(await t.status(unknown, 'system-hopital-mont-royal'))
    expect([...statuses]).toEqual([404])
  })

  test('leaves an entry that counts whom it refused', async () => {
    await t.exhaust(unknown, 'tremblay')
    // The next access that the log takes brings the count along.
    const told = await t.get(unknown, 'gagnon')
    expect(told.status).toBe(404)
    const entries = async () => {
      const receipt = parseReceipt(
        (await t.get(unknown, 'system-hopital-mont-royal')).headers.get('dossier-receipt'),
      )
      const logs = await ledgerOf(t.audit(), [receipt])
      return [...logs.values()].flat()
    }
    await expect
      .poll(
        async () =>
          (await entries())
            .filter(({ access }) => access.operation === 'refused-without-receipt')
            .map(({ access }) => Number(access.note?.['rate-limited']))
            .reduce((sum, count) => sum + count, 0),
        { timeout: 20_000 },
      )
      .toBe(t.refusals())
  })
})

describe('the limit of look-ups of persons', () => {
  const t = clusterWith({ identity: few })
  beforeAll(() => t.start('tremblay', 'gagnon'))
  afterAll(t.end)

  test('refuses a professional who tries identifiers, and goes on serving his other requests and other professionals', async () => {
    const { admitted, refused } = await t.exhaust(lookUp, 'tremblay')
    expect(admitted).toBeGreaterThanOrEqual(few.burst)
    expect(await refused.json()).toEqual(refusal)
    expect(await t.status(unknown, 'tremblay')).toBe(404)
    expect(await t.status(lookUp, 'gagnon')).toBe(200)
    await waitAsTold(refused)
    expect(await t.status(lookUp, 'tremblay')).toBe(200)
  })
})

describe('the limit of a client', () => {
  const t = clusterWith({ client: few })
  beforeAll(() => t.start('tremblay', 'gagnon', 'system-hopital-mont-royal'))
  afterAll(t.end)

  test('refuses all professionals who use it, and no other client', async () => {
    expect((await t.exhaust(unknown, 'tremblay')).admitted).toBeGreaterThanOrEqual(few.burst)
    const { admitted, refused } = await t.exhaust(unknown, 'gagnon')
    expect(admitted).toBeLessThan(few.burst)
    expect(await t.status(unknown, 'system-hopital-mont-royal')).toBe(404)
    await waitAsTold(refused)
    expect(await t.status(unknown, 'gagnon')).toBe(404)
  })
})

describe('the limit of an address', () => {
  const t = clusterWith({ address: few })
  beforeAll(() => t.start('tremblay'))
  afterAll(t.end)

  test('counts failed authentications, and then refuses good tokens from there too', async () => {
    expect((await t.exhaust(unknown, null)).admitted).toBeGreaterThanOrEqual(few.burst)
    const { admitted, refused } = await t.exhaust(unknown, 'tremblay')
    expect(admitted).toBeLessThan(few.burst)
    expect(await refused.json()).toEqual(refusal)
    await waitAsTold(refused)
    expect(await t.status(unknown, 'tremblay')).toBe(404)
  })

  test('does not hide whether the service is alive and ready', async () => {
    await t.exhaust(unknown, null)
    expect(await t.status('/healthz', null)).toBe(200)
    expect(await t.status('/readyz', null)).toBe(200)
  })
})
