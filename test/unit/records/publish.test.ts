/** Publishing into both databases: what is stored, what is answered, and what a crash between two steps leaves. */
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { serverId } from '../../../src/records/identity.ts'
import { refreshLocalSourceRecords, settlePending } from '../../../src/records/settle.ts'
import { StoreError } from '../../../src/store/ports.ts'
import {
  currentRows,
  idKey,
  openPublisher,
  type Publisher,
  personSystem,
  refusal,
  responses,
} from './publish-support.ts'

const put = (id: string, resource: Record<string, unknown>) => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${id}` },
})
const bundle = (type: string, ...entry: unknown[]) => ({ resourceType: 'Bundle', type, entry })
const observation = (patient: string, members: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  subject: { reference: `Patient/${patient}` },
  ...members,
})
/** `other` by domain: unshared. */
const claim = (patient: string, members: object = {}) => ({
  resourceType: 'Claim',
  status: 'active',
  patient: { reference: `Patient/${patient}` },
  ...members,
})
const id = (type: string, key: string, facility = 'hopital'): string => serverId(idKey, facility, type, key)

let publisher: Publisher
beforeEach(() => {
  publisher = openPublisher()
})
const shared = () => publisher.records.rows('select * from document order by type, id')
const unshared = () => publisher.local.rows('select * from document order by type, id')

describe('an answer', () => {
  test('names each version, and the same bundle again changes nothing', async () => {
    const value = bundle('transaction', put('o', observation('p')), put('c', claim('p')))
    const first = responses(await publisher.publish(value))
    expect(first).toEqual(
      [
        ['Observation', 'o'],
        ['Claim', 'c'],
      ].map(([type, key]) => ({
        status: '201 Created',
        location: `${type}/${id(type as string, key as string)}/_history/1`,
        etag: 'W/"1"',
        lastModified: '2026-11-22T00:00:01.000Z',
      })),
    )
    const before = currentRows(publisher)
    expect(responses(await publisher.publish(value))).toEqual(
      first.map((entry) => ({ ...entry, status: '200 OK' })),
    )
    expect(currentRows(publisher)).toEqual(before)
  })

  test('to other content is the next version; the earlier one is history', async () => {
    await publisher.publish(bundle('transaction', put('o', observation('p')), put('c', claim('p'))))
    const changed = { implicitRules: 'urn:changed' }
    const again = bundle('transaction', put('o', observation('p', changed)), put('c', claim('p', changed)))
    expect(responses(await publisher.publish(again)).map(({ status, etag }) => [status, etag])).toEqual([
      ['200 OK', 'W/"2"'],
      ['200 OK', 'W/"2"'],
    ])
    for (const database of [publisher.records, publisher.local]) {
      expect(database.rows('select version from document')).toMatchObject([{ version: 2 }])
      const [old] = database.rows('select version, body from document_version')
      expect(old).toMatchObject({ version: 1 })
      expect(old?.body).not.toContain('changed')
    }
  })

  test('carries the write clock and who was written about', async () => {
    const result = await publisher.publish(
      bundle(
        'transaction',
        put('o', observation('p')),
        put('x', { resourceType: 'Organization', name: 'X' }),
      ),
    )
    if (!result.ok) throw new Error('refused')
    const [clock] = publisher.records.rows('select epoch, n from clock')
    expect(result.value.headers).toEqual({ 'Dossier-Clock': `${clock?.epoch}.${clock?.n}` })
    const person = id('Person', id('Patient', 'p'))
    expect(result.value.disclosed).toEqual([
      { patient: person, resources: [`Observation/${id('Observation', 'o')}/_history/1`] },
      { patient: null, resources: [`Organization/${id('Organization', 'x')}/_history/1`] },
    ])
    expect(publisher.records.rows('select persons from write_key')).toMatchObject([
      { persons: JSON.stringify([person]) },
    ])
  })

  test('stores the text that was sent, decimals as written', async () => {
    const text = `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation",
      "status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10},"note":[{"text":"\\"quoted\\" é\\n\\u2028"}]}}]}`
    await publisher.publish(text)
    const [row] = unshared()
    expect(row?.body).toContain('"valueQuantity":{"value":1.10}')
    expect(JSON.parse(row?.body as string)).toMatchObject({ note: [{ text: '"quoted" é\n\u2028' }] })
  })
})

