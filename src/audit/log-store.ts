/** The log's own storage: a small synchronous SQL database with durable commits. One instance owns it. */

export type LogValue = string | number | null | Uint8Array

export type LogRow = Readonly<Record<string, string | number | null | Uint8Array>>

export interface LogSql {
  /** Runs one statement, at most 100 bound values. Integers come back as numbers. */
  exec(sql: string, ...params: readonly LogValue[]): LogRow[]
}

export interface LogStore {
  /**
   * Runs `change` at once, as one transaction, and resolves when it is durable. Rejects when `change` threw (nothing is
   * stored then) or when the storage failed (what was changed may or may not be stored).
   */
  commit<T>(change: (sql: LogSql) => T): Promise<T>
  /** May see what a running commit has changed but not made durable yet. */
  read<T>(query: (sql: LogSql) => T): T
}

/** A Durable Object binds at most 100 values to a statement. */
const maxBoundValues = 100

/** Inserts all rows in as few statements as may be: `head` ends in `values`, `tail` follows the rows. */
export function insertRows(
  sql: LogSql,
  head: string,
  rows: readonly (readonly LogValue[])[],
  tail: string,
): void {
  const columns = rows[0]?.length ?? 1
  const perStatement = Math.floor(maxBoundValues / columns)
  for (let start = 0; start < rows.length; start += perStatement) {
    const chunk = rows.slice(start, start + perStatement)
    const row = `(${Array(columns).fill('?').join(', ')})`
    sql.exec(`${head} ${Array(chunk.length).fill(row).join(', ')} ${tail}`, ...chunk.flat())
  }
}
