/** What became of a document, over real databases: corrected, relabelled, deleted; who may still read what, and what the log is told. */
import { Client, type FhirResource } from 'fhir-kit-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import {
  admission,
  encounter,
  marker,
  observation,
  patientResource,
  type Resource,
  samplePatient,
} from './bundles.ts'
import { type Answer, type Asked, openWard, type Ward } from './care.ts'
import { personOf } from './rows.ts'
import { replicated } from './support.ts'

const facility = 'hopital-mont-royal'
const person = samplePatient(1)
const unknown = `Observation/${'a'.repeat(26)}`

interface Entry {
  readonly resource?: { readonly valueString: string; readonly meta: { readonly versionId: string } }
  readonly request: { readonly method: string }
  readonly response: { readonly etag: string }
}

const entriesIn = ({ body }: Answer): readonly Entry[] => (body?.entry ?? []) as readonly Entry[]
const versionsIn = (answer: Answer): readonly string[] =>
  entriesIn(answer).map(({ request, response }) => `${request.method} ${response.etag}`)

describe('a document', () => {
  let ward: Ward
  /** `Patient/id` of the hospital. */
  let patient: string
  let personId: string
  /** `Observation/id` of each. */
  let corrected: string
  let relabelled: string
  let deleted: string

  const labelled = (n: number, value: string, confidentiality?: string): Resource =>
    observation(person, {
      n,
      date: '2024-01-01',
      value: `${marker} ${value}`,
      ...(confidentiality === undefined ? {} : { confidentiality }),
    })
  const get = (who: string, path: string, asked: Asked = {}) =>
    ward.get(who, `/fhir/${path}`, { clock: ward.clock(), ...asked })

  beforeAll(async () => {
    ward = await openWard()
    const results = [1, 2, 3].map((n) => labelled(n, 'wrong'))
    const ids = await ward.publish(facility, patientResource(person), encounter(person, { n: 1 }), ...results)
    ;[patient = '', , corrected = '', relabelled = '', deleted = ''] = ids
    personId = await personOf(ward.test.cluster.databases.primary, patient)
    await ward.publish('hopital-cap-diamant', ...admission(person).entry.map(({ resource }) => resource))
    await ward.publish(facility, patientResource(person), labelled(1, 'right'), labelled(2, 'private', 'R'))
    const answer = await ward.send(`system-${facility}`, 'DELETE', `/fhir/${deleted}`, null)
    expect(answer.status).toBeLessThan(300)
    await replicated(ward.test.cluster)
  })
  afterAll(() => ward?.end())

  test('that was corrected: the new version supersedes, the old one stays readable, everywhere it may be read', async () => {
    for (const who of ['tremblay', 'gagnon']) {
      const current = await get(who, corrected)
      expect([current.status, current.headers.get('etag')]).toEqual([200, 'W/"2"'])
      expect(current.text).toContain('right')
      const old = await get(who, `${corrected}/_history/1`)
      expect([old.status, old.headers.get('etag')]).toEqual([200, 'W/"1"'])
      expect(old.text).toContain('wrong')
      const history = await get(who, `${corrected}/_history`)
      expect(versionsIn(history)).toEqual(['PUT W/"2"', 'POST W/"1"'])
      expect(entriesIn(history).map(({ resource }) => resource?.valueString)).toEqual([
        `${marker} right`,
        `${marker} wrong`,
      ])
      const [told] = await ward.entries(history)
      expect(told?.access).toMatchObject({
        action: 'history',
        patient: personId,
        resources: [2, 1].map((version) => `${corrected}/_history/${version}`),
        status: 200,
      })
    }
  })

  test('that was relabelled and is shared no more does not come back by its history', async () => {
    for (const path of [
      relabelled,
      `${relabelled}/_history`,
      `${relabelled}/_history/1`,
      `${relabelled}/_history/2`,
    ])
      expect([path, (await get('gagnon', path)).status]).toEqual([path, 404])
    // Where it was published: the first version stands in one database, the second in the other.
    expect(versionsIn(await get('tremblay', `${relabelled}/_history`))).toEqual(['PUT W/"2"', 'POST W/"1"'])
    expect((await get('tremblay', `${relabelled}/_history/1`)).text).toContain('wrong')
    const [first] = versionsIn(await get('tremblay', `${relabelled}/_history?_count=1`))
    expect(first).toBe('PUT W/"2"')
    expect((await get(`system-${facility}`, `${relabelled}/_history/2`)).text).toContain('private')
    expect((await get('system-hopital-cap-diamant', `${relabelled}/_history`)).status).toBe(404)
  })

  test('that was deleted is gone, says so, and keeps its versions for its facility', async () => {
    for (const who of ['tremblay', 'gagnon']) {
      const gone = await get(who, deleted)
      expect(gone.status).toBe(410)
      expect(gone.text).not.toContain(marker)
      const [told] = await ward.entries(gone)
      expect(told?.access).toMatchObject({ action: 'read', patient: personId, status: 410 })
    }
    expect(versionsIn(await get('tremblay', `${deleted}/_history`))).toEqual(['DELETE W/"2"', 'POST W/"1"'])
    expect((await get('tremblay', `${deleted}/_history/1`)).text).toContain('wrong')
    const elsewhere = await get('gagnon', `${deleted}/_history`)
    expect(versionsIn(elsewhere)).toEqual(['DELETE W/"2"'])
    expect(elsewhere.text).not.toContain(marker)
    expect((await get('gagnon', `${deleted}/_history/1`)).status).toBe(404)
    const search = await get('tremblay', `Observation?patient=${patient}`)
    expect(search.found).toContain(corrected)
    expect(search.found).not.toContain(deleted)
  })

  test('that nobody may tell from an unknown one, nor its history, nor its versions, nor its end', async () => {
    const masked = ({ status, text, headers }: Answer) => ({
      status,
      text: text.replaceAll(/\b[a-z2-7]{26}\b/g, 'ID'),
      headers: [...headers.keys()].sort(),
    })
    // A pharmacist who does not care for the patient.
    for (const who of ['roy', 'system-hopital-cap-diamant'])
      for (const suffix of ['', '/_history', '/_history/1', '/_history/2', '/_history/3']) {
        const expected = masked(await get(who, `${unknown}${suffix}`))
        expect([suffix, expected.status]).toEqual([suffix, 404])
        for (const id of [corrected, relabelled, deleted])
          expect(masked(await get(who, `${id}${suffix}`))).toEqual(expected)
      }
  })

  test('that has not changed since is not sent again, and the log is told of it', async () => {
    const known = await get('gagnon', corrected)
    for (const headers of [
      { 'If-None-Match': known.headers.get('etag') ?? '' },
      { 'If-Modified-Since': known.headers.get('last-modified') ?? '' },
    ]) {
      const answer = await get('gagnon', corrected, { headers })
      expect([answer.status, answer.text]).toEqual([304, ''])
      const [told] = await ward.entries(answer)
      expect(told?.access).toMatchObject({
        action: 'read',
        patient: personId,
        resources: [`${corrected}/_history/2`],
        status: 304,
        note: { answer: 'not-modified' },
      })
    }
    expect((await get('gagnon', corrected, { headers: { 'If-None-Match': 'W/"1"' } })).status).toBe(200)
  })

  test('is read in all its versions by a FHIR client, one, all of one document, all of a type', async () => {
    const client = new Client({
      baseUrl: `${ward.test.cluster.url}/fhir`,
      bearerToken: await ward.test.cluster.token(`system-${facility}`),
    })
    const told = (bundle: FhirResource): readonly string[] =>
      ((bundle as { entry?: readonly (Entry & { readonly fullUrl: string })[] }).entry ?? []).map(
        ({ fullUrl, request, response }) =>
          `${request.method} ${fullUrl.split('/').slice(-2).join('/')} ${response.etag}`,
      )
    const [resourceType = '', id = ''] = corrected.split('/')
    const first = await client.vread({ resourceType, id, version: '1' })
    expect(first.valueString).toBe(`${marker} wrong`)
    const ofOne = [`PUT ${corrected} W/"2"`, `POST ${corrected} W/"1"`]
    expect(told(await client.resourceHistory({ resourceType, id }))).toEqual(ofOne)

    const versions = [
      `DELETE ${deleted} W/"2"`,
      ...[corrected, relabelled]
        .map((document) => `PUT ${document} W/"2"`)
        .sort()
        .reverse(),
      ...[corrected, relabelled, deleted]
        .map((document) => `POST ${document} W/"1"`)
        .sort()
        .reverse(),
    ]
    const whole = await client.typeHistory({ resourceType })
    expect(told(whole)).toEqual(versions)
    const receipt = Client.httpFor(whole).response?.headers.get('dossier-receipt') ?? ''
    const [entry] = await ward.entries({ receipt })
    expect(entry?.access).toMatchObject({ action: 'history', patient: personId, status: 200 })
    expect(entry?.access.resources).toHaveLength(versions.length)

    // Page by page, while its newest version comes to be, which the next reading finds.
    const paged: string[] = []
    let page = (await client.request(`${resourceType}/_history?_count=2`)) as FhirResource | undefined
    for (; page; page = await client.nextPage({ bundle: page as never })) {
      paged.push(...told(page))
      if (paged.length > 2) continue
      await ward.publish(facility, patientResource(person), labelled(1, 'right again'))
      await replicated(ward.test.cluster)
    }
    expect(paged).toEqual(versions)
    const [newest] = (whole.entry ?? []) as readonly { response: { lastModified: string } }[]
    const since = await client.request(
      `${resourceType}/_history?_since=${encodeURIComponent(newest?.response.lastModified ?? '')}`,
    )
    expect(told(since as FhirResource)).toEqual([`PUT ${corrected} W/"3"`, ...versions.slice(0, 1)])
    expect((await get('tremblay', 'Observation/_history')).status).toBe(403)
    expect(entriesIn(await get('system-hopital-cap-diamant', 'Observation/_history'))).toEqual([])
  })

  test('leaves in the form that is asked for: indented, compressed when large, never in another format', async () => {
    const pretty = await get('tremblay', `${corrected}?_pretty=true&_format=json`)
    expect(pretty.text).toMatch(/^\{\n {2}"resourceType": "Observation",/)
    expect((await get('tremblay', corrected, { headers: { Accept: 'application/fhir+xml' } })).status).toBe(
      406,
    )
    const large = samplePatient(2)
    const text = 'résultat '.repeat(200)
    const count = Math.ceil(limits.minCompressedLength / text.length) + 1
    const [holder = ''] = await ward.publish(
      facility,
      patientResource(large),
      encounter(large, { n: 1 }),
      ...Array.from({ length: count }, (_, n) =>
        observation(large, { n: n + 1, date: '2024-01-01', value: text }),
      ),
    )
    const search = `Observation?patient=${holder}&_count=${count}`
    const compressed = await get('tremblay', search, { headers: { 'Accept-Encoding': 'gzip' } })
    const plain = await get('tremblay', search, { headers: { 'Accept-Encoding': 'identity' } })
    expect(compressed.headers.get('content-encoding')).toBe('gzip')
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(compressed.found).toHaveLength(count)
    expect(compressed.text).toBe(plain.text)
  })
})