describe('a refusal', () => {
  const nothingWritten = () => {
    expect(currentRows(publisher)).toEqual([])
    expect(publisher.records.rows('select * from source_record')).toEqual([])
  }

  test('of malformed JSON, of another resource, of a wrong entry tells what, before any intent', async () => {
    expect(refusal(await publisher.publish('{"resourceType":'))).toMatchObject({
      reason: 'invalid',
      issues: [{ code: 'structure' }],
    })
    expect(refusal(await publisher.publish({ resourceType: 'Patient' }))).toMatchObject({ reason: 'invalid' })
    const value = bundle('transaction', put('o', observation('p')), put('x', { resourceType: 'Foo' }))
    expect(refusal(await publisher.publish(value))).toMatchObject({
      reason: 'invalid',
      issues: [{ expression: 'Bundle.entry[1].resource.resourceType' }],
    })
    expect(publisher.intents).toEqual([])
    nothingWritten()
  })

  test('of more entries than a bundle may have is told how many it may', async () => {
    const entries = Array(limits.maxBundleEntries + 1).fill(put('o', observation('p')))
    expect(refusal(await publisher.publish(bundle('batch', ...entries)))).toEqual({
      reason: 'too-costly',
      of: 'entries',
      got: limits.maxBundleEntries + 1,
      max: limits.maxBundleEntries,
    })
  })

  test('of too many patients comes before anything is written', async () => {
    const entries = Array.from({ length: limits.maxAccessPatients + 1 }, (_, i) =>
      put(`o${i}`, observation(`p${i}`)),
    )
    expect(refusal(await publisher.publish(bundle('batch', ...entries)))).toMatchObject({
      reason: 'too-costly',
    })
    expect((await publisher.publish(bundle('batch', ...entries.slice(1)))).ok).toBe(true)
  })

  test('of unshared documents when the local database is elsewhere', async () => {
    const value = bundle('transaction', put('c', claim('p')))
    expect(refusal(await publisher.publish(value, { withoutLocal: true }))).toMatchObject({
      reason: 'store-unavailable',
    })
    nothingWritten()
    const sharedOnly = bundle('transaction', put('o', observation('p')))
    expect((await publisher.publish(sharedOnly, { withoutLocal: true })).ok).toBe(true)
  })

  test.each([
    ['Observation', observation],
    ['Claim', claim],
  ])('of %s about another person is a conflict, and nothing of the transaction is written', async (_, of) => {
    await publisher.publish(bundle('transaction', put('x', of('p'))))
    const before = currentRows(publisher)
    const value = bundle('transaction', put('y', of('p')), put('x', of('q')), put('z', claim('p')))
    expect(refusal(await publisher.publish(value))).toMatchObject({
      reason: 'conflict',
      issues: [{ code: 'conflict', expression: 'Bundle.entry[1]' }],
    })
    expect(currentRows(publisher)).toEqual(before)
  })

  test.each([
    ['Observation', observation],
    ['Claim', claim],
  ])('of %s about another person fails alone in a batch', async (_, of) => {
    await publisher.publish(bundle('transaction', put('x', of('p'))))
    const value = bundle('batch', put('y', of('p')), put('x', of('q')), { resource: {} })
    const entries = responses(await publisher.publish(value, { language: 'en' }))
    expect(entries.map(({ status }) => status)).toEqual(['201 Created', '409 Conflict', '400 Bad Request'])
    expect(entries[1]?.outcome?.issue[0]).toMatchObject({
      code: 'conflict',
      details: { text: 'This resource is already published about another person.' },
      expression: ['Bundle.entry[1]'],
    })
    expect(currentRows(publisher)).toHaveLength(2)
  })

  test('of an unknown server id is 404, in a batch for its entry', async () => {
    const unknown = put(id('Observation', 'never'), observation('p'))
    expect(
      refusal(await publisher.publish(bundle('transaction', put('o', observation('p')), unknown))),
    ).toMatchObject({
      reason: 'not-found',
      issues: [{ expression: 'Bundle.entry[1].request.url' }],
    })
    nothingWritten()
    const entries = responses(await publisher.publish(bundle('batch', put('o', observation('p')), unknown)))
    expect(entries.map(({ status }) => status)).toEqual(['201 Created', '404 Not Found'])
  })
})

