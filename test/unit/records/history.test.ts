/** What became of a document, over the whole app: who may see which version, its end, its pages, and that nothing changed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import type { Caller } from '../../property/caller.ts'
import { bodyOf, type Cluster, columnsOf, startCluster } from '../../property/cluster.ts'
import type { Document, World } from '../../property/world.ts'

const patient = `p${'0'.repeat(25)}`
const id = `d${'0'.repeat(25)}`
const dayMs = 24 * 60 * 60_000
const day = (n: number): string => new Date(Date.UTC(2024, 0, n)).toISOString()

/** A result of the hospital's, as it is now. */
const result = (changes: Partial<Document> = {}): Document => ({
  type: 'Observation',
  id,
  source: patient,
  person: 'person',
  facility: 'hospital',
  isShared: true,
  domain: 'laboratory',
  categories: ['|laboratory'],
  codes: ['http://loinc.org|718-7'],
  dateLo: day(1),
  dateHi: day(1),
  status: 'final',
  confidentiality: 'N',
  published: day(9),
  firstPublished: day(1),
  version: 2,
  text: 'corrected',
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

/** Physicians and nurses of hospital and clinic care for the patient; the pharmacy's do not. Nurses see normal labels only. */
const worldWith = (documents: readonly Document[], changes: Partial<World> = {}): World => ({
  types: ['Observation'],
  matrix: ['physician', 'nurse'].map((role) => ({
    role,
    facilityType: '*',
    purpose: '*',
    domain: 'laboratory',
  })),
  clearances: [{ role: 'physician', facilityType: '*', purpose: '*', own: 'R', elsewhere: 'R' }],
  held: (['hospital', 'clinic', 'pharmacy'] as const).flatMap((facility) => [
    { professional: 'tremblay', role: 'physician', facility },
    { professional: 'gagnon', role: 'nurse', facility },
  ]),
  lifted: [],
  sources: [
    {
      id: patient,
      person: 'person',
      facility: 'hospital',
      key: { value: 'TREM', birthDate: '1950-01-01', family: 'TREMBLAY' },
    },
  ],
  relationships: (['hospital', 'clinic'] as const).map((facility) => ({
    kind: 'enrolment',
    source: patient,
    facility,
    professional: '',
    starts: Date.now() - dayMs,
    ends: Date.now() + dayMs,
    isEnded: false,
  })),
  rules: [],
  emergencies: [],
  documents,
  ...changes,
})

const by = (
  professional: 'tremblay' | 'gagnon',
  facility: 'hospital' | 'clinic' | 'pharmacy',
  changes: Partial<Caller> = {},
): Caller => ({
  kind: 'provider',
  professional,
  facility,
  role: professional === 'tremblay' ? 'physician' : 'nurse',
  purpose: 'TREAT',
  scopes: null,
  context: null,
  ...changes,
})
const physician = by('tremblay', 'hospital')
const nurse = by('gagnon', 'hospital')
const elsewhere = by('tremblay', 'clinic')
const stranger = by('tremblay', 'pharmacy')

let cluster: Cluster
const opened: Cluster[] = []
const open = (documents: readonly Document[], changes: Partial<World> = {}): void => {
  cluster = startCluster(worldWith(documents, changes))
  opened.push(cluster)
}
beforeEach(() => open([result({ first: atFirst() })]))
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

const history = `/fhir/Observation/${id}/_history`

interface Entry {
  readonly fullUrl: string
  readonly resource?: {
    readonly meta: { readonly versionId: string }
    readonly text: { readonly div: string }
  }
  readonly request: { readonly method: string; readonly url: string }
  readonly response: { readonly status: string; readonly etag: string; readonly lastModified: string }
}

async function ask(who: Caller, path: string, headers: Record<string, string> = {}) {
  const { response, cost } = await cluster.send(who, path, { headers })
  const text = await response.text()
  const body = (text === '' ? null : JSON.parse(text)) as {
    readonly entry?: readonly Entry[]
    readonly link?: readonly { readonly relation: string; readonly url: string }[]
    readonly issue?: readonly { readonly code: string }[]
  } | null
  return { status: response.status, headers: response.headers, text, body, entries: cost.appends.flat() }
}

const statuses = async (who: Caller, ...paths: readonly string[]): Promise<readonly number[]> => {
  const all = []
  for (const path of paths) all.push((await ask(who, path)).status)
  return all
}
const versionPaths = [1, 2, 3].map((version) => `${history}/${version}`)

/** `method etag` of each entry. */
const told = async (who: Caller, path = history): Promise<readonly string[]> =>
  ((await ask(who, path)).body?.entry ?? []).map(
    ({ request, response }) => `${request.method} ${response.etag}`,
  )

describe('a corrected result', () => {
  test('supersedes, and what was corrected stays readable', async () => {
    expect((await ask(elsewhere, `/fhir/Observation/${id}`)).text).toContain('corrected')
    expect((await ask(elsewhere, `${history}/2`)).text).toContain('corrected')
    const earlier = await ask(elsewhere, `${history}/1`)
    expect(earlier.text).toContain('wrong')
    expect(earlier.headers.get('etag')).toBe('W/"1"')
    expect(earlier.headers.get('last-modified')).toBe(new Date(day(1)).toUTCString())
    expect(earlier.entries).toMatchObject([
      { action: 'vread', patient: 'person', resources: [`Observation/${id}/_history/1`], status: 200 },
    ])
  })

  test('has a history, newest first, of which the log names every version', async () => {
    const { body, entries } = await ask(elsewhere, history)
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history' })
    const fullUrl = `https://record.example/fhir/Observation/${id}`
    expect(body?.entry).toMatchObject([
      {
        fullUrl,
        resource: { meta: { versionId: '2' } },
        request: { method: 'PUT', url: `Observation/${id}` },
        response: { status: '200', etag: 'W/"2"', lastModified: day(9) },
      },
      {
        fullUrl,
        resource: { meta: { versionId: '1' } },
        request: { method: 'POST', url: 'Observation' },
        response: { status: '201', etag: 'W/"1"', lastModified: day(1) },
      },
    ])
    const resources = [2, 1].map((version) => `Observation/${id}/_history/${version}`)
    expect(entries).toMatchObject([{ action: 'history', patient: 'person', resources, status: 200 }])
  })

  test('comes in pages, since when it is asked for, and by cursors of its own alone', async () => {
    const { body } = await ask(physician, `${history}?_count=1`)
    const next = body?.link
      ?.find(({ relation }) => relation === 'next')
      ?.url.replace('https://record.example', '')
    expect(next).toBeDefined()
    expect(await told(physician, next)).toEqual(['POST W/"1"'])
    expect((await ask(physician, next ?? '')).body?.link).toHaveLength(1)
    expect(await told(physician, `${history}?_since=2024-01-02`)).toEqual(['PUT W/"2"'])
    expect(await told(physician, `${history}?_since=${day(1)}`)).toEqual(['PUT W/"2"', 'POST W/"1"'])
    expect(await told(physician, `${history}?_since=2030`)).toEqual([])
    const cursor = new URL(next ?? '', 'https://record.example').searchParams.get('_cursor')
    const other = `/fhir/Observation/${id.replace('d', 'e')}/_history?_count=1&_cursor=${cursor}`
    expect(
      await statuses(physician, other, `${history}?_cursor=x`, `${history}?_at=2024`, `${history}?_since=x`),
    ).toEqual([400, 400, 400, 400])
    expect((await ask(nurse, next ?? '')).status).toBe(400)
  })

  test('is not there for who does not care for the patient, as a version of a form that no document has', async () => {
    expect(await statuses(stranger, history, ...versionPaths)).toEqual([404, 404, 404, 404])
    const unknown = `/fhir/Observation/${id.replace('d', 'e')}/_history`
    expect((await ask(stranger, history)).text).toBe((await ask(stranger, unknown)).text)
    expect(
      await statuses(physician, `${history}/0`, `${history}/01`, `${history}/x`, `${history}/-1`),
    ).toEqual([404, 404, 404, 404])
  })
})

describe('a version that its reader may not see', () => {
  test('does not come back by the history of a document relabelled, unshared, or restricted since', async () => {
    for (const [document, world, callers] of [
      [{ confidentiality: 'R' }, {}, [nurse, by('gagnon', 'clinic')]],
      [{ confidentiality: 'R', isShared: false }, {}, [nurse, elsewhere]],
      [{ isShared: false }, {}, [elsewhere, by('gagnon', 'clinic')]],
      [{ domain: 'other' }, {}, [physician, elsewhere]],
      [{}, { rules: [restrictionOf('type', 'Observation')] }, [physician, elsewhere]],
      [{}, { rules: [{ ...restrictionOf('any', ''), kind: 'refusal-total' }] }, [physician]],
    ] as const) {
      open([result({ first: atFirst(), ...document })], world)
      for (const caller of callers)
        expect(await statuses(caller, `/fhir/Observation/${id}`, history, ...versionPaths)).toEqual([
          404, 404, 404, 404, 404,
        ])
    }
  })

  test('is the facility’s own still, where it was unshared since', async () => {
    open([result({ isShared: false, first: atFirst() })])
    expect(await told(physician)).toEqual(['PUT W/"2"', 'POST W/"1"'])
    expect(await statuses(physician, ...versionPaths)).toEqual([200, 200, 404])
  })

  test('is left out alone where only it was confidential, unshared, restricted, refused or out of scope', async () => {
    const before = { ...restrictionOf('any', ''), kind: 'refusal-before' as const, before: day(2) }
    const categories = ['|laboratory']
    for (const [first, world, caller] of [
      [{ confidentiality: 'R' }, {}, nurse],
      [{ isShared: false }, {}, elsewhere],
      [{ domain: 'other' }, {}, elsewhere],
      [{ domain: 'medication' }, { rules: [restrictionOf('domain', 'medication')] }, elsewhere],
      [{ dateLo: day(1), dateHi: day(1) }, { rules: [before] }, elsewhere],
    ] as const) {
      open([result({ dateLo: day(3), dateHi: day(3), categories, first: atFirst(first) })], world)
      expect(await told(caller)).toEqual(['PUT W/"2"'])
      expect((await ask(caller, `${history}?_count=1`)).body?.link).toHaveLength(1)
      expect(await statuses(caller, ...versionPaths)).toEqual([404, 200, 404])
    }
  })

  test('of its own facility, unshared, does not show in where pages end', async () => {
    const plain = result({ version: 9, isShared: false, first: atFirst({ isShared: false }) })
    open([plain])
    const without = (await ask(nurse, `${history}?_count=1`)).text
    for (const version of [5, 6, 7, 8])
      cluster.locals.get('montreal')?.insert('document_version', {
        ...columnsOf({ ...plain, version, confidentiality: 'R' }),
        body: bodyOf({ ...plain, version }),
      })
    const cursor = /_cursor=[\w-]+/g
    expect((await ask(nurse, `${history}?_count=1`)).text.replaceAll(cursor, '')).toBe(
      without.replaceAll(cursor, ''),
    )
    expect(await told(nurse)).toEqual(['PUT W/"9"', 'POST W/"1"'])
    expect(await told(physician)).toHaveLength(6)
  })

  test('by a scope of one category goes by what each version said first', async () => {
    const scopes = [
      {
        context: 'user',
        type: 'Observation',
        interactions: 'r',
        parameter: { name: 'category', token: 'laboratory' },
      },
    ] as const
    const caller = by('tremblay', 'clinic', { scopes })
    expect(await told(caller)).toEqual(['PUT W/"2"', 'POST W/"1"'])
    open([result({ categories: ['|vital-signs', '|laboratory'], first: atFirst() })])
    expect(await told(caller)).toEqual(['PUT W/"2"'])
  })

  test('opened by an emergency is told to the log as that', async () => {
    const world: Partial<World> = {
      lifted: ['refusal-before'],
      rules: [{ ...restrictionOf('any', ''), kind: 'refusal-before', before: day(2) }],
      emergencies: [
        {
          source: patient,
          facility: 'clinic',
          professional: 'tremblay',
          starts: 0,
          ends: Date.now() + dayMs,
        },
      ],
    }
    open([result({ dateLo: day(3), dateHi: day(3), first: atFirst() })], world)
    const inEmergency = by('tremblay', 'clinic', { purpose: 'BTG' })
    for (const [path, reason] of [
      [history, 'break-glass'],
      [`${history}?_count=1`, 'shared-domain'],
      [`${history}/1`, 'break-glass'],
      [`${history}/2`, 'shared-domain'],
    ] as const) {
      const { entries } = await ask(inEmergency, path)
      expect([path, entries[0]?.decision.reason]).toEqual([path, reason])
      expect(entries[0]?.breakGlassReason).toBe(reason === 'break-glass' ? 'unconscious' : null)
    }
  })
})

describe('a deleted document', () => {
  beforeEach(() => open([result({ isDeleted: true, first: atFirst() })]))

  test('is gone, and said to be, to whoever could have read it', async () => {
    for (const caller of [physician, nurse, elsewhere]) {
      const gone = await ask(caller, `/fhir/Observation/${id}`)
      expect([gone.status, gone.body?.issue?.[0]?.code]).toEqual([410, 'deleted'])
      expect(gone.text).not.toContain('corrected')
      expect(gone.entries).toMatchObject([
        {
          action: 'read',
          patient: 'person',
          resources: [`Observation/${id}/_history/3`],
          status: 410,
          decision: { outcome: 'permit' },
        },
      ])
      expect((await ask(caller, `${history}/3`)).status).toBe(410)
    }
    expect(await statuses(stranger, `/fhir/Observation/${id}`, history, ...versionPaths)).toEqual([
      404, 404, 404, 404, 404,
    ])
  })

  test('keeps its versions for its own facility; elsewhere its history is its end', async () => {
    expect(await told(physician)).toEqual(['DELETE W/"3"', 'PUT W/"2"', 'POST W/"1"'])
    expect(await statuses(physician, ...versionPaths)).toEqual([200, 200, 410])
    const { body, text } = await ask(elsewhere, `${history}?_count=1`)
    expect(body?.entry).toEqual([
      {
        fullUrl: `https://record.example/fhir/Observation/${id}`,
        request: { method: 'DELETE', url: `Observation/${id}` },
        response: { status: '204', etag: 'W/"3"', lastModified: expect.any(String) },
      },
    ])
    expect(text).not.toContain('corrected')
    expect(body?.link).toHaveLength(1)
    expect(await statuses(elsewhere, ...versionPaths)).toEqual([404, 404, 410])
  })

  test('of which the last version was withheld is not there', async () => {
    open([result({ isDeleted: true, confidentiality: 'R', first: atFirst() })])
    expect(await statuses(nurse, `/fhir/Observation/${id}`, history, ...versionPaths)).toEqual([
      404, 404, 404, 404, 404,
    ])
  })

  test('that was never shared is gone for its own facility, and elsewhere never was', async () => {
    open([result({ isDeleted: true, isShared: false, first: atFirst({ isShared: false }) })])
    expect(await statuses(physician, `/fhir/Observation/${id}`, ...versionPaths)).toEqual([
      410, 200, 200, 410,
    ])
    expect(await told(physician)).toEqual(['DELETE W/"3"', 'PUT W/"2"', 'POST W/"1"'])
    expect(await statuses(elsewhere, `/fhir/Observation/${id}`, history, ...versionPaths)).toEqual([
      404, 404, 404, 404, 404,
    ])
  })

  test('and published again is there again, its end in its history', async () => {
    const again = result({ version: 4, first: atFirst() })
    open([again])
    cluster.records.insert('document_version', {
      ...columnsOf({ ...again, version: 3 }),
      body: '',
      deleted: 1,
    })
    expect(await told(elsewhere)).toEqual(['PUT W/"4"', 'DELETE W/"3"', 'POST W/"1"'])
    expect(await statuses(elsewhere, `/fhir/Observation/${id}`, ...versionPaths)).toEqual([
      200, 200, 404, 410,
    ])
    open([{ ...again, isShared: false }])
    cluster.records.insert('document_version', {
      ...columnsOf({ ...again, version: 3 }),
      body: '',
      deleted: 1,
    })
    // Unshared: its end is all that others were ever told.
    expect(await told(physician)).toEqual(['PUT W/"4"', 'DELETE W/"3"', 'POST W/"1"'])
    expect(await statuses(elsewhere, `/fhir/Observation/${id}`, ...versionPaths)).toEqual([
      410, 404, 404, 410,
    ])
  })
})

test('a history of large versions is read to its end, nothing skipped or repeated, in pages that are bounded', async () => {
  const text = '"'.repeat(450_000)
  const newest = result({ version: 30, text })
  open([newest])
  for (let version = 1; version < 30; version++) {
    const document = { ...newest, version, published: day(version) }
    const database = version % 3 === 0 ? cluster.locals.get('montreal') : cluster.records
    database?.insert('document_version', { ...columnsOf(document), body: bodyOf(document) })
  }
  const seen: string[] = []
  let pages = 0
  for (let next: string | undefined = `${history}?_count=500`; next !== undefined; pages++) {
    const page = await ask(physician, next)
    expect(page.text.length).toBeLessThan(limits.maxPageBytes + 100_000)
    seen.push(...(page.body?.entry ?? []).map(({ response }) => response.etag))
    next = page.body?.link
      ?.find(({ relation }) => relation === 'next')
      ?.url.replace('https://record.example', '')
  }
  expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => `W/"${30 - n}"`))
  expect(pages).toBeLessThan(20)
})

