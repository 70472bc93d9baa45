import { beforeAll, describe, expect, test } from 'vitest'
import { type ReportLine, sectionNames } from '../../../src/trail/report-lines.ts'
import { recordsSections } from '../../../src/trail/report-sections.ts'
import { yearlyReport } from '../../../src/trail/yearly-report.ts'
import {
  accessOf,
  appendEntry,
  appendRandomRequest,
  CountedWorld,
  randomOf,
  read,
  type ToldEntry,
} from './counted-world.ts'

const year = { year: '2026' }

type Line = Partial<ReportLine>

/** By section, and within it by whatever the section tells apart. */
function naiveCounts(entries: readonly ToldEntry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  const add = (...key: readonly unknown[]) => {
    const name = JSON.stringify(key)
    counts[name] = (counts[name] ?? 0) + 1
  }
  // The last entry of a request says what came of it.
  for (const { access } of new Map(entries.map((entry) => [entry.access.requestId, entry])).values()) {
    const { action, purpose, who, breakGlassReason } = access
    const { outcome, reason } = access.decision
    const isCare = ['TREAT', 'ETREAT', 'BTG'].includes(String(purpose)) && ['read', 'search'].includes(action)
    if (outcome !== 'permit') add('refused', who.organisation, action, outcome, reason)
    else if (isCare) add('care', who.organisation)
    else add('other', who.organisation, action, purpose, reason)
    if (outcome !== 'permit') continue
    if (breakGlassReason !== null) add('emergencies', who.organisation, action)
    if (action === 'redaction') add('redactions', who.organisation)
    if (action === 'export') add('exports', who.organisation, 'format=csv patient')
  }
  return counts
}

const isFromLog = ({ section = '' }: Line): boolean =>
  section !== 'without-body' && !recordsSections.some(({ name }) => name === section)

const countsOf = (lines: readonly Line[]): Record<string, number> =>
  Object.fromEntries(
    lines
      .filter(isFromLog)
      .map(({ section, count, organisation, action, purpose, outcome, reason, filters }) => {
        const keys: Record<string, readonly unknown[]> = {
          care: [organisation],
          other: [organisation, action, purpose, reason],
          refused: [organisation, action, outcome, reason],
          emergencies: [organisation, action],
          redactions: [organisation],
          exports: [organisation, filters],
        }
        return [JSON.stringify([section, ...(keys[String(section)] ?? [])]), count ?? 0]
      }),
  )

const linesOf = (text: string): readonly Line[] =>
  (JSON.parse(text) as { readonly lines: readonly Line[] }).lines

