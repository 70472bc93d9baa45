/** A facility publishes for years: a page of a type's history costs what it holds, not what there is. */
import { describe, expect, test } from 'vitest'
import { type FeedPosition, feedStatements, overdueStatement } from '../../../src/records/type-history-sql.ts'
import { openDatabase } from '../store/memory-database.ts'

const page = (after: FeedPosition | null, rows = 21) =>
  feedStatements({ type: 'Observation', facility: 'h', after, since: '2020', rows, bytes: 100_000 })
const there = { published: '2024', id: 'x', version: 3 }

describe.each(['records', 'local'] as const)('in %s', (name) => {
  test.each([
    ['current', 'SEARCH document USING INDEX document_feed', 'published', 'id'],
    ['earlier', 'SEARCH v USING INDEX document_version_feed', 'published', 'id,version'],
  ])('a page of %s versions is one range, in order', async (which, range, lower, upper) => {
    const database = openDatabase(name)
    for (const after of [null, there]) {
      const statement = page(after)[which === 'current' ? 0 : 1]
      const [rows = []] = await database.read([{ ...statement, sql: `explain query plan ${statement.sql}` }])
      const steps = rows.map(({ detail }) => String(detail))
      const places = upper.split(',').map(() => '?')
      const bounds = `${lower}>? AND (published,${upper})<(?,${places.join(',')})`
      expect(steps).toContain(`${range} (facility=? AND type=? AND ${bounds})`)
      expect(steps.filter((step) => /TEMP B-TREE|AUTOMATIC/.test(step))).toEqual([])
      expect(steps.filter((step) => /^SCAN (?!\(subquery-\d+\)$)/.test(step))).toEqual([])
    }
  })

  test.each([
    ['current', 'document', 0],
    ['earlier', 'document_version', 1],
  ] as const)('a page of %s versions looks at no more of them than it has rows', async (_, table, which) => {
    const database = openDatabase(name)
    database.db.exec(`
      insert into ${table} (${table === 'document' ? 'person, ' : ''}type, id, version, source_record, facility, domain, category,
        code, date_lo, date_hi, status, confidentiality, published, clock, hash, body)
      with recursive n(v) as (select 1 union all select v + 1 from n where v < 2000)
      select ${table === 'document' ? "'p', " : ''}'Observation', printf('%05d', v), 1, '', 'h', 'laboratory', '',
        '', '', '', 'final', 'N', printf('2024-%04d', v / 7), 1, '', 'body ' || v from n`)
    const looked = async (after: FeedPosition | null) => {
      let calls = 0
      database.db.function('seen', { deterministic: false }, () => {
        calls++
        return 1
      })
      const { sql, args = {} } = page(after)[which]
      const watched = sql.replace('d.facility = :facility', 'd.facility = :facility and seen() = 1')
      expect(watched).not.toBe(sql)
      const [found = []] = await database.read([{ sql: watched, args }])
      return { calls, ids: found.map(({ id }) => Number(id)) }
    }
    const down = (from: number) => Array.from({ length: 21 }, (_, n) => from - n)
    const first = await looked(null)
    expect(first.ids).toEqual(down(2000))
    expect(first.calls).toBeLessThanOrEqual(23)
    const next = await looked({ published: '2024-0200', id: '01402', version: 1 })
    expect(next.ids).toEqual(down(1401))
    expect(next.calls).toBeLessThanOrEqual(24)
  })
})

test('what waits for too long is found by when it came', async () => {
  const { sql, args = {} } = overdueStatement('h', 1_000_000_000_000)
  const [rows = []] = await openDatabase('local').read([{ sql: `explain query plan ${sql}`, args }])
  expect(rows.map(({ detail }) => detail)).toEqual(['SEARCH pending USING INDEX pending_at (at>? AND at<?)'])
})

test('nobody’s page is empty', async () => {
  const database = openDatabase('records')
  database.db.exec(`
    insert into document_version values ('Observation', 'x', 1, '', 'h', 'laboratory', '', '', '', '', 'final', 'N', '2024', 1,
      '', 'body', 0)`)
  const ask = (facility: string | null) =>
    database.read(
      feedStatements({ type: 'Observation', facility, after: null, since: '', rows: 9, bytes: 9 }),
    )
  expect((await ask('h')).map((rows) => rows.length)).toEqual([0, 1])
  expect((await ask(null)).map((rows) => rows.length)).toEqual([0, 0])
})
