/** A document has as many versions as it was published: what it takes to read one, or a page of them, does not grow with them. */
import { expect, test } from 'vitest'
import { sightOf } from '../../../src/access/sight.ts'
import { subjectStatement } from '../../../src/access/subject-sql.ts'
import { visible, visibleArgs } from '../../../src/access/visible.ts'
import {
  currentStatement,
  historyStatement,
  lastStatement,
  versionStatement,
} from '../../../src/records/versions-sql.ts'
import { openDatabase } from '../store/memory-database.ts'

const facility = { id: 'h', organisation: 'o' }
const provider = {
  kind: 'provider',
  facility,
  professional: 'p',
  role: 'physician',
  purpose: 'BTG',
  domains: new Set(['laboratory']),
  clearance: { own: 'R', elsewhere: 'N' },
}
const settings = { lifted: new Set(['relationship', 'restriction']) }
const viewer = {
  presented: { purpose: 'BTG' },
  sight: sightOf(provider as never, settings as never),
  now: 1,
}
const filter = { sql: visible('d', viewer as never), args: visibleArgs(viewer as never) }
const document = { type: 'Observation', id: 'x' }
const page = { before: 7, since: '', rows: 21, bytes: 1_000 }

test.each([
  ['the current version', currentStatement(document, filter), 'SEARCH d USING INDEX document_id'],
  [
    'a version',
    versionStatement(document, 1, filter),
    'SEARCH v USING PRIMARY KEY (type=? AND id=? AND version=?)',
  ],
  ['the last', lastStatement(document, filter), 'SEARCH v USING PRIMARY KEY (type=? AND id=?)'],
  [
    'a page',
    historyStatement(document, page, filter),
    'SEARCH v USING PRIMARY KEY (type=? AND id=? AND version<?)',
  ],
  [
    'whom it is about',
    subjectStatement({
      of: { by: 'document', ...document, sourceRecord: 's' },
      facility: 'h',
      professional: 'p',
      now: 1,
    }),
    'SEARCH document_version USING PRIMARY KEY (type=? AND id=?)',
  ],
])('%s is one range, in order', async (_, { sql, args = {} }, range) => {
  const records = openDatabase('records')
  const [rows = []] = await records.read([{ sql: `explain query plan ${sql}`, args }])
  const steps = rows.map(({ detail }) => String(detail))
  expect(steps.some((step) => step.startsWith(range))).toBe(true)
  expect(steps.filter((step) => /TEMP B-TREE|AUTOMATIC/.test(step))).toEqual([])
  expect(steps.filter((step) => /^SCAN (?!\(subquery-\d+\)|u$)/.test(step))).toEqual([])
})

test('a page looks at no more versions than it has rows, however many there are', async () => {
  const records = openDatabase('records')
  records.db.exec(`
    insert into document_version with recursive n(v) as (select 1 union all select v + 1 from n where v < 2000)
    select 'Observation', 'x', v, '', 'h', 'laboratory', '', '', '', '', 'final', 'N', '2024', 1, '', 'body ' || v, 0 from n`)
  const looked = async (rows: number) => {
    let calls = 0
    records.db.function('seen', { deterministic: false }, () => {
      calls++
      return 1
    })
    const { sql, args = {} } = historyStatement(
      document,
      { ...page, before: null, rows },
      { sql: `seen() = 1 and ${filter.sql}`, args: filter.args },
    )
    const [found = []] = await records.read([{ sql, args }])
    expect(found.map(({ version }) => version)).toEqual(Array.from({ length: rows }, (_, n) => 2000 - n))
    return calls
  }
  expect(await looked(20)).toBeLessThanOrEqual(22)
})
