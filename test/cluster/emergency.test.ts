/** A care relationship attested and an emergency declared, on a real cluster: what each opens, for whom, until when. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { person as actor } from '../unit/governance/consents.ts'
import { observation, patientResource, samplePatient } from './bundles.ts'
import {
  type Admitted,
  type Answer,
  admit,
  holder,
  listOf,
  onBehalf,
  openWard,
  refusalBefore,
  refusalOf,
  restrictionOf,
  results,
  type Ward,
} from './care.ts'

const hospital = 'hopital-mont-royal'
const emergency = { purpose: 'BTG' } as const
const reason = 'Patient inconscient, allergies inconnues'
const hourMs = 60 * 60_000

/** Kinds of denial as the policy's switches name them, and how they are by default. */
const switches = {
  'break-glass:relationship': 1,
  'break-glass:restriction': 1,
  'break-glass:refusal-before': 0,
  'break-glass:refusal-total': 0,
} as const
type Switch = keyof typeof switches

describe('attestations and emergencies', () => {
  let ward: Ward
  let people = 0

  beforeAll(async () => {
    ward = await openWard()
  })
  afterAll(() => ward?.end())

  const turned = new Set<Switch>()
  const turn = async (name: Switch, value: number) => {
    const answer = await ward.send('lapointe', 'POST', '/access/policy/settings', { name, value })
    expect([name, answer.status, answer.text]).toEqual([name, 200, expect.any(String)])
    turned.add(name)
  }
  afterEach(async () => {
    for (const name of turned) await turn(name, switches[name])
    turned.clear()
  })

  const newPatient = (person = samplePatient(++people)): Promise<Admitted> => admit(ward, hospital, person)
  const look = (login: string, { patient }: Admitted, options: { purpose?: string; scope?: string } = {}) =>
    ward.get(login, results(patient), { ...options, clock: ward.clock() })
  const tell = ({ status, tag, found }: Answer) => (status === 200 ? found : [status, tag])
  const reasonOf = async (answer: Answer) => (await ward.entries(answer))[0]?.access.decision.reason

  const attest = (login: string, patient: string, options: { purpose?: string; scope?: string } = {}) =>
    ward.send(login, 'POST', '/access/attestations', { patient, reason }, { ...options, clock: ward.clock() })
  const declare = (
    login: string,
    patient: string,
    options: { purpose?: string; scope?: string } = emergency,
  ) =>
    ward.send(login, 'POST', '/access/break-glass', { patient, reason }, { ...options, clock: ward.clock() })
  const opened = async (login: string, patient: string, options?: { purpose?: string; scope?: string }) => {
    const answer = await declare(login, patient, options)
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('until')])
    return String(answer.body?.id)
  }
  const record = async (consent: object) => {
    const answer = await ward.send('bouchard', 'POST', '/fhir/Consent', onBehalf(consent))
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
  }

  describe('an attestation', () => {
    test('opens the record to that professional, and to nobody else of the facility', async () => {
      const admitted = await newPatient()
      expect(tell(await look('gagnon', admitted))).toEqual([403, 'relationship-required'])
      expect((await attest('gagnon', admitted.patient)).status).toBe(201)
      const read = await look('gagnon', admitted)
      expect(tell(read)).toEqual([admitted.laboratory])
      const [entry] = await ward.entries(read)
      expect(entry?.access).toMatchObject({
        decision: { outcome: 'permit', reason: 'shared-domain' },
        note: { basis: 'attestation' },
      })
      expect(tell(await look('morin', admitted))).toEqual([403, 'relationship-required'])
      expect(tell(await look('gagnon', await newPatient()))).toEqual([403, 'relationship-required'])
    })

    test('counts at the facility where it was made', async () => {
      const admitted = await newPatient()
      const at = (facility: string) => ({ scope: `facility=${facility}` })
      await attest('gauthier', admitted.patient, at('clinique-saint-roch'))
      expect(tell(await look('gauthier', admitted, at('clinique-saint-roch')))).toEqual([admitted.laboratory])
      await ward.rewrite({
        sql: `update relationship set ends = starts where kind = 'encounter' and source_record = ?`,
        args: [idOf(admitted.patient)],
      })
      expect(tell(await look('gauthier', admitted, at(hospital)))).toEqual([403, 'relationship-required'])
    })

    test('lifts no refusal and no restriction', async () => {
      const admitted = await newPatient()
      await attest('gagnon', admitted.patient)
      await record(restrictionOf(admitted.patient, { actor: [actor('professional', 'genevieve-gagnon')] }))
      expect(tell(await look('gagnon', admitted))).toEqual([])
      await record(refusalOf(admitted.patient))
      expect(tell(await look('gagnon', admitted))).toEqual([403, 'refused'])
    })

    test('is over when its time is', async () => {
      const admitted = await newPatient()
      const { body } = await attest('gagnon', admitted.patient)
      expect(tell(await look('gagnon', admitted))).toEqual([admitted.laboratory])
      await ward.rewrite({
        sql: `update relationship set starts = starts - ?, ends = ? where source = ?`,
        args: [200 * hourMs, Date.now() - 1, String(body?.relationship)],
      })
      expect(tell(await look('gagnon', admitted))).toEqual([403, 'relationship-required'])
    })
  })

  describe('an emergency', () => {
    test('opens the record to that professional for that patient, and only to a token that states it', async () => {
      const admitted = await newPatient()
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([403, 'relationship-required'])
      await opened('gagnon', admitted.patient)
      for (const purpose of ['BTG', 'ETREAT']) {
        const search = await look('gagnon', admitted, { purpose })
        expect([purpose, tell(search)]).toEqual([purpose, [admitted.laboratory]])
        const read = await ward.get('gagnon', `/fhir/${admitted.prescription}`, { purpose })
        expect([purpose, read.status]).toEqual([purpose, 200])
        for (const answer of [search, read]) {
          const [entry] = await ward.entries(answer)
          expect(JSON.parse(entry?.text ?? '{}')).toMatchObject({
            access: {
              purpose,
              breakGlassReason: reason,
              decision: { outcome: 'permit', reason: 'break-glass' },
            },
          })
        }
      }
      const denied = [403, 'relationship-required']
      expect(tell(await look('gagnon', admitted))).toEqual(denied)
      expect(tell(await look('morin', admitted, emergency))).toEqual(denied)
      expect(
        tell(await look('gauthier', admitted, { ...emergency, scope: 'facility=clinique-saint-roch' })),
      ).toEqual(denied)
      expect(tell(await look('gagnon', await newPatient(), emergency))).toEqual(denied)
    })

    test('is not declared by a token that states none', async () => {
      const { patient } = await newPatient()
      const answer = await declare('gagnon', patient, {})
      expect([answer.status, await reasonOf(answer)]).toEqual([403, 'break-glass-not-permitted'])
    })

    test('is over when its time is', async () => {
      const admitted = await newPatient()
      const id = await opened('gagnon', admitted.patient)
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([admitted.laboratory])
      await ward.rewrite(
        { sql: 'update break_glass set valid_to = (select n from clock) where id = ?', args: [id] },
        {
          sql: `
            insert into break_glass (id, source_record, facility, professional, purpose, reason, starts, ends, valid_from)
            select ? , source_record, facility, professional, purpose, reason, ?, ?, (select n from clock)
            from break_glass where id = ?`,
          args: [`${id}-past`, Date.now() - 13 * hourMs, Date.now() - 1, id],
        },
      )
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([403, 'relationship-required'])
    })

    test('lifts a missing relationship only where the policy says so', async () => {
      const admitted = await newPatient()
      await opened('gagnon', admitted.patient)
      await turn('break-glass:relationship', 0)
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([403, 'relationship-required'])
      await turn('break-glass:relationship', 1)
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([admitted.laboratory])
    })

    test('lifts a restriction only where the policy says so', async () => {
      const admitted = await newPatient()
      await record(restrictionOf(admitted.patient, { actor: [actor('professional', 'etienne-tremblay')] }))
      expect(tell(await look('tremblay', admitted))).toEqual([])
      await opened('tremblay', admitted.patient)
      expect(tell(await look('tremblay', admitted, emergency))).toContain(admitted.laboratory)
      // What has not been shared is the own facility's, and restricted likewise.
      expect(tell(await look('tremblay', admitted, emergency))).toContain(admitted.unshared)
      await turn('break-glass:restriction', 0)
      expect(tell(await look('tremblay', admitted, emergency))).toEqual([])
    })

    test('lifts a refusal before a date only where the policy says so', async () => {
      const admitted = await newPatient()
      await record(refusalBefore(admitted.patient, '2024-01-01'))
      await opened('tremblay', admitted.patient)
      expect(tell(await look('tremblay', admitted, emergency))).toEqual([admitted.unshared])
      await turn('break-glass:refusal-before', 1)
      expect(tell(await look('tremblay', admitted, emergency))).toContain(admitted.laboratory)
    })

    test('is refused where the patient refused everything, unless the policy says otherwise', async () => {
      const admitted = await newPatient()
      const id = await opened('tremblay', admitted.patient)
      await record(refusalOf(admitted.patient))
      const denied = await declare('tremblay', admitted.patient)
      expect([denied.status, denied.tag]).toEqual([403, 'refused'])
      expect((await ward.entries(denied))[0]?.access).toMatchObject({
        patient: expect.stringMatching(/^[a-z2-7]{26}$/),
        decision: { outcome: 'deny', reason: 'refused' },
        // What a professional said of an emergency that opened nothing is not lost.
        breakGlassReason: reason,
      })
      // Nor does one that was declared before.
      expect(tell(await look('tremblay', admitted, emergency))).toEqual([403, 'refused'])
      await turn('break-glass:refusal-total', 1)
      expect(tell(await look('tremblay', admitted, emergency))).toContain(admitted.laboratory)
      expect(await opened('tremblay', admitted.patient)).not.toBe(id)
    })

    test('is not to be had where the policy lifts nothing', async () => {
      const { patient } = await newPatient()
      await turn('break-glass:relationship', 0)
      await turn('break-glass:restriction', 0)
      const answer = await declare('gagnon', patient)
      expect([answer.status, await reasonOf(answer)]).toEqual([403, 'break-glass-not-permitted'])
    })

    test('about a person nobody knows is told like a missing relationship', async () => {
      const unknown = `Patient/${'a'.repeat(26)}`
      await turn('break-glass:relationship', 0)
      const { patient } = await newPatient()
      for (const ask of [
        (of: string) => ward.get('gagnon', results(of), emergency),
        (of: string) => ward.get('gagnon', results(of), { clock: ward.clock() }),
      ]) {
        const [known, nobody] = [await ask(patient), await ask(unknown)]
        expect([nobody.status, nobody.tag]).toEqual([403, 'relationship-required'])
        expect([known.status, known.text]).toEqual([nobody.status, nobody.text])
      }
      const declared = await declare('gagnon', unknown)
      expect([declared.status, declared.tag]).toEqual([403, 'relationship-required'])
      const attested = await attest('gagnon', unknown)
      expect([attested.status, attested.text]).toEqual([
        403,
        declared.text.replaceAll('break-glass', 'attestations'),
      ])
      expect(await ward.rows(`select id from break_glass where source_record = ?`, idOf(unknown))).toEqual([])
    })
  })

  describe('afterwards', () => {
    test('the patient is told in French and in English, and nobody else', async () => {
      const { patient } = await newPatient(holder('belisle'))
      await newPatient(holder('theriault'))
      await opened('tremblay', patient)
      await attest('gagnon', patient)
      const notices = async (login: string, language: string) => {
        const answer = await ward.get(login, '/access/notices', {
          clock: ward.clock(),
          headers: { 'accept-language': language },
        })
        expect([answer.status, answer.headers.get('content-language')]).toEqual([200, language])
        return listOf<{ kind: string; text: string }>(answer, 'notices').map(({ kind, text }) => [kind, text])
      }
      expect(await notices('belisle', 'fr')).toEqual([
        [
          'attestation',
          expect.stringMatching(
            /^Le .+, Dre Geneviève Gagnon \(Hôpital du Cap-Diamant — Québec\) a déclaré vous soigner/,
          ),
        ],
        [
          'break-glass',
          expect.stringMatching(
            /^Le .+, Dr Étienne Tremblay \(Hôpital du Mont-Royal\) a ouvert votre dossier en urgence, jusqu’au .+ « Patient inconscient, allergies inconnues »$/,
          ),
        ],
      ])
      expect((await notices('belisle', 'en')).map(([, text]) => text)).toEqual([
        expect.stringMatching(/^On .+ stated to be caring for you/),
        expect.stringMatching(
          /^On .+ opened your record in an emergency, until .+ “Patient inconscient, allergies inconnues”$/,
        ),
      ])
      expect(await notices('theriault', 'fr')).toEqual([])
      expect((await ward.get('tremblay', '/access/notices')).status).toBe(403)
    })

    test('officers find it in their queue, the organisation’s only what its own people did', async () => {
      const { patient } = await newPatient()
      const here = await opened('tremblay', patient)
      const there = await opened('gagnon', patient)
      const queue = async (login: string) => {
        const answer = await ward.get(login, '/access/reviews', { clock: ward.clock() })
        return listOf<{ id: string; patient: string; reason: string }>(answer, 'reviews').filter(
          (item) => item.patient === patient,
        )
      }
      expect((await queue('bouchard')).map(({ id }) => id).sort()).toEqual([here, there].sort())
      expect(await queue('girard')).toEqual([
        expect.objectContaining({ id: here, kind: 'break-glass', patient, reason }),
      ])
      const foreign = await ward.send('girard', 'POST', `/access/reviews/${there}`, { decision: 'justified' })
      expect(foreign.status).toBe(404)
    })

    test.each(['justified', 'referred', 'unjustified'])('a decision that it was %s', async (decision) => {
      const admitted = await newPatient()
      const id = await opened('gagnon', admitted.patient)
      const note = 'Le dossier ne montre aucune urgence ce jour-là'
      const path = `/access/reviews/${id}`
      const decided = await ward.send('bouchard', 'POST', path, { decision, note }, { clock: ward.clock() })
      expect(decided.status).toBe(200)
      // What was not justified ends, the rest goes on until its time is over.
      expect(tell(await look('gagnon', admitted, emergency))).toEqual(
        decision === 'unjustified' ? [403, 'relationship-required'] : [admitted.laboratory],
      )
      const again = await ward.send(
        'bouchard',
        'POST',
        path,
        { decision: 'justified' },
        { clock: ward.clock() },
      )
      expect(again.status).toBe(409)
    })

    test('an attestation that was not justified ends, too', async () => {
      const admitted = await newPatient()
      const { body } = await attest('gagnon', admitted.patient)
      const id = String(body?.relationship).replace('attestation/', '')
      const decided = await ward.send(
        'bouchard',
        'POST',
        `/access/reviews/${id}`,
        { decision: 'unjustified', note: 'Personne ne l’a vue en consultation' },
        { clock: ward.clock() },
      )
      expect(decided.status).toBe(200)
      expect(tell(await look('gagnon', admitted))).toEqual([403, 'relationship-required'])
    })

    test('what the facility publishes meanwhile is in the window', async () => {
      const admitted = await newPatient()
      await opened('gagnon', admitted.patient)
      const [, later = ''] = await ward.publish(
        hospital,
        patientResource(admitted.person),
        observation(admitted.person, { n: 3, date: '2026-02-03' }),
      )
      expect(tell(await look('gagnon', admitted, emergency))).toEqual([later, admitted.laboratory])
    })
  })
})

const idOf = (reference: string): string => reference.split('/')[1] ?? ''
