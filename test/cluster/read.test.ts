/** Reading: pages, filters, look-ups, what a role and a facility may see, and what an outsider can tell. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/local/cluster.ts'
import {
  admission,
  encounter,
  locations,
  nam,
  observation,
  patientResource,
  samplePatient,
  transaction,
} from './bundles.ts'
import { entriesOf, ledgerOf, parseReceipt } from './ledger.ts'
import { replicated, temporaryHome } from './support.ts'

interface Searchset {
  readonly entry?: readonly {
    readonly fullUrl: string
    readonly resource: Readonly<Record<string, unknown>>
  }[]
  readonly link: readonly { readonly relation: string; readonly url: string }[]
}

describe('reading', () => {
  const home = temporaryHome()
  let cluster: Cluster
  let ids: readonly string[]
  let patient: string
  /** Cap-Diamant's own `Patient` of the same person. */
  let elsewhere: string
  /** Every facility's, in order. */
  let patients: readonly string[]
  const tokens: Record<string, string> = {}
  const person = samplePatient(1)
  const theirs = { ...person, uuid: samplePatient(77).uuid }
  const count = 45

  const get = (path: string, who = 'tremblay', headers: Readonly<Record<string, string>> = {}) =>
    fetch(path.startsWith('http') ? path : `${cluster.url}${path}`, {
      headers: { Authorization: `Bearer ${tokens[who]}`, ...headers },
    })
  const search = async (path: string, who = 'tremblay'): Promise<Searchset> => {
    const response = await get(path, who)
    expect([path, response.status]).toEqual([path, 200])
    return (await response.json()) as Searchset
  }
  const idsOf = ({ entry = [] }: Searchset) =>
    entry.map(({ resource }) => `${resource.resourceType}/${resource.id}`)
  const publish = async (as: string, bundle: unknown): Promise<Response> =>
    fetch(`${cluster.url}/fhir`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokens[as]}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(bundle),
    })

  beforeAll(async () => {
    cluster = await startCluster({ home: home.path, port: 0 })
    for (const name of [
      'tremblay',
      'gagnon',
      'lavoie',
      'roy',
      'fortin',
      'bouchard',
      'levesque',
      'gauthier',
      'system-hopital-mont-royal',
      'system-hopital-cap-diamant',
      'system-pharmacie-laurier',
    ])
      tokens[name] = await cluster.token(name)
    const published = await publish(
      'system-hopital-mont-royal',
      transaction(
        patientResource(person),
        ...Array.from({ length: count }, (_, n) =>
          observation(person, {
            n: n + 1,
            // Several share a day, so that the order has to go on by id.
            date: `2024-0${1 + (n % 3)}-1${n % 5}`,
            code: n % 9 === 0 ? '4548-4' : '718-7',
            category: n % 10 === 0 ? 'vital-signs' : 'laboratory',
            ...(n === 7 ? { confidentiality: 'R' } : {}),
          }),
        ),
        encounter(person, { n: 1 }),
      ),
    )
    expect(published.status).toBe(200)
    ids = locations(await published.json()).slice(0, count + 1)
    patient = ids[0] as string
    const admitted = await publish('system-hopital-cap-diamant', admission(theirs))
    expect(admitted.status).toBe(200)
    elsewhere = locations(await admitted.json())[0] as string
    const known = await publish('system-pharmacie-laurier', admission(person))
    expect(known.status).toBe(200)
    patients = [patient, elsewhere, locations(await known.json())[0] as string].sort()
    await replicated(cluster)
  })

  afterAll(async () => {
    await cluster?.stop()
    home.remove()
  })

  test('a document reads as published, with ETag, clock and receipt; the receipt names its entry', async () => {
    const response = await get(`/fhir/${ids[1]}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('etag')).toBe('W/"1"')
    expect(response.headers.get('dossier-clock')).toMatch(/^[0-9a-z]+\.\d+$/)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const body = (await response.json()) as { meta: { versionId: string }; subject: { reference: string } }
    expect(body.meta.versionId).toBe('1')
    expect(body.subject.reference).toBe(patient)
    const receipt = parseReceipt(response.headers.get('dossier-receipt'))
    const [entry] = entriesOf(
      receipt,
      (await ledgerOf(cluster.databases.audit, [receipt])).get(receipt.log) ?? [],
    )
    expect(entry?.access.resources).toEqual([`${ids[1]}/_history/1`])
    expect(entry?.access.patient).not.toBeNull()
    expect(entry?.access.who).toMatchObject({
      practitioner: 'etienne-tremblay',
      role: 'physician',
      facility: 'hopital-mont-royal',
      organisation: 'ciusss-mont-royal',
    })
    expect(entry?.access.decision).toMatchObject({ outcome: 'permit' })
  })

  test('pages are in a stable order, each document once, while more is published; the cursor tells nothing', async () => {
    const seen: string[] = []
    const dates: string[] = []
    let url: string | undefined = `/fhir/Observation?patient=${patient}&_count=7`
    for (let page = 0; url; page++) {
      const bundle = await search(url)
      seen.push(...idsOf(bundle))
      dates.push(...(bundle.entry ?? []).map(({ resource }) => resource.effectiveDateTime as string))
      url = bundle.link.find(({ relation }) => relation === 'next')?.url
      if (page === 2) {
        const later = await publish(
          'system-hopital-mont-royal',
          transaction(patientResource(person), observation(person, { n: 900, date: '2030-01-01' })),
        )
        expect(later.status).toBe(200)
      }
    }
    expect(seen).toHaveLength(count)
    expect(new Set(seen)).toEqual(new Set(ids.slice(1)))
    expect(dates).toEqual([...dates].sort().reverse())
  })

  test('a cursor is refused from another caller, and for another question', async () => {
    const { link } = await search(`/fhir/Observation?patient=${patient}&_count=5`)
    const next = link.find(({ relation }) => relation === 'next')?.url as string
    expect((await get(next, 'gagnon')).status).toBe(400)
    expect((await get(next.replace('_count=5', '_count=6'))).status).toBe(400)
    expect((await get(next)).status).toBe(200)
  })

  test('category, code and date filter; a code with and without its system is the same question', async () => {
    const base = `/fhir/Observation?patient=${patient}&_count=100`
    const all = await search(base)
    const of = (predicate: (resource: Readonly<Record<string, unknown>>) => boolean) =>
      (all.entry ?? [])
        .filter(({ resource }) => predicate(resource))
        .map(({ resource }) => `Observation/${resource.id}`)
    const code = (resource: Readonly<Record<string, unknown>>) =>
      (resource.code as { coding: { code: string }[] }).coding[0]?.code
    const a1c = of((resource) => code(resource) === '4548-4')
    expect(a1c.length).toBeGreaterThan(3)
    expect(idsOf(await search(`${base}&code=http://loinc.org|4548-4`))).toEqual(a1c)
    expect(idsOf(await search(`${base}&code=4548-4`))).toEqual(a1c)
    expect(idsOf(await search(`${base}&code=http://loinc.org|4548-4,http://loinc.org|none`))).toEqual(a1c)
    expect(idsOf(await search(`${base}&code=http://snomed.info/sct|4548-4`))).toEqual([])
    const vital = of((resource) => JSON.stringify(resource.category).includes('vital-signs'))
    expect(vital.length).toBeGreaterThan(3)
    expect(idsOf(await search(`${base}&category=vital-signs`))).toEqual(vital)
    const february = of(({ effectiveDateTime }) => (effectiveDateTime as string).startsWith('2024-02'))
    expect(february.length).toBeGreaterThan(10)
    expect(idsOf(await search(`${base}&date=2024-02`))).toEqual(february)
    expect(idsOf(await search(`${base}&date=ge2024-02-01&date=lt2024-03-01`))).toEqual(february)
    expect(
      idsOf(await search(`${base}&subject=${patient}&code=x`.replace(`patient=${patient}&`, ''))),
    ).toEqual([])
  })

  test('a restricted document stays local: read at its own facility, 404 elsewhere, absent from others’ searches', async () => {
    const restricted = ids[8] as string
    expect((await get(`/fhir/${restricted}`)).status).toBe(200)
    expect((await get(`/fhir/${restricted}`, 'gagnon')).status).toBe(404)
    expect((await get(`/fhir/${restricted}`, 'roy')).status).toBe(404)
    expect(idsOf(await search(`/fhir/Observation?patient=${patient}&_count=100`))).toContain(restricted)
    const theirPage = idsOf(await search(`/fhir/Observation?patient=${patient}&_count=100`, 'gagnon'))
    expect(theirPage).not.toContain(restricted)
    expect(theirPage.length).toBeGreaterThanOrEqual(count - 1)
  })

  test('a role sees its domains only', async () => {
    const laboratory = ids[2] as string
    expect((await get(`/fhir/${laboratory}`, 'lavoie')).status).toBe(200)
    const vitalSigns = ids[1] as string
    expect((await get(`/fhir/${vitalSigns}`, 'lavoie')).status).toBe(404)
    expect((await get(`/fhir/${laboratory}`, 'fortin')).status).toBe(404)
    expect((await get(`/fhir/${vitalSigns}`, 'fortin')).status).toBe(200)
    const seen = idsOf(await search(`/fhir/Observation?patient=${patient}&_count=100`, 'lavoie'))
    expect(seen).toContain(laboratory)
    expect(seen).not.toContain(vitalSigns)
  })

  test('a privacy officer reads no documents, a facility system no other facility’s, an ended professional nothing', async () => {
    expect((await get(`/fhir/${ids[2]}`, 'bouchard')).status).toBe(403)
    expect((await get(`/fhir/Observation?patient=${patient}`, 'bouchard')).status).toBe(403)
    expect((await get(`/fhir/${ids[2]}`, 'system-hopital-mont-royal')).status).toBe(200)
    expect((await get(`/fhir/${ids[2]}`, 'system-hopital-cap-diamant')).status).toBe(404)
    expect((await get(`/fhir/${ids[2]}`, 'levesque')).status).toBe(403)
    expect((await get('/fhir/Observation?patient=nobody&nonsense=1', 'levesque')).status).toBe(403)
  })

  test('unknown and not permitted are the same 404 for a document, and the same 403 for a patient', async () => {
    const answer = async (path: string, who: string) => {
      const response = await get(path, who)
      const headers = [...response.headers.keys()].sort().join()
      return { status: response.status, headers, body: await response.text() }
    }
    const unknown = await answer('/fhir/Observation/aaaaaaaaaaaaaaaaaaaaaaaaaa', 'gagnon')
    expect(unknown.status).toBe(404)
    expect(await answer(`/fhir/${ids[8]}`, 'gagnon')).toEqual(unknown)
    expect(await answer(`/fhir/${ids[1]}`, 'lavoie')).toEqual({ ...unknown })
    expect(await answer(`/fhir/${ids[1]}`, 'gauthier')).toEqual(unknown)
    const nobody = await answer('/fhir/Observation?patient=aaaaaaaaaaaaaaaaaaaaaaaaaa', 'gauthier')
    expect(nobody.status).toBe(403)
    expect(nobody.body).toContain('"relationship-required"')
    expect(await answer(`/fhir/Observation?patient=${patient}`, 'gauthier')).toEqual(nobody)
  })

  test('a patient is found by identifier and birth date, and a stranger by nothing less', async () => {
    const query = (identifier: string, birthdate: string) =>
      `/fhir/Patient?identifier=${encodeURIComponent(identifier)}&birthdate=${birthdate}`
    const known = query(`${nam}|${person.nam}`, person.birthDate)
    expect(idsOf(await search(known, 'gagnon')).sort()).toEqual(patients)
    for (const who of ['gagnon', 'gauthier']) {
      expect(idsOf(await search(query(`${nam}|${person.nam}`, '1950-01-02'), who))).toEqual([])
      expect(idsOf(await search(query(`${nam}|ABCD00000000`, person.birthDate), who))).toEqual([])
    }
    // The number alone finds those whom its caller cares for, and tells nobody of anybody else.
    const numberAlone = `/fhir/Patient?identifier=${encodeURIComponent(`${nam}|${person.nam}`)}`
    expect(idsOf(await search(numberAlone, 'gagnon')).sort()).toEqual(patients)
    expect(idsOf(await search(numberAlone, 'gauthier'))).toEqual([])
  })

  test('who does not care for a patient is told no more than what was asked by, and the family name', async () => {
    const found = await search(
      `/fhir/Patient?identifier=${encodeURIComponent(`${nam}|${person.nam}`)}&birthdate=${person.birthDate}`,
      'gauthier',
    )
    expect(found.entry).toHaveLength(1)
    const [stranger] = found.entry ?? []
    expect(patients).toContain(`Patient/${stranger?.resource.id}`)
    expect(stranger?.resource).toEqual({
      resourceType: 'Patient',
      id: expect.any(String),
      meta: {
        tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }],
      },
      identifier: [{ system: nam, value: person.nam }],
      name: [{ family: expect.any(String) }],
      birthDate: person.birthDate,
    })
    expect(JSON.stringify(stranger)).not.toContain('Élodie')
    expect((await get(`/fhir/Patient/${stranger?.resource.id}`, 'gauthier')).status).toBe(404)
  })

  test('what two facilities publish of one person is one record; each keeps its own Patient', async () => {
    const published = await publish(
      'system-hopital-cap-diamant',
      transaction(patientResource(theirs), observation(theirs, { n: 1, date: '2025-06-01', code: '2160-0' })),
    )
    expect(published.status).toBe(200)
    const [other, creatinine] = locations(await published.json()) as [string, string]
    expect(other).toBe(elsewhere)
    expect(other).not.toBe(patient)
    const clock = published.headers.get('dossier-clock') as string
    const both = async (of: string) => {
      const response = await get(`/fhir/Observation?patient=${of}&_count=100`, 'gagnon', {
        'Dossier-Clock': clock,
      })
      return idsOf((await response.json()) as Searchset)
    }
    expect(await both(patient)).toContain(creatinine)
    expect(await both(other)).toEqual(await both(patient))
  })

  test('a caller reads its own writes by the clock it was given', async () => {
    for (let n = 0; n < 20; n++) {
      const value = `valeur ${n}`
      const published = await publish(
        'system-hopital-mont-royal',
        transaction(patientResource(person), observation(person, { n: 500, date: '2024-01-01', value })),
      )
      const clock = published.headers.get('dossier-clock') as string
      const [, id] = locations(await published.json()) as [string, string]
      const response = await get(`/fhir/${id}`, 'tremblay', { 'Dossier-Clock': clock })
      expect(((await response.json()) as { valueString: string }).valueString).toBe(value)
    }
  })
})
