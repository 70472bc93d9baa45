import { describe, expect, test } from 'vitest'
import type { SqlValue } from '../../../src/store/ports.ts'
import { type EntryFilter, pageStatement } from '../../../src/trail/ledger-sql.ts'
import { openLedger } from '../audit/support.ts'

describe('a page of entries is one range of the index of its most selective filter', () => {
  test.each<[EntryFilter, string]>([
    [{ patient: 'p', breakGlass: true, outcome: 'deny' }, 'ledger_body_patient'],
    [{ breakGlass: true, organisation: 'o' }, 'ledger_body_break_glass'],
    [{ practitioner: 'd', facility: 'f' }, 'ledger_body_practitioner'],
    [{ outcome: 'deny', reason: 'r' }, 'ledger_body_refused'],
    [{ facility: 'f', reason: 'r' }, 'ledger_body_facility'],
    [{ reason: 'r', outcome: 'permit' }, 'ledger_body_reason'],
    [{ organisation: 'o', action: 'read' }, 'ledger_body_organisation'],
    [{ action: 'read' }, 'ledger_body_action'],
  ])('%j', (filter, index) => {
    const { sql, args } = pageStatement('east', 0, 10, filter, 5)
    const rows = openLedger()
      .prepare(`explain query plan ${sql}`)
      .all(...(args as SqlValue[]))
    const plan = rows.map(({ detail }) => String(detail))
    expect(plan).toContainEqual(expect.stringMatching(`SEARCH ledger_body USING INDEX ${index} .*idx>`))
    // The outer query walks the page that the inner one made.
    expect(plan.join('\n')).not.toMatch(/TEMP B-TREE|AUTOMATIC|SCAN (?!\(subquery)/)
  })
})