describe('a server id', () => {
  test.each([
    ['Observation', observation],
    ['Claim', claim],
  ])('updates the own %s', async (type, of) => {
    await publisher.publish(bundle('transaction', put('x', of('p'))))
    const again = put(id(type, 'x'), of('p', { implicitRules: 'urn:changed' }))
    const [entry] = responses(await publisher.publish(bundle('transaction', again)))
    expect(entry).toMatchObject({ status: '200 OK', etag: 'W/"2"' })
  })

  test.each([
    ['Patient', () => ({ resourceType: 'Patient', identifier: [{ system: 's', value: 'new' }] })],
    ['Observation', () => observation('p')],
    ['Claim', () => claim('p')],
  ])('of another facility’s %s is told as unknown and changes nothing', async (type, of) => {
    await publisher.publish(bundle('transaction', put('x', of())))
    const before = [
      currentRows(publisher),
      publisher.records.rows('select * from person_key'),
      publisher.records.rows('select * from source_record'),
    ]
    const intruder = put(id(type, 'x'), { ...of(), language: 'en' })
    expect(
      refusal(await publisher.publish(bundle('transaction', intruder), { facility: 'clinique' })),
    ).toMatchObject({ reason: 'not-found' })
    const [entry] = responses(await publisher.publish(bundle('batch', intruder), { facility: 'clinique' }))
    expect(entry?.status).toBe('404 Not Found')
    expect([
      currentRows(publisher),
      publisher.records.rows('select * from person_key'),
      publisher.records.rows(`select * from source_record where facility = 'hopital'`),
    ]).toEqual(before)
  })
})

describe('a document about nobody the record knows', () => {
  const nobody = { subject: { display: 'Zoé' } }
  const value = (members: object) => bundle('transaction', put('o', observation('p', members)))
  const identified = { identifier: [{ system: 's', value: '1' }] }
  const withhold = () =>
    publisher.records.db.exec(`update sharing_rule set type = 'Observation', domain = '*' where position = 0`)

  test.each([
    ['shared', [1, 0]],
    ['local', [0, 1]],
  ])('is corrected by naming its person, then %s', async (route, counts) => {
    const [first] = responses(await publisher.publish(value({ ...nobody, ...identified })))
    expect(first?.outcome?.issue).toMatchObject([{ code: 'not-found' }])
    expect(unshared()).toMatchObject([{ source_record: '', person: '' }])
    if (route === 'local') withhold()
    const [entry] = responses(await publisher.publish(value(identified)))
    expect(entry).toMatchObject({ status: '200 OK', etag: 'W/"2"' })
    expect(entry).not.toHaveProperty('outcome')
    expect([shared().length, unshared().length]).toEqual(counts)
    const sourceRecord = id('Patient', 'p')
    expect(currentRows(publisher)).toMatchObject([
      { source_record: sourceRecord, person: id('Person', sourceRecord), version: 2 },
    ])
    expect(publisher.local.rows('select version, source_record from document_version')).toMatchObject([
      { version: 1, source_record: '' },
    ])
    const lookups = [publisher.records, publisher.local].map((db) => db.rows('select * from lookup').length)
    expect(lookups).toEqual(counts)
  })

  test('is corrected where it is shared, and when it moves from there', async () => {
    publisher = openPublisher([])
    const anonymous = { resourceType: 'Communication', status: 'completed' }
    const named = { ...anonymous, subject: { reference: 'Patient/p' } }
    await publisher.publish(bundle('transaction', put('a', anonymous), put('b', anonymous)))
    expect(shared()).toMatchObject([{ source_record: '' }, { source_record: '' }])
    await publisher.publish(bundle('transaction', put('a', named)))
    publisher.records.db.exec('update sharing_rule set shared = 0')
    await publisher.publish(bundle('transaction', put('b', named)))
    for (const rows of [shared(), unshared()])
      expect(rows).toMatchObject([{ source_record: id('Patient', 'p'), version: 2 }])
  })

  test.each(['transaction', 'batch'])('once about someone, stays so, in a %s', async (kind) => {
    await publisher.publish(value(nobody))
    await publisher.publish(value({}))
    const before = currentRows(publisher)
    for (const members of [nobody, { subject: { reference: 'Patient/q' } }]) {
      const result = await publisher.publish(bundle(kind, put('o', observation('p', members))))
      if (kind === 'batch') expect(responses(result)[0]?.status).toBe('409 Conflict')
      else expect(refusal(result)).toMatchObject({ reason: 'conflict' })
      expect(currentRows(publisher)).toEqual(before)
    }
  })
})

