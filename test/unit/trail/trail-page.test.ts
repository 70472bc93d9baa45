/** Pages of the trail: complete, in order, once each; read by named indexes, and as little as a page is long. */
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { SqlValue, Statement } from '../../../src/store/ports.ts'
import {
  positionOf,
  type TrailKey,
  type TrailPosition,
  type TrailRange,
  trailPageStatement,
} from '../../../src/trail/trail-page.ts'
import { openLedger } from '../audit/support.ts'

const logs = ['laval', 'montreal', 'quebec']
const always: TrailRange = {
  from: '2026-01-01T00:00:00.000Z',
  until: '2026-12-31T23:59:59.999Z',
  log: null,
  after: null,
}
const patient = (...values: string[]): TrailKey => ({ column: 'patient', values })

/**
 * `size` entries in every log, one of them a second and several at one instant; of patient `rare` one in 300, under another
 * id one in 700. Written past the triggers and the indexes not asked for here, which have tests of their own.
 */
function filled(size: number): DatabaseSync {
  const database = openLedger()
  database.exec('pragma foreign_keys = off')
  for (const { type, name } of database
    .prepare("select type, name from sqlite_schema where type in ('trigger', 'index') and sql is not null")
    .all())
    if (!['ledger_body_patient', 'ledger_body_time'].includes(String(name)))
      database.exec(`drop ${type} ${name}`)
  for (const [i, log] of logs.entries()) {
    database.prepare("insert into log values (?, ?, '', '', null)").run(log, `example/${log}`)
    database
      .prepare(`
        with recursive n (i) as (values (0) union all select i + 1 from n where i < :size - 1)
        insert into ledger_body (log, idx, salt, entry)
        select :log, i, zeroblob(32), '{"access":{"action":"read","decision":{"outcome":"permit"},"patient":"'
          || case when i % 300 = :shift then 'rare' when i % 700 = :shift then 'rarer' else 'p' || (i % 997) end
          || '","requestId":"r","who":{}},"index":"' || i || '","log":"' || :log || '","time":"'
          || strftime('%Y-%m-%dT%H:%M:%S', 1767225600 + i / 4 * 4, 'unixepoch') || '.000Z"}'
        from n`)
      .run({ size, log, shift: i })
  }
  return database
}

const read = (database: DatabaseSync, { sql, args }: Statement) =>
  database.prepare(sql).all(args as Record<string, SqlValue> as never)

const placeOf = ({ log, index }: TrailPosition): string => `${log}/${index}`

/** Page after page, to the last. */
function walked(database: DatabaseSync, key: TrailKey, range: TrailRange, rows: number): TrailPosition[] {
  const all: TrailPosition[] = []
  let after = range.after
  for (;;) {
    const page = read(database, trailPageStatement(key, { ...range, after }, rows)).map((row) =>
      positionOf(row as never),
    )
    all.push(...page)
    after = page.at(-1) ?? null
    if (after === null) return all
  }
}

const expected = (database: DatabaseSync, condition: string): string[] =>
  database
    .prepare(`select log, idx from ledger_body where ${condition} order by time desc, log desc, idx desc`)
    .all()
    .map(({ log, idx }) => `${log}/${idx}`)

