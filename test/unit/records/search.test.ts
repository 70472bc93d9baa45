/** Searching documents of any size, against a database that refuses answers as large as sqld does. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { sightOf } from '../../../src/access/sight.ts'
import type { Settings } from '../../../src/access/subject.ts'
import type { OperationContext, Page } from '../../../src/disclosure/operation.ts'
import { limits } from '../../../src/limits.ts'
import { pageRow } from '../../../src/records/page.ts'
import { searchType } from '../../../src/records/search.ts'
import { eachRow, pageStatements, runningSum } from '../../../src/records/search-sql.ts'
import { ok } from '../../../src/result.ts'
import { type Rows, StoreError } from '../../../src/store/ports.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

/** Of sqld: bytes of one answer, as JSON. */
const maxAnswerBytes = 10_000_000

let records: MemoryDatabase
let local: MemoryDatabase
let loads: number
beforeEach(() => {
  records = openDatabase('records')
  local = openDatabase('local')
  loads = 0
  for (const { db } of [records, local])
    db.exec(`insert into source_record (id, facility, person, clock) values ('p', 'h1', 'person', 1)`)
  records.db.exec(`
    insert into issuer (row, issuer, audience, algorithms, jwks, valid_from)
      values (1, 'https://issuer.example', '', '[]', '{}', 1);
    insert into facility (id, uri, name, organisation, type, region, log, valid_from)
      values ('h1', 'https://example.org/h1', 'H', 'o', 'hospital', 'r', 'r', 1);
    insert into client (issuer, client_id, name, facility, valid_from)
      values ('https://issuer.example', 'emr', 'EMR', 'h1', 1)`)
})

const facility = {
  row: 1,
  id: 'h1',
  uri: 'https://example.org/h1',
  name: 'H',
  organisation: 'o',
  type: 'hospital',
  region: 'r',
  log: 'r',
  identitySystems: [],
}
const caller: Caller = { kind: 'facility-system', client: 'emr', name: 'EMR', facility }
const sight = sightOf(caller, { lifted: new Set() } as unknown as Settings)
const presented = {
  issuer: 'https://issuer.example',
  issuerRow: 1,
  subject: 'emr',
  clientId: 'emr',
  role: null,
  facilityUri: facility.uri,
  purpose: null,
  jti: 'j',
  signedBy: 't',
  patient: null,
  scopes: [],
}

function store({ db }: MemoryDatabase, id: string, date: string, body: string, code = 'loinc|1'): void {
  db.prepare(
    `insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
       confidentiality, published, version, clock, hash, body)
     values ('person', 'Observation', ?, ?, 'p', 'h1', 'laboratory', '', ?, ?, 'final', 'N', '2024', 1, 1, '', ?)`,
  ).run(date, id, code, date, body)
}

/** As sqld: a batch whose rows do not fit one answer fails. */
async function read(database: MemoryDatabase, statements: Page['records']): Promise<readonly Rows[]> {
  const rows = await database.read(statements ?? [])
  if (JSON.stringify(rows).length > maxAnswerBytes) throw new StoreError('statement', 'Response is too large')
  return rows
}

async function search(
  address: string,
): Promise<{ ids: string[]; next: string | null; isIncomplete: boolean }> {
  const url = new URL(address, 'https://record.example')
  const context = {
    param: { type: 'Observation' },
    url,
    origin: url.origin,
    presented,
    scopes: null,
    keys: { cursorKey: new Uint8Array(32) },
    load: async (
      page: (asker: { presented: unknown; facility: string; sight: unknown; now: number }) => Page,
    ) => {
      loads++
      const asked = page({ presented, facility: 'h1', sight, now: 0 })
      const [shared, own] = await Promise.all([read(records, asked.records), read(local, asked.local)])
      const about = { subjects: [], document: null, settings: {} }
      return ok({ caller, ...about, records: shared, local: own, hasLocal: true, isLocalMissing: false })
    },
  } as unknown as OperationContext<{ type: string }, Record<string, never>>
  const result = await searchType.handle(context as never)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  const bundle = JSON.parse(result.value.body as string) as {
    link: { relation: string; url: string }[]
    entry?: { resource: { id: string }; search: { mode: string } }[]
  }
  const entries = bundle.entry ?? []
  return {
    ids: entries.filter(({ search }) => search.mode !== 'outcome').map(({ resource }) => resource.id),
    isIncomplete: entries.some(({ search }) => search.mode === 'outcome'),
    next: bundle.link.find(({ relation }) => relation === 'next')?.url ?? null,
  }
}

async function searchAll(address: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  let pages = 0
  for (let next: string | null = address; next !== null; pages++) {
    const page = await search(next)
    ids.push(...page.ids)
    next = page.next
  }
  return { ids, pages }
}