describe('the yearly report', () => {
  let world: CountedWorld
  let text: string
  let patients: readonly string[]

  beforeAll(async () => {
    world = new CountedWorld()
    for (const [i, log] of world.logs.entries()) {
      const random = randomOf(7 + i)
      for (let n = 0; log.size < 2_000; n++) appendRandomRequest(log, random, n)
    }
    const review = (id: string, kind: string, organisation: string, at: string, decision: string | null) => {
      world.records.rows(
        `insert into review_item (id, kind, source_record, professional, facility, organisation, at, reason, valid_from)
           values (?, ?, 'source-1', 'p', 'f', ?, ?, 'person-3', 1)`,
        id,
        kind,
        organisation,
        at,
      )
      if (decision !== null)
        world.records.rows(
          `insert into review_decision (item, decision, note, decided_by, decided_at, valid_from)
             values (?, ?, 'person-3', 'o', ?, 1)`,
          id,
          decision,
          at,
        )
    }
    review('a', 'break-glass', 'north', '2026-03-01T00:00:00.000Z', 'justified')
    review('b', 'break-glass', 'north', '2026-03-02T00:00:00.000Z', 'justified')
    review('c', 'break-glass', 'north', '2026-03-02T00:00:00.000Z', null)
    review('d', 'attestation', 'south', '2027-01-01T04:59:59.999Z', 'unjustified')
    review('e', 'attestation', 'south', '2027-01-01T05:00:00.000Z', 'justified')
    review('f', 'attestation', 'south', '2026-01-01T04:59:59.999Z', 'justified')
    ask(world, 'q', 'access', '2026-05-01T00:00:00.000Z', [
      { organisation: '', state: 'received', outcome: '' },
      { organisation: 'north', state: 'referred', outcome: '' },
    ])
    ask(world, 'r', 'correction', '2026-05-02T00:00:00.000Z', [
      { organisation: 'north', state: 'answered', outcome: 'accepted' },
    ])
    ask(world, 's', 'access', '2025-12-31T00:00:00.000Z', [
      { organisation: 'north', state: 'answered', outcome: '' },
    ])
    enterIncident(world, 'i', 'north', '2026-05-01T00:00:00.000Z', ['open', 'closed'])
    enterIncident(world, 'j', '', '2026-05-01T00:00:00.000Z', ['open'])
    decideFinding(world, 'volume:1', '2026-05-01T00:00:00.000Z', 'referred')
    decideFinding(world, 'volume:1', '2026-05-02T00:00:00.000Z', 'justified')
    decideFinding(world, 'volume:2', '2027-05-01T00:00:00.000Z', 'justified')
    world.publish()
    const disclosed = await read(await world.ask(yearlyReport, year))
    text = disclosed.text
    patients = disclosed.chunks.flatMap((chunk) => chunk.patients)
  }, 60_000)

  test('counts what a second count of the same entries does, care as totals, the rest by why', () => {
    const counts = naiveCounts(world.entries('2026', '2027'))
    expect(Object.keys(counts).length).toBeGreaterThan(100)
    expect(countsOf(linesOf(text))).toEqual(counts)
  })

  test('tells what came of the emergencies and attestations of that year, as Québec counts it', () => {
    const reviews = linesOf(text).filter(({ section }) => section === 'reviews')
    expect(
      reviews.map(({ organisation, action, outcome, count }) => [organisation, action, outcome, count]),
    ).toEqual([
      ['north', 'break-glass', 'justified', 2],
      ['north', 'break-glass', 'open', 1],
      ['south', 'attestation', 'unjustified', 1],
    ])
  })

  test('tells what became of questions and incidents of that year, as they stand, and of findings decided in it', () => {
    const told = linesOf(text).filter(({ section = '' }) =>
      ['questions', 'incidents', 'findings'].includes(section),
    )
    expect(
      told.map((line) => [
        line.section,
        line.organisation,
        line.action,
        line.outcome,
        line.reason,
        line.count,
      ]),
    ).toEqual([
      ['questions', 'north', 'access', 'referred', null, 1],
      ['questions', 'north', 'correction', 'answered', 'accepted', 1],
      ['incidents', 'north', null, 'closed', 'question', 1],
      ['incidents', null, null, 'open', 'question', 1],
      ['findings', null, 'volume', 'justified', null, 1],
    ])
  })

  test('names no patient', () => {
    expect(text).not.toContain('person-')
    expect(text).toContain('"filters":"format=csv patient"')
    expect(patients).toEqual([])
  })

  test('of one organisation has the lines of that one, to its own officer alone', async () => {
    const own = await read(await world.ask(yearlyReport, year, 'south'))
    expect(linesOf(own.text)).toEqual(linesOf(text).filter(({ organisation }) => organisation === 'south'))
    const named = await read(await world.ask(yearlyReport, { ...year, organisation: 'south' }))
    expect(linesOf(named.text)).toEqual(linesOf(own.text))
    await expect(world.ask(yearlyReport, { ...year, organisation: 'north' }, 'south')).rejects.toThrow(
      'not-own-organisation',
    )
  })

  test('says which sections there are and what each log was counted up to', () => {
    const header = JSON.parse(text) as Record<string, unknown>
    expect(header).toMatchObject({
      format: 'dossier-report/1',
      year: '2026',
      from: '2026-01-01T05:00:00.000Z',
      to: '2027-01-01T05:00:00.000Z',
      organisation: null,
      sections: sectionNames,
      logs: world.logs.map((log) => ({
        log: log.name,
        first: 0,
        end: log.size,
        size: log.size,
        root: log.checkpointText(log.size).split('\n')[2],
        checkpoint: expect.stringContaining(log.origin),
      })),
    })
  })

  test('tells of how many entries the bodies are gone, and counts a minute of failed log-ins as what it stands for', async () => {
    const small = new CountedWorld(['east'])
    const [log] = small.logs
    if (!log) throw new Error('no log')
    appendEntry(log, accessOf({ patient: 'person-1' }))
    appendEntry(
      log,
      accessOf({
        action: 'authenticate',
        operation: 'counted-failures',
        decision: { outcome: 'deny', reason: 'unauthenticated', detail: 'counted' },
        note: { count: '17', 'count:expired': '17' },
      }),
    )
    log.redact(0)
    small.publish()
    const lines = linesOf((await read(await small.ask(yearlyReport, year))).text)
    expect(lines).toMatchObject([
      { section: 'refused', action: 'authenticate', reason: 'unauthenticated', count: 17 },
      { section: 'without-body', filters: 'log=east', count: 1 },
    ])
  })

  test('says from when on the log is whole, and counts a pruning as what it is', async () => {
    const small = new CountedWorld(['east'])
    const [log] = small.logs
    if (!log) throw new Error('no log')
    for (const patient of ['person-1', 'person-2', 'person-3']) appendEntry(log, accessOf({ patient }))
    const { time } = JSON.parse(log.entry(2).text)
    log.prune(2)
    appendEntry(log, accessOf({ action: 'redaction', operation: 'prune', phase: 'outcome' }))
    small.publish()
    const file = JSON.parse((await read(await small.ask(yearlyReport, year))).text)
    expect(file.logs).toMatchObject([{ log: 'east', first: 0, end: 5, prunedBefore: time }])
    const told = file.lines.map(({ section, count }: Line) => [section, count])
    expect(told).toEqual(
      expect.arrayContaining([
        ['prunings', 1],
        ['without-body', 2],
      ]),
    )
    expect(told.map(([section]: [string]) => section)).not.toContain('redactions')
    const csv = await read(await small.ask(yearlyReport, { ...year, format: 'csv' }))
    expect(csv.text.split('\r\n')[1]?.split(',').at(-1)).toBe(time)
  })

  test('is a table in CSV with the same counts', async () => {
    const csv = await read(await world.ask(yearlyReport, { ...year, format: 'csv' }))
    const [titles, ...rows] = csv.text.trimEnd().split('\r\n')
    expect(titles).toBe(
      'section,organisation,action,purpose,outcome,reason,filters,count,log,first,end,size,root,pruned_before',
    )
    const cells = rows.map((row) => row.split(','))
    expect(cells.filter(([section]) => section === 'log').map((row) => row.slice(8, 12))).toEqual(
      world.logs.map(({ name, size }) => [name, '0', String(size), String(size)]),
    )
    expect(
      cells
        .filter(([section]) => section !== 'log')
        .map(([section, , , , , , , count]) => [section, Number(count)]),
    ).toEqual(linesOf(text).map(({ section, count }) => [section, count]))
  })

  test('reads windows of indices by a key or an index, and records by the time of the review', () => {
    const groups = world.ledger.plans().filter((plan) => plan.some((step) => / b\b/.test(step)))
    expect(groups.map(([first]) => first).sort()).toEqual([
      'SEARCH b USING INDEX ledger_body_organisation (organisation=? AND log=? AND idx>? AND idx<?)',
      'SEARCH b USING PRIMARY KEY (log=? AND idx>? AND idx<?)',
    ])
    const planOf = (wanted: string) => {
      const section = recordsSections.find(({ name }) => name === wanted)
      const { sql, args } = section?.statement({ from: '2026', to: '2027' }, null) ?? { sql: '', args: {} }
      const plan = world.records.db.prepare(`explain query plan ${sql}`).all(args as Record<string, string>)
      return plan.map(({ detail }) => detail).slice(0, 2)
    }
    expect(planOf('reviews')).toEqual([
      'SEARCH i USING INDEX review_item_at (at>? AND at<?)',
      'SEARCH d USING PRIMARY KEY (item=?) LEFT-JOIN',
    ])
    expect(planOf('questions')).toEqual([
      'SEARCH q USING INDEX question_at (at>? AND at<?)',
      'SEARCH e USING INDEX question_event_current (question=?)',
    ])
    expect(planOf('incidents')).toEqual([
      'SEARCH i USING INDEX incident_at (at>? AND at<?)',
      'SEARCH v USING INDEX incident_version_current (incident=?)',
    ])
  })

  test.each([
    ['no year', {}],
    ['a year that is none', { year: '26' }],
    ['a parameter that it does not have', { ...year, patient: 'person-1' }],
  ])('refuses %s', async (_, input) => {
    await expect(world.ask(yearlyReport, input)).rejects.toThrow()
  })
})

