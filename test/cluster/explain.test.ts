/**
 * `GET /access/explain` on a real cluster: decisions explained after the facts have changed, by the facts as they were; and
 * a past that somebody rewrote does not agree with the log.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { person as actor } from '../unit/governance/consents.ts'
import {
  admission,
  encounter,
  observation,
  patientResource,
  type SamplePatient,
  samplePatient,
} from './bundles.ts'
import {
  type Admitted,
  type Answer,
  type Asked,
  admit,
  holder,
  onBehalf,
  openWard,
  refusalBefore,
  refusalOf,
  restrictionOf,
  results,
  type Ward,
} from './care.ts'
import { parseReceipt } from './ledger.ts'

const hospital = 'hopital-mont-royal'
const emergency = { purpose: 'BTG' } as const
const reason = 'Patient inconscient, allergies inconnues'

interface Told {
  readonly entry: { readonly decision: { readonly outcome: string; readonly reason: string } }
  readonly step: string
  readonly explanation: string
  readonly facts: { readonly caller: unknown; readonly subject: unknown } | null
  readonly decided: {
    readonly caller: string | null
    readonly operation: string | null
    readonly subject: { readonly outcome: string; readonly reason?: string; readonly basis?: string } | null
    readonly documents: readonly {
      readonly reference: string
      readonly outcome: string
      readonly reason: string
    }[]
    readonly unjudged: readonly string[]
    readonly agrees: boolean | null
  } | null
}

describe('the explanation of a past access', () => {
  let ward: Ward
  let people = 0

  beforeAll(async () => {
    ward = await openWard()
  })
  afterAll(() => ward?.end())

  const newPatient = (person: SamplePatient = samplePatient(++people)): Promise<Admitted> =>
    admit(ward, hospital, person)
  const look = (login: string, { patient }: Admitted, asked: Asked = {}) =>
    ward.get(login, results(patient), { clock: ward.clock(), ...asked })
  const read = (login: string, reference: string, asked: Asked = {}) =>
    ward.get(login, `/fhir/${reference}`, { clock: ward.clock(), ...asked })
  const send = async (login: string, path: string, body: unknown, asked: Asked = {}) => {
    const answer = await ward.send(login, 'POST', path, body, { clock: ward.clock(), ...asked })
    expect([path, answer.status, answer.text]).toEqual([
      path,
      expect.toSatisfy((status: number) => status < 300),
      expect.any(String),
    ])
    return answer
  }
  const record = (consent: object) => send('bouchard', '/fhir/Consent', onBehalf(consent))
  const cancel = ({ body }: Answer) =>
    ward.send('bouchard', 'PUT', `/fhir/Consent/${body?.id}`, onBehalf({ ...body, status: 'inactive' }))

  const explain = async ({ receipt }: Pick<Answer, 'receipt'>): Promise<Told> => {
    const answer = await ward.get('bouchard', `/access/explain?${new URLSearchParams({ receipt })}`, {
      clock: ward.clock(),
      headers: { 'accept-language': 'en' },
    })
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
    return answer.body as unknown as Told
  }
  /** Explained as it was, and that it agrees. */
  const agreeing = async (answer: Answer, outcome: string, why: string): Promise<Told> => {
    const told = await explain(answer)
    expect(told).toMatchObject({ entry: { decision: { outcome, reason: why } }, decided: { agrees: true } })
    return told
  }
  const disagreeing = async (answer: Answer): Promise<void> => {
    expect((await explain(answer)).decided).toMatchObject({ agrees: false })
  }
  const endRelationships = ({ patient }: Admitted) =>
    ward.rewrite({
      sql: 'update relationship set valid_to = (select n from clock) where source_record = ? and valid_to is null',
      args: [idOf(patient)],
    })

  describe('that was permitted', () => {
    test('by an encounter, when that is over', async () => {
      const admitted = await newPatient()
      const [search, one, local] = [
        await look('tremblay', admitted),
        await read('tremblay', admitted.laboratory),
        await read('tremblay', admitted.unshared),
      ]
      await endRelationships(admitted)
      expect((await look('tremblay', admitted)).tag).toBe('relationship-required')
      const told = await agreeing(search, 'permit', 'shared-domain')
      expect(told.decided).toMatchObject({
        subject: { outcome: 'permit', basis: 'encounter' },
        documents: [{ reference: `${admitted.laboratory}/_history/1`, reason: 'shared-domain' }],
        unjudged: [`${admitted.unshared}/_history/1`],
      })
      expect(told.explanation).toContain('a care relationship was held')
      await agreeing(one, 'permit', 'shared-domain')
      expect((await agreeing(local, 'permit', 'own-facility')).decided?.documents).toEqual([])
    })

    test.each(['care-team', 'episode', 'enrolment'])(
      'by a registered relationship (%s), when it has ended',
      async (kind) => {
        const person = samplePatient(++people)
        const [patient = '', laboratory = ''] = await ward.publish(
          'hopital-cap-diamant',
          patientResource(person),
          observation(person, { n: 1, date: '2024-01-01' }),
        )
        const admitted = { person, patient, laboratory, prescription: '', unshared: '' }
        const login = kind === 'enrolment' ? 'lapointe' : 'gendron'
        const { body } = await send(login, '/access/relationships', {
          kind,
          patient,
          professional: 'etienne-tremblay',
          facility: hospital,
          ends: new Date(Date.now() + 60 * 60_000).toISOString(),
        })
        const search = await look('tremblay', admitted)
        await send(login, '/access/relationships/end', { relationship: body?.relationship })
        expect((await look('tremblay', admitted)).tag).toBe('relationship-required')
        expect((await agreeing(search, 'permit', 'shared-domain')).decided?.subject).toMatchObject({
          basis: kind,
        })
      },
    )

    test('by an attestation, found unjustified since', async () => {
      const admitted = await newPatient()
      const attested = await send('gagnon', '/access/attestations', { patient: admitted.patient, reason })
      const search = await look('gagnon', admitted)
      const id = String(attested.body?.relationship).replace('attestation/', '')
      await send('bouchard', `/access/reviews/${id}`, { decision: 'unjustified', note: reason })
      expect((await look('gagnon', admitted)).tag).toBe('relationship-required')
      await agreeing(search, 'permit', 'shared-domain')
      await agreeing(attested, 'permit', 'attestation')
    })

    test('in an emergency, when the switch is off and the window closed', async () => {
      const admitted = await newPatient()
      await record(restrictionOf(admitted.patient, { actor: [actor('professional', 'etienne-tremblay')] }))
      const opened = await send(
        'tremblay',
        '/access/break-glass',
        { patient: admitted.patient, reason },
        emergency,
      )
      const search = await look('tremblay', admitted, emergency)
      await send('lapointe', '/access/policy/settings', { name: 'break-glass:restriction', value: 0 })
      await send('bouchard', `/access/reviews/${opened.body?.id}`, { decision: 'unjustified', note: reason })
      expect((await look('tremblay', admitted, emergency)).found).toEqual([])
      const { decided } = await agreeing(search, 'permit', 'break-glass')
      expect(decided?.documents).toEqual([expect.objectContaining({ reason: 'break-glass' })])
      await agreeing(opened, 'permit', 'break-glass')
      await send('lapointe', '/access/policy/settings', { name: 'break-glass:restriction', value: 1 })
    })

    test('to a role that has ended, in a cell that the matrix has closed', async () => {
      const admitted = await newPatient()
      const search = await look('cote', admitted)
      await send('gendron', '/access/roles/end', { professional: 'helene-cote', role: 'nurse' })
      await agreeing(search, 'permit', 'shared-domain')
      const denied = await look('cote', admitted)
      expect(denied.status).toBe(403)
      await send('gendron', '/access/roles', { professional: 'helene-cote', role: 'nurse' })
      await agreeing(denied, 'deny', 'role-not-held')

      const again = await look('cote', admitted)
      const cell = { role: 'nurse', facilityType: 'hospital', purpose: 'TREAT', domain: 'laboratory' }
      await send('lapointe', '/access/policy/role-domains/end', cell)
      const withheld = await read('cote', admitted.laboratory)
      expect(withheld.status).toBe(404)
      await agreeing(again, 'permit', 'shared-domain')
      await send('lapointe', '/access/policy/role-domains', cell)
      await agreeing(withheld, 'deny', 'domain-not-permitted')
    })

    test('of a document that was corrected, joined to another person and labelled since', async () => {
      const other = samplePatient(++people)
      await ward.publish('hopital-cap-diamant', ...admission(other).entry.map(({ resource }) => resource))
      // Without a number nobody knows that they are the same.
      const mine = { ...other, uuid: samplePatient(++people).uuid }
      const { identifier: _identifier, ...unknown } = patientResource(mine)
      const result = observation(mine, { n: 1, date: '2024-01-01' })
      const [patient = '', laboratory = ''] = await ward.publish(
        hospital,
        unknown,
        result,
        encounter(mine, { n: 1 }),
      )
      const admitted = { person: mine, patient, laboratory, prescription: '', unshared: '' }
      const answers = [await look('tremblay', admitted), await read('tremblay', laboratory)]
      const before = await personOf(patient)
      await ward.publish(hospital, patientResource(mine), { ...result, valueString: 'corrigé' })
      expect(await personOf(patient)).not.toBe(before)
      await record(refusalOf(patient))
      await endRelationships(admitted)
      for (const answer of answers) {
        const told = await agreeing(answer, 'permit', 'shared-domain')
        expect(told.facts?.subject).toMatchObject({ person: before, sourceRecords: [idOf(patient)] })
        expect(told.decided?.documents).toEqual([
          expect.objectContaining({ reference: `${laboratory}/_history/1` }),
        ])
      }
    })

    test('to a token narrowed to a patient and a category', async () => {
      const admitted = await newPatient()
      const scope = `patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory patient=${idOf(admitted.patient)}`
      const narrowed = await look('tremblay', admitted, { scope })
      expect(narrowed.found).toContain(admitted.laboratory)
      await agreeing(narrowed, 'permit', 'shared-domain')
      const withheld = await look('tremblay', await newPatient(), { scope })
      await agreeing(withheld, 'permit', 'nothing-found')
    })

    test('as a look-up of who somebody is', async () => {
      const { person } = await newPatient()
      const system = 'https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id'
      const query = new URLSearchParams({
        identifier: `${system}|${person.nam}`,
        birthdate: person.birthDate,
      })
      const found = await ward.get('gagnon', `/fhir/Patient?${query}`, { clock: ward.clock() })
      expect(found.found).toHaveLength(1)
      await agreeing(found, 'permit', 'identity-look-up')
    })

    test('to a facility system, a manager and an officer', async () => {
      const admitted = await newPatient()
      const system = await read(`system-${hospital}`, admitted.laboratory)
      const manager = await ward.get('gendron', '/access/roles')
      const officer = await ward.get('bouchard', '/access/reviews')
      await agreeing(system, 'permit', 'own-facility')
      await agreeing(manager, 'permit', 'access-manager')
      await agreeing(officer, 'permit', 'privacy-officer')
    })

    test('to a patient: by which number they were told apart is not kept, and that is said', async () => {
      await newPatient(holder('belisle'))
      const notices = await ward.get('belisle', '/access/notices', { clock: ward.clock() })
      const told = await explain(notices)
      expect(told).toMatchObject({
        entry: { decision: { outcome: 'permit', reason: 'patient' } },
        explanation: 'Permitted: the person acted in their own record.',
        facts: { caller: null },
        decided: null,
      })
    })
  })

  describe('that was denied', () => {
    test('for a missing relationship, when there is one now', async () => {
      const admitted = await newPatient()
      const answers = [await look('gagnon', admitted), await read('gagnon', admitted.laboratory)]
      const unknown = await ward.get('gagnon', results(`Patient/${'a'.repeat(26)}`))
      await send('gagnon', '/access/attestations', { patient: admitted.patient, reason })
      expect((await look('gagnon', admitted)).status).toBe(200)
      for (const answer of [...answers, unknown]) await agreeing(answer, 'deny', 'relationship-required')
    })

    test.each([
      ['refused', refusalOf, ''],
      // Of the two results the unshared one is a day younger.
      ['refused-before', (patient: string) => refusalBefore(patient, '2024-01-01'), 'own-facility'],
      [
        'restricted',
        (patient: string) => restrictionOf(patient, { actor: [actor('facility', hospital)] }),
        'nothing-found',
      ],
    ] as const)('because the patient has %s it, when that was cancelled', async (why, consent, whyFound) => {
      const admitted = await newPatient()
      const recorded = await record(consent(admitted.patient))
      const withheld = await read('tremblay', admitted.laboratory)
      const search = await look('tremblay', admitted)
      const local = await read('tremblay', admitted.unshared)
      await cancel(recorded)
      expect((await read('tremblay', admitted.laboratory)).status).toBe(200)
      const told = await agreeing(withheld, 'deny', why)
      expect(told.explanation).toMatch(/^Denied: the person has /)
      expect(told.decided?.documents).toEqual([
        expect.objectContaining({ reference: `${admitted.laboratory}/_history/1`, reason: why }),
      ])
      const isRefused = why === 'refused'
      await agreeing(search, isRefused ? 'deny' : 'permit', isRefused ? why : whyFound)
      // Why an unshared document was withheld only its facility's database could tell.
      if (local.status === 404) expect((await explain(local)).decided?.agrees).toBeNull()
    })

    test('for a document that nobody had', async () => {
      const absent = await read('tremblay', `Observation/${'a'.repeat(26)}`)
      await agreeing(absent, 'deny', 'not-found')
    })

    test('for what the caller, the purpose, the operation or the scope does not open', async () => {
      const admitted = await newPatient()
      const medication = `/fhir/MedicationRequest?${new URLSearchParams({ patient: admitted.patient })}`
      const answers: readonly (readonly [Answer, string])[] = [
        [await ward.get('levesque', results(admitted.patient)), 'professional-unknown'],
        [await look('tremblay', admitted, { purpose: 'RECORDMGT' }), 'purpose-not-permitted'],
        [await look('roy', admitted, { purpose: 'BTG' }), 'purpose-not-permitted'],
        [await look('gendron', admitted), 'operation-not-for-caller'],
        [await ward.get('tremblay', '/access/reviews'), 'operation-not-for-caller'],
        [await look('tremblay', admitted, { scope: 'user/AllergyIntolerance.rs' }), 'scope-insufficient'],
        [
          await read('tremblay', admitted.laboratory, { scope: 'patient/Observation.r' }),
          'scope-insufficient',
        ],
        [await read('lavoie', admitted.prescription), 'domain-not-permitted'],
        [await read(`system-hopital-cap-diamant`, admitted.laboratory), 'not-own-facility'],
      ]
      expect((await ward.get('lavoie', medication, { clock: ward.clock() })).found).toEqual([])
      for (const [answer, why] of answers) await agreeing(answer, 'deny', why)
    })

    test('to break the glass or to attest', async () => {
      const admitted = await newPatient()
      const recorded = await record(refusalOf(admitted.patient))
      const ask = (path: string, asked: Asked) =>
        ward.send(
          'tremblay',
          'POST',
          path,
          { patient: admitted.patient, reason },
          { clock: ward.clock(), ...asked },
        )
      const refused = await ask('/access/break-glass', emergency)
      await cancel(recorded)
      await agreeing(refused, 'deny', 'refused')
      await agreeing(await ask('/access/break-glass', {}), 'deny', 'break-glass-not-permitted')
      // A role that opens nothing for that purpose is no provider at all.
      const archivist = await ward.send(
        'fortin',
        'POST',
        '/access/attestations',
        { patient: admitted.patient, reason },
        { purpose: 'RECORDMGT' },
      )
      await agreeing(archivist, 'deny', 'purpose-not-permitted')
    })

    test('where the policy had nothing to decide: neither agrees nor disagrees', async () => {
      const { patient } = await newPatient()
      const wrong = await ward.get('tremblay', `${results(patient)}&x=y`)
      expect(wrong.status).toBe(400)
      expect(await explain(wrong)).toMatchObject({
        step: 'input',
        decided: { agrees: null, documents: [] },
      })
      const forged = await ward.test.get(results(patient), 'forged')
      const told = await explain({ receipt: forged.headers.get('dossier-receipt') ?? '' })
      expect(told).toMatchObject({ decided: null })
    })
  })

  describe('does not agree with the log when somebody has rewritten', () => {
    test('that a relationship was held', async () => {
      const admitted = await newPatient()
      const permitted = await look('tremblay', admitted)
      await agreeing(permitted, 'permit', 'shared-domain')
      await ward.rewrite({
        sql: 'update relationship set valid_to = valid_from where source_record = ?',
        args: [idOf(admitted.patient)],
      })
      await disagreeing(permitted)
    })

    test('that the patient had refused', async () => {
      const admitted = await newPatient()
      const recorded = await record(refusalOf(admitted.patient))
      const denied = await look('tremblay', admitted)
      await agreeing(denied, 'deny', 'refused')
      await ward.rewrite({
        sql: 'delete from consent_rule where consent = ?',
        args: [String(recorded.body?.id)],
      })
      await disagreeing(denied)
    })

    test('why it was denied', async () => {
      const admitted = await newPatient()
      await record(refusalBefore(admitted.patient, '2024-01-01'))
      const denied = await read('tremblay', admitted.laboratory)
      await agreeing(denied, 'deny', 'refused-before')
      await ward.rewrite({
        sql: `update consent_rule set kind = 'restriction', before_date = '' where source_record = ?`,
        args: [idOf(admitted.patient)],
      })
      await disagreeing(denied)
    })

    test('that an emergency had been declared', async () => {
      const admitted = await newPatient()
      const { body } = await send(
        'gagnon',
        '/access/break-glass',
        { patient: admitted.patient, reason },
        emergency,
      )
      const permitted = await look('gagnon', admitted, emergency)
      await agreeing(permitted, 'permit', 'break-glass')
      await ward.rewrite({ sql: 'delete from break_glass where id = ?', args: [String(body?.id)] })
      await disagreeing(permitted)
    })

    test('that it was an emergency, as if the caller had cared for the patient', async () => {
      const admitted = await newPatient()
      await send('gagnon', '/access/break-glass', { patient: admitted.patient, reason }, emergency)
      const permitted = await look('gagnon', admitted, emergency)
      await ward.rewrite({
        sql: `insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by, valid_from)
              values ('care-team', ?, 'hopital-cap-diamant', 'genevieve-gagnon', 0, ?, 'forged', 'x', 0)`,
        args: [idOf(admitted.patient), Date.now() + 60 * 60_000],
      })
      await disagreeing(permitted)
    })

    test('who held a role', async () => {
      const admitted = await newPatient()
      const permitted = await look('tremblay', admitted)
      const forge = (from: string, to: string) =>
        ward.rewrite({
          sql: `update professional_role set role = ? where professional = 'etienne-tremblay' and role = ?`,
          args: [to, from],
        })
      await forge('physician', 'midwife')
      await disagreeing(permitted)
      await forge('midwife', 'physician')
      await agreeing(permitted, 'permit', 'shared-domain')
    })

    test('how confidential a document was', async () => {
      const admitted = await newPatient()
      const permitted = await read('cote', admitted.laboratory)
      await ward.rewrite({
        sql: `update document set confidentiality = 'V' where type = 'Observation' and id = ?`,
        args: [idOf(admitted.laboratory)],
      })
      await disagreeing(permitted)
    })
  })

  describe('is told', () => {
    test('by receipt, by its beginning, by log and index; and of an index that is not there, not', async () => {
      const { receipt } = await look('tremblay', await newPatient())
      const { log, first } = parseReceipt(receipt)
      const ask = (query: Record<string, string>) =>
        ward.get('bouchard', `/access/explain?${new URLSearchParams(query)}`)
      const texts = await Promise.all(
        [{ receipt }, { receipt: `${log}/${first}` }, { log, index: String(first) }].map(
          async (query) => (await ask(query)).text,
        ),
      )
      expect(new Set(texts).size).toBe(1)
      const absent = await ask({ log, index: '999999999' })
      const nowhere = await ask({ log: 'nowhere', index: '0' })
      expect([absent.status, nowhere.status]).toEqual([404, 404])
      for (const query of [{}, { log }, { receipt, log, index: '0' }, { receipt: 'x' }] as Record<
        string,
        string
      >[])
        expect([query, (await ask(query)).status]).toEqual([query, 400])
    })

    test('to an organisation’s officer of what its own people did, and of others as if it were not there', async () => {
      const admitted = await newPatient()
      const own = await look('tremblay', admitted)
      const other = await look('gagnon', admitted)
      const ask = (login: string, { receipt }: Answer) =>
        ward.get(login, `/access/explain?${new URLSearchParams({ receipt })}`)
      expect((await ask('girard', own)).status).toBe(200)
      const hidden = await ask('girard', other)
      expect(hidden.status).toBe(404)
      expect(hidden.text).not.toMatch(/gagnon|relationship/i)
      const { log } = parseReceipt(other.receipt)
      const absent = await ward.get('girard', `/access/explain?log=${log}&index=999999999`)
      expect(absent.text).toBe(hidden.text)
    })

    test('to officers only, and is in the log under the patient’s name itself', async () => {
      const admitted = await newPatient(holder('theriault'))
      const { receipt } = await look('tremblay', admitted)
      const path = `/access/explain?${new URLSearchParams({ receipt })}`
      for (const login of ['theriault', 'tremblay', `system-${hospital}`, 'gendron', 'lapointe'])
        expect([login, (await ward.get(login, path, { clock: ward.clock() })).status]).toEqual([login, 403])
      const [entry] = await ward.entries(await ward.get('bouchard', path))
      const { log, first } = parseReceipt(receipt)
      expect(entry?.access).toMatchObject({
        action: 'audit-read',
        operation: 'explain',
        patient: await personOf(admitted.patient),
        note: { entry: `${log}/${first}` },
      })
    })

    test('in French and in English', async () => {
      const { receipt } = await look('gagnon', await newPatient())
      const told = async (language: string) =>
        (
          await ward.get('bouchard', `/access/explain?${new URLSearchParams({ receipt })}`, {
            headers: { 'accept-language': language },
          })
        ).body?.explanation
      expect(await told('fr')).toBe('Refusé : aucune relation de soins avec cette personne n’était connue.')
      expect(await told('en')).toBe('Denied: no care relationship with this person was known.')
    })
  })

  const personOf = async (patient: string): Promise<string> => {
    const [row] = await ward.rows('select person from source_record where id = ?', idOf(patient))
    return String(row?.person)
  }
})

const idOf = (reference: string): string => reference.split('/')[1] ?? ''
