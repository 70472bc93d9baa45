/** How far the privacy officer of one organisation reaches, and that what he does stands in the organisation's chain. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patientResource, samplePatient, uuid } from './bundles.ts'
import {
  type Answer,
  admit,
  onBehalf,
  openWard,
  refusalBefore,
  refusalOf,
  results,
  type Ward,
} from './care.ts'

/** Of `ciusss-mont-royal`. */
const officer = 'girard'
const own = 'hopital-mont-royal'
const elsewhere = 'hopital-cap-diamant'

describe('the privacy officer of one organisation', () => {
  let ward: Ward
  let people = 0
  const asked = () => ({ clock: ward.clock() })
  const cancel = ({ body }: Answer) =>
    ward.send(officer, 'PUT', `/fhir/Consent/${body?.id}`, { ...body, status: 'inactive' }, asked())
  /** The organisation comes to know the person: one of its facilities says so. */
  const publishHere = (n: number) =>
    ward.publish(own, { ...patientResource(samplePatient(n)), id: uuid(7_000_000 + n) })

  beforeAll(async () => {
    ward = await openWard()
  })
  afterAll(() => ward?.end())

  test('cancels no refusal that another recorded, whatever the organisation publishes', async () => {
    const { patient } = await admit(ward, elsewhere, samplePatient(++people))
    const refusal = await ward.send('bouchard', 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)))
    expect((await cancel(refusal)).status).toBe(404)
    await publishHere(people)
    const denied = await cancel(refusal)
    expect(denied).toMatchObject({ status: 403, tag: 'not-own-organisation' })
    const [entry] = await ward.entries(denied)
    expect(entry?.access).toMatchObject({
      patient: expect.any(String),
      who: { practitioner: 'olivier-girard', organisation: 'ciusss-mont-royal' },
    })
    const still = await ward.get('bouchard', `/fhir/Consent?patient=${patient}`, asked())
    expect(still.body?.entry).toMatchObject([{ resource: { status: 'active' } }])
  })

  test('cancels what the organisation recorded', async () => {
    const { patient } = await admit(ward, own, samplePatient(++people))
    const refusal = await ward.send(officer, 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)), asked())
    expect(refusal.status).toBe(201)
    expect((await cancel(refusal)).status).toBe(200)
    // The record's own officer took it up again: from then on it is hers.
    const again = await ward.send(
      'bouchard',
      'PUT',
      `/fhir/Consent/${refusal.body?.id}`,
      refusal.body,
      asked(),
    )
    expect(again.status).toBe(200)
    expect((await cancel(again)).status).toBe(403)
  })

  test('learns no refusals of a stranger by explaining why a professional was denied', async () => {
    const { patient } = await admit(ward, elsewhere, samplePatient(++people))
    await ward.send('bouchard', 'POST', '/fhir/Consent', onBehalf(refusalBefore(patient, '2024-03-01')))
    const denied = await ward.get('tremblay', results(patient), asked())
    expect(denied.status).toBe(403)
    const explain = async (login: string) =>
      (await ward.get(login, `/access/explain?receipt=${encodeURIComponent(denied.receipt)}`, asked())).body
    expect(await explain(officer)).toMatchObject({ facts: { subject: null }, decided: { agrees: true } })
    expect(await explain('bouchard')).toMatchObject({ facts: { subject: { rules: [{}] } } })
    await publishHere(people)
    expect(await explain(officer)).toMatchObject({ facts: { subject: { rules: [{}] } } })
  })

  test('and everybody else leaves an entry about the person also where the body alone names one', async () => {
    const { patient } = await admit(ward, elsewhere, samplePatient(++people))
    const at = asked()
    const team = {
      kind: 'care-team',
      patient,
      professional: 'lise-gendron',
      facility: own,
      ends: new Date(Date.now() + 86_400_000).toISOString(),
    }
    const answers = await Promise.all([
      ward.send(officer, 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)), at),
      ward.send(officer, 'POST', '/access/guardianships', { guardian: patient, patient }, at),
      ward.send('gendron', 'POST', '/access/relationships', team, at),
    ])
    const entries = await Promise.all(answers.map((answer) => ward.entries(answer)))
    const [{ person } = {}] = await ward.rows(
      'select person from source_record where id = ?',
      patient.slice('Patient/'.length),
    )
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403])
    expect(entries.flat().map(({ access }) => access.patient)).toEqual([person, person, person])
  })
})
