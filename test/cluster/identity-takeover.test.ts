/** A facility joins its own `Patient` with another person's, then lets it say that it is somebody else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patientResource, samplePatient, uuid } from './bundles.ts'
import { admit, holder, onBehalf, openWard, refusalOf, type Ward } from './care.ts'

describe('who a patient is', () => {
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
})
