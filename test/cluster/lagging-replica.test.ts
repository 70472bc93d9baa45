/**
 * DESIGN §5: with a replica that lags or is cut off, no unmarked read contradicts a refusal or a revocation older than the
 * fresh bound; and a read is marked only when the primary could not be asked either.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/access/authenticate.ts'
import { createApp } from '../../src/app.ts'
import { limits } from '../../src/limits.ts'
import { purposeSystem, roleSystem } from '../../src/local/sample/directory.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import type { Statement } from '../../src/store/ports.ts'
import { inMemoryLogs } from '../unit/audit/support.ts'
import { encounter, locations, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { portsOf } from './in-process.ts'
import {
  type Break,
  type LaggingReplica,
  type Line,
  openLine,
  startLaggingReplica,
} from './lagging-replica.ts'
import { forbid } from './rows.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const facility = 'hopital-cap-diamant'

/** Several times what the fresh bound, the deadlines at the primary and a replica's next try take together. */
const poll = { timeout: 40_000, interval: 50 }

/** One answer that a reader got. Times: milliseconds since 1970, taken before the request. */
interface Answer {
  readonly began: number
  readonly status: number
  readonly stale: boolean
}

/** A professional with an issuer of his own, who cares for one patient and reads until told to stop. */
interface Reader {
  readonly issuer: string
  readonly jti: string
  readonly patient: string
  readonly history: Answer[]
  read(): Promise<Answer>
}

