/** The table of hostile tokens over HTTP, against the real parts: one answer for all, a reason of its own in the log for each. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import { roleSystem } from '../../src/local/sample/directory.ts'
import { hranaWriter } from '../../src/store/hrana.ts'
import { Forge, goodKeys, type Shown } from '../conformance/hostile/forge.ts'
import type { HostileToken } from '../conformance/hostile/hostile-token.ts'
import { hostileTokens } from '../conformance/hostile-tokens.ts'
import { entriesOf, type LedgerEntry, ledgerOf, parseReceipt, readLedger } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

/** Requests under way at once: a flood, below what the databases admit. */
const lanes = 32

const send = (forge: Forge, { authorization, dpop }: Shown): Promise<Response> =>
  fetch(`${forge.place.address}?patient=aaaaaaaaaaaaaaaaaaaaaaaaaa`, {
    headers: {
      'Accept-Language': 'en',
      ...(authorization === null ? {} : { Authorization: authorization }),
      ...(dpop === undefined ? {} : { DPoP: dpop }),
    },
  })

/** Of a token that the log refuses, the answer to its second use. */
async function attempt(forge: Forge, { make, by }: HostileToken): Promise<Response> {
  const shown = await make(forge)
  if (by === 'log') await send(forge, shown)
  return await send(forge, shown)
}

async function attemptAll<T>(
  forge: Forge,
  each: (hostile: HostileToken, answer: Response) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  const waiting = hostileTokens.values()
  const lane = async (): Promise<void> => {
    for (const hostile of waiting) results.push(await each(hostile, await attempt(forge, hostile)))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return results
}

/** A cluster that trusts the forge's issuers, as far as they are to be trusted. */
async function forgeAt({ cluster }: TestCluster): Promise<Forge> {
  const forge = await Forge.at({
    issuer: 'https://hostile.example',
    audience: cluster.audience,
    facility: 'hopital-mont-royal',
    facilityUri: 'https://dossier.example/facility/hopital-mont-royal',
    roleSystem,
    address: `${cluster.url}/fhir/Observation`,
    nowSeconds: () => Math.floor(Date.now() / 1_000),
  })
  const { url, writeToken } = cluster.databases.primary
  await hranaWriter({ url, token: writeToken }).apply(forge.registration())
  await vi.waitFor(
    async () =>
      expect((await send(forge, { authorization: `Bearer ${await forge.token()}` })).status).not.toBe(401),
    { timeout: 20_000, interval: 200 },
  )
  return forge
}

describe('hostile tokens, each with an entry of its own', () => {
  let t: TestCluster
  let forge: Forge

  beforeAll(async () => {
    t = await startTestCluster({ maxSingleFailures: 10_000 })
    forge = await forgeAt(t)
  })
  afterAll(() => t.end())

  test.each(goodKeys)('beside them, a good one signed with %s is let in', async (name) => {
    const token = await forge.token({}, {}, forge.keys[name])
    expect((await send(forge, { authorization: `Bearer ${token}` })).status).not.toBe(401)
  })

  test('beside them, a good one with its proof is let in', async () => {
    expect((await send(forge, await forge.proved())).status).not.toBe(401)
  })

  test('are refused with one and the same answer, and told apart in the log', async () => {
    const answers = await attemptAll(forge, async (hostile, answer) => ({
      hostile,
      status: answer.status,
      challenge: answer.headers.get('www-authenticate'),
      receipt: parseReceipt(answer.headers.get('dossier-receipt')),
      body: await answer.text(),
    }))
    const logs = await ledgerOf(
      t.cluster.databases.audit,
      answers.map(({ receipt }) => receipt),
    )
    const told = answers.map(({ hostile: { name }, status, receipt }) => {
      const [entry] = entriesOf(receipt, logs.get(receipt.log) ?? [])
      return `${name}: ${status} ${entry?.access.decision.outcome} ${entry?.access.decision.reason}`
    })
    const expected = hostileTokens.map(({ name, status, cause }) => `${name}: ${status} deny ${cause}`)
    expect(told.toSorted()).toEqual(expected.toSorted())
    const refused = answers.filter(({ status }) => status === 401)
    expect(new Set(refused.map(({ body }) => body)).size).toBe(1)
    expect(new Set(refused.map(({ challenge }) => challenge))).toEqual(
      new Set(['Bearer error="invalid_token", DPoP']),
    )
  })
})

describe('a flood of hostile tokens', () => {
  let t: TestCluster
  let forge: Forge

  beforeAll(async () => {
    t = await startTestCluster()
    forge = await forgeAt(t)
  })
  afterAll(() => t.end())

  test('is counted, and no reason is lost: all are in the single and the counted entries together', async () => {
    const statuses = await attemptAll(forge, async ({ by }, { status, headers }) => ({
      by,
      status,
      isCounted: !headers.has('dossier-receipt'),
    }))
    expect(statuses.filter(({ isCounted }) => isCounted).length).toBeGreaterThan(hostileTokens.length / 2)
    expect(statuses.every(({ status }) => status === 401 || status === 403)).toBe(true)
    const expected = [...new Set(hostileTokens.map(({ cause }) => cause))].sort()
    const { audit } = t.cluster.databases
    // Counts are told when their minute is over.
    await expect
      .poll(async () => reasonsOf(await readLedger(audit, 'montreal')), { timeout: 90_000, interval: 500 })
      .toEqual(expected)
    const counted = (await readLedger(audit, 'montreal')).filter(isCountedFailure)
    for (const { text } of counted) expect(Buffer.byteLength(text)).toBeLessThan(limits.maxEntryBytes)
  }, 150_000)
})

const isCountedFailure = ({ access }: LedgerEntry): boolean => access.operation === 'counted-failures'

/** Every reason for which entries refuse somebody, in order. */
function reasonsOf(entries: readonly LedgerEntry[]): readonly string[] {
  const denied = entries.filter(({ access }) => access.decision.outcome === 'deny')
  const single = denied.filter((entry) => !isCountedFailure(entry))
  const counted = denied.filter(isCountedFailure).flatMap(({ access }) => Object.keys(access.note ?? {}))
  const reasons = [
    ...single.map(({ access }) => access.decision.reason),
    ...counted.filter((name) => name.startsWith('count:')).map((name) => name.slice('count:'.length)),
  ]
  return [...new Set(reasons)].sort()
}
