/** The feed that a facility's other systems keep in step by: every version of a type, its own alone, in pages that are bounded. */
import { afterEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import type { Caller } from '../../property/caller.ts'
import { bodyOf, type Cluster, columnsOf, startCluster } from '../../property/cluster.ts'
import type { Document, FacilityId, World } from '../../property/world.ts'

const day = (n: number): string => new Date(Date.UTC(2024, 0, n)).toISOString()
const idOf = (name: string): string => name.padEnd(26, '0')
const patientOf = (n: number): string => idOf(`p${n}x`)

const result = (name: string, changes: Partial<Document> = {}): Document => ({
  type: 'Observation',
  id: idOf(name),
  source: patientOf(0),
  person: 'person-0',
  facility: 'hospital',
  isShared: true,
  domain: 'laboratory',
  categories: ['|laboratory'],
  codes: ['http://loinc.org|718-7'],
  dateLo: day(1),
  dateHi: day(1),
  status: 'final',
  confidentiality: 'N',
  published: day(1),
  firstPublished: day(1),
  version: 1,
  text: name,
  key: null,
  first: null,
  isDeleted: false,
  ...changes,
})

const atFirst = (changes: Partial<NonNullable<Document['first']>> = {}): NonNullable<Document['first']> => ({
  isShared: true,
  domain: 'laboratory',
  confidentiality: 'N',
  dateLo: day(1),
  dateHi: day(1),
  published: day(1),
  text: 'wrong',
  ...changes,
})

const worldWith = (documents: readonly Document[], persons = 1): World => ({
  types: ['Observation'],
  matrix: [{ role: 'physician', facilityType: '*', purpose: '*', domain: 'laboratory' }],
  clearances: [{ role: 'physician', facilityType: '*', purpose: '*', own: 'R', elsewhere: 'R' }],
  held: [{ professional: 'tremblay', role: 'physician', facility: 'hospital' }],
  lifted: [],
  sources: Array.from({ length: persons }, (_, n) => ({
    id: patientOf(n),
    person: `person-${n}`,
    facility: 'hospital' as const,
    key: { value: `K${n}`, birthDate: '1950-01-01', family: 'TREMBLAY' },
  })),
  relationships: [
    {
      kind: 'enrolment',
      source: patientOf(0),
      facility: 'hospital',
      professional: '',
      starts: 0,
      ends: Date.now() + 3_600_000,
      isEnded: false,
    },
  ],
  rules: [],
  emergencies: [],
  documents,
})

const systemOf = (facility: FacilityId, changes: Partial<Caller> = {}): Caller => ({
  kind: 'system',
  professional: 'tremblay',
  facility,
  role: null,
  purpose: null,
  scopes: null,
  context: null,
  ...changes,
})
const system = systemOf('hospital')
const scoped = (...names: readonly (string | null)[]): Caller =>
  systemOf('hospital', {
    scopes: names.map((name) => ({
      context: 'system',
      type: 'Observation',
      interactions: 'rs',
      parameter: name === null ? null : { name, token: 'laboratory' },
    })),
  })

const opened: Cluster[] = []
const open = (documents: readonly Document[], persons?: number): Cluster => {
  const cluster = startCluster(worldWith(documents, persons))
  opened.push(cluster)
  return cluster
}
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

const feed = '/fhir/Observation/_history'

interface Entry {
  readonly fullUrl: string
  readonly resource?: { readonly meta: { readonly versionId: string } }
  readonly request: { readonly method: string; readonly url: string }
  readonly response: { readonly status: string; readonly etag: string; readonly lastModified: string }
}

async function ask(cluster: Cluster, who: Caller, path: string) {
  const { response, cost } = await cluster.send(who, path)
  const text = await response.text()
  const body = JSON.parse(text) as {
    readonly resourceType: string
    readonly type?: string
    readonly entry?: readonly Entry[]
    readonly link?: readonly { readonly relation: string; readonly url: string }[]
    readonly issue?: readonly { readonly code: string; readonly expression?: readonly string[] }[]
  }
  const next = body.link
    ?.find(({ relation }) => relation === 'next')
    ?.url.replace('https://record.example', '')
  return { status: response.status, text, body, next, entries: cost.appends.flat() }
}

/** `method name etag` of each entry. */
const toldIn = ({ body }: Awaited<ReturnType<typeof ask>>): readonly string[] =>
  (body.entry ?? []).map(({ fullUrl, request, response }) => {
    const name = fullUrl.split('/').at(-1)?.replace(/0+$/, '')
    return `${request.method} ${name} ${response.etag}`
  })

/** All pages from this one on. */
async function follow(cluster: Cluster, path: string) {
  const pages = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const page = await ask(cluster, system, next)
    expect(page.status).toBe(200)
    pages.push(page)
    next = page.next
  }
  return pages
}

