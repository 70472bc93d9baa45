/** Publishing over HTTP into real databases: whole files, moves between them, and a database that is away. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterDatabase } from '../../src/local/cluster.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { publishBundle } from '../../src/records/publish.ts'
import { hranaWriter } from '../../src/store/hrana.ts'
import type { Rows, SqlValue, Statement, Writer } from '../../src/store/ports.ts'
import { encounter, observation, patientResource, samplePatient, transaction } from './bundles.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const synthea = '../shared/data/synthea'
const facility = 'hopital-mont-royal'

describe('publishing', () => {
  let running: TestCluster
  let token: string

  beforeAll(async () => {
    running = await startTestCluster()
    token = await running.cluster.token(`system-${facility}`)
  })
  afterAll(() => running?.end())

  const writer = ({ url, writeToken }: ClusterDatabase): Writer => hranaWriter({ url, token: writeToken })
  const primary = (): Writer => writer(running.cluster.databases.primary)
  const local = (): Writer => writer(running.cluster.databases.local.montreal as ClusterDatabase)
  const rows = async (sql: string, args: readonly SqlValue[] = []): Promise<readonly [Rows, Rows]> => {
    const [inRecords, inLocal] = await Promise.all(
      [primary(), local()].map(async (database) => (await database.read([{ sql, args }], 10_000))[0] ?? []),
    )
    return [inRecords ?? [], inLocal ?? []]
  }
  const current = async (): Promise<Rows> =>
    (await rows('select type, id, version, body from document')).flat()
  const publish = async (body: unknown) => {
    const response = await running.post('/fhir', token, body)
    const text = await response.text()
    if (response.status !== 200) return { status: response.status, text, entries: [] }
    const bundle = JSON.parse(text) as {
      entry: { response: { status: string; location: string; etag: string } }[]
    }
    return { status: 200, text, entries: bundle.entry.map((entry) => entry.response) }
  }

  const person = samplePatient(3)
  const about = (value: string) =>
    transaction(patientResource(person), observation(person, { n: 1, date: '2024-01-01', value }), {
      resourceType: 'Claim',
      id: '00000000-0000-4000-8000-00000000c1a1',
      status: 'active',
      use: value === 'a' ? 'claim' : 'predetermination',
      patient: { reference: `urn:uuid:${person.uuid}` },
    })

  test('a changed sharing policy moves documents, numbered on, at their next publication', async () => {
    expect((await publish(about('a'))).entries.map(({ status }) => status)).toEqual(
      Array(3).fill('201 Created'),
    )
    const counts = async () => (await rows('select 1 from document')).map(({ length }) => length)
    expect(await counts()).toEqual([2, 1])
    const countsAfter = async (value: string) => {
      await publish(about(value))
      return counts()
    }
    const rule = (position: number) => ({
      sql: `insert into sharing_rule (position, domain, type, category, code, confidentiality, shared, valid_from)
        values (?, '*', 'Observation', '*', '*', '*', 0, 0)`,
      args: [position],
    })
    await primary().apply([rule(-1)])
    // Rules are read at the replica: this one counts once it is there.
    await expect.poll(() => countsAfter('a')).toEqual([1, 2])
    expect((await publish(about('b'))).entries.map(({ etag }) => etag)).toEqual(['W/"1"', 'W/"2"', 'W/"2"'])
    await primary().apply([{ sql: 'delete from sharing_rule where position = -1' }])
    await expect.poll(() => countsAfter('b')).toEqual([2, 1])
    expect((await publish(about('a'))).entries.map(({ etag }) => etag)).toEqual(['W/"1"', 'W/"3"', 'W/"3"'])
  })

  test('with the local database away nothing is written; once it is back the same bundle is taken', async () => {
    const before = await current()
    const process = running.cluster.processes['local-montreal']
    await process.kill()
    expect((await publish(about('away'))).status).toBe(503)
    await process.start()
    expect(await current()).toEqual(before)
    expect((await publish(about('away'))).status).toBe(200)
  })

  test('no statement scans documents, versions, lookups, persons, their keys or relationships', async () => {
    const seen: (readonly [Writer, Statement])[] = []
    const recording = (database: Writer): Writer => ({
      ...database,
      read: (statements, deadlineMs) => {
        for (const statement of statements) seen.push([database, statement])
        return database.read(statements, deadlineMs)
      },
      write: (key, statements) => {
        for (const statement of statements) seen.push([database, statement])
        return database.write(key, statements)
      },
    })
    // The operation itself, against the same databases, so that its statements can be seen.
    const caller = {
      kind: 'facility-system',
      client: 'c',
      name: 'c',
      facility: { id: facility, identitySystems: [] },
    }
    const bundle = transaction(
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01', value: 'plans' }),
      encounter(person, { n: 1 }),
      encounter(person, { n: 2, confidentiality: 'R' }),
    )
    const settings = { encounterDaysAfter: 30, encounterOpenDays: 90 }
    const context = {
      scopes: null,
      body: async () => ({ ok: true, value: JSON.stringify(bundle) }),
      requestId: crypto.randomUUID(),
      now: Date.now(),
      origin: running.cluster.url,
      language: 'fr',
      keys: { idKey: new Uint8Array(32) },
      definitions: async () => definitionsOfR4(),
      load: async (page: () => { records?: readonly Statement[] }) => ({
        ok: true,
        value: { caller, settings, hasLocal: true, records: await primary().read(page().records ?? []) },
      }),
      intend: async () => ({
        ok: true,
        value: { records: recording(primary()), local: recording(local()) },
      }),
    }
    const result = await publishBundle.handle(context as never)
    expect(result).toMatchObject({ ok: true })
    expect(seen.length).toBeGreaterThan(15)
    const scan =
      /^SCAN (document|document_version|lookup|person_key|source_record|relationship|d|cur|old|v|k|m|o|r|sr|mine)( |$)/
    for (const [database, { sql, args }] of seen) {
      const explain: Statement = { sql: `explain query plan ${sql}`, ...(args ? { args } : {}) }
      const [plan = []] = await database.read([explain])
      const scans = plan
        .map(({ detail }) => String(detail))
        .filter((text) => scan.test(text) && !text.includes('VIRTUAL'))
      expect({ sql, scans }).toEqual({ sql, scans: [] })
    }
  })

  test('a write in doubt is decided once, for good, at the primary', async () => {
    const database = primary()
    const bump = [{ sql: 'update heartbeat set at = at' }]
    const [late, early] = [crypto.randomUUID(), crypto.randomUUID()]
    expect([await database.abort(late), await database.abort(late)]).toEqual([true, true])
    await expect(database.write(late, bump)).rejects.toMatchObject({ code: 'aborted' })
    expect((await database.write(early, bump)).replayed).toBe(false)
    expect(await database.abort(early)).toBe(false)
    expect((await database.write(early, bump)).replayed).toBe(true)
  })

  describe.skipIf(!existsSync(synthea))('the 29 Synthea files in byte order', () => {
    const files = existsSync(synthea)
      ? readdirSync(synthea)
          .filter((name) => name.endsWith('.json'))
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      : []
    interface Published {
      readonly resourceType: string
      readonly id: string
    }
    const read = (file: string) => readFileSync(`${synthea}/${file}`, 'utf8')
    const publishAll = async (): Promise<ReadonlyMap<string, Published>> => {
      const last = new Map<string, Published>()
      for (const file of files) {
        const text = read(file)
        const { status, entries } = await publish(text)
        expect([file, status]).toEqual([file, 200])
        ;(JSON.parse(text) as { entry: { resource: Published }[] }).entry.forEach(({ resource }, i) => {
          last.set(entries[i]?.location.split('/_history/')[0] as string, resource)
        })
      }
      return last
    }
    /** References and what the server sets, left out. */
    const comparable = ({ id: _id, meta: _meta, ...members }: Record<string, unknown>): unknown =>
      JSON.parse(
        JSON.stringify(members, (name, value) =>
          name === 'reference' && typeof value === 'string' ? '' : value,
        ),
      )

    test('give one row per id, are read back as published, and change only where they disagree', async () => {
      const elsewhere = new Set((await current()).map(({ type, id }) => `${type}/${id}`))
      const last = await publishAll()
      const mine = async () => (await current()).filter(({ type, id }) => !elsewhere.has(`${type}/${id}`))
      const stored = await mine()
      expect(new Set(stored.map(({ type, id }) => `${type}/${id}`))).toEqual(new Set(last.keys()))
      expect(stored).toHaveLength(last.size)
      expect(last.size).toBe(3_983)
      for (const { type, id, body } of stored)
        expect(comparable(JSON.parse(body as string))).toEqual(
          comparable({ ...(last.get(`${type}/${id}`) as Published) }),
        )

      // One of each type through the API, as its own facility reads it.
      const oneOfEach = new Map(stored.map((row) => [row.type as string, row]))
      for (const [type, { id, body }] of oneOfEach) {
        const response = await running.get(`/fhir/${type}/${id}`, token)
        expect([type, response.status, await response.text()]).toEqual([type, 200, body])
      }

      await publishAll()
      const again = await mine()
      expect(again).toHaveLength(stored.length)
      const versions = new Map(stored.map(({ type, id, version }) => [`${type}/${id}`, version]))
      const changed = again.filter(({ type, id, version }) => versions.get(`${type}/${id}`) !== version)
      const types = Map.groupBy(changed, ({ type }) => type)
      expect([...types].map(([type, all]) => [type, all.length]).sort()).toEqual([
        ['Organization', 31],
        ['Practitioner', 31],
      ])
    })
  })

  // Last: the others look at all bodies at once.
  test('a patient with 36 MB of documents is read to the end, page by page', async () => {
    const large = samplePatient(4)
    const ids: string[] = []
    let patient = ''
    for (let part = 0; part < 5; part++) {
      const documents = Array.from({ length: 8 }, (_, i) => {
        const n = part * 8 + i + 1
        // Half of it quotes, which take twice their length in an answer.
        const value = (n % 2 === 0 ? '"' : 'é').repeat(450_000)
        return observation(large, { n, date: `2024-01-${String((n % 28) + 1).padStart(2, '0')}`, value })
      })
      const { status, entries } = await publish(transaction(patientResource(large), ...documents))
      expect(status).toBe(200)
      const [first = '', ...others] = entries.map(({ location }) => location.split('/')[1] as string)
      patient = first
      ids.push(...others)
    }
    for (const query of [`patient=${patient}`, `patient=${patient}&_count=500`]) {
      const seen: string[] = []
      let next: string | undefined = `${running.cluster.url}/fhir/Observation?${query}`
      while (next) {
        const response: Response = await fetch(next, { headers: { authorization: `Bearer ${token}` } })
        expect(response.status).toBe(200)
        const page = (await response.json()) as {
          link: { relation: string; url: string }[]
          entry: { resource: { id: string } }[]
        }
        seen.push(...page.entry.map(({ resource }) => resource.id))
        next = page.link.find(({ relation }) => relation === 'next')?.url
      }
      expect(seen).toHaveLength(ids.length)
      expect(new Set(seen)).toEqual(new Set(ids))
    }
  })
})
