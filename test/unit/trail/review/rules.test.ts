/** Each rule with what it is there to find, and with what is just not that. */
import { beforeEach, describe, expect, test } from 'vitest'
import { dayMs, hourMs, minuteMs, World, workday } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

const at = (ms: number): string => new Date(ms).toISOString()

describe('an emergency without follow-up', () => {
  const rule = 'break-glass-without-follow-up'
  const declare = (starts = workday, source = 'a-hopital') => {
    world.sql(`
      insert into break_glass (id, source_record, facility, professional, purpose, reason, starts, ends, valid_from)
        values ('e1', '${source}', 'hopital', 'dr-roy', 'BTG', 'inconscient', ${starts}, ${starts + 12 * hourMs}, 1);
      insert into review_item values ('e1', 'break-glass', '${source}', 'dr-roy', 'hopital', 'ciusss', '${at(starts)}', '', 1)`)
    world.read({
      at: starts + 100,
      more: { action: 'break-glass', breakGlassReason: 'inconscient', phase: 'outcome' },
    })
    world.read({
      at: starts + minuteMs,
      more: { breakGlassReason: 'inconscient', note: { basis: 'break-glass' } },
    })
  }
  const encounter = (starts: number, facility = 'hopital') =>
    world.sql(`insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by, valid_from)
      values ('encounter', 'a-clinique', '${facility}', '', ${starts}, ${starts + 30 * dayMs}, 'Encounter/x', 's', 2)`)

  test('is found with its declaration and its use', async () => {
    declare()
    expect((await world.review(rule)).findings).toMatchObject([
      {
        rule,
        professional: { id: 'dr-roy' },
        patient: { person: 'person-a' },
        entryCount: 2,
        numbers: { emergencies: 1 },
      },
    ])
  })

  test('is not found where an encounter of the person began there on the last day of the term, or the day before', async () => {
    declare()
    encounter(workday + 7 * dayMs)
    expect(await world.counts(rule)).toEqual([])
    world.sql(`delete from relationship`)
    encounter(workday - 24 * hourMs)
    expect(await world.counts(rule)).toEqual([])
  })

  test('is found where it began a moment too late, or elsewhere; with another term it is not', async () => {
    declare()
    encounter(workday + 7 * dayMs + 1)
    encounter2('clinique')
    expect(await world.counts(rule)).toEqual([2])
    world.set(rule, { days: 8 })
    expect(await world.counts(rule)).toEqual([])
  })
  const encounter2 = (facility: string) =>
    world.sql(`insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by, valid_from)
      values ('encounter', 'a-clinique', '${facility}', '', ${workday}, ${workday + dayMs}, 'Encounter/y', 's', 2)`)

  test('is not found once somebody has decided about it', async () => {
    declare()
    world.sql(`insert into review_decision values ('e1', 'referred', 'note', 'po', '2026-10-20', 3)`)
    expect(await world.counts(rule)).toEqual([])
  })

  test('is told as not yet due until its term is over', async () => {
    declare()
    const { findings, summary } = await world.review(rule, { now: workday + 7 * dayMs - 1 })
    expect([findings, summary.notYetDue]).toEqual([[], 1])
    expect(await world.counts(rule, { now: workday + 7 * dayMs })).toEqual([2])
  })
})

