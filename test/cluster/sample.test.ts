/** The sample data on a real cluster: loaded by the API, joined across facilities, the same when loaded again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publish } from '../../src/local/client/publisher.ts'
import { generateSample, sampleSeed } from '../../src/local/sample/generator.ts'
import { loadSampleData } from '../../src/local/sample/load.ts'
import { healthInsuranceNumber, patients } from '../../src/local/sample/people.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const sample = generateSample(sampleSeed)

describe('sample data', () => {
  let running: TestCluster

  beforeAll(async () => {
    running = await startTestCluster()
    await loadSampleData(running.cluster)
  })
  afterAll(() => running?.end())

  const rows = async (database: { url: string; readToken: string }, sql: string) => {
    const [found = []] = await hranaReader({ url: database.url, token: database.readToken }).read([{ sql }])
    return found
  }

  /** Current documents in all databases, by type. */
  const countsByType = async (): Promise<ReadonlyMap<string, number>> => {
    const { primary, local } = running.cluster.databases
    const counts = new Map<string, number>()
    for (const database of [primary, ...Object.values(local)]) {
      for (const { type, n } of await rows(
        database,
        'select type, count(*) as n from document group by type',
      )) {
        counts.set(String(type), (counts.get(String(type)) ?? 0) + Number(n))
      }
    }
    return counts
  }

  /** Distinct resources of the sample, by type. */
  const expected = (): ReadonlyMap<string, number> => {
    const ids = new Map<string, Set<string>>()
    for (const { facility, bundle } of sample) {
      for (const { resource } of bundle.entry) {
        const known = ids.get(resource.resourceType) ?? new Set()
        ids.set(resource.resourceType, known.add(`${facility}|${resource.id}`))
      }
    }
    return new Map([...ids].map(([type, known]) => [type, known.size]))
  }

  test('every resource is stored once, in records or at its facility', async () => {
    expect(new Map([...(await countsByType())].sort())).toEqual(new Map([...expected()].sort()))
  })

  test('facilities’ patients are joined by number, birth date and name; a differing name waits for a review', async () => {
    const { primary } = running.cluster.databases
    const [joined] = await rows(
      primary,
      'select count(*) as records, count(distinct person) as persons from source_record',
    )
    expect(joined).toEqual({
      records: patients.reduce((sum, { facilities }) => sum + facilities.length, 0),
      // One person is known under another name at one facility.
      persons: patients.length + 1,
    })
    const reviews = await rows(primary, 'select distinct reason from link_review')
    expect(reviews).toEqual([{ reason: 'family-differs' }])
  })

  test('a physician finds a patient of another facility by number and birth date, and reads what all published', async () => {
    const [patient] = patients
    if (!patient) throw new Error('no patients')
    const token = await running.cluster.token('gagnon')
    const identifier = `https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id|${healthInsuranceNumber(patient)}`
    const query = new URLSearchParams({ identifier, birthdate: patient.birthDate })
    const found = (await (await running.get(`/fhir/Patient?${query}`, token)).json()) as {
      entry: { resource: { id: string } }[]
    }
    expect(found.entry).toHaveLength(patient.facilities.length)
    const id = found.entry[0]?.resource.id
    const dispenses = (await (
      await running.get(`/fhir/MedicationDispense?patient=Patient/${id}&_count=500`, token)
    ).json()) as { entry: unknown[] }
    const published = sample
      .filter(({ facility }) => facility === 'pharmacie-laurier')
      .flatMap(({ bundle }) => {
        const about = bundle.entry.find(({ resource }) => resource.resourceType === 'Patient')?.resource
        return JSON.stringify(about).includes(healthInsuranceNumber(patient))
          ? bundle.entry.filter(({ resource }) => resource.resourceType === 'MedicationDispense')
          : []
      })
    expect(published.length).toBeGreaterThan(5)
    expect(dispenses.entry).toHaveLength(published.length)
  })

  test('loading again changes nothing', async () => {
    const before = await countsByType()
    for (const { facility, bundle } of sample.slice(0, 3)) {
      const token = () => running.cluster.token(`system-${facility}`)
      const target = { url: running.cluster.url, token, language: 'en' } as const
      const { effects } = await publish(target, JSON.stringify(bundle))
      expect(new Set(effects.map(({ effect }) => effect))).toEqual(new Set(['unchanged']))
    }
    await loadSampleData(running.cluster)
    expect(await countsByType()).toEqual(before)
    const { primary, local } = running.cluster.databases
    for (const database of [primary, ...Object.values(local)]) {
      expect(await rows(database, 'select count(*) as n from document_version')).toEqual([{ n: 0 }])
    }
  })
})
