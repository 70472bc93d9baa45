/** A whole audit log on one machine: storage and audit database on `node:sqlite`, witnesses and *records* in memory. */
import type { DatabaseSync } from 'node:sqlite'
import type { AnchorStore } from '../../../src/audit/anchor-store.ts'
import { AuditLog, type AuditLogOptions } from '../../../src/audit/audit-log.ts'
import { type LogSigner, logSigner } from '../../../src/audit/log-signer.ts'
import { type OutsideStore, outsideStore } from '../../../src/audit/outside-store.ts'
import type { Row, SqlValue, Statement } from '../../../src/store/ports.ts'
import { StoreError, type Writer } from '../../../src/store/ports.ts'
import { openLedger, SqliteLogStore } from './support.ts'

export const origin = (log: string): string => `record.example/audit/logs/${log}`

/** Keys of `log` from a fixed secret. */
export const signerOf = (log: string, secret = 7): LogSigner =>
  logSigner(new Uint8Array(32).fill(secret), log, origin(log))

/** A database port over `node:sqlite`: each call one transaction. */
export function databaseOf(db: DatabaseSync): Pick<Writer, 'apply' | 'read'> {
  const run = async (statements: readonly Statement[]): Promise<Row[][]> => {
    db.exec('begin immediate')
    try {
      const rows = statements.map(
        ({ sql, args = [] }) => db.prepare(sql).all(...(args as SqlValue[])) as Row[],
      )
      db.exec('commit')
      return rows
    } catch (error) {
      db.exec('rollback')
      throw new StoreError('constraint', (error as Error).message)
    }
  }
  return { apply: run, read: run }
}

/** `log_anchor` of *records*. */
export function memoryAnchors(): AnchorStore & {
  readonly newest: Map<string, { size: number; note: string }>
} {
  const newest = new Map<string, { size: number; note: string }>()
  return {
    newest,
    view: async (log) => {
      const checkpoint = newest.get(log)
      return checkpoint ? { entries: null, checkpoint } : null
    },
    put: async (log, { size, note }) => {
      newest.set(log, { size, note })
    },
  }
}

export interface World {
  readonly log: string
  store: SqliteLogStore
  readonly ledger: DatabaseSync
  readonly outside: OutsideStore
  now: number
  readonly faults: string[]
  /** Opens the log on its storage, as after a start. */
  open(more?: Partial<AuditLogOptions>): AuditLog
}

export function newWorld(log = 'qc-test', ledger = openLedger()): World {
  const world: World = {
    log,
    store: new SqliteLogStore(),
    ledger,
    outside: outsideStore(databaseOf(ledger), 1_000),
    now: Date.parse('2026-11-22T09:06:00.123Z'),
    faults: [],
    open: (more = {}) =>
      new AuditLog({
        log,
        store: world.store,
        outside: world.outside,
        anchors: null,
        witnesses: [],
        client: { submit: async () => ({ kind: 'unreachable', detail: 'no witness here' }) },
        signers: [signerOf(log)],
        now: () => world.now,
        publishEveryMs: 0,
        onFault: (what, error) => world.faults.push(`${what}: ${(error as Error).message}`),
        ...more,
      }),
  }
  return world
}

/** A copy of a storage as it is now, as a backup would hold it. */
export function copyOf(store: SqliteLogStore): SqliteLogStore {
  const copy = new SqliteLogStore()
  const tables = store.database
    .prepare(
      "select name, sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by type = 'index'",
    )
    .all() as { name: string; sql: string }[]
  for (const { name, sql } of tables) {
    copy.database.exec(sql)
    if (!sql.startsWith('CREATE TABLE')) continue
    const rows = store.database.prepare(`select * from ${name}`).all() as Record<string, SqlValue>[]
    for (const row of rows) {
      const columns = Object.keys(row)
      copy.database
        .prepare(`insert into ${name} (${columns.join()}) values (${columns.map(() => '?').join()})`)
        .run(...Object.values(row))
    }
  }
  return copy
}
