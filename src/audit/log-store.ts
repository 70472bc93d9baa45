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
