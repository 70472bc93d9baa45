/** ITI-81 over HTTP: officers search the log, patients read their own part of it in words, and both are in the log for it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encounter, patientResource, samplePatient } from './bundles.ts'
import { type Admitted, type Answer, admit, holder, openWard, results, type Ward } from './care.ts'
import { parseReceipt } from './ledger.ts'

const always = 'date=ge2020&date=le2099'
const montRoyal = 'hopital-mont-royal'
const capDiamant = 'hopital-cap-diamant'

interface Event {
  readonly id: string
  readonly extension: readonly { readonly valueString: string }[]
  readonly text?: { readonly status: string; readonly div: string }
  readonly agent: readonly { readonly altId?: string; readonly who?: { readonly display?: string } }[]
  readonly entity?: readonly { readonly what?: { readonly identifier?: { readonly value: string } } }[]
  readonly source: { readonly observer: { readonly identifier: { readonly value: string } } }
  readonly recorded: string
  readonly outcome?: string
}

const eventsOf = ({ body }: Answer): readonly Event[] =>
  ((body?.entry ?? []) as readonly { readonly resource: Event }[]).map(({ resource }) => resource)

const nextOf = ({ body }: Answer): string | null => {
  const links = (body?.link ?? []) as readonly { readonly relation: string; readonly url: string }[]
  const next = links.find(({ relation }) => relation === 'next')
  return next ? new URL(next.url).pathname + new URL(next.url).search : null
}

describe('AuditEvent search', () => {
  let ward: Ward
  let belisle: Admitted
  let other: Admitted
  /** Person id of `belisle`. */
  let person: string
  let read: Answer
  let denied: Answer
  const search = (query: string, login = 'bouchard', language = 'fr') =>
    ward.get(login, `/fhir/AuditEvent?${query}`, { headers: { 'accept-language': language } })
  const idOf = ({ receipt }: Answer): string => {
    const { log, first } = parseReceipt(receipt)
    return `${log}-${first}`
  }
  const found = async (query: string, login?: string) =>
    eventsOf(await search(query, login)).map(({ id }) => id)

  beforeAll(async () => {
    ward = await openWard()
    belisle = await admit(ward, montRoyal, holder('belisle'))
    other = await admit(ward, capDiamant, samplePatient(3))
    read = await ward.get('tremblay', results(belisle.patient), {
      clock: ward.clock(),
      headers: { 'x-request-id': 'request-of-tremblay' },
    })
    denied = await ward.get('tremblay', results(other.patient), { clock: ward.clock() })
    const [{ person: id } = {}] = await ward.rows(
      'select person from source_record where id = ?',
      belisle.patient.slice('Patient/'.length),
    )
    person = String(id)
    // Drained, so that the ledger knows of both.
    await ward.entries(read)
    await ward.entries(denied)
  })
  afterAll(() => ward?.end())

  test('the officer of the record finds an access by each parameter', async () => {
    expect([read.status, denied.status]).toEqual([200, 403])
    const origin = eventsOf(await search(always))[0]?.source.observer.identifier.value
    const [reads, refusals] = [idOf(read), idOf(denied)]
    const { nam } = holder('belisle')
    const [key] = await ward.rows('select system from person_key where value = ? limit 1', nam)
    const identifier = encodeURIComponent(`${key?.system}|${nam}`)
    for (const query of [
      `patient=${belisle.patient}`,
      `patient=${belisle.patient.slice('Patient/'.length)}`,
      `patient=${person}`,
      `patient.identifier=${identifier}`,
      `patient.identifier=${encodeURIComponent(`${origin}/registry/person|${person}`)}`,
      `entity.identifier=${identifier}`,
      'entity.identifier=request-of-tremblay',
      'agent=etienne-tremblay',
      'agent=Practitioner/etienne-tremblay&action=E',
      'agent=Organization/ciusss-mont-royal',
      'altid=etienne-tremblay',
      'agent.identifier=tremblay',
      'agent-name=%C3%A9tienne&agent-role=physician',
      'agent-role=physician',
      `address=127&agent=etienne-tremblay`,
      'type=rest&subtype=search-type&agent-name=etienne',
      'subtype=AuthZ-Consent',
      `entity=${belisle.laboratory}`,
      'entity-type=1&entity-role=1&agent=etienne-tremblay',
      `source=${encodeURIComponent(String(origin))}&agent-name=etienne`,
      `site=${parseReceipt(read.receipt).log}&agent=etienne-tremblay`,
      `_id=${reads}`,
      'outcome=0&agent=etienne-tremblay',
    ]) {
      const ids = await found(`${always}&${query}&_count=500`)
      expect([query, ids.some((id) => id.replace('-authz', '') === reads)]).toEqual([query, true])
    }
    expect(await found(`${always}&outcome=8&agent=etienne-tremblay&type=rest`)).toContain(refusals)
    expect(await found(`${always}&_id=${reads}`)).toEqual([reads])
    const both = await search(`${always}&_id=${reads}-authz,${refusals},nowhere-1&_count=1`)
    expect(eventsOf(both).map(({ id }) => id)).toEqual([refusals])
    const rest = await ward.get('bouchard', nextOf(both) ?? '')
    expect([eventsOf(rest).map(({ id }) => id), nextOf(rest)]).toEqual([[`${reads}-authz`], null])
    expect(await found(`${always}&_id=${reads}&patient=${other.patient}`)).toEqual([])
    expect(await found(`date=2020&_id=${reads}`)).toEqual([])
    expect(await found(`${always}&patient=${other.patient}&_count=500`)).not.toContain(reads)
    expect(await found(`date=2020-01&patient=${belisle.patient}`)).toEqual([])
  })

  test('pages give everything once, newest first, and a cursor is of its own search alone', async () => {
    const whole = eventsOf(await search(`${always}&patient=${belisle.patient}&_count=500`))
    const paged: Event[] = []
    let next: string | null = `/fhir/AuditEvent?${always}&patient=${belisle.patient}&_count=3`
    let cursor = ''
    while (next !== null) {
      const page: Answer = await ward.get('bouchard', next)
      expect(page.status).toBe(200)
      expect(eventsOf(page).length).toBeLessThanOrEqual(3)
      paged.push(...eventsOf(page))
      next = nextOf(page)
      if (next !== null) cursor = new URL(next, 'http://x').searchParams.get('_cursor') ?? ''
    }
    const ids = paged.map(({ id }) => id)
    // Each page is an access of its own, which came to the trail after the first began.
    expect(ids).toEqual(expect.arrayContaining(whole.map(({ id }) => id)))
    expect(new Set(ids).size).toBe(ids.length)
    const times = paged.map(({ recorded }) => recorded)
    expect(times).toEqual([...times].sort().reverse())
    expect(cursor).not.toBe('')
    for (const [login, query] of [
      ['bouchard', `${always}&patient=${other.patient}&_count=3`],
      ['girard', `${always}&patient=${belisle.patient}&_count=3`],
    ] as const)
      expect((await search(`${query}&_cursor=${cursor}`, login)).status).toBe(400)
  })

  test('a patient reads who, where, when, what, why and by which rule, in French and in English', async () => {
    const fr = await search(always, 'belisle')
    const event = eventsOf(fr).find(({ id }) => id === idOf(read))
    expect(fr.headers.get('content-language')).toBe('fr')
    expect(event?.text?.status).toBe('generated')
    for (const words of [
      'Étienne Tremblay (médecin)',
      'Mont-Royal',
      'recherche dans le dossier',
      'résultats et observations',
      'pour vos soins',
      'Le rôle de cette personne',
    ])
      expect(event?.text?.div).toContain(words)
    const en = eventsOf(await search(always, 'belisle', 'en')).find(({ id }) => id === idOf(read))
    for (const words of ['Étienne Tremblay (physician)', 'search of the record', 'for your care'])
      expect(en?.text?.div).toContain(words)
    expect(en?.extension).toEqual(event?.extension)
  })

  test('and nothing that is somebody else’s business, nor of anybody else', async () => {
    const { text, body } = await search(`${always}&_count=500`, 'belisle')
    for (const hidden of ['"127.0.0.1"', 'jti:', '"query"', '"network"', '"policy"', 'request-of-tremblay'])
      expect(text.includes(hidden), hidden).toBe(false)
    const persons = eventsOf({ body } as Answer).flatMap(({ entity = [] }) =>
      entity.flatMap(({ what }) => what?.identifier?.value ?? []),
    )
    expect(new Set(persons)).toEqual(new Set([person]))
    const filtered = eventsOf(await search(`${always}&agent=etienne-tremblay&outcome=0`, 'belisle'))
    expect(filtered.map(({ id }) => id)).toContain(idOf(read))
    expect(filtered.every(({ agent }) => agent[0]?.altId === 'etienne-tremblay')).toBe(true)
  })

  test('a patient names no patient, not even themself, and reads no entry about another', async () => {
    for (const patient of [other.patient, belisle.patient])
      expect((await search(`${always}&patient=${patient}`, 'belisle')).status).toBe(400)
    expect((await ward.get('belisle', `/fhir/AuditEvent/${idOf(read)}`)).status).toBe(200)
    const foreign = await ward.get('belisle', `/fhir/AuditEvent/${idOf(denied)}`)
    expect(foreign.status).toBe(404)
    expect((await ward.get('belisle', `/fhir/AuditEvent/${idOf(read)}x`)).status).toBe(404)
    expect((await ward.get('belisle', '/fhir/AuditEvent/nowhere-1')).text).toBe(foreign.text)
  })

  test('the officer of an organisation sees what its own people did, and no more', async () => {
    const events = eventsOf(await search(`${always}&_count=500`, 'girard'))
    expect(events.map(({ id }) => id)).toContain(idOf(read))
    for (const { agent } of events) expect(JSON.stringify(agent)).toContain('ciusss-mont-royal')
    const system = await ward.publish(
      capDiamant,
      patientResource(samplePatient(4)),
      encounter(samplePatient(4), { n: 1 }),
    )
    expect(await found(`${always}&patient=${system[0]}`, 'girard')).toEqual([])
  })

  test('an unknown parameter, or no period, is 400 with an OperationOutcome', async () => {
    for (const query of ['', 'date=ge2026', `${always}&_sort=date`, `${always}&code=x`]) {
      const answer = await search(query)
      expect([query, answer.status, answer.body?.resourceType]).toEqual([query, 400, 'OperationOutcome'])
    }
    expect((await search(`${always}&address=127`, 'belisle')).status).toBe(400)
  })

  test('providers and facility systems do not search the log; nobody writes to it', async () => {
    for (const login of ['tremblay', `system-${montRoyal}`])
      expect((await search(always, login)).status).toBe(403)
    for (const [method, path] of [
      ['POST', '/fhir/AuditEvent'],
      ['PUT', `/fhir/AuditEvent/${idOf(read)}`],
      ['DELETE', `/fhir/AuditEvent/${idOf(read)}`],
    ] as const) {
      const answer = await ward.send(`system-${montRoyal}`, method, path, { resourceType: 'AuditEvent' })
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET'])
    }
  })

  test('what a facility publishes as an AuditEvent is read by itself, and never found here', async () => {
    const [published = ''] = await ward.publish(montRoyal, {
      resourceType: 'AuditEvent',
      id: 'a0000000-0000-4000-8000-00000000000a',
      type: { code: 'forged' },
      recorded: '2026-11-01T00:00:00Z',
    } as never)
    expect(
      (await ward.get(`system-${montRoyal}`, `/fhir/${published}`, { clock: ward.clock() })).status,
    ).toBe(200)
    expect(await found(`${always}&type=forged`)).toEqual([])
  })

  test('reading the log is in the log, with every patient whom the page names', async () => {
    const page = await search(`${always}&agent=etienne-tremblay&_count=500`)
    const entries = await ward.entries(page)
    const named = new Set(
      eventsOf(page).flatMap(({ entity = [] }) =>
        entity.flatMap(({ what }) => {
          const identifier = what?.identifier as { system?: string; value: string } | undefined
          return identifier?.system?.endsWith('/registry/person') ? [identifier.value] : []
        }),
      ),
    )
    expect(named.size).toBeGreaterThan(1)
    expect(new Set(entries.map(({ access }) => access.patient))).toEqual(named)
    expect(entries.every(({ access }) => access.action === 'audit-read')).toBe(true)
    const own = await ward.entries(await search(always, 'belisle'))
    expect(own.map(({ access }) => [access.action, access.patient])).toEqual([['audit-read', person]])
    // So that the patient sees that the officer looked.
    const seen = eventsOf(await search(`${always}&agent=${entries[0]?.access.who.practitioner}`, 'belisle'))
    expect(seen[0]?.text?.div).toContain('consultation du journal des accès')
  })

  test('the capability statement offers it', async () => {
    const { body } = await ward.get('bouchard', '/fhir/metadata')
    const [rest] = (body?.rest ?? []) as readonly {
      resource: readonly { type: string; searchParam?: readonly { name: string }[] }[]
    }[]
    const names = rest?.resource
      .find(({ type }) => type === 'AuditEvent')
      ?.searchParam?.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['date', 'patient', 'entity.identifier', 'agent-role']))
  })
})
