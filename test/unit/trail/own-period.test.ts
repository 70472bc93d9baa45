/** A patient who asks for a period of their own trail learns nothing of when anybody else's entries were made. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { firstOwnAtStatement, lastOwnBeforeStatement } from '../../../src/trail/ledger-sql.ts'
import { openLedger } from '../audit/support.ts'
import type { SampleHeader } from '../audit/verify/sample-files.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type Asked, exportedText } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const log = new SampleLog('east')
/** Of one person, under the id of today and an earlier one. */
const own = [3, 11, 12, 27]
const size = 40

const caller: Caller = { kind: 'patient', person: 'p1', name: '', assurance: 'a' }
const asked: Asked = { served: ['east'], sources: [['p2', 'p1'], ['p1']] }

let ledger: PublishedLedger

beforeAll(() => {
  for (let i = 0; i < size; i++)
    log.append({ patient: own.includes(i) ? (i < 12 ? 'p2' : 'p1') : 'somebody', organisation: 'o1' })
  ledger = new PublishedLedger()
  ledger.publish(log)
})

const timeOf = (index: number): string => JSON.parse(log.entry(index).text).time

async function exported(input: Record<string, unknown>, more: Asked = {}) {
  const [header = '', ...lines] = (await exportedText(ledger, input, { ...asked, ...more }))
    .split('\n')
    .slice(0, -1)
  const [searched] = (JSON.parse(header) as SampleHeader).logs
  return { first: Number(searched?.first), end: Number(searched?.end), lines }
}

describe('of a period of their own trail', () => {
  test('the header has indices next to their own entries alone, and the file all of these', async () => {
    const edges = { first: [0, ...own.map((index) => index + 1)], end: [size, ...own] }
    for (let index = 0; index < size; index += 1) {
      for (const period of [
        { from: timeOf(index) },
        { to: timeOf(index) },
        { from: timeOf(index), to: timeOf(Math.min(index + 3, size - 1)) },
      ]) {
        const found = await exported(period, { caller })
        expect([period, edges.first.includes(found.first), edges.end.includes(found.end)]).toEqual([
          period,
          true,
          true,
        ])
        const officers = await exported({ patient: 'p1', ...period })
        expect(found.lines).toEqual(officers.lines)
      }
    }
  })

  test('nobody is looked at but them', () => {
    for (const [statement, order] of [
      [firstOwnAtStatement('east', timeOf(5), ['p1', 'p2']), 'idx'],
      [lastOwnBeforeStatement('east', timeOf(5), ['p1', 'p2']), 'idx desc'],
    ] as const) {
      const plan = openLedger()
        .prepare(`explain query plan ${statement.sql}`)
        .all(...(statement.args as string[]))
        .map(({ detail }) => String(detail))
      expect(statement.sql).toContain(`order by ${order} limit 1`)
      expect(plan).toContainEqual('SEARCH ledger_body USING INDEX ledger_body_patient (patient=? AND log=?)')
    }
  })
})
