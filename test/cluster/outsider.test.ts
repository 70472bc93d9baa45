/**
 * DESIGN §4, "What an outsider can tell": the whole table over real databases; and that what is unknown and what is
 * forbidden cost the same (statements, requests and appends, counted), while the log is told exactly why.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { AppendRequest } from '../../src/audit/port.ts'
import type { Ports } from '../../src/disclosure/ports.ts'
import type { TokenOptions } from '../../src/local/cluster.ts'
import { normalFamily } from '../../src/records/person.ts'
import type { Reader, Statement } from '../../src/store/ports.ts'
import { inMemoryLogs } from '../unit/audit/support.ts'
import {
  admission,
  encounter,
  locations,
  marker,
  nam,
  observation,
  patientResource,
  type Resource,
  type SamplePatient,
  samplePatient,
  transaction,
} from './bundles.ts'
import { portsOf } from './in-process.ts'
import type { LedgerEntry } from './ledger.ts'
import { attest, forbid, personOf } from './rows.ts'
import { replicated, startTestCluster, type TestCluster } from './support.ts'

/** Whom the test asks about: one person per column of the table, all of one name. */
interface Known {
  readonly person: SamplePatient
  /** Mont-Royal's `Patient`, then its documents. */
  readonly ids: readonly string[]
  readonly personId: string
}

const unknownId = 'a'.repeat(26)
const searched = ['Observation', 'Encounter', 'MedicationRequest', 'AllergyIntolerance', 'Condition'] as const

