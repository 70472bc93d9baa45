import { beforeAll, describe, expect, test } from 'vitest'
import { accounting } from '../../../src/trail/accounting.ts'
import type { AccountLine } from '../../../src/trail/accounting-lines.ts'
import { knownPersonsStatement } from '../../../src/trail/known-persons.ts'
import {
  accessOf,
  appendEntry,
  appendRandomRequest,
  CountedWorld,
  randomOf,
  read,
  startMs,
  type ToldEntry,
} from './counted-world.ts'

const from = new Date(startMs + 400 * 60_000).toISOString()
const to = new Date(startMs + 4_200 * 60_000).toISOString()
const asked = { organisation: 'north', from, to }

type Count = readonly [accesses: number, permits: number, denies: number, patients: number]

/** Counted anew, in the simplest way there is: sets of requests and patients, all in memory. */
class Naive {
  readonly requests = new Map<string, Set<string>>()
  readonly permitted = new Map<string, Set<string>>()
  readonly denied = new Map<string, Set<string>>()
  readonly patients = new Map<string, Set<string>>()

  add(key: string, request: string, { access }: ToldEntry): void {
    const put = (sets: Map<string, Set<string>>, value: string) =>
      sets.set(key, (sets.get(key) ?? new Set()).add(value))
    put(this.requests, request)
    if (access.decision.outcome === 'permit') put(this.permitted, request)
    if (access.decision.outcome === 'deny') put(this.denied, request)
    if (access.decision.outcome === 'permit' && access.patient !== null) put(this.patients, access.patient)
  }

  counts(): Record<string, Count> {
    const size = (sets: Map<string, Set<string>>, key: string) => sets.get(key)?.size ?? 0
    return Object.fromEntries(
      [...this.requests.keys()]
        .sort()
        .map((key) => [
          key,
          [
            size(this.requests, key),
            size(this.permitted, key),
            size(this.denied, key),
            size(this.patients, key),
          ],
        ]),
    )
  }
}

const keyOf = (...parts: readonly (string | null)[]): string => parts.join('|')