interface QuestionState {
  readonly organisation: string
  readonly state: string
  readonly outcome: string
}

/** A question and every state it was in; the last one is current. */
function ask(
  world: CountedWorld,
  id: string,
  kind: string,
  at: string,
  states: readonly QuestionState[],
): void {
  const [entry, document] = kind === 'access' ? ['east/1', ''] : ['', 'Observation/1']
  world.records.rows(
    `insert into question (id, kind, source_record, entry, document, text, at, asked_by, capacity, professional, issuer,
                           subject, valid_from)
       values (?, ?, 'person-3', ?, ?, 'person-3', ?, 'person-3', 'patient', '', '', '', 1)`,
    id,
    kind,
    entry as string,
    document as string,
    at,
  )
  for (const [i, { organisation, state, outcome }] of states.entries())
    world.records.rows(
      `insert into question_event (question, version, state, organisation, asked_at, due, at, done_by, capacity, outcome,
                                   valid_from, valid_to)
         values (?, ?, ?, ?, ?, ?, ?, 'o', 'privacy-officer', ?, ?, ?)`,
      id,
      i + 1,
      state,
      organisation,
      at,
      at,
      at,
      outcome,
      i + 1,
      i + 1 < states.length ? i + 2 : null,
    )
}

function enterIncident(
  world: CountedWorld,
  id: string,
  organisation: string,
  at: string,
  statuses: readonly string[],
): void {
  world.records.rows(
    `insert into incident (id, organisation, origin_kind, origin, source_record, at, opened_by, valid_from)
       values (?, ?, 'question', 'q', 'person-3', ?, 'o', 1)`,
    id,
    organisation,
    at,
  )
  for (const [i, status] of statuses.entries())
    world.records.rows(
      `insert into incident_version (incident, version, status, body, at, done_by, valid_from, valid_to)
         values (?, ?, ?, '{"aware":{"from":"2026-05-01"}}', ?, 'o', ?, ?)`,
      id,
      i + 1,
      status,
      at,
      i + 1,
      i + 1 < statuses.length ? i + 2 : null,
    )
}

const decideFinding = (world: CountedWorld, finding: string, at: string, decision: string): void => {
  world.records.rows(
    `insert into finding_decision (finding, month, rule, professional, source_record, decision, note, muted_until,
                                   decided_by, decided_at, valid_from)
       values (?, '2026-04', 'volume', 'p', 'person-3', ?, 'person-3', '', 'o', ?, 1)`,
    finding,
    decision,
    at,
  )
}
