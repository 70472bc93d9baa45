import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { ledgerPlace, placeStatement, type Redactions, redactions } from '../../../src/audit/redactions.ts'
import type { Statement } from '../../../src/store/ports.ts'
import { auditDatabase } from './audit-database.ts'
import { entriesBefore, noRedactions, redactionEntry } from './redaction-cases.ts'
import { ledgerOf, openLedger } from './support.ts'

const log = 'qc-test'

let ledger: DatabaseSync
let seen: Statement[]
let removing: Redactions

const place = async (index: number) => {
  const [rows] = await auditDatabase(ledger).read([placeStatement(log, index)])
  return ledgerPlace(rows?.[0])
}

beforeEach(async () => {
  ledger = openLedger()
  await ledgerOf(ledger).append(log, entriesBefore(log))
  seen = []
  removing = redactions((statements) => {
    seen.push(...statements)
    return auditDatabase(ledger).apply(statements)
  })
})

describe('the port by which a body goes', () => {
  test('names the entry that allows it, however often it is asked', async () => {
    await ledgerOf(ledger).append(log, [redactionEntry(log)])
    expect(await place(1)).toMatchObject({ redaction: 3, body: { action: 'search', opensLeaf: true } })
    expect(await removing.remove(log, 1)).toBe(3)
    expect(await removing.remove(log, 1)).toBe(3)
    expect(await place(1)).toMatchObject({ redaction: 3, body: null })
  })

  test('removes nothing without one, and says so', async () => {
    expect(await removing.remove(log, 1)).toBeNull()
    expect(await removing.remove(log, 99)).toBeNull()
    expect((await place(1)).body?.entry).toContain('"index":"1"')
  })

  test.each(noRedactions.filter(([name]) => /place/.test(name)))(
    'is refused by the ledger where the entry %s',
    async (_, entry) => {
      await ledgerOf(ledger).append(log, [entry(log)])
      await expect(removing.remove(log, 1)).rejects.toMatchObject({ code: 'constraint' })
      expect((await place(1)).body).not.toBeNull()
    },
  )

  test('finds that entry by its index, never by a walk through the log', async () => {
    await removing.remove(log, 1)
    for (const { sql, args } of [...seen, placeStatement(log, 1)]) {
      const plan = ledger
        .prepare(`explain query plan ${sql}`)
        .all(args as Record<string, string | number>)
        .map(({ detail }) => String(detail))
      expect(plan.filter((line) => line.includes('redaction'))).toEqual([
        expect.stringContaining('ledger_body_redacts (log=? AND redacts=?'),
      ])
    }
  })
})