describe('when the sharing policy changes', () => {
  const withhold = (yes: boolean) =>
    publisher.records.db
      .prepare(`update sharing_rule set shared = ?, domain = '*', type = 'Observation' where position = 0`)
      .run(yes ? 0 : 1)
  const value = bundle('transaction', put('o', observation('p', { identifier: [{ value: 'A1' }] })))
  const changed = (text: string) => bundle('transaction', put('o', observation('p', { note: [{ text }] })))

  test('a document moves with its number and its content, there and back', async () => {
    const [first] = responses(await publisher.publish(value))
    const [{ body } = {}] = shared()
    for (const yes of [true, false, true, false]) {
      withhold(yes)
      expect(responses(await publisher.publish(value))).toEqual([{ ...first, status: '200 OK' }])
      expect([shared().length, unshared().length]).toEqual(yes ? [0, 1] : [1, 0])
      expect(currentRows(publisher)[0]?.body).toBe(body)
      const lookups = [publisher.records, publisher.local].map((db) => db.rows('select * from lookup').length)
      expect(lookups).toEqual(yes ? [0, 1] : [1, 0])
    }
  })

  test('numbering goes on across both databases', async () => {
    await publisher.publish(value)
    const etags: (string | undefined)[] = []
    for (const [yes, text] of [
      [true, 'b'],
      [false, 'c'],
      [false, 'd'],
      [true, 'e'],
      [true, 'f'],
      [false, 'g'],
    ] as const) {
      withhold(yes)
      etags.push(responses(await publisher.publish(changed(text)))[0]?.etag)
    }
    expect(etags).toEqual(['W/"2"', 'W/"3"', 'W/"4"', 'W/"5"', 'W/"6"', 'W/"7"'])
    const versions = [publisher.records, publisher.local].flatMap((database) =>
      database.rows('select version from document_version union select version from document'),
    )
    expect(new Set(versions.map(({ version }) => version))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]))
  })
})