describe('what the client has already', () => {
  test.each([
    [`/fhir/Observation/${id}`, { 'If-None-Match': 'W/"2"' }],
    [`/fhir/Observation/${id}`, { 'If-None-Match': '*' }],
    [`/fhir/Observation/${id}`, { 'If-Modified-Since': new Date(day(9)).toUTCString() }],
    [`${history}/1`, { 'If-None-Match': 'W/"1"' }],
  ])('is not sent again, and that is audited like reading it: %s %j', async (path, headers) => {
    const { status, text, headers: answer, entries } = await ask(elsewhere, path, headers)
    expect([status, text, answer.get('content-type')]).toEqual([304, '', null])
    expect(answer.get('dossier-receipt')).not.toBeNull()
    const version = path.endsWith('/1') ? 1 : 2
    expect(answer.get('etag')).toBe(`W/"${version}"`)
    expect(entries).toMatchObject([
      {
        patient: 'person',
        resources: [`Observation/${id}/_history/${version}`],
        status: 304,
        decision: { outcome: 'permit', reason: 'shared-domain' },
        note: { answer: 'not-modified' },
      },
    ])
  })

  test('is sent where it has changed, and not told of to who may not have it', async () => {
    const etag = { 'If-None-Match': 'W/"1"' }
    expect((await ask(elsewhere, `/fhir/Observation/${id}`, etag)).status).toBe(200)
    for (const headers of [{ 'If-None-Match': 'W/"2"' }, { 'If-None-Match': '*' }])
      expect((await ask(stranger, `/fhir/Observation/${id}`, headers)).status).toBe(404)
  })
})

