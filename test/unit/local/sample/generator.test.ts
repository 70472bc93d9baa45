import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/limits.ts'
import { ageOn, referenceDate } from '../../../../src/local/sample/calendar.ts'
import { systems } from '../../../../src/local/sample/codes.ts'
import { facilities, holders } from '../../../../src/local/sample/directory.ts'
import { generateSample, sampleSeed } from '../../../../src/local/sample/generator.ts'
import { healthInsuranceNumber, patients } from '../../../../src/local/sample/people.ts'
import type { Resource } from '../../../../src/local/sample/scene.ts'

const sample = generateSample(sampleSeed)
const resources: readonly Resource[] = sample.flatMap(({ bundle }) =>
  bundle.entry.map((entry) => entry.resource),
)

interface Member {
  readonly name: string
  readonly value: unknown
  readonly parent: Readonly<Record<string, unknown>>
}

/** Every member of every object in a JSON value. */
function* members(value: unknown): Generator<Member> {
  if (Array.isArray(value)) {
    for (const item of value) yield* members(item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      yield { name, value: member, parent: value as Readonly<Record<string, unknown>> }
      yield* members(member)
    }
  }
}

/** Distinct values of `<valueName>` beside `"system": system`. */
function valuesOf(system: string, valueName: 'code' | 'value'): readonly string[] {
  const found = new Set<string>()
  for (const resource of resources) {
    for (const { name, value, parent } of members(resource)) {
      if (name === valueName && parent.system === system) found.add(String(value))
    }
  }
  return [...found]
}

describe('the generator', () => {
  it('gives the same bundles for the same seed, and other ids for another', () => {
    expect(JSON.stringify(generateSample(sampleSeed))).toBe(JSON.stringify(sample))
    const ids = new Set(resources.map(({ id }) => id))
    const others = generateSample('another').flatMap(({ bundle }) =>
      bundle.entry.map((entry) => entry.resource.id),
    )
    expect(others.filter((id) => ids.has(id))).toEqual([])
  })

  it('knows about twenty patients, and several of them at two or three facilities', () => {
    expect(patients.length).toBeGreaterThanOrEqual(20)
    expect(patients.filter((patient) => patient.facilities.length === 2).length).toBeGreaterThan(5)
    expect(patients.filter((patient) => patient.facilities.length === 3).length).toBeGreaterThan(3)
    expect(new Set(sample.map(({ facility }) => facility))).toEqual(new Set(facilities.map(({ id }) => id)))
  })

  it('knows everybody who logs in as a patient, by number and birth date', () => {
    for (const { number, birthDate, name } of holders) {
      const patient = patients.find((one) => healthInsuranceNumber(one) === number)
      expect(patient?.birthDate, name).toBe(birthDate)
      expect(`${patient?.given[0]} ${patient?.family}`).toBe(name)
      expect(ageOn(birthDate, referenceDate)).toBeGreaterThanOrEqual(18)
    }
  })

  it('knows a young child of the guardian at a hospital and a clinic', () => {
    const guardians = holders.filter(({ roles }) => roles[0] === 'guardian')
    expect(guardians.map(({ login }) => login)).toEqual(['arsenault'])
    const wards = patients.filter(({ family, birthDate }) => family === 'Arsenault' && birthDate >= '2021')
    expect(wards.map(({ facilities: known, insured }) => ({ known, insured }))).toEqual([
      { known: ['hopital-mont-royal', 'clinique-saint-roch'], insured: undefined },
    ])
  })

  it('covers the six clinical domains, the directory, and documents that stay at their facility', () => {
    const types = new Set(resources.map(({ resourceType }) => resourceType))
    for (const type of [
      'MedicationRequest',
      'MedicationDispense',
      'Observation',
      'DiagnosticReport',
      'Specimen',
      'ImagingStudy',
      'Immunization',
      'AllergyIntolerance',
      'Encounter',
      'Condition',
      'Procedure',
      'Composition',
      'DocumentReference',
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Location',
      'ServiceRequest',
      'Communication',
    ]) {
      expect(types, type).toContain(type)
    }
    const restricted = resources.filter((resource) =>
      JSON.stringify(resource.meta ?? null).includes('"code":"R"'),
    )
    expect(new Set(restricted.map(({ resourceType }) => resourceType))).toEqual(
      new Set(['DocumentReference', 'Observation']),
    )
  })
})

