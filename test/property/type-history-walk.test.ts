/**
 * A facility's feed is read page by page while the facility writes: no version that was there when the reading began is
 * skipped, and none is told twice, wherever its document goes meanwhile. What came later is there since when it was read.
 */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Caller } from './caller.ts'
import { type Cluster, origin, startCluster } from './cluster.ts'

const system: Caller = {
  kind: 'system',
  professional: 'tremblay',
  facility: 'hospital',
  role: null,
  purpose: null,
  scopes: null,
  context: null,
}

const write = fc.record({
  method: fc.constantFrom('PUT', 'PUT', 'PUT', 'DELETE'),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  text: fc.constantFrom('x', 'y'),
  /** R is not shared: the document moves when it changes. */
  label: fc.constantFrom('N', 'R'),
  /** Milliseconds since the write before: several have one time. */
  after: fc.constantFrom(0, 0, 1),
})
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never

const runs = { numRuns: 60 * (process.env.DOSSIER_FULL ? 20 : 1) }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function open(): Cluster {
  const cluster = startCluster({
    types: [],
    matrix: [],
    clearances: [],
    held: [],
    lifted: [],
    sources: [],
    relationships: [],
    rules: [],
    emergencies: [],
    documents: [],
  })
  const any = { domain: '*', type: '*', category: '*', code: '*', valid_from: 0 }
  cluster.records.insert('sharing_rule', { position: 1, ...any, confidentiality: 'R', shared: 0 })
  cluster.records.insert('sharing_rule', { position: 2, ...any, confidentiality: '*', shared: 1 })
  return cluster
}

async function carryOut(cluster: Cluster, { method, key, text, label, after }: Write): Promise<void> {
  vi.setSystemTime(Date.now() + after)
  const resource = {
    resourceType: 'Basic',
    id: key,
    meta: {
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: label }],
    },
    code: { text },
  }
  const [path, init] =
    method === 'PUT' ? [`/fhir/Basic/${key}`, { body: JSON.stringify(resource) }] : [`/fhir/Basic/${key}`, {}]
  const { response } = await cluster.send(system, path, {
    method,
    headers: { 'Content-Type': 'application/fhir+json' },
    ...init,
  })
  expect(response.status).toBeLessThan(300)
}

/** `id version` of every version in either database, but those that were published before. */
const stored = ({ records, locals }: Cluster, since = ''): readonly string[] => {
  const all = [records, ...locals.values()].flatMap(({ db }) =>
    db
      .prepare(
        `select id || ' ' || version as name from document where published >= :since
         union select id || ' ' || version from document_version where published >= :since`,
      )
      .all({ since }),
  )
  return [...new Set(all.map(({ name }) => String(name)))].sort()
}

interface Told {
  readonly name: string
  readonly published: string
}

/** @param between carried out after each page */
async function walk(cluster: Cluster, path: string, between: () => Promise<void>): Promise<readonly Told[]> {
  const told: Told[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const { response } = await cluster.send(system, next)
    expect(response.status).toBe(200)
    const { entry = [], link } = (await response.json()) as {
      readonly entry?: readonly {
        readonly fullUrl: string
        readonly response: { readonly etag: string; readonly lastModified: string }
      }[]
      readonly link: readonly { readonly relation: string; readonly url: string }[]
    }
    for (const { fullUrl, response } of entry)
      told.push({
        name: `${fullUrl.split('/').at(-1)} ${response.etag.replaceAll(/[W/"]/g, '')}`,
        published: response.lastModified,
      })
    next = link.find(({ relation }) => relation === 'next')?.url.slice(origin.length)
    await between()
  }
  return told
}

test('a walk tells every version that was there, once, whatever is written meanwhile', async () => {
  let moved = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { minLength: 4, maxLength: 16 }),
      fc.array(write, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (before, meanwhile, count) => {
        const cluster = open()
        try {
          for (const one of before) await carryOut(cluster, one)
          const there = stored(cluster)
          const [...rest] = meanwhile
          const told = await walk(cluster, `/fhir/Basic/_history?_count=${count}`, async () => {
            for (const one of rest.splice(0, 2)) await carryOut(cluster, one)
          })
          const names = told.map(({ name }) => name)
          expect(new Set(names).size).toBe(names.length)
          expect(there.filter((name) => !names.includes(name))).toEqual([])
          const times = told.map(({ published }) => published)
          expect(times).toEqual([...times].sort().reverse())

          // What is newer than the newest told is found since then: keeping in step loses nothing.
          const [newest = ''] = times
          for (const one of rest) await carryOut(cluster, one)
          const later = await walk(cluster, `/fhir/Basic/_history?_since=${newest}`, async () => {})
          expect([...new Set(later.map(({ name }) => name))].sort()).toEqual(stored(cluster, newest))
          const known = new Set([...names, ...later.map(({ name }) => name)])
          expect(stored(cluster).filter((name) => !known.has(name))).toEqual([])
          moved += there.length < stored(cluster).length ? 1 : 0
        } finally {
          cluster.close()
        }
      },
    ),
    runs,
  )
  // Writes that change nothing would prove nothing.
  expect(moved).toBeGreaterThan(0)
}, 3_600_000)