/** A result of each fate there is. */
const results = [
  result('plain', { published: day(2) }),
  result('local', { published: day(3), isShared: false, confidentiality: 'R' }),
  result('corrected', { published: day(5), version: 2, first: atFirst({ published: day(4) }) }),
  result('unshared', {
    published: day(7),
    version: 2,
    isShared: false,
    first: atFirst({ published: day(6) }),
  }),
  result('shared', {
    published: day(9),
    version: 2,
    first: atFirst({ published: day(8), isShared: false }),
  }),
  result('gone', { published: day(10), isDeleted: true }),
  result('lgone', { published: day(11), isDeleted: true, isShared: false }),
  result('nobody', { published: day(12), source: '', person: '' }),
  result('theirs', { published: day(3), facility: 'clinic' }),
  result('ltheirs', { published: day(3), facility: 'pharmacy', isShared: false }),
]
const whole = [
  // Deletions bear the time of deletion, and of one time the greater id comes first.
  'DELETE lgone W/"2"',
  'DELETE gone W/"2"',
  'POST nobody W/"1"',
  'POST lgone W/"1"',
  'POST gone W/"1"',
  'PUT shared W/"2"',
  'POST shared W/"1"',
  'PUT unshared W/"2"',
  'POST unshared W/"1"',
  'PUT corrected W/"2"',
  'POST corrected W/"1"',
  'POST local W/"1"',
  'POST plain W/"1"',
]

