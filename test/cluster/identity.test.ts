/** Who a person is: what a facility can make of it, and whom a token finds. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nam, patientResource, type SamplePatient, samplePatient, uuid } from './bundles.ts'
import { admit, holder, onBehalf, openWard, refusalOf, type Ward } from './care.ts'

describe('who a person is', () => {
  let ward: Ward

  beforeAll(async () => {
    ward = await openWard()
  })
  afterAll(() => ward?.end())

  test('is not what a facility makes of another person’s record', async () => {
    const victim = samplePatient(1)
    const { patient } = await admit(ward, 'hopital-mont-royal', victim)
    const refusal = await ward.send('bouchard', 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)))
    expect(refusal.status).toBe(201)
    const joined = uuid(7_770_000)
    await ward.publish('clinique-saint-roch', { ...patientResource(victim), id: joined })
    await ward.publish('clinique-saint-roch', { ...patientResource(holder('belisle')), id: joined })

    const asked = { clock: ward.clock() }
    const { body } = refusal
    const answers = await Promise.all([
      ward.get('belisle', '/access/me', asked),
      ward.get('belisle', '/access/notices', asked),
      ward.get('belisle', `/fhir/Consent?patient=${patient}`, asked),
      ward.send('belisle', 'PUT', `/fhir/Consent/${body?.id}`, { ...body, status: 'inactive' }, asked),
    ])
    for (const answer of answers) expect(answer).toMatchObject({ status: 403, tag: 'person-unknown' })
  })

  test('is not whom a look-up finds by what a facility changed in all its records of another person', async () => {
    const [victim, accomplice] = [samplePatient(4), samplePatient(5)]
    await admit(ward, 'hopital-mont-royal', victim)
    const own = [uuid(7_780_001), uuid(7_780_002)]
    const publishAs = async (person: SamplePatient) => {
      for (const id of own) await ward.publish('clinique-saint-roch', { ...patientResource(person), id })
    }
    await publishAs(victim)
    await ward.publish('clinique-saint-roch', ...own.map((id) => ({ ...patientResource(accomplice), id })))
    const found = async ({ nam: value, birthDate: birthdate }: SamplePatient) => {
      const who = new URLSearchParams({ identifier: `${nam}|${value}`, birthdate })
      return (await ward.get('gagnon', `/fhir/Patient?${who}`, { clock: ward.clock() })).found
    }
    expect(await found(victim)).toHaveLength(1)
    expect(await found(accomplice)).toEqual([])
  })

  test('is not told to a token narrowed to somebody else', async () => {
    const [own, other] = [samplePatient(2), samplePatient(3)]
    const { patient } = await admit(ward, 'hopital-mont-royal', own)
    await admit(ward, 'hopital-cap-diamant', other)
    const context = patient.replace('Patient/', 'patient=')
    const found = async (person: SamplePatient, scope?: string) => {
      const who = new URLSearchParams({
        identifier: `${nam}|${person.nam}`,
        birthdate: person.birthDate,
      })
      const asked = { clock: ward.clock(), ...(scope === undefined ? {} : { scope }) }
      return (await ward.get('tremblay', `/fhir/Patient?${who}`, asked)).found
    }
    expect(await found(other)).toHaveLength(1)
    expect(await found(other, 'user/Patient.rs')).toHaveLength(1)
    expect(await found(own, `patient/*.rs ${context}`)).toHaveLength(1)
    expect(await found(other, `patient/*.rs ${context}`)).toEqual([])
  })
})