describe('the form of an answer', () => {
  test('that is not offered is refused, audited, before anything is said of the document', async () => {
    for (const [path, headers] of [
      [`/fhir/Observation/${id}?_format=xml`, {}],
      [`/fhir/Observation?patient=${patient}`, { Accept: 'application/fhir+xml' }],
    ] as const) {
      const { status, text, entries } = await ask(physician, path, headers)
      expect(status).toBe(406)
      expect(text).toContain('application/fhir+json')
      expect(entries).toMatchObject([
        { decision: { outcome: 'deny', reason: 'not-acceptable' }, status: 406 },
      ])
    }
    // Who has no rights here learns only that.
    const nobody = by('gagnon', 'hospital', { purpose: null })
    expect((await ask(nobody, `/fhir/Observation/${id}?_format=xml`)).status).toBe(403)
  })

  test('is asked for in the same words of every operation', async () => {
    for (const path of [
      `/fhir/Observation/${id}`,
      history,
      `${history}/1`,
      `/fhir/Observation?patient=${patient}`,
    ]) {
      const plain = await ask(physician, path)
      const question = path.includes('?') ? '&' : '?'
      const pretty = await ask(physician, `${path}${question}_pretty=true&_format=json`)
      expect(pretty.status).toBe(200)
      expect(pretty.text).toMatch(/^\{\n {2}"resourceType": /)
      expect({ ...pretty.body, link: null }).toEqual({ ...plain.body, link: null })
    }
    expect((await ask(physician, `${history}?_pretty=yes`)).body?.issue).toMatchObject([
      { code: 'value', expression: ['_pretty'] },
    ])
    const refused = await ask(stranger, `/fhir/Observation/${id}?_pretty=true`)
    expect(refused.text).toMatch(/^\{\n {2}"resourceType": "OperationOutcome"/)
  })
})

function restrictionOf(whatKind: 'any' | 'domain' | 'type', what: string) {
  return {
    source: patient,
    kind: 'restriction' as const,
    before: '',
    actorKind: 'any' as const,
    actor: '',
    whatKind,
    what,
    isEnded: false,
  }
}
