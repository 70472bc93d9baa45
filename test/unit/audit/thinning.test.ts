/** Checkpoints of a busy log do not fill the audit database. */
import { expect, test } from 'vitest'
import { thinningStatements } from '../../../src/audit/public-store.ts'
import { databaseOf, newWorld } from './log-world.ts'

const hour = 3_600_000
const start = Date.parse('2026-11-22T09:00:00.000Z')

test.each(['on', 'off'])(
  'of old checkpoints the newest of each hour stays, of those since all, foreign keys %s',
  async (foreignKeys) => {
    const { ledger } = newWorld()
    ledger.exec(`pragma foreign_keys = ${foreignKeys}`)
    const put = ledger.prepare('insert into checkpoint (log, size, time, note) values (?, ?, ?, ?)')
    const sign = ledger.prepare('insert into cosignature (log, size, witness, line) values (?, ?, ?, ?)')
    for (const log of ['montreal', 'quebec'])
      for (const [i, minutes] of [0, 20, 59, 60, 125, 130, 190, 195].entries()) {
        put.run(log, i + 1, start + minutes * 60_000, 'note')
        sign.run(log, i + 1, 'w1', 'line')
      }
    const sizes = (table: string, log: string) =>
      ledger
        .prepare(`select size from ${table} where log = ? order by size`)
        .all(log)
        .map(({ size }) => size)
    await databaseOf(ledger).apply(thinningStatements(start + 3 * hour))
    for (const table of ['checkpoint', 'cosignature'])
      for (const log of ['montreal', 'quebec']) expect(sizes(table, log)).toEqual([3, 4, 6, 7, 8])
    // The newest of a log is never touched, however old.
    await databaseOf(ledger).apply(thinningStatements(start + 100 * hour))
    expect(sizes('checkpoint', 'montreal')).toEqual([3, 4, 6, 8])
  },
)