describe('a replica that does not follow', () => {
  let t: TestCluster
  let replica: LaggingReplica
  let toPrimary: Line
  let app: ReturnType<typeof createApp>
  let readers = 0

  beforeAll(async () => {
    t = await startTestCluster()
    replica = await startLaggingReplica(t.cluster)
    const { primary } = t.cluster.databases
    toPrimary = await openLine(Number(new URL(primary.url).port))
    const log = inMemoryLogs()
    const reader = hranaReader({ url: replica.url, token: replica.readToken })
    app = createApp({
      ...portsOf(t.cluster, log),
      authenticator: createAuthenticator(reader),
      replica: reader,
      primary: hranaWriter({ url: `http://127.0.0.1:${toPrimary.port}`, token: primary.writeToken }),
    })
  })

  afterAll(async () => {
    await replica?.end()
    await toPrimary?.end()
    await t?.end()
  })

  const write = async (statements: readonly Statement[]): Promise<void> => {
    const { url, writeToken } = t.cluster.databases.primary
    await hranaWriter({ url, token: writeToken }).write(crypto.randomUUID(), statements)
  }
  /** The replica has what the primary has committed by now. */
  const followed = async (): Promise<void> => {
    const { primary } = t.cluster.databases
    const clock = async ({ url, readToken }: { readonly url: string; readonly readToken: string }) => {
      const [rows] = await hranaReader({ url, token: readToken }).read([{ sql: 'select n from clock' }])
      return Number(rows?.[0]?.n)
    }
    const written = await clock(primary)
    await expect.poll(() => clock(replica), poll).toBeGreaterThanOrEqual(written)
  }

  async function newReader(): Promise<Reader> {
    const n = ++readers
    const name = `reader-${n}`
    const issuer = `https://issuer-${n}.example`
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
    await write([
      {
        sql: `insert into issuer (issuer, audience, algorithms, jwks, role_system, valid_from)
              select ?, ?, '["ES256"]', ?, ?, n from clock`,
        args: [issuer, t.cluster.audience, jwks, roleSystem],
      },
      {
        sql: `insert into client (issuer, client_id, name, valid_from) select ?, 'app', 'app', n from clock`,
        args: [issuer],
      },
      {
        sql: 'insert into professional (id, issuer, subject, name, valid_from) select ?, ?, ?, ?, n from clock',
        args: [name, issuer, name, name],
      },
      {
        sql: `insert into professional_role (professional, role, facility, valid_from)
              select ?, 'physician', ?, n from clock`,
        args: [name, facility],
      },
    ])
    const person = samplePatient(n)
    const published = await t.post(
      '/fhir',
      await t.cluster.token(`system-${facility}`),
      transaction(
        patientResource(person),
        observation(person, { n: 1, date: '2024-01-01' }),
        encounter(person, { n: 1 }),
      ),
    )
    expect(published.status).toBe(200)
    const [patient = ''] = locations(await published.json())
    const jti = crypto.randomUUID()
    const token = await new SignJWT({
      client_id: 'app',
      jti,
      extensions: {
        ihe_iua: {
          subject_organization_id: `https://dossier.example/facility/${facility}`,
          subject_role: [{ system: roleSystem, code: 'physician' }],
          purpose_of_use: [{ system: purposeSystem, code: 'TREAT' }],
        },
      },
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .setIssuer(issuer)
      .setSubject(name)
      .setAudience(t.cluster.audience)
      .setIssuedAt()
      .setExpirationTime('30m')
      .sign(privateKey)
    const history: Answer[] = []
    const read = async (): Promise<Answer> => {
      const began = Date.now()
      const response = await app.request(`${t.cluster.url}/fhir/Observation?patient=${patient}`, {
        headers: { Authorization: `Bearer ${token}` },
      })
      await response.text()
      const answer = { began, status: response.status, stale: response.headers.has('dossier-stale') }
      history.push(answer)
      return answer
    }
    return { issuer, jti, patient, history, read }
  }

  const revocations = {
    'refused by the patient': ({ patient }: Reader) =>
      forbid(t.cluster.databases.primary, patient, { kind: 'refusal-total' }),
    'whose registration ended': ({ issuer }: Reader) =>
      write([
        {
          sql: 'update professional set valid_to = (select n from clock) where issuer = ? and valid_to is null',
          args: [issuer],
        },
      ]),
    'whose issuer was revoked': ({ issuer }: Reader) =>
      write([
        {
          sql: 'update issuer set valid_to = (select n from clock) where issuer = ? and valid_to is null',
          args: [issuer],
        },
      ]),
    'whose token was revoked': ({ issuer, jti }: Reader) =>
      write([
        {
          sql: 'insert into revoked_token (issuer, jti, valid_from) select ?, ?, n from clock',
          args: [issuer, jti],
        },
      ]),
  }
  const denials = {
    'refused by the patient': 403,
    'whose registration ended': 403,
    'whose issuer was revoked': 401,
    'whose token was revoked': 401,
  } as const satisfies Record<keyof typeof revocations, number>
  type Kind = keyof typeof revocations
  const kinds = Object.keys(revocations) as Kind[]

  /** All read, over and over, while `test` runs; what one request throws fails it. Both lines are whole afterwards. */
  async function whileReading(all: readonly Reader[], test: () => Promise<void>): Promise<void> {
    let stopped = false
    const reading = Promise.all(
      all.map(async ({ read }) => {
        while (!stopped) await read()
      }),
    )
    try {
      await test()
    } finally {
      stopped = true
      toPrimary.heal()
      replica.replication.heal()
      await reading
    }
  }

  const latest = (of: ReadonlyMap<Kind, Reader>) =>
    Object.fromEntries([...of].map(([kind, { history }]) => [kind, history.at(-1)?.status]))
  const haveReadPast = (of: ReadonlyMap<Kind, Reader>, at: number) =>
    expect
      .poll(() => [...of.values()].every(({ history }) => (history.at(-1)?.began ?? 0) > at), poll)
      .toBe(true)
  const latestAreStale = (of: ReadonlyMap<Kind, Reader>) =>
    [...of.values()].every(({ history }) => history.at(-1)?.stale === true)

  /** A reader for each way of being shut out, and one whom his patient had refused before the replica fell behind. */
  async function everybody() {
    const watched = new Map<Kind, Reader>()
    for (const kind of kinds) watched.set(kind, await newReader())
    const refusedBefore = await newReader()
    await forbid(t.cluster.databases.primary, refusedBefore.patient, { kind: 'refusal-total' })
    await followed()
    // An isolate reads the list of issuers again only now and then.
    for (const { read } of watched.values())
      await expect.poll(read, { timeout: 10_000 }).toMatchObject({ status: 200, stale: false })
    expect(await refusedBefore.read()).toMatchObject({ status: 403 })
    for (const { history } of [...watched.values(), refusedBefore]) history.length = 0
    return { watched, refusedBefore }
  }

  /** Shuts everybody out at the primary; when each had committed. */
  async function shutOut(watched: ReadonlyMap<Kind, Reader>): Promise<ReadonlyMap<Kind, number>> {
    const committed = new Map<Kind, number>()
    for (const [kind, reader] of watched) {
      await revocations[kind](reader)
      committed.set(kind, Date.now())
    }
    return committed
  }

  /** Past the fresh bound no answer without a mark is anything but a denial; within it, the replica did lag. */
  function expectNoContradiction(
    watched: ReadonlyMap<Kind, Reader>,
    committed: ReadonlyMap<Kind, number>,
  ): void {
    for (const [kind, { history }] of watched) {
      const at = committed.get(kind) as number
      const past = history.filter(({ began, stale }) => began > at + limits.freshMs && !stale)
      expect(past.length).toBeGreaterThan(0)
      expect([kind, [...new Set(past.map(({ status }) => status))]]).toEqual([kind, [denials[kind]]])
      const within = history.filter(({ began }) => began > at && began <= at + limits.freshMs)
      expect([kind, within.some(({ status }) => status === 200)]).toEqual([kind, true])
    }
  }

  const breaks: readonly (readonly [string, Break])[] = [
    ['lags', 'swallows'],
    ['is cut off', 'cut'],
  ]

  test.each(breaks)(
    'that %s: past the fresh bound the primary is asked, and nothing is marked',
    {
      timeout: 120_000,
    },
    async (_name, how) => {
      const { watched, refusedBefore } = await everybody()
      let committed: ReadonlyMap<Kind, number> = new Map()
      await whileReading([...watched.values(), refusedBefore], async () => {
        replica.replication.break(how)
        committed = await shutOut(watched)
        await expect.poll(() => latest(watched), poll).toEqual(denials)
        const bound = Math.max(...committed.values()) + limits.freshMs
        await haveReadPast(watched, bound)
        replica.replication.heal()
        await followed()
        await haveReadPast(watched, Date.now())
      })
      expectNoContradiction(watched, committed)
      expect(latest(watched)).toEqual(denials)
      for (const { history } of [...watched.values(), refusedBefore])
        expect(history.filter(({ stale }) => stale)).toEqual([])
      expect(new Set(refusedBefore.history.map(({ status }) => status))).toEqual(new Set([403]))
    },
  )

  test.each(breaks)(
    'that %s, and the primary with it: what it still says is marked, until the primary is back',
    {
      timeout: 120_000,
    },
    async (_name, how) => {
      const { watched, refusedBefore } = await everybody()
      let committed: ReadonlyMap<Kind, number> = new Map()
      const brokenAt = Date.now()
      let primaryBackAt = 0
      await whileReading([...watched.values(), refusedBefore], async () => {
        replica.replication.break(how)
        toPrimary.break(how)
        committed = await shutOut(watched)
        await expect.poll(() => latestAreStale(watched), poll).toBe(true)
        // The replica cannot know; that is what the mark says.
        expect(new Set(Object.values(latest(watched)))).toEqual(new Set([200]))
        toPrimary.heal()
        primaryBackAt = Date.now()
        await expect.poll(() => latest(watched), poll).toEqual(denials)
        replica.replication.heal()
        await followed()
        await haveReadPast(watched, Date.now())
      })
      expectNoContradiction(watched, committed)
      expect(latest(watched)).toEqual(denials)
      for (const { history } of [...watched.values(), refusedBefore])
        for (const { began } of history.filter(({ stale }) => stale)) {
          expect(began).toBeGreaterThanOrEqual(brokenAt)
          // Once it was away, an isolate does not ask the primary again at every request.
          expect(began).toBeLessThanOrEqual(primaryBackAt + limits.primaryRetryAfterMs)
        }
      // What the replica did know of holds all along.
      expect(new Set(refusedBefore.history.map(({ status }) => status))).toEqual(new Set([403]))
      expect(refusedBefore.history.some(({ stale }) => stale)).toBe(true)
    },
  )
})