describe('every bundle', () => {
  it('is a small transaction whose entries have one identity each, said three times alike', () => {
    for (const { bundle } of sample) {
      expect(bundle.entry.length).toBeLessThanOrEqual(200)
      expect(Buffer.byteLength(JSON.stringify(bundle))).toBeLessThan(limits.maxBodyBytes)
      expect(new Set(bundle.entry.map(({ fullUrl }) => fullUrl)).size).toBe(bundle.entry.length)
      for (const { fullUrl, resource, request } of bundle.entry) {
        expect(resource.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(fullUrl).toBe(`urn:uuid:${resource.id}`)
        expect(request).toEqual({ method: 'PUT', url: `${resource.resourceType}/${resource.id}` })
      }
    }
  })

  it('resolves all its references within itself', () => {
    let references = 0
    for (const { bundle } of sample) {
      const known = new Set(bundle.entry.map(({ fullUrl }) => fullUrl))
      for (const { name, value } of members(bundle.entry)) {
        if (name !== 'reference') continue
        references++
        expect(known).toContain(value)
      }
    }
    expect(references).toBeGreaterThan(resources.length)
  })

  it('is about one patient', () => {
    for (const { bundle } of sample) {
      expect(bundle.entry.filter(({ resource }) => resource.resourceType === 'Patient')).toHaveLength(1)
    }
  })

  it('holds one open encounter of its patient, from the day of the sample on', () => {
    for (const { bundle } of sample) {
      const open = bundle.entry
        .map(({ resource }) => resource)
        .filter(({ resourceType, status }) => resourceType === 'Encounter' && status === 'in-progress')
      expect(open).toHaveLength(1)
      expect(open[0]?.period).toEqual({ start: `${referenceDate}T08:00:00-05:00` })
    }
  })

  it('agrees with every other bundle of its facility about what both contain', () => {
    const contents = new Map<string, string>()
    for (const { facility, bundle } of sample) {
      for (const { resource } of bundle.entry) {
        const key = `${facility}|${resource.resourceType}|${resource.id}`
        const text = JSON.stringify(resource)
        expect(contents.get(key) ?? text).toBe(text)
        contents.set(key, text)
      }
    }
  })

  it('has no empty member, and no date before the birth of its patient or after the day of the sample', () => {
    for (const { bundle } of sample) {
      const patient = bundle.entry.find(({ resource }) => resource.resourceType === 'Patient')?.resource
      const birthDate = String(patient?.birthDate)
      for (const { name, value } of members(bundle.entry)) {
        expect(value, name).not.toBeNull()
        expect(value, name).toBeDefined()
        expect(value, name).not.toBe('')
        if (Array.isArray(value)) expect(value.length, name).toBeGreaterThan(0)
        if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T|$)/.test(value) && name !== 'end') {
          expect(value >= birthDate, `${name} ${value} of ${birthDate}`).toBe(true)
          expect(value.slice(0, 10) <= referenceDate, `${name} ${value}`).toBe(true)
        }
      }
    }
  })
})

describe('codes', () => {
  it('has health-insurance numbers of the right shape that agree with name, sex and birth date', () => {
    for (const resource of resources.filter(({ resourceType }) => resourceType === 'Patient')) {
      const identifier = (resource.identifier as { system: string; value: string }[]).find(
        ({ system }) => system === systems.nam,
      )
      if (!identifier) continue
      const match = /^([A-Z]{4})(\d{2})(\d{2})(\d{2})\d{2}$/.exec(identifier.value)
      expect(match, identifier.value).not.toBeNull()
      const [year, month, day] = String(resource.birthDate).split('-')
      expect(match?.slice(2)).toEqual([
        year?.slice(2),
        String(Number(month) + (resource.gender === 'female' ? 50 : 0)).padStart(2, '0'),
        day,
      ])
    }
    const numbers = valuesOf(systems.nam, 'value')
    expect(numbers).toHaveLength(patients.filter((patient) => patient.insured !== false).length)
  })

  it('has LOINC codes with their check digit', () => {
    const codes = valuesOf(systems.loinc, 'code')
    expect(codes.length).toBeGreaterThan(20)
    for (const code of codes) expect(loincCheckDigit(code.split('-')[0] ?? ''), code).toBe(code.split('-')[1])
  })

  it('has SNOMED CT identifiers with their check digit', () => {
    const codes = valuesOf(systems.snomed, 'code')
    expect(codes.length).toBeGreaterThan(30)
    for (const code of codes) expect(isVerhoeff(code), code).toBe(true)
  })

  it('has drug identification numbers of eight digits, each with its ATC code', () => {
    const numbers = valuesOf(systems.din, 'code')
    expect(numbers.length).toBeGreaterThan(15)
    for (const number of numbers) expect(number).toMatch(/^\d{8}$/)
    for (const code of valuesOf(systems.atc, 'code')) expect(code).toMatch(/^[A-Z]\d{2}[A-Z]{2}\d{2}$/)
  })
})

/** Mod 10 algorithm of the LOINC users' guide, which is Luhn's. */
function loincCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return String((10 - (sum % 10)) % 10)
}

/** The dihedral check of SNOMED CT identifiers (Verhoeff 1969): the product over all permuted digits is 0. */
function isVerhoeff(digits: string): boolean {
  const multiply = (a: number, b: number): number =>
    a < 5 ? (b < 5 ? (a + b) % 5 : ((a + b - 5) % 5) + 5) : b < 5 ? ((a - b + 5) % 5) + 5 : (a - b + 5) % 5
  const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
  const permuted = (digit: number, times: number): number =>
    times === 0 ? digit : permuted(permutation[digit] ?? 0, times - 1)
  return (
    [...digits].reverse().reduce((c, digit, index) => multiply(c, permuted(Number(digit), index % 8)), 0) ===
    0
  )
}