/** `bytes` of text, each a quote: as long again in every JSON around it. */
const document = (id: string, bytes: number): string =>
  JSON.stringify({ resourceType: 'Observation', id, text: '"'.repeat(bytes / 2) })
const day = (n: number): string => `2024-01-${String(n).padStart(2, '0')}T00:00:00.000Z`
const names = Array.from({ length: 40 }, (_, n) => `d${String(n).padStart(2, '0')}`)

describe('a patient with large documents', () => {
  test.each([
    '/fhir/Observation?patient=p',
    '/fhir/Observation?patient=p&_count=500',
    '/fhir/Observation?patient=p&_count=1',
    '/fhir/Observation?patient=p&code=loinc|1',
  ])('is read to the end by %s, nothing skipped or repeated', async (address) => {
    names.forEach((id, n) => {
      store(n % 3 === 0 ? local : records, id, day(28 - (n % 28)), document(id, 900_000))
    })
    const { ids, pages } = await searchAll(address)
    expect([...ids].sort()).toEqual(names)
    expect(ids).toHaveLength(names.length)
    expect(pages).toBeLessThanOrEqual(address.endsWith('=1') ? 40 : 20)
  })

  test('gets pages as full as their bytes allow when only some are large', async () => {
    names.forEach((id, n) => {
      store(records, id, day(1), document(id, n === 20 ? limits.maxResourceBytes : 1_000))
    })
    const { ids, next } = await search('/fhir/Observation?patient=p')
    expect(ids).toEqual(names)
    expect(next).toBeNull()
  })
})

test('a chain to large documents reads none of their text', async () => {
  names.forEach((id) => {
    store(records, id, day(1), document(id, 900_000).replace('"id"', '"status":"final","id"'))
  })
  const hasMember = [{ reference: 'Observation/d07' }]
  store(records, 'panel', day(2), JSON.stringify({ resourceType: 'Observation', id: 'panel', hasMember }))
  const address = '/fhir/Observation?patient=p&has-member:Observation.status=final'
  expect((await search(address)).ids).toEqual(['panel'])
})

test.each([
  [limits.maxIncluded, false],
  [limits.maxIncluded + 1, true],
])(
  'a page that refers to %i resources of a type says whether some were left out: %s',
  async (count, isIncomplete) => {
    const performer = Array.from({ length: count }, (_, n) => ({ reference: `Practitioner/x${n}` }))
    store(records, 'd', day(1), JSON.stringify({ resourceType: 'Observation', id: 'd', performer }))
    const page = await search('/fhir/Observation?patient=p&_include=Observation:performer')
    expect(page).toMatchObject({ ids: ['d'], isIncomplete })
  },
)

test('documents of ordinary size are read once', async () => {
  names.forEach((id) => {
    store(records, id, day(1), document(id, 5_000))
  })
  expect((await search('/fhir/Observation?patient=p&_count=20')).ids).toHaveLength(20)
  expect(loads).toBe(1)
})

test('both forms of the statement tell when the first version of an undated document was published', async () => {
  for (const [id, published] of [
    ['d', '2020'],
    ['dated', '2021'],
  ] as const)
    records.db
      .prepare(`insert into document_version values ('Observation', ?, 1, 'p', 'h1', 'laboratory', '', '', '', '',
        'final', 'N', ?, 1, 'h', '{}', 0)`)
      .run(id, published)
  store(records, 'd', '', document('d', 10))
  store(records, 'dated', day(1), document('dated', 10))
  for (const bound of [eachRow, runningSum]) {
    const { pages } = pageStatements({
      type: 'Observation',
      partition: { by: 'person', person: "'person'" },
      filters: [],
      wanted: { count: 2, sort: [], isTotalWanted: false, summary: 'false' },
      after: null,
      bound,
      filter: 'true',
      filterArgs: {},
    })
    const [rows = []] = await read(records, pages)
    expect(rows.map((row) => pageRow(row, true))).toMatchObject([
      { id: 'dated', published: '2024', firstPublished: '2024' },
      { id: 'd', published: '2024', firstPublished: '2020' },
    ])
  }
})

test('both forms of the statement go by the index, without sorting', async () => {
  names.forEach((id) => {
    store(records, id, day(1), document(id, 900_000))
  })
  await search('/fhir/Observation?patient=p&code=loinc|1')
  expect(loads).toBe(2)
  const pages = [...records.seen].filter((sql) => sql.includes('octet_length'))
  expect(pages).toHaveLength(4)
  for (const sql of pages) {
    const plan = records.db.prepare(`explain query plan ${sql}`).all() as { detail: string }[]
    const details = plan.map(({ detail }) => detail)
    expect(details.filter((detail) => /^SCAN (d|document|lookup|l)\b|TEMP B-TREE/.test(detail))).toEqual([])
  }
})
