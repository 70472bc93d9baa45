/** A migrated database in memory, behind the real ports. */
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import {
  type Rows,
  type SqlValue,
  type Statement,
  StoreError,
  type Writer,
} from '../../../src/store/ports.ts'

export interface MemoryDatabase extends Writer {
  readonly db: DatabaseSync
  rows(sql: string, ...args: SqlValue[]): Rows
  /**
   * Makes the next write fail: before it commits, or with its answer lost after. `repeated`: the answer of a first attempt
   * was lost, the second finds its key taken.
   */
  failNext: 'before-commit' | 'after-commit' | 'repeated' | null
  /** Runs once before the next write: what somebody else does between reading and writing. */
  beforeWrite: (() => void) | null
  /** SQL of every statement run, for their plans. */
  readonly seen: Set<string>
}

/** Every statement of a database's migrations, in order. */
export function migrationsOf(name: 'records' | 'local' | 'audit'): readonly string[] {
  const folder = `${import.meta.dirname}/../../../drizzle/${name}`
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return files
    .sort()
    .flatMap((file) => readFileSync(`${folder}/${file}`, 'utf8').split('--> statement-breakpoint'))
}

/** The port over one connection: a batch is a transaction, a key commits with it. */
export function openDatabase(name: 'records' | 'local'): MemoryDatabase {
  const db = new DatabaseSync(':memory:')
  for (const statement of migrationsOf(name)) db.exec(statement)
  const seen = new Set<string>()
  const run = ({ sql: text, args = [] }: Statement): Rows => {
    seen.add(text)
    const statement = db.prepare(text)
    const bound = args as readonly SqlValue[] | Record<string, SqlValue>
    return (Array.isArray(bound)
      ? statement.all(...bound)
      : statement.all(bound as Record<string, SqlValue>)) as unknown as Rows
  }
  const transaction = (statements: readonly Statement[]): readonly Rows[] => {
    db.exec('begin immediate')
    try {
      const rows = statements.map(run)
      db.exec('commit')
      return rows
    } catch (error) {
      db.exec('rollback')
      const message = (error as Error).message
      throw new StoreError(message.includes('constraint') ? 'constraint' : 'statement', message, error)
    }
  }
  const taken = (key: string) => run({ sql: 'select aborted from write_key where key = ?', args: [key] })[0]
  const self: MemoryDatabase = {
    db,
    seen,
    failNext: null,
    beforeWrite: null,
    rows: (text, ...args) => db.prepare(text).all(...args) as unknown as Rows,
    read: async (statements) => transaction(statements),
    apply: async (statements) => transaction(statements),
    abort: async (key) => {
      run({
        sql: 'insert or ignore into write_key (key, clock, at, aborted) select ?, n, 0, 1 from clock',
        args: [key],
      })
      return taken(key)?.aborted === 1
    },
    write: async (key, statements) => {
      const fault = self.failNext
      self.failNext = null
      if (fault === 'before-commit') throw new StoreError('unavailable', 'injected')
      const meanwhile = self.beforeWrite
      self.beforeWrite = null
      meanwhile?.()
      const before = taken(key)
      if (before?.aborted === 1) throw new StoreError('aborted', 'settled')
      if (before) return { replayed: true, rows: [] }
      const rows = transaction([
        { sql: 'update clock set n = n + 1 where id = 1' },
        { sql: 'insert into write_key (key, clock, at) select ?, n, 0 from clock', args: [key] },
        ...statements,
      ])
      if (fault === 'after-commit') throw new StoreError('unavailable', 'injected')
      if (fault === 'repeated') return { replayed: true, rows: [] }
      return { replayed: false, rows: rows.slice(2) }
    },
  }
  return self
}
