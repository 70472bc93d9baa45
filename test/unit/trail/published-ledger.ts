/** An audit database in memory that holds what sample logs have published, behind the ports an operation reads by. */
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../../../src/audit/commitment.ts'
import type { AuditLogs } from '../../../src/audit/port.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { formatSignatureLine } from '../../../src/audit/tlog/note.ts'
import { TileEdge } from '../../../src/audit/tlog/tile.ts'
import { err, ok } from '../../../src/result.ts'
import {
  type Reader,
  type Rows,
  type SqlValue,
  type Statement,
  StoreError,
} from '../../../src/store/ports.ts'
import { openLedger } from '../audit/support.ts'
import { signNote } from '../audit/verify/sample-keys.ts'
import type { SampleLog } from '../audit/verify/sample-log.ts'

export class PublishedLedger {
  readonly database: DatabaseSync = openLedger()
  /** Every statement that was read, in order. */
  readonly asked: Statement[] = []
  /** The audit database does not answer. */
  isAway = false
  /** Logs that do not answer. */
  readonly silent = new Set<string>()
  readonly #logs: SampleLog[] = []
  readonly #published = new Map<string, number>()
  readonly #time = Date.UTC(2026, 10, 22, 9)

  /** Drains all of the log and publishes it at these sizes; the last one is the newest. */
  publish(log: SampleLog, sizes: readonly number[] = [log.size], witnesses = log.witnesses): void {
    const run = (sql: string, ...args: SqlValue[]) => this.database.prepare(sql).run(...args)
    if (!this.#logs.includes(log)) {
      this.#logs.push(log)
      const [ed25519, mlDsa44] = log.keys
      run('insert into log values (?, ?, ?, ?, null)', log.name, log.origin, ed25519.vkey, mlDsa44.vkey)
    }
    const leaves = this.database.prepare('insert into ledger_leaf (log, idx, leaf) values (?, ?, ?)')
    for (const [index, { leaf }] of log.entries.entries()) leaves.run(log.name, index, leaf)
    const bodies = this.database.prepare(
      'insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)',
    )
    for (const [index, { salt, text }] of log.entries.entries()) bodies.run(log.name, index, salt, text)
    for (const [index, { redacted }] of log.entries.entries())
      if (redacted !== null) run('delete from ledger_body where log = ? and idx = ?', log.name, index)
    this.#removePruned()
    for (const size of sizes) this.#publishSize(log, size, witnesses)
  }

  /** As far as the log that has the pruning entry is here. */
  #removePruned(): void {
    const remove = this.database.prepare('delete from ledger_body where log = ? and idx = ?')
    for (const { name, entries } of this.#logs)
      for (const [index, { pruned }] of entries.entries())
        if (this.#logs.some((log) => pruned?.startsWith(`${log.name}/`))) remove.run(name, index)
  }

  /** Tiles alone, as a log stores them before it signs. */
  putTiles(log: SampleLog, size: number): void {
    const insert = this.database.prepare('insert into tile values (?, ?, ?, ?)')
    const leaves = log.entries.slice(0, size).map(({ leaf }) => leafHash(sha256, leaf))
    for (const { tile, bytes } of TileEdge.empty().append(sha256, leaves).tiles)
      insert.run(log.name, tile.level, Number(tile.index), bytes)
  }

  #publishSize(log: SampleLog, size: number, witnesses: SampleLog['witnesses']): void {
    const run = (sql: string, ...args: SqlValue[]) => this.database.prepare(sql).run(...args)
    if (size === 0) return
    this.putTiles(log, size)
    const text = log.checkpointText(size)
    run(
      'insert into checkpoint values (?, ?, ?, ?)',
      log.name,
      size,
      this.#time + size,
      signNote(text, log.keys),
    )
    for (const witness of witnesses) {
      const line = formatSignatureLine(witness.sign(text))
      run('insert into cosignature values (?, ?, ?, ?)', log.name, size, witness.name, line)
    }
    this.#published.set(log.name, size)
  }

  readonly reader: Reader = {
    read: async (statements) => {
      if (this.isAway) throw new StoreError('unavailable', 'away')
      this.asked.push(...statements)
      return statements.map(({ sql, args = [] }) => {
        const statement = this.database.prepare(sql)
        return (Array.isArray(args)
          ? statement.all(...(args as SqlValue[]))
          : statement.all(args as Record<string, SqlValue>)) as unknown as Rows
      })
    },
  }

  readonly auditLogs: { -readonly [Name in 'attest' | 'published' | 'status']: AuditLogs[Name] } = {
    attest: async (name, { chains, list }) => {
      const log = this.#logs.find((each) => each.name === name)
      if (!log || this.silent.has(name)) return err({ reason: 'log-unavailable', detail: 'away' })
      const listed = this.#logs.filter((each) => each === log || list.some((one) => one.log === each.name))
      return ok({
        log: name,
        size: String(log.size),
        heads: chains.map(({ kind, key }) => log.head(kind, key)),
        list: log.list(listed),
      })
    },
    published: async (name, size) =>
      !this.silent.has(name) && (this.#published.get(name) ?? 0) >= Number(size),
    status: async (name) => {
      const log = this.#logs.find((each) => each.name === name)
      if (!log || this.silent.has(name)) return err({ reason: 'log-unavailable', detail: 'away' })
      const size = String(log.size)
      return ok({
        log: name,
        size,
        drained: size,
        published: String(this.#published.get(name) ?? 0),
        openIntents: 0,
        standing: 'anchored',
        successor: null,
        fault: null,
        witnesses: [],
      })
    },
  }

  /** The plan of each statement that was read, told apart by their text. */
  plans(): readonly (readonly string[])[] {
    const distinct = new Map(this.asked.map((statement) => [statement.sql, statement]))
    return [...distinct.values()].map(({ sql, args = [] }) => {
      const explain = this.database.prepare(`explain query plan ${sql}`)
      const rows = Array.isArray(args)
        ? explain.all(...(args as SqlValue[]))
        : explain.all(args as Record<string, SqlValue>)
      return rows.map(({ detail }) => String(detail))
    })
  }
}