describe('the own record', () => {
  const rule = 'own-record'
  test('is found by the registry, whichever facility published it', async () => {
    world.sql(
      `insert into professional_person (professional, source_record, recorded_by, valid_from) values ('dr-roy', 'a-clinique', 'po', 1)`,
    )
    world.read()
    world.read({ patient: 'person-b' })
    expect((await world.review(rule)).findings).toMatchObject([
      {
        patient: { person: 'person-a', reference: 'Patient/a-clinique' },
        numbers: { accesses: 1 },
        entries: ['montreal/0'],
      },
    ])
  })

  test('is not found once the registration has ended', async () => {
    world.sql(
      `insert into professional_person (professional, source_record, recorded_by, valid_from, valid_to) values ('dr-roy', 'a-clinique', 'po', 1, 2)`,
    )
    world.read()
    expect(await world.counts(rule)).toEqual([])
  })

  test('is possibly one’s own where the whole name is equal, but not with another given name', async () => {
    world.patient('a-hopital', 'person-a', { name: [{ family: 'DUBOIS', given: ['Anne', 'Marie'] }] })
    world.patient('b-clinique', 'person-b', { name: [{ family: 'Dubois', given: ['Annie'] }] })
    world.read()
    world.read({ patient: 'person-b' })
    expect((await world.review(rule)).findings).toMatchObject([
      { patient: { person: 'person-a' }, numbers: { possible: 1 } },
    ])
    world.set(rule, { possible: 0 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('is found under the id the log had before source records were joined', async () => {
    world.sql(`
      insert into professional_person (professional, source_record, recorded_by, valid_from) values ('dr-roy', 'a-clinique', 'po', 1);
      insert into source_record_version values ('a-hopital', 'person-old', 0, 3)`)
    world.read({ patient: 'person-old' })
    expect(await world.counts(rule)).toEqual([1])
  })
})

describe('the same family name or address', () => {
  const rule = 'same-family-or-address'
  test('is found by a name without accents, and by the last words of a name', async () => {
    world.patient('a-hopital', 'person-a', { name: [{ family: 'Lévesque-Hébert', given: ['Luc'] }] })
    world.read({ who: { name: 'Dr Paul Levesque Hebert' } })
    expect((await world.review(rule)).findings).toMatchObject([{ numbers: { family: 'LEVESQUEHEBERT' } }])
  })

  test('is not found by a given name, or by a part of a name', async () => {
    world.patient('a-hopital', 'person-a', { name: [{ family: 'Anne', given: ['Luc'] }] })
    world.patient('b-clinique', 'person-b', { name: [{ family: 'Bois', given: ['Luc'] }] })
    world.read()
    world.read({ patient: 'person-b' })
    expect(await world.counts(rule)).toEqual([])
  })

  test('a common name counts only where the professional’s own word opened the record; which are common is data', async () => {
    world.patient('a-hopital', 'person-a', { name: [{ family: 'Roy' }] })
    world.read({ who: { name: 'Dre Anne Roy' } })
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { commonFamilies: ['TREMBLAY'] })
    expect(await world.counts(rule)).toEqual([1])
    world.set(rule, { commonFamilies: ['ROY'] })
    world.read({ who: { name: 'Dre Anne Roy' }, more: { note: { basis: 'attestation' } } })
    expect(await world.counts(rule)).toEqual([2])
  })

  test('an address is a street and a postal code', async () => {
    world.sql(
      `insert into professional_person (professional, source_record, recorded_by, valid_from) values ('dr-roy', 'child-hopital', 'po', 1)`,
    )
    const home = { line: ['12, rue des Érables'], postalCode: 'H2X 1Y4' }
    world.patient('child-hopital', 'person-child', { address: [home] })
    world.patient('a-hopital', 'person-a', {
      address: [{ line: ['12 RUE DES ERABLES'], postalCode: 'H2X1Y4' }],
    })
    world.patient('b-clinique', 'person-b', { address: [{ ...home, postalCode: 'H2X 1Y5' }] })
    world.read()
    world.read({ patient: 'person-b' })
    expect((await world.review(rule)).findings).toMatchObject([
      { patient: { person: 'person-a' }, numbers: { sameAddress: 1 } },
    ])
  })
})

describe('a colleague as patient', () => {
  const rule = 'colleague'
  test('is found where the patient has a role at the facility of the access, not elsewhere', async () => {
    world.sql(
      `insert into professional_person (professional, source_record, recorded_by, valid_from) values ('inf-cote', 'b-clinique', 'po', 1)`,
    )
    world.read({ patient: 'person-b' })
    world.read({ patient: 'person-b', who: { practitioner: 'dr-x', facility: 'clinique' } })
    expect((await world.review(rule)).findings).toMatchObject([
      { professional: { id: 'dr-roy' }, patient: { person: 'person-b' }, numbers: { colleague: 'inf-cote' } },
    ])
    world.set(rule, { minAccesses: 2 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('possibly, by an equal whole name of one who works there', async () => {
    world.sql(`update professional set name = 'Hélène Côté' where id = 'inf-cote'`)
    world.patient('b-clinique', 'person-b', { name: [{ family: 'COTE', given: ['Helene'] }] })
    world.patient('a-hopital', 'person-a', { name: [{ family: 'COTE', given: ['Luc'] }] })
    world.read({ patient: 'person-b' })
    world.read()
    expect((await world.review(rule)).findings).toMatchObject([
      { patient: { person: 'person-b' }, numbers: { colleague: 'inf-cote', possible: 1 } },
    ])
    world.set(rule, { possible: 0 })
    expect(await world.counts(rule)).toEqual([])
  })
})

describe('nothing but an attestation', () => {
  const rule = 'attestation-only'
  const held = (kind: string, over: { validTo?: number; ends?: number; professional?: string } = {}) =>
    world.sql(`insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by, valid_from, valid_to)
      values ('${kind}', 'a-clinique', 'hopital', '${over.professional ?? ''}', ${workday - dayMs}, ${over.ends ?? workday + dayMs}, '${kind}/1', 's', 2, ${over.validTo ?? 'null'})`)
  const attested = () => world.read({ more: { note: { basis: 'attestation' } } })

  test('is found, and a read by an encounter is not', async () => {
    held('attestation')
    attested()
    world.read({ patient: 'person-b' })
    expect((await world.review(rule)).findings).toMatchObject([
      { patient: { person: 'person-a' }, entryCount: 1 },
    ])
    world.set(rule, { minReads: 2 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('is not found where an encounter held beside it at that clock', async () => {
    held('encounter')
    attested()
    expect(await world.counts(rule)).toEqual([])
  })

  test.each([
    ['was registered after the clock of the read', { validTo: 5 }],
    ['was over by then', { ends: workday }],
    ['is another professional’s', { professional: 'inf-cote' }],
  ])('is found where the other relationship %s', async (_, over) => {
    held('care-team', over)
    attested()
    expect(await world.counts(rule)).toEqual([1])
  })
})

describe('a relationship published for looking', () => {
  const rule = 'fresh-relationship'
  const publish = (published: number, id = 'n1', began = published) => {
    world.sql(`
      insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
          confidentiality, published, version, clock, hash, body)
        values ('person-a', 'Encounter', '', '${id}', 'a-hopital', 'hopital', 'hospital-summary', '', '', '', '', '', '${at(published)}', 1, 0, '',
          json_object('period', json_object('start', '${at(began)}')));
      insert into relationship (kind, source_record, facility, professional, starts, ends, source, recorded_by, valid_from)
        values ('encounter', 'a-hopital', 'hopital', '', ${published - hourMs}, ${published + dayMs}, 'Encounter/${id}', 's', 2)`)
  }
  test('is found a moment within the hour, and not after it', async () => {
    publish(workday)
    world.read({ at: workday + 60 * minuteMs - 1 })
    expect((await world.review(rule)).findings).toMatchObject([{ numbers: { minutes: 59 } }])
    world.set(rule, { minutes: 59 })
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { minutes: 60 })
    world.read({ at: workday + 60 * minuteMs, who: { practitioner: 'dr-x' } })
    expect(await world.counts(rule)).toEqual([1])
  })

  test('is not found where the encounter had begun a day before it was published', async () => {
    publish(workday, 'n1', workday - 24 * hourMs)
    world.read({ at: workday + minuteMs })
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { startedHours: 25 })
    expect(await world.counts(rule)).toEqual([1])
  })

  test('counts from the first publication: publishing again makes no encounter new', async () => {
    publish(workday)
    world.sql(`insert into document_version select type, id, 0, source_record, facility, domain, category, code, date_lo, date_hi,
      status, confidentiality, '${at(workday - dayMs)}', 0, 'h', '{}', 0 from document where type = 'Encounter'`)
    world.read({ at: workday + minuteMs })
    expect(await world.counts(rule)).toEqual([])
  })

  test('is not found where something older opened the record as well, or where care left a document', async () => {
    publish(workday)
    world.read({ at: workday + minuteMs })
    publish(workday - 2 * hourMs, 'n0')
    expect(await world.counts(rule)).toEqual([])
    world.sql(`delete from relationship where source = 'Encounter/n0'`)
    expect(await world.counts(rule)).toEqual([1])
    world.sql(`insert into document (person, type, date_lo, id, source_record, facility, domain, category, code, date_hi, status,
        confidentiality, published, version, clock, hash, body)
      values ('person-a', 'Observation', '', 'o1', 'a-hopital', 'hopital', 'laboratory', '', '', '', '', '', '${at(workday)}', 1, 0, '', '{}')`)
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { maxDocuments: 1 })
    expect(await world.counts(rule)).toEqual([1])
  })
})

describe('volumes outside the role’s distribution', () => {
  const rule = 'volume'
  const reads = (practitioner: string, patients: number, role = 'physician') => {
    for (let i = 0; i < patients; i++)
      world.read({ who: { practitioner, role }, patient: `${practitioner}-${i}`, at: workday + i * minuteMs })
  }
  beforeEach(() => {
    world.set(rule, { minGroup: 5, minPatients: 20 })
    for (const [i, patients] of [4, 5, 5, 6].entries()) reads(`usual-${i}`, patients)
  })

  test('are found with the numbers they are measured by', async () => {
    reads('busy', 20)
    const { findings } = await world.review(rule)
    expect(findings).toMatchObject([
      {
        professional: { id: 'busy' },
        patient: null,
        numbers: { patients: 20, accesses: 20, median: 5, deviation: 1.5, group: 5, role: 'physician' },
        entryCount: 20,
      },
    ])
    expect(findings[0]?.entries).toHaveLength(20)
  })

  test('are not found below the minimum, in a small group, or within the factor', async () => {
    reads('busy', 19)
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { minPatients: 19 })
    expect(await world.counts(rule)).toEqual([19])
    world.set(rule, { minGroup: 6 })
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { minGroup: 5, factor: 10 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('of another role are measured by that role', async () => {
    reads('busy', 20, 'pharmacist')
    expect(await world.counts(rule)).toEqual([])
  })
})

describe('unusual hours', () => {
  const rule = 'unusual-hours'
  const night = Date.parse('2026-10-14T02:00:00Z')
  const atNight = (count: number, start = night, facility = 'clinique') => {
    for (let i = 0; i < count; i++) world.read({ at: start + i * minuteMs, who: { facility } })
  }
  test('at a clinic are found from the tenth access after ten in the evening, Québec time', async () => {
    atNight(9)
    expect(await world.counts(rule)).toEqual([])
    atNight(1, night + hourMs)
    expect((await world.review(rule)).findings).toMatchObject([
      { numbers: { atClosedFacilities: 10, night: 10, total: 10, patients: 1 }, entryCount: 10 },
    ])
    world.set(rule, { dayTypes: ['pharmacy'] })
    expect(await world.counts(rule)).toEqual([])
  })

  test('begin at the hour of the threshold', async () => {
    atNight(10, night - 10 * minuteMs)
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { nightFrom: 21 })
    expect(await world.counts(rule)).toEqual([10])
  })

  test('at a hospital are found only of one who hardly ever reads then', async () => {
    atNight(10, night, 'hopital')
    for (let i = 0; i < 89; i++) world.read({ at: workday + i * minuteMs })
    expect(await world.counts(rule)).toEqual([])
    world.read()
    expect(await world.counts(rule)).toEqual([10])
    world.set(rule, { maxShare: 0.09 })
    expect(await world.counts(rule)).toEqual([])
  })
})

describe('people looked up of whom nothing is read then', () => {
  const rule = 'look-up-without-read'
  const lookUps = (count: number) => {
    for (let i = 0; i < count; i++) world.lookUp({ patient: `p${i}`, at: workday + i * minuteMs })
  }
  test('are found from the fifth on', async () => {
    lookUps(4)
    expect(await world.counts(rule)).toEqual([])
    world.lookUp({ patient: 'p4', at: workday + hourMs })
    expect((await world.review(rule)).findings).toMatchObject([{ numbers: { lookUps: 5, patients: 5 } }])
    world.set(rule, { minLookUps: 6 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('a read within the hours takes one away, a later one does not', async () => {
    lookUps(5)
    world.read({ patient: 'p0', at: workday + 24 * hourMs + 1 })
    expect(await world.counts(rule)).toEqual([5])
    world.read({ patient: 'p4', at: workday + 24 * hourMs + 2 })
    expect(await world.counts(rule)).toEqual([])
    world.set(rule, { hours: 23 })
    expect(await world.counts(rule)).toEqual([5])
  })

  test('a search by identifier alone, or of somebody unknown, is none', async () => {
    lookUps(4)
    const text = '/fhir/Patient?identifier=nam%7CA'
    world.read({ patient: 'p5', more: { query: { method: 'GET', path: '/fhir/Patient', text, sha256: '' } } })
    world.lookUp({ patient: null })
    expect(await world.counts(rule)).toEqual([])
  })

  test('whose reads may still come when the month ends are not counted', async () => {
    for (let i = 0; i < 5; i++) world.lookUp({ patient: `p${i}`, at: Date.parse('2026-10-31T12:00:00Z') + i })
    expect(await world.counts(rule)).toEqual([])
  })
})

describe('the watch list', () => {
  const rule = 'watch-list'
  const watch = (starts: number, ends: number) =>
    world.sql(`insert into watch_list (source_record, reason, starts, ends, recorded_by, valid_from)
      values ('a-clinique', 'personnalité publique', ${starts}, ${ends}, 'po', 1)`)
  test('tells every access of its period, with its reason', async () => {
    watch(workday + 2 * minuteMs, workday + 4 * minuteMs)
    for (let i = 1; i <= 4; i++) world.read({ at: workday + i * minuteMs })
    world.read({ patient: 'person-b' })
    expect((await world.review(rule)).findings).toMatchObject([
      { entries: ['montreal/1', 'montreal/2'], numbers: { reason: 'personnalité publique', accesses: 2 } },
    ])
    world.set(rule, { minAccesses: 3 })
    expect(await world.counts(rule)).toEqual([])
  })

  test('holds the periods of every record of the person', async () => {
    watch(workday * 2, workday * 3)
    world.sql(`insert into watch_list (source_record, reason, starts, ends, recorded_by, valid_from)
      values ('a-hopital', 'autre', ${workday}, ${workday + dayMs}, 'po', 1)`)
    world.read()
    expect(await world.counts(rule)).toEqual([1])
  })

  test('tells nothing of a record that is on it no more', async () => {
    watch(0, workday * 2)
    world.read()
    world.sql('update watch_list set valid_to = 2')
    expect(await world.counts(rule)).toEqual([])
  })
})