describe('the history of a type', () => {
  test('is every version of the facility’s own documents in both databases, deletions included, newest first', async () => {
    const page = await ask(open(results), system, feed)
    expect(page.body).toMatchObject({ resourceType: 'Bundle', type: 'history' })
    expect(toldIn(page)).toEqual(whole)
    expect(page.body.link).toHaveLength(1)
    const entryOf = (name: string, etag: string) =>
      page.body.entry?.find(({ fullUrl, response }) => fullUrl.endsWith(idOf(name)) && response.etag === etag)
    expect(entryOf('corrected', 'W/"1"')).toMatchObject({
      fullUrl: `https://record.example/fhir/Observation/${idOf('corrected')}`,
      resource: { meta: { versionId: '1' } },
      request: { method: 'POST', url: 'Observation' },
      response: { status: '201', lastModified: day(4) },
    })
    expect(entryOf('gone', 'W/"2"')).toEqual({
      fullUrl: `https://record.example/fhir/Observation/${idOf('gone')}`,
      request: { method: 'DELETE', url: `Observation/${idOf('gone')}` },
      response: { status: '204', etag: 'W/"2"', lastModified: expect.any(String) },
    })
  })

  test('is another facility’s for that one alone, and nothing where there is nothing', async () => {
    const cluster = open(results)
    expect(toldIn(await ask(cluster, systemOf('clinic'), feed))).toEqual(['POST theirs W/"1"'])
    expect(toldIn(await ask(cluster, systemOf('pharmacy'), feed))).toEqual(['POST ltheirs W/"1"'])
    const nothing = await ask(cluster, system, '/fhir/Condition/_history')
    expect([nothing.status, toldIn(nothing)]).toEqual([200, []])
    expect(nothing.entries).toMatchObject([
      { action: 'history', patient: null, resources: [], decision: { reason: 'nothing-found' } },
    ])
  })

  test('is told to the log, each version under the patient it is about', async () => {
    const one = result('one', { source: patientOf(1), person: 'person-1', version: 2 })
    const cluster = open(
      [
        one,
        result('two', { source: patientOf(2), person: 'person-2', isDeleted: true }),
        result('nobody', { source: '', person: '' }),
      ],
      3,
    )
    // It named nobody then.
    const first = { ...one, version: 1, source: '' }
    cluster.records.insert('document_version', { ...columnsOf(first), body: bodyOf(first) })
    const { entries } = await ask(cluster, system, feed)
    const reference = (name: string, version: number) => `Observation/${idOf(name)}/_history/${version}`
    const told = entries.map(({ patient, resources }) => [patient, [...resources].sort()] as const)
    expect(new Map(told)).toEqual(
      new Map([
        ['person-1', [reference('one', 1), reference('one', 2)]],
        ['person-2', [reference('two', 1), reference('two', 2)]],
        [null, [reference('nobody', 1)]],
      ]),
    )
    for (const { action, operation, decision } of entries)
      expect({ action, operation, decision }).toMatchObject({
        action: 'history',
        operation: 'history-type',
        decision: { outcome: 'permit', reason: 'own-facility' },
      })
  })

  test('is nobody else’s, whoever they ask about', async () => {
    const cluster = open(results)
    const physician: Caller = {
      ...system,
      kind: 'provider',
      role: 'physician',
      purpose: 'TREAT',
    }
    for (const path of [feed, '/fhir/Condition/_history']) {
      const { status, text, entries } = await ask(cluster, physician, path)
      expect([status, entries[0]?.decision.reason]).toEqual([403, 'operation-not-for-caller'])
      expect(text).not.toContain('plain')
    }
    for (const kind of ['office', 'stranger'] as const)
      expect((await ask(cluster, { ...physician, kind }, feed)).status).toBe(403)
  })

  test('is not there for what is no type, nor for what would be taken for the log or the register', async () => {
    const cluster = open([result('audit', { type: 'AuditEvent' }), result('consent', { type: 'Consent' })])
    for (const type of ['Nonsense', 'AuditEvent', 'Consent'])
      expect([type, (await ask(cluster, system, `/fhir/${type}/_history`)).status]).toEqual([type, 404])
  })

  test('is not within a scope that asks for a category, whatever the document says', async () => {
    const cluster = open(results)
    expect((await ask(cluster, scoped('category'), feed)).status).toBe(403)
    expect(toldIn(await ask(cluster, scoped('category', null), feed))).toEqual(whole)
    expect((await ask(cluster, scoped(null), '/fhir/Condition/_history')).status).toBe(403)
  })

  test('is not told at all while the local database is away', async () => {
    const cluster = open(results)
    cluster.isLocalAway.value = true
    expect((await ask(cluster, system, feed)).status).toBe(503)
  })
})

describe('while a local write waits', () => {
  const minuteMs = 60_000
  const wait = (cluster: Cluster, facility: string, ageMs: number): void =>
    cluster.locals.get('montreal')?.insert('pending', {
      write_key: `w${ageMs}`,
      part: 0,
      facility,
      published: day(1),
      at: Date.now() - ageMs,
      documents: '[]',
    })

  test('the history is told while it is about to be there, and not when it should be and is not', async () => {
    const cluster = open(results)
    wait(cluster, 'hospital', minuteMs)
    // Of another facility; and one that nobody can settle any more.
    wait(cluster, 'pharmacy', 10 * minuteMs)
    wait(cluster, 'hospital', limits.writeKeyMemoryMs)
    expect(toldIn(await ask(cluster, system, feed))).toEqual(whole)
    wait(cluster, 'hospital', 10 * minuteMs)
    const { status, text } = await ask(cluster, system, feed)
    expect(status).toBe(503)
    expect(text).not.toContain('plain')
  })
})

