/** Whom the record takes each kind of caller to be, and what the officer of one organisation may export of the log. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encounter, marker, patientResource, samplePatient } from './bundles.ts'
import { admit, holder, openWard, results, type Ward } from './care.ts'

const hospital = 'hopital-mont-royal'
const place = { id: hospital, name: 'Hôpital du Mont-Royal' }

/** Of a line of an export. */
const organisationOf = (line: string): string | null =>
  (JSON.parse(line) as { entry: { access: { who: { organisation: string | null } } } }).entry.access.who
    .organisation

describe('each kind of caller', () => {
  let ward: Ward
  let mother: string
  let child: string

  beforeAll(async () => {
    ward = await openWard()
    mother = (await admit(ward, hospital, holder('arsenault'))).patient
    const born = { ...samplePatient(1), birthDate: '2022-03-09' }
    child = (await ward.publish(hospital, patientResource(born), encounter(born, { n: 1 })))[0] ?? ''
    const registered = await ward.send('lapointe', 'POST', '/access/guardianships', {
      guardian: mother,
      patient: child,
    })
    expect(registered.status).toBe(201)
  })
  afterAll(() => ward?.end())

  test.each([
    [
      'tremblay',
      {
        kind: 'provider',
        name: 'Dr Étienne Tremblay',
        role: 'physician',
        purpose: 'TREAT',
        facility: place,
        domains: [
          'allergy',
          'hospital-summary',
          'imaging',
          'immunization',
          'laboratory',
          'medication',
          'other',
        ],
      },
    ],
    [
      'lavoie',
      {
        kind: 'provider',
        name: 'Zoé Lavoie',
        role: 'dietitian',
        purpose: 'TREAT',
        facility: place,
        domains: ['allergy', 'laboratory'],
      },
    ],
    [
      `system-${hospital}`,
      { kind: 'facility-system', name: 'Système — Hôpital du Mont-Royal', facility: place },
    ],
    ['gendron', { kind: 'access-manager', name: 'Lise Gendron', facility: place }],
    ['bouchard', { kind: 'privacy-officer', name: 'Me Mélanie Bouchard', organisation: null }],
    ['girard', { kind: 'privacy-officer', name: 'Me Olivier Girard', organisation: 'ciusss-mont-royal' }],
    ['lapointe', { kind: 'operator', name: 'Karine Lapointe' }],
  ])('%s learns who they are, and nothing of anybody else', async (login, told) => {
    const answer = await ward.get(login, '/access/me', { clock: ward.clock() })
    expect([answer.status, answer.body]).toEqual([200, told])
    const [entry] = await ward.entries(answer)
    expect(entry?.access).toMatchObject({ operation: 'me', patient: null, decision: { reason: told.kind } })
  })

  test('a guardian learns by which Patient to name the child, as a patient their own', async () => {
    const guardian = await ward.get('arsenault', '/access/me', { clock: ward.clock() })
    expect([guardian.status, guardian.body]).toEqual([
      200,
      { kind: 'guardian', name: 'Noémie Arsenault', patients: [child], wards: [] },
    ])
    const patient = await ward.get('arsenault', '/access/me', {
      clock: ward.clock(),
      scope: 'subject_role=patient',
    })
    expect([patient.status, patient.body]).toEqual([
      200,
      { kind: 'patient', name: 'Noémie Arsenault', patients: [mother], wards: [child] },
    ])
    const persons = await Promise.all(
      [guardian, patient].map(async (answer) => (await ward.entries(answer))[0]?.access.patient),
    )
    expect(persons).toEqual(await Promise.all([child, mother].map(personOf)))
  })

  test('nobody is told who they are without a token, or when the registry knows them no more', async () => {
    expect((await ward.test.get('/access/me', null)).status).toBe(401)
    const ended = await ward.get('levesque', '/access/me')
    expect([ended.status, ended.text]).toEqual([403, expect.not.stringContaining('physician')])
    const claimed = await ward.get('theriault', '/access/me', { scope: 'acr=urn:dossier:loa:1' })
    expect(claimed.status).toBeGreaterThanOrEqual(401)
  })

  describe('the officer of one organisation', () => {
    const lines = async (login: string, query: string): Promise<readonly string[]> => {
      const answer = await ward.get(login, `/audit/export${query}`, { clock: ward.clock() })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        expect.stringContaining('ndjson'),
      ])
      return answer.text.split('\n').filter((line) => line !== '')
    }

    test('exports what its own professionals did and nothing of others, by every filter', async () => {
      const { patient } = await admit(ward, hospital, samplePatient(2))
      for (const login of ['tremblay', 'gagnon', 'roy'])
        await ward.get(login, results(patient), { clock: ward.clock() })
      const [row] = await ward.rows(
        'select person from source_record where id = ?',
        patient.replace('Patient/', ''),
      )
      for (const query of [
        '',
        `?patient=${row?.person}`,
        '?organisation=ciusss-mont-royal',
        '?outcome=deny',
      ]) {
        const own = (await lines('girard', query)).slice(1)
        const all = (await lines('bouchard', query)).slice(1)
        const others = own.map(organisationOf).filter((one) => one !== 'ciusss-mont-royal')
        expect([query, others]).toEqual([query, []])
        expect(own.join()).not.toMatch(/genevieve-gagnon|francois-roy/)
        if (query.startsWith('?patient')) {
          expect(own.join()).toContain('etienne-tremblay')
          expect(all.join()).toContain('genevieve-gagnon')
        }
      }
      expect((await lines('girard', '')).join()).not.toContain(marker)
    })

    test.each(['chu-cap-diamant', 'nowhere'])('is refused the entries of %s', async (organisation) => {
      const answer = await ward.get('girard', `/audit/export?organisation=${organisation}`)
      expect(answer.status).toBe(403)
      const [entry] = await ward.entries(answer)
      expect(entry?.access.decision).toMatchObject({ outcome: 'deny', reason: 'not-own-organisation' })
    })

    test('nobody else exports', async () => {
      for (const login of ['tremblay', 'gendron', 'lapointe', `system-${hospital}`])
        expect([login, (await ward.get(login, '/audit/export', { clock: ward.clock() })).status]).toEqual([
          login,
          403,
        ])
    })
  })

  const personOf = async (patient: string) => {
    const [row] = await ward.rows(
      'select person from source_record where id = ?',
      patient.replace('Patient/', ''),
    )
    return row?.person
  }
})
