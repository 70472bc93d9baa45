/** An audit log on one machine: its own storage and a ledger, both over `node:sqlite`, with faults where a test wants them. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { AuditLogRpc } from '../../../src/audit/client.ts'
import { buildEntries } from '../../../src/audit/entry.ts'
import { type LedgerWriter, ledgerWriter } from '../../../src/audit/ledger.ts'
import type { StoredEntry } from '../../../src/audit/log-state.ts'
import type { LogRow, LogSql, LogStore } from '../../../src/audit/log-store.ts'
import type { AppendRequest, LogStatus } from '../../../src/audit/port.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { type SqlValue, StoreError } from '../../../src/store/ports.ts'
import { base } from './access.ts'

/** What a commit does wrong. `hangs`: it neither resolves nor rejects. */
export type CommitFault =
  | 'fails-not-persisted'
  | 'fails-but-persisted'
  | 'hangs-not-persisted'
  | 'hangs-but-persisted'

export class SqliteLogStore implements LogStore {
  readonly database = new DatabaseSync(':memory:')
  /** Taken by the next commits, one each. */
  readonly faults: (CommitFault | null)[] = []
  commits = 0
  statements = 0
  /** Commits wait for this before they are durable. */
  gate: Promise<void> = Promise.resolve()
  readonly #sql: LogSql = {
    exec: (sql, ...params) => {
      this.statements += 1
      return this.database.prepare(sql).all(...params) as LogRow[]
    },
  }

  read<T>(query: (sql: LogSql) => T): T {
    return query(this.#sql)
  }

  async commit<T>(change: (sql: LogSql) => T): Promise<T> {
    const fault = this.faults.shift() ?? null
    this.commits += 1
    this.database.exec('begin immediate')
    let result: T
    try {
      result = change(this.#sql)
    } catch (error) {
      this.database.exec('rollback')
      throw error
    }
    this.database.exec(fault?.endsWith('not-persisted') ? 'rollback' : 'commit')
    if (fault?.startsWith('fails')) throw new Error('injected: the disk failed')
    if (fault?.startsWith('hangs')) return new Promise<T>(() => {})
    await this.gate
    return result
  }
}

/** An append of one entry per patient; `null` is an entry about none. */
export function appendOf(
  patients: readonly (string | null)[],
  organisation: string | null = 'organisation-1',
  more: Partial<AppendRequest> = {},
): AppendRequest {
  const requestId = more.requestId ?? randomUUID()
  const phase = more.phase ?? 'access'
  const entries = patients.flatMap((patient) => {
    const resources = [`Observation/${patient}/_history/1`]
    const built = buildEntries({ ...base, requestId, phase }, [{ patient, resources }], organisation)
    if (!built.ok) throw new Error(built.error.detail)
    return built.value
  })
  return { requestId, phase, sequence: 0, entries, once: [], ...more }
}

/** The ledger's own tables and triggers, as the migration makes them. */
export function openLedger(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec('pragma foreign_keys = on')
  for (const statement of migration()) database.exec(statement)
  return database
}

export const migration = (): string[] =>
  readdirSync('drizzle/audit')
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .flatMap((name) => readFileSync(`drizzle/audit/${name}`, 'utf8').split('--> statement-breakpoint'))

export function ledgerOf(database: DatabaseSync): LedgerWriter {
  return ledgerWriter(async (statements) => {
    database.exec('begin immediate')
    try {
      for (const { sql, args } of statements) database.prepare(sql).run(...(args as SqlValue[]))
      database.exec('commit')
    } catch (error) {
      database.exec('rollback')
      // As the adapter for sqld tells it: a trigger's or a constraint's refusal, by its message.
      throw new StoreError('constraint', (error as Error).message)
    }
  })
}

export function ledgerEntries(database: DatabaseSync, log: string): StoredEntry[] {
  return database
    .prepare(
      'select idx as "index", leaf, salt, entry from ledger_leaf join ledger_body using (log, idx) where log = ? order by idx',
    )
    .all(log) as unknown as StoredEntry[]
}

/** Resolves once `holds` does; every turn of the event loop looks again. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** Logs in memory, each begun by its first append; they drain and sign nothing. */
export function inMemoryLogs(onAppend: (request: AppendRequest) => void = () => {}): AuditLogRpc {
  const sequencers = new Map<string, Sequencer>()
  const of = (log: string): Sequencer => {
    const known = sequencers.get(log) ?? new Sequencer({ log, store: new SqliteLogStore(), now: Date.now })
    sequencers.set(log, known)
    return known
  }
  return {
    append: (log, request) => {
      onAppend(request)
      return of(log).append(request)
    },
    appendFailure: (log, address, reason, request) => of(log).appendFailure(address, reason, request),
    status: async (log) => statusOf(log, { size: String(of(log).size) }),
    drained: async () => true,
    published: async () => true,
    openIntents: async () => [],
    attest: refused,
    close: refused,
    found: refused,
    stranded: async () => ({ entries: [], next: null }),
    retire: async () => undefined,
  }
}

const refused = async () =>
  ({ ok: false, error: { reason: 'log-unavailable', detail: 'this log signs nothing' } }) as const

/** What a sound log says of itself. */
export const statusOf = (log: string, more: Partial<LogStatus> = {}): LogStatus => ({
  log,
  size: '0',
  drained: '0',
  published: '0',
  openIntents: 0,
  standing: 'anchored',
  successor: null,
  fault: null,
  witnesses: [],
  ...more,
})
