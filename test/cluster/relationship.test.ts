/** A published encounter opens the record to its facility's professionals, for its window and no longer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hranaReader } from '../../src/store/hrana.ts'
import type { Rows } from '../../src/store/ports.ts'
import {
  admission,
  type EncounterOptions,
  encounter,
  locations,
  marker,
  observation,
  patientResource,
  type Resource,
  type SamplePatient,
  samplePatient,
  transaction,
} from './bundles.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const dayMs = 24 * 60 * 60_000
const daysAgo = (days: number): string => new Date(Date.now() - days * dayMs).toISOString()

interface Answer {
  readonly entry?: readonly { readonly response: { readonly status: string } }[]
}

describe('a published encounter', () => {
  let t: TestCluster
  const tokens: Record<string, string> = {}
  /** Of the last publication: who sends it back reads what that wrote. */
  let clock: string

  beforeAll(async () => {
    t = await startTestCluster()
    for (const name of [
      'gagnon',
      'morin',
      'gauthier',
      'tremblay',
      'system-hopital-mont-royal',
      'system-hopital-cap-diamant',
    ])
      tokens[name] = await t.cluster.token(name)
  })

  afterAll(async () => {
    await t?.end()
  })

  const send = async (facility: string, bundle: unknown): Promise<{ status: number; answer: Answer }> => {
    const response = await t.post('/fhir', tokens[`system-${facility}`] as string, bundle)
    clock = response.headers.get('dossier-clock') ?? clock
    return { status: response.status, answer: (await response.json()) as Answer }
  }
  const publish = async (facility: string, ...resources: readonly Resource[]): Promise<readonly string[]> => {
    const { status, answer } = await send(facility, transaction(...resources))
    expect({ status, answer }).toMatchObject({ status: 200 })
    return locations(answer)
  }

  let persons = 0
  /** Somebody whom Mont-Royal has published a result of, without an encounter, and Cap-Diamant knows by name. */
  const somebody = async (): Promise<{ readonly person: SamplePatient; readonly patient: string }> => {
    const person = samplePatient(++persons)
    const [patient = ''] = await publish(
      'hopital-mont-royal',
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
    )
    await publish('hopital-cap-diamant', patientResource(person))
    return { person, patient }
  }
  const admit = (person: SamplePatient, options: Partial<EncounterOptions> = {}) =>
    publish('hopital-cap-diamant', patientResource(person), encounter(person, { n: 1, ...options }))
  /** Whether the record is open to this professional. */
  const isOpen = async (patient: string, who = 'gagnon'): Promise<boolean> => {
    const response = await t.get(`/fhir/Observation?patient=${patient}`, tokens[who] as string, {
      'dossier-clock': clock,
    })
    const body = await response.text()
    if (response.status === 200) expect(body).toContain(marker)
    else expect([response.status, body]).toEqual([403, expect.stringContaining('"relationship-required"')])
    return response.status === 200
  }
  /** Every relationship that was ever recorded from this encounter, in order. */
  const rowsOf = async (encounterId: string | undefined): Promise<Rows> => {
    const { url, readToken } = t.cluster.databases.primary
    const [rows = []] = await hranaReader({ url, token: readToken }).read([
      {
        sql: `select row, kind, facility, professional, starts, ends, valid_from, valid_to from relationship
              where source = ? order by row`,
        args: [encounterId ?? ''],
      },
    ])
    return rows
  }

  test('in progress opens the record to everybody authorised at its facility, and to nobody else', async () => {
    const { person, patient } = await somebody()
    expect(await isOpen(patient)).toBe(false)
    await admit(person)
    expect(await isOpen(patient)).toBe(true)
    expect(await isOpen(patient, 'morin')).toBe(true)
    // Of another facility, and of the one that published everything else.
    expect(await isOpen(patient, 'gauthier')).toBe(false)
    expect(await isOpen(patient, 'tremblay')).toBe(false)
  })

  test.each<[string, Partial<EncounterOptions>, boolean]>([
    ['that ended yesterday', { status: 'finished', start: daysAgo(3), end: daysAgo(1) }, true],
    ['that ended 29 days ago', { status: 'finished', start: daysAgo(40), end: daysAgo(29) }, true],
    ['that ended 31 days ago', { status: 'finished', start: daysAgo(40), end: daysAgo(31) }, false],
    ['still in progress whose period ended 31 days ago', { start: daysAgo(40), end: daysAgo(31) }, false],
    ['finished without an end, begun 31 days ago', { status: 'finished', start: daysAgo(31) }, false],
    ['that says nothing of its time', { status: 'arrived', start: null }, true],
    ['planned for tomorrow', { status: 'planned', start: daysAgo(-1) }, false],
    ['planned for an hour ago', { status: 'planned', start: daysAgo(1 / 24) }, true],
    ['that was cancelled', { status: 'cancelled' }, false],
    ['entered in error', { status: 'entered-in-error' }, false],
    ['of an unknown status', { status: 'unknown' }, false],
    ['that is not shared', { confidentiality: 'R' }, true],
  ])('%s: open or not as its window says', async (_name, options, open) => {
    const { person, patient } = await somebody()
    await admit(person, options)
    expect(await isOpen(patient)).toBe(open)
  })

  test('not shared, is in no database that leaves its region', async () => {
    const { person } = await somebody()
    const [, id = ''] = await admit(person, { confidentiality: 'R' })
    const { url, readToken } = t.cluster.databases.primary
    const sql = 'select 1 from document where type = ? and id = ?'
    const [stored] = await hranaReader({ url, token: readToken }).read([{ sql, args: id.split('/') }])
    expect(stored).toEqual([])
    expect(await rowsOf(id)).toMatchObject([{ kind: 'encounter', facility: 'hopital-cap-diamant' }])
  })

  test('that is backdated reaches back a day before its publication', async () => {
    const { person } = await somebody()
    const before = Date.now()
    const [, id] = await admit(person, { start: '2020-01-01T00:00:00Z' })
    const after = Date.now()
    const [row] = await rowsOf(id)
    expect(Number(row?.starts)).toBeGreaterThanOrEqual(before - dayMs)
    expect(Number(row?.starts)).toBeLessThanOrEqual(after - dayMs)
    // In progress without an end: ninety days.
    expect(Number(row?.ends) - Number(row?.starts)).toBe(91 * dayMs)
  })

  test('corrected to entered-in-error closes the record again; corrected once more, it opens', async () => {
    const { person, patient } = await somebody()
    const [, id] = await admit(person)
    expect(await isOpen(patient)).toBe(true)
    await admit(person, { status: 'entered-in-error' })
    expect(await isOpen(patient)).toBe(false)
    await admit(person)
    expect(await isOpen(patient)).toBe(true)
    // Never changed in place: each is what it was, from one clock value to another.
    const [first, second, ...others] = await rowsOf(id)
    expect(others).toEqual([])
    expect(Number(first?.valid_to)).toBeGreaterThan(Number(first?.valid_from))
    expect(Number(second?.valid_from)).toBeGreaterThan(Number(first?.valid_to))
    expect(second?.valid_to).toBeNull()
  })

  test('published again unchanged leaves its row as it was', async () => {
    const { person } = await somebody()
    const [, id] = await admit(person)
    const before = await rowsOf(id)
    expect(before).toHaveLength(1)
    await admit(person)
    expect(await rowsOf(id)).toEqual(before)
  })

  describe('that is refused', () => {
    const entry = (resource: Resource, method: string, url: string) => ({
      resource,
      request: { method, url },
    })
    const bundleOf = (type: string, ...entries: readonly ReturnType<typeof entry>[]) => ({
      resourceType: 'Bundle',
      type,
      entry: entries,
    })
    const about = (person: SamplePatient, patient: string, options: Partial<EncounterOptions> = {}) => ({
      ...encounter(person, { n: 1, ...options }),
      subject: { reference: patient },
    })

    test.each([
      ['batch', 200],
      ['transaction', 404],
    ])('%s: sent to the server id of another facility’s encounter, opens nothing', async (type, status) => {
      const { person, patient } = await somebody()
      const [, theirs = ''] = await publish(
        'hopital-mont-royal',
        patientResource(person),
        encounter(person, { n: 1 }),
      )
      const before = await rowsOf(theirs)
      const [own = ''] = await publish('hopital-cap-diamant', patientResource(person))
      const [, id = ''] = theirs.split('/')
      for (const confidentiality of [undefined, 'R']) {
        const sent = about(person, own, confidentiality ? { confidentiality } : {})
        const refused = await send(
          'hopital-cap-diamant',
          bundleOf(type, entry({ ...sent, id }, 'PUT', theirs)),
        )
        expect(refused.status).toBe(status)
        if (type === 'batch') expect(refused.answer.entry?.[0]?.response.status).toBe('404 Not Found')
        expect(await isOpen(patient)).toBe(false)
        expect(await rowsOf(theirs)).toEqual(before)
      }
      expect(await isOpen(patient, 'tremblay')).toBe(true)
    })

    test.each([
      ['shared', undefined],
      ['not shared', 'R'],
    ])(
      'a batch’s, %s, that names another person than before, opens nothing',
      async (_name, confidentiality) => {
        const [one, other] = [await somebody(), await somebody()]
        const options = confidentiality ? { confidentiality } : {}
        const [, id] = await admit(one.person, options)
        const before = await rowsOf(id)
        const [own = ''] = await publish('hopital-cap-diamant', patientResource(other.person))
        const sent = about(one.person, own, { ...options, status: 'arrived' })
        const refused = await send('hopital-cap-diamant', bundleOf('batch', entry(sent, 'POST', 'Encounter')))
        expect(refused.answer.entry?.[0]?.response.status).toBe('409 Conflict')
        expect(await isOpen(other.patient)).toBe(false)
        expect(await isOpen(one.patient)).toBe(true)
        expect(await rowsOf(id)).toEqual(before)
      },
    )

    test('beside it, what a batch does take, is taken', async () => {
      const { person, patient } = await somebody()
      const [own = ''] = await publish('hopital-cap-diamant', patientResource(person))
      const nowhere = 'a'.repeat(26)
      const sent = await send(
        'hopital-cap-diamant',
        bundleOf(
          'batch',
          entry({ resourceType: 'Nonsense' }, 'POST', 'Nonsense'),
          entry({ ...about(person, own), id: nowhere }, 'PUT', `Observation/${nowhere}`),
          entry(about(person, own, { n: 2 }), 'POST', 'Encounter'),
        ),
      )
      expect(sent.answer.entry?.map(({ response }) => response.status.slice(0, 3))).toEqual([
        '400',
        '400',
        '201',
      ])
      expect(await isOpen(patient)).toBe(true)
    })
  })

  test('about another facility’s `Patient`, by its server id, opens the record to those who published it', async () => {
    const { person, patient } = await somebody()
    const about = { ...encounter(person, { n: 1 }), subject: { reference: patient } }
    const [id] = await publish('hopital-cap-diamant', about)
    expect(await rowsOf(id)).toMatchObject([{ facility: 'hopital-cap-diamant' }])
    expect(await isOpen(patient)).toBe(true)
    expect(await isOpen(patient, 'tremblay')).toBe(false)
  })

  test('of a facility that did not know the person before, opens what others published', async () => {
    const person = samplePatient(++persons)
    const [patient = ''] = await publish(
      'hopital-mont-royal',
      patientResource(person),
      observation(person, { n: 1, date: '2024-01-01' }),
    )
    const [, id] = locations((await send('hopital-cap-diamant', admission(person))).answer)
    expect(await rowsOf(id)).toHaveLength(1)
    expect(await isOpen(patient)).toBe(true)
  })
})