const told = (
  lines: readonly AccountLine[],
  section: AccountLine['section'],
  key: (line: AccountLine) => string,
): Record<string, Count> =>
  Object.fromEntries(
    lines
      .filter((line) => line.section === section)
      .map((line): [string, Count] => [
        key(line),
        [line.accesses, line.permits, line.denies, line.patients ?? (line.permits > 0 ? 1 : 0)],
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

interface Accounted {
  readonly lines: readonly AccountLine[]
  readonly logs: readonly { log: string; first: number; end: number; size: number; root: string }[]
}

describe('the accounting of an organisation', () => {
  let world: CountedWorld
  let lines: readonly AccountLine[]
  let detailed: Awaited<ReturnType<typeof read>>
  let file: Accounted
  /** Persons with a source record at one of its facilities, now or before they were joined. */
  const own = new Set<string>()

  beforeAll(async () => {
    world = new CountedWorld()
    for (const [i, log] of world.logs.entries()) {
      const random = randomOf(41 + i)
      for (let n = 0; log.size < 4_500; n++) appendRandomRequest(log, random, n)
    }
    for (let n = 0; n < 40; n += 3) {
      world.addSourceRecord(`person-${n}`, n % 2 === 0 ? 'north-1' : 'north-2')
      own.add(`person-${n}`)
    }
    for (let n = 1; n < 40; n += 3) world.addSourceRecord(`person-${n}`, 'south-1')
    // Joined since: the log speaks of the person under the id of before.
    const joined = world.addSourceRecord('person-2', 'north-1')
    world.records.rows('update source_record set person = ?, clock = 2 where id = ?', 'person-0', joined)
    own.add('person-2')
    world.publish()
    detailed = await read(await world.ask(accounting, { ...asked, detail: 'patients' }))
    file = JSON.parse(detailed.text) as Accounted
    lines = file.lines
  }, 60_000)

  test('counts what its professionals opened as a second count of the same entries does', () => {
    const naive = new Naive()
    for (const entry of world.entries(from, to)) {
      const { access } = entry
      const { organisation, practitioner, role, facility } = access.who
      if (organisation !== 'north' || access.phase === 'intent') continue
      naive.add(keyOf(practitioner, role, facility), access.requestId, entry)
    }
    expect(Object.keys(naive.counts()).length).toBeGreaterThan(40)
    expect(
      told(lines, 'opened', ({ professional, role, facility }) => keyOf(professional, role, facility)),
    ).toEqual(naive.counts())
  })

  test('counts by action and purpose, emergencies and attestations, as many as there are', () => {
    const entries = world
      .entries(from, to)
      .filter(({ access }) => access.who.organisation === 'north' && access.phase !== 'intent')
    const requests = (matches: (entry: ToldEntry) => boolean) =>
      new Set(entries.filter(matches).map(({ access }) => access.requestId)).size
    const opened = lines.filter(({ section }) => section === 'opened')
    const sum = (count: (line: AccountLine) => number | undefined) =>
      opened.reduce((total, line) => total + (count(line) ?? 0), 0)
    const isPermit = ({ access }: ToldEntry) => access.decision.outcome === 'permit'
    expect([
      sum(({ actions }) => actions.search),
      sum(({ purposes }) => purposes.HRESCH),
      sum(({ purposes }) => purposes.none),
      sum(({ errors }) => errors),
      sum(({ emergencies }) => emergencies),
      sum(({ attestations }) => attestations),
    ]).toEqual([
      requests(({ access }) => access.action === 'search'),
      requests(({ access }) => access.purpose === 'HRESCH'),
      requests(({ access }) => access.purpose === null),
      requests(({ access }) => access.decision.outcome === 'error'),
      requests((entry) => isPermit(entry) && entry.access.breakGlassReason !== null),
      requests((entry) => isPermit(entry) && entry.access.operation === 'attest'),
    ])
  })

  test('counts what others opened of its patients, by professional and by organisation', () => {
    const byProfessional = new Naive()
    const byOrganisation = new Naive()
    for (const entry of world.entries(from, to)) {
      const { access } = entry
      const { organisation, practitioner, role, facility } = access.who
      if (organisation === 'north' || practitioner === null || access.phase === 'intent') continue
      if (access.patient === null || !own.has(access.patient)) continue
      const request = `${access.requestId} ${access.patient}`
      byProfessional.add(keyOf(organisation, practitioner, role, facility), request, entry)
      byOrganisation.add(keyOf(organisation), request, entry)
    }
    expect(Object.keys(byOrganisation.counts())).toEqual(['', 'east', 'south'])
    expect(
      told(lines, 'opened-by-others', ({ organisation, professional, role, facility }) =>
        keyOf(organisation, professional, role, facility),
      ),
    ).toEqual(byProfessional.counts())
    expect(told(lines, 'opened-by-others-total', ({ organisation }) => keyOf(organisation))).toEqual(
      byOrganisation.counts(),
    )
  })

  test.each([
    ['opened-patient', true],
    ['opened-by-others-patient', false],
  ] as const)('tells %s by patient, each as often as the entries do', (section, isOwn) => {
    const naive = new Naive()
    for (const entry of world.entries(from, to)) {
      const { access } = entry
      const { organisation, practitioner, role, facility } = access.who
      if ((organisation === 'north') !== isOwn || practitioner === null || access.phase === 'intent') continue
      if (access.patient === null || !(isOwn || own.has(access.patient))) continue
      naive.add(keyOf(organisation, practitioner, role, facility, access.patient), access.requestId, entry)
    }
    expect(
      told(lines, section, ({ organisation, professional, role, facility, patient }) =>
        keyOf(organisation, professional, role, facility, patient),
      ),
    ).toEqual(naive.counts())
  })

  test('has each patient in the log before the bytes that name one leave', () => {
    const logged = new Set<string>()
    for (const { patients, text } of detailed.chunks) {
      for (const patient of patients) logged.add(patient)
      for (const [name] of text.matchAll(/person-\d+/g)) expect(logged).toContain(name)
    }
    expect(logged.size).toBe(40)
  })

  test('names no patient where it is not asked to', async () => {
    const { text, chunks } = await read(await world.ask(accounting, asked))
    expect(text).not.toContain('person-')
    expect(chunks.flatMap(({ patients }) => patients)).toEqual([])
    expect((JSON.parse(text) as Accounted).lines).toEqual(
      lines.filter(({ section }) => !section.endsWith('-patient')),
    )
  })

  test('says of each log which indices it counted, and the checkpoint that proves them', () => {
    const texts = world.logs.map((log) => log.checkpointText(log.size).split('\n'))
    expect(file.logs).toMatchObject(
      world.logs.map((log, i) => ({
        log: log.name,
        first: 400,
        end: 4_200,
        size: Number(texts[i]?.[1]),
        root: texts[i]?.[2],
      })),
    )
  })

  test('is a table in CSV, in which no name is a formula', async () => {
    const small = new CountedWorld(['east'])
    const [log] = small.logs
    const name = '=HYPERLINK("http://x.example")'
    const who = { ...accessOf().who, organisation: 'north', name }
    if (log) appendEntry(log, accessOf({ who, purpose: '-1', patient: 'person-1' }))
    small.publish()
    const { text } = await read(
      await small.ask(accounting, {
        ...asked,
        from: new Date(startMs).toISOString(),
        format: 'csv',
      }),
    )
    const [titles, east, line, ...more] = text.split('\r\n')
    expect(titles).toBe(
      'section,organisation,professional,name,role,facility,patient,accesses,patients,permits,denies,errors,' +
        'emergencies,attestations,actions,purposes,log,first,end,size,root,pruned_before',
    )
    expect(east).toMatch(/^log,{16}east,0,1,1,[A-Za-z0-9+/]{43}=,$/)
    expect(line).toBe(
      `opened,north,professional-1,"'=HYPERLINK(""http://x.example"")",physician,facility-1,,1,1,1,0,0,0,0,search=1,'-1=1,,,,,,`,
    )
    expect(more).toEqual([''])
  })

  test('reads each page by a named index, or a window of indices by the key, and scans nothing', () => {
    const steps = world.ledger
      .plans()
      .flatMap((plan) => plan.filter((step) => / (b|ledger_body)\b/.test(step)))
    expect(new Set(steps)).toEqual(
      new Set([
        'SEARCH ledger_body USING INDEX ledger_body_prunes (prunes_log=?)',
        'SEARCH ledger_body USING INDEX ledger_body_time (log=? AND time<?)',
        'SEARCH ledger_body USING INDEX ledger_body_time (log=? AND time>?)',
        'SEARCH b USING INDEX ledger_body_organisation (organisation=? AND log=? AND idx>? AND idx<?)',
        'SEARCH b USING INDEX ledger_body_practitioner (practitioner=? AND log=? AND idx>? AND idx<?)',
        'SEARCH b USING PRIMARY KEY (log=? AND idx>? AND idx<?)',
      ]),
    )
    expect(world.ledger.plans().flat()).not.toContain('USE TEMP B-TREE FOR ORDER BY')
  })

  test('asks records by person alone', () => {
    const { sql } = knownPersonsStatement([], [])
    expect(world.records.seen).toContain(sql)
    const plan = world.records.db
      .prepare(`explain query plan ${sql}`)
      .all({ persons: '[]', facilities: '[]' })
    expect(plan.map(({ detail }) => detail).filter((step) => / [sv] /.test(String(step)))).toEqual([
      'SEARCH s USING INDEX source_record_person (person=?)',
      'SEARCH v USING COVERING INDEX source_record_version_person (person=?)',
      'SEARCH s USING PRIMARY KEY (id=?)',
    ])
  })

  test('is for the officer of the organisation, whose own it is without being named', async () => {
    const { organisation: _, ...unnamed } = asked
    const { text } = await read(await world.ask(accounting, unnamed, 'north'))
    expect((JSON.parse(text) as Accounted).lines.length).toBeGreaterThan(0)
    await expect(world.ask(accounting, asked, 'south')).rejects.toThrow('not-own-organisation')
    await expect(world.ask(accounting, unnamed)).rejects.toThrow('"expression":"organisation"')
    await expect(world.ask(accounting, { ...asked, organisation: 'nowhere' })).rejects.toThrow('not-found')
  })

  test.each([
    ['a parameter that it does not have', { ...asked, patient: 'person-1' }],
    ['no period', { organisation: 'north' }],
    ['a period that ends before it begins', { organisation: 'north', from: to, to: from }],
  ])('refuses %s', async (_, input) => {
    await expect(world.ask(accounting, input)).rejects.toThrow()
  })
})
