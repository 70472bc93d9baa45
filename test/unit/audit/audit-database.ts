/** The audit database in memory, behind the port. */
import type { DatabaseSync } from 'node:sqlite'
import {
  type Rows,
  type SqlValue,
  type Statement,
  StoreError,
  type Writer,
} from '../../../src/store/ports.ts'

/** A batch is one transaction. */
export function auditDatabase(database: DatabaseSync): Pick<Writer, 'read' | 'apply'> {
  const run = ({ sql, args = [] }: Statement): Rows => {
    const statement = database.prepare(sql)
    const rows = Array.isArray(args)
      ? statement.all(...(args as SqlValue[]))
      : statement.all(args as Record<string, SqlValue>)
    return rows as unknown as Rows
  }
  const batch = async (statements: readonly Statement[]): Promise<readonly Rows[]> => {
    database.exec('begin immediate')
    try {
      const rows = statements.map(run)
      database.exec('commit')
      return rows
    } catch (error) {
      database.exec('rollback')
      const { message, errcode } = error as Error & { errcode?: number }
      // SQLITE_CONSTRAINT: a constraint or a trigger.
      throw new StoreError(((errcode ?? 0) & 0xff) === 19 ? 'constraint' : 'statement', message, error)
    }
  }
  return { read: batch, apply: batch }
}
