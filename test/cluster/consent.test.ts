/** Refusals and restrictions over HTTP on a real cluster: who may record them, what they hide, and from when on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { person as actor, ip } from '../unit/governance/consents.ts'
import { admission, observation, patientResource, samplePatient } from './bundles.ts'
import {
  type Admitted,
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

const hospital = 'hopital-mont-royal'
/** Of the other region, where the person is known too. */
const elsewhere = 'hopital-cap-diamant'

const coding = (system: string, code: string) => ({ coding: [{ system, code }] })
const domain = (code: string) => coding(`${ip}/CodeSystem/domain`, code)
const role = (code: string) => ({ role: coding(`${ip}/CodeSystem/role`, code) })

describe('refusals and restrictions', () => {
  let ward: Ward
  let people = 0

  beforeAll(async () => {
    ward = await openWard()
  })
  afterAll(() => ward?.end())

  /** Somebody cared for at both hospitals. */
  const newPatient = async (person = samplePatient(++people)): Promise<Admitted> => {
    const admitted = await admit(ward, hospital, person)
    await ward.publish(elsewhere, ...admission(person).entry.map(({ resource }) => resource))
    return admitted
  }
  const record = async (login: string, consent: object) => {
    const answer = await ward.send(login, 'POST', '/fhir/Consent', consent)
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"active"')])
    return answer
  }
  const cancel = async (login: string, consent: Readonly<Record<string, unknown>> | null) => {
    const path = `/fhir/Consent/${consent?.id}`
    const inactive = { ...consent, status: 'inactive' }
    // Whom it is about is read from the replica, which may not have the last write yet.
    const answer = await ward.send(login, 'PUT', path, inactive, { clock: ward.clock() })
    expect([answer.status, answer.body?.status]).toEqual([200, 'inactive'])
    return answer
  }
  /** What a search for results finds, for one who has seen what was written before. */
  const found = async (login: string, { patient }: Admitted): Promise<readonly string[]> => {
    const answer = await ward.get(login, results(patient), { clock: ward.clock() })
    expect([answer.status, answer.tag]).toEqual([200, ''])
    return answer.found
  }
  const statusOf = async (login: string, reference: string): Promise<number> =>
    (await ward.get(login, `/fhir/${reference}`, { clock: ward.clock() })).status

  describe('a refusal of everything', () => {
    test('closes the record at both regions at once, and the log names the patient and the reason', async () => {
      const admitted = await newPatient(holder('belisle'))
      const { patient, laboratory, unshared } = admitted
      for (const login of ['tremblay', 'gagnon']) expect(await found(login, admitted)).toContain(laboratory)
      expect(await statusOf('tremblay', unshared)).toBe(200)
      const { body } = await record('belisle', refusalOf(patient))
      const [{ person } = {}] = await ward.rows(
        'select person from source_record where id = ?',
        idOf(patient),
      )
      for (const login of ['tremblay', 'gagnon']) {
        const search = await ward.get(login, results(patient), { clock: ward.clock() })
        expect([search.status, search.tag]).toEqual([403, 'refused'])
        const read = await ward.get(login, `/fhir/${laboratory}`, { clock: ward.clock() })
        expect(read.status).toBe(404)
        for (const answer of [search, read]) {
          const [entry] = await ward.entries(answer)
          expect(entry?.access).toMatchObject({
            patient: person,
            resources: [],
            decision: { outcome: 'deny', reason: 'refused' },
          })
        }
      }
      // What its own facility never shared is hidden, too.
      expect(await statusOf('tremblay', unshared)).toBe(404)
      await cancel('belisle', body)
      for (const login of ['tremblay', 'gagnon']) expect(await found(login, admitted)).toContain(laboratory)
      expect(await statusOf('tremblay', unshared)).toBe(200)
    })

    test('takes effect within the fresh bound for one who has seen nothing of it', async () => {
      const admitted = await newPatient()
      await record('bouchard', onBehalf(refusalOf(admitted.patient)))
      for (const login of ['tremblay', 'gagnon'])
        await expect
          .poll(async () => (await ward.get(login, results(admitted.patient))).tag, {
            timeout: limits.freshMs,
          })
          .toBe('refused')
    })

    test('does not stop collection: cancelled, what was published meanwhile is there', async () => {
      const admitted = await newPatient()
      const { body } = await record('bouchard', onBehalf(refusalOf(admitted.patient)))
      const [, later = ''] = await ward.publish(
        hospital,
        patientResource(admitted.person),
        observation(admitted.person, { n: 3, date: '2026-02-03' }),
      )
      expect(await statusOf('tremblay', later)).toBe(404)
      const cancelled = await cancel('bouchard', body)
      expect(await found('tremblay', admitted)).toEqual(
        expect.arrayContaining([later, admitted.laboratory, admitted.unshared]),
      )
      const history = await ward.get('bouchard', `/fhir/Consent/${body?.id}/_history`, {
        clock: cancelled.clock,
      })
      const { entry } = history.body as unknown as {
        entry: { resource: { status: string; meta: { versionId: string } } }[]
      }
      expect(entry.map(({ resource }) => [resource.meta.versionId, resource.status])).toEqual([
        ['2', 'inactive'],
        ['1', 'active'],
      ])
    })

    test('answers providers in the same words, whoever recorded it, how and with what else', async () => {
      const refusals: readonly ((patient: string) => Promise<unknown>)[] = [
        (patient) => record('bouchard', onBehalf(refusalOf(patient))),
        (patient) =>
          record('girard', { ...onBehalf(refusalOf(patient)), dateTime: '2025-03-01T10:00:00-05:00' }),
        async (patient) => {
          await record('bouchard', onBehalf(refusalBefore(patient, '2024-03-01')))
          await record(
            'bouchard',
            onBehalf(restrictionOf(patient, { actor: [actor('professional', 'etienne-tremblay')] })),
          )
          return await record('bouchard', onBehalf(refusalOf(patient)))
        },
      ]
      const told: unknown[] = []
      for (const refuse of refusals) {
        const { patient } = await newPatient()
        await refuse(patient)
        const { status, text } = await ward.get('tremblay', results(patient), { clock: ward.clock() })
        told.push([status, text])
      }
      const admitted = await newPatient(holder('theriault'))
      await record('theriault', refusalOf(admitted.patient))
      const { status, text } = await ward.get('tremblay', results(admitted.patient), { clock: ward.clock() })
      expect(status).toBe(403)
      expect(text).not.toMatch(/Bouchard|Girard|theriault|telephone|Consent|2024|2025/)
      expect(told).toEqual([1, 2, 3].map(() => [status, text]))
    })
  })

  describe('a refusal before a date', () => {
    test('hides what is dated on that day or before, in the local record too', async () => {
      const admitted = await newPatient()
      const { laboratory, prescription, unshared } = admitted
      const at = async (day: string) => {
        const { body } = await record('bouchard', onBehalf(refusalBefore(admitted.patient, day)))
        const seen = await Promise.all(
          [laboratory, unshared, prescription].map((id) => statusOf('tremblay', id)),
        )
        await cancel('bouchard', body)
        return seen
      }
      expect(await at('2023-12-31')).toEqual([200, 200, 200])
      expect(await at('2024-01-01')).toEqual([404, 200, 200])
      expect(await at('2024-01-02')).toEqual([404, 404, 200])
      expect(await at('2024-06-01')).toEqual([404, 404, 404])
    })

    test('goes by the day of publication where there is no date of service', async () => {
      const admitted = await newPatient()
      const [, undated = ''] = await ward.publish(hospital, patientResource(admitted.person), {
        resourceType: 'AllergyIntolerance',
        id: '11111111-1111-4111-8111-111111111111',
        patient: { reference: `urn:uuid:${admitted.person.uuid}` },
        code: { text: 'pénicilline' },
      })
      const [row] = await ward.rows('select published from document where id = ?', idOf(undated))
      const day = String(row?.published).slice(0, 10)
      const before = new Date(Date.parse(day) - 24 * 60 * 60_000).toISOString().slice(0, 10)
      const { body } = await record('bouchard', onBehalf(refusalBefore(admitted.patient, before)))
      expect(await statusOf('tremblay', undated)).toBe(200)
      await cancel('bouchard', body)
      await record('bouchard', onBehalf(refusalBefore(admitted.patient, day)))
      expect(await statusOf('tremblay', undated)).toBe(404)
      const [entry] = await ward.entries(
        await ward.get('tremblay', `/fhir/${undated}`, { clock: ward.clock() }),
      )
      expect(entry?.access.decision.reason).toBe('refused-before')
    })

    test('goes by the first publication: published again, what was hidden stays hidden', async () => {
      const { person, patient } = await newPatient()
      const publish = async (content: Readonly<Record<string, unknown>>) => {
        const [, reference = ''] = await ward.publish(hospital, patientResource(person), {
          resourceType: 'AllergyIntolerance',
          id: '22222222-2222-4222-8222-222222222222',
          patient: { reference: `urn:uuid:${person.uuid}` },
          ...content,
        })
        return reference
      }
      const undated = await publish({ code: { text: 'pénicilline' } })
      await ward.rewrite({
        sql: 'update document set published = ? where id = ?',
        args: ['2020-01-01T00:00:00.000Z', idOf(undated)],
      })
      const seen = async () => {
        const search = await ward.get('tremblay', `/fhir/AllergyIntolerance?patient=${patient}`, {
          clock: ward.clock(),
        })
        expect(search.status).toBe(200)
        return [await statusOf('tremblay', undated), search.found]
      }
      expect(await seen()).toEqual([200, [undated]])
      await record('bouchard', onBehalf(refusalBefore(patient, '2020-06-01')))
      expect(await seen()).toEqual([404, []])
      for (const text of ['pénicilline G', 'pénicilline V']) {
        expect(await publish({ code: { text } })).toBe(undated)
        expect(await seen()).toEqual([404, []])
      }
      const [row] = await ward.rows('select version, published from document where id = ?', idOf(undated))
      expect(row?.version).toBe(3)
      expect(String(row?.published) > '2020-06-02').toBe(true)
      const [entry] = await ward.entries(
        await ward.get('tremblay', `/fhir/${undated}`, { clock: ward.clock() }),
      )
      expect(entry?.access.decision.reason).toBe('refused-before')
      await publish({ code: { text: 'pénicilline' }, recordedDate: '2024-01-01' })
      expect(await seen()).toEqual([200, [undated]])
      await publish({ code: { text: 'pénicilline' }, recordedDate: '2019-01-01' })
      expect(await seen()).toEqual([404, []])
    })
  })

  describe('a restriction', () => {
    /** Who still finds the result and who reads the prescription, of three: two at the hospital, one elsewhere. */
    const readers = ['tremblay', 'cote', 'gagnon'] as const
    const seenUnder = async (exception: Readonly<Record<string, unknown>>) => {
      const admitted = await newPatient()
      await record('bouchard', onBehalf(restrictionOf(admitted.patient, exception)))
      return await Promise.all(
        readers.map(async (login) => [
          (await found(login, admitted)).includes(admitted.laboratory),
          (await statusOf(login, admitted.prescription)) === 200,
        ]),
      )
    }
    const all = [true, true]
    const none = [false, false]

    test.each([
      ['a named professional', { actor: [actor('professional', 'etienne-tremblay')] }, [none, all, all]],
      ['a role', { actor: [role('nurse')] }, [all, none, all]],
      ['a facility', { actor: [actor('facility', elsewhere)] }, [all, all, none]],
      [
        'an organisation, of a domain',
        { actor: [actor('organisation', 'ciusss-mont-royal')], code: [domain('medication')] },
        [[true, false], [true, false], all],
      ],
      [
        'everybody, of a type',
        { class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }] },
        [
          [false, true],
          [false, true],
          [false, true],
        ],
      ],
    ] as const)('denies %s', async (_what, exception, expected) => {
      expect(await seenUnder(exception)).toEqual(expected)
    })

    test('denies one document, and no more', async () => {
      const admitted = await newPatient()
      const { patient, laboratory, unshared } = admitted
      await record(
        'bouchard',
        onBehalf(
          restrictionOf(patient, {
            data: [{ meaning: 'instance', reference: { reference: laboratory } }],
          }),
        ),
      )
      expect(await found('tremblay', admitted)).toEqual([unshared])
      const read = await ward.get('tremblay', `/fhir/${laboratory}`, { clock: ward.clock() })
      expect(read.status).toBe(404)
      const [entry] = await ward.entries(read)
      expect(entry?.access.decision.reason).toBe('restricted')
    })

    test('names a professional the registry knows: anybody else would not be restricted', async () => {
      const { patient } = await newPatient()
      const answer = await ward.send(
        'bouchard',
        'POST',
        '/fhir/Consent',
        onBehalf(restrictionOf(patient, { actor: [actor('professional', 'nobody')] })),
        { headers: { 'accept-language': 'en' } },
      )
      expect([answer.status, answer.text]).toEqual([
        400,
        expect.stringContaining('Consent.provision.provision[0].actor[0]'),
      ])
    })
  })

  describe('is recorded by', () => {
    test('the guardian of a child, whom `me` tells the child’s id, and not by anybody else’s', async () => {
      await newPatient(holder('arsenault'))
      const [mother] = await idsOf('arsenault', 'patient')
      const child = await newPatient({ ...samplePatient(++people), birthDate: '2022-03-09' })
      const unguarded = await ward.get('arsenault', '/access/me')
      expect([unguarded.status, unguarded.text]).toEqual([403, expect.not.stringContaining(child.patient)])
      const registered = await ward.send('lapointe', 'POST', '/access/guardianships', {
        guardian: mother,
        patient: child.patient,
      })
      expect(registered.status).toBe(201)
      const me = await ward.get('arsenault', '/access/me', { clock: ward.clock() })
      expect(me.body).toMatchObject({ kind: 'guardian', patients: expect.arrayContaining([child.patient]) })
      const { body } = await record('arsenault', refusalOf(child.patient))
      expect((await ward.get('tremblay', results(child.patient), { clock: ward.clock() })).tag).toBe(
        'refused',
      )
      const other = await ward.send('arsenault', 'POST', '/fhir/Consent', refusalOf(String(mother)))
      expect(other.status).toBe(403)

      // From the 14th birthday on the person acts alone.
      await born(child.patient, yearsAgo(14))
      const late = await ward.send(
        'arsenault',
        'PUT',
        `/fhir/Consent/${body?.id}`,
        { ...body, status: 'inactive' },
        { clock: ward.clock() },
      )
      expect(late.status).toBe(403)
      const [entry] = await ward.entries(late)
      expect(entry?.access.decision.reason).toBe('age')
      expect((await ward.get('tremblay', results(child.patient), { clock: ward.clock() })).tag).toBe(
        'refused',
      )
      await born(child.patient, yearsAgo(14, 1))
      await cancel('arsenault', body)
      expect(await found('tremblay', child)).toContain(child.laboratory)
    })

    test('nobody of whom it cannot be told that they are 14', async () => {
      const { patient } = await newPatient(holder('hebert'))
      const source = idOf(patient)
      const refuse = () =>
        ward.send('hebert', 'POST', '/fhir/Consent', refusalOf(patient), { clock: ward.clock() })
      await ward.rewrite({
        sql: `insert into person_key (system, value, birth_date, family, source_record)
              select 'urn:test', 'x', ?, 'x', ?`,
        args: [yearsAgo(14, 1), source],
      })
      const doubtful = await refuse()
      expect(doubtful.status).toBe(403)
      const [entry] = await ward.entries(doubtful)
      expect(entry?.access.decision.reason).toBe('age')
      await ward.rewrite({ sql: `delete from person_key where system = 'urn:test'` })
      expect((await refuse()).status).toBe(201)
    })

    test('a privacy officer who says how it was expressed', async () => {
      const { patient } = await newPatient()
      const silent = await ward.send('bouchard', 'POST', '/fhir/Consent', refusalOf(patient))
      expect([silent.status, silent.text]).toEqual([400, expect.stringContaining('Consent.extension')])
      const { body } = await record('bouchard', onBehalf(refusalOf(patient)))
      expect(JSON.stringify(body)).toMatch(/melanie-bouchard/)
      expect(JSON.stringify(body)).toMatch(/"telephone"/)
      expect(JSON.stringify(body)).toMatch(/"privacy-officer"/)
    })

    test('an organisation’s officer for persons known there, and is told the same of others and of nobody', async () => {
      const known = await newPatient()
      const [stranger = ''] = await ward.publish(elsewhere, patientResource(samplePatient(++people)))
      const refuse = (patient: string) =>
        ward.send('girard', 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)), { clock: ward.clock() })
      expect((await refuse(known.patient)).status).toBe(201)
      const [other, nobody] = await Promise.all([refuse(stranger), refuse(`Patient/${'a'.repeat(26)}`)])
      expect([other?.status, other?.text]).toEqual([403, nobody?.text])
      expect(nobody?.status).toBe(403)
      expect((await ward.get('girard', `/fhir/Consent?patient=${stranger}`)).status).toBe(403)
      expect((await ward.get('girard', `/fhir/Consent?patient=${known.patient}`)).body?.total).toBe(1)
    })

    test('no facility system, provider, manager or operator', async () => {
      const { patient } = await newPatient()
      for (const login of [`system-${hospital}`, 'tremblay', 'gendron', 'lapointe']) {
        const answer = await ward.send(login, 'POST', '/fhir/Consent', onBehalf(refusalOf(patient)))
        expect([login, answer.status]).toEqual([login, 403])
        const [entry] = await ward.entries(answer)
        expect([login, entry?.access.decision.reason]).toEqual([login, 'operation-not-for-caller'])
      }
      expect(await statusOf('tremblay', patient)).toBe(200)
    })
  })

  const idsOf = async (login: string, as: string): Promise<readonly string[]> => {
    const { body } = await ward.get(login, '/access/me', {
      scope: `subject_role=${as}`,
      clock: ward.clock(),
    })
    return body?.patients as readonly string[]
  }

  const born = (patient: string, day: string) =>
    ward.rewrite({
      sql: `update person_key set birth_date = ? where source_record in (
              select id from source_record where person = (select person from source_record where id = ?))`,
      args: [day, idOf(patient)],
    })
})

const idOf = (reference: string): string => reference.split('/')[1] ?? ''

/** Birth date of one who has turned that age today in Québec, or will in `daysLeft` days. */
function yearsAgo(years: number, daysLeft = 0): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Toronto', dateStyle: 'short' }).format(
    Date.now() + daysLeft * 24 * 60 * 60_000,
  )
  const date = `${Number(day.slice(0, 4)) - years}${day.slice(4)}`
  return date.endsWith('-02-29') ? date.replace('-29', '-28') : date
}