describe('its pages', () => {
  test.each([1, 2, 3, 5])('of %i are the whole, in order and once', async (count) => {
    const pages = await follow(open(results), `${feed}?_count=${count}`)
    expect(pages.flatMap(toldIn)).toEqual(whole)
    expect(pages.length).toBe(Math.ceil(whole.length / count))
  })

  test('begin when it is asked for, and have cursors of their own question and caller', async () => {
    const cluster = open(results)
    expect(toldIn(await ask(cluster, system, `${feed}?_since=${day(9)}`))).toEqual(whole.slice(0, 6))
    expect((await follow(cluster, `${feed}?_since=${day(9)}&_count=4`)).flatMap(toldIn)).toEqual(
      whole.slice(0, 6),
    )
    const { next = '' } = await ask(cluster, system, `${feed}?_count=2`)
    const cursor = new URL(next, 'https://record.example').searchParams.get('_cursor')
    for (const [who, path] of [
      [systemOf('clinic'), next],
      [system, `/fhir/Condition/_history?_count=2&_cursor=${cursor}`],
      [system, `${feed}?_count=3&_cursor=${cursor}`],
      [system, `${feed}?_cursor=x`],
      [system, `${feed}?_since=x`],
      [system, `${feed}?_count=0`],
      [system, `${feed}?_at=2024`],
      [system, `${feed}?patient=${patientOf(0)}`],
    ] as const)
      expect([path, (await ask(cluster, who, path)).status]).toEqual([path, 400])
  })

  test('tell once what stands in both databases', async () => {
    const cluster = open(results)
    const [plain] = results
    if (!plain) throw new Error('no result')
    const row = { ...columnsOf(plain), body: bodyOf(plain) }
    // It went to the other database and came back unchanged.
    cluster.locals.get('montreal')?.insert('document_version', row)
    cluster.records.insert('document_version', row)
    expect((await follow(cluster, `${feed}?_count=1`)).flatMap(toldIn)).toEqual(whole)
  })

  test('name no more patients than one access may, each', async () => {
    const persons = 2 * limits.maxAccessPatients + 1
    const documents = Array.from({ length: persons }, (_, n) =>
      result(`r${String(n).padStart(4, '0')}x`, {
        source: patientOf(n),
        person: `person-${n}`,
        isShared: n % 2 === 0,
      }),
    )
    const pages = await follow(open(documents, persons), `${feed}?_count=500`)
    expect(pages.map((page) => toldIn(page).length)).toEqual([
      limits.maxAccessPatients,
      limits.maxAccessPatients,
      1,
    ])
    expect(new Set(pages.flatMap(toldIn)).size).toBe(persons)
  })

  test('of large documents are bounded, nothing skipped or repeated', async () => {
    const text = '"'.repeat(300_000)
    const documents = Array.from({ length: 12 }, (_, n) =>
      result(`r${String(n).padStart(2, '0')}x`, {
        text,
        published: day(2 + (n % 5)),
        version: 2,
        isShared: n % 3 > 0,
        first: atFirst({ text, isShared: n % 2 > 0 }),
        isDeleted: n % 4 === 0,
      }),
    )
    const pages = await follow(open(documents), `${feed}?_count=500`)
    for (const { text: page } of pages) expect(page.length).toBeLessThan(limits.maxPageBytes + 100_000)
    const told = pages.flatMap(toldIn)
    expect(told).toHaveLength(2 * 12 + 3)
    expect(new Set(told).size).toBe(told.length)
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.length).toBeLessThan(20)
  })
})