describe('an outsider', () => {
  let t: TestCluster
  const known: Record<string, Known> = {}
  const tokens = new Map<string, string>()
  const of = (column: string): Known => known[column] as Known
  const patientOf = (column: string): string => of(column).ids[0] as string
  const documentOf = (column: string, n = 1): string => of(column).ids[n] as string

  const nobody: SamplePatient = { ...samplePatient(99), family: marker }
  let persons = 0
  const somebody = (): SamplePatient => ({ ...samplePatient(++persons), family: marker })

  beforeAll(async () => {
    t = await startTestCluster()
    const { primary } = t.cluster.databases
    const publish = async (facility: string, bundle: unknown) => {
      const response = await t.post('/fhir', await token(`system-${facility}`), bundle)
      expect(response.status).toBe(200)
      return locations(await response.json())
    }
    const laboratory = { n: 1, date: '2024-01-01' }
    const publishAbout = async (
      column: string,
      documents: (person: SamplePatient) => readonly Resource[],
      confidentiality?: string,
    ) => {
      const person = somebody()
      const patient = {
        ...patientResource(person),
        ...(confidentiality ? { meta: { security: [{ system, code: confidentiality }] } } : {}),
      }
      const ids = await publish('hopital-mont-royal', transaction(patient, ...documents(person)))
      known[column] = { person, ids, personId: await personOf(primary, ids[0] as string) }
    }
    await publishAbout('a stranger', (person) => [observation(person, laboratory)])
    await publishAbout(
      'local only',
      (person) => [observation(person, { ...laboratory, confidentiality: 'R' })],
      'R',
    )
    await publishAbout('refused', (person) => [
      observation(person, laboratory),
      observation(person, { n: 2, date: '2024-01-01', confidentiality: 'R' }),
    ])
    await publishAbout('refused before 2022', (person) => [
      observation(person, { n: 1, date: '2021-12-31' }),
      observation(person, { n: 2, date: '2022-01-01' }),
    ])
    await publishAbout('restricted', (person) => [
      observation(person, laboratory),
      encounter(person, { n: 1 }),
    ])
    await publishAbout('nothing forbidden', (person) => [
      observation(person, laboratory),
      observation(person, { n: 2, date: '2024-01-01', category: 'vital-signs' }),
      observation(person, { n: 3, date: '2024-01-01', confidentiality: 'R' }),
      encounter(person, { n: 1 }),
    ])
    await publishAbout('no documents', () => [])
    for (const column of [
      'refused',
      'refused before 2022',
      'restricted',
      'nothing forbidden',
      'no documents',
    ])
      await publish('hopital-cap-diamant', admission(of(column).person))
    await attest(primary, patientOf('local only'), {
      professional: 'genevieve-gagnon',
      facility: 'hopital-cap-diamant',
    })
    await attest(primary, patientOf('refused'), {
      professional: 'etienne-tremblay',
      facility: 'hopital-mont-royal',
    })
    await forbid(primary, patientOf('refused'), { kind: 'refusal-total' })
    await forbid(primary, patientOf('refused before 2022'), {
      kind: 'refusal-before',
      before: '2022-01-01T00:00:00.000Z',
    })
    await forbid(
      primary,
      patientOf('restricted'),
      { kind: 'restriction', what: ['domain', 'laboratory'] },
      { kind: 'restriction', what: ['domain', 'identity'], actor: ['professional', 'genevieve-gagnon'] },
    )
    await replicated(t.cluster)
  })

  afterAll(async () => {
    await t?.end()
  })

  async function token(name: string, options: TokenOptions = {}): Promise<string> {
    const key = JSON.stringify([name, options])
    const held = tokens.get(key) ?? (await t.cluster.token(name, options))
    tokens.set(key, held)
    return held
  }

  /** What one request asks of databases and log, what its answer tells, and what the log is told. */
  async function ask(path: string, who: string, options: TokenOptions = {}) {
    const requests: string[] = []
    const appends: AppendRequest[] = []
    const counting = (name: string, reader: Reader): Reader => ({
      read: (statements: readonly Statement[], deadlineMs?: number) => {
        requests.push(`${name}: ${statements.map(({ sql }) => sql).join(';')}`)
        return reader.read(statements, deadlineMs)
      },
    })
    const log = inMemoryLogs((request) => appends.push(request))
    const ports = portsOf(t.cluster, log)
    const counted: Ports = {
      ...ports,
      replica: counting('replica', ports.replica),
      locals: new Map(
        [...ports.locals].map(([name, { region, reader, writer }]) => [
          name,
          { region, writer, reader: counting(`local ${name}`, reader) },
        ]),
      ),
    }
    const response = await createApp(counted).request(`${t.cluster.url}${path}`, {
      headers: { Authorization: `Bearer ${await token(who, options)}`, 'Accept-Language': 'en' },
    })
    const answer = {
      status: response.status,
      headers: [...response.headers.keys()].sort().join(),
      body: masked(await response.text()),
    }
    const entries = appends
      .flatMap((append) => append.entries)
      .map(({ access }) => JSON.parse(access) as LedgerEntry['access'])
    return {
      answer,
      cost: { requests: requests.sort(), appends: appends.length, entries: entries.length },
      told: entries.map(({ patient, decision }) => [decision.reason, patient]),
    }
  }

  const search = (type: string, patient: string) => `/fhir/${type}?patient=${patient}`
  const lookUp = ({ nam: number, birthDate }: SamplePatient) =>
    `/fhir/Patient?identifier=${encodeURIComponent(`${nam}|${number}`)}&birthdate=${birthDate}`

  describe('reading by id', () => {
    /** Same answer and same cost as an id that nobody has; one request per database, one entry. */
    const isHidden = async (document: string, who: string, told: unknown, options: TokenOptions = {}) => {
      const forbidden = await ask(`/fhir/${document}`, who, options)
      const unknown = await ask(`/fhir/${document.split('/')[0]}/${unknownId}`, who, options)
      expect(forbidden.answer).toMatchObject({ status: 404 })
      expect(forbidden.answer).toEqual(unknown.answer)
      expect(forbidden.cost).toEqual(unknown.cost)
      expect(forbidden.cost).toMatchObject({ appends: 1, entries: 1 })
      expect(forbidden.cost.requests.map((request) => request.split(':')[0])).toHaveLength(2)
      expect(unknown.told).toEqual([['not-found', null]])
      expect(forbidden.told).toEqual([told])
    }

    test('another facility’s unshared documents: nobody outside its own database knows of them', async () => {
      await isHidden(documentOf('local only'), 'gagnon', ['not-found', null])
      await isHidden(patientOf('local only'), 'gagnon', ['not-found', null])
      // Its neighbour, whose documents are in the same local database.
      await isHidden(documentOf('local only'), 'roy', ['not-found', null])
    })

    test('without a care relationship', async () => {
      const { personId } = of('a stranger')
      await isHidden(documentOf('a stranger'), 'gagnon', ['relationship-required', personId])
      await isHidden(patientOf('a stranger'), 'gagnon', ['relationship-required', personId])
    })

    test('refused, everything or before a date, the relationship held', async () => {
      const { personId } = of('refused')
      await isHidden(documentOf('refused'), 'gagnon', ['refused', personId])
      await isHidden(patientOf('refused'), 'gagnon', ['refused', personId])
      // Where it was published, too: what is shared and what is not.
      await isHidden(documentOf('refused'), 'tremblay', ['refused', personId])
      await isHidden(documentOf('refused', 2), 'tremblay', ['refused', personId])
      const before = of('refused before 2022').personId
      await isHidden(documentOf('refused before 2022'), 'gagnon', ['refused-before', before])
      expect((await ask(`/fhir/${documentOf('refused before 2022', 2)}`, 'gagnon')).answer.status).toBe(200)
      expect((await ask(`/fhir/${patientOf('refused before 2022')}`, 'gagnon')).answer.status).toBe(200)
    })

    test('restricted', async () => {
      const { personId } = of('restricted')
      await isHidden(documentOf('restricted'), 'gagnon', ['restricted', personId])
      await isHidden(patientOf('restricted'), 'gagnon', ['restricted', personId])
      expect((await ask(`/fhir/${documentOf('restricted', 2)}`, 'gagnon')).answer.status).toBe(200)
    })

    test('a domain the role lacks, a label past its clearance, a scope that does not reach', async () => {
      const { personId } = of('nothing forbidden')
      const vitalSigns = documentOf('nothing forbidden', 2)
      await isHidden(vitalSigns, 'lavoie', ['domain-not-permitted', personId])
      await isHidden(documentOf('nothing forbidden', 3), 'lavoie', ['confidentiality', personId])
      const scope = 'user/Observation.rs?category=laboratory'
      await isHidden(vitalSigns, 'gagnon', ['scope-insufficient', personId], { scope })
    })

    test('a facility’s system and a document of another facility', async () => {
      const { personId } = of('nothing forbidden')
      const document = documentOf('nothing forbidden')
      await isHidden(document, 'system-hopital-cap-diamant', ['not-own-facility', personId])
    })
  })

  describe('searching with a patient', () => {
    test.each(searched)('%s: nobody has the id, and no care relationship: the same 403', async (type) => {
      const unknown = await ask(search(type, `Patient/${unknownId}`), 'gagnon')
      expect(unknown.answer.status).toBe(403)
      expect(unknown.answer.body).toContain('"relationship-required"')
      expect(unknown.told).toEqual([['relationship-required', null]])
      expect(unknown.cost).toMatchObject({ appends: 1, entries: 1 })
      expect(unknown.cost.requests).toHaveLength(2)
      const stranger = await ask(search(type, patientOf('a stranger')), 'gagnon')
      expect(stranger.answer).toEqual(unknown.answer)
      expect(stranger.cost).toEqual(unknown.cost)
      expect(stranger.told).toEqual([['relationship-required', of('a stranger').personId]])
      // A colleague at the same facility did not attest.
      const local = await ask(search(type, patientOf('local only')), 'morin')
      expect(local.answer).toEqual(unknown.answer)
      expect(local.told).toEqual([['relationship-required', of('local only').personId]])
      // What the patient refused is not told to whom it does not concern.
      const refused = await ask(search(type, patientOf('refused')), 'roy')
      expect(refused.answer).toEqual(unknown.answer)
      expect(refused.told).toEqual([['relationship-required', of('refused').personId]])
    })

    test.each(searched)('%s: refused, the relationship held: 403 that says so', async (type) => {
      const refused = await ask(search(type, patientOf('refused')), 'gagnon')
      const unknown = await ask(search(type, `Patient/${unknownId}`), 'gagnon')
      expect(refused.answer.status).toBe(403)
      expect(refused.answer.body).toContain('"refused"')
      expect(refused.answer.body).not.toContain(marker)
      expect(refused.cost).toEqual(unknown.cost)
      expect(refused.told).toEqual([['refused', of('refused').personId]])
    })

    test.each(['Observation', 'MedicationRequest'])(
      '%s: unshared elsewhere, or all restricted: 200, as if there were none',
      async (type) => {
        const none = await ask(search(type, patientOf('no documents')), 'gagnon')
        expect(none.answer.status).toBe(200)
        expect(JSON.parse(none.answer.body)).not.toHaveProperty('entry')
        const unknown = await ask(search(type, `Patient/${unknownId}`), 'gagnon')
        for (const column of ['local only', 'restricted']) {
          const without = await ask(search(type, patientOf(column)), 'gagnon')
          expect(without.answer).toEqual(none.answer)
          expect(without.cost).toEqual(unknown.cost)
          expect(without.told.map(([, patient]) => patient)).toEqual([of(column).personId])
        }
      },
    )

    test('partly restricted, or refused before a date: the rest', async () => {
      const encounters = await ask(search('Encounter', patientOf('restricted')), 'gagnon')
      expect(encounters.answer.status).toBe(200)
      expect(JSON.parse(encounters.answer.body).entry).toHaveLength(2)
      const later = await ask(search('Observation', patientOf('refused before 2022')), 'gagnon')
      expect(later.answer.body).toContain('2022-01-01')
      expect(later.answer.body).not.toContain('2021-12-31')
    })

    test('a role without the domain: 200 without them, as if there were none', async () => {
      const vitalSigns = `${search('Observation', patientOf('nothing forbidden'))}&category=vital-signs`
      const none = `${search('Observation', patientOf('nothing forbidden'))}&category=social-history`
      const [hidden, empty] = [await ask(vitalSigns, 'lavoie'), await ask(none, 'lavoie')]
      expect(hidden.answer.status).toBe(200)
      expect(hidden.answer.body.replaceAll('vital-signs', 'social-history')).toEqual(empty.answer.body)
      expect(hidden.cost).toEqual(empty.cost)
    })
  })

  describe('looking up by identifier and birth date', () => {
    test('nobody: 200, empty', async () => {
      const unknown = await ask(lookUp(nobody), 'gagnon')
      expect(unknown.answer.status).toBe(200)
      expect(JSON.parse(unknown.answer.body)).not.toHaveProperty('entry')
      expect(unknown.told.map(([, patient]) => patient)).toEqual([null])
    })

    test.each(['a stranger', 'local only', 'refused', 'restricted'])(
      '%s: 200, minimal demographics, the same for all',
      async (column) => {
        const found = await ask(lookUp(of(column).person), 'gagnon')
        expect(found.answer.status).toBe(200)
        expect(JSON.parse(found.answer.body).entry).toEqual([
          {
            fullUrl: `${t.cluster.url}/fhir/Patient/ID`,
            resource: {
              resourceType: 'Patient',
              id: 'ID',
              meta: {
                tag: [
                  { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' },
                ],
              },
              identifier: [{ system: nam, value: 'NAM' }],
              name: [{ family: normalFamily(marker) }],
              birthDate: '1950-01-01',
            },
            search: { mode: 'match' },
          },
        ])
        const stranger = await ask(lookUp(of('a stranger').person), 'gagnon')
        expect(found.answer).toEqual(stranger.answer)
        expect(found.cost).toEqual((await ask(lookUp(nobody), 'gagnon')).cost)
        expect(found.cost).toMatchObject({ appends: 1, entries: 1 })
        expect(found.told).toEqual([['identity-look-up', of(column).personId]])
      },
    )

    test('a wrong birth date is nobody', async () => {
      const { person } = of('a stranger')
      const wrong = await ask(lookUp({ ...person, birthDate: '1950-01-02' }), 'gagnon')
      const unknown = await ask(lookUp({ ...nobody, birthDate: '1950-01-02' }), 'gagnon')
      expect(wrong).toEqual(unknown)
    })
  })

  test('a warm read that finds something asks no more of the databases than one that finds nothing', async () => {
    const found = await ask(`/fhir/${documentOf('nothing forbidden')}`, 'tremblay')
    const nothing = await ask(`/fhir/Observation/${unknownId}`, 'tremblay')
    expect(found.answer.status).toBe(200)
    expect(found.cost).toEqual(nothing.cost)
    expect(found.cost).toMatchObject({ appends: 1, entries: 1 })
  })
})

const system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'

/** Ids and numbers, which the caller knows: he sent them, or was told them before. */
const masked = (text: string): string =>
  text.replaceAll(/\b[a-z2-7]{26}\b/g, 'ID').replaceAll(/ZEBU[0-9]{8}/g, 'NAM')