describe('a page of the trail', () => {
  const small = filled(4_000)

  test.each([1, 2, 7, 500])('pages of %i give every entry once, newest first, over all logs', (rows) => {
    const found = walked(small, patient('rare', 'rarer'), always, rows).map(placeOf)
    expect(found).toEqual(expected(small, "patient in ('rare', 'rarer')"))
    expect(found.length).toBeGreaterThan(40)
  })

  test('without a key it is all that is in the logs', () => {
    const from = '2026-01-01T01:00:00.000Z'
    expect(walked(small, { column: null }, { ...always, from }, 100).map(placeOf)).toEqual(
      expected(small, `time >= '${from}'`),
    )
  })

  test('a period is inclusive at both ends, and may have nothing', () => {
    const range = { ...always, from: '2026-01-01T00:10:00.000Z', until: '2026-01-01T00:20:00.000Z' }
    const found = walked(small, { column: null }, range, 50)
    expect(found.map(placeOf)).toEqual(expected(small, `time between '${range.from}' and '${range.until}'`))
    expect(found[0]?.time).toBe(range.until)
    expect(found.at(-1)?.time).toBe(range.from)
    expect(walked(small, patient('rare'), { ...always, until: always.from.replace('26', '25') }, 50)).toEqual(
      [],
    )
    expect(walked(small, patient('rare'), { ...always, from: always.until }, 50)).toEqual([])
  })

  test('one log may be asked for alone', () => {
    const found = walked(small, patient('rare'), { ...always, log: 'quebec' }, 5).map(placeOf)
    expect(found).toEqual(expected(small, "patient = 'rare' and log = 'quebec'"))
  })

  test('what was redacted is passed over', () => {
    const one = filled(400)
    one.exec("delete from ledger_body where log = 'laval' and idx in (0, 300, 399)")
    expect(walked(one, patient('rare'), always, 2).map(placeOf)).toEqual(expected(one, "patient = 'rare'"))
    expect(walked(one, { column: null }, always, 64).map(placeOf)).toEqual(expected(one, 'true'))
  })

  test('a page of long entries is cut by bytes, and says that there is more', () => {
    const one = filled(30)
    one.exec(`update ledger_body set entry = json_set(entry, '$.filler', hex(zeroblob(60000)))`)
    const page = read(one, trailPageStatement({ column: null }, always, 50))
    expect(page).toHaveLength(35)
    expect(page[0]).toMatchObject({ found: 50 })
    expect(walked(one, { column: null }, always, 50)).toHaveLength(90)
  })

  const keys: readonly TrailKey[] = [
    patient('rare'),
    { column: 'practitioner', values: ['x'] },
    { column: 'organisation', values: ['x'] },
    { column: 'action', values: ['read'] },
    { column: 'outcome', values: ['deny', 'error'] },
    { column: null },
  ]
  const full = openLedger()
  test.each(keys)('by $column reads the ledger by an index alone', (key) => {
    const { sql, args } = trailPageStatement(key, always, 51)
    const plan = full
      .prepare(`explain query plan ${sql}`)
      .all(args as never)
      .map(({ detail }) => String(detail))
    const touched = plan.filter((step) => /^(SEARCH|SCAN) (i|t|b|ledger_body)\b/.test(step))
    const named =
      /^SEARCH (i USING (COVERING )?INDEX ledger_body_\w+ \(.*log=\? AND idx>\? AND idx<\?\)|i USING PRIMARY KEY \(log=\? AND idx>\? AND idx<\?\)|t USING (COVERING )?INDEX ledger_body_time \(log=\? AND time[<>]\?\)|b USING PRIMARY KEY \(log=\? AND idx=\?\))$/
    expect(touched.length).toBeGreaterThanOrEqual(5)
    expect(touched.filter((step) => !named.test(step))).toEqual([])
    // What is scanned is the list of logs and what the page holds already.
    expect(plan.filter((step) => step.startsWith('SCAN')).map((step) => step.split(' ')[1])).toEqual(
      expect.arrayContaining(['log']),
    )
    expect(plan.some((step) => /^SCAN (ledger_body|ledger_leaf|i|b|t)\b/.test(step))).toBe(false)
  })

  test('over a million entries a patient’s whole trail pages through, each page visiting no more than it is long', () => {
    const rows = 100
    const large = filled(333_334)
    expect(large.prepare('select count(*) as n from ledger_body').get()).toEqual({ n: 1_000_002 })
    let visited = 0
    large.function('visited', () => ++visited)
    const counting = (statement: Statement): Statement => {
      const sql = statement.sql.replace(/(\n\s*order by i\.idx desc limit :rows)/, ' and visited() $1')
      expect(sql).not.toBe(statement.sql)
      return { ...statement, sql }
    }
    const all: string[] = []
    let after: TrailPosition | null = null
    let most = 0
    do {
      visited = 0
      const page = read(
        large,
        counting(trailPageStatement(patient('rare', 'rarer'), { ...always, after }, rows)),
      )
      most = Math.max(most, visited)
      all.push(...page.map((row) => placeOf(positionOf(row as never))))
      after = page.length === 0 ? null : positionOf(page.at(-1) as never)
    } while (after !== null)
    expect(all).toEqual(expected(large, "patient in ('rare', 'rarer')"))
    expect(all.length).toBeGreaterThan(4_000)
    expect(most).toBeLessThanOrEqual(rows * 2 * logs.length)
    expect(most).toBeGreaterThan(rows)
  }, 60_000)
})
