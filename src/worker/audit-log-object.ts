import { DurableObject } from 'cloudflare:workers'
import type { AuditLogRpc } from '../audit/client.ts'
import type { AppendAnswer } from '../audit/commit.ts'
import { withDeadline } from '../audit/deadline.ts'
import { Drain } from '../audit/drain.ts'
import { ledgerWriter } from '../audit/ledger.ts'
import { createSchema, storedLog } from '../audit/log-state.ts'
import type { LogRow, LogSql, LogStore } from '../audit/log-store.ts'
import type { AppendRequest, LogStatus, OpenIntent } from '../audit/port.ts'
import { Sequencer } from '../audit/sequencer.ts'
import { type Environment, readMaxSingleFailures } from '../config.ts'
import { limits } from '../limits.ts'
import { hranaWriter } from '../store/hrana.ts'

interface Log {
  readonly sequencer: Sequencer
  readonly drain: Drain
}

/** The audit log of one region; the object's name is the log's. Its public methods are the wire. */
export class AuditLogObject
  extends DurableObject<Pick<Environment, 'AUDIT_URL' | 'AUDIT_WRITE_TOKEN' | 'MAX_SINGLE_FAILURES'>>
  implements AuditLogRpc
{
  #log: Log | null = null
  /** Whether an alarm is set: it stays set until it rings. */
  #armed = false

  append(log: string, request: AppendRequest): Promise<AppendAnswer> {
    return this.#open(log).sequencer.append(request)
  }

  appendFailure(log: string, address: string, reason: string, request: AppendRequest): Promise<AppendAnswer> {
    return this.#open(log).sequencer.appendFailure(address, reason, request)
  }

  async status(log: string): Promise<LogStatus> {
    const { sequencer, drain } = this.#open(log)
    void drain.run()
    return { ...sequencer.status(), fault: drain.fault }
  }

  drained(log: string, size: string): Promise<boolean> {
    return this.#open(log).drain.waitFor(Number(size), limits.exportDrainWaitMs)
  }

  async openIntents(log: string): Promise<readonly OpenIntent[]> {
    return this.#open(log).sequencer.openIntents()
  }

  /** The safety net: what no request has pushed on. At least once, maybe late. */
  override async alarm(): Promise<void> {
    this.#armed = false
    const sql = logSql(this.ctx.storage.sql)
    createSchema(sql)
    const name = storedLog(sql)
    if (name === null) return
    const { sequencer, drain } = this.#open(name)
    try {
      sequencer.tick()
      await drain.run()
    } finally {
      if (!sequencer.isSettled && !this.#armed) this.#arm()
    }
  }

  #open(log: string): Log {
    if (this.#log?.sequencer.log === log) return this.#log
    if (this.#log) throw new Error(`this is the audit log ${this.#log.sequencer.log}`)
    const now = (): number => Date.now()
    const sequencer: Sequencer = new Sequencer({
      log,
      store: this.#store(),
      now,
      maxSingleFailuresPerMinute: readMaxSingleFailures(this.env),
      onCommit: () => void drain.run(),
    })
    const database = hranaWriter({ url: this.env.AUDIT_URL, token: this.env.AUDIT_WRITE_TOKEN })
    const drain = new Drain({
      source: sequencer,
      ledger: ledgerWriter((statements) => database.apply(statements, limits.drainDeadlineMs)),
      now,
      onFault: (error) =>
        console.error(`audit log ${log}: draining failed`, error instanceof Error ? error.message : ''),
    })
    this.#log = { sequencer, drain }
    return this.#log
  }

  #store(): LogStore {
    const { storage } = this.ctx
    const sql = logSql(storage.sql)
    return {
      read: (query) => query(sql),
      commit: async (change) => {
        const result = storage.transactionSync(() => change(sql))
        // With no wait in between, the alarm is stored in the same commit: no entry without one.
        if (!this.#armed) this.#arm()
        try {
          await withDeadline(storage.sync(), limits.commitDeadlineMs, 'a commit')
        } catch (error) {
          this.ctx.abort('the storage of this audit log failed')
          throw error
        }
        return result
      },
    }
  }

  #arm(): void {
    this.#armed = true
    void this.ctx.storage.setAlarm(Date.now() + limits.logAlarmMs)
  }
}

/** Durable Object SQL as the log speaks it: blobs go in and come out as `Uint8Array`. */
function logSql(storage: SqlStorage): LogSql {
  return {
    exec: (sql, ...params) => {
      const rows = storage.exec(sql, ...params).toArray()
      for (const row of rows) {
        for (const name in row) {
          const value = row[name]
          if (value instanceof ArrayBuffer) (row as Record<string, unknown>)[name] = new Uint8Array(value)
        }
      }
      return rows as unknown as LogRow[]
    },
  }
}
