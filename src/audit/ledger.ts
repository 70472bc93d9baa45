/** The audit database's side of draining: append-only tables, see `drizzle/audit/`. */
import type { Statement } from '../store/ports.ts'
import type { StoredEntry } from './log-state.ts'

export interface LedgerWriter {
  /** Takes entries once, however often they come; rejects when the same index holds other bytes. */
  append(log: string, entries: readonly StoredEntry[]): Promise<void>
}

/** @param batch applies statements in one transaction; rejects when they did not, or may not have, taken effect. */
export function ledgerWriter(batch: (statements: Statement[]) => Promise<unknown>): LedgerWriter {
  return {
    append: async (log, entries) => {
      await batch(appendStatements(log, entries))
    },
  }
}

/** Two statements whatever the number of entries. SQLite has no base64, so bytes travel as hexadecimal. */
function appendStatements(log: string, entries: readonly StoredEntry[]): Statement[] {
  const leaves = entries.map(({ index, leaf }) => [index, hex(leaf)])
  const bodies = entries.map(({ index, salt, entry }) => [index, hex(salt), entry])
  return [
    {
      sql: `insert into ledger_leaf (log, idx, leaf)
              select ?, value ->> 0, unhex(value ->> 1) from json_each(?) order by key`,
      args: [log, JSON.stringify(leaves)],
    },
    {
      sql: `insert into ledger_body (log, idx, salt, entry)
              select ?, value ->> 0, unhex(value ->> 1), value ->> 2 from json_each(?) order by key`,
      args: [log, JSON.stringify(bodies)],
    },
  ]
}

/** Lower-case hexadecimal, the form in which bytes travel to the audit database. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