describe('an interruption', () => {
  const value = bundle('transaction', put('o', observation('p')), put('c', claim('p')))
  const hour = 3_600_000
  const at = Date.UTC(2026, 10, 22)
  const settle = () => settlePending(publisher.records, publisher.local, Date.now() + hour)
  const pending = () => publisher.local.rows('select * from pending')

  test('before the point of decision leaves nothing readable, and settlement drops what waits', async () => {
    publisher.records.failNext = 'before-commit'
    await expect(publisher.publish(value, { now: at })).rejects.toThrow('injected')
    expect(currentRows(publisher)).toEqual([])
    expect(pending()).toHaveLength(1)
    expect(await settle()).toEqual({ finished: 0, dropped: 1 })
    expect([currentRows(publisher), pending()]).toEqual([[], []])
  })

  test('after it is finished by settlement, as if it had not happened', async () => {
    publisher.records.failNext = 'after-commit'
    await expect(publisher.publish(value, { now: at })).rejects.toThrow('injected')
    expect([shared().length, unshared().length]).toEqual([1, 0])
    expect(await settle()).toEqual({ finished: 1, dropped: 0 })
    expect(pending()).toEqual([])

    const whole = openPublisher()
    await whole.publish(value, { now: at })
    expect(currentRows(publisher)).toEqual(currentRows(whole))
    expect(publisher.local.rows('select * from source_record')).toEqual(
      whole.local.rows('select * from source_record'),
    )
    expect(responses(await publisher.publish(value)).map(({ status }) => status)).toEqual([
      '200 OK',
      '200 OK',
    ])
  })

  test('settlement leaves alone what may still be under way', async () => {
    publisher.records.failNext = 'after-commit'
    // However long ago the request came: its body may have taken that long.
    await expect(publisher.publish(value, { now: at })).rejects.toThrow('injected')
    await settlePending(publisher.records, publisher.local, Date.now() + limits.settleAfterMs / 2)
    expect(pending()).toHaveLength(1)
  })

  test('by settlement itself, before the point of decision, is final: the write that comes late is refused', async () => {
    const { records } = publisher
    const write = records.write
    records.write = async (key, statements) => {
      expect(await settle()).toEqual({ finished: 0, dropped: 1 })
      return write(key, statements)
    }
    await expect(publisher.publish(value, { requestId: 'r' })).rejects.toMatchObject({ code: 'aborted' })
    expect([currentRows(publisher), pending()]).toEqual([[], []])
    records.write = write
    await expect(publisher.publish(value, { requestId: 'r' })).rejects.toMatchObject({ code: 'aborted' })
    await settle()
    expect([currentRows(publisher), pending()]).toEqual([[], []])
    expect((await publisher.publish(value, { requestId: 'another' })).ok).toBe(true)
    expect(currentRows(publisher)).toHaveLength(2)
  })

  test('before settlement could abort it there leaves the pending rows for the next round', async () => {
    publisher.records.failNext = 'after-commit'
    await expect(publisher.publish(value)).rejects.toThrow('injected')
    const away = async () => Promise.reject(new StoreError('unavailable', 'away'))
    await expect(
      settlePending({ ...publisher.records, abort: away }, publisher.local, Date.now() + hour),
    ).rejects.toThrow('away')
    expect(pending()).toHaveLength(1)
    expect(await settle()).toEqual({ finished: 1, dropped: 0 })
  })

  const claimed = (use: string) => bundle('transaction', put('c', claim('p', { use })))

  test('of two publications that end in the reverse order of their decisions, the later decided one stands', async () => {
    const { records, local } = publisher
    const [decide, write] = [records.write, local.write]
    const prepared = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() }
    const [decided, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let holds = true
    local.write = async (key, statements) => {
      if (key === 'a/finish' && holds) {
        holds = false
        await ended.promise
      }
      const result = await write(key, statements)
      if (key === 'a/prepare') prepared.a.resolve()
      if (key === 'b/prepare') prepared.b.resolve()
      return result
    }
    records.write = async (key, statements) => {
      await (key === 'a' ? prepared.b.promise : decided.promise)
      const result = await decide(key, statements)
      if (key === 'a') decided.resolve()
      return result
    }
    const first = publisher.publish(claimed('claim'), { requestId: 'a' })
    await prepared.a.promise
    const second = responses(await publisher.publish(claimed('predetermination'), { requestId: 'b' }))
    ended.resolve()
    expect((await first).ok).toBe(true)
    expect(second.map(({ etag }) => etag)).toEqual(['W/"2"'])
    expect(
      unshared().map(({ version, body }) => [version, String(body).includes('predetermination')]),
    ).toEqual([[2, true]])
    expect(publisher.local.rows('select version from document_version')).toMatchObject([{ version: 1 }])
    expect(pending()).toEqual([])
  })

  test('of two publications, settled together, ends in the order of their decisions', async () => {
    const { records, local } = publisher
    // `b` was prepared first and decided last.
    const decide = records.write
    records.write = async (key, statements) => {
      if (key === 'b') throw new StoreError('unavailable', 'injected')
      await decide(key, statements)
      await decide('b', statements)
      throw new StoreError('unavailable', 'injected')
    }
    await expect(publisher.publish(claimed('predetermination'), { requestId: 'b' })).rejects.toThrow()
    await expect(publisher.publish(claimed('claim'), { requestId: 'a' })).rejects.toThrow()
    local.db.exec(`update pending set at = at - 1000 where write_key = 'b'`)
    expect(await settle()).toEqual({ finished: 2, dropped: 0 })
    expect(
      unshared().map(({ version, body }) => [version, String(body).includes('predetermination')]),
    ).toEqual([[2, true]])
  })

  test('a retry of the same request gives the same answer', async () => {
    const first = await publisher.publish(value, { requestId: 'r', now: at })
    const again = responses(await publisher.publish(value, { requestId: 'r', now: at }))
    expect(again).toEqual(responses(first))
  })

  test.each([
    ['other content', { use: 'preauthorization' }],
    ['the content before', {}],
  ])('a later publication of %s is not undone by settlement', async (_, members) => {
    const claimed = (content: object) => bundle('transaction', put('c', claim('p', content)))
    await publisher.publish(claimed({}), { now: at - 1 })
    publisher.records.failNext = 'after-commit'
    await expect(publisher.publish(claimed({ use: 'predetermination' }), { now: at })).rejects.toThrow(
      'injected',
    )
    const [entry] = responses(await publisher.publish(claimed(members), { now: at + 1 }))
    expect(entry?.etag).toBe('W/"3"')
    const before = currentRows(publisher)
    await settle()
    expect([currentRows(publisher), pending()]).toEqual([before, []])
  })
})

test('no statement scans documents, versions, lookups, persons or their keys', async () => {
  const patient = {
    resourceType: 'Patient',
    identifier: [{ system: personSystem, value: '1' }],
    birthDate: '1980-01-01',
    name: [{ family: 'Roy' }],
  }
  await publisher.publish(
    bundle('transaction', put('p', patient), put('o', observation('p')), put('c', claim('p'))),
  )
  await refreshLocalSourceRecords(publisher.records, publisher.local, 0)
  // The aliases under which statements name these tables; lists that are bound, or made on the way, have others.
  const scan =
    /^SCAN (document|document_version|lookup|person_key|source_record|d|cur|old|v|k|m|o|sr|mine)( |$)/
  for (const { db, seen } of [publisher.records, publisher.local]) {
    expect(seen.size).toBeGreaterThan(5)
    for (const sql of seen) {
      const plan = db.prepare(`explain query plan ${sql}`).all() as { detail: string }[]
      const scans = plan
        .map(({ detail }) => detail)
        .filter((detail) => scan.test(detail) && !detail.includes('VIRTUAL'))
      expect({ sql, scans }).toEqual({ sql, scans: [] })
    }
  }
})
